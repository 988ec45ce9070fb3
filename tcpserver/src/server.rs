//! tcpserver itself: one loop that waits for connections and for the ends of their programs.

use crate::encrypted::{Beginning, Encryption};
use crate::launch::{self, Connection, Ends, Launcher};
use crate::limits::{Crowd, Limits, Refusal};
use crate::network::Network;
use crate::options::{NAME, Options, Verbosity};
use crate::signals::Signals;
use crate::socket::{self, Listener, errno};
use crate::table::{Event, Gate, Said, Table};
use crate::{inherited, line, log, privilege, resolve};
use common::{Exit, Failure};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use nix::unistd::geteuid;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;
use sys::process::{WaitOptions, wait};
use sys::{Args, Env, Errno, clock};

/// The kernel doesn't deliver signals to a process that finds a connection ready whenever it waits.
/// After so many in a row, signals get their turn.
const IN_A_ROW: u32 = 8;

/// tcpserver(8). Ends with 0 when SIGTERM arrives; programs that run then, run on.
///
/// # Errors
/// 100: wrong usage. 111: no such host or port, the socket is not to be had, the key file can't be
/// used, root can't be given up.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let options = Options::parse(args, env)?;
    serve(&options, env).map_err(|failure| match options.verbosity {
        Verbosity::Quiet => Failure::silent(failure.code),
        Verbosity::Errors | Verbosity::Verbose => failure,
    })
}

fn serve(options: &Options, env: Env) -> Result<Exit, Failure> {
    let signals = Signals::install(options.tls.beginning().is_some())
        .map_err(|error| NAME.fatal_errno(111, &[b"unable to catch signals"], errno(&error)))?;
    // The key may be readable for root alone.
    let tls = load(options, env)?;
    let handed_over = inherited::number(options.access.listen_fd, env)?;
    let listener = match handed_over {
        Some(number) => Listener::inherited(number, resolve::port(options.port)?)?,
        None => {
            let address = resolve::listen_address(options, env)?;
            Listener::new(address, options.access.ipv6_only, options.backlog)?
        }
    };
    privilege::give_up(options.gid, options.uid)?;
    let tls = tls.map(|loaded| caged(loaded, options, env)).transpose()?;
    if options.print_port {
        print_port(listener.address.port());
    }
    listener.take_standard_descriptors()?;
    let launcher = Launcher::new(options, env, listener.no_stderr, handed_over.is_some());
    let table = Table::new(options.limit);
    let from_rules = options.access.rules.is_some();
    let from_environment =
        [&b"MAXCONNIP"[..], b"MAXCONNC"].iter().any(|name| env.get(name).is_some());
    let limits = Limits::new(options.access.bounds, from_rules || from_environment);
    let proxies = options.access.proxies.networks().collect();
    Server { options, signals, tls, listener, launcher, table, limits, proxies }.run()
}

type Loaded = (Beginning, tls::Server);

fn load(options: &Options, env: Env) -> Result<Option<Loaded>, Failure> {
    let Some(beginning) = options.tls.beginning() else { return Ok(None) };
    let server = tls::Server::load(options.tls.settings(env)?).map_err(|unusable| {
        let (path, reason) = (unusable.path.as_os_str().as_bytes(), unusable.reason.to_string());
        NAME.fatal(111, &[b"unable to use ", path, b": ", reason.as_bytes()])
    })?;
    Ok(Some((beginning, server)))
}

/// What relays give up is made ready as the account that they begin as.
fn caged((beginning, server): Loaded, options: &Options, env: Env) -> Result<Encryption, Failure> {
    let account = options.tls.account(env, geteuid().is_root())?;
    let (cage, missing) = tls::Cage::new(account);
    if options.verbosity != Verbosity::Quiet {
        for trouble in missing {
            NAME.warn(&[b"TLS processes are ", trouble.as_bytes()]);
        }
    }
    let limit = options.tls.limit().unwrap_or(options.timeout);
    Ok(Encryption { server, cage, beginning, limit })
}

/// Whoever asked for it and has closed standard output, doesn't want it: as in the original, that
/// is no reason to end.
fn print_port(port: u16) {
    if let Some(stdout) = sys::borrow(1) {
        let _ = sys::write_all(stdout, format!("{port}\n").as_bytes());
    }
}

struct Server<'a> {
    options: &'a Options,
    signals: Signals,
    tls: Option<Encryption>,
    listener: Listener,
    launcher: Launcher,
    table: Table,
    limits: Limits,
    /// Who hands on the connections of others.
    proxies: Vec<Network>,
}

