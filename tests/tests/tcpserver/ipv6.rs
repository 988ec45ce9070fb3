//! IPv6, beside IPv4 and alone.

use super::*;
use crate::{names, users};

const SHOW: &str = "env | grep '^TCP[LR]\\|^PROTO\\|^[A-Z]=' | LC_ALL=C sort";

/// What a connection gets, without what differs from run to run.
fn got(server: &Server, host: &str) -> String {
    let stream = connect(host, server.port);
    let client = own_port(&stream);
    normal(&read_to_end(stream), server.port, &[client])
}

fn start(args: &[&str], host: &str) -> Server {
    let run = Run::new(program("tcpserver")).args(["-1"]).args(args);
    Server::of(run.args([host, "0", "sh", "-c", SHOW]))
}

fn told(local: &str, remote: &str) -> String {
    format!(
        "PROTO=TCP\nTCPLOCALHOST=0\nTCPLOCALIP={local}\nTCPLOCALPORT=PORT\n\
         TCPREMOTEIP={remote}\nTCPREMOTEPORT=CLIENT\n"
    )
}

#[test]
fn one_socket_takes_both_families() {
    tests::alone!();
    for (args, host) in [(&["-vRHl0"][..], "::"), (&["-vRHl0", "-6"], "0"), (&["-v4RHl0"], "[::]")]
    {
        let server = start(args, host);
        let stream = connect("127.0.0.1", server.port);
        let mut clients = vec![own_port(&stream)];
        let text = normal(&read_to_end(stream), server.port, &clients);
        assert_eq!(text, told("127.0.0.1", "127.0.0.1"), "as if the socket was for IPv4");
        let stream = connect("::1", server.port);
        clients.push(own_port(&stream));
        assert_eq!(normal(&read_to_end(stream), server.port, &clients), told("::1", "::1"));
        let port = server.port;
        let log = normal(&server.end_after_ends(2).err(), port, &clients);
        for line in [
            "tcpserver: pid PID from 127.0.0.1\n",
            "tcpserver: ok PID 0:127.0.0.1:PORT :127.0.0.1::CLIENT\n",
            "tcpserver: pid PID from ::1\n",
            "tcpserver: ok PID 0:[::1]:PORT :[::1]::CLIENT\n",
        ] {
            assert!(log.contains(line), "{log}");
        }
    }
}

#[test]
fn each_family_can_have_a_server_of_its_own() {
    tests::alone!();
    let six = start(&["-RHl0", "--ipv6-only"], "::");
    let port = six.port.to_string();
    assert!(TcpStream::connect(("127.0.0.1", six.port)).is_err());
    let run = Run::new(program("tcpserver")).args(["-1", "-4", "-RHl0", "0", &port]);
    let four = Server::of(run.args(["echo", "four"]));
    assert_eq!(four.get(), "four\n");
    assert_eq!(got(&six, "::1"), told("::1", "::1"));
}

#[test]
fn a_name_leads_to_the_family_that_is_wanted() {
    tests::alone!();
    names::serve();
    for (args, name, reached, not) in [
        (&["-RHl0"][..], "both.example", "127.0.0.1", "::1"),
        (&["-4RHl0"], "both.example", "127.0.0.1", "::1"),
        (&["-6RHl0"], "both.example", "::1", "127.0.0.1"),
        (&["-RHl0"], "six.example", "::1", "127.0.0.1"),
        (&["-6RHl0"], "here.example", "127.0.0.40", "::1"),
    ] {
        let run = Run::new(program("tcpserver")).env("DNSCACHEIP", "127.0.0.1").arg("-1");
        let server = Server::of(run.args(args).args([name, "0", "sh", "-c", SHOW]));
        let text = got(&server, reached);
        assert!(text.contains(&format!("TCPLOCALIP={reached}\n")), "{args:?} {name}: {text}");
        assert!(TcpStream::connect((not, server.port)).is_err(), "{args:?} {name}");
    }
    let refused = Run::new(program("tcpserver"))
        .env("DNSCACHEIP", "127.0.0.1")
        .args(["-4", "-RHl0", "six.example", "0", "true"])
        .output();
    assert_eq!(refused.err(), "tcpserver: fatal: no IP address for six.example\n");
    assert_eq!(refused.code, 111);
}

