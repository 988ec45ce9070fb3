//! Messages that wait for syslogd, in bounded memory.

use super::message::Message;
use alloc::collections::VecDeque;

/// Once so many bytes wait, nothing more is read. The pipe holds as much again before it holds the
/// service back.
const ENOUGH: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Queue {
    /// Whether more may be read.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < ENOUGH
    }

    pub(super) fn add(&mut self, message: Message) {
        self.bytes += cost(&message);
        self.messages.push_back(message);
    }

    pub(super) fn first(&self) -> Option<&Message> {
        self.messages.front()
    }

    pub(super) fn remove_first(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.bytes -= cost(&message);
        }
        // After an outage, memory goes back.
        if self.messages.is_empty() {
            self.messages.shrink_to(16);
        }
    }
}

fn cost(message: &Message) -> usize {
    size_of::<Message>() + message.text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splogger::message::Priority;
    use core::time::Duration;

    #[test]
    fn it_fills_up_and_empties_in_order() {
        let mut queue = Queue::default();
        let mut count = 0_u64;
        while queue.has_room() {
            let stamp = Duration::from_secs(count);
            let text = vec![b'x'; 700];
            queue.add(Message { priority: Priority::Info, stamp, continuation: false, text });
            count += 1;
        }
        assert!((50..100).contains(&count), "{count}");
        for second in 0..count {
            assert_eq!(queue.first().map(|message| message.stamp.as_secs()), Some(second));
            queue.remove_first();
        }
        assert!(queue.first().is_none());
        assert_eq!(queue.bytes, 0);
    }
}
