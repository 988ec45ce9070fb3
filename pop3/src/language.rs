//! LANG (RFC 6856, section 3): in which language replies are. There is one, `i-default` (RFC 2277),
//! which is English that everybody should understand.

use crate::command::Range;

/// The whole reply to LANG, in either state.
#[must_use]
pub fn reply(range: Option<Range<'_>>) -> &'static [u8] {
    match range {
        None => b"+OK one language\r\ni-default English\r\n.\r\n",
        Some(range) if speaks(range) => b"+OK i-default as ever\r\n",
        Some(_) => b"-ERR that language is not spoken here\r\n",
    }
}

/// Whether `i-default` is what a look-up (RFC 4647, section 3.4) of this range comes to: it takes
/// parts off the range's end until a tag is left that is known. `*` is whatever we like best.
fn speaks(Range(range): Range<'_>) -> bool {
    const TAG: &[u8] = b"i-default";
    range == b"*"
        || range.get(..TAG.len()).is_some_and(|start| start.eq_ignore_ascii_case(TAG))
            && matches!(range.get(TAG.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_language() {
        assert_eq!(reply(None), b"+OK one language\r\ni-default English\r\n.\r\n");
        for (range, spoken) in [
            ("*", true),
            ("i-default", true),
            ("I-Default", true),
            ("i-default-x-loud", true),
            ("i-defaults", false),
            ("i", false),
            ("en", false),
            ("de-CH-1996", false),
        ] {
            let expected: &[u8] = if spoken {
                b"+OK i-default as ever\r\n"
            } else {
                b"-ERR that language is not spoken here\r\n"
            };
            assert_eq!(reply(Some(Range(range.as_bytes()))), expected, "{range}");
        }
    }
}
