//! getent(1) in a child: the host's own answer, bounded in time and size.

use super::Trouble;
use crate::args::Vector;
use crate::clock::monotonic;
use crate::exec::Program;
use crate::fs::{Mode, OFlags, open};
use crate::pipe::{PipeFlags, pipe_with};
use crate::poll::{PollFd, PollFlags, poll};
use crate::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, getrlimit, kill_process, pidfd_open,
    setrlimit, waitpid,
};
use crate::spawn::Spawn;
use crate::{AsFd, Errno};
use alloc_crate::{ffi::CString, vec::Vec};
use core::ffi::CStr;
use core::time::Duration;

/// A directory server that hasn't answered by then is in trouble.
const PATIENCE: Duration = Duration::from_secs(30);

/// Room for as many groups as a process can be in.
const MAX_ANSWER: usize = 1 << 20;

/// As long as a login name can be (`LOGIN_NAME_MAX`).
const MAX_NAME: usize = 256;

/// The C library's exit code for "no such key".
const NOT_FOUND: i32 = 2;

const RAISED: [Resource; 4] = [Resource::As, Resource::Data, Resource::Stack, Resource::Nofile];

const PLACES: [&CStr; 2] = [c"/usr/bin/getent", c"/bin/getent"];

/// Whether getent may be asked about `name`: nothing that it, or a source behind it, could take for
/// an option, several keys, or a field's end.
pub(super) fn is_name(name: &[u8]) -> bool {
    (1..MAX_NAME).contains(&name.len())
        && !matches!(name[0], b'-' | b'+')
        && !name[0].is_ascii_whitespace()
        && !name.iter().any(|byte| matches!(byte, 0 | b'\n' | b':'))
}

/// Whether getent takes `name` for a number.
pub(super) fn is_number(name: &[u8]) -> bool {
    name.iter().all(u8::is_ascii_digit)
}

/// What `getent DATABASE NAME` prints, or `None` if it knows no such name.
///
/// # Errors
/// getent can't be run, fails, takes more than 30 s, or says more than 1 MiB.
pub(super) fn ask(database: &'static CStr, name: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    ask_at(&PLACES, database, name, PATIENCE)
}

fn ask_at(
    places: &[&CStr],
    database: &CStr,
    name: &[u8],
    patience: Duration,
) -> Result<Option<Vec<u8>>, Trouble> {
    let trouble = |errno| Trouble { action: "run getent", errno };
    let key = CString::new(name).map_err(|_| trouble(Errno::INVAL))?;
    let deadline = monotonic() + patience;
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(trouble)?;
    let null = open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Trouble { action: "open /dev/null", errno })?;
    let mut started = Err(Errno::NOENT);
    for place in places {
        started = start(place, [database, &key], null.as_fd(), writer.as_fd());
        if started != Err(Errno::NOENT) {
            break;
        }
    }
    let child = started.map_err(trouble)?;
    drop(writer);
    let answer = collect(&reader, deadline);
    drop(reader);
    let status = end(child, deadline, answer.is_err());
    let answer = answer.map_err(|errno| Trouble { action: "ask getent", errno })?;
    match status {
        Ok(Some(0)) => Ok(Some(answer)),
        Ok(Some(NOT_FOUND)) => Ok(None),
        // Our parent had us ignore SIGCHLD: then nobody learns the code, and the answer must do.
        Err(Errno::CHILD) => Ok(Some(answer).filter(|answer| !answer.is_empty())),
        Ok(Some(_)) => Err(Trouble { action: "ask getent", errno: Errno::IO }),
        Ok(None) => Err(Trouble { action: "ask getent", errno: Errno::TIMEDOUT }),
        Err(errno) => Err(trouble(errno)),
    }
}

