//! The contents of the little files: numbers, and the name of a signal.

use super::{Limit, MOST_DEATHS};
use common::number::whole;
use core::time::Duration;
use sys::signal::Signal;

/// A time in milliseconds: at most as many as 32 bits hold, 49 days.
pub(super) fn milliseconds(text: &[u8]) -> Option<Duration> {
    small(text).map(|number| Duration::from_millis(number.into()))
}

/// The number of a descriptor, none of the standard streams.
pub(super) fn descriptor(text: &[u8]) -> Option<i32> {
    let number = small(text).filter(|number| (3..=65_535).contains(number))?;
    i32::try_from(number).ok()
}

/// The longest delay, in seconds; a minute, where nothing is said.
pub(super) fn back_off(text: &[u8]) -> Option<Duration> {
    let seconds = if text.is_empty() { 60 } else { small(text).filter(|number| *number > 0)? };
    Some(Duration::from_secs(seconds.into()))
}

/// How many deaths within how many seconds; an hour, where nothing is said.
pub(super) fn limit(text: &[u8]) -> Option<Limit> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let deaths = small(words.next()?).filter(|deaths| *deaths <= MOST_DEATHS)?;
    let seconds = match words.next() {
        Some(word) => small(word).filter(|seconds| *seconds > 0)?,
        None => 3600,
    };
    let within = Duration::from_secs(seconds.into());
    words.next().is_none().then_some(Limit { deaths, within })
}

/// A signal's number, or its name, with or without `SIG`.
pub(super) fn signal(text: &[u8]) -> Option<Signal> {
    if let Some(number) = small(text) {
        return Signal::from_named_raw(i32::try_from(number).ok()?);
    }
    let name = text.strip_prefix(b"SIG").unwrap_or(text);
    SIGNALS.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, signal)| *signal)
}

fn small(text: &[u8]) -> Option<u32> {
    whole(text).and_then(|number| u32::try_from(number).ok())
}

/// Those that a service may take for an order to end.
const SIGNALS: [(&str, Signal); 16] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("ABRT", Signal::ABORT),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("PIPE", Signal::PIPE),
    ("ALRM", Signal::ALARM),
    ("TERM", Signal::TERM),
    ("CHLD", Signal::CHILD),
    ("CONT", Signal::CONT),
    ("STOP", Signal::STOP),
    ("TSTP", Signal::TSTP),
    ("WINCH", Signal::WINCH),
    ("PWR", Signal::POWER),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(milliseconds(b"1500"), Some(Duration::from_millis(1500)));
        assert_eq!(milliseconds(b"0"), Some(Duration::ZERO));
        assert_eq!(descriptor(b"3"), Some(3));
        assert_eq!(back_off(b""), Some(Duration::from_secs(60)));
        assert_eq!(back_off(b"7"), Some(Duration::from_secs(7)));
        let an_hour = Duration::from_secs(3600);
        assert_eq!(limit(b"5"), Some(Limit { deaths: 5, within: an_hour }));
        let a_minute = Duration::from_secs(60);
        assert_eq!(limit(b"0  60"), Some(Limit { deaths: 0, within: a_minute }));
    }

    #[test]
    fn what_is_no_number_or_too_large_a_one() {
        for text in [&b"-1"[..], b"1s", b"x", b"4294967296", b"1 2 3", b"1.5"] {
            assert_eq!(milliseconds(text), None);
            assert_eq!(descriptor(text), None);
            assert_eq!(back_off(text), None);
            assert_eq!(limit(text), None);
        }
        assert_eq!(milliseconds(b""), None);
        for text in [&b""[..], b"0", b"2", b"65536"] {
            assert_eq!(descriptor(text), None);
        }
        assert_eq!(back_off(b"0"), None);
        for text in [&b""[..], b"5 0", b"5 x", b"1001"] {
            assert_eq!(limit(text), None);
        }
    }

    #[test]
    fn signals() {
        for text in [&b"HUP"[..], b"SIGHUP", b"1"] {
            assert_eq!(signal(text), Some(Signal::HUP));
        }
        for text in [&b""[..], b"0", b"99", b"SIG", b"hup", b"HUPPLA"] {
            assert_eq!(signal(text), None);
        }
        for (name, known) in SIGNALS {
            assert_eq!(signal(name.as_bytes()), Some(known));
        }
    }
}
