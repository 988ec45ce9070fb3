//! The way to a daemon of this host: a local socket, of datagrams or a stream, connected anew when it breaks.

use super::way::Outcome;
use sys::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use sys::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

pub(super) struct Delivery {
    address: SocketAddrUnix,
    journal: bool,
    connection: Option<Connection>,
}

struct Connection {
    socket: OwnedFd,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Datagram,
    /// The journal's datagrams; what is too large for one is in a file whose descriptor one brings.
    Journal,
    /// How much of the packet was sent. In a stream, a NUL ends each.
    Stream {
        sent: usize,
    },
}

impl Delivery {
    pub(super) fn new(address: SocketAddrUnix) -> Self {
        Self { address, journal: false, connection: None }
    }

    pub(super) fn to_journal(address: SocketAddrUnix) -> Self {
        Self { address, journal: true, connection: None }
    }

    /// Sends one packet, connecting first where that is needed.
    pub(super) fn send(&mut self, packet: &[u8]) -> Outcome {
        let mut reason = Errno::NOTCONN;
        // Twice: the daemon behind the old connection may be gone, and another in its place.
        for _ in 0..2 {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                None => match Connection::to(&self.address, self.journal) {
                    Ok(connection) => self.connection.insert(connection),
                    Err(errno) => return Outcome::Away(errno),
                },
            };
            match connection.send(packet) {
                Ok(()) => return Outcome::Sent,
                Err(Errno::AGAIN) => return Outcome::Busy,
                Err(errno) => reason = errno,
            }
            // Part of a packet that a stream has taken is sent again, to whom that comes.
            self.connection = None;
        }
        Outcome::Away(reason)
    }

    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(|connection| connection.socket.as_fd())
    }
}

impl Connection {
    /// Datagrams are what almost every daemon wants; one that wants a stream says `EPROTOTYPE`.
    fn to(address: &SocketAddrUnix, journal: bool) -> Result<Self, Errno> {
        if journal {
            return Self::of_type(SocketType::DGRAM, Kind::Journal, address);
        }
        match Self::of_type(SocketType::DGRAM, Kind::Datagram, address) {
            Err(Errno::PROTOTYPE) => {
                Self::of_type(SocketType::STREAM, Kind::Stream { sent: 0 }, address)
            }
            outcome => outcome,
        }
    }

    fn of_type(kind: SocketType, state: Kind, address: &SocketAddrUnix) -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
        connect(&socket, address)?;
        Ok(Self { socket, kind: state })
    }

    /// `EAGAIN`: later, and the same packet.
    fn send(&mut self, packet: &[u8]) -> Result<(), Errno> {
        match &mut self.kind {
            Kind::Datagram => transmit(&self.socket, packet).map(drop),
            Kind::Journal => match transmit(&self.socket, packet) {
                Err(Errno::MSGSIZE | Errno::NOBUFS) => hand_over(&self.socket, packet),
                outcome => outcome.map(drop),
            },
            Kind::Stream { sent } => {
                while *sent < packet.len() {
                    *sent += transmit(&self.socket, &packet[*sent..])?;
                }
                transmit(&self.socket, b"\0")?;
                *sent = 0;
                Ok(())
            }
        }
    }
}

/// Sends a file that holds the packet, and that nobody can change any more.
fn hand_over(socket: &OwnedFd, packet: &[u8]) -> Result<(), Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create(c"splogger", flags)?;
    sys::write_all(&file, packet)?;
    fcntl_add_seals(
        &file,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
    )?;
    sys::rights::send(socket, b"", &[file.as_fd()])
}

fn transmit(socket: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    loop {
        match send(socket, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use std::path::PathBuf;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("splogger-{}-{name}", std::process::id()));
            let _ = std::fs::remove_file(&path);
            Self(path)
        }

        fn delivery(&self) -> Delivery {
            let path = self.0.to_str().expect("UTF-8");
            Delivery::new(SocketAddrUnix::new(path).expect("a short path"))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_daemon_that_comes_and_goes() {
        let place = Place::new("datagram");
        let mut delivery = place.delivery();
        assert_eq!(delivery.send(b"one"), Outcome::Away(Errno::NOENT));
        let mut buffer = [0; 100];
        for round in 0..3 {
            let daemon = UnixDatagram::bind(&place.0).expect("bound");
            assert_eq!(delivery.send(b"one"), Outcome::Sent, "round {round}");
            assert_eq!(daemon.recv(&mut buffer).expect("a packet"), 3);
            drop(daemon);
            assert_eq!(delivery.send(b"two"), Outcome::Away(Errno::CONNREFUSED));
            std::fs::remove_file(&place.0).expect("removed");
        }
    }

    #[test]
    fn a_full_daemon_is_waited_for() {
        let place = Place::new("full");
        let daemon = UnixDatagram::bind(&place.0).expect("bound");
        let mut delivery = place.delivery();
        let mut sent = 0;
        while delivery.send(b"x") == Outcome::Sent {
            sent += 1;
        }
        assert_eq!(delivery.send(b"x"), Outcome::Busy);
        let mut buffer = [0; 10];
        for _ in 0..sent {
            daemon.recv(&mut buffer).expect("a packet");
        }
        assert_eq!(delivery.send(b"x"), Outcome::Sent);
    }

    #[test]
    fn a_stream_has_a_nul_after_each_packet() {
        let place = Place::new("stream");
        let daemon = UnixListener::bind(&place.0).expect("bound");
        let mut delivery = place.delivery();
        assert_eq!(delivery.send(b"one"), Outcome::Sent);
        assert_eq!(delivery.send(b"two"), Outcome::Sent);
        let (mut stream, _) = daemon.accept().expect("a connection");
        let mut buffer = [0; 8];
        stream.read_exact(&mut buffer).expect("two packets");
        assert_eq!(&buffer, b"one\0two\0");
        drop(stream);
        // The listener still stands: the next packet makes a connection of its own.
        assert_eq!(delivery.send(b"three"), Outcome::Sent);
        let (mut stream, _) = daemon.accept().expect("a connection");
        let mut buffer = [0; 6];
        stream.read_exact(&mut buffer).expect("a packet");
        assert_eq!(&buffer, b"three\0");
    }
}
