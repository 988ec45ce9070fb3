//! The way by TCP (RFC 6587, octet counting) and TLS (RFC 5425): a connection that tcpclient makes, and a copy of
//! this program, which tcpclient runs, hands over. What is sent is kept until the other host has it.

mod frames;

use super::destination::Server;
use super::way::Outcome;
use alloc::{ffi::CString, vec::Vec};
use common::decimal;
use core::ffi::CStr;
use core::time::Duration;
use frames::Frames;
use sys::clock::monotonic;
use sys::exec::Program;
use sys::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use sys::io::fcntl_dupfd_cloexec;
use sys::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair, sockopt};
use sys::outgoing::unacknowledged;
use sys::poll::{PollFd, PollFlags};
use sys::process::{Pid, Signal as Kill, WaitOptions, kill_process, waitpid};
use sys::signal::{Signal, SignalSet};
use sys::spawn::Spawn;
use sys::{Args, AsFd, Env, Errno, OwnedFd, Vector};

/// Frames are collected up to so many bytes, and written at once.
const COLLECTED: usize = 16 * 1024;

/// The kernel holds about so much of what the peer hasn't acknowledged. (It doubles what it is asked for.)
const SEND_BUFFER: usize = 64 * 1024;

/// By TLS, what was written last is never known to be there: the pipe, the relay and the kernel hold it.
const WINDOW: u64 = 256 * 1024;

/// Without looking, so many bytes may be sent.
const LOOK: u64 = 32 * 1024;

/// A peer that acknowledges nothing for so long is gone, in milliseconds.
const SILENCE: u32 = 60_000;

/// Two attempts to connect begin at least so long after each other, and each failure doubles it.
const FIRST: Duration = Duration::from_millis(500);

/// The most.
const LAST: Duration = Duration::from_secs(16);

pub(super) struct Stream {
    server: Server,
    /// tcpclient's options for TLS.
    tls: Option<Vec<&'static CStr>>,
    args: Args,
    env: Env,
    mask: SignalSet,
    state: State,
    frames: Frames,
    /// What was collected and not written.
    unwritten: Vec<u8>,
    /// No attempt before.
    earliest: Duration,
    pause: Duration,
    /// Why there is no connection.
    reason: Errno,
    /// tcpclient has told its reason in this outage.
    told: bool,
}

enum State {
    Idle,
    Connecting { control: OwnedFd, process: Pid },
    Open(Connection),
}

struct Connection {
    input: OwnedFd,
    output: OwnedFd,
    /// As long as it is open, the program that tcpclient has run stays, and with it TLS's relay.
    _control: OwnedFd,
    closing: bool,
}

impl Stream {
    pub(super) fn new(
        server: Server,
        tls: Option<Vec<&'static CStr>>,
        args: Args,
        env: Env,
        mask: SignalSet,
    ) -> Self {
        // A relay's pipe has no other way to say that nobody reads.
        sys::signal::ignore(Signal::PIPE);
        Self {
            server,
            tls,
            args,
            env,
            mask,
            state: State::Idle,
            frames: Frames::default(),
            unwritten: Vec::new(),
            earliest: Duration::ZERO,
            pause: FIRST,
            reason: Errno::NOTCONN,
            told: false,
        }
    }

    pub(super) fn send(&mut self, packet: &[u8]) -> Outcome {
        match &self.state {
            State::Idle if monotonic() < self.earliest => Outcome::Away(self.reason),
            State::Idle => match self.connect() {
                Ok(()) => Outcome::Busy,
                Err(errno) => {
                    self.wait_longer(true);
                    Outcome::Away(errno)
                }
            },
            State::Connecting { .. } => Outcome::Busy,
            State::Open(_) => {
                if self.unwritten.len() >= COLLECTED {
                    match self.flush() {
                        Outcome::Sent => {}
                        held @ (Outcome::Busy | Outcome::Away(_)) => return held,
                    }
                }
                let length = decimal(packet.len() as u64);
                self.unwritten.extend_from_slice(length.as_bytes());
                self.unwritten.push(b' ');
                self.unwritten.extend_from_slice(packet);
                self.frames.add(length.as_bytes().len() + 1 + packet.len());
                Outcome::Sent
            }
        }
    }

    pub(super) fn flush(&mut self) -> Outcome {
        let State::Open(connection) = &self.state else { return Outcome::Sent };
        while !self.unwritten.is_empty() {
            match sys::io::write(&connection.output, &self.unwritten) {
                Ok(count) => {
                    self.unwritten.drain(..count);
                    self.frames.written(count);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Outcome::Busy,
                Err(errno) => {
                    self.disconnect(errno);
                    return Outcome::Away(errno);
                }
            }
        }
        Outcome::Sent
    }

    pub(super) fn unconfirmed(&mut self, look: bool) -> usize {
        if look || self.frames.bytes() > LOOK {
            self.confirm();
        }
        self.frames.count()
    }

    pub(super) fn lost(&mut self) -> usize {
        self.frames.clear()
    }

    /// Takes note of what has arrived.
    fn confirm(&mut self) {
        let State::Open(connection) = &self.state else { return };
        let left = match self.tls {
            Some(_) => Ok(WINDOW),
            None => unacknowledged(&connection.output),
        };
        if let Ok(left) = left
            && self.frames.confirm(left)
        {
            self.pause = FIRST;
        }
    }

    pub(super) fn close(&mut self) {
        if let State::Open(connection) = &mut self.state
            && !connection.closing
            && self.unwritten.is_empty()
        {
            connection.closing = true;
            if shutdown(&connection.output, Shutdown::Write).is_err()
                && let Ok(nothing) = sys::fs::open(
                    c"/dev/null",
                    OFlags::WRONLY | OFlags::CLOEXEC,
                    sys::fs::Mode::empty(),
                )
            {
                // A pipe, which ends with its last descriptor.
                connection.output = nothing;
            }
        }
    }

    pub(super) fn watch<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        match &self.state {
            State::Idle => {}
            State::Connecting { control, .. } => {
                fds.push(PollFd::from_borrowed_fd(control.as_fd(), PollFlags::IN));
            }
            State::Open(connection) => {
                fds.push(PollFd::from_borrowed_fd(connection.input.as_fd(), PollFlags::IN));
                if !self.unwritten.is_empty() {
                    fds.push(PollFd::from_borrowed_fd(connection.output.as_fd(), PollFlags::OUT));
                }
            }
        }
    }

