//! A terminal that is drawn anew.

use alloc::vec::Vec;
use sys::termios;

/// The bytes that draw these lines on a terminal of this size, from its top left corner on.
pub(super) fn draw(lines: &[u8], size: Option<termios::Winsize>) -> Vec<u8> {
    let (rows, columns) = size.map_or((0, 0), |size| (size.ws_row.into(), size.ws_col.into()));
    cut(lines, rows, columns)
}

/// As [`draw`]; 0 is as much as there is.
fn cut(lines: &[u8], rows: usize, columns: usize) -> Vec<u8> {
    const HOME: &[u8] = b"\x1b[H";
    const CLEAR_LINE: &[u8] = b"\x1b[K\n";
    const CLEAR_REST: &[u8] = b"\x1b[J";
    let all = lines.split_inclusive(|byte| *byte == b'\n');
    let (shown, more) = match rows {
        0 | 1 => (usize::MAX, false),
        // The last row stays empty for the cursor, the one before says that there is more.
        _ if all.clone().count() >= rows => (rows.saturating_sub(2), true),
        _ => (usize::MAX, false),
    };
    let mut drawn = HOME.to_vec();
    for line in all.take(shown) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        drawn.extend_from_slice(first_columns(line, columns));
        drawn.extend_from_slice(CLEAR_LINE);
    }
    if more {
        drawn.extend_from_slice(b"...");
        drawn.extend_from_slice(CLEAR_LINE);
    }
    drawn.extend_from_slice(CLEAR_REST);
    drawn
}

/// As much of a line as fits: a UTF-8 character is a column, however wide it is drawn.
fn first_columns(line: &[u8], columns: usize) -> &[u8] {
    let begins = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
    let mut starts = line.iter().enumerate().filter(|(_, byte)| begins(byte));
    match starts.nth(columns) {
        Some((end, _)) if columns > 0 => &line[..end],
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_drawn_within_the_terminal() {
        let drawn = |lines: &str, rows, columns| {
            let bytes = cut(lines.as_bytes(), rows, columns);
            let text = String::from_utf8(bytes).expect("UTF-8");
            let text = text.strip_prefix("\x1b[H").and_then(|text| text.strip_suffix("\x1b[J"));
            text.expect("from the corner to the end").replace("\x1b[K\n", "|")
        };
        for (lines, rows, columns, expected) in [
            ("", 5, 80, ""),
            ("a\nb\n", 5, 80, "a|b|"),
            ("a\nb\n", 3, 80, "a|b|"),
            ("a\nb\nc\n", 3, 80, "a|...|"),
            ("a\nb\nc\nd\n", 4, 80, "a|b|...|"),
            ("abcdef\n", 5, 3, "abc|"),
            ("äöüäöü\n", 5, 3, "äöü|"),
            ("abc\n", 5, 3, "abc|"),
            ("a\nb\nc\n", 0, 0, "a|b|c|"),
        ] {
            assert_eq!(drawn(lines, rows, columns), expected, "{lines:?} {rows}x{columns}");
        }
    }
}
