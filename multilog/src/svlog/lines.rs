//! Lines of a log whose bytes come in pieces, and in several files. Pure.

use alloc::vec::Vec;
use core::ops::Range;

/// Of a longer line, so much at a time.
pub(crate) const LONGEST: usize = 64 * 1024;

/// Read at once, at least.
const ROOM: usize = 16 * 1024;

/// What was read and not yet taken.
#[derive(Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    /// Where the next line, or its next piece, begins.
    start: usize,
    /// Up to here, no newline is left to be found.
    searched: usize,
    /// Where what was read ends. Beyond it is room.
    end: usize,
    /// Whether some of the line was taken already.
    within: bool,
    /// Where a file ended in the middle of the line, as long as it isn't clear whether the next one goes on with it.
    seam: Option<usize>,
}

/// A line, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    range: Range<usize>,
    /// Whether it is the first of its line.
    pub(crate) begins: bool,
    /// Whether it is the last; then a newline has followed.
    pub(crate) ends: bool,
}

impl Lines {
    /// Room for more bytes.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.held.len() - self.end < ROOM {
            self.held.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.seam = self.seam.map(|seam| seam - self.start);
            self.start = 0;
            if self.held.len() - self.end < ROOM {
                self.held.resize(self.end + ROOM, 0);
            }
        }
        &mut self.held[self.end..]
    }

    /// So many bytes of the room were filled.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// The file has ended, and another one follows: a line that was torn goes on there.
    pub(crate) fn next_file(&mut self, is_stamp: impl Fn(&[u8]) -> bool) {
        self.decide(true, is_stamp);
        if self.is_in_line() && self.seam.is_none() {
            self.seam = Some(self.end);
        }
    }

    /// The line that has begun ends here, whatever follows.
    pub(crate) fn seal(&mut self) {
        self.seam = None;
        if self.is_in_line() {
            self.insert_newline(self.end);
        }
    }

    fn is_in_line(&self) -> bool {
        match self.held[self.start..self.end].last() {
            Some(last) => *last != b'\n',
            None => self.within,
        }
    }

    fn insert_newline(&mut self, at: usize) {
        self.held.truncate(self.end);
        self.held.insert(at, b'\n');
        self.end += 1;
        self.searched = self.searched.min(at);
    }

    /// The next line, or a piece of it, if it is there. `is_stamp` tells whether a file begins with a line of its own.
    pub(crate) fn next(&mut self, is_stamp: impl Fn(&[u8]) -> bool) -> Option<Piece> {
        if !self.decide(false, is_stamp) {
            return None;
        }
        let newline = memchr::memchr(b'\n', &self.held[self.searched..self.end]);
        let (end, ends) = match newline {
            Some(place) => (self.searched + place, true),
            None => {
                self.searched = self.end;
                (self.end, false)
            }
        };
        // A long line comes in the same pieces, however it was read.
        let (end, ends) =
            if end - self.start > LONGEST { (self.start + LONGEST, false) } else { (end, ends) };
        if !ends && end - self.start < LONGEST {
            return None;
        }
        Some(Piece { range: self.start..end, begins: !self.within, ends })
    }

    /// The piece's bytes.
    pub(crate) fn bytes(&self, piece: &Piece) -> &[u8] {
        &self.held[piece.range.clone()]
    }

    /// The piece is done with. (It must be the one that was given last.)
    pub(crate) fn take(&mut self, piece: &Piece) {
        self.start = piece.range.end + usize::from(piece.ends);
        self.searched = self.start;
        self.within = !piece.ends;
    }

    /// Whether it is clear what happens at the seam. At the `last` opportunity, it is.
    fn decide(&mut self, last: bool, is_stamp: impl Fn(&[u8]) -> bool) -> bool {
        let Some(seam) = self.seam else { return true };
        let next = &self.held[seam..self.end];
        let clear = next.len() > super::stamp::LONGEST || memchr::memchr(b'\n', next).is_some();
        if !clear && !last {
            return false;
        }
        if next.is_empty() {
            return true;
        }
        let line = next.split(|byte| *byte == b'\n').next().unwrap_or_default();
        self.seam = None;
        if is_stamp(line) {
            self.insert_newline(seam);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::cut_at;
    use proptest::prelude::*;

    fn is_stamp(line: &[u8]) -> bool {
        line.starts_with(b"@")
    }

    /// The lines of these files, each of which is read so many bytes at a time; the files that are cut off with `true`.
    fn lines(files: &[(&[u8], bool)], read: usize) -> Vec<Vec<u8>> {
        let (mut lines, mut out) = (Lines::default(), vec![]);
        let mut drain = |lines: &mut Lines| {
            while let Some(piece) = lines.next(is_stamp) {
                if piece.begins {
                    out.push(Vec::new());
                }
                out.last_mut().expect("a line").extend_from_slice(lines.bytes(&piece));
                lines.take(&piece);
                assert!(piece.ends || piece.range.len() == LONGEST);
            }
        };
        for (file, cut_off) in files {
            for piece in file.chunks(read) {
                lines.room()[..piece.len()].copy_from_slice(piece);
                lines.filled(piece.len());
                drain(&mut lines);
            }
            if *cut_off {
                lines.seal();
            } else {
                lines.next_file(is_stamp);
            }
            drain(&mut lines);
        }
        lines.seal();
        drain(&mut lines);
        out
    }

    fn of(files: &[(&str, bool)]) -> Vec<String> {
        let files: Vec<(&[u8], bool)> =
            files.iter().map(|(file, cut)| (file.as_bytes(), *cut)).collect();
        let found = lines(&files, 3);
        assert_eq!(found, lines(&files, 1000));
        found.into_iter().map(|line| String::from_utf8(line).expect("ASCII")).collect()
    }

    #[test]
    fn a_torn_line_is_one_again() {
        assert_eq!(of(&[("a\nb", false), ("c\nd\n", false)]), ["a", "bc", "d"]);
        assert_eq!(of(&[("a", false), ("b", false), ("", false), ("c", false)]), ["abc"]);
        assert_eq!(of(&[("a\n", false), ("b\n", false)]), ["a", "b"]);
        assert_eq!(of(&[("a", false), ("\nb\n", false)]), ["a", "b"]);
    }

    #[test]
    fn a_line_that_was_cut_off_ends() {
        assert_eq!(of(&[("a", true), ("b\n", false)]), ["a", "b"]);
        assert_eq!(of(&[("a\n", true), ("b\n", false)]), ["a", "b"]);
        assert_eq!(of(&[("a", false), ("@b\n", false)]), ["a", "@b"]);
        assert_eq!(of(&[("a", false), ("@", false), ("c", false)]), ["a", "@c"]);
        assert_eq!(of(&[("a", false), ("", true), ("@b", false)]), ["a", "@b"]);
    }

    #[test]
    fn empty_lines_and_files() {
        assert_eq!(of(&[("", false), ("\n\na\n", false), ("", true)]), ["", "", "a"]);
        assert_eq!(of(&[]), Vec::<String>::new());
    }

    #[test]
    fn long_lines_come_in_pieces() {
        for length in [LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST, 200_000] {
            let long = vec![b'x'; length];
            let file = [&long[..], b"\nb\n"].concat();
            for read in [1000, ROOM] {
                assert_eq!(lines(&[(&file, false)], read), [&long[..], b"b"], "{length} {read}");
                let torn = file.split_at(length / 2);
                assert_eq!(lines(&[(torn.0, false), (torn.1, false)], read), [&long[..], b"b"]);
                let cut = lines(&[(&long, true), (b"b", false)], read);
                assert_eq!(cut, [&long[..], b"b"], "{length} {read}");
            }
        }
    }

    proptest! {
        #[test]
        fn wherever_files_and_reads_end_the_lines_are_the_same(
            text in "[a\n]{0,60}",
            cuts in prop::collection::vec(0_usize..60, 0..6),
            read in 1_usize..20,
        ) {
            let text = text.as_bytes();
            let files: Vec<_> = cut_at(text, cuts).into_iter().map(|part| (part, false)).collect();
            let expected: Vec<Vec<u8>> = text
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec())
                .collect();
            prop_assert_eq!(lines(&files, read), expected);
        }
    }
}
