//! recordio: records the input and output of a program.

use crate::between::{self, Passage};
use alloc::vec::Vec;
use common::{Exit, Failure, Name, decimal};
use sys::{Args, BorrowedFd, Env};

/// `recordio PROGRAM ARGUMENTS`: becomes the program, and lets a child copy its input and output and
/// record them on standard error, each packet as it comes, split into lines: the program's process id, `<`
/// for input or `>` for output, the text, and a blank where a newline was or `+` where none was. `[EOF]`
/// tells the end.
///
/// # Errors
/// Wrong usage: 100. No pipe or process to be had, a program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    between::run(Name("recordio"), args, env, |id| {
        (Record::new(id, b" < "), Record::new(id, b" > "))
    })
}

/// Passes all on as it is, and writes it down.
struct Record {
    /// How each line of the record begins.
    prefix: Vec<u8>,
    stderr: Option<BorrowedFd<'static>>,
}

impl Record {
    fn new(id: u64, arrow: &[u8]) -> Self {
        Self { prefix: [decimal(id).as_bytes(), arrow].concat(), stderr: sys::borrow(2) }
    }

    /// The lines of the record for a packet. Even for one of newlines only, they are fewer than the 4096
    /// bytes that a pipe takes as a whole, so that lines of several programs never mix.
    fn lines(&self, packet: &[u8]) -> Vec<u8> {
        let mut lines = Vec::with_capacity(4096);
        for line in packet.split_inclusive(|byte| *byte == b'\n') {
            let (text, end): (_, &[u8]) =
                line.strip_suffix(b"\n").map_or((line, b"+\n"), |text| (text, b" \n"));
            for part in [&self.prefix, text, end] {
                lines.extend_from_slice(part);
            }
        }
        lines
    }

    /// Where nothing can be recorded, the program must not suffer.
    fn write(&self, lines: &[u8]) {
        if let Some(stderr) = self.stderr {
            let _ = sys::write_all(stderr, lines);
        }
    }
}

impl Passage for Record {
    /// The original's, which shows where long lines are split.
    const READ: usize = 256;

    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.write(&self.lines(input));
        output.extend_from_slice(input);
    }

    fn end(&mut self) {
        self.write(&[&self.prefix, &b"[EOF]\n"[..]].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_tell_whether_they_are_whole() {
        let record = Record::new(17, b" < ");
        for (packet, expected) in [
            (&b"hello\nwor"[..], &b"17 < hello \n17 < wor+\n"[..]),
            (b"\n\n", b"17 <  \n17 <  \n"),
            (b"a\r\n", b"17 < a\r \n"),
            (b"\0\xff", b"17 < \0\xff+\n"),
        ] {
            assert_eq!(record.lines(packet), expected);
        }
    }

    #[test]
    fn a_packet_is_recorded_in_one_piece() {
        // The largest process id that Linux gives.
        let record = Record::new(1 << 22, b" > ");
        assert!(record.lines(&[b'\n'; Record::READ]).len() <= 4096);
    }

    proptest! {
        #[test]
        fn the_packet_can_be_read_from_the_record(
            packet in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..256)
        ) {
            let mut read = Vec::new();
            for line in Record::new(17, b" > ").lines(&packet).split_inclusive(|byte| *byte == b'\n') {
                let line = line.strip_prefix(b"17 > ").expect("the prefix");
                match line.strip_suffix(b"+\n") {
                    Some(text) => read.extend_from_slice(text),
                    None => {
                        read.extend_from_slice(line.strip_suffix(b" \n").expect("a blank"));
                        read.push(b'\n');
                    }
                }
            }
            prop_assert_eq!(read, packet);
        }
    }
}
