//! `svup [-L] [-l] DIRECTORY`: whether a service is up (daemontools-encore).

use common::getopt::{Getopt, Opt};
use common::{Exit, Failure, Name, reason};
use supervise::client::{self, StatusError};
use supervise::place::Place;
use supervise::status::{State, Status, Statuses};
use sys::fs::CWD;
use sys::{Args, Env, Errno};

const NAME: Name = Name("svup");

/// What must be up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The service, and the log that its supervise runs, if there is one.
    Both,
    /// `-L`: that log alone.
    Log,
    /// `-l`: the service alone.
    Service,
}

/// Exit code 0: it is up; 100: it is not, or not supervised, or wrong usage; 111: it can't be told.
/// Arguments after the first are passed over, as by svok.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let usage = || NAME.usage("[ -L ] [ -l ] dir");
    let mut which = Which::Both;
    let mut options = Getopt::new(args, b"Ll");
    for option in options.by_ref() {
        which = match option {
            Ok(Opt::Flag(b'L')) => Which::Log,
            Ok(Opt::Flag(_) | Opt::Value(..)) => Which::Service,
            Err(illegal) => return Err(illegal.with_usage(usage())),
        };
    }
    let Some(directory) = options.rest().get(0) else { return Err(usage()) };
    let name = directory.to_bytes();
    sys::process::chdir(directory)
        .map_err(|errno| NAME.fatal_errno(111, &[b"unable to chdir to ", name], errno))?;
    let unable = |what: &[u8], reason: &str| {
        NAME.fatal(111, &[what, name, b"/supervise/status: ", reason.as_bytes()])
    };
    let place = Place::here(env)
        .map_err(|errno| NAME.fatal_errno(111, &[b"unable to tell the path of ", name], errno))?;
    match client::reach(CWD, &place) {
        Ok(()) => {}
        Err(Errno::NXIO | Errno::NOENT) => return Ok(Exit(100)),
        Err(errno) => {
            return Err(NAME.fatal_errno(
                111,
                &[b"unable to open ", name, b"/supervise/ok"],
                errno,
            ));
        }
    }
    let statuses = client::status(CWD, &place).map_err(|error| match error {
        StatusError::Open(errno) => unable(b"unable to open ", reason(errno)),
        StatusError::Read(errno) => unable(b"unable to read ", reason(errno)),
        StatusError::Truncated => unable(b"unable to read ", "bad format"),
    })?;
    Ok(if is_up(&statuses, which) { Exit::OK } else { Exit(100) })
}

fn is_up(statuses: &Statuses, which: Which) -> bool {
    let service = runs(&statuses.service);
    match which {
        Which::Both => service && statuses.log.as_ref().is_none_or(runs),
        Which::Log => statuses.log.as_ref().is_some_and(runs),
        Which::Service => service,
    }
}

/// Whether a process runs, or all that there was to run has run.
fn runs(status: &Status) -> bool {
    status.pid != 0 || matches!(status.state, Some(State::Started | State::Running))
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use supervise::status::Want;

    fn status(pid: u32, state: Option<State>) -> Status {
        Status { since: Label::from_bytes([0; 12]), pid, paused: false, want: Want::Up, state }
    }

    #[test]
    fn what_counts_as_up() {
        for (pid, state, expected) in [
            (0, None, false),
            (5, None, true),
            (0, Some(State::Stopped), false),
            (0, Some(State::Starting), false),
            (5, Some(State::Starting), true),
            (0, Some(State::Started), true),
            (0, Some(State::Running), true),
            (0, Some(State::Stopping), false),
            (0, Some(State::Failed), false),
            (0, Some(State::Unknown(9)), false),
        ] {
            assert_eq!(runs(&status(pid, state)), expected, "{pid} {state:?}");
        }
    }

    #[test]
    fn which_of_both_counts() {
        let (up, down) = (status(5, None), status(0, None));
        let only = |service| Statuses { service, log: None };
        let both = |service, log| Statuses { service, log: Some(log) };
        for (statuses, expected) in [
            (only(up), [true, false, true]),
            (only(down), [false, false, false]),
            (both(up, up), [true, true, true]),
            (both(up, down), [false, false, true]),
            (both(down, up), [false, true, false]),
            (both(down, down), [false, false, false]),
        ] {
            let found = [Which::Both, Which::Log, Which::Service].map(|w| is_up(&statuses, w));
            assert_eq!(found, expected);
        }
    }
}
