//! A thousand services: one wait, and no descriptor each.

use super::*;
use std::io::Read;

const MANY: usize = 1_000;

/// Directories of a supervise that the test plays: all their FIFOs are the same two.
fn directories(scratch: &Scratch) -> (File, File) {
    let (ok, control) = (fifo(&scratch.join("ok")), fifo(&scratch.join("control")));
    for number in 0..MANY {
        let dir = scratch.dir(&format!("{number}/supervise"));
        for name in ["ok", "control"] {
            fs::hard_link(scratch.join(name), dir.join(name)).expect("link a FIFO");
        }
        publish(scratch, number, &status(10, 7, 0, b'u'));
    }
    (ok, control)
}

fn publish(scratch: &Scratch, number: usize, bytes: &[u8]) {
    let path = scratch.join(format!("{number}/supervise/status"));
    let new = path.with_extension("new");
    fs::write(&new, bytes).expect("write a status");
    fs::rename(&new, &path).expect("rename a status");
}

#[test]
fn a_thousand_are_one_wait_without_a_descriptor_each() {
    let scratch = Scratch::new("svc-many");
    let (_ok, mut control) = directories(&scratch);
    let svc = program("svc");
    let command = format!("ulimit -n 20; exec {} -D $(seq 0 {})", svc.display(), MANY - 1);
    let mut down = Run::sh(&command).cwd(scratch.path()).spawn();
    let mut letters = Vec::new();
    wait_until("all letters", SOON, || {
        let _ = control.read_to_end(&mut letters);
        letters.len() >= MANY
    });
    assert_eq!(letters, vec![b'd'; MANY]);
    for number in 0..MANY {
        publish(&scratch, number, &status(10, 7, 0, b'd'));
    }
    assert!(down.is_running());
    for number in 0..MANY {
        publish(&scratch, number, &status(0, 0, 0, b'd'));
    }
    let outcome = down.wait(SOON);
    assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
}

#[test]
fn a_thousand_are_told_of() {
    let scratch = Scratch::new("svstat-many");
    let _fifos = directories(&scratch);
    let names: Vec<_> = (0..MANY).map(|number| number.to_string()).collect();
    for (option, lines) in [("--", 1), ("-s", 1), ("--json", 1), ("-v", 3)] {
        let run = Run::new(program("svstat")).arg(option).args(&names).cwd(scratch.path()).output();
        assert_eq!((run.err().as_str(), run.out().lines().count()), ("", lines * MANY), "{option}");
    }
}
