//! Looking at the scan directory.

use super::{Daemon, REGULARLY, SAFELY};
use crate::ignored::Why;
use crate::plan::{Identity, Scan};
use crate::site::Site;
use alloc::ffi::CString;
use common::decimal;
use core::time::Duration;
use sys::process::Pid;
use sys::signal::Signal;

impl Daemon {
    pub(super) fn scan(&mut self, now: Duration) {
        let scan = if now >= self.regular { Scan::Regular } else { Scan::Prompted };
        let own = self.own_log.as_ref().map(|own| own.id);
        let known = |id| own == Some(id) || self.plan.knows(id);
        let listed = self.directory.list(known);
        self.prompt = None;
        let listing = match listed {
            Ok(listing) => listing,
            Err(errno) => {
                self.regular = now + REGULARLY;
                self.complaints.warn_errno(&[b"unable to read directory"], errno, now);
                self.plan.postpone(self.regular);
                return;
            }
        };
        let (mut found, mut ignored) = (listing.found, listing.ignored);
        found.retain(|entry| own != Some(entry.id));
        if let Some(watch) = &mut self.watch {
            let names = found.iter().map(|entry| &entry.name);
            watch.follow(names.chain(ignored.iter().map(|(name, _)| name)).map(CString::as_c_str));
        }
        // A link that leads nowhere, or to a file, may be made to lead elsewhere without a word.
        let is_unsettled = !ignored.is_empty();
        let changes = self.plan.take_in(scan, found, now);
        let double = |(name, other)| (name, Why::Double(other));
        ignored.extend(changes.doubles.into_iter().map(double));
        self.ignored.take_in(ignored, &mut self.complaints);
        for id in changes.forgotten {
            self.drop_pipe(id, now);
        }
        for id in changes.logged {
            self.ensure_pipe(id, now);
        }
        if scan == Scan::Regular {
            self.regular = now + SAFELY;
            self.look_after();
        }
        if is_unsettled || !self.watch.as_ref().is_some_and(crate::watch::Watch::is_complete) {
            self.regular = self.regular.min(now + REGULARLY);
        }
    }

    /// While something waits for a regular scan, there is one every [`REGULARLY`].
    pub(super) fn settle(&mut self, now: Duration) {
        if self.plan.is_unsettled() {
            self.regular = self.regular.min(now + REGULARLY);
        }
    }

    /// A supervise whose FIFOs were removed while its service is down hears nothing, and no letter could tell it.
    /// WINCH does. (Others than ours pass that over.)
    fn look_after(&self) {
        for post in self.plan.posts() {
            let Some(pid) = self.plan.pid(post) else { continue };
            let is_whole = Site::of_process(pid, self.base()).is_ok_and(|site| site.is_whole());
            if let Some(pid) = Pid::from_raw(pid).filter(|_| !is_whole) {
                let _ = sys::process::kill_process(pid, Signal::WINCH);
            }
        }
    }

    fn drop_pipe(&mut self, id: Identity, now: Duration) {
        let Some(pipe) = self.pipes.remove(&id) else { return };
        let lost = pipe.abandon();
        if lost > 0 {
            let count = decimal(lost);
            let text: [&[u8]; 3] = [
                b"a removed service's log pipe had ",
                count.as_bytes(),
                b" bytes that nobody read",
            ];
            self.complaints.warn(&text, now);
        }
    }
}
