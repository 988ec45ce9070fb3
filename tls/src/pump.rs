//! The relay's executor: does what [`Relay`] says, with descriptors that never block.

use super::intake::Intake;
use super::pipe::End;
use super::relay::{FLUSH, Interest, LINGER, Levels, Patience, Relay, Step};
use super::wire::{Received, Wire, WireError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;
use nix::unistd::{read, write};
use std::os::fd::AsFd;
use std::time::Instant;
use sys::process::{Pid, WaitOptions, waitpid};
use sys::signal::{self, Signal, SignalSet};

/// A program that runs at the other end of two pipes.
pub(super) struct Program {
    /// Its process, a child of ours.
    pub(super) process: Pid,
    /// Our end of its standard input.
    pub(super) input: End,
    /// Our end of its standard output.
    pub(super) output: End,
}

/// Makes SIGCHLD and SIGPIPE the relay's own. Before the cage is shut: this is no business of whoever
/// sits in there. Whatever ends before this is found by the first look.
pub(super) fn take_signals() {
    signal::ignore(Signal::PIPE);
    signal::block(SignalSet::of(&[Signal::CHILD]));
    signal::catch(Signal::CHILD);
}

/// Relays until connection and program are both done, after [`take_signals`]. `banner` goes to the peer
/// first. Gives the program's raw wait status.
pub(super) fn run(wire: Wire, program: Program, banner: &[u8], log: &mut dyn FnMut(&[u8])) -> i32 {
    let pump = Pump {
        relay: Relay::new(),
        wire,
        process: Some(program.process),
        input: Some(program.input),
        output: Some(program.output),
        pending: Intake::holding(banner),
        log,
    };
    pump.run()
}

/// Waits until this child ends. Gives its raw wait status.
pub(super) fn reap(process: Pid) -> i32 {
    loop {
        match waitpid(Some(process), WaitOptions::empty()) {
            Ok(Some((_, status))) => return status.as_raw(),
            Ok(None) | Err(sys::Errno::INTR) => {}
            Err(_) => return super::TROUBLE,
        }
    }
}

struct Pump<'a> {
    relay: Relay,
    wire: Wire,
    /// Until it is reaped.
    process: Option<Pid>,
    input: Option<End>,
    output: Option<End>,
    /// The program's bytes that aren't encrypted yet.
    pending: Intake,
    log: &'a mut dyn FnMut(&[u8]),
}

