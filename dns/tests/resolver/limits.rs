//! The resolver in a program without a C library, as an ordinary user, with little of everything.

use crate::host::Host;
use crate::reply::{A, AAAA, Answer, NXDOMAIN, PTR, SERVFAIL, TRUNCATED, TXT, name};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

/// Runs look-up as nobody in particular (if we are root), with 5 MB of memory and these descriptors.
fn look_up(host: &Host, descriptors: u32, kind: &str, what: &str) -> Output {
    let program = host.dir().join("look-up");
    // By another process: were the copy written here, a child of another test's could hold it open
    // for writing when it is to be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_look-up")).arg(&program).status();
    assert!(copied.expect("run").success());
    for path in [host.dir(), &program, &host.dir().join("resolv.conf")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("chmod");
    }
    let script = format!("ulimit -v 4882; ulimit -n {descriptors}; exec \"$@\"");
    let mut command = if sys::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command
    } else {
        Command::new("env")
    };
    command
        .args(["sh", "-c", &script, "sh"])
        .arg(&program)
        .arg(host.dir().join("resolv.conf"))
        .args([&host.port().to_string(), kind, what])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_small_program_looks_everything_up() {
    let host = Host::new(|query| match query.kind {
        A => Answer::to(query).v4(7).send(),
        AAAA => Answer::to(query).v6(7).send(),
        PTR => Answer::to(query).with(PTR, &name("Mail.Example")).send(),
        TXT => Answer::to(query).with(TXT, b"\x05words").send(),
        _ => panic!("not asked for"),
    });
    // Standard streams, and two sockets.
    for (kind, what, found) in [
        ("addresses", "a.example", "192.0.2.7\n2001:db8::7\n"),
        ("names", "192.0.2.7", "mail.example\n"),
        ("txt", "a.example", "words\n"),
        ("addresses", "a.localhost", "127.0.0.1\n::1\n"),
    ] {
        let output = look_up(&host, 5, kind, what);
        assert_eq!((text(&output.stdout).as_str(), text(&output.stderr).as_str()), (found, ""));
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn it_says_why_in_the_originals_words() {
    let host = Host::new(|query| match query.name.as_str() {
        "none.example" => Answer::to(query).flags(NXDOMAIN).send(),
        _ => Answer::to(query).flags(SERVFAIL).send(),
    });
    for (what, said) in [
        ("none.example", "no IP address for none.example"),
        (
            "bad.example",
            "temporarily unable to figure out IP address for bad.example: temporary failure",
        ),
    ] {
        let output = look_up(&host, 5, "addresses", what);
        assert_eq!(text(&output.stderr), format!("look-up: fatal: {said}\n"));
        assert_eq!(output.status.code(), Some(111));
    }
}

#[test]
fn the_biggest_answer_fits_into_5_megabytes() {
    let host = Host::new(|query| match query.by_tcp {
        false => Answer::to(query).flags(TRUNCATED).send(),
        true => {
            let data = [&[255][..], &[b'x'; 255]].concat().repeat(250);
            Answer::to(query).with(TXT, &data).send()
        }
    });
    let output = look_up(&host, 5, "txt", "a.example");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.stdout.len(), 250 * 255 + 1);
}

#[test]
fn without_descriptors_the_reason_is_said() {
    // One descriptor does for files and for IPv4, which has no address; none is left for IPv6.
    let host = Host::new(|query| Answer::to(query).send());
    let output = look_up(&host, 4, "addresses", "a.example");
    let said =
        "temporarily unable to figure out IP address for a.example: process cannot open more files";
    assert_eq!(text(&output.stderr), format!("look-up: fatal: {said}\n"));
    assert_eq!(output.status.code(), Some(111));
}
