//! Files read line by line, in bounded memory, which is wiped afterwards: hashes stand in them.

use sys::{AsFd, Errno};
use zeroize::Zeroizing;

/// The longest line that is given whole, in bytes.
pub const MAX_LINE: usize = 4096;

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Its text, without the newline; of a line that is too long, the first [`MAX_LINE`] bytes.
    pub text: &'a [u8],
    /// Whether that is all of it.
    pub whole: bool,
}

/// Shows `visit` each line of `file`, until it returns something.
///
/// # Errors
/// What read(2) says.
pub fn find<T>(
    file: impl AsFd,
    mut visit: impl FnMut(Line<'_>) -> Option<T>,
) -> Result<Option<T>, Errno> {
    let mut buffer = Zeroizing::new(vec![0; MAX_LINE + 1]);
    let (mut filled, mut number, mut skipping) = (0, 1, false);
    loop {
        let more = sys::read(&file, &mut buffer[filled..])?;
        filled += more;
        let mut start = 0;
        while let Some(length) = buffer[start..filled].iter().position(|byte| *byte == b'\n') {
            let line = Line { number, text: &buffer[start..start + length], whole: true };
            if !skipping && let Some(found) = visit(line) {
                return Ok(Some(found));
            }
            skipping = false;
            number += 1;
            start += length + 1;
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
        if more == 0 {
            let last = Line { number, text: &buffer[..filled], whole: true };
            return Ok(if filled > 0 && !skipping { visit(last) } else { None });
        }
        if filled > MAX_LINE {
            let line = Line { number, text: &buffer[..MAX_LINE], whole: false };
            if !skipping && let Some(found) = visit(line) {
                return Ok(Some(found));
            }
            skipping = true;
            filled = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sys::pipe::pipe;

    /// The lines of `text`, which must fit into a pipe.
    fn lines(text: &[u8]) -> Vec<(u64, Vec<u8>, bool)> {
        let (reader, writer) = pipe().expect("a pipe");
        sys::write_all(&writer, text).expect("room in the pipe");
        drop(writer);
        let mut lines = Vec::new();
        let found = find(&reader, |line| {
            lines.push((line.number, line.text.to_vec(), line.whole));
            None::<()>
        });
        assert_eq!(found, Ok(None));
        lines
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_once_and_counted_once() {
        for length in [MAX_LINE + 1, 2 * MAX_LINE, 3 * MAX_LINE + 7] {
            let mut text = b"a\n".to_vec();
            text.resize(2 + length, b'x');
            text.extend(b"\nb\n");
            let expected = [
                (1, b"a".to_vec(), true),
                (2, vec![b'x'; MAX_LINE], false),
                (3, b"b".to_vec(), true),
            ];
            assert_eq!(lines(&text), expected);
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(
            wanted in prop::collection::vec(prop::collection::vec(b'a'..=b'z', 0..3000), 0..12),
            last_ends: bool,
        ) {
            let mut text = wanted.join(&b'\n');
            if last_ends && !wanted.is_empty() {
                text.push(b'\n');
            }
            let mut expected: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            if expected.last().is_some_and(|last| last.is_empty()) {
                expected.pop();
            }
            let found = lines(&text);
            prop_assert_eq!(found.len(), expected.len());
            for (index, (number, text, whole)) in found.into_iter().enumerate() {
                prop_assert_eq!(number, index as u64 + 1);
                prop_assert_eq!(&text[..], expected[index]);
                prop_assert!(whole);
            }
        }
    }
}
