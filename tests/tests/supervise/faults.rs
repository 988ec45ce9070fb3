//! What goes wrong under supervise, and what it makes of that.

use super::*;

#[test]
fn a_run_that_cannot_be_run_is_said_and_tried_again() {
    for (what, content, mode, reason) in [
        ("missing", None, 0, "file does not exist"),
        ("not executable", Some(SLEEP), 0o644, "access denied"),
        ("of a wrong interpreter", Some("#!/nonexistent\n"), 0o755, "file does not exist"),
        ("no program", Some("sleep\n"), 0o755, "exec format error"),
    ] {
        for (whose, path) in both("supervise") {
            let scratch = Scratch::new("supervise-norun");
            scratch.dir("s");
            if let Some(text) = content {
                let file = scratch.script("s/run", text);
                fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("chmod");
            }
            let child = with(&path, &scratch);
            let line = format!("supervise: fatal: unable to start s/run: {reason}\n");
            wait_until(&format!("two lines of {whose}, run {what}"), SOON, || {
                String::from_utf8_lossy(&child.stderr()).starts_with(&line.repeat(2))
            });
            if whose == "ours" {
                // Commands are answered at once, not after the second.
                happens_within(Duration::from_millis(900), "-d", || {
                    let asked = Instant::now();
                    svc(&scratch, "-d");
                    wait_status(&scratch, "wanted down", |pid, _, want| (pid, want) == (0, b'd'));
                    let elapsed = asked.elapsed();
                    svc(&scratch, "-u");
                    wait_status(&scratch, "wanted up", |pid, _, want| (pid, want) == (0, b'u'));
                    elapsed
                });
                let _ = fs::remove_file(scratch.join("s/run"));
                scratch.script("s/run", SLEEP);
                wait_up(&scratch);
            }
            end(&scratch, child);
        }
    }
}

#[test]
fn a_service_that_ends_at_once_is_started_once_a_second() {
    let scratch = place("supervise-quick", "#!/bin/sh\necho >>starts; exit 1\n");
    let child = supervise(&scratch);
    let starts = || fs::read(scratch.join("s/starts")).map_or(0, |bytes| bytes.len());
    wait_until("the first start", SOON, || starts() >= 1);
    let first = Instant::now();
    wait_until("four more", SOON, || starts() >= 5);
    let elapsed = first.elapsed();
    // Four seconds, less what we were late to see the first start.
    assert!(elapsed >= Duration::from_secs(3), "four more starts within {elapsed:?}");
    happens_within(Duration::from_millis(900), "-d", || {
        svc(&scratch, "-u");
        wait_status(&scratch, "about to be restarted", |pid, _, want| (pid, want) == (0, b'u'));
        let asked = Instant::now();
        svc(&scratch, "-d");
        wait_status(&scratch, "down", |pid, _, want| (pid, want) == (0, b'd'));
        asked.elapsed()
    });
    // Explicit commands don't wait: five more starts in far less than five seconds.
    let label_and_pid = || fs::read(scratch.join("s/supervise/status")).expect("a status");
    happens_within(Duration::from_secs(4), "five times -o", || {
        let (asked, before) = (Instant::now(), starts());
        for round in 1..=5 {
            let old = label_and_pid();
            svc(&scratch, "-o");
            wait_until("a start", SOON, || starts() >= before + round);
            // The service may have written before supervise has: "down" must not be that of before.
            wait_until("a new status", SOON, || label_and_pid() != old);
            wait_down(&scratch);
        }
        asked.elapsed()
    });
    end(&scratch, child);
}

#[test]
fn a_service_that_ran_for_long_is_restarted_at_once() {
    let scratch = place("supervise-restart", SLEEP);
    let child = supervise(&scratch);
    happens_within(Duration::from_millis(900), "the restart", || {
        let pid = wait_up(&scratch);
        let since = Instant::now();
        wait_until("a second", SOON, || since.elapsed() > Duration::from_millis(1_050));
        let killed = Instant::now();
        svc(&scratch, "-t");
        wait_status(&scratch, "up again", |new, _, _| new != 0 && new != pid);
        killed.elapsed()
    });
    end(&scratch, child);
}

