//! Files that are whole or not there, and from their first moment closed to others.

use super::NAME;
use common::{Exit, Failure};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::{Mode, lstat};
use nix::unistd::{UnlinkatFlags, fsync, linkat, unlinkat, write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// For keys: read by their owner only, written by nobody.
pub(super) const SECRET: Mode = Mode::S_IRUSR;

/// For what is sent to others anyway.
pub(super) const PUBLIC: Mode = Mode::from_bits_truncate(0o644);

/// A file to be written.
pub(super) struct Output {
    path: PathBuf,
    force: bool,
}

impl Output {
    /// Makes sure that nothing stands there; with `force`, whatever does will be replaced.
    ///
    /// # Errors
    /// Exit code 100 if the file exists.
    pub(super) fn reserve(path: PathBuf, force: bool) -> Result<Self, Failure> {
        if !force && lstat(&path).is_ok() {
            return Err(exists(&path));
        }
        Ok(Self { path, force })
    }

    /// The file's name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file: under another name first, then synced, then named, then synced again.
    ///
    /// # Errors
    /// Exit code 111; 100 if somebody else has created the file meanwhile.
    pub(super) fn write(&self, text: &[u8], mode: Mode) -> Result<(), Failure> {
        let temporary = self.temporary()?;
        self.fill(&temporary, text, mode)
            .and_then(|()| self.name(&temporary))
            .inspect_err(|_| {
                // What couldn't be finished shall not lie around; it may hold a key.
                let _ = unlinkat(AT_FDCWD, &temporary, UnlinkatFlags::NoRemoveDir);
            })
            .map_err(|error| {
                if error == Errno::EEXIST && !self.force {
                    return exists(&self.path);
                }
                failed("create ", &self.path, error)
            })
    }

    fn fill(&self, temporary: &Path, text: &[u8], mode: Mode) -> Result<(), Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = open(temporary, flags, mode)?;
        let mut left = text;
        while !left.is_empty() {
            match write(&file, left) {
                Ok(count) => left = &left[count..],
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
        fsync(&file)
    }

    fn name(&self, temporary: &Path) -> Result<(), Errno> {
        if self.force {
            // Replaces in one step.
            nix::fcntl::renameat(AT_FDCWD, temporary, AT_FDCWD, &self.path)?;
        } else {
            // Unlike rename, a link never replaces anything.
            linkat(AT_FDCWD, temporary, AT_FDCWD, &self.path, AtFlags::empty())?;
            unlinkat(AT_FDCWD, temporary, UnlinkatFlags::NoRemoveDir)?;
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        fsync(open(self.directory(), flags, Mode::empty())?)
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            Some(_) | None => Path::new("."),
        }
    }

    /// A name beside the file's own, that nobody can foresee.
    fn temporary(&self) -> Result<PathBuf, Failure> {
        let mut random = [0; 8];
        sys::rand::getrandom(&mut random, sys::rand::GetRandomFlags::empty()).map_err(|errno| {
            let parts: [&[u8]; 1] = [b"unable to get random numbers"];
            NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
        })?;
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{:016x}", u64::from_le_bytes(random)));
        Ok(self.path.with_file_name(name))
    }
}

fn exists(path: &Path) -> Failure {
    let path = path.as_os_str().as_bytes();
    let reason: &[u8] = b": file already exists (--force replaces it)";
    NAME.fatal(Exit::USAGE.0, &[b"unable to create ", path, reason])
}

fn failed(verb: &str, path: &Path, error: Errno) -> Failure {
    let errno = sys::Errno::from_raw_os_error(error as i32);
    let path = path.as_os_str().as_bytes();
    NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to ", verb.as_bytes(), path], errno)
}
