//! One direction with its descriptors.

use super::flow::{Flow, Passage, Turn};
use alloc::{vec, vec::Vec};
use sys::fd::{AsFd, BorrowedFd};
use sys::poll::PollFlags;
use sys::{Errno, OwnedFd};

/// From a source, through a passage, to a target.
pub(crate) struct Direction<P> {
    flow: Flow<P>,
    source: Option<OwnedFd>,
    target: Option<OwnedFd>,
    tells_end: bool,
    buffer: Vec<u8>,
}

impl<P: Passage> Direction<P> {
    /// A direction whose descriptors are both open, unless they were closed before we came.
    pub(crate) fn new(passage: P, source: Option<OwnedFd>, target: Option<OwnedFd>) -> Self {
        Self::begun(passage, source, target, false)
    }

    /// The same, to a socket that others have open, too, ourselves among them: it is told that nothing
    /// more comes. Closing our copy wouldn't.
    pub(crate) fn telling(passage: P, source: Option<OwnedFd>, target: Option<OwnedFd>) -> Self {
        Self::begun(passage, source, target, true)
    }

    fn begun(
        passage: P,
        source: Option<OwnedFd>,
        target: Option<OwnedFd>,
        tells_end: bool,
    ) -> Self {
        let (flow, buffer) = (Flow::new(passage), vec![0; P::READ]);
        let mut direction = Self { flow, source, target, tells_end, buffer };
        if direction.source.is_none() {
            direction.flow.has_read(Err(Errno::BADF));
        }
        direction.settle();
        direction
    }

    /// What it waits for: nothing when it is over.
    pub(crate) fn awaited(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let (fd, flags) = match self.flow.turn() {
            Turn::Write(_) => (self.target.as_ref()?, PollFlags::OUT),
            Turn::Read => (self.source.as_ref()?, PollFlags::IN),
            Turn::Over => return None,
        };
        Some((fd.as_fd(), flags))
    }

    /// Where it goes: nothing when it is over.
    pub(crate) fn target(&self) -> Option<BorrowedFd<'_>> {
        self.target.as_ref().map(AsFd::as_fd)
    }

    /// What was the matter with writing, once it is over.
    pub(crate) fn trouble(&self) -> Option<Errno> {
        self.flow.trouble()
    }

    /// Reads or writes once, which doesn't block when what is [awaited](Self::awaited) has come: at most
    /// 4096 bytes are written, for which a pipe that can be written to has room.
    pub(crate) fn go_on(&mut self) {
        match self.flow.turn() {
            Turn::Write(bytes) => {
                let target = self.target.as_ref().ok_or(Errno::BADF);
                let result = target.and_then(|fd| sys::io::write(fd, bytes));
                self.flow.has_written(result);
            }
            Turn::Read => {
                let Self { flow, source, buffer, .. } = self;
                let source = source.as_ref().ok_or(Errno::BADF);
                let result = source.and_then(|fd| sys::io::read(fd, &mut buffer[..]));
                flow.has_read(result.map(|count| &buffer[..count]));
            }
            Turn::Over => {}
        }
        self.settle();
    }

    /// Gives up what can't be written, as there is nothing to write to; tells who stands at either end when
    /// it is over.
    fn settle(&mut self) {
        if self.target.is_none() && matches!(self.flow.turn(), Turn::Write(_)) {
            self.flow.has_written(Err(Errno::BADF));
        }
        if self.flow.turn() == Turn::Over {
            if let (true, Some(target)) = (self.tells_end, &self.target) {
                // What is no socket, or broken, has nothing to be told.
                let _ = sys::net::shutdown(target, sys::net::Shutdown::Write);
            }
            (self.source, self.target) = (None, None);
        }
    }
}
