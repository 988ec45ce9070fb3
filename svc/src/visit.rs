//! Going from directory to directory, each name relative to where the program was started.

use common::{Failure, Name};
use core::ffi::CStr;
use sys::fs::{self, Mode, OFlags};
use sys::process::{chdir, fchdir};
use sys::{Errno, OwnedFd};

/// Where the program was started.
pub(crate) struct Start {
    program: Name,
    directory: OwnedFd,
}

impl Start {
    /// Remembers the working directory.
    ///
    /// # Errors
    /// 111: it can't be opened.
    pub(crate) fn here(program: Name) -> Result<Self, Failure> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match fs::open(c".", flags, Mode::empty()) {
            Ok(directory) => Ok(Self { program, directory }),
            Err(errno) => {
                Err(program.fatal_errno(111, &[b"unable to open current directory"], errno))
            }
        }
    }

    /// Does `work` with `name` as the working directory, and comes back; `work` is told if the
    /// directory can't be entered. Gives what `work` gave.
    ///
    /// # Errors
    /// 111: there is no way back.
    pub(crate) fn visit<T>(
        &self,
        name: &CStr,
        work: impl FnOnce(Result<(), Errno>) -> T,
    ) -> Result<T, Failure> {
        let result = work(chdir(name));
        match fchdir(&self.directory) {
            Ok(()) => Ok(result),
            Err(errno) => Err(self.program.fatal_errno(111, &[b"unable to set directory"], errno)),
        }
    }
}
