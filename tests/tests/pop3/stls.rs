//! STLS: TLS that tcpserver has on offer (UCSPI-TLS), and qmail-popup begins when the client asks.

use super::*;
use std::net::TcpStream;
use tests::{Child, tls, wait_until};

/// tcpserver with a certificate, at a port of its own, and our chain behind it.
struct Host {
    child: Child,
    port: u16,
    pem: PathBuf,
}

impl Host {
    fn start(mailbox: &Mailbox, options: &[&str], env: &[(&str, &str)], session: &[&str]) -> Host {
        let pem = mailbox.scratch.join("cert.pem");
        if !pem.exists() {
            let made =
                Run::new(program("tcpserver-cert")).args(["--host", "localhost", "cert.pem"]);
            let made = made.cwd(mailbox.scratch.path()).output();
            assert_eq!((made.code, made.err().as_str()), (0, ""));
        }
        let account = ACCOUNT.to_string();
        let mut run = Run::new(program("tcpserver"));
        run = run.args(["-v1RHDl0", "-n", "cert.pem"]).args(options);
        if is_root() {
            run = run.args(["-u", &account, "-g", &account]);
        }
        run = run
            .args(["127.0.0.1", "0"])
            .arg(program("qmail-popup"))
            .arg("pop.example")
            .arg(mailbox.scratch.join("checker"))
            .args(session)
            .cwd(mailbox.scratch.path());
        let run = env.iter().fold(run, |run, (name, value)| run.env(*name, *value));
        let child = run.spawn();
        child.expect("\n");
        let port = String::from_utf8(child.stdout()).unwrap().trim().parse().unwrap();
        Host { child, port, pem }
    }

    /// A connection, after the banner.
    fn connect(&self) -> Wire<TcpStream> {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut wire = Wire(BufReader::new(socket));
        assert!(wire.line().starts_with("+OK "));
        wire
    }

    fn encrypt(&self, Wire(socket): Wire<TcpStream>) -> Wire<tls::Tls> {
        assert_eq!(socket.buffer(), b"", "nothing is said in the clear after STLS");
        Wire(BufReader::new(tls::over(socket.into_inner(), "localhost", &self.pem).unwrap()))
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&self.child.stderr()).into_owned()
    }
}

/// A dialogue, in the clear or not.
struct Wire<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Wire<S> {
    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
        self.0.get_mut().flush().unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    #[track_caller]
    fn says(&mut self, text: &str, reply: &str) {
        self.send(text);
        let lines: String = reply.lines().map(|_| self.line()).collect();
        assert_eq!(lines, reply.replace('\n', "\r\n"), "{text}");
    }

    /// The names in CAPA's answer.
    fn capa(&mut self) -> String {
        self.send("CAPA\r\n");
        assert!(self.line().starts_with("+OK"));
        let mut all = String::new();
        loop {
            let line = self.line();
            if line == ".\r\n" {
                return all;
            }
            all.push_str(line.trim_end());
            all.push(' ');
        }
    }
}

const REST: &str = "PIPELINING RESP-CODES AUTH-RESP-CODE UTF8 USER LANG EXPIRE NEVER ";
const WITHHELD: &str = "-ERR [SYS/PERM] nobody logs in here without TLS\n";

#[test]
fn tls_begins_and_capa_is_true_before_and_after() {
    let mailbox = Mailbox::with_three("stls");
    let pop3d = program("qmail-pop3d");
    let host = Host::start(&mailbox, &[], &[], &[pop3d.to_str().unwrap(), "Maildir"]);
    let mut clear = host.connect();
    assert_eq!(clear.capa(), format!("TOP UIDL USER SASL PLAIN LOGIN {REST}STLS "));
    clear.says("STLS now\r\n", "-ERR syntax error\n");
    clear.says("stls\r\n", "+OK begin TLS\n");
    let mut tls = host.encrypt(clear);
    assert_eq!(tls.capa(), format!("TOP UIDL USER SASL PLAIN LOGIN {REST}"));
    tls.says("STLS\r\n", "-ERR TLS has begun already\n");
    tls.says("USER joe\r\n", "+OK\n");
    // The session finds what follows the password, on the encrypted connection.
    tls.says("PASS secret\r\nSTAT\r\n", "+OK\n+OK 3 78\n");
    assert!(!tls.capa().contains("STLS"));
    tls.says("STLS\r\n", "-ERR already logged in\n");
    tls.says("RETR 2\r\nQUIT\r\n", "+OK message follows\nSubject: two\n\nsecond\n.\n+OK\n");
    assert_eq!(tls.line(), "", "an orderly end");
    host.child.expect_stderr("status 0\n");
    assert!(!host.log().contains("warning"), "{}", host.log());
}

