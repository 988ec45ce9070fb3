//! Carries out what the transaction decides: the messages, their sizes and ids, over the wire.

use crate::capabilities::Settings;
use crate::client::{Gone, Wire};
use crate::encoding::{Encoder, Top};
use crate::line::Line;
use crate::listing::{Pursuit, list, pursue, stamps};
use crate::maildir::{Found, Maildir, Unusable};
use crate::maildrop::{Facts, Maildrop, Place, Size, UNCHECKED};
use crate::memory::{self, Listing};
use crate::message::{self, Message};
use crate::names::FileName;
use crate::output::Output;
use crate::size_file::Stamp;
use crate::transaction::{Effect, Transaction, Wants};
use crate::unique_id::UniqueIds;
use crate::update::{BEFORE_REPLY, remove, settle};
use alloc::vec::Vec;
use common::{decimal, reason};
use sys::Errno;
use sys::fs::{AtFlags, statat};

/// A session: a maildrop and the client that asks for it.
pub struct Server<W> {
    maildir: Maildir,
    /// When it began, in seconds since 1970.
    now: u64,
    maildrop: Maildrop,
    /// How the messages were found; `None` until somebody asks for one.
    listing: Option<Listing>,
    transaction: Transaction,
    ids: Option<UniqueIds>,
    /// What it took to find out sizes: one for each message, and for each 64 KiB of one.
    effort: u64,
    /// Messages were moved or removed.
    changed: bool,
    /// What `new/` and `cur/` were like when all moved messages were last found.
    followed: [Stamp; 2],
    output: Output<W>,
    buffer: Vec<u8>,
    settings: Settings<'static>,
}

