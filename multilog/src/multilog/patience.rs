//! Trouble that may pass: it is said, and waited for.

use super::NAME;
use alloc::vec::Vec;
use core::time::Duration;
use sys::Errno;
use sys::clock::monotonic;
use sys::poll::poll;

/// How long until the next try. As the original: a processor that fails may be costly.
const PAUSE: Duration = Duration::from_secs(5);

/// The same message comes again only so much later.
const SILENCE: Duration = Duration::from_secs(60);

/// What was said last.
#[derive(Default)]
pub(super) struct Patience {
    said: Option<(Vec<u8>, Option<Errno>, Duration)>,
}

impl Patience {
    /// Says `MESSAGE, pausing: reason`, if that isn't known yet, and waits. Signals wait, too.
    pub(super) fn pause(&mut self, message: &[u8], errno: Option<Errno>) {
        self.say(message, errno);
        let _ = poll(&mut [], Some(PAUSE), None);
    }

    fn say(&mut self, message: &[u8], errno: Option<Errno>) {
        let now = monotonic();
        if let Some((said, reason, at)) = &self.said
            && said == message
            && *reason == errno
            && now.saturating_sub(*at) < SILENCE
        {
            return;
        }
        match errno {
            Some(errno) => NAME.warn_errno(&[message, b", pausing"], errno),
            None => NAME.warn(&[message, b", pausing"]),
        }
        self.said = Some((message.to_vec(), errno, now));
    }
}
