//! A listening socket that somebody else has made: a port can be bound by a process with the right
//! to, and outlives the server, so that no client finds it closed.

use crate::options::NAME;
use common::env::Environment;
use common::{Exit, Failure, number};
use sys::Env;

/// The first descriptor that comes with `LISTEN_FDS`.
const FIRST: i32 = 3;

/// What tells of it, and is of no use to the server's programs.
const VARIABLES: [&[u8]; 3] = [b"LISTEN_PID", b"LISTEN_FDS", b"LISTEN_FDNAMES"];

/// The number of the socket that was handed over: that of `--listen-fd`, or as sd_listen_fds(3) has
/// it, if `LISTEN_PID` is this process.
///
/// # Errors
/// More than one socket was handed over, or none: exit code 111.
pub fn number(option: Option<i32>, env: Env) -> Result<Option<i32>, Failure> {
    let own = sys::process::getpid().as_raw_nonzero().get();
    choose(option, u64::try_from(own).ok(), |name| env.get(name))
}

/// The variables that told of a socket of ours don't concern the programs.
pub fn forget(environment: &mut Environment) {
    for name in VARIABLES {
        environment.unset(name);
    }
}

fn choose<'a>(
    option: Option<i32>,
    own: Option<u64>,
    variable: impl Fn(&[u8]) -> Option<&'a [u8]>,
) -> Result<Option<i32>, Failure> {
    if option.is_some() {
        return Ok(option);
    }
    let addressee = variable(b"LISTEN_PID").and_then(number::whole);
    if addressee.is_none() || addressee != own {
        return Ok(None);
    }
    let count = variable(b"LISTEN_FDS").unwrap_or_default();
    match number::whole(count) {
        Some(1) => Ok(Some(FIRST)),
        _ => Err(NAME
            .fatal(Exit::TEMPORARY.0, &[b"unable to use LISTEN_FDS=", count, b": not one socket"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(option: Option<i32>, pid: &str, fds: &str) -> Result<Option<i32>, u8> {
        let found = choose(option, Some(77), |name| match name {
            b"LISTEN_PID" => Some(pid.as_bytes()),
            b"LISTEN_FDS" => Some(fds.as_bytes()),
            _ => None,
        });
        found.map_err(|failure| failure.code)
    }

    #[test]
    fn a_socket_for_this_process_is_taken() {
        assert_eq!(chosen(None, "77", "1"), Ok(Some(3)));
        assert_eq!(chosen(Some(9), "77", "1"), Ok(Some(9)));
        assert_eq!(choose(None, Some(77), |_| None), Ok(None));
    }

    #[test]
    fn one_for_another_process_is_not() {
        for pid in ["78", "", "x", "-77", "077x"] {
            assert_eq!(chosen(None, pid, "1"), Ok(None), "{pid}");
        }
    }

    #[test]
    fn several_are_too_many() {
        for fds in ["0", "2", "", "x"] {
            assert_eq!(chosen(None, "77", fds), Err(111), "{fds}");
        }
    }
}
