//! Which messages there are when a client first asks for any: from the directories, or, where these are
//! as they were when an earlier session wrote them down, from its file. Each message is looked at in
//! either case.

use crate::maildir::{Found, Maildir, Unusable};
use crate::maildrop::{Facts, Maildrop, Place, Size, UNCHECKED};
use crate::memory::{Listing, Memory};
use crate::names::FileName;
use crate::size_file::{Stamp, Title};
use alloc::vec::Vec;
use core::ffi::CStr;
use core::time::Duration;

/// How often a listing is begun anew because others were moving messages meanwhile. The last one is
/// taken as it is: one message may be missing in it that had its flags changed at that moment.
const ATTEMPTS: u32 = 3;

/// The messages of `maildir` at `now`, in seconds since 1970, in their order. If `counting`, and if
/// nothing is known of any size, the sizes as sent are found out at once: to open and read a file takes
/// hardly longer than to look at it, open and read it. Hidden are names that begin with a dot, whatever isn't a
/// regular file, and messages that aren't older than `now`.
///
/// # Errors
/// There is no telling.
pub fn list(
    maildir: &Maildir,
    now: u64,
    counting: bool,
    buffer: &mut Vec<u8>,
) -> Result<(Maildrop, Listing), Unusable> {
    let memory = Memory::open(maildir.root());
    for attempt in 1.. {
        let lister = Lister {
            maildir,
            now,
            counting,
            buffer,
            memory: memory.as_ref(),
            maildrop: Maildrop::default(),
            incomplete: [false; 2],
        };
        if let Some(done) = lister.list(attempt == 1, attempt == ATTEMPTS)? {
            return Ok(done);
        }
    }
    Err(Unusable::Memory)
}

struct Lister<'a> {
    maildir: &'a Maildir,
    now: u64,
    counting: bool,
    buffer: &'a mut Vec<u8>,
    memory: Option<&'a Memory>,
    maildrop: Maildrop,
    /// Not all that is in `new/`, or `cur/`, is shown.
    incomplete: [bool; 2],
}

