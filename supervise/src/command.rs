//! The letters that steer a service through `supervise/control`: one byte each, any number at once.

use sys::signal::Signal;

/// The name of the FIFO, in a service directory.
pub const PATH: &core::ffi::CStr = c"supervise/control";

/// What can be asked of a supervise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Start the service if it is down, and start it again whenever it ends.
    Up,
    /// End the service (TERM, then CONT), and don't start it again.
    Down,
    /// Start the service if it is down, and don't start it again.
    Once,
    /// End supervise as soon as the service is down.
    Exit,
    /// Stop the service with STOP.
    Pause,
    /// Let it go on with CONT.
    Continue,
    /// Just send it a signal.
    Send(Signal),
}

impl Command {
    /// Each letter of svc 0.76, in the order of its usage line, with its command.
    pub const LETTERS: [(u8, Self); 11] = [
        (b'u', Self::Up),
        (b'd', Self::Down),
        (b'o', Self::Once),
        (b'x', Self::Exit),
        (b'p', Self::Pause),
        (b'c', Self::Continue),
        (b'h', Self::Send(Signal::HUP)),
        (b'a', Self::Send(Signal::ALARM)),
        (b'i', Self::Send(Signal::INT)),
        (b't', Self::Send(Signal::TERM)),
        (b'k', Self::Send(Signal::KILL)),
    ];

    /// The command that `letter` stands for, if any; supervise passes over other bytes in silence.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, command)| *command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_known_letter_or_nothing() {
        let known: Vec<u8> = (0..=255).filter(|b| Command::from_letter(*b).is_some()).collect();
        assert_eq!(known, b"acdhikoptux");
        assert_eq!(Command::from_letter(b'k'), Some(Command::Send(Signal::KILL)));
    }
}