#[test]
fn what_was_said_in_the_clear_behind_stls_is_nobodys() {
    let mailbox = Mailbox::new("stls-injected");
    let host = Host::start(&mailbox, &[], &[], &["true"]);
    let mut clear = host.connect();
    clear.says("UTF8\r\nUSER eve\r\n", "+OK\n+OK\n");
    // In one packet, and more than any buffer of ours holds.
    let injected = "USER joe\r\nPASS secret\r\n".repeat(500);
    clear.says(&format!("STLS\r\n{injected}"), "+OK begin TLS\n");
    let mut tls = host.encrypt(clear);
    // Neither that nor what was said before STLS counts.
    tls.says("PASS secret\r\n", "-ERR USER first\n");
    tls.says("NOOP\r\nQUIT\r\n", "+OK\n+OK\n");
    assert_eq!(tls.line(), "");
}

#[test]
fn where_tls_is_required_nobody_logs_in_before() {
    let mailbox = Mailbox::with_three("stls-required");
    let host = Host::start(&mailbox, &[], &[("UCSPITLS", "!")], &["/bin/echo", "in"]);
    let mut clear = host.connect();
    assert_eq!(clear.capa(), format!("TOP UIDL {REST}STLS "));
    for line in [
        "USER joe",
        "PASS secret",
        "APOP joe 0123456789abcdef0123456789abcdef",
        "AUTH",
        "AUTH PLAIN",
        "AUTH PLAIN AGpvZQBzZWNyZXQ=",
        "AUTH CRAM-MD5",
    ] {
        clear.says(&format!("{line}\r\n"), WITHHELD);
    }
    clear.says("STLS\r\n", "+OK begin TLS\n");
    let mut tls = host.encrypt(clear);
    assert_eq!(tls.capa(), format!("TOP UIDL USER SASL PLAIN LOGIN {REST}"));
    tls.send("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n");
    assert_eq!((tls.line().as_str(), tls.line().as_str()), ("in\n", ""));
}

