//! supervise, end to end: with our clients and Debian's, in every kind of trouble, killed and
//! killed again.

mod back_off;
mod encore;
mod faults;
mod killed;
mod log;
mod logger;
mod readiness;
mod stopping;
mod upgrade;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tests::{
    Child, Run, Scratch, Signal, alone, both, debian, happens_within, is_root, pids, program, skip,
    wait_for, wait_until,
};

const SOON: Duration = Duration::from_secs(20);

/// A service that does nothing, for long.
const SLEEP: &str = "#!/bin/sh\nexec sleep 10000\n";

/// A scratch directory with the service `s`.
fn place(name: &str, run: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.script("s/run", run);
    scratch
}

fn supervise(scratch: &Scratch) -> Child {
    with(&program("supervise"), scratch)
}

fn with(supervise: &Path, scratch: &Scratch) -> Child {
    let child = Run::new(supervise).arg("s").cwd(scratch.path()).spawn();
    let ok = || Run::new(program("svok")).arg("s").cwd(scratch.path()).output().code == 0;
    wait_until("supervise", SOON, ok);
    child
}

fn svc(scratch: &Scratch, letters: &str) {
    let run = Run::new(program("svc")).args([letters, "s"]).cwd(scratch.path());
    let outcome = run.output();
    assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
}

/// What a status says: pid, paused, wanted.
fn status(dir: &Path) -> Option<(i32, bool, u8)> {
    let bytes = fs::read(dir.join("supervise/status")).ok().filter(|bytes| !bytes.is_empty())?;
    assert!([18, 20, 40].contains(&bytes.len()), "{} bytes", bytes.len());
    let pid = i32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes"));
    Some((pid, bytes[16] != 0, bytes[17]))
}

fn wait_status(scratch: &Scratch, what: &str, holds: impl Fn(i32, bool, u8) -> bool) -> i32 {
    let dir = scratch.join("s");
    let seen =
        wait_for(SOON, || status(&dir).filter(|(pid, paused, want)| holds(*pid, *paused, *want)));
    seen.unwrap_or_else(|| {
        panic!("waited in vain for a service that is {what}: {:?}", status(&dir))
    })
    .0
}

/// Byte 18 of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stopped,
    Started = 2,
    Running,
    Stopping,
    Failed,
}

fn wait_state(scratch: &Scratch, state: State) {
    let byte = || fs::read(scratch.join("s/supervise/status")).ok()?.get(18).copied();
    let reached = wait_for(SOON, || (byte() == Some(state as u8)).then_some(()));
    assert!(reached.is_some(), "waited in vain for {state:?}: {:?}", byte());
}

/// The service's record of the detail file.
fn detail(scratch: &Scratch) -> Vec<u8> {
    let whole = || fs::read(scratch.join("s/supervise/detail")).ok().filter(|b| b.len() >= 256);
    wait_for(SOON, whole).expect("a detail")
}

/// How a service last ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Exit(u8),
    Signal(u8),
    Unknown,
}

fn death(scratch: &Scratch) -> Option<Death> {
    let bytes = detail(scratch);
    match (bytes[23], bytes[24]) {
        (1, code) => Some(Death::Exit(code)),
        (2, signal) => Some(Death::Signal(signal)),
        (3, _) => Some(Death::Unknown),
        _ => None,
    }
}

