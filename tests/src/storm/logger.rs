//! The logger of a storm: appends its standard input to the file `main` of its service directory, exactly once, whenever it
//! is killed.
//!
//! A logger that reads and then writes loses what it has read when it is killed in between, and that is its own fault. This
//! one moves the bytes with splice(2), from the pipe into the file within one system call. The kernel first writes what the
//! pipe holds and then takes out as many bytes as were written, and a signal (KILL, too) can make the call short but can't
//! come between the two. So at any moment each byte is either in the pipe or in the file, and its successor goes on at the end of
//! the file. (tee(2) instead would leave it to the successor to find out how much of the file's end is still in the pipe.)

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{SpliceFFlags, splice};

use crate::storm::journal::{self, only_one};

/// How long it waits when the disk is full. What it waits for can't be waited on.
const RETRY: Duration = Duration::from_millis(20);

/// Runs until its input ends or a signal ends it.
///
/// # Errors
/// If it is not alone, or can neither read nor write.
pub fn run() -> Result<(), Box<dyn Error>> {
    let here = std::env::current_dir()?;
    let service = here.parent().and_then(|service| service.file_name()).ok_or("no service")?;
    let journals = PathBuf::from(std::env::var_os(journal::VARIABLE).ok_or("no journal")?);
    let _place = only_one(&journals, &format!("{}.log", service.display()))?;
    let mut log = open()?;
    // Not opened for appending, which splice refuses.
    log.seek(SeekFrom::End(0))?;
    loop {
        match splice(io::stdin(), None, &log, None, 1 << 16, SpliceFFlags::empty()) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::ENOSPC) => std::thread::park_timeout(RETRY),
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn open() -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(false).open("main")
}
