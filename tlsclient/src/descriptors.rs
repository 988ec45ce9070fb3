//! The descriptors that we were handed, and those that the program is.

use super::NAME;
use common::{Exit, Failure};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::{close, dup2_stderr, dup2_stdin, dup2_stdout};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use sys::Errno;
use sys::fs::{FileType, fstat};
use tcpclient::handover::{self, READ, WRITE};

/// The connection.
pub(super) struct Connection {
    /// The socket.
    pub(super) socket: OwnedFd,
    /// The same at descriptors 6 and 7, as it came: as long as they are held, nothing else takes these
    /// numbers.
    pub(super) places: [sys::OwnedFd; 2],
}

impl Connection {
    /// Takes what the UCSPI client has left at the two descriptors. After [`Standard::put_aside`].
    ///
    /// # Errors
    /// Nothing is there: 111. It isn't one socket: 100.
    pub(super) fn take() -> Result<Self, Failure> {
        let taken = |number: i32, what: &[u8]| {
            let missing = || NAME.fatal_errno(Exit::TEMPORARY.0, &[what], Errno::BADF);
            sys::adopt(number).ok_or_else(missing)
        };
        let places = [
            taken(READ, b"unable to read descriptor 6")?,
            taken(WRITE, b"unable to write descriptor 7")?,
        ];
        let id = |fd: &sys::OwnedFd| {
            let status = fstat(fd).ok()?;
            let kind = FileType::from_raw_mode(status.st_mode);
            (kind == FileType::Socket).then_some((status.st_dev, status.st_ino))
        };
        if id(&places[0]).is_none() || id(&places[0]) != id(&places[1]) {
            let text = b"unable to use descriptors 6 and 7: not one and the same socket";
            return Err(NAME.fatal(Exit::USAGE.0, &[text]));
        }
        // Standard input, which is idle now, is the way from sys's descriptors to std's.
        sys::stdio::dup2_stdin(&places[0]).map_err(cannot_move)?;
        let socket = io::stdin().as_fd().try_clone_to_owned().map_err(|error| failed(&error))?;
        idle()?;
        Ok(Self { socket, places })
    }
}

/// Gives the program, in its own process, these two in place of the connection, of which nothing is left
/// there.
pub(super) fn hand_over(input: &OwnedFd, output: &OwnedFd) -> Result<(), Failure> {
    let put = |fd: &OwnedFd, number, what: &[u8]| {
        let fd = sys::borrow(fd.as_raw_fd()).ok_or(Errno::BADF);
        fd.and_then(|fd| handover::put(fd, number))
            .map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno))
    };
    put(input, READ, b"unable to set up descriptor 6")?;
    put(output, WRITE, b"unable to set up descriptor 7")
}

/// The program's standard descriptors, for which the relay has no use. Kept open there, they would keep
/// whoever reads what the program writes waiting; and whoever breaks in would have them.
pub(super) struct Standard {
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    /// The relay needs it, too.
    has_stderr: bool,
}

impl Standard {
    /// Puts a socket that nobody knows in the place of each that the relay doesn't use, also of those that
    /// were closed.
    pub(super) fn put_aside() -> Result<Self, Failure> {
        let open = [0, 1, 2].map(|number| sys::borrow(number).is_some());
        let copy = |open: bool, fd: &dyn AsFd| {
            let copy = open.then(|| fd.as_fd().try_clone_to_owned()).transpose();
            copy.map_err(|error| failed(&error))
        };
        let (stdin, stdout) = (copy(open[0], &io::stdin())?, copy(open[1], &io::stdout())?);
        idle()?;
        Ok(Self { stdin, stdout, has_stderr: open[2] })
    }

    /// Back to how they were, in the program's process.
    pub(super) fn put_back(self) -> Result<(), Failure> {
        let stdin = self.stdin.map_or_else(|| close(0), dup2_stdin);
        stdin
            .and_then(|()| self.stdout.map_or_else(|| close(1), dup2_stdout))
            .and_then(|()| if self.has_stderr { Ok(()) } else { close(2) })
            .map_err(|error| failed(&error.into()))
    }
}

/// Lets go of the standard descriptors, but for standard error where it is open.
fn idle() -> Result<(), Failure> {
    let system = |error: nix::Error| failed(&error.into());
    let made = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
    // It may have one of the numbers itself; a copy has not.
    let idle = made.map_err(system)?.try_clone().map_err(|error| failed(&error))?;
    dup2_stdin(&idle)
        .and_then(|()| dup2_stdout(&idle))
        .and_then(|()| if sys::borrow(2).is_some() { Ok(()) } else { dup2_stderr(&idle) })
        .map_err(system)
}

fn failed(error: &io::Error) -> Failure {
    cannot_move(error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))
}

fn cannot_move(errno: Errno) -> Failure {
    NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to move descriptors"], errno)
}
