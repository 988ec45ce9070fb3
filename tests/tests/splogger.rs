//! splogger with syslog daemons of every kind: there, away, late, slow, restarted, a stream's.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::{Child, Run, Scratch, Signal, SyslogSocket, program, record_skip, wait_until};

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

/// Ends a daemon, to the last copy of its socket: for a moment, children that other tests are just
/// starting have one, too, and it would take messages that nobody ever reads.
fn end(daemon: UnixDatagram, path: &Path) {
    let probe = UnixDatagram::unbound().expect("a socket");
    probe.connect(path).expect("connected");
    drop(daemon);
    wait_until("the daemon's end", SOON, || {
        probe.send(b"?").is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
    fs::remove_file(path).expect("removed");
}

#[test]
fn lines_reach_syslog_with_tag_and_priority() {
    let scratch = Scratch::new("splogger");
    let path = scratch.join("log");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    let lines = "status: 1/40\n\nwarning: odd\nalert: fire\ntab\there\nlast";
    let outcome = splogger(&path, &["pop3d", "2"]).stdin(lines).output();
    assert_eq!((outcome.out(), outcome.err(), outcome.code), (String::new(), String::new(), 0));
    expect(
        &syslog,
        &[
            "<22>pop3d: status: 1/40",
            "<20>pop3d: warning: odd",
            "<17>pop3d: alert: fire",
            "<22>pop3d: tab?here",
            "<22>pop3d: last",
        ],
    );
}

#[test]
fn long_lines_are_folded_and_keep_their_stamp() {
    let scratch = Scratch::new("splogger-long");
    let path = scratch.join("log");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    let line = "x".repeat(1700) + "\n";
    assert_eq!(splogger(&path, &["t", "16"]).stdin(line).output().code, 0);
    let x = |count| "x".repeat(count);
    expect(
        &syslog,
        &[
            &format!("<134>t: {}", x(799)),
            &format!("<134>t:+{}", x(799)),
            &format!("<134>t:+{}", x(102)),
        ],
    );
    let stamps: Vec<String> = syslog
        .messages()
        .iter()
        .map(|message| message.split([' ', '+']).nth(1).expect("a stamp").to_owned())
        .collect();
    assert!(stamps.iter().all(|stamp| *stamp == stamps[0]), "{stamps:?}");
}

#[test]
fn without_a_syslogd_lines_wait_for_one() {
    let scratch = Scratch::new("splogger-late");
    let path = scratch.join("log");
    let mut child = splogger(&path, &["late"]).spawn();
    child.write(b"one\ntwo\n");
    child.expect_stderr("splogger: warning: unable to send to");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    child.write(b"three\n");
    child.close();
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0);
    let warning =
        format!("splogger: warning: unable to send to {}: file does not exist\n", path.display());
    assert_eq!(outcome.err(), warning, "it is said once");
    expect(&syslog, &["<22>late: one", "<22>late: two", "<22>late: three"]);
}

#[test]
fn a_restarted_syslogd_misses_nothing_that_came_meanwhile() {
    let scratch = Scratch::new("splogger-restart");
    let path = scratch.join("log");
    let mut child = splogger(&path, &["again"]).spawn();
    for round in 0..4 {
        // Even rounds: the line comes first, then the daemon.
        if round % 2 == 0 {
            child.write(format!("{round}\n").as_bytes());
        }
        let daemon = UnixDatagram::bind(&path).expect("bound");
        if round % 2 == 1 {
            child.write(format!("{round}\n").as_bytes());
        }
        assert_eq!(without_stamp(&receive(&daemon)), format!("<22>again: {round}"));
        end(daemon, &path);
    }
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
}

#[test]
fn a_syslogd_that_is_away_holds_the_service_back_and_loses_nothing() {
    let scratch = Scratch::new("splogger-flood");
    let path = scratch.join("log");
    let mut child = splogger(&path, &["flood"]).spawn();
    let lines: String = (0..30_000).map(|number| format!("line {number}\n")).collect();
    child.write(lines.as_bytes());
    child.close();
    child.expect_stderr("unable to send");
    // Full pipe, full queue: it no more than looks for a syslogd, and reads nothing.
    wait_until("it stops reading", SOON, || {
        let before = read_so_far(child.pid().cast_unsigned());
        std::thread::park_timeout(Duration::from_millis(50));
        before > 5_000 && read_so_far(child.pid().cast_unsigned()) == before
    });
    let kilobytes = resident(&child);
    assert!(kilobytes < 2048, "{kilobytes} kB are resident");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    assert_eq!(child.wait(Duration::from_secs(60)).code, 0);
    wait_until("all messages", SOON, || syslog.messages().len() >= 30_000);
    for (number, message) in unstamped(&syslog.messages()).iter().enumerate() {
        assert_eq!(*message, format!("<22>flood: line {number}"));
    }
}

/// How many bytes the program has read in its life.
fn read_so_far(pid: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let count = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn resident(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_ascii_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
}

#[test]
fn a_slow_syslogd_is_waited_for() {
    let scratch = Scratch::new("splogger-slow");
    let path = scratch.join("log");
    let daemon = UnixDatagram::bind(&path).expect("bound");
    let mut child = splogger(&path, &["slow"]).spawn();
    // More than any queue of datagrams holds (net.unix.max_dgram_qlen).
    let lines: String = (0..3000).map(|number| format!("{number}\n")).collect();
    child.write(lines.as_bytes());
    child.close();
    for number in 0..3000 {
        assert_eq!(without_stamp(&receive(&daemon)), format!("<22>slow: {number}"));
    }
    let outcome = child.wait(SOON);
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
}

#[test]
fn a_stream_will_do() {
    let scratch = Scratch::new("splogger-stream");
    let path = scratch.join("log");
    let daemon = UnixListener::bind(&path).expect("bound");
    let mut child = splogger(&path, &["stream"]).spawn();
    child.write(b"one\ntwo\n");
    child.close();
    let (mut stream, _) = daemon.accept().expect("a connection");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("ASCII");
    let messages: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(unstamped(&messages), ["<22>stream: one", "<22>stream: two"]);
    assert_eq!(child.wait(SOON).code, 0);
}

/// A splogger whose pipe the test holds both ends of, as svscan does.
struct Piped {
    child: std::process::Child,
    reader: std::io::PipeReader,
    writer: std::io::PipeWriter,
}

fn piped(socket: &Path) -> Piped {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let child = Command::new(program("splogger"))
        .arg("term")
        .env("SYSLOG_SOCKET", socket)
        .stdin(reader.try_clone().expect("a copy"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    Piped { child, reader, writer }
}

impl Piped {
    /// Writes, and waits until all of it has left the pipe.
    fn feed(&mut self, text: &str) {
        let pid = self.child.id();
        wait_until("it is ready", SOON, || catches_term(pid));
        let before = read_so_far(pid);
        self.write(text);
        let after = before + text.len() as u64;
        wait_until("all is read", SOON, || read_so_far(pid) >= after);
    }

    fn write(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).expect("written");
    }

    fn terminate(&self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, Signal::SIGTERM).expect("signalled");
    }

    /// Its exit code and what it said, and what it left in the pipe.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut status = None;
        wait_until("it ends", SOON, || {
            status = self.child.try_wait().expect("waited");
            status.is_some()
        });
        drop(self.writer);
        let (mut said, mut left) = (String::new(), String::new());
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("ASCII");
        self.reader.read_to_string(&mut left).expect("ASCII");
        (status.and_then(|status| status.code()), said, left)
    }
}

#[test]
fn after_term_the_line_in_hand_is_finished_and_the_rest_left() {
    let scratch = Scratch::new("splogger-term");
    let path = scratch.join("log");
    let daemon = UnixDatagram::bind(&path).expect("bound");
    let mut splogger = piped(&path);
    splogger.feed("one\npart");
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: one");
    splogger.terminate();
    wait_until("TERM was taken", SOON, || pending_signals(splogger.child.id()) == 0);
    splogger.write("ial\nrest\n");
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: partial");
    assert_eq!(splogger.end(), (Some(0), String::new(), "rest\n".into()));
}

#[test]
fn after_term_a_line_that_never_ends_is_sent_as_it_is() {
    let scratch = Scratch::new("splogger-term-part");
    let path = scratch.join("log");
    let daemon = UnixDatagram::bind(&path).expect("bound");
    let mut splogger = piped(&path);
    splogger.feed("one\npart");
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: one");
    splogger.terminate();
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: part");
    assert_eq!(splogger.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn between_lines_term_ends_it_at_once() {
    let scratch = Scratch::new("splogger-term-idle");
    let splogger = piped(&scratch.join("log"));
    wait_until("it is ready", SOON, || catches_term(splogger.child.id()));
    splogger.terminate();
    assert_eq!(splogger.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn a_service_that_never_pauses_keeps_no_term_out() {
    let scratch = Scratch::new("splogger-term-flood");
    let path = scratch.join("log");
    let _syslog = SyslogSocket::bind(&path).expect("bound");
    let splogger = piped(&path);
    let mut writer = splogger.writer.try_clone().expect("a copy");
    let flood = std::thread::spawn(move || while writer.write_all(b"again and again\n").is_ok() {});
    let pid = splogger.child.id();
    wait_until("it reads", SOON, || catches_term(pid) && read_so_far(pid) > 200_000);
    splogger.terminate();
    let Piped { mut child, reader, writer } = splogger;
    wait_until("it ends", SOON, || child.try_wait().expect("waited").is_some());
    drop(reader);
    drop(writer);
    flood.join().expect("the pipe has broken");
}

#[test]
fn after_term_without_a_syslogd_what_is_left_goes_to_standard_error() {
    let scratch = Scratch::new("splogger-term-away");
    let path = scratch.join("log");
    let mut splogger = piped(&path);
    splogger.feed("one\ntwo");
    splogger.terminate();
    let (code, said, left) = splogger.end();
    assert_eq!((code, &*left), (Some(111), ""));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("splogger: warning: unable to send to "), "{said}");
    for (line, text) in lines[1..].iter().zip(["one", "two"]) {
        assert!(line.starts_with("splogger: warning: undelivered: term: "), "{line}");
        assert!(line.ends_with(text), "{line}");
    }
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

#[test]
fn wrong_usage() {
    let path = Path::new("/nonexistent");
    for (args, said) in [
        (&["a", "b"][..], "splogger: fatal: unable to use facility: b\n"),
        (&["a", "24"], "splogger: fatal: unable to use facility: 24\n"),
        (&["a b"], "splogger: fatal: unable to use tag: a b\n"),
        (&["a", "2", "c"], "splogger: usage: splogger [ tag [ facility ] ]\n"),
    ] {
        let outcome = splogger(path, args).output();
        assert_eq!((outcome.err().as_str(), outcome.code), (said, 100));
    }
    assert_eq!(splogger(path, &[]).output().code, 0, "nothing to send, nobody to send it to");
    let closed = format!("exec {} 0<&-", program("splogger").display());
    let outcome = Run::sh(&closed).output();
    let said = "splogger: fatal: unable to read standard input: file descriptor not open\n";
    assert_eq!((outcome.err().as_str(), outcome.code), (said, 111));
}

#[test]
fn input_that_cannot_be_read() {
    let run = format!("exec {} < /", program("splogger").display());
    let outcome = Run::sh(&run).output();
    let said = "splogger: warning: unable to read standard input: is a directory\n";
    assert_eq!((outcome.err().as_str(), outcome.code), (said, 111));
}

/// Debian's own syslog daemon, on a socket of the test's.
#[test]
fn rsyslogd_takes_it() {
    let rsyslogd = PathBuf::from("/usr/sbin/rsyslogd");
    if !rsyslogd.exists() {
        return record_skip("no rsyslogd: apt-get install rsyslog");
    }
    let scratch = Scratch::new("splogger-rsyslogd");
    let at = |name: &str| scratch.join(name).display().to_string();
    let config = format!(
        "module(load=\"imuxsock\" SysSock.Name=\"{}\")\n\
         global(workDirectory=\"{}\")\n\
         template(name=\"all\" type=\"string\" string=\"%syslogfacility-text%.%syslogseverity-text%|%syslogtag%|%msg%\\n\")\n\
         *.* action(type=\"omfile\" file=\"{}\" template=\"all\")\n",
        at("log"),
        at("."),
        at("out")
    );
    let config = scratch.file("conf", config);
    let start = |pid: &str| {
        Run::new(&rsyslogd).arg("-n").arg("-f").arg(&config).arg("-i").arg(at(pid)).spawn()
    };
    let written = |count: usize| {
        let read = || fs::read_to_string(at("out")).unwrap_or_default();
        let of_ours = |text: &str| {
            let ours = text.lines().filter(|line| line.contains("|pop3d:|"));
            ours.map(|line| {
                let (head, message) = line.rsplit_once('|').expect("fields");
                let text = message.trim_start().split_once(' ').expect("a stamp").1;
                format!("{head}|{text}")
            })
            .collect::<Vec<_>>()
        };
        wait_until("rsyslogd writes", SOON, || of_ours(&read()).len() >= count);
        of_ours(&read())
    };
    let mut child = splogger(&scratch.join("log"), &["pop3d", "2"]).spawn();
    child.write(b"one\n");
    let first = start("pid1");
    assert_eq!(written(1), ["mail.info|pop3d:|one"]);
    first.signal(Signal::SIGTERM);
    first.wait(SOON);
    child.write(b"warning: two\nalert: three\n");
    let second = start("pid2");
    let expected = [
        "mail.info|pop3d:|one",
        "mail.warning|pop3d:|warning: two",
        "mail.alert|pop3d:|alert: three",
    ];
    assert_eq!(written(3), expected);
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    second.signal(Signal::SIGTERM);
    second.wait(SOON);
}
