//! What tcpserver refuses, and in which words.

use super::*;

/// Runs both to their ends.
fn refusals(args: &[&str]) -> String {
    same(|tcpserver| {
        let outcome = Run::new(tcpserver).args(args).output();
        format!("{} {}", outcome.code, outcome.err())
    })
}

#[test]
fn wrong_hosts_and_ports_get_the_originals_words() {
    for (host, port, said) in [
        ("no.such.host.invalid", "0", "no IP address for no.such.host.invalid"),
        ("127.0.0.1x", "0", "no IP address for 127.0.0.1x"),
        ("0", "no such port", "unable to figure out port number for no such port"),
        ("0", "4321x", "unable to figure out port number for 4321x"),
        ("0", "POP3", "unable to figure out port number for POP3"),
        ("192.0.2.1", "0", "unable to bind: address not available"),
    ] {
        let outcome = Run::new(program("tcpserver")).args(["-RHl0", host, port, "true"]).output();
        assert_eq!((outcome.code, outcome.err()), (111, format!("tcpserver: fatal: {said}\n")));
        // Debian's asks the DNS for a name, which may not be reachable.
        if said.starts_with("unable") {
            refusals(&["-RHl0", host, port, "true"]);
        }
    }
    assert_eq!(refusals(&["-qRHl0", "192.0.2.1", "0", "true"]), "111 ");
}

#[test]
fn a_taken_port_is_said() {
    let server = Server::start(&program("tcpserver"), &["-RHl0"], &["true"]);
    let said = refusals(&["-RHl0", "127.0.0.1", &server.port.to_string(), "true"]);
    assert_eq!(said, "111 tcpserver: fatal: unable to bind: address already used\n");
}

#[test]
fn an_unprivileged_user_is_told() {
    if !is_root() {
        for (args, said) in [(["-u", "1"], "uid"), (["-g", "1"], "gid")] {
            let said_in_full =
                refusals(&[&args[..], &["-RHl0", "127.0.0.1", "0", "true"]].concat());
            let expected =
                format!("111 tcpserver: fatal: unable to set {said}: permission denied\n");
            assert_eq!(said_in_full, expected);
        }
        return;
    }
    for flag in ["-u", "-g"] {
        same(|tcpserver| {
            let outcome = Run::new("setpriv")
                .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
                .arg(tcpserver)
                .args([flag, "1", "-RHl0", "127.0.0.1", "0", "true"])
                .output();
            format!("{} {}", outcome.code, outcome.err())
        });
    }
}

#[test]
fn wrong_options_get_the_usage() {
    for args in [&["-Z"][..], &["-l"], &[], &["0"], &["-RH", "0", "0"], &["-q", "-Z"], &["-h"]] {
        same(|tcpserver| {
            let outcome = Run::new(tcpserver).args(args).output();
            let err = outcome.err();
            let (before, usage) = err.split_once("tcpserver: usage: tcpserver [ ").expect("usage");
            assert!(usage.ends_with(" host port program\n"), "{usage}");
            format!("{} {before}", outcome.code)
        });
    }
}

/// The original takes any `--word` for the end of the options.
#[test]
fn an_unknown_long_option_is_no_end_of_options() {
    let outcome = Run::new(program("tcpserver")).args(["-RHl0", "--x", "0", "0", "true"]).output();
    assert_eq!(outcome.code, 100);
    assert!(outcome.err().starts_with("tcpserver: illegal option -- x\n"), "{}", outcome.err());
}

#[test]
fn a_program_that_is_not_there_is_said() {
    for flag in ["-vRHl0", "-RHl0"] {
        same(|tcpserver| {
            let server = Server::start(tcpserver, &[flag], &["no-such-program", "x"]);
            let stream = server.connect();
            let (port, client) = (server.port, own_port(&stream));
            assert_eq!(read_to_end(stream), "");
            let outcome = if flag == "-RHl0" {
                server.end_after("file does not exist\n")
            } else {
                server.end_after_ends(1)
            };
            normal(&outcome.err(), port, &[client])
        });
    }
    let server = Server::start(&program("tcpserver"), &["-RHl0"], &["/etc/passwd"]);
    assert_eq!(server.get(), "");
    server.end_after("unable to run /etc/passwd: access denied\n");
}