impl Pump<'_> {
    fn run(mut self) -> i32 {
        let mut waiting = (Patience::Unbounded, Instant::now());
        self.reap();
        let standing = self.wire.standing();
        self.received(standing);
        loop {
            self.encrypt();
            self.send();
            self.feed();
            while let Some(step) = self.relay.next(self.levels()) {
                self.perform(step);
            }
            if let Some(status) = self.relay.over() {
                return status;
            }
            let patience = self.relay.patience(self.levels());
            if patience != waiting.0 {
                waiting = (patience, Instant::now());
            }
            let deadline = match patience {
                Patience::Unbounded => None,
                Patience::Flush => Some(waiting.1 + FLUSH),
                Patience::Linger => Some(waiting.1 + LINGER),
            };
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                if patience == Patience::Flush {
                    self.report("gave up: peer doesn't read what it is sent");
                }
                self.relay.give_up();
                continue;
            }
            match self.wait(deadline) {
                Ok(ready) => {
                    self.move_bytes(ready);
                    // No signal interrupts a wait that finds bytes at once. A peer that never
                    // stops sending must not hide that the program has ended.
                    if self.output.is_none() {
                        self.reap();
                    }
                }
                Err(Errno::EINTR) => self.reap(),
                Err(error) => return self.abandon(error),
            }
        }
    }

    fn levels(&self) -> Levels {
        Levels {
            plain: self.wire.has_plain(),
            pending: !self.pending.is_empty(),
            wire: self.wire.has_records(),
        }
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::CloseInput => self.input = None,
            Step::CloseOutput => {
                self.output = None;
                self.pending.clear();
            }
            Step::Discard => self.wire.discard(),
            Step::SayGoodbye => {
                self.wire.say_goodbye();
                self.send();
            }
            Step::ShutDown => self.wire.shut_down(),
        }
    }

    /// Waits for what the relay is interested in, a signal, or the deadline. Gives what is ready.
    fn wait(&self, deadline: Option<Instant>) -> Result<Interest, Errno> {
        let wanted = self.relay.interest(self.levels());
        let flags = |wanted: bool, flag| if wanted { flag } else { PollFlags::empty() };
        let mut fds = Vec::with_capacity(3);
        // A descriptor of no interest isn't waited for at all: poll would report its end again
        // and again.
        let socket =
            flags(wanted.receive, PollFlags::POLLIN) | flags(wanted.send, PollFlags::POLLOUT);
        if wanted.receive || wanted.send {
            fds.push(PollFd::new(self.wire.socket(), socket));
        }
        if let (true, Some(input)) = (wanted.feed, &self.input) {
            fds.push(PollFd::new(input.as_fd(), PollFlags::POLLOUT));
        }
        if let (true, Some(output)) = (wanted.collect, &self.output) {
            fds.push(PollFd::new(output.as_fd(), PollFlags::POLLIN));
        }
        let timeout = deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
            .map(TimeSpec::from_duration);
        // All signals are let in: SIGCHLD to be noticed, the others to do what they do.
        ppoll(&mut fds, timeout, Some(SigSet::empty()))?;
        let mut results = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        let mut result = |wanted: bool| match wanted {
            true => results.next().unwrap_or(PollFlags::empty()),
            false => PollFlags::empty(),
        };
        // An error or a hang-up shows when it is read from or written to.
        let socket = result(wanted.receive || wanted.send);
        let both = PollFlags::POLLERR | PollFlags::POLLHUP;
        Ok(Interest {
            receive: wanted.receive && socket.intersects(PollFlags::POLLIN | both),
            send: wanted.send && socket.intersects(PollFlags::POLLOUT | both),
            feed: !result(wanted.feed && self.input.is_some()).is_empty(),
            collect: !result(wanted.collect && self.output.is_some()).is_empty(),
        })
    }

    fn move_bytes(&mut self, ready: Interest) {
        // Sending and feeding are tried in any case, before the next wait.
        if ready.receive {
            self.receive();
        }
        if ready.collect {
            self.collect();
        }
    }

    /// Socket to TLS.
    fn receive(&mut self) {
        let received = self.wire.receive();
        if let (Some(input), true) = (&mut self.input, self.wire.is_busy()) {
            input.widen();
        }
        self.received(received);
    }

    fn received(&mut self, received: Result<Received, WireError>) {
        match received {
            Ok(Received::Some | Received::Nothing) => {}
            Ok(Received::Goodbye) => self.relay.peer_finished(),
            Ok(Received::End) => {
                if self.relay.is_goodbye_due() {
                    self.report("peer closed the connection without close_notify");
                }
                self.relay.peer_finished();
            }
            Err(error) => self.broken(&error),
        }
    }

    /// TLS to the program.
    fn feed(&mut self) {
        while let (Some(input), true) = (&self.input, self.wire.has_plain()) {
            match write(input, self.wire.plain()) {
                Ok(count) => self.wire.consume(count),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                // EPIPE: nobody reads there any more.
                Err(_) => {
                    self.input = None;
                    self.relay.input_refused();
                }
            }
        }
    }

    /// The program to us.
    fn collect(&mut self) {
        let Some(output) = &mut self.output else { return };
        let filled = self.pending.fill(|buffer| read(&*output, buffer));
        if self.pending.is_large() {
            output.widen();
        }
        match filled {
            Ok(0) => {
                self.output = None;
                self.relay.output_ended();
            }
            Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(error) => {
                self.report(&format!(
                    "unable to read from program: {}",
                    super::reason::system(error)
                ));
                self.output = None;
                self.relay.output_ended();
            }
        }
    }

    /// What the program wrote, to TLS.
    fn encrypt(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match self.wire.encrypt(self.pending.bytes()) {
            // After some hundred gigabytes (or 2^24 records) of TLS 1.2, that was all: rustls has
            // said goodbye.
            Ok(0) if !self.wire.has_records() => {
                self.report("connection has used up its keys");
                self.relay.peer_gone();
            }
            Ok(count) => self.pending.consume(count),
            Err(error) => self.broken(&error),
        }
    }

    /// TLS to the socket.
    fn send(&mut self) {
        if self.relay.interest(self.levels()).send
            && let Err(error) = self.wire.send()
        {
            self.broken(&WireError::System(error));
        }
    }

    fn broken(&mut self, error: &WireError) {
        if let WireError::Protocol(_) = error {
            // The alert that says what was wrong.
            let _ = self.wire.send();
        }
        if self.relay.is_goodbye_due() {
            let reason = self.wire.explain(error);
            self.report(&reason);
        }
        self.relay.peer_gone();
    }

    fn report(&mut self, reason: &str) {
        (self.log)(reason.as_bytes());
    }

    /// Looks whether the program has ended.
    fn reap(&mut self) {
        signal::take();
        let Some(process) = self.process else { return };
        if let Ok(Some((_, status))) = waitpid(Some(process), WaitOptions::NOHANG) {
            self.process = None;
            self.relay.program_ended(status.as_raw());
        }
    }

    /// Waiting fails, which it has no reason to. Without us the program sees the end of its
    /// streams; what it makes of that is still its own affair.
    fn abandon(mut self, error: Errno) -> i32 {
        self.report(&format!("unable to wait: {}", super::reason::system(error)));
        self.input = None;
        self.output = None;
        drop(self.wire);
        self.process.map_or(0, reap)
    }
}
