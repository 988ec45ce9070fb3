//! svscan's life: two services, one of them logged; a third that comes, a supervise that dies, an entry that goes; and the
//! orderly end.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes;
use tests::storm::tracer::Fault;
use tests::{alone, is_root, skip};

use super::{Life, Patient, add, each, place, ready, variants};
use crate::host::Target;

#[test]
fn each_system_call_of_svscan_fails_once() {
    if !is_root() || !cfg!(target_arch = "x86_64") {
        skip!("calls are made to fail on x86-64 only, and as root");
    }
    alone!();
    ready("svscan");
    each(variants(), live);
}

fn live(fault: Fault) -> Result<Life, String> {
    let scratch = place("scanned", &["all/a", "all/b", "all/b/log", "all/c"]);
    let scan = scratch.dir("scan");
    let link = |name: &str| {
        symlink(scratch.join("all").join(name), scan.join(name)).expect("a link");
    };
    link("a");
    link("b");
    let all = scratch.join("all");
    let target = |name: &str| {
        let directory = all.join(name);
        Target { logger: name.ends_with("/log"), directory }
    };
    let [a, b, log, c, d] = ["a", "b", "b/log", "c", "d"].map(target);
    let (from, to) = (all.join("c"), scan.join("c"));
    let (made, moved) = (all.join("d"), scan.join("d"));
    let mut patient = Patient::start(fault, scratch, ("svscan", "scan"), |_| {
        [&a, &b, &log].into_iter().all(is_up)
    })?;
    symlink(&from, &to).expect("a link");
    patient.until("a third service", |_| is_up(&c))?;
    let old = supervise_of(&a);
    old.iter().for_each(|pid| _ = kill(Pid::from_raw(*pid), Signal::SIGKILL));
    patient.until("another supervise", |_| {
        let new = supervise_of(&a);
        new.len() == 1 && new != old && is_up(&a)
    })?;
    fs::remove_file(&to).expect("remove a link");
    add(&patient.scratch, "all/d");
    symlink(&made, &moved).expect("a link");
    patient.until("a fourth service", |_| is_up(&d))?;
    end(patient, &[&a, &b, &log, &c, &d])
}

fn end(patient: Patient, targets: &[&Target]) -> Result<Life, String> {
    // Not the patient's child: that is the tracer.
    for pid in processes::pids_of(&processes::all(), "svscan", &patient.scratch.join("scan")) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    let life = patient.end("svscan: ")?;
    let left: Vec<_> = processes::all()
        .into_iter()
        .filter(|process| targets.iter().any(|target| process.cwd.starts_with(&target.directory)))
        .collect();
    if left.is_empty() { Ok(life) } else { Err(format!("{}: left over: {left:?}", life.note)) }
}

fn supervise_of(target: &Target) -> Vec<i32> {
    target.supervises(&processes::all())
}

fn is_up(target: &Target) -> bool {
    target.is_supervised()
        && target.status().is_some_and(|status| {
            status.pid != 0 && processes::find(status.pid).is_some_and(|p| p.name == "run")
        })
}
