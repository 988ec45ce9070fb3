//! tai64n: puts a TAI64N label before each line.

pub(crate) mod outlet;
mod stamps;

use alloc::vec;
use common::{Exit, Failure};
use core::time::Duration;
use outlet::Outlet;
use stamps::Stamps;
use sys::clock::realtime;
use sys::{Args, Env, Errno};

/// As much as a pipe holds: a program that writes fast is read at the cost of one call for many lines.
const INPUT: usize = 64 * 1024;

/// `tai64n`: copies standard input to standard output and puts before each line the moment at which its
/// first byte was read, and a blank; lines of one read are a nanosecond apart. What has arrived is passed on before more is read, be it whole
/// lines or not; a last line without newline gets none. Arguments mean nothing.
///
/// # Errors
/// Trouble with reading or writing: 111, without a word, as with the original.
pub fn run(_: Args, _: Env) -> Result<Exit, Failure> {
    copy().map_err(|_| Failure::silent(Exit::TEMPORARY.0))
}

fn copy() -> Result<Exit, Errno> {
    let stdin = sys::borrow(0).ok_or(Errno::BADF)?;
    let mut input = vec![0; INPUT];
    let mut stamper = Stamper::new(outlet::to_stdout());
    loop {
        let count = sys::read(stdin, &mut input)?;
        if count == 0 {
            return Ok(Exit::OK);
        }
        stamper.stamp(&input[..count], realtime())?;
    }
}

/// Where in a line the input stands, and what is still to be written.
struct Stamper<W> {
    within_line: bool,
    stamps: Stamps,
    outlet: Outlet<W>,
}

impl<E, W: FnMut(&[u8], &[u8]) -> Result<(), E>> Stamper<W> {
    fn new(write: W) -> Self {
        Self { within_line: false, stamps: Stamps::new(), outlet: Outlet::new(write) }
    }

    /// Writes all of `input`, read at `now` (since 1970), with a label before each line that begins in it.
    fn stamp(&mut self, input: &[u8], now: Duration) -> Result<(), E> {
        self.stamps.now_is(now);
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', input) {
            self.put(&input[start..=newline])?;
            self.within_line = false;
            start = newline + 1;
        }
        if start < input.len() {
            self.put(&input[start..])?;
            self.within_line = true;
        }
        self.outlet.flush()
    }

    /// Puts a piece of a line, or a whole one.
    #[inline]
    fn put(&mut self, piece: &[u8]) -> Result<(), E> {
        if !self.within_line {
            self.outlet.put(self.stamps.take())?;
        }
        self.outlet.put(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use proptest::prelude::*;

    /// What is written of these reads, each of which arrives a second after the last.
    fn stamped(reads: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut writes = Vec::new();
        let mut stamper = Stamper::new(|first: &[u8], second: &[u8]| {
            writes.push([first, second].concat());
            Ok::<(), Infallible>(())
        });
        for (second, read) in (0..).zip(reads) {
            let Ok(()) = stamper.stamp(read, Duration::from_secs(second));
        }
        writes
    }

    fn texts(writes: &[Vec<u8>]) -> Vec<&str> {
        writes.iter().map(|text| str::from_utf8(text).expect("ASCII")).collect()
    }

    #[test]
    fn a_line_has_the_time_of_its_first_byte_and_is_passed_on_as_it_comes() {
        let expected = [
            "@400000000000000a00000000 a",
            "bc",
            "\n@400000000000000c00000000 d\n",
            "@400000000000000d00000000 \n@400000000000000d00000001 \0",
        ];
        assert_eq!(texts(&stamped(&[b"a", b"bc", b"\nd\n", b"\n\0"])), expected);
    }

    #[test]
    fn the_output_is_bounded_however_many_lines_there_are() {
        let writes = stamped(&[&[b'\n'; INPUT]]);
        assert!(writes.len() > 1 && writes.iter().all(|text| text.len() <= outlet::SIZE));
        assert_eq!(writes.iter().map(Vec::len).sum::<usize>(), INPUT * 27);
    }

    #[test]
    fn a_long_line_goes_through_whole() {
        let writes = stamped(&[&[b'x'; INPUT], &[b'y'; INPUT], b"\n"]);
        assert_eq!(writes.iter().map(Vec::len).sum::<usize>(), 26 + 2 * INPUT + 1);
    }

    proptest! {
        #[test]
        fn without_the_labels_it_is_what_came_in(
            reads in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..20),
                0..8,
            )
        ) {
            let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
            let (input, output) = (reads.concat(), stamped(&reads).concat());
            let bare: Vec<&[u8]> =
                output.split_inclusive(|byte| *byte == b'\n').map(|line| &line[26..]).collect();
            prop_assert_eq!(bare.concat(), input);
        }
    }
}
