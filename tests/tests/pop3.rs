//! The POP3 chain end to end: the finished qmail-popup, qmail-pop3d and maildirmake, a checker of a
//! few lines of shell, and a client that knows nothing but bytes.

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
        let checker = mailbox.scratch.file("checker", CHECKER);
        fs::set_permissions(checker, fs::Permissions::from_mode(0o755)).unwrap();
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
    assert!(capabilities.contains("PIPELINING\r\n") && !capabilities.contains("SASL"));
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
fn lines_that_are_too_long() {
    let mailbox = Mailbox::with_three("pop3-long");
    let mut session = mailbox.chain();
    session.line();
    session.send(&format!("user {}\r\nnoop\r\n", "x".repeat(100_000)));
    session.expect("-ERR line too long\n+OK\n");
    session.send("user joe\r\npass secret\r\n");
    session.expect("+OK\n+OK\n");
    session.send(&format!("{}\r\nnoop\r\n", "x".repeat(100_000)));
    session.expect("-ERR line too long\n+OK\n");
    session.send("quit\r\n");
    session.expect("+OK\n");
    ended(&session.finish(), "", "", 0);
}

/// What the client, the log and tcpserver are told when the checker's answer is `password`.
#[track_caller]
fn login(mailbox: &Mailbox, user: &str, password: &str) -> Over {
    let mut session = mailbox.popup(&["true"]);
    session.line();
    session.send(&format!("user {user}\r\npass {password}\r\n"));
    session.expect("+OK\n");
    session.finish()
}

#[test]
fn what_the_checker_says() {
    let mailbox = Mailbox::new("pop3-checker");
    let checker = mailbox.scratch.join("checker");
    let checker = checker.display();
    let refused = "-ERR authorization failed\r\n";
    let temporary = "-ERR [SYS/TEMP] unable to check passwords now\r\n";
    let permanent = "-ERR [SYS/PERM] unable to check passwords\r\n";
    for (user, password, said, log, code) in [
        ("joe", "secret", "", String::new(), 0),
        ("joe", "wrong", refused, "authentication failed: user joe from 192.0.2.7".into(), 1),
        (
            "a from 10.0.0.1",
            "wrong",
            refused,
            "authentication failed: user a?from?10.0.0.1 from 192.0.2.7".into(),
            1,
        ),
        ("joe", "111", temporary, format!("CHECK{checker} exited 111"), 111),
        ("joe", "3", temporary, format!("CHECK{checker} exited 3"), 111),
        ("joe", "2", permanent, format!("CHECK{checker} exited 2"), 100),
        ("joe", "100", permanent, format!("CHECK{checker} exited 100"), 100),
        (
            "joe",
            "crash",
            "-ERR [SYS/TEMP] aack, child crashed\r\n",
            format!("CHECK{checker} crashed"),
            111,
        ),
    ] {
        let log = log.replace("CHECK", "warning: unable to check user joe from 192.0.2.7: ");
        let log = if log.is_empty() { log } else { format!("qmail-popup: {log}\n") };
        ended(&login(&mailbox, user, password), said, &log, code);
    }
}

#[test]
fn a_checker_that_is_not_there() {
    let mailbox = Mailbox::new("pop3-no-checker");
    let mut command = Command::new(program("qmail-popup"));
    let mut session = Session::start(command.args(["h", "/no/checker", "true"]), &mailbox.scratch);
    session.line();
    session.send("user joe\r\npass x\r\n");
    session.expect("+OK\n");
    ended(
        &session.finish(),
        "-ERR [SYS/PERM] unable to check passwords\r\n",
        "qmail-popup: warning: unable to run /no/checker: file does not exist\n",
        100,
    );
}

