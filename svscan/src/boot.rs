//! svscanboot: starts svscan at boot, with a clean environment and its messages where ps(1) shows them.
//!
//! Services that an earlier svscan left behind are told to go (`svc -dx`), so that nothing runs twice. readproctitle then
//! becomes a child, and this process becomes svscan: init sees at once when svscan ends.

use crate::daemon::taken;
use crate::directory::{LockError, ScanDirectory};
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::exec::Program;
use sys::fd::AsRawFd;
use sys::fs::{AtFlags, CWD, Mode, OFlags};
use sys::pipe::PipeFlags;
use sys::process::WaitOptions;
use sys::spawn::{ProcessGroup, Spawn};
use sys::{Args, AsFd, BorrowedFd, Env, Errno, OwnedFd, Vector};

const NAME: Name = Name("svscanboot");

/// The scan directory, unless another is given.
const SERVICE: &CStr = c"/service";

/// Where programs are looked for, after the directory that we are in ourselves.
const PLACES: &[u8] = b"/command:/usr/local/bin:/usr/local/sbin:/bin:/sbin:/usr/bin:/usr/sbin";

/// How much readproctitle shows.
const ROOM: usize = 400;

/// `svscanboot [ directory ]`.
///
/// # Errors
/// Exit code 100 for a wrong usage, 111 if the directory is not there, another svscan uses it, or svscan can't be run.
pub fn run(args: Args, _: Env) -> Result<Exit, Failure> {
    if args.len() > 2 {
        return Err(NAME.usage("[ directory ]"));
    }
    let directory = args.get(1).unwrap_or(SERVICE);
    let left_behind = left_behind(directory)?;
    let path = search_path(own_directory().as_deref());
    let boot = Boot { env: environment(&path), path };

    let fatal = |what: &[u8], errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno);
    let null = nothing().map_err(|errno| fatal(b"unable to open /dev/null", errno))?;
    boot.send_away(&null, &left_behind);
    let (reader, writer) = pipe().map_err(|errno| fatal(b"unable to create pipe", errno))?;
    boot.show(reader.as_fd(), null.as_fd());
    drop(reader);
    Err(boot.become_svscan(directory, &null, &writer))
}

/// The entries whose supervises are to be told to go, and their loggers: `DIR/*` and `DIR/*/log`. Nobody is told
/// anything if the directory is missing, or if svscan runs there.
fn left_behind(directory: &CStr) -> Result<Vec<CString>, Failure> {
    let fatal = |errno| {
        let parts: [&[u8]; 2] = [b"unable to read directory ", directory.to_bytes()];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
    };
    let scan = ScanDirectory::open(directory).map_err(fatal)?;
    match scan.lock() {
        // A file system without locks has its svscan warn about it.
        Ok(()) | Err(LockError::Unsupported(_)) => {}
        Err(LockError::Taken) => return Err(taken(NAME, directory.to_bytes())),
    }
    let names = scan.names().map_err(fatal)?;
    let path = |name: &CString, below: &[u8]| {
        let whole = [directory.to_bytes(), b"/", name.to_bytes(), below].concat();
        CString::new(whole).unwrap_or_default()
    };
    let services: Vec<CString> = names.iter().map(|name| path(name, b"")).collect();
    let loggers = names.iter().map(|name| path(name, b"/log"));
    let there =
        loggers.filter(|log| sys::fs::statat(CWD, log.as_c_str(), AtFlags::empty()).is_ok());
    Ok(services.iter().cloned().chain(there).collect())
}

/// What everything below us is run with.
struct Boot {
    path: Vec<u8>,
    env: CString,
}

impl Boot {
    /// Runs `svc -dx` on them, and waits for it. svc doesn't wait for the services: a supervise that still holds its
    /// lock is waited for by svscan.
    fn send_away(&self, null: &OwnedFd, services: &[CString]) {
        if services.is_empty() {
            return;
        }
        let options = [c"svc", c"-dx", c"--"];
        let args = options.into_iter().chain(services.iter().map(CString::as_c_str)).collect();
        let streams = [(null.as_fd(), 0), (null.as_fd(), 1), (null.as_fd(), 2)];
        match self.start(c"svc", &args, &streams) {
            Ok(pid) => {
                let ended = || sys::process::waitpid(Some(pid), WaitOptions::empty());
                while ended().is_err_and(|errno| errno == Errno::INTR) {}
            }
            Err(errno) => NAME.warn_errno(&[b"unable to run svc"], errno),
        }
    }

