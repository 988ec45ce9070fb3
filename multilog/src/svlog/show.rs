//! What a line looks like.

mod escape;

use super::stamp::Stamp;
use crate::tai64nlocal::local::LocalTime;
use alloc::vec::Vec;
use sys::{BorrowedFd, Env, termios};

/// Written at once, or somewhat more.
const SIZE: usize = 32 * 1024;

/// The colours of services, one after the other: cyan, yellow, green, magenta, blue.
const SERVICES: [&[u8]; 5] = [b"\x1b[36m", b"\x1b[33m", b"\x1b[32m", b"\x1b[35m", b"\x1b[34m"];

/// The words that tell how bad it is, and their colours.
const WORDS: [(&[u8], &[u8]); 3] =
    [(b"fatal:", b"\x1b[31m"), (b"alert:", b"\x1b[31m"), (b"warning:", b"\x1b[33m")];

const DIM: &[u8] = b"\x1b[2m";
const PLAIN: &[u8] = b"\x1b[m";

/// How it is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// In colours.
    pub(crate) colours: bool,
    /// Bytes that would make a terminal do things are written as `\x1b`.
    pub(crate) harmless: bool,
}

impl Style {
    /// A terminal is protected, and gets colours unless its user wants none; anything else gets the bytes as
    /// they are.
    pub(crate) fn of(output: BorrowedFd<'_>, env: Env) -> Self {
        let terminal = termios::isatty(output);
        let wanted = env.get(b"NO_COLOR").is_none_or(<[u8]>::is_empty);
        let able = env.get(b"TERM").is_some_and(|term| !term.is_empty() && term != b"dumb");
        Self { colours: terminal && wanted && able, harmless: terminal }
    }
}

/// A line, or a piece of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The service that it is of, with its number; only at the beginning of a line.
    pub(crate) service: Option<(&'a [u8], usize)>,
    pub(crate) bytes: &'a [u8],
    pub(crate) stamp: Option<Stamp>,
    pub(crate) ends: bool,
}

/// Gathers lines for `write`.
pub(crate) struct Show<W> {
    held: Vec<u8>,
    style: Style,
    /// `None`: stamps stay as they are.
    time: Option<LocalTime>,
    write: W,
}

impl<E, W: FnMut(&[u8]) -> Result<(), E>> Show<W> {
    pub(crate) fn new(style: Style, time: Option<LocalTime>, write: W) -> Self {
        Self { held: Vec::with_capacity(2 * SIZE), style, time, write }
    }

    /// Adds a line, or a piece of it.
    pub(crate) fn put(&mut self, shown: Shown<'_>) -> Result<(), E> {
        if let Some((name, number)) = shown.service {
            self.paint(SERVICES[number % SERVICES.len()], |show| {
                show.text(name);
                show.held.push(b':');
            });
            self.held.push(b' ');
        }
        let mut bytes = shown.bytes;
        if let Some(stamp) = shown.stamp {
            let (written, rest) = bytes.split_at(stamp.length);
            let time =
                self.time.as_mut().and_then(|time| time.text(&stamp.label.to_hex()).copied());
            self.paint(DIM, |show| match &time {
                Some(time) => show.held.extend_from_slice(to_microseconds(time.as_ref())),
                None => show.held.extend_from_slice(written),
            });
            bytes = rest;
        }
        if let Some((word, colour)) = self.style.colours.then(|| word(bytes)).flatten() {
            let (before, rest) = bytes.split_at(word.start);
            let (word, after) = rest.split_at(word.len());
            self.text(before);
            self.paint(colour, |show| show.text(word));
            bytes = after;
        }
        self.text(bytes);
        if shown.ends {
            self.held.push(b'\n');
        }
        if self.held.len() > SIZE { self.flush() } else { Ok(()) }
    }

    /// Ends a line whose end hasn't come.
    pub(crate) fn end_line(&mut self) {
        self.held.push(b'\n');
    }

    /// Writes what was gathered.
    pub(crate) fn flush(&mut self) -> Result<(), E> {
        if self.held.is_empty() {
            return Ok(());
        }
        let written = (self.write)(&self.held);
        self.held.clear();
        written
    }