#[test]
fn what_the_checker_is_handed() {
    let mailbox = Mailbox::new("pop3-handed");
    // A shell that starts a child blocks signals and has pipes open for a moment: it looks by itself.
    let look = mailbox.scratch.file(
        "look",
        "#!/bin/sh\ntr '\\0' '/' <&3; echo\ncd /proc/$$/fd; echo *\n\
         while read -r line; do case $line in SigIgn*|SigBlk*) echo \"$line\";; esac; done \
         </proc/$$/status; echo \"$@\"\n",
    );
    fs::set_permissions(&look, fs::Permissions::from_mode(0o755)).unwrap();
    // What it finds open without us.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "exec \"$0\" 3</dev/null"]).arg(&look);
    let alone = Session::start(&mut command, &mailbox.scratch).finish().said;
    let mut command = Command::new(program("qmail-popup"));
    command.arg("pop.example").arg(look).args(["a", "b c"]);
    let mut session = Session::start(&mut command, &mailbox.scratch);
    let banner = session.line();
    let stamp = banner.trim_end().strip_prefix("+OK ").unwrap().to_owned();
    session.send("user joe user\r\npass  se cret \r\n");
    session.expect("+OK\n");
    let over = session.finish();
    let mut lines = over.said.lines();
    // The space before the password belongs to it.
    assert_eq!(lines.next(), Some(&*format!("joe user/ se cret /<{stamp}>/")));
    let alone: Vec<&str> = alone.lines().collect();
    for (nth, what) in ["descriptors", "blocked signals", "ignored signals"].iter().enumerate() {
        assert_eq!(lines.next(), Some(alone[nth + 1]), "{what}");
    }
    assert_eq!(lines.next(), Some("a b c"));
    assert_eq!((lines.next(), over.log.as_str(), over.code), (None, "", Some(0)));
}

#[test]
fn a_client_that_hangs_up_deletes_nothing() {
    let mailbox = Mailbox::with_three("pop3-hang-up");
    let mut session = mailbox.chain();
    session.line();
    session.send("user joe\r\npass secret\r\ndele 1\r\n");
    session.expect("+OK\n+OK\n+OK\n");
    ended(&session.hang_up(), "", "", 0);
    assert_eq!(mailbox.files("new"), ["1.a", "2.b"]);
    // Not even in the middle of a message.
    mailbox.deliver("new/4.d", &vec![b'x'; 50_000_000], 4);
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("dele 1\r\nretr 4\r\n");
    session.expect("+OK\n+OK message follows\n");
    ended(&session.hang_up(), "", "", 0);
    assert_eq!(mailbox.files("new"), ["1.a", "2.b", "4.d"]);
    // A line without its end is no command.
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("dele 1\r\nquit");
    session.expect("+OK\n");
    ended(&session.hang_up(), "", "", 0);
    assert_eq!(mailbox.files("new"), ["1.a", "2.b", "4.d"]);
}

#[test]
fn deleted_messages_that_stay() {
    let mailbox = Mailbox::with_three("pop3-stay");
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("dele 1\r\ndele 2\r\ndele 3\r\n");
    session.expect("+OK\n+OK\n+OK\n");
    fs::set_permissions(mailbox.path("new"), fs::Permissions::from_mode(0o500)).unwrap();
    session.send("quit\r\n");
    session.expect("-ERR [SYS/TEMP] unable to remove 2 of the deleted messages\n");
    ended(&session.finish(), "", "", 0);
    assert_eq!(
        (mailbox.files("new"), mailbox.files("cur").len()),
        (vec!["1.a".into(), "2.b".into()], 0)
    );
}

#[test]
fn a_hostile_maildir() {
    let mailbox = Mailbox::with_three("pop3-hostile");
    symlink("/etc/passwd", mailbox.path("new/symlink")).unwrap();
    fs::create_dir(mailbox.path("new/directory")).unwrap();
    nix::unistd::mkfifo(&mailbox.path("cur/fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let unreadable = mailbox.path("new/2.b");
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o000)).unwrap();
    fs::write(mailbox.path("new/.hidden"), "x").unwrap();
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("uidl\r\nretr 2\r\ntop 2 0\r\nretr 3\r\nquit\r\n");
    session.expect("+OK\n1 1.a\n2 2.b\n3 3.c\n.\n");
    session.expect("-ERR unable to read that message: access denied\n");
    session.expect("-ERR unable to read that message: access denied\n");
    assert_eq!(session.listing(), b"Subject: three\r\n\r\nthird\r\n");
    session.expect("+OK\n");
    ended(&session.finish(), "", "", 0);
    assert!(mailbox.path("new/symlink").is_symlink());
}

