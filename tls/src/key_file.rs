//! The file that holds key and certificates: read once, whole, and only if nobody else can read it.

use super::LoadError;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::read;
use std::os::fd::OwnedFd;
use std::path::Path;
use zeroize::Zeroizing;

/// More than any key with a chain of certificates needs; a file that is larger is the wrong file.
const MAX_SIZE: usize = 128 * 1024;

/// As much as a host's whole collection of authorities, twice.
const MAX_PUBLIC_SIZE: usize = 512 * 1024;

/// Reads the file. What it held is wiped from memory when dropped.
pub fn read_whole(path: &Path) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    let (file, mode) = opened(path)?;
    if mode.intersects(Mode::S_IROTH | Mode::S_IWOTH) {
        return Err(LoadError::OpenToOthers);
    }
    if mode.intersects(Mode::S_IRGRP | Mode::S_IWGRP) {
        return Err(LoadError::OpenToGroup);
    }
    // One buffer that never grows: a copy left behind by growing would not be wiped.
    let mut text = Zeroizing::new(vec![0; MAX_SIZE + 1]);
    let used = fill(&file, &mut text)?;
    if used > MAX_SIZE {
        return Err(LoadError::TooLarge);
    }
    text.truncate(used);
    Ok(text)
}

/// Reads a file that holds nothing secret: certificates, lists. It may be open to all, and longer.
pub(crate) fn read_public(path: &Path) -> Result<Vec<u8>, LoadError> {
    let (file, _) = opened(path)?;
    let mut text = Vec::new();
    while text.len() <= MAX_PUBLIC_SIZE {
        let used = text.len();
        text.resize(used + 64 * 1024, 0);
        let more = fill(&file, &mut text[used..])?;
        text.truncate(used + more);
        if more == 0 {
            return Ok(text);
        }
    }
    Err(LoadError::TooLarge)
}

fn opened(path: &Path) -> Result<(OwnedFd, Mode), LoadError> {
    // A FIFO or a terminal in the file's place must not make a starting server wait.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(LoadError::System)?;
    let status = fstat(&file).map_err(LoadError::System)?;
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(LoadError::NotAFile);
    }
    Ok((file, Mode::from_bits_truncate(status.st_mode)))
}

/// As much as there is, or as fits.
fn fill(file: &OwnedFd, buffer: &mut [u8]) -> Result<usize, LoadError> {
    let mut used = 0;
    while used < buffer.len() {
        match read(file, &mut buffer[used..]) {
            Ok(0) => break,
            Ok(count) => used += count,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(LoadError::System(error)),
        }
    }
    Ok(used)
}
