//! svscan, svscanboot and readproctitle, with our supervise and with Debian's.

mod boot;
mod container;
mod log_pipe;
mod looked_after;
mod own_log;
mod quiet;
mod stop;
mod upgrade;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tests::{Child, Run, Scratch, Signal, alone, both, debian, fresh_root, is_root, path, program};
use tests::{happens_within, skip, wait_for, wait_until};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

/// A PATH that finds our supervise, and one that finds Debian's, with our svscan.
fn supervises() -> Vec<(&'static str, String)> {
    let ours = path().into_string().expect("a PATH in UTF-8");
    let theirs = debian("supervise").map(|_| ("debian", "/usr/bin:/bin".to_owned()));
    [("ours", ours)].into_iter().chain(theirs).collect()
}

fn svscan(directory: &Path, path: &str) -> Child {
    Run::new(program("svscan")).arg(directory).env("PATH", path).spawn()
}

/// A scratch directory with an empty `service`, and a `supervise` in `bin` that runs this script instead.
fn with_fake(name: &str, script: &str) -> (Scratch, PathBuf, String) {
    let scratch = Scratch::new(name);
    let service = scratch.dir("service");
    scratch.script("bin/supervise", &format!("#!/bin/sh\n{script}"));
    let path = format!("{}:/usr/bin:/bin", scratch.join("bin").display());
    (scratch, service, path)
}

/// Waits until svscan has nothing more to do.
fn wait_for_sleep(svscan: &Child, directory: &Path) {
    let process = PathBuf::from(format!("/proc/{}", svscan.pid()));
    wait_until("svscan to wait", SECONDS(10), || {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        // It watches, and sleeps.
        let watches = descriptors
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|target| target.to_string_lossy().contains("inotify"));
        fs::read_link(process.join("cwd")).is_ok_and(|at| at == directory)
            && watches
            && stat.contains(") S ")
    });
}

/// Notes `started NAME` in `$NOTED`, and comes up as supervise does.
const NOTE_AND_COME_UP: &str = "echo \"started $1\" >>\"$NOTED\"; cd \"$1\"; mkdir -p supervise; \
    test -p supervise/ok || mkfifo supervise/ok; exec sleep 1000 3<>supervise/ok\n";

/// Notes `started NAME` and stays.
const NOTE_AND_STAY: &str = "echo \"started $1\" >>../noted; exec sleep 1000\n";

/// Adds a service directory `all/NAME` whose `run` is this script.
fn service(scratch: &Scratch, name: &str, script: &str) -> PathBuf {
    scratch.script(&format!("all/{name}/run"), &format!("#!/bin/sh\n{script}"));
    scratch.join(format!("all/{name}"))
}

fn link(scratch: &Scratch, name: &str) {
    symlink(scratch.join(format!("all/{name}")), scratch.join(format!("service/{name}")))
        .expect("make a link");
}

fn is_supervised(directory: &Path) -> bool {
    Run::new(program("svok")).arg(directory).output().code == 0
}

fn noted(scratch: &Scratch) -> Vec<String> {
    let text = fs::read_to_string(scratch.join("noted")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn svc(options: &str, directories: &[&Path]) {
    let outcome = Run::new(program("svc")).arg(options).args(directories).output();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
}

/// The pids of the supervises (and whatever else has this as its first argument) in this directory.
fn supervise_of(directory: &Path) -> Option<i32> {
    let directory = directory.canonicalize().ok()?;
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        let there = fs::read_link(entry.path().join("cwd")).ok()?;
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (name == "supervise\n" && there == directory).then_some(pid)
    })
}

/// The flags of a process's descriptor, as open(2) has them.
fn flags_of(pid: i32, descriptor: &str) -> i32 {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).expect("its flags");
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags");
    i32::from_str_radix(flags.trim(), 8).expect("octal")
}

/// The pid of the service itself.
fn pid_of(directory: &Path) -> Option<i32> {
    let said = Run::new(program("svstat")).arg(directory).output().out();
    said.split_once("(pid ")?.1.split_once(')')?.0.parse().ok()
}

/// The pid of a service that is up, or about to be shown so: it runs before its supervise can tell.
fn wait_pid(directory: &Path) -> i32 {
    wait_until("a pid", SECONDS(20), || pid_of(directory).is_some());
    pid_of(directory).expect("a service that stays up")
}

