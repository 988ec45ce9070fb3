//! Standing between a program and what it reads and writes: the frame of recordio and fixcrio.

pub(crate) mod client;
pub(crate) mod direction;
mod flow;

use crate::child;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use direction::Direction;
use sys::fd::{AsRawFd, BorrowedFd};
use sys::fork::{Fork, fork};
use sys::io::fcntl_dupfd_cloexec;
use sys::pipe::{PipeFlags, pipe_with};
use sys::poll::{PollFd, PollFlags, poll};
use sys::signal::{Signal, ignore};
use sys::stdio::{dup2_stdin, dup2_stdout};
use sys::{Args, Env, Errno, OwnedFd};

pub(crate) use flow::Passage;

const USAGE: &str = "program [ arg ... ]";

/// Becomes the program that the arguments name, with pipes as standard input and output. A child
/// copies between them and the real ones: what comes in goes through `passages.0`, what goes out through
/// `passages.1`. They are made with the program's process id.
///
/// The program has our process id, and the copier for a child that it knows nothing of: it ends when
/// nothing can pass any more in either direction.
///
/// # Errors
/// Wrong usage: 100. No pipe or process to be had, a program that can't be run: 111.
pub(crate) fn run<I: Passage, O: Passage>(
    name: Name,
    args: Args,
    env: Env,
    passages: impl FnOnce(u64) -> (I, O),
) -> Result<Exit, Failure> {
    let program = args.get(1).ok_or_else(|| name.usage(USAGE))?;
    let fatal = |what: &[u8], errno| name.fatal_errno(Exit::TEMPORARY.0, &[what], errno);
    let no_pipe = |errno| fatal(b"unable to create pipe", errno);
    let (its_stdin, into) = pipe().map_err(no_pipe)?;
    let (from, its_stdout) = pipe().map_err(no_pipe)?;
    let id = sys::process::getpid().as_raw_nonzero().get();
    match fork().map_err(|errno| fatal(b"unable to fork", errno))? {
        Fork::Child => {
            drop((its_stdin, its_stdout));
            let (inward, outward) = passages(id.unsigned_abs().into());
            copy((inward, into), (outward, from))
                .map(|()| Exit::OK)
                .map_err(|errno| fatal(b"unable to copy", errno))
        }
        Fork::Parent(_) => {
            dup2_stdin(&its_stdin)
                .and_then(|()| dup2_stdout(&its_stdout))
                .map_err(|errno| fatal(b"unable to move descriptors", errno))?;
            Err(child::exec(name, program, args.tail(1), env))
        }
    }
}

/// A pipe with both ends beyond the standard descriptors, which may be closed when we start: an end in
/// their place would be taken for them.
fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let beyond = |end: OwnedFd| {
        if end.as_raw_fd() > 2 { Ok(end) } else { fcntl_dupfd_cloexec(end, 3) }
    };
    Ok((beyond(reader)?, beyond(writer)?))
}

/// Copies until nothing can pass any more. Each direction ends for itself: a program that has closed
/// its input goes on writing, and the other way round.
fn copy<I: Passage, O: Passage>(
    (inward, into): (I, OwnedFd),
    (outward, from): (O, OwnedFd),
) -> Result<(), Errno> {
    // Who doesn't read any more shows as EPIPE.
    ignore(Signal::PIPE);
    let (stdin, stdout) = (possess(0)?, possess(1)?);
    let mut inward = Direction::new(inward, stdin, Some(into));
    let mut outward = Direction::new(outward, Some(from), stdout);
    loop {
        let (comes, goes) = (inward.awaited(), outward.awaited());
        // Once its output is at an end, the program may be gone. Who reads its input then shows without
        // a write, which may never come.
        let reader = inward.target().filter(|_| goes.is_none());
        let awaited = [comes, goes, reader.map(|fd| (fd, PollFlags::empty()))];
        let Some([comes, goes, reader]) = wait(awaited)? else { return Ok(()) };
        if reader {
            return Ok(());
        }
        if comes {
            inward.go_on();
        }
        if goes {
            outward.go_on();
        }
    }
}

/// The standard descriptor, if it is open, as one that can be closed. In its place stands standard error:
/// the last copy that is closed tells the other end.
fn possess(number: i32) -> Result<Option<OwnedFd>, Errno> {
    let Some(standard) = sys::borrow(number) else { return Ok(None) };
    let own = fcntl_dupfd_cloexec(standard, 3)?;
    if let Some(stderr) = sys::borrow(2) {
        if number == 0 { dup2_stdin(stderr) } else { dup2_stdout(stderr) }?;
    }
    Ok(Some(own))
}

/// Waits until any of these is ready, and says which are; `None` if there is nothing to wait for.
fn wait<const N: usize>(
    awaited: [Option<(BorrowedFd<'_>, PollFlags)>; N],
) -> Result<Option<[bool; N]>, Errno> {
    let there = awaited.iter().flatten();
    let mut fds: Vec<PollFd<'_>> =
        there.map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    if fds.is_empty() {
        return Ok(None);
    }
    match poll(&mut fds, None, None) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno),
    }
    let mut polled = fds.iter();
    let ready = |place: Option<_>| {
        place.is_some() && polled.next().is_some_and(|fd| !fd.revents().is_empty())
    };
    Ok(Some(awaited.map(ready)))
}