impl Lister<'_> {
    /// `None`: it should be tried again.
    fn list(
        mut self,
        believing: bool,
        last: bool,
    ) -> Result<Option<(Maildrop, Listing)>, Unusable> {
        let mut old = Title::default();
        let mut remembered = None;
        if let Some(mut reader) = self.memory.and_then(Memory::read) {
            old = reader.title();
            remembered = Some(old.messages);
            self.maildrop = Maildrop::with_forms(reader.forms());
            self.counting &= old.messages == 0;
        }
        let maildir = self.maildir;
        let known =
            |place, stamp: Stamp| believing && stamp.inode != 0 && stamp == old.stamp(place);
        // Another session may move a message from new/ to cur/ meanwhile. In this order it may be found
        // twice, but never missed.
        let (new, new_settled) = maildir.stamp(Place::New, self.now);
        let new_known = known(Place::New, new);
        if !new_known {
            self.read(Place::New)?;
        }
        let (cur, cur_settled) = maildir.stamp(Place::Cur, self.now);
        let cur_known = known(Place::Cur, cur);
        if (new_known || cur_known) && !self.recall([new_known, cur_known])? {
            return Ok(None);
        }
        if !cur_known {
            self.read(Place::Cur)?;
            if maildir.stamp(Place::Cur, self.now).0 != cur && !last {
                return Ok(None);
            }
        }
        self.maildrop.sort();
        if !new_known {
            self.forget_moved();
        }
        if !(new_known && cur_known) && old.messages > 0 {
            self.match_sizes();
        }
        let stamp = |stamp, settled, place| {
            if settled && !self.incomplete[place as usize] { stamp } else { Stamp::default() }
        };
        let (new, cur) = (stamp(new, new_settled, Place::New), stamp(cur, cur_settled, Place::Cur));
        let read = !new_known && new.inode != 0 || !cur_known && cur.inode != 0;
        let distinct = new_known && cur_known && old.distinct;
        let title = Title { messages: 0, distinct, new, cur };
        Ok(Some((self.maildrop, Listing { title, remembered, read })))
    }

    /// Lists a directory.
    fn read(&mut self, place: Place) -> Result<(), Unusable> {
        let mut memory = Ok(());
        let maildir = self.maildir;
        maildir.each(place, |name, is_file| {
            let found = if self.counting && is_file {
                maildir.look_into(place, name, self.now, self.buffer)
            } else {
                maildir.look(place, name, self.now)
            };
            match found {
                Found::Message(facts) => memory = self.maildrop.add(place, name.to_bytes(), facts),
                Found::TooYoung => self.incomplete[place as usize] = true,
                Found::Other | Found::Gone => {}
            }
            memory.is_ok()
        })?;
        memory.map_err(|_| Unusable::Memory)
    }

    /// Looks at each message that the file has in places that are known to be as they were. False: it
    /// isn't so, after all.
    fn recall(&mut self, known: [bool; 2]) -> Result<bool, Unusable> {
        let Some(mut reader) = self.memory.and_then(Memory::read) else { return Ok(false) };
        let mut name = FileName::default();
        loop {
            let record = match reader.next(self.maildrop.forms(), &mut name) {
                Ok(Some(record)) => record,
                end => return Ok(end.is_ok()),
            };
            if !known[record.place as usize] {
                continue;
            }
            match self.maildir.look(record.place, name.as_c_str(), self.now) {
                Found::Message(found) => {
                    let facts = remembered(record.facts, found).unwrap_or(found);
                    self.maildrop
                        .add_encoded(record.encoded, &name, facts)
                        .map_err(|_| Unusable::Memory)?;
                }
                Found::TooYoung => self.incomplete[record.place as usize] = true,
                Found::Other | Found::Gone => return Ok(false),
            }
        }
    }

    /// Takes out the messages of `new/` that another session has moved while we were reading: they are in
    /// `cur/`, too.
    fn forget_moved(&mut self) {
        let (mut one, mut two) = (FileName::default(), FileName::default());
        let mut moved = Vec::new();
        for message in 1..self.maildrop.len() {
            let pair = [message - 1, message];
            let [first, second] = pair.map(|message| self.maildrop.facts(message));
            if (first.modified, first.check) != (second.modified, second.check) {
                continue;
            }
            let places =
                [self.maildrop.name(pair[0], &mut one), self.maildrop.name(pair[1], &mut two)];
            if places[0] == places[1] || one.unique() != two.unique() {
                continue;
            }
            let (new, name) =
                if places[0] == Place::New { (pair[0], &one) } else { (pair[1], &two) };
            if self.maildir.look(Place::New, name.as_c_str(), self.now) == Found::Gone
                && moved.try_reserve(1).is_ok()
            {
                moved.push(new);
            }
        }
        if !moved.is_empty() {
            self.maildrop.retain(|message| moved.binary_search(&message).is_err());
        }
    }

    /// Takes sizes from the file for messages that were listed. Both are in the same order.
    fn match_sizes(&mut self) {
        let Some(mut reader) = self.memory.and_then(Memory::read) else { return };
        let maildrop = &mut self.maildrop;
        let (mut name, mut ours) = (FileName::default(), FileName::default());
        let mut message = 0;
        while let Ok(Some(record)) = reader.next(maildrop.forms(), &mut name) {
            let (there, facts) = (name.unique(), record.facts);
            let mut next = message;
            while next < maildrop.len() {
                let found = maildrop.facts(next);
                if found.modified < facts.modified {
                    next += 1;
                    message = next;
                    continue;
                }
                if found.modified > facts.modified {
                    break;
                }
                maildrop.name(next, &mut ours);
                match ours.unique().cmp(there) {
                    core::cmp::Ordering::Less => message = next + 1,
                    core::cmp::Ordering::Equal => {
                        if let Some(Facts { size: Size::AsSent(octets), .. }) =
                            remembered(facts, found)
                        {
                            maildrop.set_size_as_sent(next, octets);
                        }
                    }
                    core::cmp::Ordering::Greater => break,
                }
                next += 1;
            }
        }
    }
}

/// What is remembered of a file, if it is still the one that was found.
fn remembered(facts: Facts, found: Facts) -> Option<Facts> {
    let same = (facts.modified, facts.check) == (found.modified, found.check);
    (same && found.check != UNCHECKED).then_some(facts)
}

/// What became of messages that weren't where they had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pursuit {
    /// They were found, or `done` was content for another reason.
    Over,
    /// They are gone: nobody has touched the directories, which were as these stamps say, while they
    /// were looked for.
    Gone([Stamp; 2]),
    /// Others kept moving messages, or the directories can't be read.
    Unclear,
}

