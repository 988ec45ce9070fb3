//! What the kernel says of a relay of the finished program.

use super::{Host, PATIENCE, make_certificate};
use std::fs;
use tests::{Scratch, Signal, is_root, record_skip, wait_until};

/// The relay of the only connection: the child of the listener.
fn relay(host: &Host) -> i32 {
    let path = format!("/proc/{0}/task/{0}/children", host.listener());
    let children = fs::read_to_string(path).unwrap();
    let mut children = children.split_whitespace();
    let relay = children.next().expect("a child").parse().unwrap();
    assert_eq!(children.next(), None);
    relay
}

#[test]
fn a_relay_has_nothing_but_its_descriptors() {
    let scratch = Scratch::new("tls-cage");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "exec cat");
    let mut tls = host.connect(&scratch);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    // The handshake is made in the cage: it is shut by now.
    let relay = relay(&host);
    let status = fs::read_to_string(format!("/proc/{relay}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
        line.split_once(':').unwrap().1.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!((field("Seccomp"), field("NoNewPrivs")), ("2".into(), "1".into()));
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(field(set), "0000000000000000", "{set}");
    }
    if !is_root() {
        record_skip("what only root can give up");
        return;
    }
    assert_eq!(field("Uid"), "65534 65534 65534 65534");
    assert_eq!(field("Gid"), "65534 65534 65534 65534");
    assert_eq!(field("Groups"), "");
    let root = fs::read_link(format!("/proc/{relay}/root")).unwrap();
    assert!(root.to_string_lossy().ends_with(" (deleted)"), "{root:?}");
    assert_eq!(fs::read_dir(format!("/proc/{relay}/root")).unwrap().count(), 0);
    // Three that stand for nothing or the log, the connection, and a pipe each way.
    // (Our end of the handshake may come before the relay has told the program.)
    wait_until("six descriptors", PATIENCE, || {
        fs::read_dir(format!("/proc/{relay}/fd")).unwrap().count() == 6
    });
    let limits = fs::read_to_string(format!("/proc/{relay}/limits")).unwrap();
    for limit in ["Max core file size", "Max processes"] {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        assert_eq!(line[limit.len()..].split_whitespace().collect::<Vec<_>>()[..2], ["0", "0"]);
    }
}

#[test]
fn the_program_is_as_free_as_ever() {
    let scratch = Scratch::new("tls-cage-program");
    make_certificate(&scratch, &["--host", "localhost"]);
    let script = "grep -E '^(Seccomp|NoNewPrivs|Uid):' /proc/self/status; ulimit -c; ls cert.pem";
    let host = Host::start(&scratch, &[], script);
    let mut seen = String::new();
    std::io::Read::read_to_string(&mut host.connect(&scratch), &mut seen).unwrap();
    let own = fs::read_to_string("/proc/self/status").unwrap();
    for name in ["Uid:", "NoNewPrivs:", "Seccomp:"] {
        let line = own.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(seen.contains(line), "{line} in {seen}");
    }
    assert!(seen.ends_with("cert.pem\n"), "{seen}");
}

#[test]
fn a_relay_that_is_killed_for_what_it_tried_is_named() {
    let scratch = Scratch::new("tls-cage-killed");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "exec cat");
    let mut tls = host.connect(&scratch);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    let relay = relay(&host);
    // As the kernel does it, and as nobody else has a reason to.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(relay), Signal::SIGSYS).unwrap();
    host.child.expect_stderr(&format!("warning: pid {relay}: TLS process was killed: "));
    host.child.expect_stderr(&format!("end {relay} status 31\n"));
}
