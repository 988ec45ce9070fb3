//! Starting the program for a connection, once it is let in.

mod admission;

use crate::limits::Crowd;
use crate::lookup::LookUps;
use crate::options::{NAME, Options, Verbosity};
use crate::rules::Rules;
use crate::signals::Signals;
use crate::socket::Listener;
use crate::{address, inherited};
use common::Exit;
use common::env::Environment;
use nix::sys::socket::{MsgFlags, recv, send};
use nix::unistd::{close, dup2_stdin, dup2_stdout};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use sys::exec::Program;
use sys::fork::{self, Fork};
use sys::process::Pid;
use sys::signal::{self, Signal};
use sys::spawn::{SpawnError, Starter, Starting};
use sys::{Args, Env, Errno, Vector};

/// What all connections' programs have in common.
pub struct Launcher {
    program: &'static Program,
    args: Args,
    vector: &'static Vector<'static>,
    starter: Starter,
    pub(crate) environment: Environment,
    look_ups: LookUps,
    rules: Rules,
    pub(crate) banner: &'static [u8],
    timeout: Duration,
    no_stderr: bool,
    pub(crate) verbosity: Verbosity,
}

/// A connection that was accepted.
pub struct Connection {
    /// The connection itself.
    pub stream: TcpStream,
    /// Its ends, as the system has them.
    pub ends: Ends,
    /// How many others there are with it.
    pub crowd: Crowd,
    /// A PROXY header comes first, and tells what the ends are.
    pub proxied: bool,
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The client's.
    pub remote: SocketAddr,
}

/// Why a connection is dropped before its program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The banner couldn't be written.
    Banner(Errno),
    /// The rules couldn't be read.
    Rules(Errno),
    /// The rules say so.
    Denied,
    /// The rules say how many may come, and they have: the variable that says it.
    Crowded(&'static str),
    /// The PROXY header couldn't be read, from this address.
    Proxy(IpAddr, Errno),
    /// There is no process for it.
    Fork(Errno),
    /// The connection couldn't be handed over.
    HandOver(Errno),
    /// The program couldn't be run.
    Run(Errno),
}

impl Dropped {
    /// The exit code of the connection's process.
    fn exit(self) -> u8 {
        match self {
            Self::Denied | Self::Crowded(_) => Exit::USAGE.0,
            Self::Banner(_)
            | Self::Rules(_)
            | Self::Proxy(..)
            | Self::Fork(_)
            | Self::HandOver(_)
            | Self::Run(_) => Exit::TEMPORARY.0,
        }
    }
}

impl Launcher {
    /// The program is looked for in `PATH` as it is now; nothing is said if it isn't there, as it
    /// may yet come. `no_stderr`: the program gets no standard error. `handed_over`: the listening
    /// socket was, which doesn't concern the program.
    #[must_use]
    pub fn new(options: &Options, env: Env, no_stderr: bool, handed_over: bool) -> Self {
        let args = options.program;
        let name = args.get(0).unwrap_or_default();
        let mut environment = Environment::from(env);
        environment.set(b"PROTO", b"TCP");
        if handed_over {
            inherited::forget(&mut environment);
        }
        Self {
            // Never freed: there is one of each.
            program: Box::leak(Box::new(Program::find(name, env.get(b"PATH")))),
            args,
            vector: Box::leak(Box::new(args.vector())),
            starter: Starter::default(),
            environment,
            look_ups: LookUps::new(options, env),
            rules: Rules::new(&options.access),
            banner: options.banner,
            timeout: options.timeout,
            no_stderr,
            verbosity: options.verbosity,
        }
    }

    /// Starts the program with the connection as its standard input and output. Gives its process.
    ///
    /// If nobody has to be asked and nothing is to be written about it, this process reads the rules,
    /// and the child shares its memory until it runs the program, which this process doesn't wait
    /// for. Otherwise the connection gets a process at once, which does the rest.
    ///
    /// # Errors
    /// Why there is none. What happens in the connection's own process, that says itself.
    pub fn start(
        &mut self,
        connection: &Connection,
        signals: &Signals,
        listener: &mut Listener,
    ) -> Result<Pid, Dropped> {
        let known = self.look_ups.known(connection.ends.local.ip());
        let waits = known.is_none() || connection.proxied;
        match known {
            Some(found) if !waits && self.verbosity != Verbosity::Verbose => {
                greet(&connection.stream, self.banner)?;
                let changes = self.judge(connection, connection.ends, &found, true)?;
                self.describe(connection.ends, &found);
                if changes.is_empty() {
                    return self.spawn(&connection.stream, signals);
                }
                let before = self.environment.clone();
                self.follow(&changes);
                let started = self.spawn(&connection.stream, signals);
                self.environment = before;
                started
            }
            Some(_) | None => match fork::fork().map_err(Dropped::Fork)? {
                Fork::Parent(pid) => Ok(pid),
                Fork::Child => {
                    let dropped = self.serve(connection, signals, waits.then_some(listener));
                    fork::exit(self.give_up(dropped))
                }
            },
        }
    }

