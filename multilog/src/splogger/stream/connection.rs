//! A connection that there is: a socket, or, by TLS, two pipes to tcpclient's relay.

use sys::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use sys::net::{Shutdown, shutdown, sockopt};
use sys::outgoing::unacknowledged;
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// The kernel holds about so much of what the peer hasn't acknowledged. (It doubles what it is asked for.)
const SEND_BUFFER: usize = 64 * 1024;

/// By TLS, what was written last is never known to be there: the pipe, the relay and the kernel hold it.
const WINDOW: u64 = 256 * 1024;

/// A peer that acknowledges nothing for so long is gone, in milliseconds.
const SILENCE: u32 = 60_000;

pub(super) struct Connection {
    input: OwnedFd,
    output: OwnedFd,
    /// As long as it is open, the program that tcpclient has run stays, and with it TLS's relay.
    _control: OwnedFd,
    is_tls: bool,
    closing: bool,
}

impl Connection {
    /// `control` keeps the program that has handed over `ends`, which were [`set`].
    pub(super) fn new(ends: [OwnedFd; 2], control: OwnedFd, is_tls: bool) -> Self {
        let [input, output] = ends;
        Self { input, output, _control: control, is_tls, closing: false }
    }

    /// Writes some of it.
    ///
    /// # Errors
    /// `EAGAIN`: later. All else: the connection is broken.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match sys::io::write(&self.output, bytes) {
                Err(Errno::INTR) => {}
                outcome => return outcome,
            }
        }
    }

    /// How many of the bytes that were written last may not have arrived.
    pub(super) fn unconfirmed(&self) -> Result<u64, Errno> {
        if self.is_tls { Ok(WINDOW) } else { unacknowledged(&self.output) }
    }

    /// Whether the other side has ended. Nobody has anything to say here, but it may be said.
    pub(super) fn has_ended(&self) -> Result<bool, Errno> {
        match sys::io::read(&self.input, &mut [0; 512]) {
            Ok(count) => Ok(count == 0),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Tells the other side that nothing more comes.
    pub(super) fn close(&mut self) {
        if self.closing {
            return;
        }
        self.closing = true;
        if shutdown(&self.output, Shutdown::Write).is_err()
            && let Ok(nothing) = open(c"/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        {
            // A pipe, which ends with its last descriptor.
            self.output = nothing;
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

/// Sets what is read from, and what is written to, as we need them.
pub(super) fn set(ends: &[OwnedFd; 2], is_tls: bool) -> Result<(), Errno> {
    for fd in ends {
        let flags = fcntl_getfl(fd)?;
        fcntl_setfl(fd, flags | OFlags::NONBLOCK)?;
    }
    if !is_tls {
        let [_, output] = ends;
        // Without them a peer that is gone is noticed later.
        let _ = sockopt::set_socket_send_buffer_size(output, SEND_BUFFER);
        let _ = sockopt::set_tcp_user_timeout(output, SILENCE);
        let _ = sockopt::set_socket_keepalive(output, true);
    }
    Ok(())
}
