//! Taking out of a run what differs from one to the next: its place, pids, small ages, the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::normalise::pids;

/// Bytes as text, of which nothing is lost: what isn't printable ASCII, a newline or a tab is written as `\x1b`.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\n' | b'\t' | b' '..=b'[' | b']'..=b'~' => text.push(char::from(*byte)),
            b'\\' => text.push_str("\\\\"),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text
}

/// A text in which the place of the run is `HERE`, a pid is `PID`, an age `N seconds` and a label of today `@LABEL`.
pub(super) fn without_what_varies(text: &str, place: &str) -> String {
    labels(&ages(&pids(&text.replace(place, "HERE"))))
}

/// Ages that a case doesn't choose are short.
const SHORT: u64 = 120;

fn ages(text: &str) -> String {
    const UNIT: &str = " seconds";
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(UNIT) {
        let head = &rest[..at];
        let before = head.trim_end_matches(|c: char| c.is_ascii_digit());
        let short = head[before.len()..].parse().is_ok_and(|age: u64| age < SHORT);
        result.push_str(if short { before } else { head });
        result.push_str(if short { "N" } else { "" });
        result.push_str(UNIT);
        rest = &rest[at + UNIT.len()..];
    }
    result + rest
}

fn labels(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (head, tail) = rest.split_at(at + 1);
        result.push_str(head);
        let is_label = tail.get(..24).is_some_and(is_of_today);
        result.push_str(if is_label { "LABEL" } else { "" });
        rest = if is_label { &tail[24..] } else { tail };
    }
    result + rest
}

/// Whether 24 characters are a TAI64N label of the last or the next day: any other was the case's own.
fn is_of_today(digits: &str) -> bool {
    const EPOCH: u64 = (1 << 62) + 10;
    const DAY: u64 = 86_400;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let lower_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let seconds = u64::from_str_radix(&digits[..16], 16).unwrap_or(0);
    lower_hex && seconds.abs_diff(EPOCH + now) < DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_of_odd_bytes() {
        assert_eq!(printable(b"a\0\xff\\\n"), "a\\x00\\xff\\\\\n");
    }

    #[test]
    fn only_short_ages_vary() {
        assert_eq!(
            ages("up 7 seconds, down 1000000 seconds, x seconds"),
            "up N seconds, down 1000000 seconds, x seconds"
        );
    }

    #[test]
    fn only_labels_of_today_vary() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let label = format!("@{:016x}1dcd6500", now + 10 + (1 << 62));
        let old = "@4000000037c219bf2ef02e94 x @4000";
        assert_eq!(labels(&format!("{label} a {old} {label}")), format!("@LABEL a {old} @LABEL"));
    }

    #[test]
    fn the_place_and_pids() {
        assert_eq!(without_what_varies("/tmp/x/a: up (pid 17)", "/tmp/x"), "HERE/a: up (pid PID)");
    }
}
