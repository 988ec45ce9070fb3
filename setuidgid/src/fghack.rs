//! fghack: keeps a program that goes to the background in the foreground, as far as anybody can.

use crate::child::Child;
use common::{Exit, Failure, Name};
use sys::fork::{Fork, fork};
use sys::pipe::{PipeFlags, pipe_with};
use sys::process::{Pid, WaitOptions, waitpid};
use sys::{Args, Env, Errno, OwnedFd};

const NAME: Name = Name("fghack");

/// So many copies of the pipe's writing end a program gets besides the first: one that closes all
/// descriptors it can think of, up to 20 in the old days, still leaves one open.
const COPIES: usize = 30;

/// `fghack PROGRAM ARGUMENTS`: runs the program as a child, with a pipe that it knows nothing of, and
/// waits until the child and all its descendants have ended or closed that. Then it ends with the
/// child's exit code.
///
/// # Errors
/// Wrong usage: 100. No pipe or process to be had, a program that can't be run, a child that was
/// ended by a signal: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let child = Child::after(args, 1).ok_or_else(|| NAME.usage("child"))?;
    let (reader, writer) =
        pipe_with(PipeFlags::empty()).map_err(|errno| failure(b"unable to create pipe", errno))?;
    match fork().map_err(|errno| failure(b"unable to fork", errno))? {
        Fork::Child => {
            drop(reader);
            let _writers = copies(&writer);
            Err(child.exec(NAME, env, &env.vector()))
        }
        Fork::Parent(pid) => {
            drop(writer);
            wait_for_silence(&reader);
            exit_code(pid)
        }
    }
}

/// As many as there are descriptors for: under a low limit, fewer.
fn copies(writer: &OwnedFd) -> impl Sized {
    core::array::from_fn::<_, COPIES, _>(|_| sys::io::dup(writer).ok())
}

/// Until nobody has the pipe open for writing any more. What is written to it is none of ours.
fn wait_for_silence(reader: &OwnedFd) {
    let mut buffer = [0; 512];
    while sys::read(reader, &mut buffer).is_ok_and(|count| count > 0) {}
}

fn exit_code(pid: Pid) -> Result<Exit, Failure> {
    let status = loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => break status,
            Ok(None) | Err(Errno::INTR) => {}
            // With SIGCHLD ignored, as the child must have it too, nobody knows the code.
            Err(errno) => return Err(failure(b"wait failed", errno)),
        }
    };
    match status.exit_status() {
        Some(code) => Ok(Exit(code as u8)),
        None => Err(NAME.fatal(Exit::TEMPORARY.0, &[b"child crashed"])),
    }
}

fn failure(what: &[u8], errno: Errno) -> Failure {
    NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno)
}
