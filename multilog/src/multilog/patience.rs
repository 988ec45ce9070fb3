//! Trouble that may pass: it is said, and waited for.

use super::NAME;
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
    said: Option<(&'static str, Option<Errno>, Duration)>,
}

impl Patience {
    /// Says `WHAT OBJECT, pausing: reason`, if that isn't known yet, and waits. Signals wait, too.
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
        let _ = poll(&mut [], Some(PAUSE), None);
    }
}