impl Server<'_> {
    fn run(mut self) -> Result<Exit, Failure> {
        self.log(self.table.status());
        let mut in_a_row = 0;
        loop {
            let ready = self.wait(in_a_row < IN_A_ROW)?;
            in_a_row = if ready { in_a_row + 1 } else { 0 };
            if self.signals.terminated() {
                return Ok(Exit::OK);
            }
            if self.signals.children_ended() {
                self.reap();
            }
            if self.signals.reload_wanted() {
                self.reload();
            }
            if ready {
                self.accept();
            }
        }
    }

    /// Waits for a connection, if one may be accepted, and for signals. True if there is one.
    fn wait(&self, sleep: bool) -> Result<bool, Failure> {
        let mut fds = [PollFd::new(self.listener.socket.as_fd(), PollFlags::POLLIN)];
        let (fds, timeout) = match self.table.gate(clock::monotonic) {
            _ if !sleep => (&mut fds[..0], Some(Duration::ZERO)),
            Gate::Open => (&mut fds[..], None),
            Gate::Full => (&mut fds[..0], None),
            Gate::Paused(left) => (&mut fds[..0], Some(left)),
        };
        match ppoll(fds, timeout.map(TimeSpec::from), Some(self.signals.waiting())) {
            Ok(ready) => Ok(ready > 0),
            Err(nix::Error::EINTR) => Ok(false),
            Err(error) => {
                let errno = Errno::from_raw_os_error(error as i32);
                Err(NAME.fatal_errno(111, &[b"unable to wait for connections"], errno))
            }
        }
    }

    fn accept(&mut self) {
        match self.listener.accept() {
            Ok((stream, remote)) => self.start(stream, remote),
            Err(error) if is_of_one_connection(error) => {}
            Err(error) => {
                self.warn(&[b"unable to accept connection"], error);
                self.handle(Event::Exhausted { now: clock::monotonic() });
            }
        }
    }

    fn start(&mut self, stream: TcpStream, remote: SocketAddr) {
        let proxied = self.proxies.iter().any(|network| network.contains(remote.ip()));
        // Whoever is behind a proxy isn't known yet, and the proxy is nobody's neighbour.
        let crowd = if proxied { Ok(Crowd::default()) } else { self.crowd(remote.ip()) };
        let crowd = match crowd {
            Ok(crowd) => crowd,
            Err(refusal) => {
                // Who begins with TLS would take it for anything but a message.
                if self.tls.as_ref().is_none_or(|tls| tls.beginning == Beginning::WhenAsked) {
                    launch::refuse(&stream, &refusal.message());
                }
                if self.verbose() {
                    log::write(&line::refuse(remote.ip(), &refusal.reason()));
                }
                return;
            }
        };
        self.handle(Event::Accepted);
        socket::prepare(&stream, self.options.keep_ip_options, self.options.no_delay);
        let listening = self.listener.address;
        // Only a socket that listens at every address has to be asked which one it was.
        let local = if listening.ip().is_unspecified() {
            stream.local_addr().unwrap_or(listening)
        } else {
            listening
        };
        let connection = Connection { stream, ends: Ends { local, remote }, crowd, proxied };
        let (listener, signals) = (&mut self.listener, &self.signals);
        let started = match self.tls.as_ref().filter(|tls| self.launcher.has_tls(tls)) {
            None => self.launcher.start(&connection, signals, listener),
            Some(tls) => self.launcher.start_encrypted(connection, signals, tls, listener),
        };
        match started {
            Ok(pid) => {
                let pid = pid.as_raw_nonzero().get();
                if !proxied {
                    self.limits.started(pid, remote.ip());
                }
                self.handle(Event::Started(pid));
            }
            Err(dropped) => {
                self.launcher.warn(dropped);
                self.handle(Event::Dropped);
            }
        }
    }

    /// How many there are with a connection from there; or why it isn't served.
    fn crowd(&mut self, remote: IpAddr) -> Result<Crowd, Refusal> {
        let now = clock::monotonic();
        self.limits.arrive(remote, now).or_else(|_| {
            // Some may have ended meanwhile.
            self.reap();
            self.limits.arrive(remote, now)
        })
    }

    /// Asks once more than there are children that ended, unless none is left.
    fn reap(&mut self) {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if let Some(dropped) = self.launcher.failure(pid) {
                        self.launcher.warn(dropped);
                    }
                    let pid = pid.as_raw_nonzero().get();
                    self.limits.ended(pid);
                    if status.terminating_signal() == Some(libc::SIGSYS) && self.tls.is_some() {
                        self.warn_of_break_in(pid);
                    }
                    self.handle(Event::Ended(pid, status.as_raw()));
                    if self.table.running() == 0 {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn reload(&mut self) {
        let Some(Encryption { server, .. }) = &mut self.tls else { return };
        if let Err(unusable) = server.reload()
            && self.options.verbosity != Verbosity::Quiet
        {
            let (path, reason) =
                (unusable.path.as_os_str().as_bytes(), unusable.reason.to_string());
            NAME.warn(&[b"unable to use ", path, b", keeping the old one: ", reason.as_bytes()]);
        }
    }

    fn handle(&mut self, event: Event) {
        let said = self.table.handle(event);
        self.log(said);
    }

    fn log(&self, said: Said) {
        if self.verbose() {
            log::write(&said.text());
        }
    }

    fn verbose(&self) -> bool {
        self.options.verbosity == Verbosity::Verbose
    }

    /// No relay makes a system call that its cage forbids, unless it does somebody else's will.
    fn warn_of_break_in(&self, pid: i32) {
        if self.options.verbosity != Verbosity::Quiet {
            let pid = common::decimal(u64::from(pid.unsigned_abs()));
            let reason = b": TLS process was killed: it tried what no such process does";
            NAME.warn(&[b"pid ", pid.as_bytes(), reason]);
        }
    }

    fn warn(&self, parts: &[&[u8]], error: Errno) {
        if self.options.verbosity != Verbosity::Quiet {
            NAME.warn_errno(parts, error);
        }
    }
}

/// Whether accept(2) failed for a reason that ends with the connection that it was about: then the
/// next one is as good as any.
fn is_of_one_connection(error: Errno) -> bool {
    matches!(
        error,
        Errno::AGAIN
            | Errno::INTR
            | Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::PERM
            | Errno::PROTO
            | Errno::NOPROTOOPT
            | Errno::OPNOTSUPP
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::NONET
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::TIMEDOUT
    )
}