#[test]
fn rules_know_both_and_old_rules_mean_what_they_did() {
    tests::alone!();
    let scratch = tests::Scratch::new("tcpserver-ipv6");
    let tcprules = program("tcprules");
    for (rules, four, six) in [
        ("127.:allow,A=\"4\"\n[::1]:allow,B=\"6\"\n:deny\n", "A=4\n", "B=6\n"),
        ("127.0.0.1:deny\n", "", "PROTO=TCP\n"),
        ("[::]/0:deny\n", "PROTO=TCP\n", ""),
        ("[::1]:deny\n[::]/0:allow\n", "PROTO=TCP\n", ""),
        ("[::]/64:allow,C=\"n\"\n:deny\n", "", "C=n\n"),
        ("joe@[::1]:allow,D=\"j\"\n:deny\n", "", ""),
        (":deny\n", "", ""),
    ] {
        let made = Run::new(&tcprules).args(["rules.cdb", "rules.tmp"]).cwd(scratch.path());
        assert_eq!(made.stdin(rules).output().code, 0);
        let run = Run::new(program("tcpserver")).cwd(scratch.path());
        let args = ["-1", "-RHl0", "-xrules.cdb", "::", "0", "sh", "-c", SHOW];
        let server = Server::of(run.args(args));
        for (host, expected) in [("127.0.0.1", four), ("::1", six)] {
            let text = got(&server, host);
            assert!(text.contains(expected), "{rules} {host}: {text}");
            assert_eq!(text.is_empty(), expected.is_empty(), "{rules} {host}: {text}");
        }
    }
}

#[test]
fn a_name_leads_back_in_ipv6_too() {
    if !is_root() {
        skip!("only root can have an /etc/hosts of its own");
    }
    tests::alone!();
    if let Err(why) = tests::fresh_root() {
        skip!("{why}");
    }
    std::fs::write("/etc/hosts", "127.0.0.1 localhost\n").expect("write /etc/hosts");
    names::serve();
    // The name has no IPv4 address, and the server's own IPv6 address has the same name.
    let run = Run::new(program("tcpserver")).env("DNSCACHEIP", "127.0.0.1");
    let server = Server::of(run.args(["-1", "-pR", "::", "0", "sh", "-c", SHOW]));
    let text = got(&server, "::1");
    for line in ["TCPREMOTEHOST=six.example\n", "TCPLOCALHOST=six.example\n"] {
        assert!(text.contains(line), "{text}");
    }
    let text = got(&server, "127.0.0.1");
    assert!(text.contains("TCPREMOTEHOST=localhost\n"), "{text}");
}

#[test]
fn hosts_are_asked_about_their_users_in_both_families() {
    tests::alone!();
    users::serve();
    let scratch = tests::Scratch::new("tcpserver-ident6");
    let made = Run::new(program("tcprules")).args(["rules.cdb", "rules.tmp"]).cwd(scratch.path());
    let made = made.stdin("joe@[::1]:allow,D=\"j\"\n:allow,E=\"e\"\n").output();
    assert_eq!(made.code, 0);
    let run = Run::new(program("tcpserver")).cwd(scratch.path());
    let args = ["-1", "-vHl0", "-xrules.cdb", "::", "0", "sh", "-c", SHOW];
    let server = Server::of(run.args(args));
    let text = got(&server, "::1");
    assert!(text.contains("D=j\n") && text.contains("TCPREMOTEINFO=joe\n"), "{text}");
    let text = got(&server, "127.0.0.1");
    assert!(text.contains("E=e\n"), "{text}");
    let port = server.port;
    let log = normal(&server.end_after_ends(2).err(), port, &[]);
    assert!(log.contains("tcpserver: ok PID 0:[::1]:PORT :[::1]:joe:"), "{log}");
}
