//! Messages that wait: in bounded memory, and, where there is one, in the spool.

use super::spool::Spool;
use alloc::{collections::VecDeque, vec::Vec};
use sys::Errno;

/// Once so many bytes wait in memory, nothing more is read. The pipe holds as much again before it holds the
/// service back.
const ENOUGH: usize = 64 * 1024;

/// Messages in order: those that were sent and may be lost, then those that weren't. With a spool, those in it come
/// before those in memory, and memory holds what one read gave.
#[derive(Default)]
pub(super) struct Backlog {
    memory: VecDeque<Vec<u8>>,
    /// How many of those in memory were sent.
    sent: usize,
    /// What those in memory that weren't sent take.
    bytes: usize,
    spool: Option<Spool>,
}

impl Backlog {
    pub(super) fn new(spool: Option<Spool>) -> Self {
        Self { spool, ..Self::default() }
    }

    pub(super) fn has_spool(&self) -> bool {
        self.spool.is_some()
    }

    /// Whether more may be read.
    pub(super) fn has_room(&self) -> bool {
        match &self.spool {
            Some(_) => self.bytes == 0,
            None => self.bytes < ENOUGH,
        }
    }

    /// Whether all that isn't sent is on disk.
    pub(super) fn is_stored(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn add(&mut self, packet: Vec<u8>) {
        self.bytes += cost(&packet);
        self.memory.push_back(packet);
    }

    /// The first message that isn't sent.
    ///
    /// # Errors
    /// The spool can't be read.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Errno> {
        if let Some(spool) = &mut self.spool
            && !spool.is_empty()
        {
            let found = spool.advance()?;
            if found {
                return Ok(Some(spool.message()));
            }
            // Nothing of the spool is left but what may come again: memory has to wait.
            if !spool.is_empty() {
                return Ok(None);
            }
        }
        Ok(self.memory.get(self.sent).map(Vec::as_slice))
    }

    /// Whether something of the spool was sent and may not have arrived.
    pub(super) fn is_in_flight(&self) -> bool {
        self.spool.as_ref().is_some_and(Spool::is_in_flight)
    }

    /// Whether the spool holds something: all else comes after it.
    pub(super) fn is_spooling(&self) -> bool {
        self.spool.as_ref().is_some_and(|spool| !spool.is_empty())
    }

    /// The first message was sent.
    pub(super) fn sent(&mut self) {
        match &mut self.spool {
            Some(spool) if !spool.is_empty() => spool.sent(),
            _ => {
                if let Some(packet) = self.memory.get(self.sent) {
                    self.bytes -= cost(packet);
                    self.sent += 1;
                }
            }
        }
    }

    /// Of those that were sent, all but the last `unconfirmed` have arrived.
    pub(super) fn confirm(&mut self, unconfirmed: usize) {
        if let Some(spool) = &mut self.spool
            && !spool.is_empty()
        {
            return spool.confirm(unconfirmed);
        }
        let gone = self.sent.saturating_sub(unconfirmed);
        self.memory.drain(..gone);
        self.sent -= gone;
        // After an outage, memory goes back.
        if self.memory.is_empty() && self.memory.capacity() > 1024 {
            self.memory.shrink_to(16);
        }
    }

    /// What was sent and not confirmed is sent again.
    pub(super) fn rewind(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.rewind();
        }
        self.bytes += self.memory.iter().take(self.sent).map(|packet| cost(packet)).sum::<usize>();
        self.sent = 0;
    }

    /// Puts on disk what is in memory, as far as it fits.
    ///
    /// # Errors
    /// It can't be written. All is kept.
    pub(super) fn store(&mut self) -> Result<(), Errno> {
        let Some(spool) = &mut self.spool else { return Ok(()) };
        if self.memory.is_empty() {
            return Ok(());
        }
        let outcome = spool.append(&self.memory, self.sent);
        let count = spool.appended();
        self.sent = self.sent.saturating_sub(count);
        self.memory.drain(..count);
        self.bytes = self.memory.iter().skip(self.sent).map(|packet| cost(packet)).sum();
        outcome
    }

    /// How many messages were dropped to make room, since this was last asked.
    pub(super) fn dropped(&mut self) -> u64 {
        self.spool.as_mut().map_or(0, Spool::dropped)
    }

    /// Takes what is in memory and wasn't sent, as nobody is to have it any more.
    pub(super) fn take_rest(&mut self) -> impl Iterator<Item = Vec<u8>> {
        self.bytes = 0;
        self.memory.drain(..core::mem::take(&mut self.sent));
        core::mem::take(&mut self.memory).into_iter()
    }
}

fn cost(packet: &[u8]) -> usize {
    size_of::<Vec<u8>>() + packet.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(backlog: &mut Backlog) -> Option<Vec<u8>> {
        backlog.next().expect("memory can be read").map(<[u8]>::to_vec)
    }

    #[test]
    fn it_fills_up_and_empties_in_order() {
        let mut backlog = Backlog::default();
        let mut count = 0_u8;
        while backlog.has_room() {
            backlog.add(vec![count; 700]);
            count += 1;
        }
        assert!((50..100).contains(&count), "{count}");
        for number in 0..count {
            assert_eq!(next(&mut backlog), Some(vec![number; 700]));
            backlog.sent();
            backlog.confirm(0);
        }
        assert_eq!(next(&mut backlog), None);
        assert_eq!((backlog.bytes, backlog.memory.len()), (0, 0));
    }

    #[test]
    fn what_is_not_confirmed_is_sent_again() {
        let mut backlog = Backlog::default();
        for number in 0..5 {
            backlog.add(vec![number]);
        }
        let all = backlog.bytes;
        (0..4).for_each(|_| backlog.sent());
        backlog.confirm(3);
        assert_eq!(next(&mut backlog), Some(vec![4]));
        backlog.rewind();
        assert_eq!(next(&mut backlog), Some(vec![1]));
        assert_eq!(backlog.bytes, all / 5 * 4);
        backlog.sent();
        backlog.confirm(9);
        assert_eq!(backlog.take_rest().collect::<Vec<_>>(), [[2], [3], [4]]);
    }
}
