//! The letters that steer a service through `supervise/control`: one byte each, any number at once.
//!
//! Those of 0.76, those that daemontools-encore added, and one of ours. supervise passes over all
//! others in silence, so newer programs can talk to older ones.

use sys::signal::Signal;

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
    /// The following signals are for its whole process group (encore).
    Group,
    /// The following signals are for the process alone, as at first (encore).
    Alone,
    /// The following letters are for the `log` that supervise itself runs (encore).
    Log,
    /// The following letters are for the service, as at first (encore).
    Service,
    /// Go on as the program that is installed now.
    Upgrade,
}

impl Command {
    /// Each letter of svc 0.76 in the order of its usage line, then encore's, then ours.
    pub const LETTERS: [(u8, Self); 20] = [
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
        (b'q', Self::Send(Signal::QUIT)),
        (b'1', Self::Send(Signal::USR1)),
        (b'2', Self::Send(Signal::USR2)),
        (b'w', Self::Send(Signal::WINCH)),
        (b'+', Self::Group),
        (b'=', Self::Alone),
        (b'L', Self::Log),
        (b'l', Self::Service),
        (b'E', Self::Upgrade),
    ];

    /// The command that `letter` stands for, if any.
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
        assert_eq!(known, b"+12=ELacdhiklopqtuwx");
        assert_eq!(Command::from_letter(b'k'), Some(Command::Send(Signal::KILL)));
    }
}
