//! Each system call that supervise and svscan make fails once. The shipped programs run, under a tracer that lets the N-th call
//! that can fail do so (see `tests::storm::tracer`); for each N up to the last of a life from the start to an orderly end.
//!
//! What must hold: the program doesn't end, what is asked of it is done in the end, and it says at most a few lines about it, in
//! the grammar of all diagnostics. Only at its start may it end, when it can't have what it can't work without; it says why,
//! exit code 111, and a second start finds nothing in its way.

mod supervise;
mod svscan;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tests::storm::tracer::Fault;
use tests::storm::{journal, own_program};
use tests::{Child, Run, Scratch, path, program, wait_for};

use crate::host::scratch;

/// How long a life may pause at one step: the longest pause that is meant is that between two regular scans, twice.
const STEP: Duration = Duration::from_secs(20);

/// More lines than these about one failed call are too many.
const LINES: usize = 3;

/// How many lives are lived at once: they mostly wait.
const AT_ONCE: usize = 40;

/// So many lives without a failure, and there is no call left that could fail.
const WHOLE: u64 = 20;

/// What came of one life.
struct Life {
    /// Which call failed; nothing if the life was over before its N-th.
    note: String,
    /// What the program said.
    said: String,
    outcome: Outcome,
}

/// How a program takes the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It goes on.
    WentOn,
    /// It ended at its start, and the next start was as any.
    Refused,
}

