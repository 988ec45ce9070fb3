//! Trouble that may pass: it is said, and waited for.

use super::NAME;
use super::notice::Notice;
use common::reason;
use core::time::Duration;
use sys::Errno;
use sys::clock::monotonic;
use sys::poll::poll;

/// How long until the next try. As the original: a processor that fails may be costly.
const PAUSE: Duration = Duration::from_secs(5);

/// The same message comes again only so much later.
const SILENCE: Duration = Duration::from_secs(60);

/// What was said last, and where it is shown.
pub(super) struct Patience {
    notice: Notice,
    paused: bool,
    said: Option<(&'static str, Option<Errno>, Duration)>,
}

impl Patience {
    pub(super) fn new(notice: Notice) -> Self {
        Self { notice, paused: false, said: None }
    }

    /// Says `WHAT OBJECT, pausing: reason`, if that isn't known yet, shows it until [`Self::over`], and waits. Signals wait,
    /// too.
    pub(super) fn pause(&mut self, what: &'static str, object: &[u8], errno: Option<Errno>) {
        let now = monotonic();
        // Whatever the object: a finished file has another name at each try.
        let is_known = self.said.is_some_and(|(said, reason, at)| {
            said == what && reason == errno && now.saturating_sub(at) < SILENCE
        });
        if !is_known {
            let parts: [&[u8]; 3] = [what.as_bytes(), object, b", pausing"];
            match errno {
                Some(errno) => NAME.warn_errno(&parts, errno),
                None => NAME.warn(&parts),
            }
            self.said = Some((what, errno, now));
        }
        self.paused = true;
        self.notice.put_up(what, object, errno.map(reason));
        let _ = poll(&mut [], Some(PAUSE), None);
    }

    /// Something was done: the trouble is over, if there was any.
    pub(super) fn over(&mut self) {
        if core::mem::take(&mut self.paused) {
            self.notice.take_off();
        }
    }
}
