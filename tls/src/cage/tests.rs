//! Somebody has broken in, and tries what somebody who has would try.

use super::*;
use nix::sys::ptrace;
use nix::sys::signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::{execv, getppid};
use sys::thread::set_thread_uid;

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Succeeded,
    Failed(i32),
    Killed(i32),
}

type Attempt = (&'static str, fn() -> nix::Result<()>);

/// Each needs a system call that no relay makes.
const ATTEMPTS: [Attempt; 10] = [
    ("open", || open("/etc/passwd", OFlag::O_RDONLY, Mode::empty()).map(drop)),
    ("create", || mkdir("/tmp/tcpserver-broken-in", Mode::S_IRWXU)),
    ("list", || open(".", OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()).map(drop)),
    ("exec", || execv(c"/bin/true", &[c"true"]).map(|_| ())),
    ("connect", || {
        socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).map(drop)
    }),
    ("kill", || signal::kill(getppid(), None)),
    ("trace", || ptrace::attach(getppid())),
    ("fork", || match fork() {
        Ok(Fork::Child) => exit(0),
        Ok(Fork::Parent(_)) => Ok(()),
        Err(errno) => Err(nix::Error::from_raw(errno.raw_os_error())),
    }),
    ("root again", || {
        set_thread_uid(Uid::ROOT).map_err(|errno| nix::Error::from_raw(errno.raw_os_error()))
    }),
    ("root directory again", || chroot("..")),
];

/// Makes the attempt in a process of its own that has done `before`.
fn fate_of(before: impl FnOnce(), attempt: fn() -> nix::Result<()>) -> Fate {
    match fork().unwrap() {
        Fork::Child => {
            before();
            exit(match attempt() {
                Ok(()) => 0,
                Err(error) => u8::try_from(error as i32).unwrap_or(255),
            });
        }
        Fork::Parent(pid) => {
            let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
            match (status.exit_status(), status.terminating_signal()) {
                (Some(0), _) => Fate::Succeeded,
                (Some(code), _) => Fate::Failed(code),
                (None, signal) => Fate::Killed(signal.unwrap_or(0)),
            }
        }
    }
}

const KILLED: Fate = Fate::Killed(libc::SIGSYS);

fn become_somebody() {
    if geteuid().is_root() {
        set_thread_uid(Uid::from_raw(1000)).unwrap();
    }
}

#[test]
fn whoever_tries_is_killed() {
    let (cage, missing) = Cage::new(NOBODY);
    assert_eq!(missing, [""; 0]);
    for (name, attempt) in ATTEMPTS {
        let shut = || assert_eq!(cage.shut(&[]), [""; 0]);
        assert_eq!(fate_of(shut, attempt), KILLED, "{name}");
    }
}

#[test]
fn an_ordinary_user_has_the_same_filter() {
    for (name, attempt) in ATTEMPTS {
        let shut = || {
            become_somebody();
            let (cage, missing) = Cage::new(NOBODY);
            assert_eq!(missing, [""; 0]);
            assert_eq!(cage.shut(&[]), [""; 0]);
        };
        assert_eq!(fate_of(shut, attempt), KILLED, "{name}");
    }
}

#[test]
fn even_without_the_filter_nothing_is_to_be_had() {
    if !geteuid().is_root() {
        eprintln!("skipped: what root gives up");
        return;
    }
    let (cage, _) = Cage::new(NOBODY);
    for (name, attempt) in ATTEMPTS {
        let fate = fate_of(|| assert_eq!(cage.give_up(&[]), [""; 0]), attempt);
        let expected: &[nix::Error] = match name {
            // The directory has nothing in it, and doesn't even let anybody look.
            "open" | "create" | "exec" | "list" => &[nix::Error::EACCES, nix::Error::ENOENT],
            "fork" => &[nix::Error::EAGAIN],
            // The filter alone keeps it from that.
            "connect" => {
                assert_eq!(fate, Fate::Succeeded, "{name}");
                continue;
            }
            "root directory again" => &[nix::Error::EACCES, nix::Error::EPERM],
            _ => &[nix::Error::EPERM],
        };
        let found = expected.iter().any(|error| fate == Fate::Failed(*error as i32));
        assert!(found, "{name}: {fate:?}");
    }
}

#[test]
fn without_a_cage_all_of_it_would_succeed() {
    for (name, attempt) in ATTEMPTS {
        // Some are root's, and some would leave something behind.
        let of_root = name.contains("again") && !geteuid().is_root();
        if of_root || name == "trace" || name == "create" {
            continue;
        }
        assert_eq!(fate_of(|| {}, attempt), Fate::Succeeded, "{name}");
    }
}

#[test]
fn what_was_inherited_is_closed_and_nobody_may_look() {
    let (cage, _) = Cage::new(NOBODY);
    let (inherited, kept) = std::io::pipe().unwrap();
    let shut = || {
        cage.give_up(&[kept.as_fd()]);
        assert!(sys::borrow(inherited.as_raw_fd()).is_none());
        assert!(sys::borrow(kept.as_raw_fd()).is_some());
        assert_eq!(sys::process::dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        assert_eq!(sys::thread::no_new_privs(), Ok(true));
    };
    assert_eq!(fate_of(shut, || Ok(())), Fate::Succeeded);
    // A program of the same user that has got hold of its number.
    let look = || {
        become_somebody();
        assert_eq!(set_dumpable_behavior(DumpableBehavior::NotDumpable), Ok(()));
    };
    let traced = fate_of(look, || match fork() {
        Ok(Fork::Child) => exit(match ptrace::attach(getppid()) {
            Err(nix::Error::EPERM) => 0,
            _ => 1,
        }),
        Ok(Fork::Parent(child)) => {
            let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
            if status.exit_status() == Some(0) { Ok(()) } else { Err(nix::Error::EPERM) }
        }
        Err(_) => Err(nix::Error::EAGAIN),
    });
    assert_eq!(traced, Fate::Succeeded);
}
