//! No descriptors, no processes, nobody who reads the log.

use super::*;

/// What the kernel has counted for a process, in clock ticks.
fn ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    let after_name = stat.rsplit_once(") ").expect("a name").1;
    let field = |n: usize| -> u64 {
        after_name.split(' ').nth(n).expect("a field").parse().expect("a number")
    };
    field(11) + field(12)
}

#[test]
fn without_descriptors_it_waits_and_does_not_spin() {
    let server = Server::below(
        "ulimit -S -n 4; exec \"$@\"",
        &program("tcpserver"),
        &["-vRHl0"],
        &["sh", "-c", "echo hi"],
    );
    let waiting = server.connect();
    let warning =
        "tcpserver: warning: unable to accept connection: process cannot open more files\n";
    wait_until("two warnings", SOON, || server.log(&[]).matches(warning).count() >= 2);
    assert!(ticks(server.child.pid()) < 20, "it spins");
    let pid = server.child.pid().to_string();
    assert_eq!(Run::new("prlimit").args(["-p", &pid, "--nofile=64:"]).output().code, 0);
    assert_eq!(read_to_end(waiting), "hi\n");
    let log = server.end_after_ends(1).err();
    assert!(log.matches(warning).count() < 20, "{log}");
}

#[test]
fn without_a_descriptor_for_the_rules_a_connection_is_dropped() {
    for flag in ["-RHl0", "-vRHl0"] {
        let scratch = tests::Scratch::new("tcpserver-rules");
        let made = Run::new(program("tcprules")).args(["rules.cdb", "rules.tmp"]);
        assert_eq!(made.cwd(scratch.path()).stdin(":allow\n").output().code, 0);
        let script = "ulimit -S -n 5; exec \"$@\"";
        let run = Run::sh(script).cwd(scratch.path()).arg("sh").arg(program("tcpserver"));
        let args = ["-1", flag, "-xrules.cdb", "127.0.0.1", "0", "echo", "hi"];
        let server = Server::of(run.args(args));
        assert_eq!(server.get(), "");
        let warning = "tcpserver: warning: dropping connection, unable to read rules.cdb: \
            process cannot open more files\n";
        wait_until("a warning", SOON, || server.log(&[]).contains(warning));
        let pid = server.child.pid().to_string();
        assert_eq!(Run::new("prlimit").args(["-p", &pid, "--nofile=64:"]).output().code, 0);
        assert_eq!(server.get(), "hi\n");
        assert!(ticks(server.child.pid()) < 50, "it spins");
    }
}

#[test]
fn without_processes_a_connection_is_dropped() {
    let user: &[&str] = if is_root() { &["-u", "65534"] } else { &[] };
    same(|tcpserver| {
        let server = Server::below(
            "exec prlimit --nproc=0 \"$@\"",
            tcpserver,
            &[&["-vRHl0"], user].concat(),
            &["echo", "hi"],
        );
        assert_eq!(server.get(), "");
        assert_eq!(server.get(), "");
        let dropped = "tcpserver: status: 1/40\n\
            tcpserver: warning: dropping connection, unable to fork: temporary failure\n\
            tcpserver: status: 0/40\n";
        wait_until("two drops", SOON, || server.log(&[]).matches(dropped).count() == 2);
        server.end().err()
    });
}

#[test]
fn closed_descriptors_at_the_start_do_no_harm() {
    // Debian's loses its listening socket with the first two, and spins.
    for close in ["<&-", ">&- <&-", "2>&-", "<&- 2>&-"] {
        let file = tests::Scratch::new("tcpserver-closed");
        let port = tests::free_port().to_string();
        let script = format!("exec \"$@\" {close}");
        let mut child = Run::sh(&script)
            .arg("sh")
            .arg(program("tcpserver"))
            .args([
                "-vRHl0",
                "127.0.0.1",
                &port,
                "sh",
                "-c",
                "echo hi; test -e /proc/$$/fd/2 && echo stderr",
            ])
            .cwd(file.path())
            .spawn();
        let port = port.parse().expect("a number");
        let stream = wait_for(SOON, || TcpStream::connect(("127.0.0.1", port)).ok());
        let text = read_to_end(stream.expect("it listens"));
        assert_eq!(text == "hi\nstderr\n", !close.contains('2'), "{close}: {text}");
        assert!(child.is_running());
        child.signal(Signal::SIGTERM);
        assert_eq!(child.wait(SOON).code, 0);
    }
}

#[test]
fn a_log_that_nobody_reads_any_more_is_no_reason_to_end() {
    // Without look-ups, and with one, by an IDENT server that isn't there.
    for flags in ["-1vRHl0", "-1vHl0"] {
        same(|tcpserver| {
            let scratch = tests::Scratch::new("tcpserver-log");
            let script = "cd $SCRATCH; mkfifo log; head -n 1 <log >/dev/null & exec \"$@\" 2>log";
            let run = Run::sh(script).env("SCRATCH", scratch.path()).arg("sh").arg(tcpserver);
            let server = Server::of(run.args([flags, "127.0.0.1", "0", "echo", "hi"]));
            for _ in 0..3 {
                assert_eq!(server.get(), "hi\n");
            }
            server.end().code.to_string()
        });
    }
}
