//! examples/smtpd: whom the rules turn away, whom the list, and what becomes of the mail of the others.

use std::fs;
use std::net::TcpStream;
use std::time::Duration;

use tests::{Child, Run, Scratch, alone, is_root, program, skip, text, wait_until, workspace};

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
        for (name, value) in [("PORT", "2525"), ("LIST", "bl.test"), ("AS", "env UID=0 GID=0")] {
            directory.file(format!("env/{name}").as_str(), value);
        }
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

    /// The messages that were taken.
    fn mail(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.join("mail")).expect("mail/");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| fs::read_to_string(path).expect("a message")).collect()
    }
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
        ["Received: from unknown (127.0.0.9) by host.domain.ru\nSubject: x\n\n.dot\n"]
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