    fn paint(&mut self, colour: &[u8], what: impl FnOnce(&mut Self)) {
        if !self.style.colours {
            return what(self);
        }
        self.held.extend_from_slice(colour);
        what(self);
        self.held.extend_from_slice(PLAIN);
    }

    fn text(&mut self, bytes: &[u8]) {
        if self.style.harmless {
            escape::append(bytes, &mut self.held);
        } else {
            self.held.extend_from_slice(bytes);
        }
    }
}

/// Without the last three digits of nanoseconds.
fn to_microseconds(time: &[u8]) -> &[u8] {
    let point = time.iter().position(|byte| *byte == b'.').unwrap_or(time.len());
    &time[..time.len().min(point + 7)]
}

/// The first of the words, if it stands alone.
fn word(bytes: &[u8]) -> Option<(core::ops::Range<usize>, &'static [u8])> {
    let found = WORDS.iter().filter_map(|(word, colour)| {
        let start = memchr::memmem::find(bytes, word)?;
        let alone = start == 0 || bytes[start - 1] == b' ';
        alone.then_some((start..start + word.len(), *colour))
    });
    found.min_by_key(|(range, _)| range.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::svlog::stamp;
    use crate::tai64nlocal::zone::Zone;
    use std::convert::Infallible;

    const COLOURS: Style = Style { colours: true, harmless: true };
    const BARE: Style = Style { colours: false, harmless: false };

    fn shown(style: Style, service: Option<&str>, line: &[u8]) -> String {
        let mut out = Vec::new();
        let time = LocalTime::new(Env::new(vec![c"TZ=ABC-1".into()]));
        let mut show = Show::new(style, Some(time), |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok::<(), Infallible>(())
        });
        let service = service.map(|service| (service.as_bytes(), 0));
        let stamp = stamp::read(line, &Zone::Utc);
        let Ok(()) = show.put(Shown { service, bytes: line, stamp, ends: true });
        let Ok(()) = show.flush();
        String::from_utf8_lossy(&out).replace('\x1b', "^")
    }

    #[test]
    fn lines() {
        for (line, expected) in [
            (&b"@400000003b9aca0a0000162e up"[..], "2001-09-09 02:46:40.000005 up\n"),
            (b"1000000000.000005 up", "2001-09-09 02:46:40.000005 up\n"),
            (b"2001-09-09T01:46:40.000005Z up", "2001-09-09 02:46:40.000005 up\n"),
            (b"2001-09-09 01:46:40 up", "2001-09-09 02:46:40.000000 up\n"),
            (b"up", "up\n"),
            (b"", "\n"),
            (b"a fatal: b \x1b", "a fatal: b ^\n"),
        ] {
            assert_eq!(shown(BARE, None, line), expected);
            assert_eq!(shown(BARE, Some("dns"), line), format!("dns: {expected}"));
        }
    }

    #[test]
    fn on_a_terminal() {
        for (line, expected) in [
            (&b"@400000003b9aca0a0000162e x"[..], "^[2m2001-09-09 02:46:40.000005^[m x"),
            (b"dns: fatal: x\x1b[m", "dns: ^[31mfatal:^[m x\\x1b[m"),
            (b"warning: fatal: x", "^[33mwarning:^[m fatal: x"),
            (b"nonfatal: alert: x", "nonfatal: ^[31malert:^[m x"),
        ] {
            assert_eq!(shown(COLOURS, None, line), format!("{expected}\n"));
        }
        assert_eq!(shown(COLOURS, Some("d\x07"), b"x"), "^[36md\\x07:^[m x\n");
    }

    #[test]
    fn stamps_stay_on_request() {
        let mut out = Vec::new();
        let mut show = Show::new(BARE, None, |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok::<(), Infallible>(())
        });
        let line = b"@400000003b9aca0a0000162e x";
        let stamp = stamp::read(line, &Zone::Utc);
        let Ok(()) = show.put(Shown { service: None, bytes: line, stamp, ends: false });
        let Ok(()) = show.flush();
        assert_eq!(out, line);
    }
}
