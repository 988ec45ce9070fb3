//! Starting the program for a connection.

use crate::address;
use crate::line::{self, End};
use crate::log;
use crate::options::{NAME, Options, Verbosity};
use crate::signals::Signals;
use common::Exit;
use common::env::Environment;
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::{close, dup2_stdin, dup2_stdout};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use sys::exec::Program;
use sys::fork::{self, Fork};
use sys::process::Pid;
use sys::spawn::{Spawn, SpawnError};
use sys::{Args, Env, Errno, Vector};

/// What all connections' programs have in common.
pub struct Launcher {
    program: Program,
    args: Args,
    vector: Vector<'static>,
    pub(crate) environment: Environment,
    pub(crate) banner: &'static [u8],
    no_stderr: bool,
    pub(crate) verbosity: Verbosity,
}

/// A connection that was accepted.
pub struct Connection<'a> {
    /// The connection itself.
    pub stream: TcpStream,
    /// Our end.
    pub local: End<'a>,
    /// The client's.
    pub remote: End<'a>,
}

/// Why a connection is dropped before its program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The banner couldn't be written.
    Banner(Errno),
    /// There is no process for it.
    Fork(Errno),
    /// The connection couldn't be handed over.
    HandOver(Errno),
    /// The program couldn't be run.
    Run(Errno),
}

impl Launcher {
    /// The program is looked for in `PATH` as it is now; nothing is said if it isn't there, as it
    /// may yet come. `no_stderr`: the program gets no standard error.
    #[must_use]
    pub fn new(options: &Options, env: Env, no_stderr: bool) -> Self {
        let args = options.program;
        let name = args.get(0).unwrap_or_default();
        let mut environment = Environment::from(env);
        environment.set(b"PROTO", b"TCP");
        for unknown in [&b"TCPREMOTEHOST"[..], b"TCPREMOTEINFO"] {
            environment.unset(unknown);
        }
        Self {
            program: Program::find(name, env.get(b"PATH")),
            args,
            vector: args.vector(),
            environment,
            banner: options.banner,
            no_stderr,
            verbosity: options.verbosity,
        }
    }

    /// Starts the program with the connection as its standard input and output. Gives its process.
    ///
    /// This process waits until the program runs, and may come to write about it later than the
    /// program itself: not for `-v`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn start(
        &mut self,
        connection: &Connection<'_>,
        signals: &Signals,
    ) -> Result<Pid, Dropped> {
        self.describe(connection);
        greet(&connection.stream, self.banner)?;
        self.spawn(&connection.stream, &connection.stream, signals)
    }

    /// The same by fork: dearer, but the new process writes the log's lines about itself, before
    /// its program can write any.
    ///
    /// # Errors
    /// [`Dropped::Fork`], [`Dropped::Banner`]; what happens later, the new process says itself.
    pub fn start_beside(
        &mut self,
        connection: &Connection<'_>,
        signals: &Signals,
    ) -> Result<Pid, Dropped> {
        greet(&connection.stream, self.banner)?;
        match fork::fork().map_err(Dropped::Fork)? {
            Fork::Parent(pid) => Ok(pid),
            Fork::Child => {
                self.introduce(connection);
                let stream = &connection.stream;
                fork::exit(self.become_program(stream, stream, signals))
            }
        }
    }

    /// In a forked child: comes back only if that failed, and was said, with the exit code.
    pub(crate) fn become_program(
        &self,
        input: &impl AsFd,
        output: &impl AsFd,
        signals: &Signals,
    ) -> u8 {
        let handed_over = dup2_stdin(input)
            .and_then(|()| dup2_stdout(output))
            .and_then(|()| if self.no_stderr { close(2) } else { Ok(()) });
        if let Err(error) = handed_over {
            self.warn(Dropped::HandOver(Errno::from_raw_os_error(error as i32)));
            return Exit::TEMPORARY.0;
        }
        let env = self.environment.vector();
        signals.put_back();
        self.warn(Dropped::Run(self.program.exec(&self.vector, &env)));
        Exit::TEMPORARY.0
    }

    /// In a forked child: says whose connection it has, before its program can say anything, and
    /// puts that into the environment. Gives its own process id.
    pub(crate) fn introduce(&mut self, connection: &Connection<'_>) -> i32 {
        self.describe(connection);
        let pid = sys::process::getpid().as_raw_nonzero().get();
        if self.verbosity == Verbosity::Verbose {
            let (local, remote) = (connection.local, connection.remote);
            log::write(&[line::pid(pid, remote), line::ok(pid, local, remote)].concat());
        }
        pid
    }

    /// Puts what is known about the connection into the environment.
    fn describe(&mut self, connection: &Connection<'_>) {
        let ends = [
            (connection.local, &b"TCPLOCALIP"[..], &b"TCPLOCALPORT"[..]),
            (connection.remote, b"TCPREMOTEIP", b"TCPREMOTEPORT"),
        ];
        for (end, ip, port) in ends {
            self.environment.set(ip, address::text(end.address.ip()).as_bytes());
            let number = common::decimal(end.address.port().into());
            self.environment.set(port, number.as_bytes());
        }
        match connection.local.name {
            Some(name) => self.environment.set(b"TCPLOCALHOST", name),
            None => self.environment.unset(b"TCPLOCALHOST"),
        }
    }

    fn spawn(
        &self,
        input: &impl AsRawFd,
        output: &impl AsRawFd,
        signals: &Signals,
    ) -> Result<Pid, Dropped> {
        let borrowed = |number| sys::borrow(number).ok_or(Dropped::HandOver(Errno::BADF));
        let descriptors = [(borrowed(input.as_raw_fd())?, 0), (borrowed(output.as_raw_fd())?, 1)];
        let env = self.environment.vector();
        let spawn = Spawn {
            descriptors: &descriptors,
            close: if self.no_stderr { &[2] } else { &[] },
            mask: signals.handed_on(),
            defaults: signals.defaults(),
            ..Spawn::new(&self.program, &self.vector, &env)
        };
        spawn.start().map_err(|error| match error {
            SpawnError::Clone(errno) => Dropped::Fork(errno),
            SpawnError::Directory(errno) | SpawnError::Descriptor(errno) => {
                Dropped::HandOver(errno)
            }
            SpawnError::Exec(errno) => Dropped::Run(errno),
        })
    }

    /// Says why a connection was dropped, unless nothing is to be said.
    pub fn warn(&self, dropped: Dropped) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let name = self.args.get(0).unwrap_or_default().to_bytes();
        let (what, object, errno): (&[u8], &[u8], _) = match dropped {
            Dropped::Banner(errno) => (b"print banner", b"", errno),
            Dropped::Fork(errno) => (b"fork", b"", errno),
            Dropped::HandOver(errno) => (b"set up descriptors", b"", errno),
            Dropped::Run(errno) => (b"run ", name, errno),
        };
        NAME.warn_errno(&[b"dropping connection, unable to ", what, object], errno);
    }
}

/// Says the banner, without waiting: nobody else may be kept by a slow client. What options allow
/// always fits into a connection that nothing was sent to so far.
pub(crate) fn greet(stream: &TcpStream, banner: &[u8]) -> Result<(), Dropped> {
    if banner.is_empty() {
        return Ok(());
    }
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    match send(stream.as_raw_fd(), banner, flags) {
        Ok(sent) if sent == banner.len() => Ok(()),
        Ok(_) => Err(Dropped::Banner(Errno::NOBUFS)),
        Err(error) => Err(Dropped::Banner(Errno::from_raw_os_error(error as i32))),
    }
}
