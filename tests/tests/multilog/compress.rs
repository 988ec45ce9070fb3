//! Finished files are compressed beside the log: what the usual tools read of them, and that each is there in one readable copy
//! whoever is killed, and whenever.

use crate::{Dice, SOON, finished, left, sizes};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tests::{Child, Run, Scratch, alone, program, skip, text, wait_for, wait_until};

/// An action, the ending it makes, and what expands that.
const FORMATS: [(&str, &str, &str); 2] = [("zgz", ".gz", "gzip"), ("zzst", ".zst", "zstd")];

/// Whether this host has the program.
fn has(tool: &str) -> bool {
    Run::sh(&format!("command -v {tool}")).output().code == 0
}

fn expanded(path: &Path, tool: &str) -> Vec<u8> {
    let outcome = Run::new(tool).args(["-dc"]).arg(path).output();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{}", path.display());
    outcome.stdout
}

/// All that is in the finished files and in `current`, in order.
fn all(dir: &Path) -> Vec<u8> {
    let content = |name: &String| match FORMATS.iter().find(|(_, ending, _)| name.ends_with(ending))
    {
        Some((_, _, tool)) => expanded(&dir.join(name), tool),
        None => fs::read(dir.join(name)).expect("read"),
    };
    let mut all: Vec<u8> = finished(dir).iter().flat_map(content).collect();
    all.extend(fs::read(dir.join("current")).unwrap_or_default());
    all
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| format!("{number:0499}\n").into_bytes()).collect()
}

/// So many bytes that hardly repeat themselves.
fn random(alphabet: &[u8], length: usize) -> Vec<u8> {
    let mut dice = Dice(7);
    (0..length).map(|_| alphabet[dice.below(alphabet.len())]).collect()
}

fn start(scratch: &Scratch, args: &[&str]) -> Child {
    Run::new(program("multilog")).args(args).cwd(scratch.path()).spawn()
}

/// Started again, it has nothing left to compress; and nothing else lies about.
fn settled(dir: &Path, ending: &str) -> bool {
    finished(dir).iter().all(|name| name.ends_with(ending)) && !dir.join("compressed").exists()
}

/// The process that compresses files of `dir`, stopped in the middle of one.
fn stopped_compressor(multilog: &Child, dir: &Path) -> Pid {
    let archive = dir.join("compressed");
    wait_until("it writes", SOON, || fs::metadata(&archive).is_ok_and(|stat| stat.len() > 100));
    let children = format!("/proc/{0}/task/{0}/children", multilog.pid());
    let found = wait_for(SOON, || {
        let children = fs::read_to_string(&children).ok()?;
        let pid = Pid::from_raw(children.split_whitespace().next()?.parse().ok()?);
        kill(pid, Signal::SIGSTOP).ok()?;
        Some(pid)
    });
    let pid = found.expect("a process that compresses");
    wait_until("it stands", SOON, || state(pid) == Some('T'));
    assert!(archive.exists(), "too late");
    pid
}

fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

fn niceness(pid: Pid) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a stat");
    let number = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(16));
    number.expect("field 19").parse().expect("a number")
}

/// A finished file that takes its time.
fn large(scratch: &Scratch, second: u32) -> Vec<u8> {
    let content = random(b"abcdefghijklmnopqrstuvwxyz 0123456789\n", 8_000_000);
    old(scratch, second, ".s", &content);
    content
}

/// A finished file of that time; returns its path.
fn old(scratch: &Scratch, second: u32, ending: &str, content: &[u8]) -> PathBuf {
    let path = scratch.file(&format!("d/@4000000012345678{second:08x}{ending}"), content);
    let mode = if ending.starts_with(".u") { 0o644 } else { 0o744 };
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
    path
}

#[test]
fn the_usual_tools_read_them_and_little_memory_is_enough() {
    for (action, ending, tool) in FORMATS {
        if !has(tool) {
            tests::record_skip(&format!("no {tool}"));
            continue;
        }
        let scratch = Scratch::new("multilog-compress");
        let multilog = program("multilog").into_os_string();
        let args = ["-m", "5000000"].map(Into::into).into_iter().chain([multilog]);
        let args = args.chain(["t", "s150000", "n20", action, "./d", "./e"].map(Into::into));
        let mut child = Run::new(program("softlimit")).args(args).cwd(scratch.path()).spawn();
        child.write(&lines(2000));
        let dirs = ["d", "e"].map(|dir| scratch.join(dir));
        wait_until("all is compressed", SOON, || {
            dirs.iter().all(|dir| {
                dir.exists() && finished(dir).len() == 7 && settled(dir, &format!(".s{ending}"))
            })
        });
        child.close();
        let outcome = child.wait(SOON);
        assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
        for dir in dirs {
            let log = text(&all(&dir));
            let bare: String = log.lines().map(|line| format!("{}\n", &line[26..])).collect();
            assert!(bare.as_bytes() == lines(2000), "{action}");
            let files = left(&dir);
            let name = format!("@.s{ending}");
            assert!(
                files[..7].iter().all(|file| file.0 == name && file.1 == 0o744),
                "{:?}",
                sizes(&files)
            );
            assert!(files[..7].iter().all(|file| file.2.len() < 15_000), "{:?}", sizes(&files));
        }
    }
}

