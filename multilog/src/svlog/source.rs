//! A service's log: its files one after the other, as lines.

mod following;
mod plan;

use super::NAME;
use super::content::{Content, Trouble};
use super::directory::{CURRENT, Directory, about};
use super::lines::{Lines, Piece};
use super::order::Order;
use super::stamp::{self, Stamp};
use crate::tai64nlocal::zone::Zone;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use common::tai64n::Label;
use core::mem;
use plan::Snapshot;
pub(crate) use plan::{File, Part};
use sys::{Errno, OwnedFd};

/// Files that were read as `current` and have no name yet: more than these are never there at once, unless
/// finished files are removed as fast as they come.
const UNNAMED: usize = 8;

/// A log that is being read.
pub(crate) struct Source {
    directory: Directory,
    plan: VecDeque<Part>,
    open: Option<Open>,
    lines: Lines,
    /// When the last line is from; of one without a stamp, it is that of the line before, or when its file was begun.
    moment: Label,
    /// Whether that is a stamp in the file that is open.
    is_stamped: bool,
    /// Whether the line that was begun is within the times that are asked for.
    is_in_time: bool,
    head: Option<(Piece, Option<Stamp>)>,
    /// There is nothing for now; for ever, unless it is followed.
    idle: bool,
    follow: bool,
    /// Whether trouble is said.
    aloud: bool,
    pub(crate) trouble: bool,
    /// The newest finished file that is known.
    newest: Option<Label>,
    read: Vec<Rc<OwnedFd>>,
    /// The directory was made anew.
    is_renewed: bool,
}

/// The file that is being read.
struct Open {
    content: Content,
    name: Vec<u8>,
    /// When it was begun, as far as names tell.
    begun: Option<Label>,
    is_cut_off: bool,
    /// `current`, or what was it until a moment ago.
    current: Option<Rc<OwnedFd>>,
    /// It isn't `current` any more: the end is an end.
    is_rotated: bool,
}

