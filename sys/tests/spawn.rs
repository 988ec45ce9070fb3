//! What a child is handed by `spawn`, read from inside the child.

use std::ffi::{CStr, CString};
use sys::exec::Program;
use sys::fd::AsRawFd;
use sys::process::{Pid, WaitOptions, waitpid};
use sys::signal::{self, Signal, SignalSet};
use sys::spawn::{ProcessGroup, Spawn, SpawnError};
use sys::{AsFd, Errno, OwnedFd, Vector};

/// Runs `/bin/sh -c script`, changed by `change`; gives what it wrote to its standard output.
fn shell(script: &CStr, change: impl FnOnce(&mut Spawn<'_>)) -> String {
    let (reader, writer) = sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let program = Program::find(c"sh", Some(b"/bin"));
    let args: Vector<'_> = [c"sh", c"-c", script].into_iter().collect();
    let env: Vector<'_> = [c"PATH=/bin:/usr/bin", c"GIVEN=1"].into_iter().collect();
    let mut spawn = Spawn::new(&program, &args, &env);
    let descriptors = [(writer.as_fd(), 1)];
    spawn.descriptors = &descriptors;
    change(&mut spawn);
    let pid = spawn.start().expect("a child");
    drop(writer);
    let text = read_all(&reader);
    wait(pid);
    text
}

fn read_all(fd: &OwnedFd) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match sys::read(fd, &mut piece).expect("readable") {
            0 => return String::from_utf8(bytes).expect("UTF-8"),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

fn wait(pid: Pid) -> Option<i32> {
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(status) => return status.and_then(|(_, status)| status.exit_status()),
            Err(Errno::INTR) => {}
            Err(error) => panic!("wait: {error}"),
        }
    }
}

/// A set of signals in `/proc/self/status`.
fn proc_set(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect(field);
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).expect("hexadecimal")
}

fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

#[test]
fn the_environment_is_what_was_given() {
    let text = shell(c"/usr/bin/env", |_| ());
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
    // A shell adds some of its own.
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    assert_eq!(names, ["PATH", "GIVEN"]);
}

#[test]
fn the_mask_and_the_dispositions_are_what_was_given() {
    // The test's own frame ignores SIGPIPE, as std does; a child has that from us unless asked.
    signal::ignore(Signal::PIPE);
    signal::catch(Signal::USR1);
    assert!(signal::is_ignored(Signal::PIPE) && !signal::is_ignored(Signal::USR1));
    let script = c"exec cat /proc/self/status";
    let plain = shell(script, |_| ());
    assert_eq!(proc_set(&plain, "SigBlk"), 0);
    assert_eq!(proc_set(&plain, "SigCgt"), 0);
    assert_eq!(proc_set(&plain, "SigIgn") & bit(Signal::PIPE), bit(Signal::PIPE));
    let changed = shell(script, |spawn| {
        spawn.mask = SignalSet::of(&[Signal::HUP, Signal::CHILD]);
        spawn.defaults = SignalSet::of(&[Signal::PIPE]);
    });
    assert_eq!(proc_set(&changed, "SigBlk"), bit(Signal::HUP) | bit(Signal::CHILD));
    assert_eq!(proc_set(&changed, "SigIgn") & bit(Signal::PIPE), 0);
}

#[test]
fn our_own_mask_is_untouched() {
    let before = signal::block(SignalSet::of(&[Signal::USR2]));
    shell(c":", |_| ());
    assert!(signal::mask().contains(Signal::USR2));
    signal::set_mask(before);
}

#[test]
fn descriptors_that_stand_in_each_others_place_are_swapped() {
    let (first_reader, first) = sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let (second_reader, second) =
        sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let numbers = (raw(&first), raw(&second));
    let script = CString::new(format!(
        "echo first >/proc/self/fd/{}; echo second >/proc/self/fd/{}",
        numbers.1, numbers.0
    ))
    .expect("no NUL");
    shell(&script, |spawn| {
        let swapped =
            Vec::leak(vec![(borrow(numbers.0), numbers.1), (borrow(numbers.1), numbers.0)]);
        spawn.descriptors = swapped;
    });
    drop((first, second));
    assert_eq!(read_all(&first_reader), "first\n");
    assert_eq!(read_all(&second_reader), "second\n");

    fn raw(fd: &OwnedFd) -> i32 {
        fd.as_fd().as_raw_fd()
    }
    fn borrow(number: i32) -> sys::BorrowedFd<'static> {
        sys::borrow(number).expect("open")
    }
}

