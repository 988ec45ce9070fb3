//! Connections that a load balancer hands on, with a PROXY header in front.

use super::*;

const SHOW: &str =
    "env | LC_ALL=C grep '^TCP[LR].*\\(IP\\|PORT\\)=\\|^[A-Z]=' | LC_ALL=C sort; cat";

const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\xc0\0\x02\x01\xc0\0\x02\x09\x9c\xbb\0\x19\x04\0\x01x";

fn start(args: &[&str]) -> Server {
    let args = [&["-RHl0", "--proxy", "10.0.0.0/8,127.0.0.1"], args].concat();
    Server::start(&program("tcpserver"), &args, &["sh", "-c", SHOW])
}

fn got(server: &Server, text: &[u8]) -> String {
    let mut stream = server.connect();
    stream.write_all(text).expect("write");
    // Whoever is refused may be reset by now.
    let _ = stream.shutdown(Shutdown::Write);
    let own = own_port(&stream);
    let mut got = Vec::new();
    // Whoever is refused with his words unread is reset.
    let _ = stream.read_to_end(&mut got);
    normal(&tests::text(&got), server.port, &[own])
}

const BEHIND: &str =
    "TCPLOCALIP=192.0.2.9\nTCPLOCALPORT=25\nTCPREMOTEIP=192.0.2.1\nTCPREMOTEPORT=40123\n";

#[test]
fn the_program_knows_the_client_and_gets_what_it_says() {
    let server = start(&["-v", "-Bwelcome "]);
    let v1 = b"PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\r\nhello\n";
    assert_eq!(got(&server, v1), format!("welcome {BEHIND}hello\n"));
    assert_eq!(got(&server, &[V2, b"hello\n"].concat()), format!("welcome {BEHIND}hello\n"));
    let v6 = "PROXY TCP6 2001:db8::1 2001:db8::9 40123 25\r\n";
    let behind = BEHIND.replace("192.0.2.", "2001:db8::");
    assert_eq!(got(&server, v6.as_bytes()), format!("welcome {behind}"));
    let log = server.end_after_ends(3).err();
    let lines = [
        " from 192.0.2.1\n",
        " 0:192.0.2.9:25 :192.0.2.1::40123\n",
        " from 2001:db8::1\n",
        " 0:[2001:db8::9]:25 :[2001:db8::1]::40123\n",
    ];
    assert!(lines.iter().all(|line| log.contains(line)), "{log}");
}

#[test]
fn a_balancer_may_speak_for_itself() {
    let server = start(&[]);
    let own =
        "TCPLOCALIP=127.0.0.1\nTCPLOCALPORT=PORT\nTCPREMOTEIP=127.0.0.1\nTCPREMOTEPORT=CLIENT\n";
    assert_eq!(got(&server, b"PROXY UNKNOWN\r\nx\n"), format!("{own}x\n"));
    assert_eq!(got(&server, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0x\n"), format!("{own}x\n"));
}

#[test]
fn anything_else_from_there_is_refused() {
    let server = start(&["-Bwelcome "]);
    let texts: [&[u8]; 5] = [
        b"",
        b"hello, who is there?\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.9 40123\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.999 40123 25\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\0",
    ];
    for text in texts {
        assert_eq!(got(&server, text), "", "{}", text.escape_ascii());
    }
    let line = "tcpserver: warning: dropping connection, unable to read PROXY header from 127.0.0.1: \
        protocol error\n";
    wait_until("five lines", SOON, || server.log(&[]).matches(line).count() == 5);
}

#[test]
fn silence_costs_no_more_than_the_time_out() {
    let server = start(&["-v", "-t1"]);
    let mut stream = server.connect();
    stream.write_all(b"PROXY TCP4 ").expect("write");
    assert_eq!(read_to_end(stream), "");
    let log = server.end_after_ends(1).err();
    let line = "unable to read PROXY header from 127.0.0.1: timed out\n";
    assert!(log.contains(line) && log.contains(" status 28416\n"), "{log}");
}

#[test]
fn from_elsewhere_a_header_is_only_text() {
    let args = ["-RHl0", "--proxy=10.0.0.0/8,::/0"];
    let server = Server::start(&program("tcpserver"), &args, &["cat"]);
    let header = b"PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\r\n";
    assert_eq!(got(&server, header), "PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\n");
}

#[test]
fn rules_are_about_the_client_and_limits_not_about_the_balancer() {
    let scratch = tests::Scratch::new("tcpserver-proxy");
    let made = Run::new(program("tcprules")).args(["rules.cdb", "rules.tmp"]).cwd(scratch.path());
    let made = made.stdin("127.:deny\n192.0.2.1:allow,A=\"1\"\n192.0.2.:deny\n").output();
    assert_eq!(made.code, 0);
    let run = Run::new(program("tcpserver")).cwd(scratch.path());
    let args = ["-1", "-RHl0", "--proxy=127.0.0.1", "-C1:full", "-xrules.cdb", "127.0.0.1", "0"];
    let server = Server::of(run.args(args).args(["sh", "-c", SHOW]));
    let mut first = server.connect();
    first.write_all(V2).expect("write");
    first.read_exact(&mut [0]).expect("it is served");
    assert!(got(&server, V2).contains("A=1\n"));
    assert_eq!(got(&server, b"PROXY TCP4 192.0.2.2 192.0.2.9 40123 25\r\n"), "");
}
