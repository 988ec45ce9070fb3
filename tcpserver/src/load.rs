//! How much the processors have to do.

use common::number;

const FILE: &str = "/proc/loadavg";

/// The load average of the last minute, in hundredths; `None` where the system doesn't tell.
#[must_use]
pub fn now() -> Option<u64> {
    parse(&std::fs::read(FILE).ok()?)
}

/// `0.20 0.18 0.12 1/80 11206`
fn parse(text: &[u8]) -> Option<u64> {
    let first = text.split(|byte| *byte == b' ').next()?;
    let dot = first.iter().position(|byte| *byte == b'.')?;
    let hundredths = number::whole(&first[dot + 1..]).filter(|_| first.len() == dot + 3)?;
    number::whole(&first[..dot])?.checked_mul(100)?.checked_add(hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hundredths() {
        assert_eq!(parse(b"0.20 0.18 0.12 1/80 11206\n"), Some(20));
        assert_eq!(parse(b"13.07 0.18 0.12 1/80 11206\n"), Some(1307));
        for text in [&b""[..], b"1", b"1.5 2", b".20 ", b"x.20", b"99999999999999999999.00"] {
            assert_eq!(parse(text), None, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
