//! The relay between a peer and a program, as a state machine without any input or output.
//!
//! Four streams: what the peer sends goes to the program's standard input, what the program writes
//! goes to the peer. Either direction can end while the other goes on:
//!
//! | what happens | what follows |
//! | --- | --- |
//! | the peer says goodbye (close_notify) | the program reads the rest, then the end of its input; its output still flows |
//! | the peer closes without a goodbye | the same, and a line in the log: somebody may have cut the message short |
//! | the connection breaks | the same, and the program's output is closed: it gets SIGPIPE when it writes |
//! | the program closes its input | what the peer still sends is thrown away |
//! | the program closes its output | the rest is sent, then our goodbye, then TCP's; the peer may go on sending |
//! | the program ends | nothing by itself: a child of its own may go on with the connection |
//! | all output is sent, the program has ended | the peer has [`LINGER`] to close too; then it is over |
//!
//! The program alone decides how long it waits for a silent peer. The relay has two bounds of its
//! own, for the time when no program is there to decide: [`FLUSH`] and [`LINGER`].

use std::time::Duration;

/// How long a peer may take to accept the output that is on its way (at most some 130 kB) once
/// nobody waits for it any more: the program has ended, or has closed its output.
pub(super) const FLUSH: Duration = Duration::from_secs(120);

/// How long the peer may take to close its side after we closed ours. Closing a socket at once,
/// with bytes in it that nobody has read, would reset the connection and could destroy our last
/// words on their way.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// Where the relay stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relay {
    peer: Peer,
    input: Input,
    output: Output,
    /// Raw, as wait(2) gives it, once the program has ended.
    status: Option<i32>,
}

/// The peer's side of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Sending,
    /// Sends no more, but may listen.
    Finished,
    /// Neither.
    Gone,
}

/// The pipe to the program's standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Closed,
}

/// The program's output, on its way to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Open,
    /// The pipe is at its end; what was in it isn't encrypted yet.
    Ended,
    /// Our close_notify is queued behind it.
    Goodbye,
    /// Everything was handed to TCP, and TCP told to close; or nothing can be sent any more.
    Closed,
}

/// How much is waiting where, between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Levels {
    /// There are decrypted bytes for the program.
    pub(super) plain: bool,
    /// There are bytes of the program's that aren't encrypted yet.
    pub(super) pending: bool,
    /// There are TLS records for the peer.
    pub(super) wire: bool,
}

/// Which descriptors to wait for. Only those: a descriptor that is at its end is always ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interest {
    /// The socket, to read.
    pub(super) receive: bool,
    /// The socket, to write.
    pub(super) send: bool,
    /// The program's standard input, to write.
    pub(super) feed: bool,
    /// The program's standard output, to read.
    pub(super) collect: bool,
}

/// What to do next, besides moving bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Close the pipe to the program's standard input.
    CloseInput,
    /// Close the pipe from its standard output; forget what came from it.
    CloseOutput,
    /// Throw away what is decrypted.
    Discard,
    /// Queue a close_notify.
    SayGoodbye,
    /// Tell TCP that we send no more.
    ShutDown,
}

/// What the relay waits for with a bound, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The program decides.
    Unbounded,
    /// [`FLUSH`].
    Flush,
    /// [`LINGER`].
    Linger,
}

impl Relay {
    pub(super) fn new() -> Self {
        Self { peer: Peer::Sending, input: Input::Open, output: Output::Open, status: None }
    }

    /// Which descriptors to wait for. Each stage waits for the next one to be empty: no buffer
    /// grows, and whoever is too fast is slowed down by TCP or by the pipe.
    pub(super) fn interest(&self, levels: Levels) -> Interest {
        Interest {
            receive: self.peer == Peer::Sending && !levels.plain,
            send: levels.wire && self.peer != Peer::Gone,
            feed: levels.plain && self.input == Input::Open,
            collect: self.output == Output::Open && !levels.pending && !levels.wire,
        }
    }

    /// What is to be done next at these levels; `None`: wait. Ask again after each step.
    pub(super) fn next(&mut self, levels: Levels) -> Option<Step> {
        if self.input == Input::Closed && levels.plain {
            return Some(Step::Discard);
        }
        if self.input == Input::Open && self.peer != Peer::Sending && !levels.plain {
            self.input = Input::Closed;
            return Some(Step::CloseInput);
        }
        match self.output {
            Output::Open | Output::Ended | Output::Goodbye if self.peer == Peer::Gone => {
                self.output = Output::Closed;
                Some(Step::CloseOutput)
            }
            Output::Ended if !levels.pending => {
                self.output = Output::Goodbye;
                Some(Step::SayGoodbye)
            }
            Output::Goodbye if !levels.wire => {
                self.output = Output::Closed;
                Some(Step::ShutDown)
            }
            Output::Open | Output::Ended | Output::Goodbye | Output::Closed => None,
        }
    }

    /// The program's raw wait status, when nothing is left to do.
    pub(super) fn over(&self) -> Option<i32> {
        match (self.output, self.peer) {
            (Output::Closed, Peer::Finished | Peer::Gone) => self.status,
            _ => None,
        }
    }

    /// Whom we wait for, and how long. The clock starts when the answer changes, or when bytes
    /// have moved.
    pub(super) fn patience(&self, levels: Levels) -> Patience {
        match self.output {
            Output::Ended | Output::Goodbye => Patience::Flush,
            Output::Open if self.status.is_some() && levels.wire => Patience::Flush,
            Output::Closed if self.status.is_some() => Patience::Linger,
            Output::Open | Output::Closed => Patience::Unbounded,
        }
    }

    /// Patience is over: the connection is given up.
    pub(super) fn give_up(&mut self) {
        self.peer = Peer::Gone;
    }

    /// The peer sends no more: its close_notify came, or the end of the connection.
    pub(super) fn peer_finished(&mut self) {
        if self.peer == Peer::Sending {
            self.peer = Peer::Finished;
        }
    }

    /// The connection broke: nothing can be sent.
    pub(super) fn peer_gone(&mut self) {
        self.peer = Peer::Gone;
    }

    /// Whether it is worth a line in the log if the peer goes now without a goodbye. Not after
    /// ours, when it owes us nothing; and not again, when it was known to have finished.
    pub(super) fn is_goodbye_due(&self) -> bool {
        let done = matches!(self.output, Output::Goodbye | Output::Closed);
        self.peer == Peer::Sending && !done
    }

    /// The program has closed its standard input.
    pub(super) fn input_refused(&mut self) {
        self.input = Input::Closed;
    }

    /// The program, and whoever else had it, has closed its standard output.
    pub(super) fn output_ended(&mut self) {
        if self.output == Output::Open {
            self.output = Output::Ended;
        }
    }

    /// The program has ended, with this raw wait status.
    pub(super) fn program_ended(&mut self, status: i32) {
        self.status = Some(status);
    }
}

#[cfg(test)]
mod tests;
