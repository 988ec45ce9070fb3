//! Standard input, of which nothing is taken that belongs to a successor.

use core::mem::MaybeUninit;
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::signal::{Signal, SignalSet};
use sys::{BorrowedFd, Errno};

/// Standard input. After TERM, what follows the line in hand is left there, byte for byte, for the
/// next process that reads the same pipe.
pub(crate) struct Input {
    fd: BorrowedFd<'static>,
    /// The signals that are blocked while waiting.
    waiting: SignalSet,
    is_last: bool,
    /// How often [`Self::wait`] was called since signals were surely let in.
    unasked: u32,
}

/// So often there may be something to read at once before signals are looked after: that costs a call.
const OFTEN: u32 = 4;

impl Input {
    /// Standard input at `fd`. While waiting, the signals of `waiting` are blocked.
    pub(crate) fn new(fd: BorrowedFd<'static>, waiting: SignalSet) -> Self {
        Self { fd, waiting, is_last: false, unasked: OFTEN }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'static> {
        self.fd
    }

    pub(crate) fn waiting(&self) -> SignalSet {
        self.waiting
    }

    /// From now on, the line in hand is the last one: no byte beyond it is read.
    pub(crate) fn end_with_this_line(&mut self) {
        self.is_last = true;
    }

    /// Reads what is there, once. After [`Self::end_with_this_line`], a byte at a time. Empty at the
    /// end. (The buffer isn't touched beyond that: memory that was never needed costs nothing.)
    ///
    /// # Errors
    /// As read(2); `EAGAIN` and `EINTR`: nothing for now.
    pub(crate) fn read<'a>(&self, buffer: &'a mut [MaybeUninit<u8>]) -> Result<&'a [u8], Errno> {
        let most = self.most(buffer.len());
        sys::io::read(self.fd, &mut buffer[..most]).map(|(read, _)| &*read)
    }

    /// How much may be taken at once, if there is so much room.
    pub(crate) fn most(&self, room: usize) -> usize {
        if self.is_last { 1 } else { room }
    }

    /// The signals that came since this was last asked.
    ///
    /// ppoll(2) lets none in as long as descriptors are ready: a service that never pauses would
    /// keep TERM out for ever. So they are let in here.
    pub(crate) fn signals(&self) -> SignalSet {
        let _ = poll(&mut [], Some(Duration::ZERO), Some(self.waiting));
        sys::signal::take()
    }

    /// Waits, `limit` at most.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> Event {
        self.unasked += 1;
        if self.unasked > OFTEN {
            self.unasked = 0;
            let signals = self.signals();
            if !signals.is_empty() {
                return Event::Signals(signals);
            }
        }
        let mut fds = [PollFd::from_borrowed_fd(self.fd, PollFlags::IN)];
        loop {
            match poll(&mut fds, limit, Some(self.waiting)) {
                Ok(0) => return Event::Time,
                Err(Errno::INTR) => {
                    let signals = sys::signal::take();
                    if !signals.is_empty() {
                        return Event::Signals(signals);
                    }
                }
                // Without memory to wait with, the read waits as well, and only signals come late.
                Ok(_) | Err(_) => return Event::Readable,
            }
        }
    }
}

/// What was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// There is something to read, or the end of it.
    Readable,
    /// Some of these came.
    Signals(SignalSet),
    /// Nothing, for so long.
    Time,
}

/// Blocks `signals` but while waiting, and takes note of them from now on. Gives the mask to wait with.
pub(crate) fn watch(signals: &[Signal]) -> SignalSet {
    let inherited = sys::signal::block(SignalSet::of(signals));
    for signal in signals {
        sys::signal::catch(*signal);
    }
    signals.iter().fold(inherited, |mask, signal| mask.without(*signal))
}
