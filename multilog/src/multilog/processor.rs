//! Running a processor on a file that is full.

use super::disk::{NEWSTATE, PREVIOUS, PROCESSED, STATE, Trouble};
use super::notice::Notice;
use core::ffi::CStr;
use sys::exec::Program;
use sys::fs::{Mode, OFlags};
use sys::process::{WaitOptions, fchdir, waitpid};
use sys::signal::SignalSet;
use sys::spawn::{Spawn, SpawnError};
use sys::{AsFd, Env, Errno, OwnedFd, Vector};

/// What a processor gets from us as we got it, and what others see of us.
#[derive(Clone, Copy)]
pub(super) struct Surroundings {
    pub(super) env: Env,
    pub(super) mask: SignalSet,
    pub(super) notice: Notice,
}

/// Runs `/bin/sh -c COMMAND` in the directory, and waits for its end: `previous` is its standard
/// input, `processed` its output, it reads `state` from descriptor 4 and writes `newstate` to 5.
pub(super) fn run(
    command: &CStr,
    directory: &OwnedFd,
    surroundings: &Surroundings,
) -> Result<(), Trouble> {
    let reading = |name: &CStr| {
        open(directory, name, OFlags::RDONLY)
            .map_err(|errno| Trouble::with("unable to read ", name, errno))
    };
    let writing = |name: &CStr| {
        open(directory, name, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC)
            .map_err(|errno| Trouble::with("unable to write ", name, errno))
    };
    let (previous, processed) = (reading(PREVIOUS)?, writing(PROCESSED)?);
    // Somebody may have removed it.
    open(directory, STATE, OFlags::WRONLY | OFlags::CREATE)
        .map_err(|errno| Trouble::with("unable to write ", STATE, errno))?;
    let (state, newstate) = (reading(STATE)?, writing(NEWSTATE)?);
    let of_directory = Trouble::of_directory;
    // Logs may have to be made anew by names that begin here.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let here = sys::fs::open(c".", flags, Mode::empty());
    // Not by its name: the directory may have got another since.
    fchdir(directory).map_err(|errno| of_directory("unable to switch to ", Some(errno)))?;
    let program = Program::find(c"/bin/sh", None);
    let args: Vector<'_> = [c"sh", c"-c", command].into_iter().collect();
    let env = surroundings.env.vector();
    let spawn = Spawn {
        descriptors: &[
            (previous.as_fd(), 0),
            (processed.as_fd(), 1),
            (state.as_fd(), 4),
            (newstate.as_fd(), 5),
        ],
        mask: surroundings.mask,
        ..Spawn::new(&program, &args, &env)
    };
    let started = spawn.start();
    if let Ok(here) = here {
        let _ = fchdir(&here);
    }
    let child = started.map_err(|error| match error {
        SpawnError::Exec(errno) => of_directory("unable to run /bin/sh in ", Some(errno)),
        SpawnError::Clone(errno) | SpawnError::Directory(errno) | SpawnError::Descriptor(errno) => {
            of_directory("unable to fork for processor in ", Some(errno))
        }
    })?;
    let status = loop {
        match waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => break status,
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(of_directory("wait failed for processor in ", Some(errno))),
        }
    };
    match status.exit_status() {
        Some(0) => Ok(()),
        Some(_) => Err(of_directory("processor failed in ", None)),
        None => Err(of_directory("processor crashed in ", None)),
    }
}

fn open(directory: &OwnedFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    sys::fs::openat(directory, name, flags | OFlags::NONBLOCK | OFlags::CLOEXEC, mode)
}
