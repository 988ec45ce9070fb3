//! examples/smtpd: whom the rules turn away, whom the list, what becomes of the mail of the others, and STARTTLS.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
use tests::{Child, Run, Scratch, alone, is_root, program, skip, text, tls, wait_until, workspace};

use crate::name_server;
use crate::network::Network;

const SOON: Duration = Duration::from_secs(30);

/// The example, in a directory of its own, with what is particular to this host in its `env/`.
struct Smtpd {
    directory: Scratch,
    child: Child,
}

impl Smtpd {
    fn start() -> Smtpd {
        let directory = Scratch::new("smtpd");
        let example = workspace().join("examples/smtpd");
        let place = directory.path().display();
        // Who runs the tests owns the mail.
        let script = format!("cp -R '{}/.' '{place}' && mkdir '{place}/mail'", example.display());
        assert_eq!(Run::sh(&script).output().code, 0);
        let cert = directory.join("cert.pem").display().to_string();
        for (name, value) in [("PORT", "2525"), ("LIST", "bl.test"), ("AS", "env"), ("CERT", &cert)]
        {
            directory.file(format!("env/{name}").as_str(), value);
        }
        // Who sends nothing in the clear, and who never gets TLS.
        let rules = directory.join("rules");
        let text = fs::read_to_string(&rules).expect("rules").replace("198.51.100.", "127.1.1.");
        fs::write(rules, text).expect("rules");
        let made = Run::new(program("tcpserver-cert")).args(["--host", "host.domain.ru", &cert]);
        assert_eq!(made.output().code, 0);
        let run = Run::new(directory.join("run")).cwd(directory.path());
        let run = run.env("PATH", tests::path()).env("DNSCACHEIP", name_server::ADDRESS);
        let child = run.spawn();
        wait_until("the port", SOON, || TcpStream::connect("127.0.0.1:2525").is_ok());
        Smtpd { directory, child }
    }

    /// What a client with this address hears that says this.
    fn hears(&self, client: &str, said: &str) -> String {
        let run = Run::new(program("tcpclient")).args(["-RHl0", "-i", client, "127.0.0.1", "2525"]);
        run.arg("mconnect-io").env("PATH", tests::path()).stdin(said).output().out()
    }

    /// A connection from this address, greeted.
    fn greets(&self, client: &str) -> TcpStream {
        let address = |text: &str| text.parse::<SocketAddrV4>().map(SockaddrIn::from);
        let [from, to] = [format!("{client}:0"), "127.0.0.1:2525".to_owned()]
            .map(|text| address(&text).expect("an address"));
        let fd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
        let fd = fd.expect("a socket");
        bind(fd.as_raw_fd(), &from).expect("its address");
        connect(fd.as_raw_fd(), &to).expect("a connection");
        let mut stream = TcpStream::from(fd);
        stream.set_read_timeout(Some(SOON)).expect("a time-out");
        assert_eq!(line(&mut stream), "220 host.domain.ru ESMTP");
        stream
    }

    /// TLS on this connection.
    fn over(&self, stream: TcpStream) -> tls::Tls {
        tls::over(stream, "host.domain.ru", &self.directory.join("cert.pem")).expect("TLS")
    }

    /// The messages that were taken.
    fn mail(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join("mail")).expect("mail/");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| fs::read_to_string(path).expect("a message")).collect()
    }
}

/// One line, and not a byte more: TLS may follow.
fn line(stream: &mut impl Read) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte).expect("a line");
        line.push(byte[0]);
    }
    text(&line).trim_end().to_owned()
}

/// What is answered to a command, its lines with a blank between them.
fn asks(stream: &mut (impl Read + Write), command: &str) -> String {
    stream.write_all(format!("{command}\r\n").as_bytes()).expect("sent");
    let mut lines = vec![line(stream)];
    while lines.last().is_some_and(|last| last.get(3..4) == Some("-")) {
        lines.push(line(stream));
    }
    lines.join(" ")
}

/// A message to somebody, as a client sends it.
fn message(to: &str) -> String {
    format!("helo x\nmail from:<a@b>\nrcpt to:<{to}>\ndata\nSubject: x\n\n..dot\n.\nquit\n")
}

#[test]
fn smtpd_takes_mail_from_whom_the_rules_and_the_list_let_in() {
    if !is_root() {
        skip!("who may change accounts is root");
    }
    alone!();
    let _network = Network::start();
    let smtpd = Smtpd::start();
    let taken = "220 host.domain.ru ESMTP\r\n250 host.domain.ru\r\n250 ok\r\n250 ok\r\n354 go ahead\r\n\
        250 taken\r\n221 host.domain.ru\r\n";
    assert_eq!(smtpd.hears("127.0.0.9", &message("joe@host.domain.ru")), taken);
    let mail = smtpd.mail();
    assert_eq!(
        mail,
        ["Received: from unknown (127.0.0.9) by host.domain.ru with SMTP\nSubject: x\n\n.dot\n"]
    );
    // A stranger's mail for others isn't taken, our own is.
    let refused = smtpd.hears("127.0.0.9", &message("joe@elsewhere.test"));
    assert!(refused.contains("\r\n553 not for us\r\n503 for whom?\r\n"), "{refused}");
    assert_eq!(smtpd.hears("127.0.0.1", &message("joe@elsewhere.test")), taken);
    // Who is on the list talks to rblsmtpd.
    let listed =
        smtpd.hears("127.0.0.2", "helo x\nmail from:<a>\nrcpt to:<joe@host.domain.ru>\nquit\n");
    assert_eq!(
        listed,
        "220 rblsmtpd.local\r\n250 rblsmtpd.local\r\n250 rblsmtpd.local\r\n\
         451 Listed, see http://bl.test/\r\n221 rblsmtpd.local\r\n"
    );
    assert_eq!(smtpd.mail().len(), 2);
    let log = text(&smtpd.child.stdout());
    assert!(log.contains("rblsmtpd: 127.0.0.2 pid "), "{log}");
}