#[test]
fn no_process_to_be_had() {
    // An account of its own, with nothing running but this supervise.
    let mut script = "exec prlimit --nproc=1:4096 \"$0\" s".to_owned();
    if is_root() {
        script = script.replace("exec", "exec setpriv --reuid=61234 --regid=61234 --clear-groups");
    }
    let scratch = place("supervise-nproc", SLEEP);
    for dir in [scratch.path().to_owned(), scratch.join("s")] {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).expect("chmod");
    }
    let child = Run::sh(&script).arg(program("supervise")).cwd(scratch.path()).spawn();
    let line = "supervise: warning: unable to fork for s, trying again: temporary failure\n";
    child.expect_stderr(&line.repeat(2));
    let (pid, _, want) = status(&scratch.join("s")).expect("a status");
    assert_eq!((pid, want), (0, b'u'));
    let raise = format!("prlimit --pid {} --nproc=4096:4096", child.pid());
    let outcome = Run::sh(&script.replace("prlimit --nproc=1:4096 \"$0\" s", &raise)).output();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    wait_up(&scratch);
    let asked = Run::new(program("svc")).args(["-dx", "s"]).cwd(scratch.path()).output();
    assert_eq!(asked.code, 0);
    assert_eq!(child.wait(SOON).code, 0);
}

#[test]
fn a_full_disk() {
    alone!();
    let scratch = Scratch::new("supervise-full");
    let mount = |options: &str| {
        let script = format!("mount {options} {}", scratch.path().display());
        assert_eq!(Run::sh(&script).output().code, 0);
    };
    mount("-t tmpfs -o size=64k none");
    scratch.script("s/run", SLEEP);
    let child = supervise(&scratch);
    let old = wait_up(&scratch);
    Run::sh("cat /dev/zero >fill").cwd(scratch.path()).output();
    kill(Pid::from_raw(old), Signal::SIGTERM).expect("kill the service");
    child.expect_stderr(
        "supervise: warning: unable to write s/supervise/status.new: out of disk space\n",
    );
    wait_until("a new service", SOON, || count(&scratch, &["sleep"]) == 1);
    // A newer program remembers that, too.
    send(&scratch, b"E");
    wait_until("the letter to be read", SOON, || {
        let cmdline = fs::read_to_string(format!("/proc/{}/cmdline", child.pid()));
        cmdline.is_ok_and(|line| line.contains("--take-over="))
    });
    fs::remove_file(scratch.join("fill")).expect("remove fill");
    // Without any further change, the status becomes true again.
    let new = wait_status(&scratch, "up again", |pid, _, _| pid != 0 && pid != old);
    assert!(Path::new(&format!("/proc/{new}")).exists());
    end(&scratch, child);
    Run::sh("umount -l \"$0\"").arg(scratch.path()).output();
}

#[test]
fn a_start_on_a_full_disk_is_noted_when_there_is_room() {
    alone!();
    let scratch = Scratch::new("supervise-unnoted");
    let mounted = format!("mount -t tmpfs -o size=64k none {}", scratch.path().display());
    assert_eq!(Run::sh(&mounted).output().code, 0);
    scratch.script("s/run", SLEEP);
    Run::sh("cat /dev/zero >fill").cwd(scratch.path()).output();
    let child = supervise(&scratch);
    wait_until("the service", SOON, || count(&scratch, &["sleep"]) == 1);
    fs::remove_file(scratch.join("fill")).expect("remove fill");
    let record = scratch.join("s/supervise/process");
    wait_until("a whole record", SOON, || fs::read(&record).is_ok_and(|bytes| bytes.len() == 36));
    murder(child);
    let child = supervise(&scratch);
    child.expect_stderr("supervise: taking over s (pid ");
    assert_eq!(services(&scratch), 1);
    end(&scratch, child);
    Run::sh("umount -l \"$0\"").arg(scratch.path()).output();
}

