//! mpop: pipelining, and a Maildir of its own.

use std::path::Path;

use crate::host::{Host, messages};
use crate::{Keep, Way, lives_with_a_mailbox, mailbox, with};

fn fetch(host: &Host, way: Way, place: &Path, keep: Keep) -> Vec<Vec<u8>> {
    for part in ["tmp", "new", "cur"] {
        host.dir(&format!("{}/Maildir/{part}", place.file_name().unwrap().display()));
    }
    let tls = match way {
        Way::Clear => "tls off",
        Way::Stls => "tls on\ntls_starttls on",
        Way::Tls => "tls on\ntls_starttls off",
    };
    let configuration = place.join("mpoprc");
    host.configuration(
        &configuration,
        &format!(
            "account joe\nhost localhost\nport {}\ntimeout 60\nuser joe\npassword secret\nauth user\n{tls}\n{}\
             pipelining on\nkeep {}\nuidls_file {place}/uids\ndelivery maildir {place}/Maildir\n\
             received_header off\n",
            host.port(),
            if way == Way::Clear {
                String::new()
            } else {
                format!("tls_trust_file {}\n", host.certificate().display())
            },
            if keep == Keep::Messages { "on" } else { "off" },
            place = place.display(),
        ),
    );
    let outcome = host.client("mpop", place).args(["-C", "mpoprc", "-d", "joe"]).output();
    assert_eq!(outcome.code, 0, "{way:?} {keep:?}: {} {}", outcome.out(), outcome.err());
    let said = outcome.out();
    let commands: Vec<_> = said.lines().filter(|line| line.starts_with("--> RETR ")).collect();
    if let [first, second, ..] = commands[..] {
        let at_once = said
            .find(first)
            .is_some_and(|at| said[at..].lines().nth(1).is_some_and(|next| next == second));
        assert!(at_once, "{way:?}: pipelining: {said}");
    }
    messages(&place.join("Maildir/new"))
}

#[test]
fn mpop_in_the_clear() {
    with!("mpop");
    lives_with_a_mailbox(Way::Clear, fetch, mailbox::with_lf);
}

#[test]
fn mpop_by_stls() {
    with!("mpop");
    lives_with_a_mailbox(Way::Stls, fetch, mailbox::with_lf);
}

#[test]
fn mpop_over_tls() {
    with!("mpop");
    lives_with_a_mailbox(Way::Tls, fetch, mailbox::with_lf);
}
