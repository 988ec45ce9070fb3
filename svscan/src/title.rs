//! readproctitle: shows the last of what it reads in its own command line, for ps(1).
//!
//! Whoever may run ps may read it, and `pkill -f` matches it.

use alloc::vec;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::title::Title;
use sys::{Args, Env};

const NAME: Name = Name("readproctitle");

/// The last argument must have room for this many bytes.
const SMALLEST: usize = 5;

/// Before what is shown, dots stand for what isn't.
const MARK: usize = 3;

/// `readproctitle [ word ... ] room`: reads standard input to its end.
///
/// # Errors
/// Exit code 100 if the last argument is missing or shorter than 5 bytes, 111 if standard input can't be read.
pub fn run(args: Args, _: Env) -> Result<Exit, Failure> {
    let title = Title::of_last(args).filter(|title| title.len() >= SMALLEST);
    let Some(mut title) = title else {
        return Err(NAME.usage("[ word ... ] room, where room is an argument of 5 or more bytes"));
    };
    let mut shown = Shown::new(title.len());
    let unreadable =
        |errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to read standard input"], errno);
    let stdin = sys::borrow(0).ok_or(sys::Errno::BADF).map_err(unreadable)?;
    let mut buffer = [0; 1024];
    loop {
        title.show(shown.text());
        match sys::read(stdin, &mut buffer).map_err(unreadable)? {
            0 => return Ok(Exit::OK),
            count => shown.add(&buffer[..count]),
        }
    }
}

/// What is shown: three dots, and the last bytes of the input, always as long as the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    text: Vec<u8>,
}

impl Shown {
    /// All dots. `room` is at least 3.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { text: vec![b'.'; room.max(MARK)] }
    }

    /// The text to be shown.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Moves up for these bytes. A NUL would end the argument, and is left out; all else is shown as it comes.
    pub fn add(&mut self, bytes: &[u8]) {
        let room = self.text.len() - MARK;
        let shown = bytes.iter().copied().filter(|byte| *byte != 0);
        let count = shown.clone().count();
        let moved = count.min(room);
        let line = &mut self.text[MARK..];
        line.rotate_left(moved);
        for (place, byte) in line[room - moved..].iter_mut().zip(shown.skip(count - moved)) {
            *place = byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What Debian's readproctitle shows in eight bytes.
    #[test]
    fn as_the_original() {
        let shown: [(&[u8], &[u8]); 7] = [
            (b"", b"........"),
            (b"a\0b", b"......ab"),
            (b"\0", b"........"),
            (b"x\n\n\ny\n", b"...\n\n\ny\n"),
            (b"abcdefgh\n", b"...efgh\n"),
            (b"a% \x01\n", b"...a% \x01\n"),
            (b"abcdefghijklm", b"...ijklm"),
        ];
        for (input, expected) in shown {
            let mut shown = Shown::new(8);
            shown.add(input);
            assert_eq!(shown.text(), expected);
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            room in 5usize..20,
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..10),
        ) {
            let mut apart = Shown::new(room);
            pieces.iter().for_each(|piece| apart.add(piece));
            let mut whole = Shown::new(room);
            whole.add(&pieces.concat());
            prop_assert_eq!(apart.text().len(), room);
            prop_assert_eq!(apart, whole);
        }
    }
}