/// Without the lock, a second supervise can't know of the first. It finds the record, and has the service.
#[test]
fn one_that_has_lost_its_lock_leaves_the_service_to_the_other() {
    let scratch = place("supervise-lost", SLEEP);
    let first = supervise(&scratch);
    let service = wait_up(&scratch);
    wait_until("a whole record", SOON, || {
        fs::read(scratch.join("s/supervise/process")).is_ok_and(|bytes| bytes.len() == 36)
    });
    fs::remove_file(scratch.join("s/supervise/lock")).expect("remove the lock");
    let second = with(&program("supervise"), &scratch);
    second.expect_stderr(&format!("supervise: taking over s (pid {service})\n"));
    // Whatever happens next, the first one notices.
    first.signal(Signal::SIGWINCH);
    let outcome = first.wait(SOON);
    let why = "supervise: fatal: unable to keep s/supervise/lock: another supervise has it now\n";
    assert_eq!((outcome.err().as_str(), outcome.code), (why, 111));
    assert_eq!((services(&scratch), wait_up(&scratch)), (1, service));
    end(&scratch, second);
}

/// No letter comes through a FIFO that is gone: svscan sees that, and sends WINCH.
#[test]
fn a_control_fifo_removed_while_the_service_is_down_is_made_anew_on_winch() {
    let scratch = place("supervise-winch", SLEEP);
    scratch.file("s/down", "");
    let child = supervise(&scratch);
    for gone in ["control", "ok", "lock", "status"] {
        let path = scratch.join("s/supervise").join(gone);
        fs::remove_file(&path).expect("remove a file");
        child.signal(Signal::SIGWINCH);
        wait_until(gone, SOON, || path.exists());
    }
    svc(&scratch, "-u");
    wait_up(&scratch);
    end(&scratch, child);
}

/// svc has been told that its letters were delivered.
#[test]
fn letters_in_a_fifo_that_is_removed_are_obeyed() {
    let scratch = place("supervise-letters", SLEEP);
    let child = supervise(&scratch);
    let old = wait_up(&scratch);
    child.signal(Signal::SIGSTOP);
    svc(&scratch, "-d");
    fs::remove_file(scratch.join("s/supervise/control")).expect("remove the FIFO");
    // What makes it notice comes first.
    kill(Pid::from_raw(old), Signal::SIGKILL).expect("kill the service");
    child.signal(Signal::SIGCONT);
    wait_status(&scratch, "down, and wanted so", |pid, _, want| (pid, want) == (0, b'd'));
    end(&scratch, child);
}

#[test]
fn a_read_only_file_system() {
    alone!();
    let scratch = place("supervise-readonly", SLEEP);
    scratch.script("linked/run", SLEEP);
    let target = Scratch::new("supervise-writable");
    std::os::unix::fs::symlink(target.join("linked"), scratch.join("linked/supervise"))
        .expect("a dangling link");
    let path = scratch.path().display();
    let script = format!("mount --bind {path} {path} && mount -o remount,ro,bind {path}");
    assert_eq!(Run::sh(&script).output().code, 0);
    let outcome = Run::new(program("supervise")).arg("s").cwd(scratch.path()).output();
    assert_eq!(
        outcome.err(),
        "supervise: fatal: unable to create s/supervise: read-only file system\n"
    );
    assert_eq!(outcome.code, 111);
    let child = Run::new(program("supervise")).arg("linked").cwd(scratch.path()).spawn();
    let pid = |dir: &Path| fs::read(dir.join("status")).is_ok_and(|bytes| bytes[12..14] != [0, 0]);
    wait_until("the service on a read-only file system", SOON, || pid(&target.join("linked")));
    let mode = fs::metadata(target.join("linked")).expect("made").permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
    Run::new(program("svc")).args(["-dx", "linked"]).cwd(scratch.path()).output();
    assert_eq!(child.wait(SOON).code, 0);
    Run::sh("umount -l \"$0\"").arg(scratch.path()).output();
}