#[test]
fn a_new_link_is_noticed_at_once() {
    for (whose, path) in supervises() {
        happens_within(SECONDS(1), whose, || {
            let scratch = Scratch::new("link");
            let directory = scratch.dir("service");
            let mut running = svscan(&directory, &path);
            // An empty directory is no reason to end.
            wait_for_sleep(&running, &directory);
            let log = service(&scratch, "a", "exec sleep 1000\n");
            scratch.script("all/a/log/run", "#!/bin/sh\nexec cat\n");
            let start = Instant::now();
            link(&scratch, "a");
            wait_until("both supervises", SECONDS(20), || {
                is_supervised(&log) && is_supervised(&log.join("log"))
            });
            let took = start.elapsed();
            assert!(running.is_running());
            assert_eq!(String::from_utf8_lossy(&running.stderr()), "", "{whose}");
            took
        });
    }
}

#[test]
fn a_thousand_entries_and_more() {
    let (scratch, directory, path) = with_fake("thousand", NOTE_AND_COME_UP);
    for number in 0..1100 {
        fs::create_dir(directory.join(format!("s{number}"))).expect("make a directory");
    }
    for name in [".hidden", "logged/log"] {
        fs::create_dir_all(directory.join(name)).expect("make a directory");
    }
    fs::write(directory.join("file"), "").expect("make a file");
    let _running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("NOTED", scratch.join("noted"))
        .spawn();
    wait_until("1102 starts", SECONDS(60), || noted(&scratch).len() >= 1102);
    let mut names = noted(&scratch);
    names.sort_unstable();
    let mut expected: Vec<String> = (0..1100).map(|number| format!("started s{number}")).collect();
    expected.extend(["started logged".to_owned(), "started log".to_owned()]);
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn a_renamed_link_is_no_new_service() {
    let (scratch, directory, path) = with_fake("rename", NOTE_AND_STAY);
    let _running = svscan(&directory, &path);
    service(&scratch, "a", "");
    link(&scratch, "a");
    wait_until("the first start", SECONDS(10), || noted(&scratch) == ["started a"]);
    fs::rename(directory.join("a"), directory.join("z")).expect("rename a link");
    service(&scratch, "b", "");
    link(&scratch, "b");
    wait_until("the second start", SECONDS(10), || noted(&scratch).len() > 1);
    assert_eq!(noted(&scratch), ["started a", "started b"]);
}

#[test]
fn a_dangling_link_is_filled_later() {
    let (scratch, directory, path) = with_fake("dangling", NOTE_AND_STAY);
    link(&scratch, "a");
    let running = svscan(&directory, &path);
    running.expect_stderr("svscan: warning: unable to stat a: file does not exist\n");
    service(&scratch, "a", "");
    wait_until("the start", SECONDS(12), || noted(&scratch) == ["started a"]);
}

#[test]
fn a_directory_that_is_being_made_gets_its_logger() {
    let (scratch, directory, path) =
        with_fake("made", "echo \"started $1\" >>\"$NOTED\"; exec sleep 1000\n");
    let running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("NOTED", scratch.join("noted"))
        .spawn();
    wait_for_sleep(&running, &directory);
    fs::create_dir(directory.join("a")).expect("make a directory");
    fs::write(directory.join("a/run"), "").expect("make a file");
    fs::create_dir(directory.join("a/log")).expect("make a directory");
    wait_until("both starts", SECONDS(10), || noted(&scratch).len() == 2);
    let mut names = noted(&scratch);
    names.sort_unstable();
    assert_eq!(names, ["started a", "started log"]);
}

/// The walk-through's third chapter: the link goes, then `svc -x`, then `svc -d`.
#[test]
fn a_removed_entry_is_not_stopped_and_not_restarted() {
    for (whose, path) in supervises() {
        let scratch = Scratch::new("remove");
        let directory = scratch.dir("service");
        let running = svscan(&directory, &path);
        let there = service(&scratch, "a", "exec sleep 1000\n");
        scratch.script("all/a/log/run", "#!/bin/sh\nexec cat\n");
        let log = there.join("log");
        link(&scratch, "a");
        wait_until("both", SECONDS(10), || is_supervised(&there) && is_supervised(&log));
        let before = supervise_of(&there);
        assert!(before.is_some(), "{whose}");
        fs::remove_file(directory.join("a")).expect("remove the link");
        // Whatever svscan does about the one is done when it has started the other.
        let marker = service(&scratch, "marker", "exec sleep 1000\n");
        link(&scratch, "marker");
        wait_until("the marker", SECONDS(10), || is_supervised(&marker));
        assert_eq!(supervise_of(&there), before, "{whose}: stopped");
        svc("-x", &[&there, &log]);
        let gone = directory.join("a");
        let habit = Run::new(program("svc")).arg("-d").arg(&gone).arg(gone.join("log")).output();
        assert_eq!(habit.code, 0);
        assert_eq!(habit.err().matches("svc: warning: ").count(), 2, "{}", habit.err());
        svc("-d", &[&there, &log]);
        wait_until("their end", SECONDS(12), || !is_supervised(&there) && !is_supervised(&log));
        // A regular scan passes (only such a one finds what a link now leads to), and nothing is restarted.
        link(&scratch, "late");
        running.expect_stderr("unable to stat late: ");
        let late = service(&scratch, "late", "exec sleep 1000\n");
        wait_until("a scan", SECONDS(12), || is_supervised(&late));
        assert!(!is_supervised(&there) && !is_supervised(&log), "{whose}: restarted");
    }
}

#[test]
fn a_supervise_that_dies_is_restarted_and_not_in_a_hurry() {
    let (scratch, directory, path) = with_fake("pace", "date +%s%N >>../noted; exit 1\n");
    service(&scratch, "a", "");
    link(&scratch, "a");
    let _running = svscan(&directory, &path);
    wait_until("four starts", SECONDS(20), || noted(&scratch).len() >= 4);
    let at: Vec<u64> = noted(&scratch).iter().map(|line| line.parse().expect("a time")).collect();
    let apart: Vec<Duration> =
        at.windows(2).map(|pair| Duration::from_nanos(pair[1] - pair[0])).collect();
    assert!(apart.iter().all(|apart| *apart > Duration::from_millis(900)), "{apart:?}");
    assert!(apart.iter().any(|apart| *apart < SECONDS(4)), "{apart:?}");
}

#[test]
fn svscan_twice() {
    let (_scratch, directory, path) = with_fake("twice", NOTE_AND_STAY);
    let first = svscan(&directory, &path);
    let second = || Run::new(program("svscan")).arg(&directory).spawn();
    wait_for_sleep(&first, &directory);
    let outcome = second().wait(SECONDS(5));
    let expected = format!(
        "svscan: fatal: unable to lock {}: another svscan is running there\n",
        directory.display()
    );
    assert_eq!((outcome.err(), outcome.code), (expected, 111));
    // The lock is its holder's, and nobody has to clean up after a killed one.
    first.signal(Signal::SIGKILL);
    first.wait(SECONDS(5));
    let mut third = second();
    assert!(wait_for(Duration::from_millis(300), || (!third.is_running()).then_some(())).is_none());
    assert_eq!(fs::read_dir(&directory).expect("list").count(), 0, "nothing is left in it");
}

/// A child that a killed svscan was just starting has its lock for a moment.
#[test]
fn a_lock_that_is_left_over_is_waited_for() {
    let (scratch, directory, path) = with_fake("left-over", NOTE_AND_STAY);
    service(&scratch, "a", "");
    link(&scratch, "a");
    let left_over = fs::File::open(&directory).expect("the directory");
    left_over.try_lock().expect("its lock");
    let running = svscan(&directory, &path);
    let descriptors = format!("/proc/{}/fd", running.pid());
    wait_until("svscan to open the directory", SECONDS(10), || {
        let open = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target == directory)
    });
    assert_eq!(noted(&scratch).len(), 0);
    drop(left_over);
    wait_until("a start", SECONDS(20), || noted(&scratch).len() == 1);
    assert_eq!(String::from_utf8_lossy(&running.stderr()), "");
}

