//! Finding the labels in a stream that comes in pieces.

use crate::tai64n::outlet::Outlet;
use common::tai64n::Label;

/// The text of a label: `@` and 24 digits.
const LABEL: usize = 25;

/// Where in a line the input stands, and what is still to be written.
pub(crate) struct Lines<W> {
    /// What may be the beginning of a label: the first bytes of the line, as long as they fit.
    begun: [u8; LABEL],
    length: usize,
    /// Whether the line's beginning is over.
    within_line: bool,
    outlet: Outlet<W>,
}

impl<E, W: FnMut(&[u8]) -> Result<(), E>> Lines<W> {
    pub(crate) fn new(write: W) -> Self {
        Self { begun: [0; LABEL], length: 0, within_line: false, outlet: Outlet::new(write) }
    }

    /// Writes all of `input`, and for each label at the start of a line what `text` makes of it; the
    /// label itself where that is nothing.
    pub(crate) fn convert<T: AsRef<[u8]>>(
        &mut self,
        mut input: &[u8],
        mut text: impl FnMut(Label) -> Option<T>,
    ) -> Result<(), E> {
        while !input.is_empty() {
            input = if self.within_line {
                self.rest_of_line(input)?
            } else {
                self.start_of_line(input, &mut text)?
            };
        }
        self.outlet.flush()
    }

    /// Writes what was held back in the hope of a label. For the end of the input.
    pub(crate) fn end(&mut self) -> Result<(), E> {
        self.outlet.put(&self.begun[..self.length])?;
        self.length = 0;
        self.outlet.flush()
    }

    fn rest_of_line<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], E> {
        let newline = memchr::memchr(b'\n', input);
        let (line, rest) = input.split_at(newline.map_or(input.len(), |place| place + 1));
        self.within_line = newline.is_none();
        self.outlet.put(line)?;
        Ok(rest)
    }

    fn start_of_line<'a, T: AsRef<[u8]>>(
        &mut self,
        input: &'a [u8],
        text: &mut impl FnMut(Label) -> Option<T>,
    ) -> Result<&'a [u8], E> {
        let places = self.length..LABEL;
        let fitting = places.zip(input).take_while(|(place, byte)| fits(*place, **byte)).count();
        let (label, rest) = input.split_at(fitting);
        self.begun[self.length..self.length + fitting].copy_from_slice(label);
        self.length += fitting;
        if self.length < LABEL && rest.is_empty() {
            return Ok(rest);
        }
        let begun = &self.begun[..self.length];
        match Label::from_hex(begun).and_then(text) {
            Some(text) => self.outlet.put(text.as_ref())?,
            None => self.outlet.put(begun)?,
        }
        self.length = 0;
        self.within_line = true;
        Ok(rest)
    }
}

/// Whether a label can have this byte there.
fn fits(place: usize, byte: u8) -> bool {
    match place {
        0 => byte == b'@',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use proptest::prelude::*;

    /// What is written of these reads, with `<SECONDS>` for labels of 1970 and later.
    fn converted(reads: &[&[u8]]) -> Vec<String> {
        let mut writes = Vec::new();
        let mut lines = Lines::new(|bytes: &[u8]| {
            writes.push(bytes.escape_ascii().to_string());
            Ok::<(), Infallible>(())
        });
        let text = |label: Label| {
            let seconds = label.unix_seconds();
            (seconds >= 0).then(|| format!("<{seconds}>"))
        };
        for read in reads {
            let Ok(()) = lines.convert(read, text);
        }
        let Ok(()) = lines.end();
        writes
    }

    #[test]
    fn labels_at_the_start_of_lines() {
        for (line, expected) in [
            (&b"@400000000000000b00000000 x\n"[..], "<1> x\\n"),
            (b"@400000000000000b00000000", "<1>"),
            (b"@400000000000000b00000000\n\n@400000000000000c00000000\n", "<1>\\n\\n<2>\\n"),
            (b"@400000000000000b0000000012\n", "<1>12\\n"),
            (b"@400000000000000b00000000@400000000000000b00000000", "<1>@400000000000000b00000000"),
            (
                b"@400000000000000b0000000\n@400000000000000b00000000",
                "@400000000000000b0000000\\n<1>",
            ),
            (b"@400000000000000B00000000 x", "@400000000000000B00000000 x"),
            (b"@@400000000000000b00000000", "@@400000000000000b00000000"),
            (b" @400000000000000b00000000", " @400000000000000b00000000"),
            (b"@000000000000000b00000000 x", "@000000000000000b00000000 x"),
            (b"@\n@", "@\\n@"),
            (b"\0\n@4\0", "\\x00\\n@4\\x00"),
        ] {
            assert_eq!(converted(&[line]).concat(), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn only_what_may_be_a_label_waits() {
        let reads = [&b"@40"[..], b"0000000000000b0000000", b"0", b" x", b"\n@4", b"g", b"\n@4"];
        assert_eq!(converted(&reads), ["<1>", " x", "\\n", "@4g", "\\n", "@4"]);
    }

    proptest! {
        #[test]
        fn the_pieces_in_which_it_comes_change_nothing(
            text in "(@400000000000000b0000000[0-9a-f]|@[0-9a-f]{0,5}|[a-f\n]){0,8}",
            cuts in prop::collection::vec(0_usize..200, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut reads = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                reads.push(&text.as_bytes()[start..cut]);
                start = cut;
            }
            prop_assert_eq!(converted(&reads).concat(), converted(&[text.as_bytes()]).concat());
        }
    }
}
