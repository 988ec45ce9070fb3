//! The POP3 chain end to end: the finished qmail-popup, qmail-pop3d and maildirmake, a checker of a
//! few lines of shell, and a client that knows nothing but bytes.

mod before_login;
mod hostile;
mod login;
mod maildrop;
mod refused;
mod sizes;
mod stls;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use tests::{Run, Scratch, is_root, program, skip, wait_for};

const PATIENCE: Duration = Duration::from_secs(20);

/// Root gets no mailbox: where the tests are root's, sessions are this account's.
const ACCOUNT: u32 = 65534;

/// A checker: joe's password is `secret`. Anybody else's is the exit code, or `crash`.
const CHECKER: &str = r#"#!/bin/sh
login=$(tr '\0' '/' <&3)
exec 3<&-
case $login in
  joe/secret/*) exec "$@" ;;
  */crash/*) kill -9 $$ ;;
  */[0-9]*/*) code=${login#*/}; exit "${code%%/*}" ;;
  *) exit 1 ;;
esac
"#;

/// A Maildir of a test's own.
struct Mailbox {
    scratch: Scratch,
}

impl Mailbox {
    fn new(name: &str) -> Mailbox {
        let mailbox = Mailbox { scratch: Scratch::new(name) };
        let made = Run::new(program("maildirmake")).arg(mailbox.maildir()).output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        for part in ["", "tmp", "new", "cur"] {
            own(&mailbox.path(part));
        }
        mailbox.scratch.script("checker", CHECKER);
        mailbox
    }

    /// With three messages: the first two new, the third seen.
    fn with_three(name: &str) -> Mailbox {
        let mailbox = Mailbox::new(name);
        mailbox.deliver("new/1.a", b"Subject: one\n\nfirst\n.dot\n", 1);
        mailbox.deliver("new/2.b", b"Subject: two\n\nsecond\n", 2);
        mailbox.deliver("cur/3.c:2,S", b"Subject: three\n\nthird\n", 3);
        mailbox
    }

    fn maildir(&self) -> PathBuf {
        self.scratch.join("Maildir")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.maildir().join(name)
    }

    fn deliver(&self, name: &str, message: &[u8], modified: u64) {
        let path = self.path(name);
        fs::write(&path, message).unwrap();
        own(&path);
        set_times(&path, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + modified));
    }

    fn files(&self, part: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(part))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// qmail-pop3d alone.
    fn pop3d(&self) -> Session {
        Session::start(Command::new(program("qmail-pop3d")).arg("Maildir"), &self.scratch)
    }

    /// qmail-popup, the checker, and then this.
    fn popup(&self, session: &[&str]) -> Session {
        Session::start(&mut self.popup_command(session), &self.scratch)
    }

    fn popup_command(&self, session: &[&str]) -> Command {
        let mut command = Command::new(program("qmail-popup"));
        command.arg("pop.example").arg(self.scratch.join("checker")).args(session);
        command.env("TCPREMOTEIP", "192.0.2.7");
        command
    }

    /// The whole chain.
    fn chain(&self) -> Session {
        let pop3d = program("qmail-pop3d");
        self.popup(&[pop3d.to_str().unwrap(), "Maildir"])
    }
}

fn own(path: &Path) {
    if is_root() {
        chown(path, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
    }
}

fn set_times(path: &Path, time: SystemTime) {
    let file = File::open(path).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(time).set_accessed(time)).unwrap();
}

/// A program on one end of a connection, and the test on the other.
struct Session {
    socket: BufReader<UnixStream>,
    child: Child,
}

/// What is left when a session is over.
struct Over {
    /// All that came before the connection was closed and hadn't been read.
    said: String,
    log: String,
    code: Option<i32>,
}

impl Session {
    fn start(command: &mut Command, scratch: &Scratch) -> Session {
        Session::over(UnixStream::pair().unwrap(), command, scratch)
    }

