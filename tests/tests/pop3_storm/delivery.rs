//! Who delivers mail, and flags it as an IMAP server does.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tests::storm::random::Random;

use crate::host::{ACCOUNT, Host};
use crate::message;

/// The next message's number is all that is known to it.
#[derive(Default)]
pub(crate) struct Delivery {
    next: u64,
}

impl Delivery {
    /// How many messages there have been, those included that had no room.
    pub(crate) fn delivered(&self) -> u64 {
        self.next
    }

    /// Delivers a message, if there is room: into tmp/, and from there to new/ by a link or by a rename.
    pub(crate) fn deliver(&mut self, host: &Host, random: &mut Random) -> Option<u64> {
        let id = self.next;
        self.next += 1;
        let (tmp, new) =
            (host.file("tmp", &message::name(id)), host.file("new", &message::name(id)));
        if write(&tmp, &message::message(id).file, random).is_err() {
            // Not there, or not for long: whoever sent it tries again later.
            let _ = fs::remove_file(&tmp);
            return None;
        }
        match random.below(16) {
            // It was killed here: nobody was promised anything.
            0 => return None,
            1..8 => {
                let linked = fs::hard_link(&tmp, &new);
                fs::remove_file(&tmp).expect("remove from tmp/");
                linked.ok()?;
            }
            _ => fs::rename(&tmp, &new).ok()?,
        }
        Some(id)
    }

    /// Delivers some messages, flags some that others have seen, and gives those that were delivered.
    pub(crate) fn works_for_a_while(&mut self, host: &Host, random: &mut Random) -> Vec<u64> {
        let mut delivered = Vec::new();
        for _ in 0..random.below(12) {
            if random.once_in(4) {
                flag(host, random);
            } else {
                delivered.extend(self.deliver(host, random));
            }
        }
        delivered
    }
}

/// It is this old, or so young that a session doesn't show it yet.
fn write(path: &Path, text: &[u8], random: &mut Random) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    chown(path, Some(ACCOUNT), Some(ACCOUNT))?;
    if random.once_in(8) {
        return Ok(());
    }
    let age = Duration::from_secs(10 + random.below(1000) as u64);
    file.set_modified(SystemTime::now() - age)
}

/// A rename within cur/. Somebody may have been faster.
fn flag(host: &Host, random: &mut Random) {
    let mut names = host.names("cur");
    names.sort();
    if names.is_empty() {
        return;
    }
    let name = random.of(&names);
    let Some((unique, flags)) = name.split_once(":2,") else { return };
    let flags = if flags.contains('S') { "" } else { "S" };
    let _ = fs::rename(host.file("cur", name), host.file("cur", &format!("{unique}:2,{flags}")));
}
