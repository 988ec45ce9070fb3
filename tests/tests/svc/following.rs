//! `svstat --watch`.

use super::*;
use nix::sys::signal::Signal;

fn watching(scratch: &Scratch, args: &[&str]) -> Child {
    Run::new(program("svstat")).args(args).cwd(scratch.path()).spawn()
}

fn publish(scratch: &Scratch, directory: &str, bytes: &[u8]) {
    let path = scratch.join(directory).join("supervise/status");
    let new = path.with_extension("new");
    fs::write(&new, bytes).expect("write a status");
    fs::rename(&new, &path).expect("rename a status");
}

fn lines(child: &Child) -> Vec<String> {
    String::from_utf8_lossy(&child.stdout()).lines().map(str::to_owned).collect()
}

/// Waits until so many lines are there, and gives them.
fn first(child: &Child, count: usize) -> Vec<String> {
    wait_until(&format!("{count} lines"), SOON, || lines(child).len() >= count);
    lines(child)
}

#[test]
fn only_what_changes_is_said_again() {
    let scratch = Scratch::new("svstat-watch");
    let _oks = ["s", "t"].map(|name| fifo(&scratch.join(name).join("supervise/ok")));
    let at = |pid| status_in(3, -1_000, pid, b'u');
    publish(&scratch, "s", &at(5));
    publish(&scratch, "t", &at(6));
    let child = watching(&scratch, &["--watch", "-s", "s", "t"]);
    assert_eq!(
        first(&child, 2),
        ["s: up (pid 5) 0 seconds, running", "t: up (pid 6) 0 seconds, running"]
    );
    publish(&scratch, "t", &at(7));
    assert_eq!(first(&child, 3)[2], "t: up (pid 7) 0 seconds, running");
    // The same again is no change.
    publish(&scratch, "t", &at(7));
    publish(&scratch, "s", &at(8));
    assert_eq!(first(&child, 4)[3..], ["s: up (pid 8) 0 seconds, running"]);
    child.signal(Signal::SIGINT);
    assert_eq!(child.wait(SOON).code, 130);
}

#[test]
fn everything_is_said_again_after_the_time_given() {
    let scratch = Scratch::new("svstat-every");
    let _ok = fifo(&scratch.join(OK));
    publish(&scratch, "s", &status(-1_000, 5, 0, b'u'));
    let child = watching(&scratch, &["--watch=1", "s"]);
    assert_eq!(first(&child, 3)[..3], ["s: up (pid 5) 0 seconds"; 3]);
}

#[test]
fn objects_follow_each_other() {
    let scratch = Scratch::new("svstat-objects");
    let _ok = fifo(&scratch.join(OK));
    publish(&scratch, "s", &status(10, 5, 0, b'u'));
    let child = watching(&scratch, &["--watch", "--json", "s"]);
    assert!(first(&child, 1)[0].contains("\"pid\":5,"));
    publish(&scratch, "s", &status(0, 0, 0, b'd'));
    assert!(first(&child, 2)[1].contains("\"phase\":\"down\""));
    // A logger that comes up is a change, too.
    let _log = fifo(&scratch.join("s/log/supervise/ok"));
    scratch.file("s/log/supervise/status", status(10, 6, 0, b'u'));
    publish(&scratch, "s", &status(0, 0, 0, b'd'));
    wait_until("the logger", SOON, || {
        lines(&child).last().is_some_and(|l| l.contains("\"pid\":6,"))
    });
    publish(&scratch, "s/log", &status(10, 7, 0, b'u'));
    wait_until("another", SOON, || lines(&child).last().is_some_and(|l| l.contains("\"pid\":7,")));
}

/// How much memory it has asked for, in KiB.
fn memory(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).expect("VmData");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn following_for_long_takes_no_more_memory() {
    let scratch = Scratch::new("svstat-memory");
    let _oks = ["s", "s/log"].map(|name| fifo(&scratch.join(name).join("supervise/ok")));
    for form in ["-s", "-v", "--json"] {
        publish(&scratch, "s", &status_in(3, 10, 1, b'u'));
        publish(&scratch, "s/log", &status_in(3, 10, 1, b'u'));
        let child = watching(&scratch, &["--watch", form, "s"]);
        let after = |pid: u32| {
            publish(&scratch, "s", &status_in(3, 10, pid, b'u'));
            let end = [format!("(pid {pid})"), format!("\"pid\":{pid},")];
            wait_until("news", SOON, || {
                let all = child.stdout();
                let last =
                    String::from_utf8_lossy(&all[all.len().saturating_sub(3_000)..]).into_owned();
                end.iter().any(|end| last.contains(end))
            });
            memory(&child)
        };
        let at_the_end_of = |pids: std::ops::Range<u32>| pids.fold(0, |_, pid| after(pid));
        assert_eq!(at_the_end_of(10_001..10_050), at_the_end_of(20_001..20_600), "{form}");
    }
}

#[test]
fn supervises_come_and_go() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svstat-come");
        scratch.script("s/run", SLEEP);
        scratch.file("s/down", "");
        let child = watching(&scratch, &["--watch", "s"]);
        assert_eq!(first(&child, 1), ["s: unable to open supervise/ok: file does not exist"]);
        let says = |end: &str| {
            wait_until(end, SOON, || lines(&child).last().is_some_and(|line| line.contains(end)));
        };
        let first = supervise(&path, &scratch, "s");
        says("s: down ");
        assert_eq!(svc(&scratch, &["-U", "s"]).code, 0, "{whose}");
        says(&format!("s: up (pid {}) ", published(&scratch.join(STATUS)).0));
        first.signal(Signal::SIGKILL);
        first.wait(SOON);
        says("s: supervise not running");
        let _second = supervise(&path, &scratch, "s");
        says("seconds");
    }
}

#[test]
fn it_ends_with_its_reader_though_nothing_changes() {
    let scratch = Scratch::new("svstat-reader");
    let _ok = fifo(&scratch.join(OK));
    publish(&scratch, "s", &status(-1_000, 5, 0, b'u'));
    let svstat = program("svstat");
    let command = format!("{{ {} --watch s; echo $? >code; }} | head -n 1", svstat.display());
    let outcome = Run::sh(&command).cwd(scratch.path()).deadline(SOON).output();
    assert_eq!(outcome.out(), "s: up (pid 5) 0 seconds\n");
    let code = || fs::read_to_string(scratch.join("code")).is_ok_and(|code| code == "0\n");
    wait_until("the end of svstat", SOON, code);
}

#[test]
fn a_terminal_is_drawn_anew() {
    let scratch = Scratch::new("svstat-terminal");
    let _ok = fifo(&scratch.join(OK));
    publish(&scratch, "s", &status(-1_000, 5, 0, b'u'));
    let command =
        format!("stty rows 3 cols 12; exec {} --watch s nowhere t", program("svstat").display());
    let mut child =
        Run::new("script").args(["-qec", &command, "/dev/null"]).cwd(scratch.path()).spawn();
    child.expect("\x1b[Hs: up (pid 5\x1b[K");
    child.expect("...\x1b[K\r\n\x1b[J");
    publish(&scratch, "s", &status(-1_000, 6, 0, b'u'));
    child.expect("\x1b[Hs: up (pid 6\x1b[K");
    // The terminal's interrupt key.
    child.write(b"\x03");
    wait_until("its end", SOON, || !child.is_running());
}
