//! readproctitle, and svscanboot around it all.

use super::*;

#[test]
fn readproctitle_shows_the_last_of_its_input() {
    let room = ".".repeat(20);
    let mut shown = Vec::new();
    for (_, path) in both("readproctitle") {
        let mut child = Run::new(path).args(["service", "errors:", &room]).spawn();
        child.write(b"first\nsvscan: warning: \0 caf\xe9\n");
        let line = format!("/proc/{}/cmdline", child.pid());
        wait_until("the title", SECONDS(10), || {
            fs::read(&line).is_ok_and(|line| line.windows(4).any(|word| word == b"caf\xe9"))
        });
        // The original shows a byte at a time.
        wait_until("its end", SECONDS(10), || {
            fs::read(&line).is_ok_and(|line| line.ends_with(b"\n\0"))
        });
        let line = fs::read(&line).expect("the title");
        let after_name = line.iter().position(|byte| *byte == 0).expect("a name");
        shown.push(line[after_name..].to_vec());
        child.close();
        assert_eq!(child.wait(SECONDS(10)).code, 0);
    }
    assert_eq!(shown[0], b"\0service\0errors:\0...: warning:  caf\xe9\n\0"[..]);
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn readproctitle_needs_room() {
    for args in [&[][..], &["...."], &["a", "...."]] {
        for (whose, path) in both("readproctitle") {
            assert_eq!(Run::new(path).args(args).output().code, 100, "{whose} {args:?}");
        }
    }
    for (whose, path) in both("readproctitle") {
        assert_eq!(Run::new(path.clone()).args(["....."]).output().code, 0, "{whose}");
        let closed = Run::sh(&format!("{} ..... <&-", path.display())).output();
        assert_eq!(closed.code, 111, "{whose}");
    }
    let outcome = Run::new(program("readproctitle")).output();
    assert!(outcome.err().starts_with("readproctitle: usage: readproctitle "), "{outcome:?}");
}

/// The whole of a boot, as PID 1 would see it: `/service` on a file system of its own, a service of an earlier svscan,
/// a message that ps shows, a second svscanboot.
#[test]
fn svscanboot_boots() {
    if !is_root() {
        skip!("svscanboot is tried by root");
    }
    alone!();
    if let Err(why) = fresh_root() {
        skip!("{why}");
    }
    let missing = Run::new(program("svscanboot")).output();
    if !Path::new("/service").exists() {
        let expected =
            "svscanboot: fatal: unable to read directory /service: file does not exist\n";
        assert_eq!((missing.err().as_str(), missing.code), (expected, 111));
        fs::create_dir("/service").expect("make /service");
    }
    assert_eq!(Run::sh("mount -t tmpfs none /service").output().code, 0);
    let scratch = Scratch::new("boot");
    let there = service(&scratch, "a", "env >env; echo hello; exec sleep 1000\n");
    scratch.script("all/a/log/run", "#!/bin/sh\nexec cat >>out\n");
    symlink(&there, "/service/a").expect("make a link");
    let log = there.join("log");

    // An earlier svscan, killed: its service is told to go, and comes back under the new one.
    let earlier = svscan(Path::new("/service"), path().to_str().expect("a PATH in UTF-8"));
    wait_until("the first boot", SECONDS(10), || is_supervised(&there) && is_supervised(&log));
    wait_until("the first run", SECONDS(10), || there.join("env").exists());
    earlier.signal(Signal::SIGKILL);
    earlier.wait(SECONDS(5));
    let (old, old_log) = (supervise_of(&there), supervise_of(&log));
    fs::remove_file(there.join("env")).expect("remove env");

    let mut boot = Run::new(program("svscanboot")).env("SECRET", "x").spawn();
    wait_until("the second boot", SECONDS(20), || {
        let (new, new_log) = (supervise_of(&there), supervise_of(&log));
        new.is_some() && new != old && new_log.is_some() && new_log != old_log
    });
    wait_until("the second run", SECONDS(10), || {
        fs::read_to_string(there.join("env")).is_ok_and(|env| env.contains("PATH="))
    });
    let env = fs::read_to_string(there.join("env")).expect("env");
    assert!(!env.contains("SECRET"), "{env}");
    let own = tests::command_dir().canonicalize().expect("its path");
    assert!(env.contains(&format!("PATH={}:/command:", own.display())), "{env}");
    wait_until("its line", SECONDS(10), || {
        fs::read_to_string(log.join("out")).is_ok_and(|out| out.ends_with("hello\nhello\n"))
    });

    // svscanboot has become svscan, and readproctitle is its child.
    let name = fs::read_to_string(format!("/proc/{}/comm", boot.pid())).expect("its name");
    assert_eq!(name, "svscan\n");
    symlink("/nowhere", "/service/dangling").expect("make a link");
    wait_until("the message in a command line", SECONDS(10), || {
        let tasks = fs::read_to_string(format!("/proc/{0}/task/{0}/children", boot.pid()));
        tasks.unwrap_or_default().split_whitespace().any(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.starts_with("readproctitle service errors: ...")
                && line
                    .ends_with("svscan: warning: unable to stat dangling: file does not exist\n ")
                && line.len() == "readproctitle service errors: ".len() + 401
        })
    });

    let second = Run::new(program("svscanboot")).output();
    let expected = "svscanboot: fatal: unable to lock /service: another svscan is running there\n";
    assert_eq!((second.err().as_str(), second.code), (expected, 111));
    assert!(is_supervised(&there), "a second svscanboot sends nobody away");
    assert!(boot.is_running());
}