#[test]
fn a_status_that_is_a_directory() {
    for blocked in ["s/supervise/status", "s/supervise/status.new"] {
        let scratch = place("supervise-nostatus", SLEEP);
        scratch.dir(blocked);
        let child = supervise(&scratch);
        child.expect_stderr("supervise: warning: unable to ");
        wait_until("the service", SOON, || count(&scratch, &["sleep"]) == 1);
        fs::remove_dir(scratch.join(blocked)).expect("remove the directory");
        wait_up(&scratch);
        end(&scratch, child);
    }
}

#[test]
fn what_is_removed_under_it_is_made_anew() {
    for gone in ["control", "ok", "lock", "process", ""] {
        let scratch = place("supervise-removed", SLEEP);
        let child = supervise(&scratch);
        let old = wait_up(&scratch);
        let path = scratch.join("s/supervise").join(gone);
        if gone.is_empty() {
            fs::remove_dir_all(&path).expect("remove supervise/");
        } else {
            fs::remove_file(&path).expect("remove a file");
        }
        assert_eq!(services(&scratch), 1);
        kill(Pid::from_raw(old), Signal::SIGKILL).expect("kill the service");
        wait_status(&scratch, "up again", |pid, _, _| pid != 0 && pid != old);
        let second = Run::new(program("supervise")).arg("s").cwd(scratch.path()).output();
        let refused = "supervise: fatal: unable to acquire s/supervise/lock: temporary failure\n";
        assert_eq!((second.err().as_str(), second.code), (refused, 111), "without {gone}");
        end(&scratch, child);
    }
}

#[test]
fn a_plain_file_in_place_of_a_fifo_gives_way() {
    for name in ["control", "ok"] {
        let scratch = place("supervise-replaced", SLEEP);
        scratch.file(&format!("s/supervise/{name}"), "xxx");
        let child = supervise(&scratch);
        wait_up(&scratch);
        let path = scratch.join("s/supervise").join(name);
        assert!(fs::metadata(&path).expect("there").file_type().is_fifo());
        end(&scratch, child);
    }
}

#[test]
fn what_keeps_it_from_starting() {
    let scratch = place("supervise-refused", SLEEP);
    scratch.file("file/supervise", "");
    scratch.dir("lock/supervise/lock");
    scratch.dir("control/supervise/control");
    scratch.dir("ok/supervise/ok");
    std::os::unix::fs::symlink("no/where", scratch.dir("link").join("supervise")).expect("link");
    for (args, expected, code) in [
        (&[][..], "supervise: usage: supervise dir\n", 100),
        (&["s", "t"], "supervise: usage: supervise dir\n", 100),
        (&["gone"], "supervise: fatal: unable to chdir to gone: file does not exist\n", 111),
        (
            &["file"],
            "supervise: fatal: unable to acquire file/supervise/lock: not a directory\n",
            111,
        ),
        (
            &["lock"],
            "supervise: fatal: unable to acquire lock/supervise/lock: is a directory\n",
            111,
        ),
        (
            &["control"],
            "supervise: fatal: unable to open control/supervise/control: is a directory\n",
            111,
        ),
        (&["ok"], "supervise: fatal: unable to open ok/supervise/ok: is a directory\n", 111),
        (
            &["link"],
            "supervise: fatal: unable to create link/supervise: file does not exist\n",
            111,
        ),
    ] {
        let outcome = Run::new(program("supervise")).args(args).cwd(scratch.path()).output();
        assert_eq!((outcome.err().as_str(), outcome.code), (expected, code));
    }
}
