//! Carries out what the transaction decides: the messages, their sizes and ids, over the wire.

use crate::capabilities::Settings;
use crate::client::{Gone, Wire};
use crate::encoding::{Encoder, Top};
use crate::line::Line;
use crate::maildir::Maildir;
use crate::maildrop::{Maildrop, Place, Size};
use crate::message::{self, Message};
use crate::output::Output;
use crate::transaction::{Effect, Transaction};
use crate::unique_id::UniqueIds;
use crate::update::update;
use alloc::vec::Vec;
use common::{decimal, reason};
use sys::Errno;
use sys::fs::{AtFlags, statat};

/// A session: a maildrop and the client that asks for it.
pub struct Server<W> {
    maildir: Maildir,
    maildrop: Maildrop,
    transaction: Transaction,
    ids: Option<UniqueIds>,
    output: Output<W>,
    buffer: Vec<u8>,
    settings: Settings<'static>,
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
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl<W: Wire> Server<W> {
    /// A session that is about to begin.
    #[must_use]
    pub fn new(maildir: Maildir, maildrop: Maildrop, output: Output<W>) -> Self {
        let transaction = Transaction::new(maildrop.len());
        let settings = Settings::default();
        Self { maildir, maildrop, transaction, ids: None, output, buffer: Vec::new(), settings }
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
        let on_disk = match self.maildrop.size(message) {
            Size::AsSent(size) => return size,
            Size::OnDisk(size) => size,
        };
        let directory = self.maildir.directory(self.maildrop.place(message));
        let name = self.maildrop.name(message);
        let size = message::size(directory, name, on_disk, &mut self.buffer).unwrap_or(on_disk);
        self.maildrop.set_size_as_sent(message, size);
        size
    }

    fn uidl(&mut self, message: usize) -> Result<(), Gone> {
        let Some(ids) = self.ids.take().or_else(|| self.compare_names()) else {
            return self.output.put(&[NO_MEMORY]);
        };
        let said = self.output.put(&[
            b"+OK ",
            decimal(message as u64 + 1).as_bytes(),
            b" ",
            ids.of(&self.maildrop, message).as_bytes(),
            b"\r\n",
        ]);
        self.ids = Some(ids);
        said
    }

    fn uidl_all(&mut self) -> Result<(), Gone> {
        let Some(ids) = self.ids.take().or_else(|| self.compare_names()) else {
            return self.output.put(&[NO_MEMORY]);
        };
        self.output.put(&[b"+OK\r\n"])?;
        for message in self.transaction.all_kept() {
            self.output.put(&[
                decimal(message as u64 + 1).as_bytes(),
                b" ",
                ids.of(&self.maildrop, message).as_bytes(),
                b"\r\n",
            ])?;
        }
        self.ids = Some(ids);
        self.output.put(&[b".\r\n"])
    }

    fn compare_names(&self) -> Option<UniqueIds> {
        UniqueIds::new(&self.maildrop, |message| {
            let directory = self.maildir.directory(self.maildrop.place(message));
            let name = self.maildrop.name(message);
            statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map_or(0, |stat| stat.st_ino)
        })
        .ok()
    }

    /// Sends a message, or its top. Nothing is promised before the first piece is there.
    fn send(&mut self, message: usize, mut top: Option<Top>) -> Result<(), End> {
        let (place, name) = (self.maildrop.place(message), self.maildrop.name(message));
        let opened = Message::open(self.maildir.directory(place), name);
        let mut encoder = Encoder::default();
        let mut file = match opened {
            Ok(file) => file,
            Err(errno) => return Ok(self.unreadable(errno)?),
        };
        let mut begun = false;
        loop {
            let piece = match file.read(&mut self.buffer) {
                Ok(piece) => piece,
                Err(errno) if !begun => return Ok(self.unreadable(errno)?),
                Err(errno) => {
                    let name = self.maildrop.name(message).to_bytes().to_vec();
                    self.output.flush()?;
                    return Err(End::Cut(place, name, errno));
                }
            };
            if !begun {
                self.output.put(&[b"+OK message follows\r\n"])?;
                begun = true;
            }
            let part = top.as_mut().map_or(piece.len(), |top| top.take(piece));
            self.output.write_with(|out| encoder.encode(&piece[..part], out))?;
            if piece.is_empty() || top.is_some_and(|top| top.is_over()) {
                break;
            }
        }
        Ok(self.output.write_with(|out| encoder.finish(out))?)
    }

    fn unreadable(&mut self, errno: Errno) -> Result<(), Gone> {
        self.output.put(&[b"-ERR unable to read that message: ", reason(errno).as_bytes(), b"\r\n"])
    }

    fn quit(&mut self) -> End {
        let left = update(&self.maildir, &self.maildrop, &self.transaction);
        let said = match left {
            0 => self.output.put(&[b"+OK\r\n"]),
            left => self.output.put(&[
                b"-ERR [SYS/TEMP] unable to remove ",
                decimal(left as u64).as_bytes(),
                b" of the deleted messages\r\n",
            ]),
        };
        said.and_then(|()| self.output.flush()).map_or_else(End::Gone, |()| End::Quit)
    }
}

const NO_MEMORY: &[u8] = b"-ERR [SYS/TEMP] out of memory\r\n";

#[cfg(test)]
mod tests;