/// The lines that a service's scripts have left in a file.
fn said(scratch: &Scratch) -> Vec<String> {
    let text = fs::read_to_string(scratch.join("s/said")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn wait_said(scratch: &Scratch, lines: &[&str]) {
    let reached = wait_for(SOON, || (said(scratch) == lines).then_some(()));
    assert!(reached.is_some(), "waited in vain for {lines:?}: {:?}", said(scratch));
}

/// Letters as they are, by one write.
fn send(scratch: &Scratch, letters: &[u8]) {
    use std::io::Write;
    let control = scratch.join("s/supervise/control");
    let mut fifo = fs::OpenOptions::new().write(true).open(control).expect("open control");
    fifo.write_all(letters).expect("write letters");
}

fn wait_up(scratch: &Scratch) -> i32 {
    wait_status(scratch, "up", |pid, _, _| pid != 0)
}

fn wait_down(scratch: &Scratch) {
    wait_status(scratch, "down", |pid, _, _| pid == 0);
}

/// Ends a supervise in order.
fn end(scratch: &Scratch, child: Child) -> tests::Outcome {
    svc(scratch, "-dx");
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0);
    outcome
}

fn murder(child: Child) {
    child.signal(Signal::SIGKILL);
    assert_eq!(child.wait(SOON).code, 137);
}

/// How many processes of one of these names live in the scratch directory.
fn count(scratch: &Scratch, names: &[&str]) -> usize {
    let is = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.contains(") Z ") && names.iter().any(|name| stat.contains(&format!("({name})")))
    };
    scratch.inhabitants().iter().filter(|pid| is(pid)).count()
}

/// How many copies of the service there are: of its script, before and after it runs `sleep`. In
/// one look, or a script that runs it meanwhile counts twice.
fn services(scratch: &Scratch) -> usize {
    count(scratch, &["run", "sleep"])
}

#[test]
fn the_files_are_debians_files() {
    let mut listings = Vec::new();
    for (whose, path) in both("supervise") {
        let scratch = place("supervise-files", SLEEP);
        let child = with(&path, &scratch);
        let mut listing = BTreeMap::new();
        let dir = scratch.join("s/supervise");
        let mode =
            |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o7777;
        listing.insert("supervise".to_owned(), (false, mode(&dir)));
        wait_up(&scratch);
        for entry in fs::read_dir(&dir).expect("list supervise/").flatten() {
            let name = entry.file_name().into_string().expect("ASCII");
            let fifo = entry.file_type().expect("type").is_fifo();
            listing.insert(name, (fifo, mode(&entry.path())));
        }
        let process = listing.remove("process");
        assert_eq!(process, (whose == "ours").then_some((false, 0o600)));
        let detail = listing.remove("detail");
        assert_eq!(detail, (whose == "ours").then_some((false, 0o644)));
        listings.push(listing);
        end(&scratch, child);
        assert!(!scratch.join("s/supervise/process").exists());
    }
    assert_eq!(listings[0]["supervise"], (false, 0o700));
    assert_eq!(listings[0]["control"], (true, 0o600));
    assert_eq!(listings[0]["ok"], (true, 0o600));
    assert!(listings.iter().all(|listing| *listing == listings[0]), "{listings:?}");
}

/// Each letter with what svstat says after it; the pid and the seconds apart.
const STEPS: [(&str, &str); 12] = [
    ("-p", "up (pid PID) N seconds, paused"),
    ("-c", "up (pid PID) N seconds"),
    ("-hai", "up (pid PID) N seconds"),
    ("-d", "down N seconds, normally up"),
    ("-o", "up (pid PID) N seconds"),
    ("-k", "down N seconds, normally up"),
    ("-u", "up (pid PID) N seconds"),
    ("-p", "up (pid PID) N seconds, paused"),
    ("-d", "down N seconds, normally up"),
    ("-uo", "up (pid PID) N seconds"),
    ("-t", "down N seconds, normally up"),
    ("-dx", "supervise not running"),
];

#[test]
fn every_client_drives_every_supervise() {
    for (whose, path) in both("supervise") {
        for (client, svc) in both("svc") {
            let svstat = svc.with_file_name("svstat");
            let svok = svc.with_file_name("svok");
            let scratch =
                place("supervise-pairs", "#!/bin/sh\ntrap '' HUP ALRM INT\nexec sleep 10000\n");
            let child = with(&path, &scratch);
            let says = || {
                let line = Run::new(&svstat).arg("s").cwd(scratch.path()).output().out();
                seconds(&pids(&line))
            };
            let expect = |step: &str, text: &str| {
                let line = format!("s: {text}\n");
                let what =
                    format!("{line:?} by {client}'s svstat after {step} to {whose} supervise");
                wait_until(&what, SOON, || says() == line);
            };
            expect("its start", "up (pid PID) N seconds");
            // The shell must have set its traps.
            let asleep = || count(&scratch, &["sleep"]) == 1;
            wait_until("the service", SOON, asleep);
            for (step, text) in STEPS {
                let outcome = Run::new(&svc).args([step, "s"]).cwd(scratch.path()).output();
                assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
                expect(step, text);
            }
            assert_eq!(child.wait(SOON).code, 0);
            let code = Run::new(&svok).arg("s").cwd(scratch.path()).output().code;
            assert_eq!(code, 100);
        }
    }
}

