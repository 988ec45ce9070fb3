//! What the kernel says of the process that talks to the server, and of the program.

use std::fs;

use tests::{Run, is_root, record_skip};

use crate::authority::Authority;
use crate::{Server, tcpclient};

#[test]
fn the_relay_is_caged_and_the_program_is_not() {
    let Some(authority) = Authority::new("tlsclient-cage") else { return };
    let server = Server::start(&authority, &["-n", "host.pem"], "exec cat");
    let script = "grep -E '^(Seccomp|NoNewPrivs|Uid|CapBnd):' /proc/self/status; echo up; cat <&6";
    let client = tcpclient(authority.path(), server.port, &[], script).spawn();
    client.expect("up\n");
    // softlimit has become tcpclient, and that tlsclient.
    let relay = client.pid();
    let status = fs::read_to_string(format!("/proc/{relay}/status")).unwrap();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
        line.split_once(':').unwrap().1.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(field(&status, "Name"), "tlsclient");
    assert_eq!((field(&status, "Seccomp"), field(&status, "NoNewPrivs")), ("2".into(), "1".into()));
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let program = String::from_utf8(client.stdout()).unwrap();
    for name in ["Seccomp", "NoNewPrivs", "Uid", "CapBnd"] {
        assert_eq!(field(&program, name), field(&own, name), "{name}");
    }
    if !is_root() {
        record_skip("what only root can give up");
        return;
    }
    assert_eq!(field(&status, "Uid"), "65534 65534 65534 65534");
    assert_eq!((field(&status, "Groups"), field(&status, "CapPrm")), ("".into(), "0".repeat(16)));
    let root = fs::read_link(format!("/proc/{relay}/root")).unwrap();
    assert!(root.to_string_lossy().ends_with(" (deleted)"), "{root:?}");
    // The log, the connection, a pipe each way, and two that lead nowhere: neither what the program reads
    // nor what it writes.
    let descriptor = |number| fs::read_link(format!("/proc/{relay}/fd/{number}")).unwrap();
    let nowhere = descriptor(0);
    assert!(nowhere.to_string_lossy().starts_with("socket:"), "{nowhere:?}");
    assert_eq!(descriptor(1), nowhere);
    tests::wait_until("six descriptors", std::time::Duration::from_secs(20), || {
        fs::read_dir(format!("/proc/{relay}/fd")).unwrap().count() == 6
    });
}

#[test]
fn another_account_for_it() {
    if !is_root() {
        tests::skip!("who may change accounts is root");
    }
    let Some(authority) = Authority::new("tlsclient-account") else { return };
    let server = Server::start(&authority, &["-n", "host.pem"], "exec cat");
    let client =
        tcpclient(authority.path(), server.port, &["--tls-user=daemon"], "echo up; cat <&6")
            .spawn();
    client.expect("up\n");
    let status = fs::read_to_string(format!("/proc/{}/status", client.pid())).unwrap();
    let ids = Run::sh("id -u daemon").output().out();
    let uid = ids.trim();
    assert!(status.contains(&format!("\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")), "{status}");
}
