//! Options, as bytes and exactly as the originals read them.
//!
//! Flags cluster (`-RHDl0`); a value is the rest of its argument or the next one, whatever it
//! looks like (`-o=` has the value `=`); the first argument that doesn't begin with `-`, and `-`
//! itself, end the options and stay; `--`, and with it `--anything`, ends them and is taken.

use crate::diagnostic::Failure;
use core::ffi::CStr;
use sys::Args;

/// One option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opt {
    /// A letter alone.
    Flag(u8),
    /// A letter and its value.
    Value(u8, &'static CStr),
}

/// An option that the program doesn't know, or one whose value is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    program: &'static [u8],
    letter: u8,
    problem: &'static [u8],
}

/// The options of a program, one by one; then [`Self::rest`].
pub struct Getopt {
    args: Args,
    letters: &'static [u8],
    /// The argument that is being read.
    index: usize,
    /// Where in it; 0 before its `-`.
    at: usize,
    ended: bool,
}

impl Getopt {
    /// The options at the front of `args` (which begin with the program's name). `letters` are
    /// those it knows, each followed by `:` if it takes a value.
    #[must_use]
    pub fn new(args: Args, letters: &'static [u8]) -> Self {
        Self { args, letters, index: 1, at: 0, ended: false }
    }

    /// The arguments that follow the options. Meaningful when the options have ended.
    #[must_use]
    pub fn rest(&self) -> Args {
        self.args.tail(self.index)
    }

    fn next_letter(&mut self) -> Option<u8> {
        loop {
            let argument = self.args.get(self.index)?.to_bytes();
            if self.at == 0 {
                if argument.first() != Some(&b'-') || argument.len() == 1 {
                    return None;
                }
                self.at = 1;
            }
            match argument.get(self.at) {
                Some(b'-') if self.at == 1 => {
                    self.index += 1;
                    return None;
                }
                Some(letter) => {
                    self.at += 1;
                    return Some(*letter);
                }
                None => self.next_argument(),
            }
        }
    }

    fn next_argument(&mut self) {
        self.index += 1;
        self.at = 0;
    }

    fn value(&mut self) -> Option<&'static CStr> {
        let argument = self.args.get(self.index)?;
        let inline = CStr::from_bytes_with_nul(&argument.to_bytes_with_nul()[self.at..]).ok()?;
        self.next_argument();
        if !inline.is_empty() {
            return Some(inline);
        }
        let value = self.args.get(self.index)?;
        self.next_argument();
        Some(value)
    }

    fn illegal(&mut self, letter: u8, problem: &'static [u8]) -> Illegal {
        self.ended = true;
        let name = self.args.get(0).map_or(&b""[..], CStr::to_bytes);
        let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        Illegal { program: base, letter, problem }
    }
}

impl Iterator for Getopt {
    type Item = Result<Opt, Illegal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let Some(letter) = self.next_letter() else {
            self.ended = true;
            return None;
        };
        let known = self.letters.iter().position(|known| *known == letter && letter != b':');
        let Some(place) = known else {
            return Some(Err(self.illegal(letter, b"illegal option -- ")));
        };
        if self.letters.get(place + 1) != Some(&b':') {
            return Some(Ok(Opt::Flag(letter)));
        }
        Some(match self.value() {
            Some(value) => Ok(Opt::Value(letter, value)),
            None => Err(self.illegal(letter, b"option requires an argument -- ")),
        })
    }
}

impl Illegal {
    /// The program's usage line, below the line that says what is wrong.
    #[must_use]
    pub fn with_usage(&self, mut usage: Failure) -> Failure {
        let line = [self.program, b": ", self.problem, &[self.letter], b"\n"].concat();
        usage.text.splice(0..0, line);
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::CString;

    fn args(list: &[&str]) -> Args {
        Args::new(list.iter().map(|text| CString::new(*text).expect("no NUL")).collect())
    }

    fn read(list: &[&str], letters: &'static [u8]) -> (Vec<Result<Opt, u8>>, Vec<String>) {
        let mut options = Getopt::new(args(list), letters);
        let found = options.by_ref().map(|opt| opt.map_err(|illegal| illegal.letter)).collect();
        let rest = options.rest().iter().map(|arg| arg.to_str().expect("ASCII").into()).collect();
        (found, rest)
    }

    #[test]
    fn flags_cluster_with_a_value_at_the_end() {
        let (options, rest) = read(&["p", "-RHl0", "-c", "-1", "x", "-R"], b"RHl:c:");
        let expected = [
            Ok(Opt::Flag(b'R')),
            Ok(Opt::Flag(b'H')),
            Ok(Opt::Value(b'l', c"0")),
            Ok(Opt::Value(b'c', c"-1")),
        ];
        assert_eq!(options, expected);
        assert_eq!(rest, ["x", "-R"]);
    }

    #[test]
    fn an_equals_sign_is_part_of_the_value() {
        assert_eq!(read(&["p", "-o="], b"o:").0, [Ok(Opt::Value(b'o', c"="))]);
    }

    #[test]
    fn anything_after_two_dashes_ends_the_options() {
        assert_eq!(
            read(&["p", "-a", "--bcd", "-a"], b"a"),
            (vec![Ok(Opt::Flag(b'a'))], vec!["-a".into()])
        );
        assert_eq!(read(&["p", "-"], b"a"), (vec![], vec!["-".into()]));
        assert_eq!(read(&["p"], b"a"), (vec![], vec![]));
    }

    #[test]
    fn an_unknown_letter_is_said_before_the_usage() {
        let usage = crate::Name("p").usage("child");
        let mut options = Getopt::new(args(&["/x/p", "-Z"]), b"a");
        let illegal = options.next().expect("an option").expect_err("an unknown one");
        let text = illegal.with_usage(usage).text;
        assert_eq!(text, b"p: illegal option -- Z\np: usage: p child\n");
        assert_eq!(options.next(), None);
    }

    #[test]
    fn a_missing_value_is_said() {
        assert_eq!(read(&["p", "-c"], b"c:").0, [Err(b'c')]);
        assert_eq!(read(&["p", "-:"], b"c:").0, [Err(b':')]);
    }

    proptest! {
        #[test]
        fn every_argument_is_an_option_or_remains(list in proptest::collection::vec("[-abx=]{0,4}", 0..6)) {
            let mut all = vec!["p"];
            all.extend(list.iter().map(String::as_str));
            let (options, rest) = read(&all, b"ab:");
            prop_assert!(rest.len() <= list.len());
            if options.iter().all(Result::is_ok) {
                prop_assert_eq!(&list[list.len() - rest.len()..], &rest[..]);
            }
        }
    }
}