    /// In a process of the connection's own: becomes the program, and comes back only if that
    /// isn't to be. Lets go of the listening socket if it may have to wait.
    fn serve(
        &mut self,
        connection: &Connection,
        signals: &Signals,
        leaves: Option<&mut Listener>,
    ) -> Dropped {
        if let Some(listener) = leaves
            && let Err(dropped) = leave(signals, listener)
        {
            return dropped;
        }
        match self.admit(connection, Some(self.banner)) {
            Ok(_) => self.become_program(&connection.stream, &connection.stream, signals),
            Err(dropped) => dropped,
        }
    }

    /// Comes back only if that failed.
    pub(crate) fn become_program(
        &self,
        input: &impl AsFd,
        output: &impl AsFd,
        signals: &Signals,
    ) -> Dropped {
        let handed_over = dup2_stdin(input)
            .and_then(|()| dup2_stdout(output))
            .and_then(|()| if self.no_stderr { close(2) } else { Ok(()) });
        if let Err(error) = handed_over {
            return Dropped::HandOver(Errno::from_raw_os_error(error as i32));
        }
        let env = self.environment.vector();
        signals.put_back();
        Dropped::Run(self.program.exec(self.vector, &env))
    }

    fn spawn(&mut self, stream: &TcpStream, signals: &Signals) -> Result<Pid, Dropped> {
        let stream = sys::borrow(stream.as_raw_fd()).ok_or(Dropped::HandOver(Errno::BADF))?;
        let starting = Starting {
            program: self.program,
            args: self.vector,
            close: if self.no_stderr { &[2] } else { &[] },
            mask: signals.handed_on(),
            defaults: signals.defaults(),
        };
        self.starter.start(&starting, stream, self.environment.iter()).map_err(dropped)
    }

    /// Why the program of this child, which has ended, never ran, if that wasn't known at once.
    pub fn failure(&mut self, pid: Pid) -> Option<Dropped> {
        self.starter.failure(pid).map(dropped)
    }

    /// In a process of the connection's own: says why it was dropped. Gives the exit code.
    pub(crate) fn give_up(&self, dropped: Dropped) -> u8 {
        self.warn(dropped);
        dropped.exit()
    }

    /// Says why a connection was dropped, unless nothing is to be said.
    pub fn warn(&self, dropped: Dropped) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let name = self.args.get(0).unwrap_or_default().to_bytes();
        let who;
        let (what, object, errno): (&[u8], &[u8], _) = match dropped {
            Dropped::Denied | Dropped::Crowded(_) => return,
            Dropped::Proxy(from, errno) => {
                who = address::text(from);
                (b"read PROXY header from ", who.as_bytes(), errno)
            }
            Dropped::Banner(errno) => (b"print banner", b"", errno),
            Dropped::Rules(errno) => (b"read ", self.rules.file(), errno),
            Dropped::Fork(errno) => (b"fork", b"", errno),
            Dropped::HandOver(errno) => (b"set up descriptors", b"", errno),
            Dropped::Run(errno) => (b"run ", name, errno),
        };
        NAME.warn_errno(&[b"dropping connection, unable to ", what, object], errno);
    }
}

fn dropped(error: SpawnError) -> Dropped {
    match error {
        SpawnError::Clone(errno) => Dropped::Fork(errno),
        SpawnError::Directory(errno) | SpawnError::Descriptor(errno) => Dropped::HandOver(errno),
        SpawnError::Exec(errno) => Dropped::Run(errno),
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

/// In a process of the connection's own that may have to wait: lets go of the listening socket, and of
/// the signals that the server lives by.
pub(crate) fn leave(signals: &Signals, listener: &mut Listener) -> Result<(), Dropped> {
    signals.put_back();
    // The log may have no reader any more, and that is no reason to end.
    signal::ignore(Signal::PIPE);
    listener.leave().map_err(|error| Dropped::HandOver(Errno::from_raw_os_error(error as i32)))
}

/// Tells a client in plain text why it isn't served, if that can be done without waiting.
pub fn refuse(stream: &TcpStream, message: &[u8]) {
    // Whoever has gone already doesn't miss anything.
    if message.is_empty() || greet(stream, message).is_err() {
        return;
    }
    let _ = stream.shutdown(Shutdown::Write);
    // A socket that is closed with something unread in it resets the connection, and the message may
    // be lost on its way. Most clients have said little by now.
    let mut unread = [0; 4096];
    for _ in 0..4 {
        match recv(stream.as_raw_fd(), &mut unread, MsgFlags::MSG_DONTWAIT) {
            Ok(1..) => {}
            Ok(_) | Err(_) => return,
        }
    }
}
