//! splogger: hands what a service says to the host's syslog, the journal, or another host, line by line.
//!
//! [`request`] is the command line. [`line`] makes messages of lines, [`form`] what they look like. [`outbox`] has them until
//! they have arrived: [`backlog`] keeps them, with [`spool`], and [`way`] takes them: [`delivery`], [`udp`] or [`stream`].

mod backlog;
mod delivery;
pub(crate) mod destination;
pub(crate) mod fields;
mod form;
mod hand_over;
pub(crate) mod line;
pub(crate) mod message;
mod outbox;
mod request;
mod service;
pub(crate) mod spool;
mod stream;
pub(crate) mod structured;
pub(crate) mod syslog;
mod udp;
mod way;

use crate::input::{Input, watch};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::mem::MaybeUninit;
use core::time::Duration;
use line::Lines;
use outbox::{Held, Outbox};
use service::Service;
use spool::Spool;
use sys::clock::{monotonic, realtime};
use sys::poll::{PollFd, PollFlags, poll};
use sys::signal::Signal;
use sys::{Args, Env, Errno};
use way::Way;

const NAME: Name = Name("splogger");

/// Read at once. Little, so that little has left the pipe when the queue is full.
const READ: usize = 1024;

/// A daemon that is away is looked for so often.
const RETRY: Duration = Duration::from_millis(500);

/// After TERM, the line in hand may take so long to end, and the queue to be delivered; after the end of the input, so
/// long a stream may take to tell that it has all.
const GRACE: Duration = Duration::from_secs(3);

/// A service that never pauses is read so often before signals are let in.
const TURNS: u8 = 16;

/// `splogger [OPTIONS] [TAG [FACILITY]]`: sends each line of standard input to `/dev/log` (or the socket that
/// `$SYSLOG_SOCKET` names), or to where `--to` says, until its end or TERM.
///
/// No line that has left the pipe is lost. While nobody listens, lines are kept, in memory or in the spool; when
/// too many are, no more are read, and the pipe holds the service back. On TERM, the line in hand
/// is read to its end and the rest of the pipe left to a successor. What can't be delivered in the
/// 3 s after that stays in the spool, or goes to standard error.
///
/// # Errors
/// Wrong usage: 100. Standard input that can't be read, a spool that can't be used: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let request = request::read(args, env)?;
    if request.hands_over {
        return hand_over::run();
    }
    let input = sys::borrow(0).ok_or_else(|| {
        let parts: [&[u8]; 1] = [b"unable to read standard input"];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, Errno::BADF)
    })?;
    let spool = request.spool.as_ref().map(Spool::open).transpose()?;
    let input = Input::new(input, watch(&[Signal::TERM]));
    let way = Way::to(&request, args, env, input.waiting());
    Ok(Splogger {
        input,
        lines: request.form.lines(),
        service: request.service,
        process: None,
        outbox: Outbox::new(request.name, request.form, way, spool),
        reading: true,
        turns: 0,
        deadline: None,
        exit: Exit::OK,
    }
    .work())
}

struct Splogger {
    input: Input,
    lines: Lines,
    service: Service,
    /// The service's, when it was last read from.
    process: Option<u32>,
    outbox: Outbox,
    /// Neither was the end of the input reached, nor is a successor to have the rest.
    reading: bool,
    /// How often it was read since signals were let in.
    turns: u8,
    /// When to give up, once TERM came, or the input has ended and only word of what has arrived is waited for.
    deadline: Option<Duration>,
    exit: Exit,
}

/// What is ready.
#[derive(Default)]
struct Ready {
    input: bool,
    way: bool,
}

impl Splogger {
    fn work(mut self) -> Exit {
        loop {
            let held = self.outbox.deliver();
            if !self.reading {
                if self.outbox.is_over(held) {
                    return self.exit;
                }
                if held == Held::Nothing {
                    // All is sent; whether it has arrived isn't waited for without end.
                    self.deadline.get_or_insert_with(|| monotonic() + GRACE);
                }
            }
            if self.deadline.is_some_and(|deadline| monotonic() >= deadline) {
                return self.give_up();
            }
            let ready = self.wait(held);
            if ready.way {
                self.outbox.attend();
            }
            if ready.input {
                self.read();
            }
            self.heed_signals(&ready);
            if self.deadline.is_some() && !self.lines.is_in_line() {
                self.reading = false;
            }
        }
    }

    /// Signals come while we wait. Only a service that never pauses keeps them out: see [`Input::signals`].
    fn heed_signals(&mut self, ready: &Ready) {
        self.turns = if ready.input { self.turns + 1 } else { TURNS };
        if self.turns < TURNS {
            return;
        }
        self.turns = 0;
        if self.input.signals().contains(Signal::TERM) {
            self.deadline.get_or_insert_with(|| monotonic() + GRACE);
            self.input.end_with_this_line();
        }
    }

    /// Waits for something to do.
    fn wait(&mut self, held: Held) -> Ready {
        let listening = self.reading && self.outbox.has_room();
        let mut fds = Vec::with_capacity(4);
        if listening {
            fds.push(PollFd::from_borrowed_fd(self.input.fd(), PollFlags::IN));
        }
        self.outbox.watch(held, &mut fds);
        let waits = held != Held::Nothing || !self.reading || self.outbox.is_unsettled();
        let retry = waits.then_some(RETRY);
        let grace = self.deadline.map(|deadline| deadline.saturating_sub(monotonic()));
        let timeout = [retry, grace].into_iter().flatten().min();
        match poll(&mut fds, timeout, Some(self.input.waiting())) {
            Ok(_) => {
                let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
                let (input, way) = fds.split_at(usize::from(listening));
                Ready { input: input.iter().any(is_ready), way: way.iter().any(is_ready) }
            }
            Err(Errno::INTR) => Ready::default(),
            // No memory, say. What was read must not be lost with us.
            Err(errno) => {
                NAME.warn_errno(&[b"unable to wait for input"], errno);
                self.deadline = Some(Duration::ZERO);
                Ready::default()
            }
        }
    }

    fn read(&mut self) {
        let mut buffer = [MaybeUninit::uninit(); READ];
        match self.input.read(&mut buffer) {
            Ok([]) => {
                self.reading = false;
                self.finish();
            }
            Ok(read) => {
                if self.outbox.names_process() {
                    self.process = self.service.process();
                }
                let (outbox, process) = (&mut self.outbox, self.process);
                self.lines.feed(read, realtime(), |message| outbox.add(&message, process));
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            // What was read before still goes its way.
            Err(errno) => {
                NAME.warn_errno(&[b"unable to read standard input"], errno);
                self.exit = Exit::TEMPORARY;
                self.reading = false;
                self.finish();
            }
        }
    }

    /// The line in hand is complete.
    fn finish(&mut self) {
        let (outbox, process) = (&mut self.outbox, self.process);
        self.lines.finish(|message| outbox.add(&message, process));
    }

    /// After TERM and a time of grace: what is left, and isn't in the spool, goes to standard error.
    fn give_up(mut self) -> Exit {
        self.finish();
        if self.outbox.give_up() { self.exit } else { Exit::TEMPORARY }
    }
}
