//! tai64nlocal: makes TAI64N labels local times, and local times labels.

pub(crate) mod labels;
pub(crate) mod lines;
pub(crate) mod local;
pub(crate) mod reading;
mod request;
pub(crate) mod rules;
pub(crate) mod tzif;
pub(crate) mod zone;

use crate::tai64n::outlet;
use crate::wall::{Form, WallClock};
use alloc::vec;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use labels::Labels;
use lines::{Lines, Place, Sought};
use local::LocalTime;
use sys::fs::{Mode, OFlags, open};
use sys::{Args, AsFd, BorrowedFd, Env, Errno};

const NAME: Name = Name("tai64nlocal");

/// As much as a pipe holds.
const INPUT: usize = 64 * 1024;

/// `tai64nlocal [FILE...]`: copies files, or standard input (`-`, or where none is named), to standard output.
/// Where a line begins with `@` and 24 hexadecimal digits (lower case, as tai64n and multilog write them), it has
/// the local time in their place: `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`. Every other byte goes through as it is. What
/// has arrived is passed on before more is read, but for the beginning of what may be a label.
///
/// `-a` makes times of the labels anywhere in a line, `-c N` of those in its Nth field; `-u` makes them UTC, and
/// `-i` writes them as ISO 8601 has them. `-r` makes labels of times, of both forms.
///
/// The time zone is that of `$TZ`, read as by the C library, or of /etc/localtime.
///
/// # Errors
/// Wrong options: 100. Trouble with standard input, or with writing: 111, without a word, as with the original; a file
/// that can't be read is named, and when the others are copied, the exit code is 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let request = request::read(args)?;
    let (place, files) = (request.place, request.files);
    if request.is_reverse {
        let clock = match request.is_utc {
            true => WallClock::utc(Form::Spaced),
            false => WallClock::local(env, Form::Spaced),
        };
        return copy(files, place, Labels::new(clock));
    }
    let time = match (request.is_iso, request.is_utc) {
        (false, false) => LocalTime::new(env),
        (false, true) => LocalTime::utc(),
        (true, false) => LocalTime::iso(env),
        (true, true) => LocalTime::iso_utc(),
    };
    copy(files, place, if place == Place::Start { time } else { time.apart() })
}

fn copy<S: Sought>(files: Args, place: Place, sought: S) -> Result<Exit, Failure> {
    let lines = Lines::new(place, outlet::to_stdout());
    let mut copy = Copy { buffer: vec![0; INPUT], lines, sought };
    let silent = |_| Failure::silent(Exit::TEMPORARY.0);
    if files.is_empty() {
        return copy.descriptor(sys::borrow(0)).map(|()| Exit::OK).map_err(silent);
    }
    let mut exit = Exit::OK;
    for file in files.iter() {
        match copy.file(file) {
            Ok(()) => {}
            Err(Trouble::Reading(errno)) => {
                let name = if file == c"-" { b"standard input" } else { file.to_bytes() };
                NAME.warn_errno(&[b"unable to read ", name], errno);
                exit = Exit::TEMPORARY;
            }
            Err(trouble @ Trouble::Writing) => return Err(silent(trouble)),
        }
    }
    Ok(exit)
}

/// What may come between.
enum Trouble {
    Reading(Errno),
    Writing,
}

/// Copies one input after the other.
struct Copy<S, W> {
    buffer: Vec<u8>,
    lines: Lines<W>,
    sought: S,
}

impl<S: Sought, W: FnMut(&[u8], &[u8]) -> Result<(), Errno>> Copy<S, W> {
    fn file(&mut self, name: &CStr) -> Result<(), Trouble> {
        if name == c"-" {
            return self.descriptor(sys::borrow(0));
        }
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(name, flags, Mode::empty()).map_err(Trouble::Reading)?;
        self.descriptor(Some(file.as_fd()))
    }

    fn descriptor(&mut self, fd: Option<BorrowedFd<'_>>) -> Result<(), Trouble> {
        let fd = fd.ok_or(Trouble::Reading(Errno::BADF))?;
        self.lines.begin().map_err(|_| Trouble::Writing)?;
        let mut kept = 0;
        loop {
            let read = sys::read(fd, &mut self.buffer[kept..]);
            let filled = kept + *read.as_ref().unwrap_or(&0);
            let ends = filled == kept;
            let done = self.lines.convert(&self.buffer[..filled], ends, &mut self.sought);
            let done = done.map_err(|_| Trouble::Writing)?;
            if ends {
                return read.map(|_| ()).map_err(Trouble::Reading);
            }
            // The beginning of what may be a label.
            self.buffer.copy_within(done..filled, 0);
            kept = filled - done;
        }
    }
}