fn seconds(line: &str) -> String {
    let Some((head, tail)) = line.split_once(" seconds") else { return line.to_owned() };
    let head = head.trim_end_matches(|c: char| c.is_ascii_digit());
    format!("{head}N seconds{tail}")
}

#[test]
fn the_service_gets_what_debians_gets() {
    let run = "#!/bin/sh\n{ echo \"$0 $#\"; env | sort; grep -E '^(Sig[^Q]|Shd)' /proc/self/status\n\
               ls /proc/$$/fd; umask; ulimit -a; cd ..; } >seen.new\nmv seen.new ../seen; exec sleep 10000\n";
    let run = run.replace("cd ..; } >seen.new", "pwd; } >seen.new");
    let mut seen = Vec::new();
    for (_, path) in both("supervise") {
        let scratch = place("supervise-inherit", &run);
        // Blocked and ignored signals, and a descriptor that is not close-on-exec, pass through.
        let script = format!("trap '' USR1 HUP; exec {} s 9</dev/null", path.display());
        let child = Run::sh(&script).env("COLOUR", "red").cwd(scratch.path()).spawn();
        wait_until("the service's report", SOON, || scratch.join("seen").exists());
        let text = fs::read_to_string(scratch.join("seen")).expect("read seen");
        seen.push(text.replace(&scratch.path().display().to_string(), "SCRATCH"));
        end(&scratch, child);
    }
    assert!(seen[0].starts_with("./run 0\n") && seen[0].contains("COLOUR=red\n"), "{}", seen[0]);
    assert!(seen.iter().all(|text| *text == seen[0]), "ours:\n{}\nDebian's:\n{}", seen[0], seen[1]);
}

#[test]
fn only_one_whosever_it_is() {
    for (_, first) in both("supervise") {
        for (_, second) in both("supervise") {
            let scratch = place("supervise-twice", SLEEP);
            let child = with(&first, &scratch);
            let outcome = Run::new(second).arg("s").cwd(scratch.path()).output();
            let refused =
                "supervise: fatal: unable to acquire s/supervise/lock: temporary failure\n";
            assert_eq!((outcome.err().as_str(), outcome.code), (refused, 111));
            end(&scratch, child);
        }
    }
}

#[test]
fn term_takes_the_service_with_it() {
    let scratch = place("supervise-term", SLEEP);
    let child = supervise(&scratch);
    wait_up(&scratch);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait(SOON).code, 0);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')));
    assert!(scratch.inhabitants().is_empty());
    // Asked to end in order, it leaves nothing to the next one: `down` decides.
    let child = supervise(&scratch);
    wait_up(&scratch);
    end(&scratch, child);
}

#[test]
fn down_keeps_it_down_and_once_is_once() {
    let scratch = place("supervise-down", "#!/bin/sh\necho >>starts; exec sleep 10000\n");
    scratch.file("s/down", "");
    let child = supervise(&scratch);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')));
    let started = |times| {
        let starts = || fs::read(scratch.join("s/starts")).map_or(0, |bytes| bytes.len());
        wait_until("a start", SOON, || starts() == times);
    };
    svc(&scratch, "-o");
    started(1);
    svc(&scratch, "-k");
    wait_down(&scratch);
    svc(&scratch, "-ox");
    started(2);
    svc(&scratch, "-k");
    assert_eq!(child.wait(SOON).code, 0);
    started(2);
}