/// What it takes to do something to a message.
struct Within<'a> {
    maildir: &'a Maildir,
    now: u64,
    buffer: &'a mut Vec<u8>,
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client has said QUIT, the maildrop is up to date, and the reply is sent.
    Quit,
    /// The client is gone. Nothing is deleted.
    Gone(Gone),
    /// This message couldn't be read to its end; all that can tell the client so, when part of it
    /// is sent, is the end of the connection. Nothing is deleted.
    Cut(Place, Vec<u8>, Errno),
    /// The messages couldn't be listed, and the client was told.
    Unusable(Unusable),
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl<W: Wire> Server<W> {
    /// A session that begins at `now`, in seconds since 1970.
    #[must_use]
    pub fn new(maildir: Maildir, now: u64, output: Output<W>) -> Self {
        Self {
            maildir,
            now,
            maildrop: Maildrop::default(),
            listing: None,
            transaction: Transaction::new(0),
            ids: None,
            effort: 0,
            changed: false,
            followed: [Stamp::default(); 2],
            output,
            buffer: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// With what CAPA is to say.
    #[must_use]
    pub fn announcing(self, settings: Settings<'static>) -> Self {
        Self { settings, ..self }
    }

    /// What has been said and not been sent yet.
    pub fn output(&mut self) -> &mut Output<W> {
        &mut self.output
    }

    /// Answers a line.
    ///
    /// # Errors
    /// The session is over.
    pub fn answer(&mut self, line: Line<'_>) -> Result<(), End> {
        self.prepare(Wants::of(line))?;
        match self.transaction.handle(line) {
            Effect::Say(reply) => self.output.put(&[reply])?,
            Effect::Capa => self.output.put(&[&self.settings.after_login()])?,
            Effect::Last(number) => self.say_number(number)?,
            Effect::Stat => self.stat()?,
            Effect::ListAll => self.list_all()?,
            Effect::List(message) => {
                let size = self.size(message);
                self.say_of(b"+OK ", message, decimal(size).as_bytes())?;
            }
            Effect::UidlAll => self.uidl_all()?,
            Effect::Uidl(message) => self.uidl(message)?,
            Effect::Retr(message) => self.send(message, None)?,
            Effect::Top(message, lines) => self.send(message, Some(Top::new(lines)))?,
            Effect::Quit => return Err(self.quit()),
        }
        Ok(())
    }

    /// Lists the messages when they are first asked for. What is asked first tells whether the client
    /// wants to know all sizes.
    fn prepare(&mut self, wants: Wants) -> Result<(), End> {
        if self.listing.is_some() || wants == Wants::Nothing {
            return Ok(());
        }
        let counting = wants == Wants::Sizes;
        match list(&self.maildir, self.now, counting, &mut self.buffer) {
            Ok((maildrop, listing)) => {
                if listing.title.distinct {
                    self.ids = Some(UniqueIds::distinct());
                }
                if counting && listing.remembered.is_none_or(|messages| messages == 0) {
                    self.effort = maildrop.len() as u64;
                }
                self.transaction = Transaction::new(maildrop.len());
                self.maildrop = maildrop;
                self.listing = Some(listing);
                Ok(())
            }
            Err(unusable) => {
                self.output.put(&[match unusable {
                    Unusable::Memory => NO_MEMORY,
                    Unusable::Maildir(_) | Unusable::Place(..) => UNREADABLE,
                }])?;
                self.output.flush()?;
                Err(End::Unusable(unusable))
            }
        }
    }

    fn say_number(&mut self, number: usize) -> Result<(), Gone> {
        self.output.put(&[b"+OK ", decimal(number as u64).as_bytes(), b"\r\n"])
    }

    /// `before`, the message's number, a space, `what`.
    fn say_of(&mut self, before: &[u8], message: usize, what: &[u8]) -> Result<(), Gone> {
        self.output.put(&[before, decimal(message as u64 + 1).as_bytes(), b" ", what, b"\r\n"])
    }

    fn stat(&mut self) -> Result<(), Gone> {
        let octets = self.octets();
        self.output.put(&[
            b"+OK ",
            decimal(self.transaction.kept() as u64).as_bytes(),
            b" ",
            decimal(octets).as_bytes(),
            b"\r\n",
        ])
    }

    fn list_all(&mut self) -> Result<(), Gone> {
        self.output.put(&[b"+OK\r\n"])?;
        for message in 0..self.maildrop.len() {
            if !self.transaction.is_deleted(message) {
                let size = self.size(message);
                self.say_of(b"", message, decimal(size).as_bytes())?;
            }
        }
        self.output.put(&[b".\r\n"])
    }

    /// The octets of all messages that aren't deleted.
    fn octets(&mut self) -> u64 {
        let mut octets = 0_u64;
        for message in 0..self.maildrop.len() {
            if !self.transaction.is_deleted(message) {
                octets = octets.saturating_add(self.size(message));
            }
        }
        octets
    }

    /// A message's size as sent, found out when it is first asked for. What can't be read has the
    /// size of its file, as good as any: nothing will be sent of it.
    fn size(&mut self, message: usize) -> u64 {
        let facts = self.maildrop.facts(message);
        let on_disk = match facts.size {
            Size::AsSent(size) => return size,
            Size::OnDisk(size) => size,
        };
        let Some(counted) = self.count(message) else {
            self.maildrop.set_size_as_sent(message, on_disk);
            self.maildrop.forget(message);
            return on_disk;
        };
        let (Size::AsSent(size) | Size::OnDisk(size)) = counted.size;
        self.maildrop.set_size_as_sent(message, size);
        if (counted.check, counted.modified) != (facts.check, facts.modified) {
            // It was rewritten since it was listed.
            self.maildrop.forget(message);
        }
        if self.maildrop.facts(message).check != UNCHECKED {
            self.effort += 1 + size / message::PIECE as u64;
        }
        size
    }

    /// Reads a message, wherever it is by now.
    fn count(&mut self, message: usize) -> Option<Facts> {
        let counted = self.wherever_it_is(|server, maildrop| {
            let mut name = FileName::default();
            let place = maildrop.name(message, &mut name);
            server.maildir.count(place, name.as_c_str(), server.now, server.buffer)
        });
        match counted {
            Ok(Found::Message(facts)) => Some(facts),
            Ok(Found::TooYoung | Found::Other | Found::Gone) | Err(_) => None,
        }
    }

    /// Does something to a message; if it isn't where it was, where it is now.
    fn wherever_it_is<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Within<'_>, &Maildrop) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let within =
            &mut Within { maildir: &self.maildir, now: self.now, buffer: &mut self.buffer };
        let mut result = attempt(within, &self.maildrop);
        if !matches!(result, Err(Errno::NOENT)) || stamps(&self.maildir) == self.followed {
            return result;
        }
        let pursuit = pursue(&self.maildir, &mut self.maildrop, |maildrop| {
            result = attempt(within, maildrop);
            !matches!(result, Err(Errno::NOENT))
        });
        if let Pursuit::Gone(stamps) = pursuit {
            self.followed = stamps;
        }
        result
    }

    fn uidl(&mut self, message: usize) -> Result<(), Gone> {
        let Some(ids) = self.ids.take().or_else(|| self.compare_names()) else {
            return self.output.put(&[NO_MEMORY]);
        };
        let mut name = FileName::default();
        let id = ids.of(&self.maildrop, message, &mut name);
        let said = self.say_of(b"+OK ", message, id.as_bytes());
        self.ids = Some(ids);
        said
    }

    fn uidl_all(&mut self) -> Result<(), Gone> {
        let Some(ids) = self.ids.take().or_else(|| self.compare_names()) else {
            return self.output.put(&[NO_MEMORY]);
        };
        self.output.put(&[b"+OK\r\n"])?;
        let mut name = FileName::default();
        for message in 0..self.maildrop.len() {
            if !self.transaction.is_deleted(message) {
                let id = ids.of(&self.maildrop, message, &mut name);
                self.say_of(b"", message, id.as_bytes())?;
            }
        }
        self.ids = Some(ids);
        self.output.put(&[b".\r\n"])
    }

    fn compare_names(&self) -> Option<UniqueIds> {
        let mut name = FileName::default();
        UniqueIds::new(&self.maildrop, |message| {
            let place = self.maildrop.name(message, &mut name);
            let directory = self.maildir.directory(place);
            statat(directory, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)
                .map_or(0, |stat| stat.st_ino)
        })
        .ok()
    }

    /// Sends a message, or its top. Nothing is promised before the first piece is there.
    fn send(&mut self, message: usize, mut top: Option<Top>) -> Result<(), End> {
        let mut file = match self.open(message) {
            Ok(file) => file,
            Err(errno) => return Ok(self.unreadable(errno)?),
        };
        let mut encoder = Encoder::default();
        let mut begun = false;
        loop {
            let piece = match file.read(&mut self.buffer) {
                Ok(piece) => piece,
                Err(errno) if !begun => return Ok(self.unreadable(errno)?),
                Err(errno) => {
                    let mut name = FileName::default();
                    let place = self.maildrop.name(message, &mut name);
                    self.output.flush()?;
                    return Err(End::Cut(place, name.as_bytes().to_vec(), errno));
                }
            };
            if !begun {
                self.output.put(&[b"+OK message follows\r\n"])?;
                begun = true;
            }
            let part = top.as_mut().map_or(piece.len(), |top| top.take(piece));
            for some in piece[..part].chunks(ENCODED) {
                self.output.write_with(|out| encoder.encode(some, out))?;
            }
            if piece.is_empty() || top.is_some_and(|top| top.is_over()) {
                break;
            }
        }
        Ok(self.output.write_with(|out| encoder.finish(out))?)
    }

    /// Opens a message, wherever it is by now.
    fn open(&mut self, message: usize) -> Result<Message, Errno> {
        self.wherever_it_is(|server, maildrop| {
            let mut name = FileName::default();
            let place = maildrop.name(message, &mut name);
            Message::open(server.maildir.directory(place), name.as_c_str())
        })
    }

    fn unreadable(&mut self, errno: Errno) -> Result<(), Gone> {
        self.output.put(&[b"-ERR unable to read that message: ", reason(errno).as_bytes(), b"\r\n"])
    }

    fn quit(&mut self) -> End {
        let removed = remove(&self.maildir, &mut self.maildrop, &self.transaction);
        let count = self.maildrop.len();
        let settle = |messages, limit| {
            settle(&self.maildir, &self.maildrop, &self.transaction, messages, limit)
        };
        let (soon, next) = settle(0..count, BEFORE_REPLY);
        let said = match removed.left {
            0 => self.output.put(&[b"+OK\r\n"]),
            left => self.output.put(&[
                b"-ERR [SYS/TEMP] unable to remove ",
                decimal(left as u64).as_bytes(),
                b" of the deleted messages\r\n",
            ]),
        };
        let said = said.and_then(|()| self.output.flush());
        let (late, _) = settle(next..count, usize::MAX);
        self.changed = removed.gone + soon + late > 0;
        said.map_or_else(End::Gone, |()| End::Quit)
    }

    /// Remembers what was found out, for the next session, if it is worth it. The client doesn't wait
    /// for that any more.
    pub fn remember(&mut self) {
        let Some(mut listing) = self.listing else { return };
        listing.title.distinct = self.ids.as_ref().is_some_and(UniqueIds::are_distinct);
        // Without QUIT, they are all still there.
        let all = !self.changed;
        let kept = if all { self.maildrop.len() } else { self.transaction.kept() };
        if listing.is_worth_writing(kept, self.effort, self.changed) {
            let title = listing.title(kept, self.changed);
            let messages = (0..self.maildrop.len())
                .filter(|message| all || !self.transaction.is_deleted(*message));
            // It will be found out anew.
            let _ = memory::write(&self.maildir, &title, &self.maildrop, messages);
        } else if listing.is_worth_removing(kept) {
            memory::remove(&self.maildir);
        }
    }
}

const UNREADABLE: &[u8] = b"-ERR [SYS/TEMP] unable to read this account's Maildir\r\n";
/// So much of a message is encoded at once, which may double it.
const ENCODED: usize = 16 * 1024;

const NO_MEMORY: &[u8] = b"-ERR [SYS/TEMP] out of memory\r\n";

#[cfg(test)]
mod tests;
