//! fghack, beside Debian's.

use crate::Bench;
use std::fs;
use std::time::Duration;
use tests::{Run, Scratch, both, wait_until};

#[test]
fn what_it_says_and_how_it_ends() {
    Bench::new("fghack").agree(&[
        "fghack",
        "fghack true",
        "fghack false",
        "fghack -z",
        "fghack sh -c 'exit 7'",
        "fghack sh -c 'exit 255'",
        "fghack sh -c 'kill -9 $$'",
        "fghack sh -c 'kill -TERM $$'",
        "fghack sh -c 'ulimit -c 0; kill -SEGV $$'",
        "fghack sh -c 'echo text >&9; echo more >&12; exit 3'",
        "fghack cat /dev/null",
        "env --ignore-signal=CHLD fghack sh -c 'exit 7'",
        "fghack fghack sh -c 'exit 7'",
        "(ulimit -n 4; fghack true)",
        "(ulimit -n 12; fghack sh -c 'echo ran')",
        "exec 0<&- 1>&-; fghack sh -c 'exit 4'",
        "fghack sh -c 'kill -9 $PPID'; echo $?",
    ]);
    Bench::new("fghack").hands_on_everything_else("fghack");
}

#[test]
fn thirty_copies_of_a_pipe() {
    let count = "ls -l /proc/self/fd | grep -c pipe:";
    let numbers =
        "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> pipe.*/\\1/p' | sort -n | tr '\\n' ' '";
    Bench::new("fghack").agree(&[
        &format!("exec </dev/null 2>/dev/null >out; fghack sh -c \"{count} >&1\"; cat out >&2"),
        &format!("exec </dev/null 2>/dev/null; fghack sh -c \"{numbers}\" >out; cat out"),
        &format!("exec </dev/null 5</dev/null 3>&1; fghack sh -c \"{numbers}\" >out; cat out"),
    ]);
}

/// It waits for what went to the background, until that ends or has closed what it doesn't know of.
#[test]
fn it_stays_for_the_background() {
    for (whose, fghack) in both("fghack") {
        let scratch = Scratch::new("fghack-background");
        let fifo = scratch.join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("make a fifo");
        let script = "(read x < fifo; echo daemon ends) & echo gone to the background; exit 5";
        let mut child = Run::new(&fghack).args(["sh", "-c", script]).cwd(scratch.path()).spawn();
        child.expect("background");
        wait_until("the first child to be a zombie", Duration::from_secs(20), || {
            let children = format!("/proc/{0}/task/{0}/children", child.pid());
            let Ok(children) = fs::read_to_string(children) else { return false };
            children.split_whitespace().all(|pid| {
                fs::read_to_string(format!("/proc/{pid}/stat"))
                    .is_ok_and(|stat| stat.contains(") Z "))
            })
        });
        assert!(child.is_running(), "{whose}");
        fs::write(&fifo, "\n").expect("let the daemon end");
        let outcome = child.wait(Duration::from_secs(20));
        assert_eq!(outcome.code, 5, "{whose}");
        assert!(outcome.out().contains("daemon ends"), "{whose}");

        let close_all =
            "i=3; while [ $i -lt 60 ]; do eval \"exec $i>&-\" 2>/dev/null; i=$((i+1)); done";
        let script = format!("(bash -c '{close_all}; read x < fifo' &) ; exit 6");
        let child = Run::new(&fghack).args(["bash", "-c", &script]).cwd(scratch.path()).spawn();
        assert_eq!(child.wait(Duration::from_secs(20)).code, 6, "{whose}: all copies are closed");
    }
}
