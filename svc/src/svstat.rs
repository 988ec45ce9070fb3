//! `svstat DIRECTORY...`: a line on standard output for each directory, what is wrong with it
//! included.

use crate::visit::Start;
use alloc::vec::Vec;
use common::tai64n::Label;
use common::{Exit, Failure, Name, decimal, reason};
use supervise::client::{self, StatusError};
use supervise::place::Place;
use supervise::status::{Status, Want};
use sys::fs::{CWD, stat};
use sys::{Args, Env, Errno};

const NAME: Name = Name("svstat");

/// Exit code 0, whatever the directories are like; 111 when the working directory can't be opened
/// or come back to, or the lines can't be written.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let start = Start::here(NAME)?;
    let mut lines = Vec::new();
    for directory in args.tail(1).iter() {
        start.visit(directory, |entered| {
            lines.extend_from_slice(directory.to_bytes());
            lines.extend_from_slice(b": ");
            let seen = entered.map_err(|errno| Problem::Errno("unable to chdir", errno));
            match seen.and_then(|()| look(env)) {
                Ok((status, normally_up)) => {
                    describe(&mut lines, &status, normally_up, Label::now());
                }
                Err(problem) => problem.describe(&mut lines),
            }
            lines.push(b'\n');
        })?;
    }
    let written = sys::borrow(1).ok_or(Errno::BADF).and_then(|out| sys::write_all(out, &lines));
    match written {
        Err(errno) if !lines.is_empty() => {
            Err(NAME.fatal_errno(111, &[b"unable to write output"], errno))
        }
        Ok(()) | Err(_) => Ok(Exit::OK),
    }
}

/// Why there is nothing to be said about a directory.
enum Problem {
    Text(&'static str),
    Errno(&'static str, Errno),
}

impl Problem {
    fn describe(&self, line: &mut Vec<u8>) {
        match self {
            Self::Text(text) => line.extend_from_slice(text.as_bytes()),
            Self::Errno(text, errno) => {
                line.extend_from_slice(text.as_bytes());
                line.extend_from_slice(b": ");
                line.extend_from_slice(reason(*errno).as_bytes());
            }
        }
    }
}

/// The status of the service in the working directory, and whether it is up normally: without a
/// file `down`.
fn look(env: Env) -> Result<(Status, bool), Problem> {
    let place =
        Place::here(env).map_err(|errno| Problem::Errno("unable to tell the path", errno))?;
    let normally_up = match stat(c"down") {
        Ok(_) => false,
        Err(Errno::NOENT) => true,
        Err(errno) => return Err(Problem::Errno("unable to stat down", errno)),
    };
    match client::reach(CWD, &place) {
        Ok(()) => {}
        Err(Errno::NXIO) => return Err(Problem::Text("supervise not running")),
        Err(errno) => return Err(Problem::Errno("unable to open supervise/ok", errno)),
    }
    match client::status(CWD, &place) {
        Ok(statuses) => Ok((statuses.service, normally_up)),
        Err(StatusError::Open(errno)) => {
            Err(Problem::Errno("unable to open supervise/status", errno))
        }
        Err(StatusError::Read(errno)) => {
            Err(Problem::Errno("unable to read supervise/status", errno))
        }
        Err(StatusError::Truncated) => {
            Err(Problem::Text("unable to read supervise/status: bad format"))
        }
    }
}

fn describe(line: &mut Vec<u8>, status: &Status, normally_up: bool, now: Label) {
    let up = status.pid != 0;
    if up {
        line.extend_from_slice(b"up (pid ");
        line.extend_from_slice(decimal(status.pid.into()).as_bytes());
        line.extend_from_slice(b") ");
    } else {
        line.extend_from_slice(b"down ");
    }
    line.extend_from_slice(decimal(status.seconds(now)).as_bytes());
    line.extend_from_slice(b" seconds");
    let remarks: [(bool, &[u8]); 5] = [
        (up && !normally_up, b", normally down"),
        (!up && normally_up, b", normally up"),
        (up && status.paused, b", paused"),
        (!up && status.want == Want::Up, b", want up"),
        (up && status.want == Want::Down, b", want down"),
    ];
    for (_, remark) in remarks.iter().filter(|(applies, _)| *applies) {
        line.extend_from_slice(remark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn line(pid: u32, paused: bool, want: Want, normally_up: bool) -> String {
        let label = |seconds| Label::from_unix(Duration::from_secs(seconds));
        let mut line = Vec::new();
        let status = Status { since: label(100), pid, paused, want, state: None };
        describe(&mut line, &status, normally_up, label(142));
        String::from_utf8(line).expect("ASCII")
    }

    #[test]
    fn every_combination() {
        let mut lines = Vec::new();
        for pid in [0, u32::MAX] {
            for paused in [false, true] {
                for want in [Want::Up, Want::Down, Want::Once] {
                    for normally_up in [true, false] {
                        lines.push(line(pid, paused, want, normally_up));
                    }
                }
            }
        }
        let down = [
            "down 42 seconds, normally up, want up",
            "down 42 seconds, want up",
            "down 42 seconds, normally up",
            "down 42 seconds",
            "down 42 seconds, normally up",
            "down 42 seconds",
        ];
        assert_eq!(lines[..6], down);
        assert_eq!(lines[6..12], down);
        let up = |rest: &str| format!("up (pid 4294967295) 42 seconds{rest}");
        assert_eq!(
            lines[12..18],
            [
                up(""),
                up(", normally down"),
                up(", want down"),
                up(", normally down, want down"),
                up(""),
                up(", normally down"),
            ]
        );
        assert_eq!(
            lines[18..],
            [
                up(", paused"),
                up(", normally down, paused"),
                up(", paused, want down"),
                up(", normally down, paused, want down"),
                up(", paused"),
                up(", normally down, paused"),
            ]
        );
    }
}