/// What isn't compressed from before is, the oldest first; what isn't ours, or has another name, is left alone.
#[test]
fn what_lies_there_is_caught_up_on() {
    let scratch = Scratch::new("multilog-catch-up");
    let plain = [(1, ".s"), (2, ".u"), (3, ".mine")].map(|(second, ending)| {
        old(&scratch, second, ending, format!("{second}\n").repeat(1000).as_bytes())
    });
    let alone = [(4, ".gz"), (5, ".t"), (6, ".s.gz")]
        .map(|(second, ending)| old(&scratch, second, ending, b"x"));
    let linked = old(&scratch, 7, ".s", b"linked\n");
    fs::hard_link(&linked, scratch.join("elsewhere")).expect("linked");
    scratch.dir("d/@400000001234567800000008.s");
    scratch.file("d/compressed", "a leftover");
    let times =
        Run::sh("touch -d '2001-02-03 04:05:06.789' d/*.s d/*.u d/*.mine").cwd(scratch.path());
    assert_eq!(times.output().code, 0);
    let mut child = start(&scratch, &["wmine", "zgz", "./d"]);
    let dir = scratch.join("d");
    wait_until("they are compressed", SOON, || plain.iter().all(|path| !path.exists()));
    child.close();
    assert_eq!((child.wait(SOON).err().as_str(), dir.join("compressed").exists()), ("", false));
    let mut changed = Vec::new();
    for (second, path) in (1..).zip(plain) {
        let path = path.with_added_extension("gz");
        assert_eq!(expanded(&path, "gzip"), format!("{second}\n").repeat(1000).as_bytes());
        let stat = fs::metadata(&path).expect("stat");
        assert_eq!(
            (stat.mode() & 0o7777, stat.mtime(), stat.mtime_nsec()),
            (0o744, 981_173_106, 789_000_000)
        );
        changed.push((stat.ctime(), stat.ctime_nsec()));
    }
    assert!(changed.is_sorted(), "the oldest first: {changed:?}");
    assert!(alone.iter().all(|path| fs::read(path).expect("still there") == b"x"));
    assert_eq!(fs::read(linked).expect("still there"), b"linked\n");
}

/// Of a file that is there twice, nobody knows whether the compressed one is whole: the other one is, and is compressed again.
#[test]
fn a_file_that_is_there_twice_is_compressed_again() {
    let scratch = Scratch::new("multilog-twice");
    let plain = old(&scratch, 1, ".s", b"the whole file\n");
    let half = old(&scratch, 1, ".s.gz", b"\x1f\x8bhalf a file");
    let other = old(&scratch, 1, ".s.zst", b"of the time when that was asked for");
    let mut child = start(&scratch, &["zgz", "./d"]);
    wait_until("it is compressed", SOON, || !plain.exists());
    assert_eq!((expanded(&half, "gzip"), other.exists()), (b"the whole file\n".to_vec(), false));
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
}

/// The compressor stands still, and the log goes on: files are finished, and the oldest removed, also the one that is being
/// compressed.
#[test]
fn the_log_never_waits_for_the_compressor() {
    let scratch = Scratch::new("multilog-beside");
    large(&scratch, 1);
    let dir = scratch.join("d");
    let mut child = start(&scratch, &["s4096", "n4", "zgz", "./d"]);
    let compressor = stopped_compressor(&child, &dir);

    // It has nothing of what isn't its business.
    let open = fs::read_dir(format!("/proc/{compressor}/fd")).expect("listed").flatten();
    let open: Vec<_> = open.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    assert!(
        open.iter().all(|path| *path != dir.join("lock") && *path != dir.join("current")),
        "{open:?}"
    );
    let pipes = open.iter().filter(|path| path.to_string_lossy().starts_with("pipe:")).count();
    assert_eq!(pipes, 1, "standard error: {open:?}");
    let status = fs::read_to_string(format!("/proc/{compressor}/status")).expect("a status");
    assert!(
        status.contains("SigBlk:\t0000000000000000")
            && status.contains("SigCgt:\t0000000000000000"),
        "{status}"
    );
    assert_eq!(niceness(compressor), (niceness(Pid::this()) + 10).min(19));

    child.write(&lines(50));
    wait_until("all is written", SOON, || all(&dir).ends_with(&lines(50)[49 * 500..]));
    wait_until("the oldest are gone", SOON, || finished(&dir).len() == 3);
    assert!(lines(50).ends_with(&all(&dir)));
    kill(compressor, Signal::SIGCONT).expect("it is there");
    wait_until("the rest is compressed", SOON, || {
        finished(&dir).len() == 3 && settled(&dir, ".gz")
    });
    assert!(lines(50).ends_with(&all(&dir)));
    child.close();
    let outcome = child.wait(SOON);
    assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
}

