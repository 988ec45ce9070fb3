//! Having tcpclient connect: it runs a copy of this program (see [`hand_over`](super::super::hand_over)), which sends the
//! connection to us.

use super::super::destination::Server;
use alloc::{ffi::CString, vec::Vec};
use common::decimal;
use core::ffi::CStr;
use sys::exec::Program;
use sys::io::fcntl_dupfd_cloexec;
use sys::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use sys::process::{Pid, Signal as Kill, WaitOptions, kill_process, waitpid};
use sys::signal::{Signal, SignalSet};
use sys::spawn::{Spawn, SpawnError};
use sys::{Args, AsFd, BorrowedFd, Env, Errno, OwnedFd, Vector};

/// What tcpclient is told.
pub(super) struct Order {
    pub(super) server: Server,
    /// Its options for TLS.
    pub(super) tls: Option<Vec<&'static CStr>>,
    pub(super) args: Args,
    pub(super) env: Env,
    pub(super) mask: SignalSet,
}

/// A tcpclient that is at work.
pub(super) struct Attempt {
    control: OwnedFd,
    process: Pid,
}

impl Attempt {
    /// Runs tcpclient. Its answer comes over a socket that is its standard input. `quiet`: it has told before why it
    /// can't.
    pub(super) fn start(order: &Order, quiet: bool) -> Result<Self, Errno> {
        reap();
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // Numbers 6 and 7 are tcpclient's.
        let control = fcntl_dupfd_cloexec(control, 8)?;
        let program = Program::find(c"tcpclient", order.env.get(b"PATH"));
        let (host, port) = (order.server.host.as_c_str(), decimal(order.server.port.into()));
        let port = CString::new(port.as_bytes()).map_err(|_| Errno::INVAL)?;
        let own = order.args.get(0).unwrap_or(c"splogger");
        let mut words = Vec::from([c"tcpclient", c"-DRHl0"]);
        if quiet {
            words.push(c"-q");
        }
        if let Some(options) = &order.tls {
            words.push(c"-s");
            words.extend(options);
        }
        words.extend([c"--", host, &port, own, c"--hand-over"]);
        let (args, env): (Vector<'_>, _) = (words.into_iter().collect(), order.env.vector());
        let spawn = Spawn {
            descriptors: &[(theirs.as_fd(), 0)],
            mask: order.mask,
            defaults: SignalSet::of(&[Signal::PIPE]),
            ..Spawn::new(&program, &args, &env)
        };
        let process = spawn.start().map_err(SpawnError::errno)?;
        Ok(Self { control, process })
    }

    /// What the answer comes by.
    pub(super) fn control(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }

    /// The connection: what is read from, and what is written to.
    ///
    /// # Errors
    /// `EAGAIN`: there is no answer yet. `ENOTCONN`: there will be none.
    pub(super) fn answer(&self) -> Result<[OwnedFd; 2], Errno> {
        match sys::rights::receive(&self.control, &mut [0; 1]) {
            Ok((1, fds)) => fds.try_into().map_err(|_| Errno::NOTCONN),
            Err(Errno::AGAIN) => Err(Errno::AGAIN),
            Ok(_) | Err(_) => Err(Errno::NOTCONN),
        }
    }

    /// It has succeeded: gives what keeps the copy of this program.
    pub(super) fn into_control(self) -> OwnedFd {
        self.control
    }

    /// Nobody waits for it any more.
    pub(super) fn cancel(&self) {
        let _ = kill_process(self.process, Kill::TERM);
    }
}

/// Those that have ended.
pub(super) fn reap() {
    while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
}