    fn over((near, far): (UnixStream, UnixStream), c: &mut Command, scratch: &Scratch) -> Session {
        c.current_dir(scratch.path()).stderr(Stdio::piped());
        if is_root() {
            c.uid(ACCOUNT).gid(ACCOUNT);
        }
        c.stdin(Stdio::from(OwnedFd::from(far.try_clone().unwrap())));
        c.stdout(Stdio::from(OwnedFd::from(far)));
        let child = c.spawn().unwrap();
        // The command keeps its copies of the far end, and would keep the connection open.
        c.stdin(Stdio::null()).stdout(Stdio::null());
        near.set_read_timeout(Some(PATIENCE)).unwrap();
        near.set_write_timeout(Some(PATIENCE)).unwrap();
        Session { socket: BufReader::new(near), child }
    }

    fn send(&mut self, text: &str) {
        self.socket.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).unwrap();
        line
    }

    /// The next lines, as many as there are in `expected`.
    #[track_caller]
    fn expect(&mut self, expected: &str) {
        let lines: String = expected.lines().map(|_| self.line()).collect();
        assert_eq!(lines, expected.replace('\n', "\r\n"));
    }

    /// A reply of many lines, its first line taken off, to the dot that ends it; byte for byte.
    fn listing(&mut self) -> Vec<u8> {
        let first = self.line();
        assert!(first.starts_with("+OK"), "{first:?}");
        let mut reply = Vec::new();
        loop {
            let begin = reply.len();
            let count = self.socket.read_until(b'\n', &mut reply).unwrap();
            assert!(count > 0, "cut after {:?}", String::from_utf8_lossy(&reply));
            if &reply[begin..] == b".\r\n" && (begin == 0 || reply[..begin].ends_with(b"\r\n")) {
                reply.truncate(begin);
                return reply;
            }
        }
    }

    fn finish(mut self) -> Over {
        let mut said = String::new();
        self.socket.read_to_string(&mut said).unwrap();
        self.left_alone(said)
    }

    /// Closes the connection without a word.
    fn hang_up(self) -> Over {
        let Session { socket, child } = self;
        drop(socket);
        let (near, _) = UnixStream::pair().unwrap();
        Session { socket: BufReader::new(near), child }.left_alone(String::new())
    }

    fn left_alone(mut self, said: String) -> Over {
        let status = wait_for(PATIENCE, || self.child.try_wait().unwrap());
        let status = status.unwrap_or_else(|| {
            self.child.kill().unwrap();
            panic!("still running after {PATIENCE:?}");
        });
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(status.signal(), None);
        Over { said, log, code: status.code() }
    }
}

/// A connection on which each write is a packet and each read gives one.
fn packets() -> (UnixStream, UnixStream) {
    let pair = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (near, far) = pair.unwrap();
    (UnixStream::from(near), UnixStream::from(far))
}

#[track_caller]
fn ended(over: &Over, said: &str, log: &str, code: i32) {
    assert_eq!((over.said.as_str(), over.log.as_str(), over.code), (said, log, Some(code)));
}

#[test]
fn a_session_from_banner_to_quit() {
    let mailbox = Mailbox::with_three("pop3-session");
    let mut session = mailbox.chain();
    let banner = session.line();
    let pid = session.child.id();
    assert!(banner.starts_with(&format!("+OK {pid}.")), "{banner:?}");
    assert!(banner.ends_with("@pop.example\r\n") && !banner.contains('<'), "{banner:?}");
    session.send("STAT\r\n");
    session.expect("-ERR authorization first\n");
    session.send("PASS secret\r\n");
    session.expect("-ERR USER first\n");
    session.send("USER\r\n");
    session.expect("-ERR syntax error\n");
    session.send("CAPA\r\n");
    let capabilities = String::from_utf8(session.listing()).unwrap();
    assert!(capabilities.contains("PIPELINING\r\n") && !capabilities.contains("IMPLEMENTATION"));
    session.send("USER joe\r\n");
    session.expect("+OK\n");
    session.send("PASS secret\r\n");
    session.expect("+OK\n");
    session.send("STAT\r\n");
    session.expect("+OK 3 78\n");
    session.send("LIST\r\n");
    session.expect("+OK\n1 29\n2 24\n3 25\n.\n");
    session.send("UIDL\r\n");
    session.expect("+OK\n1 1.a\n2 2.b\n3 3.c\n.\n");
    session.send("RETR 1\r\n");
    assert_eq!(session.listing(), b"Subject: one\r\n\r\nfirst\r\n..dot\r\n");
    session.send("TOP 3 0\r\n");
    assert_eq!(session.listing(), b"Subject: three\r\n\r\n");
    session.send("CAPA\r\n");
    let capabilities = String::from_utf8(session.listing()).unwrap();
    assert!(capabilities.contains("IMPLEMENTATION "));
    session.send("DELE 2\r\nQUIT\r\n");
    session.expect("+OK\n+OK\n");
    ended(&session.finish(), "", "", 0);
    assert_eq!(mailbox.files("new"), [""; 0]);
    assert_eq!(mailbox.files("cur"), ["1.a:2,", "3.c:2,S"]);
}