/// What has just ended waits a second for its next start: what is wanted once has that, though supervise is to end.
#[test]
fn once_is_once_also_for_one_that_waits() {
    let scratch = place("supervise-once-more", "#!/bin/sh\necho >>starts\n");
    let child = supervise(&scratch);
    let starts = || fs::read(scratch.join("s/starts")).map_or(0, |bytes| bytes.len());
    wait_until("its end", SOON, || {
        starts() == 1 && status(&scratch.join("s")).is_some_and(|(pid, ..)| pid == 0)
    });
    svc(&scratch, "-ox");
    assert_eq!(child.wait(SOON).code, 0);
    assert!(starts() >= 2);
}

/// Private memory, in KiB: what was written to, and pages of the program that no other process
/// happens to map. For the latter, another supervise must run.
fn private(pid: i32) -> (u64, u64) {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("smaps_rollup");
    let field = |name: &str| -> u64 {
        let line = rollup.lines().find(|line| line.starts_with(name)).expect(name);
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    };
    (field("Private_Dirty:"), field("Private_Clean:"))
}

#[test]
fn it_stays_small_however_often_it_restarts() {
    let (other, scratch) = (place("supervise-other", SLEEP), place("supervise-small", SLEEP));
    let (beside, child) = (supervise(&other), supervise(&scratch));
    for each in [&other, &scratch] {
        wait_up(each);
        svc(each, "-d");
        wait_down(each);
        svc(each, "-u");
        wait_up(each);
    }
    let (before, clean) = private(child.pid());
    // A C library has data of its own.
    let hosted = std::env::var_os("DAEMONTOOLS_HOSTED").is_some() || !cfg!(target_arch = "x86_64");
    // A signal that comes where the stack is deep touches one page more, then or later.
    let stack = 4;
    assert!(hosted || before + clean <= 32 + stack, "{before} + {clean} KiB");
    let grown = || private(child.pid()).0.saturating_sub(before);
    for _ in 0..200 {
        svc(&scratch, "-d");
        wait_down(&scratch);
        svc(&scratch, "-u");
        wait_up(&scratch);
    }
    assert!(grown() <= stack, "{} KiB after 200 restarts", grown());
    let descriptors = fs::read_dir(format!("/proc/{}/fd", child.pid())).expect("fd").count();
    let others = fs::read_dir(format!("/proc/{}/fd", beside.pid())).expect("fd").count();
    assert_eq!(descriptors, others);
    // Neither do its messages cost memory.
    svc(&scratch, "-d");
    wait_down(&scratch);
    fs::remove_file(scratch.join("s/run")).expect("remove run");
    for round in 1..=200 {
        svc(&scratch, "-o");
        let lines = || child.stderr().iter().filter(|byte| **byte == b'\n').count();
        wait_until("a message", SOON, || lines() >= round);
    }
    assert!(grown() <= stack, "{} KiB after 200 messages", grown());
    end(&scratch, child);
    end(&other, beside);
}

#[test]
fn it_waits_without_waking() {
    let scratch = place("supervise-asleep", SLEEP);
    let child = supervise(&scratch);
    wait_up(&scratch);
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("status");
        let line = status.lines().find(|l| l.starts_with("voluntary_ctxt_switches"));
        line.expect("a line").to_owned()
    };
    let state = || fs::read_to_string(format!("/proc/{}/stat", child.pid())).expect("stat");
    wait_until("sleep", SOON, || state().contains(") S "));
    let (before, start) = (switches(), Instant::now());
    wait_until("three seconds", SOON, || start.elapsed() > Duration::from_secs(3));
    assert_eq!(switches(), before);
    end(&scratch, child);
}

#[test]
fn without_proc_it_still_supervises() {
    alone!();
    let scratch = place("supervise-noproc", SLEEP);
    if Run::sh("mount -t tmpfs none /proc").output().code != 0 {
        skip!("/proc can't be hidden here");
    }
    let child = supervise(&scratch);
    wait_up(&scratch);
    end(&scratch, child);
    Run::sh("umount /proc").output();
}
