//! fetchmail: with `fetchall` it takes messages by RETR, and else, where they are kept, by TOP with a number of lines that no
//! message has; what it has seen it knows by UIDL.

use std::path::Path;

use crate::host::{Host, messages};
use crate::{Keep, Way, lives_with_a_mailbox, mailbox, with};

/// How it asks for messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Retr,
    Top,
}

/// A line of a file beyond this is broken up, and gets bytes that nobody sent: fetchmail 6.4 with whatever server.
const LONGEST: usize = 8000;

fn fetch_by(host: &Host, way: Way, place: &Path, keep: Keep, by: By) -> Vec<Vec<u8>> {
    let got = host.dir(&format!("{}/got", place.file_name().unwrap().display()));
    let deliver = host.script(
        "deliver",
        "#!/bin/sh\nfile=$(mktemp \"$HOME/got/XXXXXXXX\") && exec cat >\"$file\"\n",
    );
    let tls = match way {
        Way::Clear => "sslproto ''".to_owned(),
        Way::Stls | Way::Tls => {
            let at_once = if way == Way::Tls { "ssl" } else { "" };
            let trusted = host.certificate();
            format!(
                "{at_once} sslproto \"tls1.2+\" sslcertck sslcertfile \"{}\"",
                trusted.display()
            )
        }
    };
    let keep = if keep == Keep::Messages { "keep" } else { "no keep" };
    let all = if by == By::Retr { "fetchall" } else { "no fetchall" };
    host.configuration(
        &place.join("fetchmailrc"),
        &format!(
            "set no bouncemail\nset no syslog\nset idfile \"{place}/ids\"\n\
             poll localhost with proto POP3 port {} uidl timeout 60\n\
             user joe there with password secret is joe here {keep} {all} {tls}\n\
             mda \"{}\" no rewrite\n",
            host.port(),
            deliver.display(),
            place = place.display()
        ),
    );
    let before = messages(&got).len();
    let outcome = host
        .client("fetchmail", place)
        .args(["-f", "fetchmailrc", "--invisible", "-v", "-v", "--pidfile", "pid"])
        .env("FETCHMAILHOME", place)
        .output();
    let got = messages(&got);
    // 1: there was nothing to fetch.
    let code = i32::from(before == got.len());
    assert_eq!(outcome.code, code, "{way:?} {keep}: {} {}", outcome.out(), outcome.err());
    let said = outcome.out() + &outcome.err();
    let asked = |command: &str| said.contains(&format!("POP3> {command} "));
    assert!(said.contains("POP3> UIDL"), "{way:?}: {said}");
    if got.len() > before {
        assert_eq!((asked("RETR"), asked("TOP")), (by == By::Retr, by == By::Top), "{said}");
    }
    got.iter().map(|message| recognised(message)).collect()
}

/// What fetchmail makes of a message without a header, and of a line that is too long for it, tells nothing of what came.
fn recognised(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    if text.contains("Subject: Headerless mail from joe's mailbox on localhost\n") {
        return Vec::new();
    }
    if message.split(|byte| *byte == b'\n').any(|line| line.len() > LONGEST) {
        return b"too long".to_vec();
    }
    message.to_vec()
}

/// It puts a blank line after a header that has none.
fn as_stored(file: &[u8]) -> Vec<u8> {
    let mut stored = mailbox::with_lf(file);
    if !stored.is_empty() && !stored.windows(2).any(|pair| pair == b"\n\n") {
        stored.push(b'\n');
    }
    recognised(&stored)
}

fn by_top(host: &Host, way: Way, place: &Path, keep: Keep) -> Vec<Vec<u8>> {
    // It asks by TOP only as long as it deletes nothing.
    let by = if keep == Keep::Messages { By::Top } else { By::Retr };
    fetch_by(host, way, place, keep, by)
}

#[test]
fn fetchmail_in_the_clear() {
    with!("fetchmail");
    lives_with_a_mailbox(Way::Clear, by_top, as_stored);
}

#[test]
fn fetchmail_by_stls() {
    with!("fetchmail");
    lives_with_a_mailbox(Way::Stls, by_top, as_stored);
}

#[test]
fn fetchmail_over_tls() {
    with!("fetchmail");
    lives_with_a_mailbox(Way::Tls, by_top, as_stored);
}

#[test]
fn fetchmail_by_retr() {
    with!("fetchmail");
    for way in [Way::Clear, Way::Stls, Way::Tls] {
        let host = Host::new(way);
        let expected: Vec<_> = mailbox::awkward().iter().map(|file| as_stored(file)).collect();
        let place = host.dir("fetchmail");
        mailbox::same(&fetch_by(&host, way, &place, Keep::Messages, By::Retr), &expected, "RETR");
    }
}