/// Stopped, or killed, multilog takes the compressor along; what that was at is as it was, and compressed at the next start.
#[test]
fn the_compressor_goes_with_multilog() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let scratch = Scratch::new("multilog-goes");
        let content = large(&scratch, 1);
        let dir = scratch.join("d");
        let child = start(&scratch, &["zgz", "./d"]);
        let compressor = stopped_compressor(&child, &dir);
        child.signal(signal);
        child.wait(SOON);
        wait_until("it is gone", SOON, || matches!(state(compressor), None | Some('Z')));
        assert!(signal == Signal::SIGKILL || !dir.join("compressed").exists());
        assert!(all(&dir) == content);
        let mut child = start(&scratch, &["zgz", "./d"]);
        wait_until("it is compressed", SOON, || settled(&dir, ".gz"));
        child.close();
        assert_eq!(child.wait(SOON).code, 0);
        assert!(all(&dir) == content);
    }
}

/// Killed at each of its steps: one readable copy is there, and the next start completes it.
#[test]
fn killed_at_any_step_it_loses_nothing() {
    if !has("strace") {
        skip!("no strace");
    }
    // Those that multilog itself takes none of meanwhile.
    for step in [
        "ftruncate:1",
        "pread64:1",
        "utimensat:1",
        "fsync:1",
        "renameat:1",
        "fsync:2",
        "unlinkat:1",
    ] {
        let scratch = Scratch::new("multilog-step");
        let content = random(b"abc \n", 30_000);
        old(&scratch, 1, ".s", &content);
        let dir = scratch.join("d");
        let current = scratch.file("d/current", "");
        fs::set_permissions(current, Permissions::from_mode(0o744)).expect("chmod");
        let (call, when) = step.split_once(':').expect("a number");
        let inject = format!("inject={call}:signal=KILL:when={when}");
        let mut child = Run::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e"])
            .arg(inject)
            .arg(program("multilog"))
            .args(["zgz", "./d"])
            .cwd(scratch.path())
            .spawn();
        child.expect_stderr("multilog: warning: compressor crashed in ./d\n");
        for name in finished(&dir) {
            let path = dir.join(&name);
            let there = if name.ends_with(".gz") {
                expanded(&path, "gzip")
            } else {
                fs::read(path).expect("read")
            };
            assert!(there == content, "{step}: {name}");
        }
        assert!((1..=2).contains(&finished(&dir).len()), "{step}: {:?}", finished(&dir));
        child.close();
        child.wait(SOON);
        let mut child = start(&scratch, &["zgz", "./d"]);
        wait_until("it is compressed", SOON, || settled(&dir, ".gz"));
        child.close();
        assert_eq!(child.wait(SOON).code, 0, "{step}");
        assert!(all(&dir) == content, "{step}");
    }
}

/// Killed with its compressor, over and over, while it writes: what was written is there once, in order, whether compressed or
/// not. Ten rounds; `STORM=200` for as many.
#[test]
fn killed_over_and_over_no_line_is_lost_or_doubled() {
    let formats: Vec<_> = FORMATS.into_iter().filter(|(.., tool)| has(tool)).collect();
    let rounds = std::env::var("STORM").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    let scratch = Scratch::new("multilog-compress-killed");
    let dir = scratch.join("d");
    let mut dice = Dice(20_261_123);
    let mut sent = 0;
    for round in 0..rounds {
        let action = formats[round % formats.len()].0;
        let mut child = start(&scratch, &["s4096", "n100000", action, "./d"]);
        let numbers = sent..sent + 600;
        let lines: String = numbers.map(|number| format!("{number:099}\n")).collect();
        child.write(lines.as_bytes());
        // So many files are finished, and perhaps compressed, when it comes.
        let before = if dir.exists() { finished(&dir).len() } else { 0 };
        let more = dice.below(12);
        wait_until("some files", SOON, || dir.exists() && finished(&dir).len() >= before + more);
        child.signal(Signal::SIGKILL);
        child.wait(SOON);
        wait_until("the compressor is gone, too", SOON, || scratch.inhabitants().is_empty());
        // A line that was torn by it is sent again.
        let last = paths(&dir).iter().rev().find_map(|path| whole_lines(path).pop());
        sent = last.map_or(0, |last| last + 1);
    }
    let numbers: Vec<usize> = paths(&dir).iter().flat_map(|path| whole_lines(path)).collect();
    let wrong = numbers.iter().zip(0..).find(|(number, expected)| *number != expected);
    assert_eq!((wrong, numbers.len()), (None, sent));
}

