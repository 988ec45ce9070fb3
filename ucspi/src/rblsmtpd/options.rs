//! The command line.

use super::NAME;
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt};
use common::{Failure, number};
use core::ffi::CStr;
use core::time::Duration;
use sys::Args;

const LETTERS: &[u8] = b"bBcCt:r:a:";

const USAGE: &str = "[ -bBcC ] [ -t timeout ] [ -r base ] [ -a base ] smtpd [ arg ... ]";

/// How long the conversation may last, unless `-t` says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What the command line asks for.
#[derive(Clone)]
pub(super) struct Options {
    /// `-b`: who is listed may give up at once (553), instead of trying again (451).
    pub(super) give_up: bool,
    /// `-c`: a list that can't be asked is taken for one that speaks against the client.
    pub(super) fail_closed: bool,
    /// `-t`: how long the conversation may last; none at all for 0.
    pub(super) timeout: Duration,
    /// `-r` and `-a`, in order.
    pub(super) lists: Vec<List>,
    /// The program and its arguments; never empty.
    pub(super) arguments: Args,
}

/// A list of hosts in the DNS, by the name below which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// `-r`: whoever has a text there is refused, with that text.
    Refused(&'static CStr),
    /// `-a`: whoever has an address there is let in, whatever lists say that come later.
    LetIn(&'static CStr),
}

impl Options {
    /// Reads the command line. As in the original, a time-out that is no number is 0.
    pub(super) fn parse(args: Args) -> Result<Self, Failure> {
        let (mut give_up, mut fail_closed) = (false, false);
        let (mut timeout, mut lists) = (TIMEOUT, Vec::new());
        let mut getopt = Getopt::new(args, LETTERS);
        for opt in &mut getopt {
            match opt.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))? {
                Opt::Flag(b'b') => give_up = true,
                Opt::Flag(b'B') => give_up = false,
                Opt::Flag(b'c') => fail_closed = true,
                Opt::Flag(_) => fail_closed = false,
                Opt::Value(b'r', base) => lists.push(List::Refused(base)),
                Opt::Value(b'a', base) => lists.push(List::LetIn(base)),
                Opt::Value(_, value) => {
                    let seconds = number::ulong(value.to_bytes()).map_or(0, |(number, _)| number);
                    timeout = Duration::from_secs(seconds.min(u32::MAX.into()));
                }
            }
        }
        let arguments = getopt.rest();
        if arguments.is_empty() {
            return Err(NAME.usage(USAGE));
        }
        Ok(Self { give_up, fail_closed, timeout, lists, arguments })
    }

    /// Whether any client can be refused because of a list.
    pub(super) fn names_a_list(&self) -> bool {
        self.lists.iter().any(|list| matches!(list, List::Refused(_)))
    }

    /// The program.
    pub(super) fn program(&self) -> &'static CStr {
        self.arguments.get(0).unwrap_or_default()
    }
}
