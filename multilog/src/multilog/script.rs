//! What the command line asks for.

use super::pattern::Pattern;
use super::stamp::Form;
use alloc::vec::Vec;
use common::number::ulong;
use core::ffi::CStr;
use sys::Args;

/// The arguments, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) stamp: Option<Form>,
    /// In the order in which they are carried out.
    pub(crate) actions: Vec<Action>,
}

/// What is done with each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// `+` selects what it matches, `-` deselects it.
    Choose { select: bool, pattern: Pattern },
    /// `e`
    Alert,
    /// `=FILE`
    Status(&'static CStr),
    /// `.DIRECTORY` or `/DIRECTORY`
    Log(Settings),
}

/// How a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) directory: &'static CStr,
    /// `sSIZE`: no file becomes larger.
    pub(crate) size: u64,
    /// `nNUMBER`: fewer finished files than that are kept.
    pub(crate) number: usize,
    /// `!COMMAND`
    pub(crate) processor: Option<&'static CStr>,
    /// `wCODE`: what finished files end with, after a dot.
    pub(crate) code: &'static [u8],
}

/// What `s` is kept within: 0.76 ends at 16777215, encore here.
const SIZES: (u64, u64) = (4096, 0x7fff_ffff);

/// What `n` is at least: the file that was just finished is one.
const FEWEST: u64 = 2;

/// Understands the arguments; those that no action has are passed over.
pub(crate) fn read(args: Args) -> Script {
    let mut settings =
        Settings { directory: c".", size: 99_999, number: 10, processor: None, code: b"s" };
    let mut pattern: fn(&'static [u8]) -> Pattern = Pattern::Simple;
    let mut script = Script { stamp: None, actions: Vec::new() };
    for (index, argument) in args.iter().enumerate().skip(1) {
        let value = argument.to_bytes().get(1..).unwrap_or_default();
        let action = match argument.to_bytes().first() {
            Some(b'+') => Action::Choose { select: true, pattern: pattern(value) },
            Some(b'-') => Action::Choose { select: false, pattern: pattern(value) },
            Some(b'e') => Action::Alert,
            Some(b'=') => Action::Status(after_first(argument)),
            Some(b'.' | b'/') => Action::Log(Settings { directory: argument, ..settings }),
            other => {
                match other {
                    Some(b't') if index == 1 => script.stamp = Some(Form::Label),
                    Some(b'T') if index == 1 => script.stamp = Some(Form::Epoch),
                    Some(b'i') if index == 1 => script.stamp = Some(Form::Utc),
                    Some(b'I') if index == 1 => script.stamp = Some(Form::Local),
                    Some(b'F') => pattern = Pattern::Wildcard,
                    Some(b'S') => pattern = Pattern::Simple,
                    Some(b's') => settings.size = number(value).clamp(SIZES.0, SIZES.1),
                    Some(b'n') => {
                        let number = number(value).max(FEWEST);
                        settings.number = usize::try_from(number).unwrap_or(usize::MAX);
                    }
                    Some(b'!') => settings.processor = Some(after_first(argument)),
                    Some(b'w') => settings.code = value,
                    _ => {}
                }
                continue;
            }
        };
        script.actions.push(action);
    }
    script
}

/// As the originals: what doesn't begin with a digit is 0.
fn number(text: &[u8]) -> u64 {
    ulong(text).map_or(0, |(number, _)| number)
}

fn after_first(argument: &'static CStr) -> &'static CStr {
    let bytes = argument.to_bytes_with_nul();
    CStr::from_bytes_with_nul(bytes.get(1..).unwrap_or(bytes)).unwrap_or(argument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn script(arguments: &[&str]) -> Script {
        let all = ["multilog"].iter().chain(arguments);
        read(Args::new(all.map(|text| CString::new(*text).expect("no NUL")).collect()))
    }

    fn logs(arguments: &[&str]) -> Vec<Settings> {
        let is_log =
            |action| if let Action::Log(settings) = action { Some(settings) } else { None };
        script(arguments).actions.into_iter().filter_map(is_log).collect()
    }

    #[test]
    fn actions_keep_their_order() {
        let expected = [
            Action::Choose { select: false, pattern: Pattern::Simple(b"*") },
            Action::Choose { select: true, pattern: Pattern::Wildcard(b"[a]") },
            Action::Choose { select: true, pattern: Pattern::Simple(b"") },
            Action::Alert,
            Action::Status(c"log/status"),
        ];
        assert_eq!(script(&["-*", "F", "+[a]", "S", "+", "e", "=log/status"]).actions, expected);
    }

    #[test]
    fn a_stamp_is_asked_for_first_or_never() {
        assert_eq!(script(&["t", "e"]).stamp, Some(Form::Label));
        assert_eq!(script(&["tx"]).stamp, Some(Form::Label));
        assert_eq!(script(&["T"]).stamp, Some(Form::Epoch));
        assert_eq!(script(&["i"]).stamp, Some(Form::Utc));
        assert_eq!(script(&["I"]).stamp, Some(Form::Local));
        assert_eq!(script(&["e", "t"]).stamp, None);
        assert_eq!(script(&["t", "T"]).stamp, Some(Form::Label));
    }

    #[test]
    fn settings_are_for_the_logs_that_follow() {
        let found = logs(&["./a", "s5000", "n3", "!gzip", "wgz", "/b", "s1", "n0", ".c"]);
        assert_eq!(
            (found[0].size, found[0].number, found[0].processor, found[0].code),
            (99_999, 10, None, &b"s"[..])
        );
        assert_eq!(
            (found[1].size, found[1].number, found[1].processor, found[1].code),
            (5000, 3, Some(c"gzip"), &b"gz"[..])
        );
        assert_eq!((found[2].size, found[2].number), (4096, 2));
        let directories: Vec<_> = found.iter().map(|log| log.directory).collect();
        assert_eq!(directories, [c"./a", c"/b", c".c"]);
    }

    #[test]
    fn numbers_at_their_edges() {
        for (text, size) in [
            ("s", 4096),
            ("sx", 4096),
            ("s4095", 4096),
            ("s4097", 4097),
            ("s4097k", 4097),
            ("s-5000", 4096),
            ("s16777216", 16_777_216),
            ("s2147483648", 2_147_483_647),
        ] {
            assert_eq!(logs(&[text, "."])[0].size, size, "{text}");
        }
    }

    #[test]
    fn what_is_no_action_is_passed_over() {
        assert_eq!(script(&["", "x", "c", "C", "?"]).actions, []);
    }
}
