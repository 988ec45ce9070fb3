//! Warnings of a program that tries again for ever: said at once, but the same words only once a minute.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use common::{Name, reason};
use core::time::Duration;
use sys::Errno;

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
        let text = parts.concat();
        if self.is_news(&text, now) {
            self.name.warn(&[&text]);
        }
    }

    /// Warns `NAME: warning: PARTS: reason`, unless that was said within the last minute.
    pub fn warn_errno(&mut self, parts: &[&[u8]], errno: Errno, now: Duration) {
        let text = parts.concat();
        self.warn(&[&text, b": ", reason(errno).as_bytes()], now);
    }

    fn is_news(&mut self, text: &[u8], now: Duration) -> bool {
        self.said.retain(|_, said| now < *said + SILENCE);
        if self.said.contains_key(text) {
            return false;
        }
        self.said.insert(text.into(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_once_a_minute() {
        let mut complaints = Complaints::new(Name("svscan"));
        let second = Duration::from_secs;
        assert!(complaints.is_news(b"a", second(0)));
        assert!(complaints.is_news(b"b", second(30)));
        assert!(!complaints.is_news(b"a", second(59)));
        assert!(complaints.is_news(b"a", second(60)));
        assert!(!complaints.is_news(b"a", second(61)));
        assert_eq!(complaints.said.len(), 2, "what is old enough takes no room");
    }
}
