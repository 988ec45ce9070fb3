//! setlock: runs a program that holds the lock on a file.

use crate::child::Child;
use common::getopt::{Getopt, Opt};
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::fs::{FlockOperation, Mode, OFlags, flock, open};
use sys::{Args, Env, Errno, OwnedFd};

const NAME: Name = Name("setlock");

const USAGE: &str = "[ -nNxX ] file program [ arg ... ]";

/// `setlock [-nNxX] FILE PROGRAM ARGUMENTS`: opens the file (making it, mode 0600, if need be), takes
/// the exclusive flock(2) on it, and becomes the program, which has the file on the lowest free
/// descriptor and the lock for as long as that is open anywhere.
///
/// `-n` doesn't wait for the lock, `-N` does. `-x` ends without a word and with 0 where the file
/// can't be opened or locked, `-X` says so. The last letter of a pair counts.
///
/// # Errors
/// Wrong usage: 100. A file that can't be opened or locked (but with `-x`), a program that can't be
/// run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let Request { wait, quiet, file, child } = read(args)?;
    // Held up to the exec: the program inherits it.
    let _lock = match lock(file, wait) {
        Ok(lock) => lock,
        Err(_) if quiet => return Ok(Exit::OK),
        Err(failure) => return Err(failure),
    };
    Err(child.exec(NAME, env, &env.vector()))
}

struct Request {
    wait: bool,
    quiet: bool,
    file: &'static CStr,
    child: Child,
}

fn read(args: Args) -> Result<Request, Failure> {
    let (mut wait, mut quiet) = (true, false);
    let mut options = Getopt::new(args, b"nNxX");
    for option in options.by_ref() {
        match option.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))? {
            Opt::Flag(b'n') => wait = false,
            Opt::Flag(b'N') => wait = true,
            Opt::Flag(b'x') => quiet = true,
            Opt::Flag(_) | Opt::Value(..) => quiet = false,
        }
    }
    let file = options.rest().get(0).ok_or_else(|| NAME.usage(USAGE))?;
    let child = Child::after(options.rest(), 1).ok_or_else(|| NAME.usage(USAGE))?;
    Ok(Request { wait, quiet, file, child })
}

/// The file, locked. Not close-on-exec: that is the point.
fn lock(file: &CStr, wait: bool) -> Result<OwnedFd, Failure> {
    // Without NONBLOCK, a FIFO that nobody reads would keep us for ever.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::APPEND | OFlags::CREATE;
    let mode = Mode::RUSR | Mode::WUSR;
    let opened = open(file, flags, mode).map_err(|errno| failure(b"open", file, errno))?;
    let operation =
        if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    flock(&opened, operation).map_err(|errno| failure(b"lock", file, errno))?;
    Ok(opened)
}

fn failure(verb: &[u8], file: &CStr, errno: Errno) -> Failure {
    let parts: [&[u8]; 4] = [b"unable to ", verb, b" ", file.to_bytes()];
    NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn asked(list: &[&str]) -> Result<(bool, bool), String> {
        let strings = list.iter().map(|text| CString::new(*text).expect("no NUL")).collect();
        match read(Args::new(strings)) {
            Ok(request) => Ok((request.wait, request.quiet)),
            Err(failure) => {
                assert_eq!(failure.code, 100);
                Err(String::from_utf8(failure.text).expect("ASCII"))
            }
        }
    }

    #[test]
    fn the_last_letter_of_a_pair_counts() {
        for (options, expected) in [
            (&[][..], (true, false)),
            (&["-n"], (false, false)),
            (&["-x"], (true, true)),
            (&["-nx"], (false, true)),
            (&["-n", "-N", "-x", "-X"], (true, false)),
            (&["-NnXx"], (false, true)),
            (&["-n", "--", "-x"], (false, false)),
        ] {
            let all = [&["setlock"], options, &["file", "true"]].concat();
            assert_eq!(asked(&all), Ok(expected), "{options:?}");
        }
    }

    #[test]
    fn wrong_usage() {
        let usage = format!("setlock: usage: setlock {USAGE}\n");
        assert_eq!(asked(&["setlock"]), Err(usage.clone()));
        assert_eq!(asked(&["setlock", "-n", "file"]), Err(usage.clone()));
        let illegal = format!("setlock: illegal option -- z\n{usage}");
        assert_eq!(asked(&["setlock", "-nz", "file", "true"]), Err(illegal));
    }
}
