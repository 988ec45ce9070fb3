//! How long a client may do nothing, and how long all that it wants may take.

use super::Gone;
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::{BorrowedFd, Errno};

/// What time a client has.
#[derive(Clone, Copy)]
pub(super) struct Time {
    /// For the next thing to happen.
    pub(super) patience: Duration,
    /// When all is over, on the monotonic clock.
    pub(super) end: Option<Duration>,
}

impl Time {
    /// The same, and no longer than until `deadline`.
    pub(super) fn by(self, deadline: Duration) -> Self {
        Self { end: Some(self.end.map_or(deadline, |end| end.min(deadline))), ..self }
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) fn wait(self, fd: BorrowedFd<'_>, event: PollFlags) -> Result<(), Gone> {
        loop {
            let left = self.end.map(|end| end.saturating_sub(sys::clock::monotonic()));
            // Who never stops talking has no more time than who says nothing; a last word to it, which
            // comes after its time, still goes out where that takes none.
            if event == PollFlags::IN && left == Some(Duration::ZERO) {
                return Err(Gone::Idle);
            }
            let limit = left.map_or(self.patience, |left| left.min(self.patience));
            match poll(&mut [PollFd::from_borrowed_fd(fd, event)], Some(limit), None) {
                Ok(0) => return Err(Gone::Idle),
                // An error of the descriptor shows in the call that follows.
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Gone::Failed(errno)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fd;
    use super::super::{Client, Wire};
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn time_is_bounded_in_total() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let hour = Duration::from_secs(3600);
        let soon = sys::clock::monotonic() + Duration::from_millis(50);
        let mut client = Client::new(fd(&far), fd(&far), hour).until(soon, hour);
        // It always has something to say.
        near.set_nonblocking(true).unwrap();
        let gone = loop {
            let _ = near.write(&[b'x'; 1000]);
            if let Err(gone) = client.read_up_to_line_end(&mut [0; 9]) {
                break gone;
            }
        };
        assert_eq!(gone, Gone::Idle);
        assert!(sys::clock::monotonic() >= soon);
        assert_eq!(client.send(b"bye"), Ok(()));
        // And where it has nothing to say, that doesn't take an hour.
        let (_near, far) = UnixStream::pair().unwrap();
        let soon = sys::clock::monotonic() + Duration::from_millis(20);
        let mut client = Client::new(fd(&far), fd(&far), hour).until(soon, hour);
        assert_eq!(client.read_up_to_line_end(&mut [0; 9]), Err(Gone::Idle));
    }

    #[test]
    fn what_has_to_come_by_a_time() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut client = Client::new(fd(&far), fd(&far), Duration::from_secs(3600));
        near.write_all(b"x").unwrap();
        let soon = sys::clock::monotonic() + Duration::from_millis(50);
        let mut read = || client.read_by(soon, &mut [0; 9]);
        assert!(matches!(read(), Ok(1) | Err(Gone::Idle)));
        assert_eq!(read(), Err(Gone::Idle));
    }
}
