//! Sending: all of it arrives, or the client is gone.

use super::{Client, Gone, gone};
use sys::Errno;
use sys::io::retry_on_intr;
use sys::net::{SendFlags, send};
use sys::poll::PollFlags;

/// What a pipe surely takes without blocking, once it takes anything at all (PIPE_BUF).
const PIPE_ROOM: usize = 4096;

/// Where replies go.
pub trait Wire {
    /// Sends all of it.
    ///
    /// # Errors
    /// The client is gone.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Gone>;
}

impl Wire for Client<'_> {
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Gone> {
        // Never a call that blocks: a client that takes nothing must not hold us for ever.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        // Who takes a byte now and then doesn't hold us for ever, either: all of this is to be taken in
        // the time in which something has to happen.
        let mut deadline = None;
        let patience = self.time.patience;
        let mut by = move || *deadline.get_or_insert_with(|| sys::clock::monotonic() + patience);
        while !bytes.is_empty() {
            let sent = if self.output_is_socket {
                retry_on_intr(|| send(self.output, bytes, flags))
            } else {
                self.time.by(by()).wait(self.output, PollFlags::OUT)?;
                retry_on_intr(|| sys::io::write(self.output, &bytes[..bytes.len().min(PIPE_ROOM)]))
            };
            match sent {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::AGAIN) => self.time.by(by()).wait(self.output, PollFlags::OUT)?,
                Err(Errno::NOTSOCK) if self.output_is_socket => self.output_is_socket = false,
                Err(errno) => return Err(gone(errno)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::PATIENCE;
    use super::super::tests::fd;
    use super::*;
    use core::time::Duration;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn a_client_that_never_reads_is_let_go() {
        let (_near, far) = UnixStream::pair().unwrap();
        let (_reader, writer) = std::io::pipe().unwrap();
        for output in [fd(&far), fd(&writer)] {
            let mut client = Client::new(output, output, Duration::from_millis(20));
            assert_eq!(client.send(&vec![b'x'; 10_000_000]), Err(Gone::Idle));
        }
    }

    #[test]
    fn a_client_that_takes_a_little_now_and_then_is_let_go() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let sender = std::thread::spawn(move || {
            let mut client = Client::new(fd(&far), fd(&far), Duration::from_millis(200));
            client.send(&vec![b'x'; 1 << 30])
        });
        // It always takes something before the time is over; it would go on so for hours.
        while !sender.is_finished() {
            let _ = near.read_exact(&mut [0; 1000]);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(sender.join().unwrap(), Err(Gone::Idle));
    }

    #[test]
    fn all_of_it_arrives_however_slowly_it_is_taken() {
        let text: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let (mut near, far) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let taken = std::thread::spawn(move || {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            near.read_to_end(&mut one).unwrap();
            reader.read_to_end(&mut two).unwrap();
            (one, two)
        });
        Client::new(fd(&far), fd(&far), PATIENCE).send(&text).unwrap();
        drop(far);
        Client::new(fd(&writer), fd(&writer), PATIENCE).send(&text).unwrap();
        drop(writer);
        let (one, two) = taken.join().unwrap();
        assert!(one == text && two == text);
    }
}
