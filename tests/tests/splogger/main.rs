//! splogger with everybody who takes what it sends: there, away, late, slow, restarted, killed.

mod daemons;
mod journal;
mod receiver;
mod rsyslogd;
mod spool;
mod tcp;
mod term;
mod tls;
mod udp;
mod usage;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use tests::{Child, Run, Signal, SyslogSocket, program, wait_until};

const SOON: Duration = Duration::from_secs(20);

fn splogger(socket: &Path, args: &[&str]) -> Run {
    Run::new(program("splogger")).args(args).env("SYSLOG_SOCKET", socket)
}

/// The messages without their stamps: `<22>pop3d: text`, or `<22>pop3d:+text`.
fn unstamped(messages: &[String]) -> Vec<String> {
    messages.iter().map(|message| without_stamp(message)).collect()
}

fn without_stamp(message: &str) -> String {
    let (head, rest) = message.split_once(": ").expect("a tag");
    let at = rest.find([' ', '+']).expect("a stamp");
    let (seconds, micros) = rest[..at].split_once('.').expect("a stamp with a fraction");
    assert!(seconds.parse::<u64>().is_ok_and(|seconds| seconds > 1_600_000_000), "{message}");
    assert!(micros.len() == 6 && micros.bytes().all(|digit| digit.is_ascii_digit()), "{message}");
    format!("{head}:{}", &rest[at..])
}

fn expect(syslog: &SyslogSocket, expected: &[&str]) {
    wait_until("all messages", SOON, || syslog.messages().len() >= expected.len());
    assert_eq!(unstamped(&syslog.messages()), expected);
}

/// Receives one message, as sent.
fn receive(daemon: &UnixDatagram) -> String {
    daemon.set_read_timeout(Some(SOON)).expect("a timeout");
    let mut buffer = [0; 4096];
    let count = daemon.recv(&mut buffer).expect("a message in time");
    String::from_utf8(buffer[..count].to_vec()).expect("ASCII")
}

/// `splogger --to WHERE ARGUMENTS`, in the 5,000,000 bytes that it has to do with.
fn forward(to: &str, args: &[&str]) -> Run {
    let run = Run::new(program("softlimit")).args(["-m", "5000000"]).arg(program("splogger"));
    forwarding(run, to, args)
}

fn forwarding(run: Run, to: &str, args: &[&str]) -> Run {
    run.args(["--to", to, "--hostname", "here"]).args(args).env("PATH", tests::path())
}

/// The texts of messages in RFC 5424's form that have no structured data, as `forward` has them sent by `tag`.
fn texts(messages: &[String]) -> Vec<String> {
    messages.iter().map(|message| text_of(message)).collect()
}

fn text_of(message: &str) -> String {
    let fields: Vec<&str> = message.splitn(8, ' ').collect();
    let [priority, stamp, host, _, _, _, structured, text] = fields[..] else {
        panic!("{message:?}")
    };
    assert_eq!((priority, host, structured), ("<22>1", "here", "-"), "{message:?}");
    assert!(stamp.len() == 27 && stamp.starts_with("20") && stamp.ends_with('Z'), "{message:?}");
    text.to_owned()
}

/// Lines with numbers.
fn numbered(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("line {number}\n")).collect()
}

/// The numbers in such lines.
fn numbers(texts: &[String]) -> Vec<usize> {
    let number = |text: &String| text.strip_prefix("line ").and_then(|number| number.parse().ok());
    texts.iter().map(|text| number(text).unwrap_or_else(|| panic!("{text:?}"))).collect()
}

/// How many bytes the program has read in its life.
fn read_so_far(pid: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let count = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Waits until the program has read so much, and doesn't read any more.
fn held_back(child: &Child, enough: u64) {
    let pid = child.pid().cast_unsigned();
    wait_until("it stops reading", SOON, || {
        let before = read_so_far(pid);
        std::thread::park_timeout(Duration::from_millis(100));
        before > enough && read_so_far(pid) == before
    });
}

fn resident(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_ascii_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
}

fn signals(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("\t0");
    u64::from_str_radix(line.trim(), 16).expect("a mask")
}

fn pending_signals(pid: u32) -> u64 {
    signals(pid, "SigPnd:") | signals(pid, "ShdPnd:")
}

fn catches_term(pid: u32) -> bool {
    signals(pid, "SigCgt:") & 1 << (Signal::SIGTERM as u32 - 1) != 0
}
