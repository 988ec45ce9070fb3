//! setlock, alone and against Debian's.

use crate::Bench;
use std::time::Duration;
use tests::{Run, Scratch, both, wait_until};

#[test]
fn usage_and_what_cannot_be_opened() {
    Bench::new("setlock").agree(&[
        "setlock",
        "setlock f",
        "setlock -n",
        "setlock -n f",
        "setlock -z f true",
        "setlock -nz f true",
        "setlock --n f true",
        "setlock -- f true",
        "setlock - true; ls",
        "setlock '' true",
        "setlock nosuch/f true",
        "setlock -x nosuch/f true",
        "setlock -X nosuch/f true",
        "setlock -xX nosuch/f true",
        "setlock -Xx nosuch/f true",
        "mkdir d; setlock d true",
        "mkdir d; setlock -x d true",
        "mkfifo f; setlock f true",
        "ln -s l l; setlock l true",
        ": > f; setlock f/x true",
        "setlock /dev/null echo locked",
        "setlock f nosuch; ls",
        "setlock -x f nosuch",
        "setlock f /",
        "setlock -n f sh -c 'exit 7'",
    ]);
}

#[test]
fn the_file_and_its_descriptor() {
    Bench::new("setlock").agree(&[
        "umask 0; setlock f true; stat -c '%a %s' f",
        "umask 077; setlock f true; stat -c '%a %s' f",
        "umask 777; setlock f true; stat -c '%a %s' f",
        "echo text > f; chmod 644 f; setlock f true; stat -c '%a %s' f",
        "ln -s target f; setlock f true; ls",
        "setlock f sh -c 'readlink /proc/self/fd/3 | sed s,.*/,,; grep flags /proc/self/fdinfo/3'",
        "exec 0<&-; setlock f sh -c 'readlink /proc/self/fd/0 | sed s,.*/,,'",
        "exec 3</dev/null 5</dev/null; setlock f sh -c 'readlink /proc/self/fd/4 | sed s,.*/,,'",
        "echo old > f; setlock f sh -c 'echo new >&3'; cat f",
        "setlock f setlock g sh -c 'readlink /proc/self/fd/3 /proc/self/fd/4 | sed s,.*/,,'",
        "setlock f setlock -n f true",
        "setlock f sh -c 'exec 3>&-; setlock -n f echo free'",
        "setlock f flock -n f true; echo $?",
    ]);
    Bench::new("setlock").hands_on_everything_else("setlock f");
}

/// Whoever holds the lock, and whoever asks for it: ours, Debian's, and supervise's own.
#[test]
fn each_excludes_each() {
    for (holder, held) in both("setlock") {
        for (asker, asked) in both("setlock") {
            let scratch = Scratch::new("setlock-pair");
            let file = scratch.join("lock");
            let mut child =
                Run::new(&held).arg(&file).args(["sh", "-c", "echo held; read x; exit 0"]).spawn();
            child.expect("held");
            let ask = |options: &str| {
                Run::new(&asked).arg(options).arg(&file).args(["echo", "got it"]).output()
            };
            let refused =
                format!("setlock: fatal: unable to lock {}: temporary failure\n", file.display());
            let outcome = ask("-n");
            assert_eq!((outcome.code, outcome.err()), (111, refused), "{asker} after {holder}");
            let outcome = ask("-nx");
            assert_eq!((outcome.code, outcome.out() + &outcome.err()), (0, String::new()));

            // Who waits gets it when the holder ends.
            let waiting = Run::new(&asked).arg("-N").arg(&file).args(["echo", "got it"]).spawn();
            wait_until("setlock to wait", Duration::from_secs(20), || {
                let locks = std::fs::read_to_string("/proc/locks").expect("the kernel's locks");
                let pid = format!(" {} ", waiting.pid());
                locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&pid))
            });
            assert_eq!(waiting.stdout(), b"", "{asker} after {holder}");
            child.write(b"\n");
            assert_eq!(waiting.wait(Duration::from_secs(20)).out(), "got it\n");
        }
    }
}

#[test]
fn supervise_and_setlock_exclude_each_other() {
    for (_, setlock) in both("setlock") {
        for (whose, program) in both("supervise") {
            let scratch = Scratch::new("setlock-supervise");
            scratch.script("service/run", "#!/bin/sh\nexec sleep 1000\n");
            let service = scratch.join("service");
            let supervise = Run::new(&program).arg(&service).spawn();
            wait_until("supervise to have its status", Duration::from_secs(20), || {
                service.join("supervise/status").exists()
            });
            let lock = service.join("supervise/lock");
            let outcome = Run::new(&setlock).arg("-n").arg(&lock).arg("true").output();
            assert_eq!(outcome.code, 111, "{whose}'s supervise: {}", outcome.err());
            drop(supervise);

            let held = Run::new(&setlock).arg(&lock).args(["sh", "-c", "echo held; read x"]);
            let held = held.spawn();
            held.expect("held");
            let outcome = Run::new(&program).arg(&service).output();
            assert_eq!(outcome.code, 111, "{whose}'s supervise: {}", outcome.err());
        }
    }
}