#[test]
fn rubbish_in_tmp_is_removed_after_36_hours() {
    let mailbox = Mailbox::new("pop3-tmp");
    let hours_ago = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 3600);
    for (name, age) in [("tmp/old", 37_u64), ("tmp/young", 35)] {
        mailbox.deliver(name, b"x", 0);
        set_times(&mailbox.path(name), hours_ago(age));
    }
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("stat\r\n");
    session.expect("+OK 0 0\n");
    session.hang_up();
    assert_eq!(mailbox.files("tmp"), ["young"]);
}

#[test]
fn no_maildir() {
    let mailbox = Mailbox::new("pop3-no-maildir");
    fs::rename(mailbox.maildir(), mailbox.scratch.join("elsewhere")).unwrap();
    ended(
        &mailbox.pop3d().finish(),
        "-ERR [SYS/PERM] this account has no Maildir\r\n",
        "qmail-pop3d: fatal: unable to open Maildir: file does not exist\n",
        0,
    );
    fs::create_dir_all(mailbox.path("new")).unwrap();
    ended(
        &mailbox.pop3d().finish(),
        "-ERR [SYS/PERM] unable to read this account's Maildir\r\n",
        "qmail-pop3d: fatal: unable to read Maildir/cur: file does not exist\n",
        0,
    );
}

#[test]
fn root_gets_no_mailbox() {
    if !is_root() {
        skip!("only root can be refused as root");
    }
    let mailbox = Mailbox::with_three("pop3-root");
    let refused =
        Run::new(program("qmail-pop3d")).arg("Maildir").cwd(mailbox.scratch.path()).output();
    assert_eq!(refused.out(), "-ERR [SYS/PERM] root gets no mailbox here\r\n");
    assert_eq!(refused.err(), "qmail-pop3d: fatal: refusing to serve root's mail\n");
    assert_eq!(refused.code, 0);
}

#[test]
fn many_messages_in_little_memory() {
    const COUNT: usize = 5_000;
    let mailbox = Mailbox::new("pop3-many");
    for nth in 0..COUNT {
        let name = format!("cur/{}.M{nth}P77.mail.example,S=5,W=6:2,S", 1_700_000_000 + nth);
        mailbox.deliver(&name, b"x: y\n", nth as u64);
    }
    let mut command = Command::new(program("softlimit"));
    command.args(["-m", "5000000"]).arg(program("qmail-pop3d")).arg("Maildir");
    let mut session = Session::start(&mut command, &mailbox.scratch);
    session.expect("+OK\n");
    session.send("stat\r\nuidl\r\nlist\r\n");
    session.expect(&format!("+OK {COUNT} {}\n", COUNT * 6));
    let ids = String::from_utf8(session.listing()).unwrap();
    assert_eq!(ids.lines().count(), COUNT);
    assert_eq!(ids.lines().last(), Some("5000 1700004999.M4999P77.mail.example,S=5,W=6"));
    assert_eq!(String::from_utf8(session.listing()).unwrap().lines().last(), Some("5000 6"));
    let all: String = (1..=COUNT).map(|number| format!("retr {number}\r\n")).collect();
    let sender = session.socket.get_ref().try_clone().unwrap();
    let sender = std::thread::spawn(move || (&sender).write_all(all.as_bytes()).unwrap());
    for _ in 0..COUNT {
        assert_eq!(session.listing(), b"x: y\r\n");
    }
    sender.join().unwrap();
    session.send("quit\r\n");
    session.expect("+OK\n");
    ended(&session.finish(), "", "", 0);
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