#[test]
fn awkward_messages_arrive_byte_for_byte() {
    let mailbox = Mailbox::new("pop3-awkward");
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let dots = ".\n..\n...\n.\r\n\n.".repeat(30_000).into_bytes();
    let no_line_end = vec![b'x'; 1_000_000];
    let crlf = "a line of a file with CRLF\r\n".repeat(20_000).into_bytes();
    // Line ends around the places where the file is read in pieces.
    let mut around_pieces = vec![b'y'; 4 * 65536];
    for piece in 1..4 {
        let at = piece * 65536 - piece;
        around_pieces[at..at + 4].copy_from_slice(b"\r\n.\n");
    }
    let messages: [&[u8]; 12] = [
        b"",
        b"\n",
        b".",
        b"\r",
        b"no newline at the end",
        b"bare\rCR\r\r\n\0NUL\0\xFF\x80 8-bit\n\n\n",
        b"CR at the end\r",
        &every_byte,
        &dots,
        &no_line_end,
        &crlf,
        &around_pieces,
    ];
    for (nth, message) in messages.iter().enumerate() {
        mailbox.deliver(&format!("cur/{nth}:2,"), message, nth as u64);
    }
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    let mut total = 0;
    for (nth, message) in messages.iter().enumerate() {
        let number = nth + 1;
        session.send(&format!("RETR {number}\r\nLIST {number}\r\n"));
        let wire = session.listing();
        let received = unstuffed(&wire);
        assert!(received == with_crlf(message), "message {number} differs");
        session.expect(&format!("+OK {number} {}\n", received.len()));
        total += received.len();
    }
    session.send("STAT\r\nQUIT\r\n");
    session.expect(&format!("+OK {} {total}\n+OK\n", messages.len()));
    ended(&session.finish(), "", "", 0);
}

/// Our rule for line ends, a byte at a time.
fn with_crlf(file: &[u8]) -> Vec<u8> {
    let end: &[u8] = if matches!(file.last(), None | Some(b'\n')) { b"" } else { b"\n" };
    let mut out = Vec::new();
    for byte in file.iter().chain(end) {
        if *byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// The dots taken off that a client takes off.
fn unstuffed(wire: &[u8]) -> Vec<u8> {
    let (mut out, mut at_start) = (Vec::new(), true);
    for byte in wire {
        if !(at_start && *byte == b'.') {
            out.push(*byte);
        }
        at_start = *byte == b'\n';
    }
    out
}

#[test]
fn what_comes_in_one_packet_is_answered_in_one() {
    let mailbox = Mailbox::with_three("pop3-packet");
    let mut command = Command::new(program("qmail-pop3d"));
    let mut session = Session::over(packets(), command.arg("Maildir"), &mailbox.scratch);
    let mut packet = [0; 4096];
    let socket = session.socket.get_mut();
    let count = socket.read(&mut packet).unwrap();
    assert_eq!(&packet[..count], b"+OK\r\n");
    socket.write_all(b"noop\r\nstat\r\nretr 2\r\nxyzzy\r\ndele 2\r\nlist 2\r\nquit\r\n").unwrap();
    let count = socket.read(&mut packet).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&packet[..count]),
        "+OK\r\n+OK 3 78\r\n+OK message follows\r\nSubject: two\r\n\r\nsecond\r\n.\r\n\
         -ERR unknown command\r\n+OK\r\n-ERR that message is deleted\r\n+OK\r\n"
    );
    ended(&session.finish(), "", "", 0);
}

