//! Warnings of a program that tries again for ever: said at once, but the same words only once a minute.
//!
//! Nothing is said to a pipe that is full: svscan may be the one that is to start its reader again. It is said at the
//! next occasion.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use common::{Name, reason};
use core::time::Duration;
use sys::Errno;
use sys::poll::{PollFd, PollFlags, poll};

/// What was said is not said again within this time.
pub const SILENCE: Duration = Duration::from_secs(60);

/// What was said lately.
pub struct Complaints {
    name: Name,
    said: BTreeMap<Vec<u8>, Duration>,
}

impl Complaints {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self { name, said: BTreeMap::new() }
    }

    /// Warns `NAME: warning: PARTS`, unless that was said within the last minute.
    pub fn warn(&mut self, parts: &[&[u8]], now: Duration) {
        let text = [b"warning: ", &parts.concat()[..]].concat();
        if self.is_news(&text, now) && self.say(&text) {
            self.said.insert(text, now);
        }
    }

    /// Warns `NAME: warning: PARTS: reason`, unless that was said within the last minute.
    pub fn warn_errno(&mut self, parts: &[&[u8]], errno: Errno, now: Duration) {
        let text = parts.concat();
        self.warn(&[&text, b": ", reason(errno).as_bytes()], now);
    }

    /// Says `NAME: TEXT`, whenever it was said before. Whether it was heard.
    pub fn say(&mut self, text: &[u8]) -> bool {
        let heard = is_heard();
        if heard {
            self.name.info(&[text]);
        }
        heard
    }

    fn is_news(&mut self, text: &[u8], now: Duration) -> bool {
        self.said.retain(|_, said| now < *said + SILENCE);
        !self.said.contains_key(text)
    }
}

/// Whether standard error takes a line without waiting. (Where that can't be told, nobody is kept waiting either.)
fn is_heard() -> bool {
    let Some(stderr) = sys::borrow(2) else { return false };
    let mut fds = [PollFd::from_borrowed_fd(stderr, PollFlags::OUT)];
    !matches!(poll(&mut fds, Some(Duration::ZERO), None), Ok(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_once_a_minute() {
        let mut complaints = Complaints::new(Name("svscan"));
        let second = Duration::from_secs;
        let mut is_news = |text: &[u8], now| {
            let news = complaints.is_news(text, now);
            if news {
                complaints.said.insert(text.into(), now);
            }
            (news, complaints.said.len())
        };
        assert_eq!(is_news(b"a", second(0)), (true, 1));
        assert_eq!(is_news(b"b", second(30)), (true, 2));
        assert_eq!(is_news(b"a", second(59)), (false, 2));
        assert_eq!(is_news(b"a", second(60)), (true, 2));
        assert_eq!(is_news(b"a", second(61)), (false, 2));
        assert_eq!(is_news(b"c", second(120)), (true, 1), "what is old enough takes no room");
    }
}
