//! Clients that people use, as Debian has them: curl, fetchmail, mpop, getmail and Python's poplib fetch an awkward mailbox from
//! the finished chain, in the clear, by STLS and over TLS. Every byte arrives, each message once; what a client itself does to
//! a message is told beside it.

mod curl;
mod fetchmail;
mod getmail;
mod host;
mod mailbox;
mod mpop;
mod poplib;

use std::path::Path;

use host::Host;

/// How a client reaches its mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Clear,
    Stls,
    Tls,
}

/// Fetches into a directory what a client that keeps its state there hasn't fetched yet, and gives all that lies there then.
/// The messages stay on the server, or are deleted there.
type Fetch = fn(&Host, Way, &Path, Keep) -> Vec<Vec<u8>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Keep {
    Messages,
    Nothing,
}

/// A client's whole life with a mailbox: it fetches all, knows what it has by the UIDLs, fetches what is new alone, and in the
/// end, as another client of the same kind, fetches all and leaves nothing behind. `as_stored` is what becomes of a message there.
fn lives_with_a_mailbox(way: Way, fetch: Fetch, as_stored: fn(&[u8]) -> Vec<u8>) {
    let host = Host::new(way);
    let mut expected: Vec<_> =
        mailbox::awkward().iter().map(|message| as_stored(message)).collect();
    let (first, second) = (host.dir("first"), host.dir("second"));
    mailbox::same(&fetch(&host, way, &first, Keep::Messages), &expected, "all");
    mailbox::same(&fetch(&host, way, &first, Keep::Messages), &expected, "nothing more");
    let late = mailbox::letter(99, b"came later\n");
    host.deliver("new/2000000.late.host", &late);
    expected.push(as_stored(&late));
    mailbox::same(&fetch(&host, way, &first, Keep::Messages), &expected, "the new one");
    mailbox::same(&fetch(&host, way, &second, Keep::Nothing), &expected, "all again");
    assert_eq!(host.files(), [""; 0], "{way:?}: what was deleted is gone");
    let log = host.log();
    assert!(!log.contains("qmail-") && !log.contains("fatal"), "{way:?}: {log}");
}

/// With this client: if it is not there, the test says so and is over. It has a network of its own where that can be had, as
/// clients look for hosts and mail servers of their own, too.
macro_rules! with {
    ($client:literal) => {
        if !$crate::host::installed($client) {
            return;
        }
        if tests::is_root() {
            tests::alone!();
        }
    };
}
pub(crate) use with;