#[test]
fn what_follows_pass_in_its_packet_is_for_the_session() {
    let mailbox = Mailbox::with_three("pop3-pass");
    let mut session = mailbox.chain();
    session.send("CAPA\r\nUSER joe\r\nPASS secret\r\nSTAT\r\nUIDL 2\r\nQUIT\r\n");
    let banner = session.line();
    assert!(banner.starts_with("+OK "), "{banner}");
    session.listing();
    session.expect("+OK\n+OK\n+OK 3 78\n+OK 2 2.b\n+OK\n");
    ended(&session.finish(), "", "", 0);
}

#[test]
fn a_byte_at_a_time() {
    let mailbox = Mailbox::with_three("pop3-bytes");
    let pop3d = program("qmail-pop3d");
    let mut command = mailbox.popup_command(&[pop3d.to_str().unwrap(), "Maildir"]);
    let mut session = Session::over(packets(), &mut command, &mailbox.scratch);
    session.line();
    for line in ["user joe\r\n", "pass secret\r\n", "stat\n", "noop\r\n", "quit\r\n"] {
        for byte in line.chars() {
            session.send(&byte.to_string());
        }
        session.expect(if line == "stat\n" { "+OK 3 78\n" } else { "+OK\n" });
    }
    ended(&session.finish(), "", "", 0);
}

#[test]
fn pipes_instead_of_a_socket() {
    let mailbox = Mailbox::with_three("pop3-pipes");
    let mut command = mailbox.popup_command(&["cat"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // What follows the line with the password is the next program's, to the byte.
    let dialogue = b"user joe\npass secret\nfor the session\n";
    child.stdin.take().unwrap().write_all(dialogue).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (banner, rest) = said.split_once("\r\n").unwrap();
    assert!(banner.starts_with("+OK "), "{banner}");
    assert_eq!((rest, output.status.code()), ("+OK\r\nfor the session\n", Some(0)));
}

#[test]
fn wrong_usage() {
    for (name, args, err) in [
        ("qmail-popup", &[][..], "qmail-popup hostname subprogram [ args ... ]"),
        ("qmail-popup", &["host"], "qmail-popup hostname subprogram [ args ... ]"),
        ("qmail-pop3d", &[], "qmail-pop3d maildir"),
        ("maildirmake", &[], "maildirmake maildir"),
        ("maildirmake", &["a", "b"], "maildirmake maildir"),
    ] {
        let outcome = Run::new(program(name)).args(args).output();
        assert_eq!(outcome.err(), format!("{name}: usage: {err}\n"));
        assert_eq!((outcome.code, outcome.out().as_str()), (100, ""));
    }
}

#[test]
fn maildirmake_makes_what_only_its_owner_can_enter() {
    let scratch = Scratch::new("maildirmake");
    let script = format!("umask 0777; exec '{}' box", program("maildirmake").display());
    let made = Run::sh(&script).cwd(scratch.path()).output();
    assert_eq!((made.out().as_str(), made.err().as_str(), made.code), ("", "", 0));
    for part in ["box", "box/tmp", "box/new", "box/cur"] {
        let mode = fs::metadata(scratch.join(part)).unwrap().permissions().mode();
        assert_eq!(mode, 0o40700, "{part}");
    }
    let again = Run::new(program("maildirmake")).arg("box").cwd(scratch.path()).output();
    assert_eq!(again.err(), "maildirmake: fatal: unable to create box: file already exists\n");
    assert_eq!(again.code, 111);
}
