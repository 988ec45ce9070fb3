//! What the command line asks for.

use super::NAME;
use super::lines::Place;
use common::Failure;
use common::getopt::{Getopt, Opt};
use common::number::whole;
use sys::Args;

const USAGE: &str = "[ -aiur ] [ -c field ] [ file ... ]";

/// What the options ask for, and the files to be read.
pub(crate) struct Request {
    /// `-a`, `-c`: where in a line to look.
    pub(crate) place: Place,
    /// `-r`: times become labels.
    pub(crate) is_reverse: bool,
    /// `-u`: the time is that of UTC.
    pub(crate) is_utc: bool,
    /// `-i`: it is written as ISO 8601 has it.
    pub(crate) is_iso: bool,
    pub(crate) files: Args,
}

/// Reads the options. Of `-a` and `-c`, the last one counts.
///
/// # Errors
/// An unknown option, a field that is no number from 1 on: 100.
pub(crate) fn read(args: Args) -> Result<Request, Failure> {
    let (mut place, mut is_reverse, mut is_utc, mut is_iso) = (Place::Start, false, false, false);
    let mut options = Getopt::new(args, b"ac:iru");
    for option in options.by_ref() {
        match option.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))? {
            Opt::Flag(b'a') => place = Place::Anywhere,
            Opt::Flag(b'i') => is_iso = true,
            Opt::Flag(b'r') => is_reverse = true,
            Opt::Flag(_) => is_utc = true,
            Opt::Value(_, field) => {
                let field = whole(field.to_bytes()).filter(|field| *field > 0);
                place = Place::Field(field.ok_or_else(|| NAME.usage(USAGE))?);
            }
        }
    }
    Ok(Request { place, is_reverse, is_utc, is_iso, files: options.rest() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn asked(words: &[&str]) -> Result<(Place, [bool; 3], usize), (u8, String)> {
        let all = ["tai64nlocal"].iter().chain(words);
        let all = all.map(|word| CString::new(*word).expect("no NUL")).collect();
        match read(Args::new(all)) {
            Ok(Request { place, is_reverse, is_utc, is_iso, files }) => {
                Ok((place, [is_reverse, is_utc, is_iso], files.len()))
            }
            Err(failure) => Err((failure.code, String::from_utf8(failure.text).expect("ASCII"))),
        }
    }

    #[test]
    fn options_and_files() {
        for (words, expected) in [
            (&[][..], (Place::Start, [false, false, false], 0)),
            (&["-a"], (Place::Anywhere, [false, false, false], 0)),
            (&["-ru", "-i", "a", "-b"], (Place::Start, [true, true, true], 2)),
            (&["-c2", "-", "a"], (Place::Field(2), [false, false, false], 2)),
            (&["-ac", "18446744073709551615"], (Place::Field(u64::MAX), [false; 3], 0)),
            (&["-c", "1", "-a", "--", "-u"], (Place::Anywhere, [false, false, false], 1)),
        ] {
            assert_eq!(asked(words), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn what_it_says_of_wrong_ones() {
        let usage = "tai64nlocal: usage: tai64nlocal [ -aiur ] [ -c field ] [ file ... ]\n";
        for words in [&["-c", "0"][..], &["-cx"], &["-c1a"], &["-c", ""]] {
            assert_eq!(asked(words), Err((100, usage.to_owned())), "{words:?}");
        }
        let unknown = format!("tai64nlocal: illegal option -- x\n{usage}");
        assert_eq!(asked(&["-x"]), Err((100, unknown)));
    }
}
