//! The harness itself: what the other tests lean on.

use std::time::Duration;

use tests::{Run, Scratch, alone, is_root, skip, wait_until};

#[test]
fn a_run_carries_everything_over() {
    let scratch = Scratch::new("run");
    let outcome = Run::sh("cat; pwd; echo $COLOUR >&2; exit 7")
        .stdin("in\n")
        .env("COLOUR", "red")
        .cwd(scratch.path())
        .output();
    assert_eq!(outcome.out(), format!("in\n{}\n", scratch.path().display()));
    assert_eq!((outcome.err().as_str(), outcome.code), ("red\n", 7));
}

#[test]
fn a_signal_is_told_as_a_shell_tells_it() {
    assert_eq!(Run::sh("kill -9 $$").output().code, 137);
}

#[test]
fn a_scratch_directory_ends_what_lives_in_it() {
    let scratch = Scratch::new("inhabited");
    let path = scratch.path().to_owned();
    Run::sh("sleep 1000 >/dev/null 2>&1 & exit 0").cwd(&path).output();
    let pid = scratch.inhabitants()[0];
    drop(scratch);
    assert!(!path.exists());
    wait_until("the end of the sleeper", Duration::from_secs(5), || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_err() || stat.is_ok_and(|s| s.contains(") Z "))
    });
}

#[test]
fn namespaces_are_the_tests_own() {
    alone!();
    let outcome =
        Run::sh("id -u; mount -t tmpfs none /mnt && touch /mnt/here && echo $PPID").output();
    assert!(outcome.out().starts_with("0\n"), "{outcome:?}");
    let listener = std::net::TcpListener::bind("127.0.0.1:110").expect("port 110 of our own");
    std::net::TcpStream::connect(listener.local_addr().expect("address")).expect("loopback is up");
}

#[test]
fn nothing_written_to_a_fresh_root_stays() {
    if !is_root() {
        skip!("only root can have a root directory of its own");
    }
    alone!();
    tests::fresh_root().expect("a fresh root");
    let outcome =
        Run::sh("echo x:x:77:77::/:/bin/sh >>/etc/passwd; mkdir /service; id -u x; ls /dev")
            .output();
    assert!(outcome.out().starts_with("77\n"), "{outcome:?}");
    assert!(!outcome.out().contains("log"));
}

#[test]
fn what_is_mounted_in_a_scratch_directory_outlives_it() {
    if !is_root() {
        skip!("only root can mount what is not its own");
    }
    alone!();
    let theirs = Scratch::new("theirs");
    let kept = theirs.file("kept", "");
    let ours = Scratch::new("ours");
    let place = ours.dir("place");
    let mount = Run::new("mount").arg("--bind").args([theirs.path(), &place]).output();
    assert_eq!(mount.code, 0, "{mount:?}");
    assert!(place.join("kept").exists());
    let path = ours.path().to_owned();
    drop(ours);
    assert!(kept.exists() && !path.exists());
}
