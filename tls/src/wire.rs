//! One TLS connection on one socket, which is never waited for here. Others may have the socket, too,
//! and use it as it is: it is each call that doesn't wait, not the socket.

use super::described;
use super::exports::Exports;
use super::intake::{Intake, LARGE, SMALL};
use super::opening::Opening;
use super::reason;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, recv, sendmsg, setsockopt, shutdown, sockopt};
use rustls::{Connection, ProtocolVersion};
use std::io::{self, BufRead, IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// At most so many bytes of TLS records wait for the socket: as many as one read of the program's
/// output makes.
const WAITING: usize = LARGE + 2 * 1024;

/// A connection: bytes of the program's on one side, TLS records on the other.
pub(super) struct Wire {
    socket: OwnedFd,
    tls: Connection,
    opening: Opening,
    intake: Intake,
    plain: Plain,
    /// The records there are can wait for others.
    held: bool,
}

/// What reading from the socket brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// Bytes; there may be plaintext now, or something to send.
    Some,
    /// Nothing yet.
    Nothing,
    /// The peer's close_notify: it sends no more.
    Goodbye,
    /// The end of the connection, without one.
    End,
}

/// What went wrong on the wire.
#[derive(Debug)]
pub(super) enum WireError {
    /// The connection.
    System(Errno),
    /// The protocol. The alert that says so to the peer is queued.
    Protocol(rustls::Error),
}

impl Wire {
    pub(super) fn new(socket: OwnedFd, mut tls: Connection) -> Self {
        // Records are put together here, whole; holding back the last segment of one until the
        // peer has acknowledged the others would only delay it. Not all sockets are TCP's.
        let _ = setsockopt(&socket, sockopt::TcpNoDelay, &true);
        // A peer that is gone without a word would stay for ever where nobody talks: the program, which
        // has pipes, can't ask for this.
        let _ = setsockopt(&socket, sockopt::KeepAlive, &true);
        match &mut tls {
            Connection::Server(tls) => tls.set_buffer_limit(Some(WAITING)),
            Connection::Client(tls) => tls.set_buffer_limit(Some(WAITING)),
        }
        Self {
            socket,
            tls,
            opening: Opening::default(),
            intake: Intake::holding(b""),
            plain: Plain::default(),
            held: false,
        }
    }

    /// The descriptor to wait for.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether there are records to send now.
    pub(super) fn has_records(&self) -> bool {
        self.tls.wants_write() && !self.held
    }

    /// Once the handshake is complete, and if nothing is left of it but a ticket, as with TLS 1.3: keeps
    /// that until there is something else to send. Nobody waits for it, and it costs a segment and the
    /// peer's attention.
    pub(super) fn hold_ticket(&mut self) {
        let is_server = matches!(self.tls, Connection::Server(_));
        self.held = is_server && self.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    }

    /// Whether there are decrypted bytes.
    pub(super) fn has_plain(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Whether the peer has sent anything yet.
    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Whether the peer sends so much that it is read in large pieces.
    pub(super) fn is_busy(&self) -> bool {
        self.intake.is_large()
    }

    /// Reads from the socket once, and decrypts what is complete. Only when nothing decrypted is
    /// left.
    pub(super) fn receive(&mut self) -> Result<Received, WireError> {
        match self.intake.fill(|buffer| receive(&self.socket, buffer)) {
            Ok(0) => return Ok(Received::End),
            Ok(_) => self.opening.note(self.intake.bytes()),
            Err(Errno::EAGAIN) => return Ok(Received::Nothing),
            Err(error) => return Err(WireError::System(error)),
        }
        // There may be an answer to it.
        self.held = false;
        self.plain.begin();
        while !self.intake.is_empty() {
            let taken = self.tls.read_tls(&mut self.intake.bytes());
            self.intake.consume(taken.map_err(|error| WireError::System(errno(&error)))?);
            let state = self.tls.process_new_packets();
            // What was good before something bad is good.
            while let Ok(bytes @ [_, ..]) = self.tls.reader().into_first_chunk() {
                let count = bytes.len();
                self.plain.add(bytes);
                self.tls.reader().consume(count);
            }
            let state = state.map_err(WireError::Protocol)?;
            // What comes after it isn't looked at.
            if state.peer_has_closed() {
                self.intake.clear();
                return Ok(Received::Goodbye);
            }
        }
        Ok(Received::Some)
    }

    /// How the connection stands after all that was received: [`Received::Some`] if the peer may go on,
    /// [`Received::Goodbye`] if it said that it won't.
    pub(super) fn standing(&mut self) -> Result<Received, WireError> {
        // With nothing new to process, this tells what it told last.
        match self.tls.process_new_packets() {
            Ok(state) if state.peer_has_closed() => Ok(Received::Goodbye),
            Ok(_) => Ok(Received::Some),
            Err(error) => Err(WireError::Protocol(error)),
        }
    }

    /// Sends records until none is left, or the socket takes no more.
    pub(super) fn send(&mut self) -> Result<(), Errno> {
        while self.has_records() {
            match self.tls.write_tls(&mut Sink { socket: self.socket.as_fd() }) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(errno(&error)),
            }
        }
        Ok(())
    }

    /// The decrypted bytes.
    pub(super) fn plain(&self) -> &[u8] {
        self.plain.bytes()
    }

    /// The first `count` decrypted bytes were delivered.
    pub(super) fn consume(&mut self, count: usize) {
        self.plain.consume(count);
    }

    /// Throws away what is decrypted.
    pub(super) fn discard(&mut self) {
        self.plain.clear();
    }

    /// Encrypts as many of `bytes` as there is room for. Gives how many.
    pub(super) fn encrypt(&mut self, bytes: &[u8]) -> Result<usize, WireError> {
        self.held = false;
        self.tls.writer().write(bytes).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(inner) => WireError::Protocol(inner.clone()),
                None => WireError::System(errno(&error)),
            }
        })
    }

    /// Queues our close_notify.
    pub(super) fn say_goodbye(&mut self) {
        self.held = false;
        self.tls.send_close_notify();
    }

    /// Tells TCP that we send no more. A connection that is gone needn't be told.
    pub(super) fn shut_down(&self) {
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
    }

    /// Ends the connection for everybody who has the socket, in both directions.
    pub(super) fn close(&self) {
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }

    /// What the program is told, once the handshake is complete.
    pub(super) fn described(&self) -> Exports {
        described::described(&self.tls)
    }

    /// What went wrong, in words.
    pub(super) fn explain(&self, error: &WireError) -> String {
        match error {
            WireError::System(errno) => reason::system(*errno).into(),
            WireError::Protocol(error) => reason::protocol(error, &self.opening),
        }
    }
}

/// What is decrypted: gathered, so that the program has one read of it and not one for each record.
#[derive(Default)]
struct Plain {
    bytes: Vec<u8>,
    delivered: usize,
}

impl Plain {
    /// Makes room for what the next read brings; large room isn't kept for those who bring little.
    fn begin(&mut self) {
        if self.bytes.len() <= SMALL {
            self.bytes = Vec::new();
        }
        self.clear();
    }

    fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[self.delivered..]
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn consume(&mut self, count: usize) {
        self.delivered = (self.delivered + count).min(self.bytes.len());
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.delivered = 0;
    }
}

/// What has come, without waiting for it.
fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}

/// The sending side.
struct Sink<'a> {
    socket: BorrowedFd<'a>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    /// A flight of several records is one segment, not several.
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
            match sendmsg::<()>(self.socket.as_raw_fd(), parts, &[], flags, None) {
                Ok(count) => return Ok(count),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
