//! What svstat is asked to do.

use crate::text::Words;
use common::getopt::{Getopt, Illegal, Opt, Takes, Word};
use common::{Failure, Name, number};
use core::time::Duration;
use sys::Args;

/// What svstat is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) form: Form,
    pub(crate) which: Which,
    /// Go on, and say again what changes; everything again after this time, if there is one.
    pub(crate) watch: Option<Every>,
}

/// How a service is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In a line, in these words.
    Plain(Words),
    /// In several lines, for people.
    Long,
    /// As a JSON object, for programs.
    Json,
}

/// Which processes are described (daemontools-encore's -L and -l).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The service and its log.
    Both,
    /// The log alone.
    Log,
    /// The service alone.
    Service,
}

/// When everything is said again though nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Every {
    /// Never; on a terminal, each second.
    Default,
    /// So often.
    Time(Duration),
}

/// An order that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// An option that isn't known, or without its value.
    Illegal(Illegal),
    /// A time that is none.
    Time(&'static [u8]),
}

const LONG: u8 = b'v';
const STATE: u8 = b's';
const JSON: u8 = 0xF0;
const WATCH: u8 = 0xF1;

const WORDS: &[Word] = &[
    Word { name: "state", letter: STATE, takes: Takes::Nothing },
    Word { name: "long", letter: LONG, takes: Takes::Nothing },
    Word { name: "json", letter: JSON, takes: Takes::Nothing },
    Word { name: "watch", letter: WATCH, takes: Takes::Perhaps },
];

const USAGE: &str = "[ -sLlv ] [ --json ] [ --watch[=seconds] ] dir ...";

/// Reads the options; gives the order and the directories. Of two forms, the last one counts.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn read(args: Args) -> Result<(Order, Args), Wrong> {
    let mut options = Getopt::new(args, b"sLlv").with_words(WORDS);
    let mut form = None;
    let mut which = Which::Both;
    let mut watch = None;
    for option in options.by_ref() {
        match option.map_err(Wrong::Illegal)? {
            Opt::Flag(STATE) => form = Some(Form::Plain(Words::Encore)),
            Opt::Flag(LONG) => form = Some(Form::Long),
            Opt::Flag(JSON) => form = Some(Form::Json),
            Opt::Flag(b'L') => which = Which::Log,
            Opt::Flag(b'l') => which = Which::Service,
            Opt::Flag(_) => watch = Some(Every::Default),
            Opt::Value(_, time) => {
                let time = time.to_bytes();
                let seconds = number::whole(time).filter(|seconds| *seconds > 0);
                let seconds = seconds.ok_or(Wrong::Time(time))?;
                watch = Some(Every::Time(Duration::from_secs(seconds)));
            }
        }
    }
    let form = form.unwrap_or(match which {
        Which::Both => Form::Plain(Words::Plain),
        // Only encore knows these options.
        Which::Log | Which::Service => Form::Plain(Words::Encore),
    });
    Ok((Order { form, which, watch }, options.rest()))
}

impl Order {
    /// Whether a service is a line.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.form, Form::Plain(_))
    }
}

impl Wrong {
    /// The message, with exit code 100.
    pub(crate) fn failure(&self, name: Name) -> Failure {
        match self {
            Self::Illegal(illegal) => illegal.with_usage(name.usage(USAGE)),
            Self::Time(time) => name.fatal(100, &[b"unable to understand time ", time]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn order(list: &[&str]) -> Result<(Order, usize), Wrong> {
        let args = ["svstat"].iter().chain(list).map(|text| CString::new(*text).expect("no NUL"));
        read(Args::new(args.collect())).map(|(order, rest)| (order, rest.len()))
    }

    #[test]
    fn forms() {
        let plain = Form::Plain(Words::Plain);
        let encore = Form::Plain(Words::Encore);
        for (list, form, which) in [
            (&["s"][..], plain, Which::Both),
            (&["--", "-s"], plain, Which::Both),
            (&["-s", "s"], encore, Which::Both),
            (&["--state", "s"], encore, Which::Both),
            (&["-L", "s"], encore, Which::Log),
            (&["-l", "s"], encore, Which::Service),
            (&["-Ll", "s"], encore, Which::Service),
            (&["-v", "s"], Form::Long, Which::Both),
            (&["--long", "-l", "s"], Form::Long, Which::Service),
            (&["--json", "s"], Form::Json, Which::Both),
            (&["-v", "--json", "-s", "s"], encore, Which::Both),
        ] {
            let expected = Order { form, which, watch: None };
            assert_eq!(order(list), Ok((expected, 1)), "{list:?}");
        }
    }

    #[test]
    fn watching() {
        let watch = |list: &[&str]| order(list).map(|(order, _)| order.watch);
        let seconds = |seconds| Some(Every::Time(Duration::from_secs(seconds)));
        assert_eq!(watch(&["--watch", "5"]), Ok(Some(Every::Default)));
        assert_eq!(watch(&["--watch=5"]), Ok(seconds(5)));
        for time in ["", "0", "-1", "1.5", "x"] {
            let option = format!("--watch={time}");
            assert!(matches!(watch(&[&option]), Err(Wrong::Time(_))), "{time}");
        }
        for wrong in ["-x", "--anything", "--json=1"] {
            assert!(matches!(order(&[wrong]), Err(Wrong::Illegal(_))));
        }
    }
}
