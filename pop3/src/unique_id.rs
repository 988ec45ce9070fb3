//! Unique ids (RFC 1939, UIDL): the file's name before `:`, as the original had them, or clients
//! would fetch everything once more after a change of server.
//!
//! RFC 1939 wants 1 to 70 characters from 0x21 to 0x7E, never the same for two messages. A name
//! that breaks the first rule is replaced by a digest of it. Names that break the second (a message
//! copied by hand, say) are each replaced by a digest of name and inode, which survives what a
//! Maildir does to a file (moves, flags). No copy keeps the name: once the others were deleted,
//! a client would take the one that is left for a message it has had.
//!
//! The digest is SHA-256, cut to 128 bits: whoever can write to a mailbox chooses its names, and
//! two messages of one id are one message to a client, so that ids must be hard to make collide;
//! and they have to be the same for good, which a keyed hash is only with its key kept somewhere.

use crate::listing::hash;
use crate::maildrop::Maildrop;
use crate::names::{FileName, unique};
use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

/// The longest id that RFC 1939 allows.
const LONGEST: usize = 70;

/// A digest, as the id that it is.
type Digest = [u8; 32];

/// One message's unique id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueId<'a> {
    /// Its name.
    Name(&'a [u8]),
    /// A digest in its place.
    Digest(Digest),
}

impl UniqueId<'_> {
    /// The id as the client sees it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Name(name) => name,
            Self::Digest(digest) => digest,
        }
    }
}

/// Which messages of a maildrop share their name with another.
pub struct UniqueIds {
    /// In the order of the messages.
    shared: Vec<(usize, Digest)>,
}

impl UniqueIds {
    /// Compares all names. `inode` gives a message's inode number, 0 if the message is gone.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(
        maildrop: &Maildrop,
        mut inode: impl FnMut(usize) -> u64,
    ) -> Result<Self, TryReserveError> {
        let mut shared: Vec<(usize, Digest)> = Vec::new();
        let (mut first, mut second) = (FileName::default(), FileName::default());
        let mut order = alike(maildrop)?;
        for alike in order.chunk_by_mut(|one, two| one >> 32 == two >> 32) {
            let unique_part = |message: u64, name: &mut FileName| {
                maildrop.name(message as u32 as usize, name);
            };
            alike.sort_unstable_by(|one, two| {
                unique_part(*one, &mut first);
                unique_part(*two, &mut second);
                first.unique().cmp(second.unique()).then(one.cmp(two))
            });
            let same = alike.chunk_by(|one, two| {
                unique_part(*one, &mut first);
                unique_part(*two, &mut second);
                first.unique() == second.unique()
            });
            let mut name = FileName::default();
            for same in same.filter(|same| same.len() > 1) {
                for (nth, message) in same.iter().enumerate() {
                    let message = *message as u32 as usize;
                    let inode = inode(message).to_be_bytes();
                    let place = maildrop.name(message, &mut name);
                    let mut id = digest(&[name.unique(), b":", &inode]);
                    // One file by two names in the Maildir.
                    if shared[shared.len() - nth..].iter().any(|(_, other)| *other == id) {
                        id = digest(&[place.name(), b"/", name.as_bytes(), b":", &inode]);
                    }
                    shared.try_reserve(1)?;
                    shared.push((message, id));
                }
            }
        }
        shared.sort_unstable_by_key(|(message, _)| *message);
        Ok(Self { shared })
    }

    /// Those of a maildrop whose names are known to differ.
    #[must_use]
    pub fn distinct() -> Self {
        Self { shared: Vec::new() }
    }

    /// Whether no two messages share their name.
    #[must_use]
    pub fn are_distinct(&self) -> bool {
        self.shared.is_empty()
    }

    /// A message's unique id, for which its name is put into `name`.
    #[must_use]
    pub fn of<'a>(
        &self,
        maildrop: &Maildrop,
        message: usize,
        name: &'a mut FileName,
    ) -> UniqueId<'a> {
        if let Ok(found) = self.shared.binary_search_by_key(&message, |(message, _)| *message) {
            return UniqueId::Digest(self.shared[found].1);
        }
        maildrop.name(message, name);
        let name = unique(name.as_bytes());
        let lawful = (1..=LONGEST).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
        if lawful { UniqueId::Name(name) } else { UniqueId::Digest(digest(&[name])) }
    }
}