    /// Starts readproctitle. Without it, svscan's messages go nowhere, but the services come up.
    fn show(&self, messages: BorrowedFd<'_>, null: BorrowedFd<'_>) {
        let room = CString::new(vec![b'.'; ROOM]).unwrap_or_default();
        let args = [c"readproctitle", c"service", c"errors:", &room].into_iter().collect();
        let streams = [(messages, 0), (null, 1), (null, 2)];
        if let Err(errno) = self.start(c"readproctitle", &args, &streams) {
            NAME.warn_errno(&[b"unable to run readproctitle"], errno);
        }
    }

    fn start(
        &self,
        name: &CStr,
        args: &Vector<'_>,
        streams: &[(BorrowedFd<'_>, i32)],
    ) -> Result<sys::process::Pid, Errno> {
        let program = Program::find(name, Some(&self.path));
        let env = self.vector();
        let spawn = Spawn {
            descriptors: streams,
            mask: sys::signal::mask(),
            process_group: ProcessGroup::Inherited,
            ..Spawn::new(&program, args, &env)
        };
        spawn.start().map_err(sys::spawn::SpawnError::errno)
    }

    /// Returns only if svscan can't be run.
    fn become_svscan(&self, directory: &CStr, null: &OwnedFd, messages: &OwnedFd) -> Failure {
        let fatal = |what: &[u8], errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno);
        // If svscan can't be run, that is said where we were started.
        let complain = sys::borrow(2).map(|old| sys::io::fcntl_dupfd_cloexec(old, 3));
        let moved = sys::stdio::dup2_stdin(null)
            .and_then(|()| sys::stdio::dup2_stdout(messages))
            .and_then(|()| sys::stdio::dup2_stderr(messages));
        let failure = match moved {
            Err(errno) => fatal(b"unable to set up descriptors for svscan", errno),
            Ok(()) => {
                let args = [c"svscan", directory].into_iter().collect();
                let program = Program::find(c"svscan", Some(&self.path));
                fatal(b"unable to run svscan", program.exec(&args, &self.vector()))
            }
        };
        if let Some(Ok(old)) = complain {
            let _ = sys::stdio::dup2_stderr(old);
        }
        failure
    }

    fn vector(&self) -> Vector<'_> {
        [self.env.as_c_str()].into_iter().collect()
    }
}

fn nothing() -> Result<OwnedFd, Errno> {
    sys::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).and_then(above)
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (reader, writer) = sys::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    Ok((above(reader)?, above(writer)?))
}

/// The same under a number above the standard streams', which we may have been started without.
fn above(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { sys::io::fcntl_dupfd_cloexec(fd, 3) }
}

fn environment(path: &[u8]) -> CString {
    CString::new([b"PATH=", path].concat()).unwrap_or_default()
}

/// The directory that this program is in, if that can be told.
fn own_directory() -> Option<Vec<u8>> {
    let exe = sys::fs::readlinkat(CWD, c"/proc/self/exe", Vec::new()).ok()?;
    let slash = exe.to_bytes().iter().rposition(|byte| *byte == b'/')?;
    Some(exe.to_bytes()[..slash].into())
}

/// Our own directory first: its programs belong together.
fn search_path(own: Option<&[u8]>) -> Vec<u8> {
    let usable = own.filter(|own| !own.is_empty() && !own.contains(&b':'));
    let others = PLACES.split(|byte| *byte == b':').filter(|place| Some(*place) != usable);
    usable.into_iter().chain(others).collect::<Vec<_>>().join(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_directory_comes_first_and_once() {
        assert_eq!(search_path(None), PLACES);
        assert_eq!(search_path(Some(b"")), PLACES);
        assert_eq!(search_path(Some(b"/a:b")), PLACES);
        assert_eq!(search_path(Some(b"/opt/d")), [b"/opt/d:", PLACES].concat());
        let usual = b"/bin:/command:/usr/local/bin:/usr/local/sbin:/sbin:/usr/bin:/usr/sbin";
        assert_eq!(search_path(Some(b"/bin")), usual);
    }
}