/// How often directories that others change meanwhile are read again.
const ROUNDS: u32 = 20;

/// A change that is so old looks different from one that comes now, on the clock of any kernel.
const TICK: Duration = Duration::from_millis(20);

/// Looks for messages that another program has moved, or changed the flags of, until `done` says that it
/// is over, or until it is certain that they are gone.
pub fn pursue(
    maildir: &Maildir,
    maildrop: &mut Maildrop,
    mut done: impl FnMut(&Maildrop) -> bool,
) -> Pursuit {
    for _ in 0..ROUNDS {
        let now = sys::clock::realtime();
        let before = stamps(maildir);
        if follow(maildir, maildrop).is_err() {
            return Pursuit::Unclear;
        }
        if done(maildrop) {
            return Pursuit::Over;
        }
        let latest = before.iter().flat_map(|stamp| [stamp.modified, stamp.changed]).max();
        let latest = latest.map_or(now, |(seconds, rest)| Duration::new(seconds, rest));
        if latest.saturating_add(TICK) >= now {
            let _ = sys::poll::poll(&mut [], Some(TICK / 4), None);
        } else if stamps(maildir) == before {
            return Pursuit::Gone(before);
        }
    }
    Pursuit::Unclear
}

/// What `new/` and `cur/` are like.
#[must_use]
pub fn stamps(maildir: &Maildir) -> [Stamp; 2] {
    [Place::New, Place::Cur].map(|place| maildir.stamp(place, 0).0)
}

/// Looks through the directories once.
fn follow(maildir: &Maildir, maildrop: &mut Maildrop) -> Result<(), Unusable> {
    let parts = maildrop.len() / FOLLOWED + 1;
    let mut known: Vec<u64> = Vec::new();
    let mut name = FileName::default();
    for part in 0..parts {
        known.clear();
        for message in 0..maildrop.len() {
            maildrop.name(message, &mut name);
            let hash = hash(name.unique());
            if hash as usize % parts == part {
                known.try_reserve(1).map_err(|_| Unusable::Memory)?;
                known.push(u64::from(hash) << 32 | message as u64);
            }
        }
        known.sort_unstable();
        for place in [Place::New, Place::Cur] {
            let mut memory = Ok(());
            maildir.each(place, |found, _| {
                memory = follow_one(maildir, maildrop, &known, place, found);
                memory.is_ok()
            })?;
            memory.map_err(|_| Unusable::Memory)?;
        }
    }
    Ok(())
}

/// About so many messages are looked for at a time, for which the directories are read once: 8 bytes for
/// each have to be had for that.
const FOLLOWED: usize = 20_000;

fn follow_one(
    maildir: &Maildir,
    maildrop: &mut Maildrop,
    known: &[u64],
    place: Place,
    found: &CStr,
) -> Result<(), alloc::collections::TryReserveError> {
    let unique = crate::names::unique(found.to_bytes());
    let hash = u64::from(hash(unique));
    let start = known.partition_point(|key| key >> 32 < hash);
    let same = known[start..].iter().take_while(|key| *key >> 32 == hash);
    let mut name = FileName::default();
    let mut candidates = same.map(|key| *key as u32 as usize).filter(|message| {
        maildrop.name(*message, &mut name);
        name.unique() == unique
    });
    // Of two that share a name, there is no telling which one this is.
    let (Some(message), None) = (candidates.next(), candidates.next()) else { return Ok(()) };
    drop(candidates);
    let before = maildrop.name(message, &mut name);
    if (before, name.as_bytes()) == (place, found.to_bytes()) {
        return Ok(());
    }
    let facts = maildrop.facts(message);
    let Found::Message(now) = maildir.look(place, found, u64::MAX) else { return Ok(()) };
    let same = facts.check == now.check || facts.check == UNCHECKED;
    if same && facts.modified == now.modified {
        maildrop.moved(message, place, found.to_bytes())?;
    }
    Ok(())
}

/// A digest of a name, to find those that are the same.
#[must_use]
pub fn hash(name: &[u8]) -> u32 {
    let (words, rest) = name.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    let digest = words.fold(name.len() as u64, crate::size_file::mix);
    (digest ^ digest >> 32) as u32
}