/// Runs getent with the soft limits raised: its modules may need more memory than the 5,000,000
/// bytes that a service is given, and a limit must not make an account unknown.
fn start(
    place: &CStr,
    [database, key]: [&CStr; 2],
    null: crate::BorrowedFd<'_>,
    output: crate::BorrowedFd<'_>,
) -> Result<Pid, Errno> {
    let program = Program::find(place, None);
    let args: Vector<'_> = [c"getent", database, key].into_iter().collect();
    let env: Vector<'_> = [c"PATH=/usr/bin:/bin"].into_iter().collect();
    let descriptors = [(null, 0), (output, 1)];
    let spawn = Spawn { descriptors: &descriptors, ..Spawn::new(&program, &args, &env) };
    let before = RAISED.map(|resource| {
        let limit = getrlimit(resource);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // If it can't be raised, getent may still fit.
        let _ = setrlimit(resource, raised);
        (resource, limit)
    });
    let child = spawn.start();
    for (resource, limit) in before {
        let _ = setrlimit(resource, limit);
    }
    child.map_err(crate::spawn::SpawnError::errno)
}

/// Reads to the end of the file.
fn collect(reader: &crate::OwnedFd, deadline: Duration) -> Result<Vec<u8>, Errno> {
    let mut answer = Vec::new();
    loop {
        if !ready(reader, deadline)? {
            return Err(Errno::TIMEDOUT);
        }
        let mut buffer = [0; 1024];
        match crate::read(reader, &mut buffer)? {
            0 => return Ok(answer),
            more if answer.len() + more > MAX_ANSWER => return Err(Errno::FBIG),
            more => answer.extend_from_slice(&buffer[..more]),
        }
    }
}

/// Reaps the child. Gives its exit code, -1 if a signal killed it, `None` if we had to.
fn end(child: Pid, deadline: Duration, at_once: bool) -> Result<Option<i32>, Errno> {
    // A kernel without pidfds (before 5.3) waits for as long as the child lives.
    let in_time = !at_once
        && match pidfd_open(child, PidfdFlags::empty()) {
            Ok(pidfd) => ready(&pidfd, deadline)?,
            Err(_) => true,
        };
    if !in_time {
        let _ = kill_process(child, Signal::KILL);
    }
    loop {
        match waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                return Ok(in_time.then(|| status.exit_status().unwrap_or(-1)));
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether `fd` can be read before the deadline.
fn ready(fd: &crate::OwnedFd, deadline: Duration) -> Result<bool, Errno> {
    loop {
        let left = deadline.saturating_sub(monotonic());
        let mut waited = [PollFd::new(fd, PollFlags::IN)];
        match poll(&mut waited, Some(left), None) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(places: &[&CStr], name: &[u8], patience: u64) -> Result<Option<Vec<u8>>, Trouble> {
        ask_at(places, c"passwd", name, Duration::from_millis(patience))
    }

    #[test]
    fn which_names_are_asked_about() {
        for name in ["alice", "alice@example.org", "EXAMPLE\\alice", "a b", "0"] {
            assert!(is_name(name.as_bytes()), "{name:?}");
        }
        let long = "a".repeat(MAX_NAME);
        for name in ["", "-alice", "+1", " 1", "a:b", "a\nb", "a\0b", &long] {
            assert!(!is_name(name.as_bytes()), "{name:?}");
        }
        assert!(is_number(b"0") && !is_number(b"0x1"));
    }

    #[test]
    fn root_is_known_and_nobody_is_called_nosuch() {
        let root = ask(c"passwd", b"root").expect("getent runs").expect("root exists");
        assert!(root.starts_with(b"root:"), "{root:?}");
        assert_eq!(ask(c"passwd", b"nosuchaccount"), Ok(None));
    }

    #[test]
    fn no_getent_is_trouble() {
        let trouble = Trouble { action: "run getent", errno: Errno::NOENT };
        assert_eq!(
            run(&[c"/nonexistent/getent", c"/nonexistent/either"], b"a", 1000),
            Err(trouble)
        );
    }

    #[test]
    fn a_failing_getent_is_trouble() {
        let trouble = Trouble { action: "ask getent", errno: Errno::IO };
        assert_eq!(run(&[c"/bin/false"], b"a", 60_000), Err(trouble));
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let trouble = Trouble { action: "ask getent", errno: Errno::FBIG };
        assert_eq!(run(&[c"/usr/bin/yes"], b"a", 60_000), Err(trouble));
    }

    #[test]
    fn a_silent_getent_is_given_up() {
        let patience = Duration::from_millis(50);
        let late = ask_at(&[c"/usr/bin/tail"], c"-f", b"/dev/null", patience);
        assert_eq!(late, Err(Trouble { action: "ask getent", errno: Errno::TIMEDOUT }));
    }
}
