//! Mailboxes to measure with.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::maildir_of;
use crate::place::is_root;

/// Who owns them if root measures: nobody.
pub(super) const NOBODY: u32 = 65534;

/// So many messages of about so many bytes, which somebody has seen before.
pub(super) fn make(home: &Path, count: usize, bytes: usize) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("unable to make a mailbox: {e}");
    let maildir = maildir_of(home);
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part)).map_err(failed)?;
    }
    let line = format!("{}\n", "A line of text, as long as they are. ".repeat(2).trim_end());
    let text = line.repeat(bytes / line.len());
    for number in 0..count {
        let message = maildir.join(format!("cur/{}.M{number}P1.bench:2,S", 1_200_000_000 + number));
        let mut file = File::create(&message).map_err(failed)?;
        let text = format!("Subject: message {number}\n\n{text}");
        file.write_all(text.as_bytes())
            // A message of this very second is not shown yet.
            .and_then(|()| file.set_modified(SystemTime::now() - Duration::from_secs(1000)))
            .and_then(|()| own(&message))
            .map_err(failed)?;
    }
    for path in ["", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"] {
        own(&home.join(path)).map_err(failed)?;
    }
    Ok(())
}

/// Removes what either has noted about a mailbox.
pub(super) fn forget(home: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("unable to tidy up a mailbox: {e}");
    for entry in fs::read_dir(maildir_of(home)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            match fs::remove_file(entry.path()) {
                // Dovecot has files that come and go.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

/// Makes room. What a server that is just ending still writes goes with the scratch directory.
pub(super) fn remove(home: &Path) {
    let _ = fs::remove_dir_all(home);
}

fn own(path: &Path) -> std::io::Result<()> {
    if is_root() { chown(path, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}