#[test]
fn smtpd_takes_mail_over_tls_once_it_is_asked_to() {
    if !is_root() {
        skip!("who may change accounts is root");
    }
    alone!();
    let _network = Network::start();
    let smtpd = Smtpd::start();
    let offers = "250-host.domain.ru 250 STARTTLS";
    let mut clear = smtpd.greets("127.0.0.9");
    assert_eq!(asks(&mut clear, "EHLO x"), offers);
    // What was agreed on in the clear doesn't count afterwards.
    assert_eq!(asks(&mut clear, "MAIL FROM:<a@b>"), "250 ok");
    assert_eq!(asks(&mut clear, "RCPT TO:<joe@host.domain.ru>"), "250 ok");
    assert_eq!(asks(&mut clear, "STARTTLS"), "220 go ahead");
    let mut encrypted = smtpd.over(clear);
    assert_eq!(asks(&mut encrypted, "DATA"), "503 for whom?");
    assert_eq!(asks(&mut encrypted, "EHLO x"), "250 host.domain.ru");
    assert_eq!(asks(&mut encrypted, "STARTTLS"), "502 no TLS");
    for (command, answer) in [
        ("MAIL FROM:<a@b>", "250 ok"),
        ("RCPT TO:<joe@host.domain.ru>", "250 ok"),
        ("DATA", "354 go ahead"),
        ("Subject: x\r\n\r\nsecret\r\n.", "250 taken"),
        ("QUIT", "221 host.domain.ru"),
    ] {
        assert_eq!(asks(&mut encrypted, command), answer, "{command}");
    }
    assert_eq!(encrypted.read(&mut [0]).expect("an orderly end"), 0);
    let mail =
        "Received: from unknown (127.0.0.9) by host.domain.ru with ESMTPS\nSubject: x\n\nsecret\n";
    assert_eq!(smtpd.mail(), [mail]);
}

#[test]
fn smtpd_listens_to_nothing_that_came_in_the_clear_behind_starttls() {
    if !is_root() {
        skip!("who may change accounts is root");
    }
    alone!();
    let _network = Network::start();
    let smtpd = Smtpd::start();
    // In one piece: mail from whoever sits in the middle, that would look as if it had come by TLS.
    let evil = message("joe@host.domain.ru").replace('\n', "\r\n");
    let mut clear = smtpd.greets("127.0.0.9");
    clear.write_all(format!("STARTTLS\r\n{evil}").as_bytes()).expect("sent");
    let mut rest = Vec::new();
    // An alert, or the connection is reset: nothing that smtpd says.
    let _ = clear.read_to_end(&mut rest);
    let rest = text(&rest);
    assert!(rest.starts_with("220 go ahead\r\n") && !rest.contains("250"), "{rest:?}");
    smtpd.child.expect("TLS handshake failed: peer speaks no TLS (plain text)\n");
    smtpd.child.expect(" status 0\n");
    assert_eq!(smtpd.mail().len(), 0);
}

#[test]
fn smtpd_has_networks_that_must_encrypt_and_hosts_that_can_not() {
    if !is_root() {
        skip!("who may change accounts is root");
    }
    alone!();
    let _network = Network::start();
    let smtpd = Smtpd::start();
    let mut clear = smtpd.greets("127.1.1.9");
    assert_eq!(asks(&mut clear, "EHLO x"), "250-host.domain.ru 250 STARTTLS");
    for command in ["MAIL FROM:<a@b>", "RCPT TO:<joe@host.domain.ru>", "DATA", "mail from:<a@b>"] {
        assert_eq!(asks(&mut clear, command), "530 STARTTLS first");
    }
    assert_eq!(asks(&mut clear, "NOOP"), "250 ok");
    assert_eq!(asks(&mut clear, "STARTTLS"), "220 go ahead");
    assert_eq!(asks(&mut smtpd.over(clear), "MAIL FROM:<a@b>"), "250 ok");
    let mut plain = smtpd.greets("127.1.1.7");
    assert_eq!(asks(&mut plain, "EHLO x"), "250 host.domain.ru");
    assert_eq!(asks(&mut plain, "STARTTLS"), "502 no TLS");
    assert_eq!(asks(&mut plain, "MAIL FROM:<a@b>"), "250 ok");
}
