//! Refusing: the line in the log, and the conversation with the client.

use super::NAME;
use super::conversation::Conversation;
use super::judgement::{Refusal, harmless};
use alloc::vec::Vec;
use common::decimal;
use core::time::Duration;
use sys::clock::monotonic;
use sys::poll::{PollFd, PollFlags, poll};
use sys::signal::{Signal, ignore};
use sys::{BorrowedFd, Errno};

/// So much is read at once. The longest answers to it are 26 kB.
const READ: usize = 128;

/// What is writable takes so much without waiting.
const WRITE: usize = 4096;

/// A client address is shorter.
const LONGEST_CLIENT: usize = 100;

impl Refusal {
    /// Says who is refused, and why: `rblsmtpd: CLIENT pid PID: CODE TEXT`.
    pub(super) fn log(&self, client: &[u8]) {
        let client: Vec<u8> = client.iter().take(LONGEST_CLIENT).copied().map(harmless).collect();
        let id = sys::process::getpid().as_raw_nonzero().get();
        let id = decimal(id.unsigned_abs().into());
        NAME.info(&[&client, b" pid ", id.as_bytes(), b": ", &self.reply]);
    }

    /// Talks to the client, which is at standard input and output, until it leaves or is gone, or the
    /// time is over. With no time at all, it hears nothing but the refusal, in place of a greeting.
    pub(super) fn converse(&self, timeout: Duration) {
        // Who doesn't listen any more shows as EPIPE.
        ignore(Signal::PIPE);
        let deadline = monotonic() + timeout;
        if timeout.is_zero() {
            let line = [self.reply.as_slice(), b"\r\n"].concat();
            // There is no time to wait, but a connection that is new takes so much.
            if let Some(stdout) = sys::borrow(1) {
                let _ = sys::io::write(stdout, &line);
            }
            return;
        }
        // Whatever goes wrong, it is the end of the conversation, and not our affair.
        let _ = self.talk(deadline);
    }

    fn talk(&self, deadline: Duration) -> Result<(), Errno> {
        let (stdin, stdout) = (sys::borrow(0), sys::borrow(1).ok_or(Errno::BADF)?);
        // One buffer for all: memory isn't given back here.
        let mut output = Vec::with_capacity(WRITE);
        let mut input = [0; READ];
        let mut conversation = Conversation::begin(&self.reply, &mut output);
        loop {
            write(stdout, &output, deadline)?;
            output.clear();
            if conversation.is_over() {
                return Ok(());
            }
            let stdin = stdin.ok_or(Errno::BADF)?;
            wait(stdin, PollFlags::IN, deadline)?;
            let length = match sys::read(stdin, &mut input) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(Errno::AGAIN) => continue,
                Err(errno) => return Err(errno),
            };
            conversation.hear(&input[..length], &mut output);
        }
    }
}

fn write(fd: BorrowedFd<'_>, mut bytes: &[u8], deadline: Duration) -> Result<(), Errno> {
    while !bytes.is_empty() {
        wait(fd, PollFlags::OUT, deadline)?;
        match sys::io::write(fd, &bytes[..bytes.len().min(WRITE)]) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Waits until the descriptor is ready.
fn wait(fd: BorrowedFd<'_>, flags: PollFlags, deadline: Duration) -> Result<(), Errno> {
    loop {
        let left = deadline.saturating_sub(monotonic());
        if left.is_zero() {
            return Err(Errno::TIMEDOUT);
        }
        let mut fds = [PollFd::from_borrowed_fd(fd, flags)];
        match poll(&mut fds, Some(left), None) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}