#[test]
fn tls_from_the_first_byte_on_needs_no_stls() {
    let mailbox = Mailbox::new("stls-implicit");
    let host = Host::start(&mailbox, &["-s"], &[("UCSPITLS", "!")], &["/bin/echo", "in"]);
    let socket = TcpStream::connect(("127.0.0.1", host.port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut tls = host.encrypt(Wire(BufReader::new(socket)));
    assert!(tls.line().starts_with("+OK "));
    assert_eq!(tls.capa(), format!("TOP UIDL USER SASL PLAIN LOGIN {REST}"));
    tls.says("STLS\r\n", "-ERR TLS has begun already\n");
    tls.says("USER joe\r\n", "+OK\n");
    tls.send("PASS secret\r\n");
    assert_eq!(tls.line(), "in\n");
    assert!(!host.log().contains("warning"), "{}", host.log());
}

#[test]
fn where_it_is_not_on_offer_there_is_none() {
    let mailbox = Mailbox::new("stls-off");
    let host = Host::start(&mailbox, &[], &[("UCSPITLS", "-")], &["/bin/echo", "in"]);
    let mut clear = host.connect();
    assert!(!clear.capa().contains("STLS"));
    clear.says("STLS\r\n", "-ERR that is not on offer\n");
    clear.says("USER joe\r\n", "+OK\n");
    clear.send("PASS secret\r\n");
    assert_eq!(clear.line(), "in\n");
    // And where nobody can log in, the log says so.
    let mut command = mailbox.popup_command(&["true"]);
    let mut session = Session::start(command.env("UCSPITLS", "!"), &mailbox.scratch);
    session.line();
    session.send("USER joe\r\nSTLS\r\nQUIT\r\n");
    session.expect(WITHHELD);
    session.expect("-ERR that is not on offer\n+OK\n");
    let warning = "qmail-popup: warning: UCSPITLS is !, and there is no TLS: nobody can log in\n";
    ended(&session.finish(), "", warning, 0);
}

#[test]
fn a_handshake_that_fails_is_the_end() {
    let mailbox = Mailbox::new("stls-failed");
    let host = Host::start(&mailbox, &[], &[], &["true"]);
    let mut clear = host.connect();
    clear.says("STLS\r\n", "+OK begin TLS\n");
    clear.send("USER joe\r\nPASS secret\r\n");
    // An alert, perhaps, and then nothing: no line of the server's.
    let mut rest = Vec::new();
    let _ = clear.0.read_to_end(&mut rest);
    assert!(!rest.contains(&b'+'), "{rest:?}");
    wait_until("the end of the program", PATIENCE, || host.log().contains("tcpserver: end "));
    assert!(host.log().contains("TLS handshake failed"), "{}", host.log());
}

/// A checker that knows mrose's password, and what it comes to with a time stamp.
const KNOWS: &str = r#"#!/bin/sh
login=$(tr '\0' ' ' <&3)
exec 3<&-
set -- ${login} -- "$@"
name=$1 secret=$2 stamp=$3
shift 4
apop=$(printf %s "${stamp}tanstaaf" | openssl md5 -r)
cram=$(printf %s "$stamp" | openssl md5 -r -hmac tanstaaf)
case $name/$secret in
  mrose/tanstaaf | mrose/"${apop% *}" | mrose/"${cram% *}") exec "$@" ;;
esac
exit 1
"#;

#[test]
fn curl_logs_in_by_every_way_there_is() {
    for tool in ["/usr/bin/curl", "/usr/bin/openssl"] {
        if !Path::new(tool).exists() {
            skip!("no {tool}");
        }
    }
    let mailbox = Mailbox::with_three("stls-curl");
    mailbox.scratch.script("checker", KNOWS);
    let pop3d = program("qmail-pop3d");
    let env = [("POP3AUTH", "user plain login apop cram-md5")];
    let host = Host::start(&mailbox, &[], &env, &[pop3d.to_str().unwrap(), "Maildir"]);
    let curl = |options: &[&str], password: &str| {
        let run = Run::new("/usr/bin/curl").args(["-sS", "--max-time", "60", "--cacert"]);
        let run = run.arg(&host.pem).args(options).args(["-u", &format!("mrose:{password}")]);
        let run = run.arg(format!("pop3://localhost:{}/2", host.port));
        let outcome = run.deadline(Duration::from_secs(60)).output();
        (outcome.code, outcome.out())
    };
    let message = (0, String::from("Subject: two\r\n\r\nsecond\r\n"));
    for way in ["PLAIN", "LOGIN", "CRAM-MD5", "+APOP"] {
        let way = format!("AUTH={way}");
        for more in [&["--sasl-ir"][..], &["--ssl-reqd"]] {
            let options = [&["--login-options", &way], more].concat();
            assert_eq!(curl(&options, "tanstaaf"), message, "{options:?}");
        }
        // 67: the login was refused.
        assert_eq!(curl(&["--login-options", &way], "tanstaff").0, 67, "{way}");
    }
}

/// What a session is told of the connection, and which descriptors it finds.
const LOOKS: &str = "env | grep -e ^SSL -e ^UCSPITLS | grep -v ^SSL_CERT_ | sed 's/=.*//' | sort | tr '\\n' ' '; echo; \
    for fd in /proc/$$/fd/*; do printf '%s ' \"${fd##*/}\"; done; echo";

#[test]
fn the_session_is_told_what_it_is_and_not_what_is_over() {
    let mailbox = Mailbox::new("stls-told");
    mailbox.scratch.script("looks", &format!("#!/bin/sh\n{LOOKS}\n"));
    let in_the_clear = |env: &[(&str, &str)]| {
        let host = Host::start(&mailbox, &[], env, &["./looks"]);
        let mut clear = host.connect();
        clear.says("USER joe\r\n", "+OK\n");
        clear.send("PASS secret\r\n");
        assert_eq!(clear.line(), "UCSPITLS \n");
        clear.line()
    };
    let never_offered = in_the_clear(&[("UCSPITLS", "-")]);
    assert_eq!(in_the_clear(&[]), never_offered);
    let host = Host::start(&mailbox, &[], &[], &["./looks"]);
    let mut clear = host.connect();
    clear.says("STLS\r\n", "+OK begin TLS\n");
    let mut tls = host.encrypt(clear);
    tls.says("USER joe\r\n", "+OK\n");
    tls.send("PASS secret\r\n");
    let told = tls.line();
    for name in ["SSL_PROTOCOL ", "SSL_CIPHER ", "SSL_TLS_SNI_SERVERNAME ", "UCSPITLS "] {
        assert!(told.contains(name), "{name}: {told}");
    }
    assert!(!told.contains("FD "), "{told}");
    // The same descriptors: nothing of what was on offer is open.
    assert_eq!(tls.line(), never_offered);
}

#[test]
fn what_comes_in_one_record_is_answered_in_one() {
    let mailbox = Mailbox::new("stls-records");
    let host = Host::start(&mailbox, &[], &[], &["true"]);
    let mut clear = host.connect();
    clear.says("STLS\r\n", "+OK begin TLS\n");
    let mut tls = host.encrypt(clear);
    for count in [1, 2, 100] {
        tls.says(&"NOOP\r\n".repeat(count), &"+OK\n".repeat(count));
        // What was decrypted came in one piece: it was one record, or several that came at once, and never one a line.
        assert_eq!(tls.0.buffer(), b"");
    }
    // A byte at a time does as well.
    for byte in "NOOP\r\n".chars() {
        tls.send(&byte.to_string());
    }
    tls.says("QUIT\r\n", "+OK\n+OK\n");
}
