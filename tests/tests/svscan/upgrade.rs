//! The upgrade in place: USR2.

use super::*;
use crate::log_pipe::{COUNT, check};

/// A scratch directory with programs of its own in `bin`, which can be replaced.
struct Host {
    scratch: Scratch,
    path: String,
}

impl Host {
    fn new(name: &str) -> Host {
        let scratch = Scratch::new(name);
        scratch.dir("service");
        scratch.dir("bin");
        let path = format!("{}:/usr/bin:/bin", scratch.join("bin").display());
        let host = Host { scratch, path };
        host.install("svscan");
        host.install("supervise");
        host
    }

    /// Installs a program as `make setup` does: a new file takes the old one's name.
    fn install(&self, name: &str) -> PathBuf {
        let new = self.scratch.copy("bin/new", &program(name));
        fs::rename(&new, self.scratch.join(format!("bin/{name}"))).expect("install a program");
        self.scratch.join(format!("bin/{name}"))
    }

    /// Starts it as `svscan service`, in the scratch directory: found in PATH.
    fn start(&self, options: &str) -> Child {
        Run::sh(&format!("exec svscan {options} service"))
            .cwd(self.scratch.path())
            .env("PATH", &self.path)
            .spawn()
    }

    /// Whether the process runs the program that is installed now.
    fn is_current(&self, pid: i32, name: &str) -> bool {
        let inode = |path: PathBuf| fs::metadata(path).map(|stat| stat.ino()).ok();
        let installed = inode(self.scratch.join(format!("bin/{name}")));
        installed.is_some() && inode(PathBuf::from(format!("/proc/{pid}/exe"))) == installed
    }

    /// Has svscan upgrade, to a newly installed one.
    fn upgrade(&self, svscan: &Child) {
        self.install("svscan");
        assert!(!self.is_current(svscan.pid(), "svscan"));
        svscan.signal(Signal::SIGUSR2);
        wait_until("the new svscan", SECONDS(30), || self.is_current(svscan.pid(), "svscan"));
    }

    fn is_locked(&self) -> bool {
        let second = Run::new(program("svscan")).arg(self.scratch.join("service")).output();
        second.err().ends_with("another svscan is running there\n")
    }
}

/// Again and again, under load: services, supervises and svscan stay the processes that they are, the lock is never let go
/// of, and no line is lost; and what the new svscan knows is what the old one knew.
#[test]
fn nothing_is_restarted_and_no_line_is_lost() {
    let host = Host::new("upgrade");
    for name in ["a", "b"] {
        service(&host.scratch, name, COUNT);
        host.scratch.script(&format!("all/{name}/log/run"), "#!/bin/sh\nexec cat >>out\n");
        link(&host.scratch, name);
    }
    let running = host.start("");
    let places: Vec<PathBuf> = ["a", "b", "a/log", "b/log"]
        .iter()
        .map(|name| host.scratch.join(format!("all/{name}")))
        .collect();
    let size = |name: &str| {
        fs::metadata(host.scratch.join(format!("all/{name}/log/out"))).map_or(0, |out| out.len())
    };
    let pids = || -> Vec<Option<i32>> {
        places.iter().flat_map(|place| [pid_of(place), supervise_of(place)]).collect()
    };
    wait_until("all to be up", SECONDS(20), || pids().iter().all(Option::is_some));
    let before = pids();
    for _ in 0..6 {
        let lines = size("a");
        wait_until("lines to be logged", SECONDS(20), || size("a") > lines + 100);
        host.install("supervise");
        host.upgrade(&running);
        assert!(host.is_locked());
        let lines = size("b");
        wait_until("lines to be logged", SECONDS(20), || size("b") > lines + 100);
        assert_eq!(pids(), before);
        // svscan has told its supervises to do the same.
        wait_until("new supervises", SECONDS(30), || {
            let mut supervises = places.iter().filter_map(|place| supervise_of(place));
            supervises.all(|pid| host.is_current(pid, "supervise"))
        });
        assert_eq!(pids(), before);
    }
    assert_eq!(String::from_utf8_lossy(&running.stderr()), "");
    let pipe = |fd: &str| {
        let fds = fs::read_dir(format!("/proc/{}/fd", running.pid())).expect("its descriptors");
        let targets = fds.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.filter(|target| target.to_string_lossy().contains(fd)).count()
    };
    assert_eq!((pipe("logpipe"), pipe("memfd:")), (4, 0), "both ends of both pipes, nothing left");
    assert_eq!(pipe("inotify"), 1);

    // It still is the parent that restarts them, and the one that stops them.
    let supervise = supervise_of(&places[0]).expect("a supervise");
    kill(Pid::from_raw(supervise), Signal::SIGKILL).expect("kill");
    wait_until("another supervise", SECONDS(20), || {
        supervise_of(&places[0]).is_some_and(|pid| pid != supervise)
    });
    service(&host.scratch, "c", "exec sleep 1000\n");
    link(&host.scratch, "c");
    wait_until("the new service", SECONDS(20), || is_supervised(&host.scratch.join("all/c")));
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait(SECONDS(60)).code, 0);
    for name in ["a", "b"] {
        let out = fs::read_to_string(host.scratch.join(format!("all/{name}/log/out")));
        assert_eq!(check(&out.expect("the log")), 1, "one process wrote");
    }
}

