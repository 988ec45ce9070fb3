//! Going on when `current` is another file.

use super::{Snapshot, Source};
use crate::svlog::content::{Content, Trouble, alike};
use crate::svlog::directory::{Directory, Identity, about};
use crate::svlog::names::Finished;
use crate::svlog::rotation::{self, WasCurrent};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::mem;
use sys::OwnedFd;

impl Source {
    /// Goes on with what has come since the last file was read to its end.
    pub(super) fn take_up(&mut self) {
        self.is_renewed |= self.directory.renew();
        // What can't be read now may be later.
        let Ok(mut snapshot) = Snapshot::take(&self.directory) else {
            self.idle = true;
            return;
        };
        let known = self.newest;
        let new = snapshot.before.iter().position(|file| Some(file.label) > known);
        let new = snapshot.before.split_off(new.unwrap_or(snapshot.before.len()));
        let older_remain = !snapshot.before.is_empty();
        self.newest = new.last().map(|file| file.label).or(known);
        let directory = &self.directory;
        let mut read: Vec<Old<'_>> =
            mem::take(&mut self.read).into_iter().map(|file| Old { file, directory }).collect();
        snapshot.before = rotation::unread(&mut read, &new, older_remain);
        self.read = read.into_iter().map(|old| old.file).collect();
        if let Some(held) = &snapshot.on_its_way {
            let is_known = |old: &Rc<OwnedFd>| {
                about(old).is_some_and(|about| {
                    held.identity() == Some(about.identity) || held.was_processed() && about.is_gone
                })
            };
            if self.read.iter().any(is_known) {
                snapshot.on_its_way = None;
            }
        }
        self.plan = snapshot.plan(known, None);
        self.idle = self.plan.is_empty();
    }
}

/// A file that was read as `current`.
struct Old<'a> {
    file: Rc<OwnedFd>,
    directory: &'a Directory,
}

impl Old<'_> {
    fn identity(&self) -> Option<Identity> {
        about(&self.file).map(|about| about.identity)
    }
}

impl WasCurrent for Old<'_> {
    fn is(&self, file: &Finished) -> bool {
        self.identity().is_some() && self.identity() == self.directory.look(&file.name)
    }

    fn is_gone(&self) -> bool {
        about(&self.file).is_none_or(|about| about.is_gone)
    }

    fn reads_as(&self, file: &Finished) -> bool {
        let opened = self.directory.file(&file.name).map_err(Trouble::from);
        let Ok(mut content) = opened.and_then(|opened| Content::of_finished(opened, 0)) else {
            return false;
        };
        alike(&mut Content::plain(self.file.clone(), 0, u64::MAX), &mut content)
    }
}