#[test]
fn what_is_wrong_is_said() {
    let scratch = Scratch::new("wrong");
    scratch.file("file", "");
    for directory in ["missing", "file", ""] {
        let outcomes: Vec<_> = both("svscan")
            .into_iter()
            .map(|(_, path)| Run::new(path).arg(directory).cwd(scratch.path()).output())
            .collect();
        assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "{outcomes:?}");
        assert_eq!(outcomes[0].code, 111);
    }
    let (scratch, directory, _) = with_fake("no-supervise", "");
    for name in ["a", "b"] {
        service(&scratch, name, "");
        link(&scratch, name);
    }
    let running = svscan(&directory, "/nowhere:/bin/nowhere");
    running.expect_stderr("svscan: warning: unable to start supervise ");
    running.expect_stderr(
        ": file does not exist: no program supervise in PATH /nowhere:/bin/nowhere\n",
    );
    drop(running);
    fs::set_permissions(scratch.join("bin/supervise"), fs::Permissions::from_mode(0o644))
        .expect("chmod");
    let running = svscan(&directory, &scratch.join("bin").display().to_string());
    running.expect_stderr("svscan: warning: unable to start supervise a: access denied\n");
}

/// Nobody reads svscan's warnings any more, and it goes on.
#[test]
fn svscan_outlives_who_reads_its_messages() {
    let (scratch, directory, path) = with_fake("deaf", NOTE_AND_STAY);
    link(&scratch, "nowhere");
    let script = format!("{} {} 2>&1 | true", program("svscan").display(), directory.display());
    let _running = Run::sh(&script).env("PATH", &path).spawn();
    wait_until("svscan", SECONDS(10), || !scratch.inhabitants().is_empty());
    service(&scratch, "a", "");
    link(&scratch, "a");
    wait_until("a start", SECONDS(10), || noted(&scratch) == ["started a"]);
}

