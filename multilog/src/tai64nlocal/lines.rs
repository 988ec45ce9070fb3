//! Finding labels, or times, in a stream that comes in pieces.

use crate::tai64n::outlet::Outlet;

/// Where in a line they are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// At its very start.
    Start,
    /// In this field, counted from 1: fields are what blanks (spaces, tabs) separate, any number of them.
    Field(u64),
    /// Wherever they stand, as many as there are.
    Anywhere,
}

/// What is looked for.
pub(crate) trait Sought {
    /// Whether one may begin with this byte, after that one.
    fn may_begin(before: u8, byte: u8) -> bool;

    /// The place where the next one may begin.
    fn next(mut before: u8, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| Self::may_begin(core::mem::replace(&mut before, *byte), *byte))
    }

    /// Whether one begins where `bytes` do, after the byte `before`, and what is to be written for it. `ends`:
    /// nothing follows `bytes`.
    fn find(&mut self, before: u8, bytes: &[u8], ends: bool) -> Found<'_>;
}

/// What is found at a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Nothing,
    /// More bytes must come to know; only where so few are there that one could be longer.
    Perhaps,
    /// So many bytes, for which this text is written.
    Text(usize, &'a [u8]),
}

/// Where in a line the input stands, and what is still to be written.
pub(crate) struct Lines<W> {
    place: Place,
    /// The last byte that was passed on; a newline before the first.
    before: u8,
    /// The number of the field that was seen last.
    field: u64,
    in_field: bool,
    outlet: Outlet<W>,
}

impl<E, W: FnMut(&[u8], &[u8]) -> Result<(), E>> Lines<W> {
    pub(crate) fn new(place: Place, write: W) -> Self {
        let outlet = Outlet::new(write);
        Self { place, before: b'\n', field: 0, in_field: false, outlet }
    }

    /// Writes `bytes`, with what is found in them replaced; gives the number of those that are dealt with. The
    /// others, which are the beginning of what may be found, are to be given again with more behind them, unless
    /// this is the end of the input.
    pub(crate) fn convert<S: Sought>(
        &mut self,
        bytes: &[u8],
        ends: bool,
        sought: &mut S,
    ) -> Result<usize, E> {
        let (mut written, mut at) = (0, 0);
        let end = loop {
            let Some(place) = self.next::<S>(bytes, at) else { break bytes.len() };
            match sought.find(self.byte_before(bytes, place), &bytes[place..], ends) {
                Found::Perhaps => break place,
                Found::Nothing => at = place + 1,
                Found::Text(length, text) => {
                    self.outlet.put(&bytes[written..place])?;
                    self.outlet.put(text)?;
                    at = place + length;
                    written = at;
                    self.pass(&bytes[place + 1..at]);
                }
            }
        };
        self.outlet.put(&bytes[written..end])?;
        self.outlet.flush()?;
        self.before = self.byte_before(bytes, end);
        Ok(end)
    }

    /// Another input follows, and begins a line: where the last one didn't end one, that is done for it.
    pub(crate) fn begin(&mut self) -> Result<(), E> {
        if self.before != b'\n' {
            self.before = b'\n';
            self.pass(b"\n");
            self.outlet.put(b"\n")?;
        }
        Ok(())
    }

    /// The place, from `at` on, where the next one may begin.
    #[inline]
    fn next<S: Sought>(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let before = self.byte_before(bytes, at);
        match self.place {
            Place::Start if before == b'\n' => Some(at),
            Place::Start => {
                let place = at + memchr::memchr(b'\n', rest)? + 1;
                (place < bytes.len()).then_some(place)
            }
            Place::Field(number) => {
                self.next_in_field::<S>(number, before, rest).map(|place| at + place)
            }
            Place::Anywhere => S::next(before, rest).map(|place| at + place),
        }
    }

