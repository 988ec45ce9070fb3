//! Virtual users in a cdb: as good for a hundred thousand of them as a file is for ten. vpopmail's `vpasswd.cdb`
//! is one.

use super::{Entry, Trouble};
use crate::lines::MAX_LINE;
use sys::fs::fstat;
use sys::{AsFd, BorrowedFd, Errno};
use ucspi::cdb::{Damage, HEADER, Reader, Source};
use zeroize::Zeroizing;

/// How many records are looked at for a hash that is like all others.
const SAMPLE: usize = 16;

/// A table's file, read without a buffer in between that nobody would wipe.
struct File<'a> {
    fd: BorrowedFd<'a>,
    length: u64,
}

impl<'a> File<'a> {
    fn new(fd: &'a impl AsFd) -> Result<Self, Errno> {
        let fd = fd.as_fd();
        Ok(Self { fd, length: u64::try_from(fstat(fd)?.st_size).unwrap_or(0) })
    }
}

impl Source for File<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Errno> {
        let count = sys::read_whole_at(self.fd, buffer, offset)?;
        if count == buffer.len() { Ok(()) } else { Err(Errno::PROTO) }
    }
}

/// What the table says of `user`.
///
/// # Errors
/// A file that can't be read or isn't a cdb; a value longer than any may be.
pub fn find(file: &impl AsFd, user: &[u8]) -> Result<Option<Entry>, Trouble> {
    if user.is_empty() {
        return Ok(None);
    }
    let damage = |Damage(errno)| Trouble::Unreadable(errno);
    let source = File::new(file).map_err(Trouble::Unreadable)?;
    let found = Reader::new(source).map_err(damage)?.find(user).map_err(damage)?;
    let Some(rest) = found.map(Zeroizing::new) else { return Ok(None) };
    if rest.len() > MAX_LINE {
        return Err(Trouble::Line(None, "value is too long"));
    }
    Ok(Some(Entry { number: None, rest }))
}

/// The first of what `see` makes of a value; only the first few are shown to it.
pub fn first<T>(file: &impl AsFd, see: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let source = File::new(file).ok()?;
    records(&source, SAMPLE, |_, value| see(value)).ok()?
}

/// Shows `visit` the first `count` records of a table, which stand behind its header, until it returns something.
pub(crate) fn records<T>(
    source: &impl Source,
    count: usize,
    visit: impl Fn(&[u8], &[u8]) -> Option<T>,
) -> Result<Option<T>, Errno> {
    let number = |at: u64| {
        let mut bytes = [0; 4];
        source.read(at, &mut bytes).map(|()| u64::from(u32::from_le_bytes(bytes)))
    };
    // The first table of slots is where the records end.
    let mut end = source.length();
    for table in 0..HEADER as u64 / 8 {
        end = end.min(number(8 * table)?);
    }
    let mut at = HEADER as u64;
    for _ in 0..count {
        if at >= end {
            break;
        }
        let (key, value) = (number(at)?, number(at + 4)?);
        let next = at + 8 + key + value;
        if next > end {
            return Err(Errno::PROTO);
        }
        if key + value <= 2 * MAX_LINE as u64 {
            let mut bytes = Zeroizing::new(vec![0; (key + value) as usize]);
            source.read(at + 8, &mut bytes)?;
            let (key, value) = bytes.split_at(key as usize);
            if let Some(found) = visit(key, value) {
                return Ok(Some(found));
            }
        }
        at = next;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::RefCell;
    use ucspi::cdb::Writer;

    fn table(records: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let mut writer = Writer::new(|piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok::<(), ()>(())
        });
        for (key, value) in records {
            writer.add(key.as_bytes(), value.as_bytes()).expect("room");
        }
        let header = writer.finish().expect("room");
        bytes[..HEADER].copy_from_slice(&header);
        bytes
    }

    #[test]
    fn records_come_in_their_order_and_no_more_than_there_are() {
        let bytes = table(&[("joe", "h:1:1:/m"), ("", ""), ("ann", "g:1:1:/m")]);
        let seen = RefCell::new(Vec::new());
        let found = records(&&bytes[..], 99, |key, value| {
            seen.borrow_mut().push((key.to_vec(), value.to_vec()));
            None::<()>
        });
        assert_eq!(found, Ok(None));
        let expected = [("joe", "h:1:1:/m"), ("", ""), ("ann", "g:1:1:/m")];
        assert_eq!(
            *seen.borrow(),
            expected.map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
        );
        let second = records(&&bytes[..], 1, |key, _| (key == b"ann").then_some(()));
        assert_eq!(second, Ok(None));
        assert_eq!(records(&&table(&[])[..], 9, |_, _| Some(())), Ok(None));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(at in 0_usize..4096, junk: Vec<u8>, length in 0_usize..3000) {
            let mut bytes = table(&[("joe", "h:1:1:/m"), ("ann", "g:1:1:/m")]);
            for (offset, byte) in junk.into_iter().enumerate() {
                let place = (at + offset) % bytes.len();
                bytes[place] = byte;
            }
            bytes.truncate(length.max(7));
            let _ = records(&&bytes[..], 1000, |_, _| None::<()>);
        }
    }
}