/// Lives lives until one has no call left that could fail, for each of so many variants of errors.
fn each(variants: usize, live: impl Fn(Fault) -> Result<Life, String> + Sync) {
    let begin = Instant::now();
    let (wrong, seen) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    for variant in 0..variants {
        let (next, whole, over) = (AtomicU64::new(1), AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let fault = Fault { nth: next.fetch_add(1, Ordering::Relaxed), variant };
                        match live(fault) {
                            // No two lives are of the same length: a single short one is not the end.
                            Ok(life) if life.note.is_empty() => {
                                let before = whole.fetch_add(1, Ordering::Relaxed);
                                over.fetch_or(before >= WHOLE, Ordering::Relaxed);
                            }
                            Ok(life) => {
                                let kind = (
                                    life.note.trim().to_owned(),
                                    life.outcome,
                                    summary(&life.said),
                                );
                                *seen.lock().expect("no holder panics").entry(kind).or_insert(0) +=
                                    1;
                            }
                            Err(why) => {
                                let mut wrong = wrong.lock().expect("no holder panics");
                                wrong.push(format!("{fault:?}: {why}"));
                                over.fetch_or(wrong.len() > 20, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
        });
    }
    let seen = seen.into_inner().expect("no holder panics");
    let lives: usize = seen.values().sum();
    println!("faults: {lives} lives in {:.1?}", begin.elapsed());
    for ((note, outcome, said), times) in &seen {
        let outcome = match outcome {
            Outcome::WentOn => "",
            Outcome::Refused => " (ended at its start)",
        };
        println!("  {times:3} x {note}{outcome}: {said}");
    }
    let wrong = wrong.into_inner().expect("no holder panics");
    assert!(wrong.is_empty(), "{} of the lives went wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lives > 50, "only {lives} calls failed");
}

/// The first line, without what differs from life to life.
fn summary(said: &str) -> String {
    let line = said.lines().next().unwrap_or("nothing was said");
    line.split_whitespace().filter(|word| !word.starts_with("/tmp")).collect::<Vec<_>>().join(" ")
}

/// A program in the middle of a life in which one call fails.
struct Patient {
    program: &'static str,
    argument: &'static str,
    scratch: Scratch,
    child: Child,
    outcome: Outcome,
    said_before: String,
}

impl Patient {
    /// Starts it, with this argument, in the scratch directory. If it ends before `begun` holds, it must have said why, and is
    /// started again.
    fn start(
        fault: Fault,
        scratch: Scratch,
        (program, argument): (&'static str, &'static str),
        begun: impl Fn(&Scratch) -> bool,
    ) -> Result<Patient, String> {
        let run = Run::new(own_program("storm-fault"))
            .arg(fault.nth.to_string())
            .arg(fault.variant.to_string())
            .arg(note(&scratch))
            .arg(tests::program(program))
            .arg(argument);
        let child = prepared(run, &scratch).spawn();
        let (outcome, said_before) = (Outcome::WentOn, String::new());
        let mut patient = Patient { program, argument, scratch, child, outcome, said_before };
        if !patient.await_or_end(&begun)? {
            patient.again()?;
            if !patient.await_or_end(&begun)? {
                return Err(format!("a second start failed: {:?}", patient.said()));
            }
        }
        Ok(patient)
    }

    /// It has ended: it must have said why, and is started anew, without a fault.
    fn again(&mut self) -> Result<(), String> {
        let new = Run::new(program(self.program)).arg(self.argument);
        let new = prepared(new, &self.scratch).spawn();
        let ended = ended(std::mem::replace(&mut self.child, new))?;
        let said = ended.err();
        let last = said.lines().last().unwrap_or_default();
        if ended.code != 111 || !last.starts_with(&format!("{}: fatal: ", self.program)) {
            let note = note_of(&self.scratch);
            return Err(format!("{note}: refused with exit code {}: {said:?}", ended.code));
        }
        self.outcome = Outcome::Refused;
        self.said_before = said;
        Ok(())
    }

    /// Waits until it holds; false if the program ended first.
    fn await_or_end(&mut self, holds: impl Fn(&Scratch) -> bool) -> Result<bool, String> {
        let deadline = Instant::now() + STEP;
        while Instant::now() < deadline {
            if holds(&self.scratch) {
                return Ok(true);
            }
            if !self.child.is_running() {
                return Ok(false);
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Err(format!("{}: it doesn't begin: {:?}", note_of(&self.scratch), self.said()))
    }

    /// Waits until it holds, and the program must still run then.
    fn until(&mut self, what: &str, holds: impl Fn(&Scratch) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + STEP;
        while Instant::now() < deadline {
            if !self.child.is_running() {
                let note = note_of(&self.scratch);
                return Err(format!("{note}: it ended before {what}: {:?}", self.said()));
            }
            if holds(&self.scratch) {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Err(format!("{}: waited in vain for {what}: {:?}", note_of(&self.scratch), self.said()))
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.child.stderr()).into_owned()
    }

    /// It was told to end, and must, with code 0 and having said little.
    fn end(self, whose: &str) -> Result<Life, String> {
        let note = note_of(&self.scratch);
        let Patient { program, scratch, child, outcome, said_before, .. } = self;
        let ended = ended(child).map_err(|why| format!("{note}: {why}"))?;
        let all = ended.err();
        let said: String = all
            .lines()
            .filter(|line| line.starts_with(whose))
            .map(|line| format!("{line}\n"))
            .collect();
        if ended.code != 0 {
            return Err(format!("{note}: exit code {}: {all:?}", ended.code));
        }
        if said.lines().count() > LINES {
            return Err(format!("{note}: too much was said: {said:?}"));
        }
        let kinds = ["fatal: unable to ", "warning: ", "taking over "];
        let odd = |line: &&str| {
            let text = line.strip_prefix(program).and_then(|line| line.strip_prefix(": "));
            !text.is_some_and(|text| kinds.iter().any(|kind| text.starts_with(kind)))
        };
        if let Some(line) = said.lines().find(odd) {
            return Err(format!("{note}: this is not in the grammar: {line:?}"));
        }
        let violations = fs::read_to_string(journal::violations(&scratch.join("journal")));
        if let Ok(violations) = violations {
            return Err(format!("{note}: {violations}"));
        }
        if note.contains("unknown") {
            return Err(format!("{note}: calls that are on no list of the tracer's"));
        }
        Ok(Life { note, said: said_before + &said, outcome })
    }
}

/// Waits for a program that must end now.
fn ended(mut child: Child) -> Result<tests::Outcome, String> {
    match wait_for(STEP, || (!child.is_running()).then_some(())) {
        Some(()) => Ok(child.wait(STEP)),
        None => Err(format!("it doesn't end: {:?}", String::from_utf8_lossy(&child.stderr()))),
    }
}

fn prepared(run: Run, scratch: &Scratch) -> Run {
    run.cwd(scratch.path()).env("PATH", path()).env(journal::VARIABLE, scratch.join("journal"))
}

fn note(scratch: &Scratch) -> PathBuf {
    scratch.join("note")
}

fn note_of(scratch: &Scratch) -> String {
    fs::read_to_string(note(scratch)).unwrap_or_default()
}

/// A scratch directory with services that do nothing but run.
fn place(name: &str, services: &[&str]) -> Scratch {
    let scratch = scratch(name);
    scratch.dir("journal");
    for service in services {
        add(&scratch, service);
    }
    scratch
}

fn add(scratch: &Scratch, service: &str) {
    let kind = if Path::new(service).ends_with("log") { "storm-logger" } else { "storm-service" };
    let run = scratch.dir(service).join("run");
    std::os::unix::fs::symlink(own_program(kind), run).expect("a link");
}

/// How many kinds of errors are tried for each call.
fn variants() -> usize {
    if crate::asked().is_some() { 3 } else { 1 }
}

/// The program must be there before the threads ask for it.
fn ready(name: &str) {
    let _ = (program(name), own_program("storm-fault"));
}