/// The files of a log in order, each once: one that is there twice as it was before it was compressed.
fn paths(dir: &Path) -> Vec<PathBuf> {
    let names = finished(dir);
    let is_copy = |name: &&String| {
        let plain = FORMATS.iter().find_map(|(_, ending, _)| name.strip_suffix(ending));
        plain.is_some_and(|plain| names.iter().any(|name| name == plain))
    };
    let mut paths: Vec<_> =
        names.iter().filter(|name| !is_copy(name)).map(|name| dir.join(name)).collect();
    // Killed in the middle of a rotation, a file may have its final name already, or not.
    let links = fs::metadata(dir.join("previous")).map_or(0, |stat| stat.nlink());
    paths.extend((links == 1).then(|| dir.join("previous")));
    paths.extend(Some(dir.join("current")).filter(|path| path.exists()));
    paths
}

/// The numbers on the lines of a file, without what follows the last newline.
fn whole_lines(path: &Path) -> Vec<usize> {
    let format = FORMATS.iter().find(|(_, ending, _)| path.to_string_lossy().ends_with(ending));
    let content = match format {
        Some((_, _, tool)) => expanded(path, tool),
        None => fs::read(path).expect("read"),
    };
    let lines = content.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    lines.map(|line| text(line).trim_end().parse().expect("a number")).collect()
}

#[test]
fn a_processor_comes_first() {
    let scratch = Scratch::new("multilog-processed");
    let mut child = start(&scratch, &["s4096", "!tr 0 o", "zgz", "./d"]);
    child.write(&lines(10));
    let dir = scratch.join("d");
    wait_until("both have done theirs", SOON, || {
        dir.exists() && finished(&dir).len() == 2 && settled(&dir, ".gz")
    });
    let log = expanded(&dir.join(&finished(&dir)[0]), "gzip");
    assert!(log.starts_with(b"ooooo") && !log.contains(&b'0'));
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
}

/// No room for the compressed file: that is said, the file stays as it is, the log goes on, and the next rotation tries again.
#[test]
fn a_full_disk_leaves_files_as_they_are() {
    alone!();
    let scratch = Scratch::new("multilog-compress-full");
    let at = scratch.dir("d");
    mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some("size=256k")).expect("a tmpfs");
    let content = random(b"0123456789abcdefghijklmnopqrstuvwxyz\n", 120_000);
    old(&scratch, 1, ".s", &content);
    scratch.file("d/filler", "x".repeat(80_000));
    let mut child = start(&scratch, &["s4096", "zzst", "./d"]);
    child.expect_stderr("multilog: warning: unable to compress files in ./d: out of disk space\n");
    assert!(all(&at) == content && !at.join("compressed").exists());
    fs::remove_file(scratch.join("d/filler")).expect("removed");
    child.write(&lines(9));
    wait_until("it is compressed after all", SOON, || {
        finished(&at).len() == 2 && settled(&at, ".s.zst")
    });
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
}

/// A clock that was set back: no name is given twice, whatever it ends in.
#[test]
fn compressed_files_keep_their_place() {
    let scratch = Scratch::new("multilog-compress-clock");
    let future = "@4000000080000000000000ff.s.gz";
    scratch.file(&format!("d/{future}"), "of the future\n");
    let mut child = start(&scratch, &["s4096", "n4", "zgz", "./d"]);
    child.write(&lines(20));
    let dir = scratch.join("d");
    wait_until("all is compressed", SOON, || {
        let names = finished(&dir);
        names.len() == 3 && !names.contains(&future.to_owned()) && settled(&dir, ".gz")
    });
    assert!(finished(&dir).iter().all(|name| name.as_str() > future));
    wait_until("the last line is there", SOON, || lines(20).ends_with(&all(&dir)));
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
}
