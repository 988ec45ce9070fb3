//! getmail: a session with UIDL, and a Maildir of its own. It knows no STLS.

use std::path::Path;

use crate::host::{Host, messages};
use crate::{Keep, Way, lives_with_a_mailbox, mailbox, with};

/// getmail (6.18) delivers in a child, and begins to listen for its end only after it has started it: now and then it waits
/// in vain. Python loads this before anything else.
const WAITS_FOR_ITS_CHILD: &str = "\
import os
from getmailcore.baseclasses import ForkingBase
def wait(self, child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
ForkingBase._prepare_child = lambda self: None
ForkingBase._wait_for_child = wait
";

fn fetch(host: &Host, way: Way, place: &Path, keep: Keep) -> Vec<Vec<u8>> {
    for part in ["tmp", "new", "cur"] {
        host.dir(&format!("{}/Maildir/{part}", place.file_name().unwrap().display()));
    }
    let retriever = match way {
        Way::Tls => {
            let trusted = host.certificate();
            format!("SimplePOP3SSLRetriever\nca_certs = {}", trusted.display())
        }
        Way::Clear | Way::Stls => "SimplePOP3Retriever".to_owned(),
    };
    host.configuration(
        &place.join("getmailrc"),
        &format!(
            "[retriever]\ntype = {retriever}\nserver = localhost\nport = {}\ntimeout = 60\n\
             username = joe\npassword = secret\n\
             [destination]\ntype = Maildir\npath = {}/Maildir/\n\
             [options]\nread_all = false\ndelete = {}\ndelivered_to = false\nreceived = false\n",
            host.port(),
            place.display(),
            keep == Keep::Nothing
        ),
    );
    host.configuration(&place.join("sitecustomize.py"), WAITS_FOR_ITS_CHILD);
    let getmail = host.client("getmail", place).env("PYTHONPATH", place);
    let outcome = getmail.arg("--getmaildir").arg(place).output();
    assert_eq!(outcome.code, 0, "{way:?} {keep:?}: {} {}", outcome.out(), outcome.err());
    messages(&place.join("Maildir/new"))
}

/// It puts a line before the header, and a blank one after a header that has none.
fn as_stored(file: &[u8]) -> Vec<u8> {
    let mut stored = b"Return-Path: <unknown>\n".to_vec();
    stored.extend_from_slice(&mailbox::with_lf(file));
    if !stored.windows(2).any(|pair| pair == b"\n\n") {
        stored.push(b'\n');
    }
    stored
}

#[test]
fn getmail_in_the_clear() {
    with!("getmail");
    lives_with_a_mailbox(Way::Clear, fetch, as_stored);
}

#[test]
fn getmail_over_tls() {
    with!("getmail");
    lives_with_a_mailbox(Way::Tls, fetch, as_stored);
}