/// What supervise is started with is what svscan was started with.
#[test]
fn a_child_inherits_what_svscan_was_given() {
    let script = "{ ulimit -Sn; ulimit -Hn; grep -E '^(Sig(Blk|Ign|Cgt)|NSpgid)' /proc/self/status; \
                  ls /proc/self/fd; env | grep -v '^_='; pwd; } >../noted.new 2>&1; \
                  mv ../noted.new ../noted; exec sleep 1000\n";
    let seen = |svscan: PathBuf| {
        let (scratch, directory, path) = with_fake("inherit", script);
        service(&scratch, "a", "");
        link(&scratch, "a");
        let command = format!("ulimit -Sn 100; exec {} service", svscan.display());
        let _running = Run::sh(&command)
            .env_clear()
            .env("PATH", path)
            .env("COLOUR", "red")
            .cwd(scratch.path())
            .spawn();
        wait_until("a start", SECONDS(10), || scratch.join("noted").exists());
        let place = scratch.path().display().to_string();
        let lines = noted(&scratch).into_iter().filter(|line| !line.starts_with("NSpgid"));
        (directory.exists(), lines.map(|line| line.replace(&place, "")).collect::<Vec<_>>())
    };
    let mut all = both("svscan").into_iter().map(|(_, path)| seen(path));
    let ours = all.next().expect("ours");
    assert_eq!(ours.1[0], "100");
    for theirs in all {
        assert_eq!(ours, theirs);
    }
}

/// As PID 1, svscan reaps what others leave to it.
#[test]
fn svscan_reaps_orphans_as_the_first_process() {
    if !is_root() {
        skip!("svscan is PID 1 only where root makes it");
    }
    let (scratch, directory, path) = with_fake(
        "orphans",
        "(sleep 0.1; echo orphan >>../noted) & (sleep 0.1; echo orphan >>../noted) & exec sleep 1000\n",
    );
    service(&scratch, "a", "");
    link(&scratch, "a");
    let running = Run::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--"])
        .arg(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .spawn();
    wait_until("the orphans", SECONDS(10), || noted(&scratch).len() == 2);
    let children = |pid: &str| {
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let list = list.unwrap_or_default();
        list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let svscan = children(&running.pid().to_string());
    assert_eq!(svscan.len(), 1);
    wait_until("only the supervise to be left", SECONDS(10), || children(&svscan[0]).len() == 1);
}

/// A read-only file system (as an ordinary directory that can't be written to, it would be root's to write).
#[test]
fn a_read_only_service_directory() {
    if !is_root() {
        skip!("only root can mount");
    }
    alone!();
    let (scratch, directory, path) =
        with_fake("read-only", "echo \"started $1\" >>\"$NOTED\"; exec sleep 1000\n");
    service(&scratch, "a", "");
    scratch.script("all/a/log/run", "");
    link(&scratch, "a");
    let all = scratch.join("all");
    let mount = format!("mount --bind {0} {0} && mount -o remount,bind,ro {0}", all.display());
    assert_eq!(Run::sh(&mount).output().code, 0);
    let running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("NOTED", scratch.join("noted"))
        .spawn();
    running.expect_stderr(
        "svscan: warning: unable to keep a/supervise/logpipe: read-only file system\n",
    );
    wait_until("both starts", SECONDS(10), || noted(&scratch).len() == 2);
    drop(running);
    Run::sh(&format!("umount -l {}", all.display())).output();
}