#[test]
fn nothing_else_of_ours_reaches_the_child() {
    let secret = sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let listed = shell(c"ls /proc/self/fd", |spawn| spawn.close = &[0]);
    let numbers: Vec<i32> = listed.lines().map(|line| line.parse().expect("a number")).collect();
    assert!(!numbers.contains(&secret.1.as_fd().as_raw_fd()), "{numbers:?}");
    assert!(numbers.contains(&1));
}

#[test]
fn a_closed_number_is_closed() {
    let state = shell(c"test -e /proc/$$/fd/0 && echo open || echo closed", |spawn| {
        spawn.close = &[0];
    });
    assert_eq!(state, "closed\n");
}

#[test]
fn the_process_group_and_session_are_what_was_asked() {
    let script = c"set -- $(cat /proc/$$/stat); echo $1 $5 $6";
    let ids = |group| {
        let text = shell(script, |spawn| spawn.process_group = group);
        let ids: Vec<i32> = text.split_whitespace().map(|id| id.parse().expect("an id")).collect();
        (ids[0], ids[1], ids[2])
    };
    let (pid, group, session) = ids(ProcessGroup::Inherited);
    assert!(pid != group && pid != session);
    let (pid, group, session) = ids(ProcessGroup::New);
    assert!(pid == group && pid != session);
    let (pid, group, session) = ids(ProcessGroup::NewSession);
    assert!(pid == group && pid == session);
}

#[test]
fn the_directory_is_entered() {
    assert_eq!(shell(c"pwd -P", |spawn| spawn.directory = Some(c"/usr")), "/usr\n");
}

#[test]
fn the_child_leaves_its_id_before_it_runs() {
    let (reader, writer) = sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let text = shell(c"echo $$", |spawn| {
        spawn.announce = sys::borrow(writer.as_fd().as_raw_fd());
    });
    drop(writer);
    let mut left = [0; 8];
    assert_eq!(sys::read(&reader, &mut left), Ok(4));
    let pid = i32::from_le_bytes(left[..4].try_into().expect("four bytes"));
    assert_eq!(text.trim(), pid.to_string());
}

#[test]
fn each_step_that_fails_is_told_apart_and_leaves_no_child() {
    let args: Vector<'_> = [c"x"].into_iter().collect();
    let env: Vector<'_> = std::iter::empty().collect();
    let missing = Program::find(c"/nonexistent/program", None);
    let spawn = Spawn::new(&missing, &args, &env);
    assert_eq!(spawn.start(), Err(SpawnError::Exec(Errno::NOENT)));
    let shell = Program::find(c"/bin/sh", None);
    let mut spawn = Spawn::new(&shell, &args, &env);
    spawn.directory = Some(c"/nonexistent");
    assert_eq!(spawn.start(), Err(SpawnError::Directory(Errno::NOENT)));
    let stdin = sys::borrow(0).expect("open");
    let many = [(stdin, 0); 9];
    spawn.descriptors = &many;
    assert_eq!(spawn.start(), Err(SpawnError::Descriptor(Errno::MFILE)));
}

#[test]
fn a_signal_comes_in_while_waiting_and_only_then() {
    let before = signal::block(SignalSet::of(&[Signal::WINCH]));
    signal::catch(Signal::WINCH);
    let me = CString::new(format!("kill -WINCH {}", std::process::id())).expect("no NUL");
    // Other threads of the test's frame may take it too: all of them block nothing, but none but
    // this one waits with it blocked, and the flag is the process's.
    shell(&me, |_| ());
    let deadline = sys::clock::monotonic() + std::time::Duration::from_secs(10);
    loop {
        let short = Some(std::time::Duration::from_millis(20));
        let _ = sys::poll::poll(&mut [], short, Some(SignalSet::EMPTY));
        if signal::take().contains(Signal::WINCH) {
            break;
        }
        assert!(sys::clock::monotonic() < deadline, "the signal never came");
    }
    signal::set_mask(before);
}

#[test]
fn a_wait_ends_with_its_time() {
    let start = sys::clock::monotonic();
    let time = std::time::Duration::from_millis(30);
    assert_eq!(sys::poll::poll(&mut [], Some(time), None), Ok(0));
    assert!(sys::clock::monotonic() - start >= time);
}

#[test]
fn a_fork_is_a_process_of_its_own() {
    match sys::fork::fork().expect("a process") {
        sys::fork::Fork::Child => sys::fork::exit(42),
        sys::fork::Fork::Parent(pid) => assert_eq!(wait(pid), Some(42)),
    }
}

#[test]
fn a_number_that_is_not_open_is_no_descriptor() {
    assert!(sys::borrow(-1).is_none());
    assert!(sys::borrow(9999).is_none());
}