    fn next_in_field<S: Sought>(
        &mut self,
        number: u64,
        mut before: u8,
        bytes: &[u8],
    ) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            self.step(*byte);
            if self.in_field && self.field == number && S::may_begin(before, *byte) {
                return Some(at);
            }
            before = *byte;
            // Nothing more in this line.
            at += if self.field > number {
                memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at).max(1)
            } else {
                1
            };
        }
        None
    }

    /// Goes over bytes of what was found.
    fn pass(&mut self, bytes: &[u8]) {
        if let Place::Field(_) = self.place {
            bytes.iter().for_each(|byte| self.step(*byte));
        }
    }

    /// Which field this byte is in. The first byte of a field may come again.
    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' => (self.field, self.in_field) = (0, false),
            b' ' | b'\t' => self.in_field = false,
            _ if self.in_field => {}
            _ => (self.field, self.in_field) = (self.field.saturating_add(1), true),
        }
    }

    fn byte_before(&self, bytes: &[u8], at: usize) -> u8 {
        at.checked_sub(1).map_or(self.before, |before| bytes[before])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::cut_at;
    use core::convert::Infallible;
    use proptest::prelude::*;

    /// What is looked for here: `#` and two digits, which become `<DIGITS>`.
    struct Marks(Vec<u8>);

    impl Sought for Marks {
        fn may_begin(_: u8, byte: u8) -> bool {
            byte == b'#'
        }

        fn find(&mut self, before: u8, bytes: &[u8], ends: bool) -> Found<'_> {
            if before == b'!' {
                return Found::Nothing;
            }
            match bytes {
                [b'#', a @ b'0'..=b'9', b @ b'0'..=b'9', ..] => {
                    self.0 = vec![b'<', *a, *b, b'>'];
                    Found::Text(3, &self.0)
                }
                [b'#'] | [b'#', b'0'..=b'9'] if !ends => Found::Perhaps,
                _ => Found::Nothing,
            }
        }
    }

    /// What is written of these reads.
    fn converted(place: Place, reads: &[&[u8]]) -> Vec<String> {
        let mut writes = Vec::new();
        let mut lines = Lines::new(place, |first: &[u8], second: &[u8]| {
            writes.push([first, second].concat().escape_ascii().to_string());
            Ok::<(), Infallible>(())
        });
        let (mut marks, mut kept) = (Marks(Vec::new()), Vec::new());
        for read in reads {
            kept.extend_from_slice(read);
            let Ok(done) = lines.convert(&kept, false, &mut marks);
            kept.drain(..done);
            assert!(kept.len() <= 2, "no more than what is unclear");
        }
        let Ok(done) = lines.convert(&kept, true, &mut marks);
        assert_eq!(done, kept.len());
        writes
    }

    #[test]
    fn at_the_start_of_lines() {
        for (text, expected) in [
            (&b"#12 x\n"[..], "<12> x\\n"),
            (b"#12", "<12>"),
            (b"#12\n\n#13\n", "<12>\\n\\n<13>\\n"),
            (b"#1234#56\n#78#78", "<12>34#56\\n<78>#78"),
            (b"#1\n#12", "#1\\n<12>"),
            (b"##12\n #12", "##12\\n #12"),
            (b"#\n#", "#\\n#"),
        ] {
            assert_eq!(converted(Place::Start, &[text]).concat(), expected);
        }
    }

    #[test]
    fn in_a_field_and_anywhere() {
        let text = b"#11 a#22#23! \t !#33\t#34\n\n  #44\n#5 #66";
        for (place, expected) in [
            (Place::Field(1), "<11> a#22#23! \\t !#33\\t#34\\n\\n  <44>\\n#5 #66"),
            (Place::Field(2), "#11 a<22><23>! \\t !#33\\t#34\\n\\n  #44\\n#5 <66>"),
            (Place::Field(3), "#11 a#22#23! \\t !#33\\t#34\\n\\n  #44\\n#5 #66"),
            (Place::Field(4), "#11 a#22#23! \\t !#33\\t<34>\\n\\n  #44\\n#5 #66"),
            (Place::Field(5), "#11 a#22#23! \\t !#33\\t#34\\n\\n  #44\\n#5 #66"),
            (Place::Anywhere, "<11> a<22><23>! \\t !#33\\t<34>\\n\\n  <44>\\n#5 <66>"),
        ] {
            assert_eq!(converted(place, &[text]).concat(), expected, "{place:?}");
        }
    }

    #[test]
    fn only_what_is_unclear_waits() {
        let reads = [&b"#1"[..], b"2", b" x", b"\n#", b"a", b"\n#1"];
        assert_eq!(converted(Place::Start, &reads), ["<12>", " x", "\\n", "#a", "\\n", "#1"]);
        let reads = [&b"x #1"[..], b"2", b" x#", b"1", b"1#"];
        assert_eq!(converted(Place::Anywhere, &reads), ["x ", "<12>", " x", "<11>", "#"]);
    }

    #[test]
    fn every_input_begins_a_line() {
        for (inputs, expected) in [
            ([&b"#12 a"[..], b"#13 b\n", b"#14"], "<12> a\n<13> b\n<14>"),
            ([b"", b"#13 b", b""], "<13> b\n"),
        ] {
            for place in [Place::Start, Place::Field(1)] {
                let mut written = Vec::new();
                let mut lines = Lines::new(place, |first: &[u8], second: &[u8]| {
                    written.extend([first, second].concat());
                    Ok::<(), Infallible>(())
                });
                for input in inputs {
                    let Ok(()) = lines.begin();
                    let Ok(_) = lines.convert(input, true, &mut Marks(Vec::new()));
                }
                assert_eq!(written.escape_ascii().to_string(), expected.replace('\n', "\\n"));
            }
        }
    }

    proptest! {
        #[test]
        fn the_pieces_in_which_it_comes_change_nothing(
            text in "(#[0-9]{0,3}|[ \t!]{0,2}|[a\n]){0,20}",
            cuts in prop::collection::vec(0_usize..60, 0..8),
            place in prop_oneof![
                Just(Place::Start), Just(Place::Anywhere), (1_u64..4).prop_map(Place::Field)
            ],
        ) {
            let reads = cut_at(text.as_bytes(), cuts);
            prop_assert_eq!(converted(place, &reads).concat(), converted(place, &[text.as_bytes()]).concat());
        }
    }
}