impl Source {
    /// The log in this directory, from its first file on that may have what is asked for.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn new(directory: Directory, order: &Order) -> Result<Self, Errno> {
        let snapshot = Snapshot::take(&directory)?;
        let newest = snapshot.before.last().map(|file| file.label);
        let mut plan = snapshot.plan(None, order.since);
        if !order.follow {
            plan.iter_mut().for_each(Part::end_here);
        }
        Ok(Self { follow: order.follow, newest, ..Self::of(directory, plan) })
    }

    fn of(directory: Directory, plan: VecDeque<Part>) -> Self {
        Self {
            directory,
            plan,
            open: None,
            lines: Lines::default(),
            moment: Label::from_bytes([0; Label::SIZE]),
            is_stamped: false,
            is_in_time: true,
            head: None,
            idle: false,
            follow: false,
            aloud: true,
            trouble: false,
            newest: None,
            read: Vec::new(),
            is_renewed: false,
        }
    }

    /// Leaves out files that the last lines aren't in.
    pub(crate) fn only_last(&mut self, lines: u64, zone: &Zone, up_to_a_stamp: bool) {
        plan::only_last(&mut self.plan, &self.directory, lines, |line| {
            !up_to_a_stamp || stamp::read(line, zone).is_some()
        });
    }

    /// The same, up to where the log ends now, and without a word about trouble.
    ///
    /// # Errors
    /// The directory can't be opened again.
    pub(crate) fn dry_run(&self) -> Result<Self, Errno> {
        let directory = Directory::open(self.directory.path.clone())?;
        let mut source = Self::of(directory, self.plan.clone());
        source.aloud = false;
        source.plan.iter_mut().for_each(Part::end_here);
        Ok(source)
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether there is no `current` to follow for now, or one in another directory than when this was last asked.
    pub(crate) fn has_moved(&mut self) -> bool {
        mem::take(&mut self.is_renewed) || self.open.is_none()
    }

    /// There may be something again.
    pub(crate) fn look_again(&mut self) {
        self.idle &= !self.follow;
    }

    /// When the next line is from, if there is one; for the rest of a line that was begun, that doesn't matter.
    pub(crate) fn moment(&self) -> Option<Label> {
        self.head.is_some().then_some(self.moment)
    }

    /// The next line, or a piece of it: all that is to be told of it.
    pub(crate) fn head(&self) -> Option<(&[u8], &Piece, Option<Stamp>)> {
        self.head.as_ref().map(|(piece, stamp)| (self.lines.bytes(piece), piece, *stamp))
    }

    /// The next line is done with.
    pub(crate) fn take(&mut self) {
        if let Some((piece, _)) = self.head.take() {
            self.lines.take(&piece);
        }
    }

    /// Finds the next line that is asked for, if there is one now.
    pub(crate) fn advance(&mut self, order: &Order, zone: &Zone) {
        while self.head.is_none() && !self.idle {
            match self.lines.next(|line| stamp::read(line, zone).is_some()) {
                Some(piece) => self.consider(piece, order, zone),
                None => self.fill(zone),
            }
        }
    }

    fn consider(&mut self, piece: Piece, order: &Order, zone: &Zone) {
        let mut stamp = None;
        if piece.begins {
            stamp = stamp::read(self.lines.bytes(&piece), zone);
            if let Some(Stamp { label, .. }) = stamp {
                (self.moment, self.is_stamped) = (label, true);
            }
            let too_early = self.is_stamped && order.since.is_some_and(|since| self.moment < since);
            let too_late = order.until.is_some_and(|until| self.moment > until);
            self.is_in_time = !too_early && !too_late;
            let begun = self.open.as_ref().and_then(|open| open.begun);
            if too_late && self.is_stamped && begun > order.until {
                // All that follows was written later.
                (self.idle, self.open) = (true, None);
                self.plan.clear();
                return;
            }
        }
        if self.is_in_time {
            self.head = Some((piece, stamp));
        } else {
            self.lines.take(&piece);
        }
    }

    /// Reads on, or goes on to the next file.
    fn fill(&mut self, zone: &Zone) {
        let Some(open) = &mut self.open else {
            return match self.plan.pop_front() {
                Some(part) => self.open(part),
                None if self.follow => self.take_up(),
                None => {
                    self.idle = true;
                    self.seal();
                }
            };
        };
        match open.content.read(self.lines.room()) {
            Ok(0) => self.end_of_file(zone),
            Ok(count) => self.lines.filled(count),
            Err(trouble) => {
                let name = open.name.clone();
                if self.follow && open.current.is_some() {
                    // There is no other one to go on with.
                    self.idle = true;
                    self.aloud &= !self.trouble;
                    return self.say(&name, trouble);
                }
                self.say(&name, trouble);
                self.lines.seal();
                self.close();
            }
        }
    }

    /// The last line ends, if it hasn't; then it is to be looked at.
    fn seal(&mut self) {
        self.lines.seal();
        if self.lines.next(|_| false).is_some() {
            self.idle = false;
        }
    }

    fn end_of_file(&mut self, zone: &Zone) {
        let Some(open) = &mut self.open else { return };
        if let (Some(current), true, false) = (&open.current, self.follow, open.is_rotated) {
            let identity = about(current).map(|about| about.identity);
            if identity == self.directory.look(CURRENT) {
                self.idle = true;
            } else {
                // It may have got more since it was last read, but it won't from now on.
                open.is_rotated = true;
            }
            return;
        }
        if open.is_cut_off {
            self.lines.seal();
        } else {
            self.lines.next_file(|line| stamp::read(line, zone).is_some());
        }
        self.close();
    }

    fn close(&mut self) {
        let open = self.open.take();
        if let Some(current) = open.and_then(|open| open.current)
            && self.follow
        {
            self.read.push(current);
            if self.read.len() > UNNAMED {
                self.read.remove(0);
            }
        }
    }

    fn open(&mut self, part: Part) {
        if let Some(begun) = part.begun {
            self.moment = self.moment.max(begun);
        }
        self.is_stamped = false;
        match part.open(&self.directory) {
            Ok(Some((content, file))) => {
                let (current, is_cut_off) = match part.file {
                    File::Held(held) => (Some(held.file), false),
                    File::Finished(file) => (None, file.is_cut_off()),
                };
                let name = self.directory.path_of(&file);
                let begun = part.begun;
                self.open =
                    Some(Open { content, name, begun, is_cut_off, current, is_rotated: false });
            }
            // It was removed meanwhile, as the oldest files are.
            Ok(None) => self.lines.seal(),
            Err(trouble) => {
                self.say(&self.directory.path_of(part.name()), trouble);
                self.lines.seal();
            }
        }
    }

    fn say(&mut self, name: &[u8], trouble: Trouble) {
        self.trouble = true;
        if !self.aloud {
            return;
        }
        let why: [&[u8]; 2] = match trouble {
            Trouble::Errno(errno) => return NAME.warn_errno(&[b"unable to read ", name], errno),
            Trouble::Damaged => [b"damaged", b""],
            Trouble::Window => [b"its window needs more memory than there is", b""],
            Trouble::Foreign(by) => [b"compressed by ", by],
        };
        NAME.warn(&[b"unable to read ", name, b": ", why[0], why[1]]);
    }
}
