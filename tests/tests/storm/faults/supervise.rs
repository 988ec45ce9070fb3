//! supervise's life: up, down, up, told to end by a letter's signal, once, ended by itself, up, and over.

use std::os::unix::fs::MetadataExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes;
use tests::storm::tracer::Fault;
use tests::{alone, is_root, skip};

use super::{Life, Patient, each, place, ready, variants};
use crate::host::{Status, Target};

#[test]
fn each_system_call_of_supervise_fails_once() {
    if !is_root() || !cfg!(target_arch = "x86_64") {
        skip!("calls are made to fail on x86-64 only, and as root");
    }
    alone!();
    ready("supervise");
    each(variants(), live);
}

fn live(fault: Fault) -> Result<Life, String> {
    let scratch = place("fault", &["s"]);
    let target = Target { directory: scratch.join("s"), logger: false };
    let mut patient = Patient::start(fault, scratch, ("supervise", "s"), |_| {
        target.is_supervised() && is(&target, |status| status.pid != 0)
    })?;
    let first = up(&mut patient, &target, 0)?;
    ask(&mut patient, &target, b"d")?;
    patient.until("down", |_| is(&target, |status| status.pid == 0 && status.want == b'd'))?;
    ask(&mut patient, &target, b"u")?;
    let second = up(&mut patient, &target, first)?;
    ask(&mut patient, &target, b"pct")?;
    let third = up(&mut patient, &target, second)?;
    ask(&mut patient, &target, b"o")?;
    patient.until("once", |_| is(&target, |status| status.want == 0))?;
    let _ = kill(Pid::from_raw(third), Signal::SIGKILL);
    patient
        .until("the end of once", |_| is(&target, |status| status == Status { pid: 0, want: 0 }))?;
    ask(&mut patient, &target, b"u")?;
    up(&mut patient, &target, third)?;
    ask(&mut patient, &target, b"dx")?;
    let life = patient.end("supervise: ")?;
    // The life's own directory is gone by now, and all in it; a service that ran on would have kept the place.
    let left: Vec<_> = processes::all()
        .into_iter()
        .filter(|process| process.cwd.starts_with(&target.directory))
        .collect();
    if left.is_empty() { Ok(life) } else { Err(format!("{}: left over: {left:?}", life.note)) }
}

/// Sends letters, when there is a FIFO to send them to.
fn ask(patient: &mut Patient, target: &Target, letters: &[u8]) -> Result<(), String> {
    let sent = std::cell::Cell::new(false);
    patient.until("somebody who hears", |_| {
        sent.set(sent.get() || target.send(letters));
        sent.get()
    })
}

/// Waits for another service than `old`, and returns its id.
fn up(patient: &mut Patient, target: &Target, old: i32) -> Result<i32, String> {
    patient.until("up", |_| {
        is(target, |status| status.pid != 0 && status.pid != old && status.want == b'u')
    })?;
    Ok(target.status().map_or(0, |status| status.pid))
}

/// Whether the status says so and is true.
fn is(target: &Target, says: impl Fn(Status) -> bool) -> bool {
    let Some(status) = target.status() else { return false };
    let runs = |pid: i32| {
        let exe = std::fs::metadata(format!("/proc/{pid}/exe"));
        let ours = std::fs::metadata(target.directory.join("run"));
        exe.is_ok_and(|exe| ours.is_ok_and(|ours| exe.ino() == ours.ino()))
    };
    says(status) && (status.pid == 0 || runs(status.pid))
}
