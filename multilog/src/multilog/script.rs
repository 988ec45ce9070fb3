//! What the command line asks for.

use super::compression::Format;
use super::pattern::Pattern;
use super::stamp::Form;
use alloc::vec::Vec;
use common::number::{ulong, whole};
use core::ffi::CStr;
use core::time::Duration;
use sys::Args;

/// The arguments, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) stamp: Option<Form>,
    /// `j`: what was read is in a journal until it is in the logs.
    pub(crate) journal: bool,
    /// In the order in which they are carried out.
    pub(crate) actions: Vec<Action>,
    /// Those that are nearly an age, a size or a format: to be passed over, and said.
    pub(crate) unclear: Vec<&'static CStr>,
}

impl Script {
    /// Whether any log is.
    pub(crate) fn compresses(&self) -> bool {
        let compresses =
            |action: &Action| matches!(action, Action::Log(log) if log.compression.is_some());
        self.actions.iter().any(compresses)
    }
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
    /// `d`, `D`
    pub(crate) durable: Durable,
    /// `zFORMAT`: what finished files are compressed to, in the background.
    pub(crate) compression: Option<Format>,
    /// `aAGE`: finished files go so long after they were finished.
    pub(crate) age: Option<Duration>,
    /// `bBYTES`: the oldest finished files go when all, and `current`, would be more.
    pub(crate) total: Option<u64>,
}

impl Settings {
    /// Those that hold if nothing else was said.
    pub(crate) const DEFAULT: Self = Self {
        directory: c".",
        size: 99_999,
        number: 10,
        processor: None,
        code: b"s",
        durable: Durable::Finished,
        compression: None,
        age: None,
        total: None,
    };
}

/// What is on disk before more is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Durable {
    /// Finished files.
    Finished,
    /// `d`: what was read before, too.
    Batches,
    /// `D`: and the names that files have got.
    Rotations,
}

/// What `s` is kept within: 0.76 ends at 16777215, encore here.
const SIZES: (u64, u64) = (4096, 0x7fff_ffff);

/// What `n` is at least: the file that was just finished is one.
const FEWEST: u64 = 2;

/// Understands the arguments; those that no action has are passed over.
pub(crate) fn read(args: Args) -> Script {
    let mut settings = Settings::DEFAULT;
    let mut pattern: fn(&'static [u8]) -> Pattern = Pattern::Simple;
    let mut script =
        Script { stamp: None, journal: false, actions: Vec::new(), unclear: Vec::new() };
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
                    Some(b'j') => script.journal = true,
                    Some(b'd') => settings.durable = Durable::Batches,
                    Some(b'D') => settings.durable = Durable::Rotations,
                    Some(b'w') => settings.code = value,
                    Some(b'z') => match Format::named(value) {
                        Some(format) => settings.compression = Some(format),
                        None if value.is_empty() => settings.compression = None,
                        None => script.unclear.push(argument),
                    },
                    Some(b'a') => match limit(value, AGES) {
                        Some(seconds) => settings.age = seconds.map(Duration::from_secs),
                        None => script.unclear.push(argument),
                    },
                    Some(b'b') => match limit(value, BYTES) {
                        Some(bytes) => settings.total = bytes,
                        None => script.unclear.push(argument),
                    },
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

/// The units of an age, in seconds.
const AGES: &[(u8, u64)] = &[
    (b's', 1),
    (b'm', 60),
    (b'h', 3600),
    (b'd', 86_400),
    (b'w', 7 * 86_400),
    (b'y', 365 * 86_400),
];

/// The units of a size.
const BYTES: &[(u8, u64)] =
    &[(b'k', 1 << 10), (b'K', 1 << 10), (b'M', 1 << 20), (b'G', 1 << 30), (b'T', 1 << 40)];

/// A number with one of the units, or without. `Some(None)` is no limit: 0, or nothing at all.
///
/// Stricter than [`number`]: `a30D`, taken for 30 seconds, would remove what was to stay for 30 days.
fn limit(text: &[u8], units: &[(u8, u64)]) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let unit = text.last().and_then(|last| units.iter().find(|(name, _)| name == last));
    let (digits, unit) = unit.map_or((text, 1), |(_, unit)| (&text[..text.len() - 1], *unit));
    let limit = whole(digits)?.checked_mul(unit)?;
    Some((limit > 0).then_some(limit))
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
    fn what_is_on_disk_and_when() {
        let durable =
            |arguments: &[&str]| logs(arguments).iter().map(|log| log.durable).collect::<Vec<_>>();
        let expected = [Durable::Finished, Durable::Batches, Durable::Rotations];
        assert_eq!(durable(&["./a", "d", "./b", "D", "./c"]), expected);
        assert!(script(&["./a", "j"]).journal && !script(&["t", "./j"]).journal);
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
        let Script { actions, unclear, .. } = script(&["", "x", "c", "C", "?"]);
        assert!(actions.is_empty() && unclear.is_empty());
    }

    #[test]
    fn ages_and_sizes() {
        let day = 86_400;
        for (text, seconds) in [
            ("a1", Some(1)),
            ("a90s", Some(90)),
            ("a2m", Some(120)),
            ("a12h", Some(day / 2)),
            ("a30d", Some(30 * day)),
            ("a2w", Some(14 * day)),
            ("a10y", Some(3650 * day)),
            ("a0", None),
            ("a0d", None),
            ("a", None),
        ] {
            let log = logs(&["a7", text, "."])[0];
            assert_eq!(log.age, seconds.map(Duration::from_secs), "{text}");
        }
        for (text, bytes) in [
            ("b500000", Some(500_000)),
            ("b8k", Some(8192)),
            ("b8K", Some(8192)),
            ("b500M", Some(500 << 20)),
            ("b2G", Some(2 << 30)),
            ("b1T", Some(1 << 40)),
            ("b0", None),
            ("b", None),
        ] {
            assert_eq!(logs(&["b7", text, "."])[0].total, bytes, "{text}");
        }
    }

    /// `a30D` for 30 seconds, or `a30days` for 30: all that was to be kept would go.
    #[test]
    fn a_limit_that_is_unclear_is_none() {
        for text in ["a30D", "a30days", "a-1", "a 1", "ad", "a1d2h", "a99999999999999999999", "ago"]
        {
            assert_eq!(logs(&["a7", text, "."])[0].age, Some(Duration::from_secs(7)), "{text}");
            assert_eq!(script(&[text]).unclear, [&*CString::new(text).expect("no NUL")]);
        }
        for text in ["b500MB", "b1.5G", "bM", "b18446744073709551615k"] {
            assert_eq!(logs(&["b7", text, "."])[0].total, Some(7), "{text}");
            assert_eq!(script(&[text]).unclear.len(), 1);
        }
    }

    #[test]
    fn formats() {
        for (text, format) in
            [("zgz", Some(Format::Gzip)), ("zzst", Some(Format::Zstandard)), ("z", None)]
        {
            assert_eq!(logs(&["zgz", text, "."])[0].compression, format, "{text}");
        }
        assert_eq!(logs(&["."])[0].compression, None);
        assert_eq!(script(&["zxz", "zgzip"]).unclear, [c"zxz", c"zgzip"]);
    }
}
