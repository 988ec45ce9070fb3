//! Options, as bytes and exactly as the originals read them.
//!
//! Flags cluster (`-RHDl0`); a value is the rest of its argument or the next one, whatever it
//! looks like (`-o=` has the value `=`); the first argument that doesn't begin with `-`, and `-`
//! itself, end the options and stay; `--`, and with it `--anything`, ends them and is taken.
//!
//! A program with long options ([`Getopt::with_words`]) takes `--anything` for one of them; only `--`
//! ends its options then. One that has them but is to be the original for all else
//! ([`Getopt::with_only_these_words`]) takes those, and lets the rest end the options.

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

/// A long option: another way to write a letter, or the only one, where the letter can't be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// What follows `--`.
    pub name: &'static str,
    /// The letter that it stands for.
    pub letter: u8,
    /// Whether a value belongs to it.
    pub takes: Takes,
}

/// Whether a value belongs to a long option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None: `--name`.
    Nothing,
    /// One: `--name=value`, or the next argument.
    Value,
    /// One that may be left out: `--name=value` or `--name`.
    Perhaps,
}

/// An option that the program doesn't know, or one whose value is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    program: &'static [u8],
    option: &'static [u8],
    problem: &'static [u8],
}

/// The options of a program, one by one; then [`Self::rest`].
pub struct Getopt {
    args: Args,
    letters: &'static [u8],
    words: &'static [Word],
    /// Whether a word that isn't known ends the options.
    others_end: bool,
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
        Self { args, letters, words: &[], others_end: false, index: 1, at: 0, ended: false }
    }

    /// With these long options, too.
    #[must_use]
    pub fn with_words(self, words: &'static [Word]) -> Self {
        Self { words, ..self }
    }

    /// With these long options, too; any other `--anything` ends the options, as it does without words.
    #[must_use]
    pub fn with_only_these_words(self, words: &'static [Word]) -> Self {
        Self { words, others_end: true, ..self }
    }

    /// The arguments that follow the options. Meaningful when the options have ended.
    #[must_use]
    pub fn rest(&self) -> Args {
        self.args.tail(self.index)
    }

    /// The next letter, as a slice of its argument.
    fn next_letter(&mut self) -> Option<&'static [u8]> {
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
                Some(_) => {
                    self.at += 1;
                    return Some(&argument[self.at - 1..self.at]);
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

    /// The long option that comes next, if one does.
    fn word(&mut self) -> Option<Result<Opt, Illegal>> {
        if self.words.is_empty() || self.at != 0 {
            return None;
        }
        let argument = self.args.get(self.index)?;
        let text = argument.to_bytes().strip_prefix(b"--").filter(|text| !text.is_empty())?;
        let equals = text.iter().position(|byte| *byte == b'=');
        let name = &text[..equals.unwrap_or(text.len())];
        let known = self.words.iter().find(|word| word.name.as_bytes() == name);
        if known.is_none() && self.others_end {
            return None;
        }
        self.next_argument();
        let Some(word) = known else {
            return Some(Err(self.illegal(name, UNKNOWN)));
        };
        let value = equals.and_then(|at| {
            CStr::from_bytes_with_nul(&argument.to_bytes_with_nul()[2 + at + 1..]).ok()
        });
        Some(match (word.takes, value) {
            (Takes::Nothing, Some(_)) => Err(self.illegal(name, b"option takes no argument -- ")),
            (Takes::Nothing | Takes::Perhaps, None) => Ok(Opt::Flag(word.letter)),
            (Takes::Perhaps | Takes::Value, Some(value)) => Ok(Opt::Value(word.letter, value)),
            (Takes::Value, None) => match self.args.get(self.index) {
                Some(value) => {
                    self.next_argument();
                    Ok(Opt::Value(word.letter, value))
                }
                None => Err(self.illegal(name, MISSING)),
            },
        })
    }

    fn illegal(&mut self, option: &'static [u8], problem: &'static [u8]) -> Illegal {
        self.ended = true;
        let name = self.args.get(0).map_or(&b""[..], CStr::to_bytes);
        let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
        Illegal { program: base, option, problem }
    }
}

