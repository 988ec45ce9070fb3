//! UCSPI-TLS, the control channel: what the program asks, and what it is answered.

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::read;
use std::os::fd::{AsRawFd, OwnedFd};

/// What a program has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// TLS.
    Start,
    /// TLS, and to be told about it.
    StartAndTell,
    /// Nothing, and it never will: everybody who could has closed the channel, or has said what
    /// nobody who knows the interface says.
    Never,
}

/// What this byte asks for.
fn meaning(byte: u8) -> Asked {
    match byte {
        b'y' => Asked::Start,
        b'Y' => Asked::StartAndTell,
        _ => Asked::Never,
    }
}

/// Waits until the program asks, as long as that takes.
pub(crate) fn wait(control: &OwnedFd) -> Asked {
    let mut byte = [0];
    loop {
        match read(control, &mut byte) {
            Ok(1..) => return meaning(byte[0]),
            Err(Errno::EINTR) => {}
            Ok(0) | Err(_) => return Asked::Never,
        }
    }
}

/// Answers at once, or not at all: a program that doesn't read must not keep the peer waiting. So
/// much always fits into a channel that nothing was sent on so far.
pub(crate) fn answer(control: &OwnedFd, mut message: &[u8]) -> Result<(), Errno> {
    while !message.is_empty() {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match send(control.as_raw_fd(), message, flags) {
            Ok(count) => message = &message[count..],
            Err(Errno::EINTR) => {}
            // It doesn't want to know any more.
            Err(Errno::EPIPE | Errno::ECONNRESET) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    #[test]
    fn each_byte_means_one_thing() {
        for byte in 0..=255 {
            let expected = match byte {
                b'y' => Asked::Start,
                b'Y' => Asked::StartAndTell,
                _ => Asked::Never,
            };
            let (mut program, relay) = UnixStream::pair().unwrap();
            program.write_all(&[byte, b'y']).unwrap();
            assert_eq!(wait(&relay.into()), expected, "{byte}");
        }
    }

    #[test]
    fn a_program_that_is_gone_asks_for_nothing_and_misses_no_answer() {
        let (program, relay) = UnixStream::pair().unwrap();
        drop(program);
        let relay = relay.into();
        assert_eq!(wait(&relay), Asked::Never);
        assert_eq!(answer(&relay, b"\0\0"), Ok(()));
    }

    #[test]
    fn nobody_waits_for_a_program_that_does_not_read() {
        let (_program, relay) = UnixStream::pair().unwrap();
        assert_eq!(answer(&relay.into(), &vec![b'x'; 10_000_000]), Err(Errno::EAGAIN));
    }
}
