//! A password from the terminal, twice and unseen, or from standard input.

use super::NAME;
use crate::request::printable;
use common::{Exit, Failure};
use sys::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr,
};
use sys::{BorrowedFd, Errno};
use zeroize::Zeroizing;

/// The longest password, in bytes: with a name and a timestamp it must fit into the 512 of the interface.
const MAX: usize = 200;

/// What Ctrl-C, Ctrl-\ and Ctrl-Z send.
const INTERRUPTS: [u8; 3] = [0x03, 0x1c, 0x1a];

/// The new password of `user`.
///
/// # Errors
/// Exit code 100: none, too long, or not the same twice; 111: it can't be read.
pub(super) fn password(user: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable =
        |errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to read the password"], errno);
    let stdin = sys::borrow(0).ok_or_else(|| unreadable(Errno::BADF))?;
    let password = if isatty(stdin) {
        let hidden = Hidden::new(stdin).map_err(unreadable)?;
        let first = hidden.ask(&[b"Password for ", &printable(user), b": "])?;
        if *hidden.ask(&[b"Again: "])? != *first {
            return Err(refused(b"not the same twice"));
        }
        first
    } else {
        line(stdin).map_err(unreadable)?
    };
    if password.is_empty() {
        return Err(refused(b"there is none"));
    }
    if password.len() > MAX {
        return Err(refused(b"too long"));
    }
    if password.contains(&0) {
        return Err(refused(b"no login can have a NUL in it"));
    }
    Ok(password)
}

fn refused(why: &[u8]) -> Failure {
    NAME.fatal(Exit::USAGE.0, &[b"unable to take that password: ", why])
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Hidden<'a> {
    /// Signals from the keyboard are off too: one of them would leave the terminal as it is now. Ctrl-C ends the line.
    fn new(terminal: BorrowedFd<'a>) -> Result<Self, Errno> {
        let before = tcgetattr(terminal)?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG);
        now.special_codes[SpecialCodeIndex::VEOL] = INTERRUPTS[0];
        tcsetattr(terminal, OptionalActions::Flush, &now)?;
        Ok(Self { terminal, before })
    }

    fn ask(&self, question: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let say =
            |text: &[u8]| sys::borrow(2).map_or(Ok(()), |stderr| sys::write_all(stderr, text));
        let _ = say(&question.concat());
        let answer = line(self.terminal);
        let _ = say(b"\n");
        let answer = answer.map_err(|errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to read the password"], errno)
        })?;
        if answer.iter().any(|byte| INTERRUPTS.contains(byte)) {
            return Err(Failure::silent(Exit::USAGE.0));
        }
        Ok(answer)
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// What comes until a newline or the end, without it; no more than one byte beyond [`MAX`].
fn line(from: BorrowedFd<'_>) -> Result<Zeroizing<Vec<u8>>, Errno> {
    let mut buffer = Zeroizing::new(vec![0; MAX + 1]);
    let mut length = 0;
    while length < buffer.len() {
        // Byte by byte: what follows the line belongs to somebody else.
        if sys::read(from, &mut buffer[length..=length])? == 0 || buffer[length] == b'\n' {
            break;
        }
        length += 1;
        if INTERRUPTS[0] == buffer[length - 1] {
            break;
        }
    }
    buffer.truncate(length);
    Ok(buffer)
}