/// Messages, among them all whose names have the same hash as another's: it is in the upper half of each
/// number.
fn alike(maildrop: &Maildrop) -> Result<Vec<u64>, TryReserveError> {
    let mut name = FileName::default();
    let mut hash_of = |message| {
        maildrop.name(message, &mut name);
        hash(name.unique())
    };
    // A bit for each eighth of a message: few find theirs taken, and only those are compared.
    let bits = maildrop.len().next_power_of_two() * 8;
    let mut taken: Vec<u64> = Vec::new();
    taken.try_reserve_exact(bits.div_ceil(64))?;
    taken.resize(bits.div_ceil(64), 0);
    let mut twice: Vec<u32> = Vec::new();
    for message in 0..maildrop.len() {
        let hash = hash_of(message);
        let bit = hash as usize % bits;
        if taken[bit / 64] >> (bit % 64) & 1 == 1 {
            twice.try_reserve(1)?;
            twice.push(hash);
        }
        taken[bit / 64] |= 1 << (bit % 64);
    }
    drop(taken);
    twice.sort_unstable();
    let mut alike = Vec::new();
    if !twice.is_empty() {
        for message in 0..maildrop.len() {
            let hash = hash_of(message);
            if twice.binary_search(&hash).is_ok() {
                alike.try_reserve(1)?;
                alike.push(u64::from(hash) << 32 | message as u64);
            }
        }
    }
    alike.sort_unstable();
    Ok(alike)
}

fn digest(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let mut id = [0; 32];
    for (byte, digits) in hash.finalize().iter().zip(id.chunks_exact_mut(2)) {
        digits[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        digits[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maildrop::{Facts, Place, Size};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::string::String;

    /// The ids of messages with these names; two of the same inode number are one file.
    fn ids(names: &[(&[u8], u64)]) -> Vec<String> {
        let mut maildrop = Maildrop::default();
        for (nth, (name, _)) in names.iter().enumerate() {
            let place = if nth == 0 { Place::New } else { Place::Cur };
            let facts = Facts { modified: 1, size: Size::OnDisk(1), check: 1 };
            maildrop.add(place, name, facts).unwrap();
        }
        let ids = UniqueIds::new(&maildrop, |message| names[message].1).unwrap();
        assert_eq!(ids.are_distinct(), ids.shared.is_empty());
        let id = |message| ids.of(&maildrop, message, &mut FileName::default()).as_bytes().to_vec();
        (0..names.len()).map(|message| String::from_utf8(id(message)).unwrap()).collect()
    }

    #[test]
    fn a_lawful_name_is_the_id() {
        let names = [(&b"1.M2P3.host,S=4:2,S"[..], 1), (b"!~", 2), (&[b'x'; 70], 3)];
        assert_eq!(ids(&names), ["1.M2P3.host,S=4", "!~", &"x".repeat(70)]);
    }

    #[test]
    fn an_unlawful_name_is_digested() {
        let long = [b'x'; 71];
        let names: [&[u8]; 4] = [b"a b", b"\xFF:2,", &long, b":2,S"];
        let ids = ids(&names.map(|name| (name, 1)));
        // sha256sum, its first 32 digits: ids are kept by clients, so they may never change.
        assert_eq!(ids[0], "c8687a08aa5d6ed2044328fa6a697ab8");
        assert_eq!(ids[3], "e3b0c44298fc1c149afbf4c8996fb924");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn flags_do_not_change_an_id() {
        assert_eq!(ids(&[(b"a b", 1)]), ids(&[(b"a b:2,S", 1)]));
    }

    #[test]
    fn names_that_are_shared() {
        let two = ids(&[(b"x:2,", 1), (b"y", 5), (b"x", 2)]);
        assert_eq!(two[1], "y");
        assert_ne!(two[0], two[2]);
        assert!(two[0].len() == 32 && two[2].len() == 32);
        // What happens to one message doesn't change the other's id.
        assert_eq!(
            ids(&[(b"x:2,S", 1), (b"x", 2), (b"x:2,R", 3)])[..2],
            [two[0].clone(), two[2].clone()]
        );
        let one_file = ids(&[(b"x:2,", 1), (b"x", 1)]);
        assert_ne!(one_file[0], one_file[1]);
        let in_both_places = ids(&[(b"x", 1), (b"x", 1)]);
        assert_ne!(in_both_places[0], in_both_places[1]);
    }

    proptest! {
        #[test]
        fn ids_are_lawful_and_differ(
            names in prop::collection::btree_set("[ab:é ]{0,4}[.x]{0,80}", 1..30),
        ) {
            let names: Vec<_> =
                names.iter().enumerate().map(|(n, name)| (name.as_bytes(), n as u64 + 1)).collect();
            let ids = ids(&names);
            for id in &ids {
                prop_assert!((1..=70).contains(&id.len()));
                prop_assert!(id.bytes().all(|byte| byte.is_ascii_graphic()));
            }
            prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        }
    }
}