/// A new svscan that can't take over: the old one says so, and goes on.
#[test]
fn the_old_one_carries_on_if_the_new_one_is_no_good() {
    let host = Host::new("no-good");
    let log = service(&host.scratch, "a", COUNT);
    host.scratch.script("all/a/log/run", "#!/bin/sh\nexec cat >>out\n");
    link(&host.scratch, "a");
    // A relative path, which means nothing in the scan directory any more.
    let mut running = Run::new("/bin/sh")
        .args(["-c", "exec bin/svscan service"])
        .cwd(host.scratch.path())
        .env("PATH", &host.path)
        .spawn();
    wait_until("the logger", SECONDS(20), || fs::metadata(log.join("log/out")).is_ok());
    let pids = || [pid_of(&log), supervise_of(&log), supervise_of(&log.join("log"))];
    wait_until("all to be up", SECONDS(20), || pids().iter().all(Option::is_some));
    let before = pids();
    let new = host.scratch.join("bin/svscan");
    let run = "run";
    let hand_over = "hand over to";
    for (what, script, mode, verb, why) in [
        ("missing", "", 0, run, "file does not exist"),
        ("exit", "exit 1", 0o755, hand_over, "it can't take over: exit code 1"),
        ("killed", "kill -9 $$", 0o755, hand_over, "it can't take over: ended by signal 9"),
        ("plain", "exit 0", 0o644, run, "access denied"),
        ("hangs", "exec sleep 1000", 0o755, hand_over, "it doesn't answer"),
    ] {
        let _ = fs::remove_file(&new);
        if mode != 0 {
            host.scratch.script("bin/svscan", &format!("#!/bin/sh\n{script}\n"));
            fs::set_permissions(&new, fs::Permissions::from_mode(mode)).expect("chmod");
        }
        running.signal(Signal::SIGUSR2);
        running.expect_stderr(&format!(
            "svscan: warning: unable to {verb} {}: {why}, going on as before\n",
            new.display()
        ));
        assert!(running.is_running(), "{what}");
        assert!(host.is_locked(), "{what}");
        assert_eq!(pids(), before, "{what}");
        for fd in fs::read_dir(format!("/proc/{}/fd", running.pid())).expect("its fds").flatten() {
            if fs::read_link(fd.path()).is_ok_and(|at| at.starts_with(host.scratch.path())) {
                let number = fd.file_name().into_string().expect("a number");
                let flags = flags_of(running.pid(), &number);
                assert_ne!(flags & nix::libc::O_CLOEXEC, 0, "{what}: {number} would be inherited");
            }
        }
        let there = service(&host.scratch, what, "exec sleep 1000\n");
        link(&host.scratch, what);
        wait_until("a new service", SECONDS(20), || is_supervised(&there));
    }
    host.upgrade(&running);
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait(SECONDS(60)).code, 0);
    assert_eq!(check(&fs::read_to_string(log.join("log/out")).expect("the log")), 1);
}

/// A TERM that comes while svscan hands over isn't lost.
#[test]
fn a_signal_that_comes_meanwhile_is_obeyed() {
    let host = Host::new("meanwhile");
    let there = service(&host.scratch, "a", "exec sleep 1000\n");
    link(&host.scratch, "a");
    for _ in 0..10 {
        let running = host.start("");
        wait_until("the service", SECONDS(20), || pid_of(&there).is_some());
        running.signal(Signal::SIGUSR2);
        running.signal(Signal::SIGTERM);
        assert_eq!(running.wait(SECONDS(30)).code, 0);
        assert_eq!(host.scratch.inhabitants(), [0; 0]);
    }
}

/// What was handed over by nobody is refused, and nothing is touched.
#[test]
fn a_state_of_nobodys_is_refused() {
    let scratch = Scratch::new("nobodys");
    scratch.dir("service");
    scratch.file("state", "TAKEOVER\x01\x00\x06\x00\x00\x00svscan");
    for (option, why) in [
        ("--take-over=99", "no state was handed over"),
        ("--take-over=check:99", "no state was handed over"),
        ("--take-over=x", "no state was handed over"),
        ("--take-over=2", "no state was handed over"),
        ("--take-over=5", "malformed state"),
    ] {
        let script = format!("exec {} {option} service 5<state", program("svscan").display());
        let outcome = Run::sh(&script).cwd(scratch.path()).output();
        let expected = format!("svscan: fatal: unable to take over: {why}\n");
        assert_eq!((outcome.err(), outcome.code), (expected, 111), "{option}");
    }
}