    pub(super) fn attend(&mut self) -> Option<Errno> {
        let reason = match &mut self.state {
            State::Idle => return None,
            State::Connecting { control, .. } => {
                match sys::rights::receive(&*control, &mut [0; 1]) {
                    Err(Errno::AGAIN) => return None,
                    Ok((1, fds)) => match <[OwnedFd; 2]>::try_from(fds) {
                        Ok([input, output]) => match self.begin(input, output) {
                            Ok(()) => return None,
                            Err(errno) => errno,
                        },
                        Err(_) => Errno::NOTCONN,
                    },
                    Ok(_) | Err(_) => Errno::NOTCONN,
                }
            }
            State::Open(connection) => match sys::io::read(&connection.input, &mut [0; 512]) {
                // Nobody has anything to say here, but it may be said.
                Ok(1..) | Err(Errno::AGAIN | Errno::INTR) => return None,
                Ok(_) if connection.closing => {
                    // It ends after us: it has read all.
                    self.frames.clear();
                    Errno::PIPE
                }
                Ok(_) => Errno::PIPE,
                Err(errno) => errno,
            },
        };
        self.disconnect(reason);
        Some(reason)
    }

    /// Has tcpclient connect. Its answer comes over a socket that is its standard input.
    fn connect(&mut self) -> Result<(), Errno> {
        reap();
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // Numbers 6 and 7 are tcpclient's.
        let control = fcntl_dupfd_cloexec(control, 8)?;
        let program = Program::find(c"tcpclient", self.env.get(b"PATH"));
        let (host, port) = (self.server.host.as_c_str(), decimal(self.server.port.into()));
        let port = CString::new(port.as_bytes()).map_err(|_| Errno::INVAL)?;
        let own = self.args.get(0).unwrap_or(c"splogger");
        let mut words = Vec::from([c"tcpclient", c"-DRHl0"]);
        if self.told {
            words.push(c"-q");
        }
        if let Some(options) = &self.tls {
            words.push(c"-s");
            words.extend(options);
        }
        words.extend([c"--", host, &port, own, c"--hand-over"]);
        let (args, env): (Vector<'_>, _) = (words.into_iter().collect(), self.env.vector());
        let spawn = Spawn {
            descriptors: &[(theirs.as_fd(), 0)],
            mask: self.mask,
            defaults: SignalSet::of(&[Signal::PIPE]),
            ..Spawn::new(&program, &args, &env)
        };
        let process = spawn.start().map_err(sys::spawn::SpawnError::errno)?;
        self.earliest = monotonic() + FIRST;
        self.state = State::Connecting { control, process };
        Ok(())
    }

    /// There is a connection.
    fn begin(&mut self, input: OwnedFd, output: OwnedFd) -> Result<(), Errno> {
        for fd in [&input, &output] {
            let flags = fcntl_getfl(fd)?;
            fcntl_setfl(fd, flags | OFlags::NONBLOCK)?;
        }
        if self.tls.is_none() {
            // Without them a peer that is gone is noticed later.
            let _ = sockopt::set_socket_send_buffer_size(&output, SEND_BUFFER);
            let _ = sockopt::set_tcp_user_timeout(&output, SILENCE);
            let _ = sockopt::set_socket_keepalive(&output, true);
        }
        let State::Connecting { control, .. } = core::mem::replace(&mut self.state, State::Idle)
        else {
            return Err(Errno::NOTCONN);
        };
        self.state = State::Open(Connection { input, output, _control: control, closing: false });
        self.told = false;
        Ok(())
    }

    fn disconnect(&mut self, reason: Errno) {
        self.confirm();
        self.told = matches!(self.state, State::Connecting { .. });
        self.state = State::Idle;
        self.unwritten.clear();
        self.reason = reason;
        self.wait_longer(self.told);
        reap();
    }

    /// Until the next attempt; what ends after it has worked is looked for at once.
    fn wait_longer(&mut self, failed: bool) {
        if failed {
            self.earliest = monotonic() + self.pause;
            self.pause = (self.pause * 2).min(LAST);
        } else {
            self.earliest = self.earliest.max(monotonic() + FIRST / 5);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let State::Connecting { process, .. } = &self.state {
            let _ = kill_process(*process, Kill::TERM);
        }
    }
}

/// Those that have ended.
fn reap() {
    while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
}
