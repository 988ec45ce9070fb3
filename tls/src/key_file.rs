//! The file that holds key and certificates: read once, whole, and only if nobody else can read it.

use super::LoadError;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::read;
use std::path::Path;
use zeroize::Zeroizing;

/// More than any key with a chain of certificates needs; a file that is larger is the wrong file.
const MAX_SIZE: usize = 128 * 1024;

/// Reads the file. What it held is wiped from memory when dropped.
pub fn read_whole(path: &Path) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    // A FIFO or a terminal in the file's place must not make a starting server wait.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(LoadError::System)?;
    let status = fstat(&file).map_err(LoadError::System)?;
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(LoadError::NotAFile);
    }
    let mode = Mode::from_bits_truncate(status.st_mode);
    if mode.intersects(Mode::S_IROTH | Mode::S_IWOTH) {
        return Err(LoadError::OpenToOthers);
    }
    if mode.intersects(Mode::S_IRGRP | Mode::S_IWGRP) {
        return Err(LoadError::OpenToGroup);
    }
    // One buffer that never grows: a copy left behind by growing would not be wiped.
    let mut text = Zeroizing::new(vec![0; MAX_SIZE + 1]);
    let mut used = 0;
    while used < text.len() {
        match read(&file, &mut text[used..]) {
            Ok(0) => break,
            Ok(count) => used += count,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(LoadError::System(error)),
        }
    }
    if used > MAX_SIZE {
        return Err(LoadError::TooLarge);
    }
    text.truncate(used);
    Ok(text)
}
