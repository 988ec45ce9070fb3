//! The listening socket, and what is set on each connection.

use crate::options::NAME;
use common::reason::reason;
use common::{Exit, Failure};
use nix::sys::socket::sockopt::{self, SetOsString};
use nix::sys::socket::{
    AddressFamily, Backlog, SetSockOpt as _, SockFlag, SockType, SockaddrStorage,
};
use nix::sys::socket::{bind, getsockopt, listen, socket};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use sys::Errno;

/// A socket that listens, doesn't block, and stands above the standard descriptors.
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// Its address, with the port that it got.
    pub address: SocketAddr,
    /// Whether standard error was closed when the program began.
    pub no_stderr: bool,
}

impl Listener {
    /// Listens at `address`, or at its every address if it is unspecified; port 0 takes a free one.
    /// `::` takes IPv4 connections too, unless it is for `ipv6_only`. `backlog` connections may wait to
    /// be accepted.
    ///
    /// # Errors
    /// What the system says, exit code 111.
    pub fn new(address: SocketAddr, ipv6_only: bool, backlog: i32) -> Result<Self, Failure> {
        let no_stderr = sys::borrow(2).is_none();
        let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let created = socket(family, SockType::Stream, flags, None);
        let socket = created.map_err(|error| fatal("create socket", error))?;
        let socket = above_standard(socket).map_err(|error| fatal("create socket", error))?;
        // Neither option is refused by a socket of its own family.
        let _ = sockopt::ReuseAddr.set(&socket, &true);
        if address.is_ipv6() {
            let _ = sockopt::Ipv6V6Only.set(&socket, &ipv6_only);
        }
        bind(socket.as_raw_fd(), &SockaddrStorage::from(address))
            .map_err(|error| fatal("bind", error))?;
        // More than the system's maximum is an error for nix, and the maximum for the kernel.
        let backlog = Backlog::new(backlog).unwrap_or(Backlog::MAXCONN);
        listen(&socket, backlog).map_err(|error| fatal("listen", error))?;
        Self::of(socket, no_stderr)
    }

    /// The socket that this process was started with, as descriptor `number`. The port must be the one
    /// that it is for, unless that is 0.
    ///
    /// # Errors
    /// It isn't a TCP socket that listens, or listens at another port: exit code 111.
    pub fn inherited(number: i32, port: u16) -> Result<Self, Failure> {
        let no_stderr = sys::borrow(2).is_none();
        let name = number.to_string();
        let unusable = |reason: &[u8]| {
            let parts = [b"unable to use descriptor ", name.as_bytes(), b": ", reason];
            NAME.fatal(Exit::TEMPORARY.0, &parts)
        };
        let adopted = sys::adopt(number).ok_or_else(|| unusable(b"not open"))?;
        // Standard input, which is let go anyhow, is the way from sys's descriptors to std's.
        sys::stdio::dup2_stdin(&adopted).map_err(|errno| unusable(reason(errno).as_bytes()))?;
        let cloned = std::io::stdin().as_fd().try_clone_to_owned();
        let socket = cloned.map_err(|error| unusable(reason(errno(&error)).as_bytes()))?;
        if !matches!(getsockopt(&socket, sockopt::SockType), Ok(SockType::Stream)) {
            return Err(unusable(b"not a TCP socket"));
        }
        if !matches!(getsockopt(&socket, sockopt::AcceptConn), Ok(true)) {
            return Err(unusable(b"not a listening socket"));
        }
        let listener = Self::of(socket, no_stderr).map_err(|_| unusable(b"not a TCP socket"))?;
        if port != 0 && listener.address.port() != port {
            let other = format!("listens at port {}, not {port}", listener.address.port());
            return Err(unusable(other.as_bytes()));
        }
        // A connection may be gone when it is accepted.
        listener
            .socket
            .set_nonblocking(true)
            .map_err(|error| unusable(reason(errno(&error)).as_bytes()))?;
        Ok(listener)
    }

    fn of(socket: OwnedFd, no_stderr: bool) -> Result<Self, Failure> {
        let socket = TcpListener::from(socket);
        let address = socket.local_addr().map_err(|error| {
            NAME.fatal_errno(111, &[b"unable to get local address"], errno(&error))
        })?;
        Ok(Self { socket, address, no_stderr })
    }

    /// Lets go of standard input and output, so that whoever waits for their end isn't kept, as the
    /// original does. Here the numbers go on to the listening socket itself: no connection may get
    /// one of them, and nothing need be opened for it, which could fail. The same for
    /// standard error where there was none: the log must not reach a client.
    ///
    /// # Errors
    /// What the system says, exit code 111.
    pub fn take_standard_descriptors(&self) -> Result<(), Failure> {
        dup2_stdin(&self.socket)
            .and_then(|()| dup2_stdout(&self.socket))
            .and_then(|()| if self.no_stderr { dup2_stderr(&self.socket) } else { Ok(()) })
            .map_err(|error| fatal("close standard input", error))
    }

    /// Lets go of the port, in a process that was forked to serve a connection: as long as it has
    /// the socket, no new listener can have the port. A socket that nobody knows takes its place.
    ///
    /// # Errors
    /// What the system says.
    pub fn leave(&mut self) -> Result<(), nix::Error> {
        let idle = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        self.socket = TcpListener::from(idle);
        dup2_stdin(&self.socket)?;
        dup2_stdout(&self.socket)?;
        if self.no_stderr { dup2_stderr(&self.socket) } else { Ok(()) }
    }

    /// The next connection, and who it comes from.
    ///
    /// # Errors
    /// What accept(2) says.
    pub fn accept(&self) -> Result<(TcpStream, SocketAddr), Errno> {
        self.socket.accept().map_err(|error| errno(&error))
    }
}

/// std duplicates to 3 or above.
fn above_standard(socket: OwnedFd) -> Result<OwnedFd, nix::Error> {
    if socket.as_raw_fd() > 2 {
        return Ok(socket);
    }
    socket.try_clone().map_err(|error| nix::Error::from_raw(errno(&error).raw_os_error()))
}

/// Sets what the options ask for. That can't fail on a connection that still stands; one that has
/// gone meanwhile is noticed by whoever reads from it.
pub fn prepare(stream: &TcpStream, keep_ip_options: bool, no_delay: bool) {
    if !keep_ip_options {
        let _ = IpOptions.set(stream, &OsString::new());
    }
    if no_delay {
        let _ = stream.set_nodelay(true);
    }
}

/// The IP options that go out with each packet: those that the client came with, until they are
/// set to none. (The original means to do this, but names the option by its BSD number.)
#[derive(Debug, Clone, Copy)]
struct IpOptions;

nix::setsockopt_impl!(IpOptions, libc::IPPROTO_IP, libc::IP_OPTIONS, OsString, SetOsString<'_>);

/// The number behind one of std's errors.
#[must_use]
pub fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::INVAL, Errno::from_raw_os_error)
}

fn fatal(what: &str, error: nix::Error) -> Failure {
    let errno = Errno::from_raw_os_error(error as i32);
    NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to ", what.as_bytes()], errno)
}
