//! splogger: hands what a service says to the host's syslog, line by line.

mod delivery;
pub(crate) mod line;
pub(crate) mod message;
mod queue;
mod request;

use crate::input::{Input, watch};
use common::{Exit, Failure, Name};
use core::mem::MaybeUninit;
use core::time::Duration;
use delivery::{Delivery, Outcome};
use line::Lines;
use queue::Queue;
use request::Request;
use sys::clock::{monotonic, realtime};
use sys::poll::{PollFd, PollFlags, poll};
use sys::signal::Signal;
use sys::{Args, Env, Errno};

const NAME: Name = Name("splogger");

/// Read at once. Little, so that little has left the pipe when the queue is full.
const READ: usize = 1024;

/// A syslogd that is away is looked for so often.
const RETRY: Duration = Duration::from_millis(500);

/// After TERM, the line in hand may take so long to end, and the queue to be delivered.
const GRACE: Duration = Duration::from_secs(3);

/// `splogger [TAG [FACILITY]]`: sends each line of standard input to `/dev/log` (or the socket that
/// `$SYSLOG_SOCKET` names), until its end or TERM.
///
/// No line that has left the pipe is lost. While nobody listens at the socket, lines are kept; when
/// too many are, no more are read, and the pipe holds the service back. On TERM, the line in hand
/// is read to its end and the rest of the pipe left to a successor. What can't be delivered in the
/// 3 s after that goes to standard error.
///
/// # Errors
/// Wrong usage: 100. Standard input that can't be read: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let Request { tag, facility, path, socket } = request::read(args, env)?;
    let input = sys::borrow(0).ok_or_else(|| {
        let parts: [&[u8]; 1] = [b"unable to read standard input"];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, Errno::BADF)
    })?;
    Ok(Splogger {
        tag,
        facility,
        path,
        delivery: Delivery::new(socket),
        input: Input::new(input, watch(&[Signal::TERM])),
        lines: Lines::default(),
        queue: Queue::default(),
        reading: true,
        deadline: None,
        outage: false,
        exit: Exit::OK,
    }
    .work())
}

struct Splogger {
    tag: &'static [u8],
    facility: u8,
    path: &'static [u8],
    delivery: Delivery,
    input: Input,
    lines: Lines,
    queue: Queue,
    /// Neither was the end of the input reached, nor is a successor to have the rest.
    reading: bool,
    /// When to give up, once TERM came.
    deadline: Option<Duration>,
    /// Whether it was said that nobody listens.
    outage: bool,
    exit: Exit,
}

/// Why the queue isn't empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    /// syslogd is slower than we are.
    Busy,
    /// Nobody listens.
    Away,
}

impl Splogger {
    fn work(mut self) -> Exit {
        loop {
            let held = self.deliver();
            if !self.reading && held == Held::Nothing {
                return self.exit;
            }
            if self.deadline.is_some_and(|deadline| monotonic() >= deadline) {
                return self.give_up();
            }
            if self.wait(held) {
                self.read();
            }
            if self.input.signals().contains(Signal::TERM) && self.deadline.is_none() {
                self.deadline = Some(monotonic() + GRACE);
                self.input.end_with_this_line();
            }
            if self.deadline.is_some() && !self.lines.is_in_line() {
                self.reading = false;
            }
        }
    }

    /// Sends what the queue holds, as far as syslogd takes it.
    fn deliver(&mut self) -> Held {
        while let Some(message) = self.queue.first() {
            let packet = message.packet(self.facility, self.tag);
            match self.delivery.send(&packet) {
                Outcome::Sent => {
                    self.queue.remove_first();
                    self.outage = false;
                }
                Outcome::Busy => return Held::Busy,
                Outcome::Away(errno) => {
                    if !self.outage {
                        self.outage = true;
                        NAME.warn_errno(&[b"unable to send to ", self.path], errno);
                    }
                    return Held::Away;
                }
            }
        }
        Held::Nothing
    }

    /// Waits for something to do. Gives whether there is input.
    fn wait(&mut self, held: Held) -> bool {
        let listening = self.reading && self.queue.has_room();
        let input = PollFd::from_borrowed_fd(self.input.fd(), PollFlags::IN);
        let mut fds = [input.clone(), input];
        let mut count = usize::from(listening);
        if let Some(socket) = self.delivery.socket()
            && held == Held::Busy
        {
            fds[count] = PollFd::from_borrowed_fd(socket, PollFlags::OUT);
            count += 1;
        }
        let retry = (held != Held::Nothing).then_some(RETRY);
        let grace = self.deadline.map(|deadline| deadline.saturating_sub(monotonic()));
        let timeout = [retry, grace].into_iter().flatten().min();
        match poll(&mut fds[..count], timeout, Some(self.input.waiting())) {
            Ok(_) => listening && !fds[0].revents().is_empty(),
            Err(Errno::INTR) => false,
            // No memory, say. What was read must not be lost with us.
            Err(errno) => {
                NAME.warn_errno(&[b"unable to wait for input"], errno);
                self.deadline = Some(Duration::ZERO);
                false
            }
        }
    }

    fn read(&mut self) {
        let mut buffer = [MaybeUninit::uninit(); READ];
        match self.input.read(&mut buffer) {
            Ok([]) => {
                self.reading = false;
                self.lines.finish(|message| self.queue.add(message));
            }
            Ok(read) => {
                self.lines.feed(read, realtime(), |message| self.queue.add(message));
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            // What was read before still goes its way.
            Err(errno) => {
                NAME.warn_errno(&[b"unable to read standard input"], errno);
                self.exit = Exit::TEMPORARY;
                self.reading = false;
                self.lines.finish(|message| self.queue.add(message));
            }
        }
    }

    /// After TERM and a time of grace: what is left goes to standard error.
    fn give_up(mut self) -> Exit {
        self.lines.finish(|message| self.queue.add(message));
        if self.deliver() == Held::Nothing {
            return self.exit;
        }
        while let Some(message) = self.queue.first() {
            NAME.warn(&[b"undelivered: ", self.tag, b": ", &message.content()]);
            self.queue.remove_first();
        }
        Exit::TEMPORARY
    }
}