impl Iterator for Getopt {
    type Item = Result<Opt, Illegal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        // The argument before may be read to its end.
        if self.at != 0 && self.args.get(self.index).is_some_and(|arg| arg.count_bytes() == self.at)
        {
            self.next_argument();
        }
        if let Some(word) = self.word() {
            return Some(word);
        }
        let Some(option) = self.next_letter() else {
            self.ended = true;
            return None;
        };
        let [letter, ..] = *option else { return None };
        let known = self.letters.iter().position(|known| *known == letter && letter != b':');
        let Some(place) = known else {
            return Some(Err(self.illegal(option, UNKNOWN)));
        };
        if self.letters.get(place + 1) != Some(&b':') {
            return Some(Ok(Opt::Flag(letter)));
        }
        Some(match self.value() {
            Some(value) => Ok(Opt::Value(letter, value)),
            None => Err(self.illegal(option, MISSING)),
        })
    }
}

const UNKNOWN: &[u8] = b"illegal option -- ";
const MISSING: &[u8] = b"option requires an argument -- ";

impl Illegal {
    /// The program's usage line, below the line that says what is wrong.
    #[must_use]
    pub fn with_usage(&self, mut usage: Failure) -> Failure {
        let line = [self.program, b": ", self.problem, self.option, b"\n"].concat();
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
        let found = options.by_ref().map(|opt| opt.map_err(|illegal| illegal.option[0])).collect();
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

    const WORDS: &[Word] = &[
        Word { name: "down", letter: b'D', takes: Takes::Nothing },
        Word { name: "time", letter: b'T', takes: Takes::Value },
        Word { name: "watch", letter: 200, takes: Takes::Perhaps },
    ];

    /// What a program with the letters `uDT:` and these words makes of its arguments.
    fn words(list: &[&str]) -> (Vec<Result<Opt, String>>, usize) {
        let mut all = vec!["p"];
        all.extend(list);
        let mut options = Getopt::new(args(&all), b"uDT:").with_words(WORDS);
        let said = |illegal: Illegal| {
            let text = illegal.with_usage(Failure::silent(100)).text;
            String::from_utf8(text).expect("ASCII")
        };
        (options.by_ref().map(|opt| opt.map_err(said)).collect(), options.rest().len())
    }

    #[test]
    fn long_options_stand_for_letters() {
        let flag = |letter| Ok(Opt::Flag(letter));
        let value = |letter, value| Ok(Opt::Value(letter, value));
        for (list, options, rest) in [
            (&["--down", "-u", "--down", "s"][..], vec![flag(b'D'), flag(b'u'), flag(b'D')], 1),
            (
                &["-uD", "--time=5", "--time", "--down"],
                vec![flag(b'u'), flag(b'D'), value(b'T', c"5"), value(b'T', c"--down")],
                0,
            ),
            (
                &["--time=", "-T", "--down", "--down"],
                vec![value(b'T', c""), value(b'T', c"--down"), flag(b'D')],
                0,
            ),
            (&["--watch", "--watch=1=2", "5"], vec![flag(200), value(200, c"1=2")], 1),
            (&["--", "--down"], vec![], 1),
            (&["-u", "--", "-u"], vec![flag(b'u')], 1),
            (&["s", "--down"], vec![], 2),
            (&["-", "--down"], vec![], 2),
        ] {
            assert_eq!(words(list), (options, rest), "{list:?}");
        }
    }

    #[test]
    fn words_that_are_not_known_may_end_the_options() {
        for (list, options, rest) in [
            (&["--down", "-u", "--up", "--down"][..], vec![Opt::Flag(b'D'), Opt::Flag(b'u')], 1),
            (&["--dow", "-u"], vec![], 1),
            (&["--time=1", "--", "-u"], vec![Opt::Value(b'T', c"1")], 1),
        ] {
            let all = [&["p"], list].concat();
            let mut found = Getopt::new(args(&all), b"uDT:").with_only_these_words(WORDS);
            let read: Result<Vec<_>, _> = found.by_ref().collect();
            assert_eq!((read, found.rest().len()), (Ok(options), rest), "{list:?}");
        }
    }

    #[test]
    fn a_wrong_long_option_is_said() {
        for (list, said) in [
            (&["--up"][..], "p: illegal option -- up\n"),
            (&["--dow"], "p: illegal option -- dow\n"),
            (&["--=x"], "p: illegal option -- \n"),
            (&["--down=1"], "p: option takes no argument -- down\n"),
            (&["--time"], "p: option requires an argument -- time\n"),
            (&["-u-"], "p: illegal option -- -\n"),
        ] {
            assert_eq!(words(list).0.last(), Some(&Err(said.to_owned())), "{list:?}");
        }
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
