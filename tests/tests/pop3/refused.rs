//! A login that is refused: what it costs, what the client hears, and what the log says.

use super::*;
use std::time::Instant;
use tests::{record_skip, workspace};

/// What a refusal takes.
const PENALTY: Duration = Duration::from_secs(3);

const REFUSED: &str = "-ERR [AUTH] authorization failed\r\n";

/// Every way to fail; the last is refused for wanting to be somebody else.
const WAYS: [&str; 6] = [
    "user NAME\r\npass wrong\r\n",
    // \0NAME\0wrong, for joe
    "auth plain AGpvZQB3cm9uZw==\r\n",
    "auth login am9l\r\nd3Jvbmc=\r\n",
    "apop NAME 0123456789abcdef0123456789abcdef\r\n",
    // joe 0123456789abcdef0123456789abcdef
    "auth cram-md5\r\nam9lIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm\r\n",
    // root\0joe\0secret
    "auth plain cm9vdABqb2UAc2VjcmV0\r\n",
];

fn failing(mailbox: &Mailbox) -> Command {
    let mut command = mailbox.popup_command(&["true"]);
    command.env("POP3AUTH", "user plain login apop cram-md5");
    command
}

#[test]
fn each_way_to_fail_looks_the_same_and_costs_the_same() {
    let mailbox = Mailbox::new("pop3-refused");
    mailbox.scratch.script("checker", "#!/bin/sh\nexit 1\n");
    for way in WAYS {
        let begin = Instant::now();
        let mut session = Session::start(&mut failing(&mailbox), &mailbox.scratch);
        session.line();
        session.send(&way.replace("NAME", "joe"));
        let over = session.finish();
        assert!(begin.elapsed() >= PENALTY, "{way:?} after {:?}", begin.elapsed());
        let said = over.said.lines().last().map(|line| format!("{line}\r\n"));
        assert_eq!(said.as_deref(), Some(REFUSED), "{way:?}");
        let log = "qmail-popup: authentication failed: user joe from 192.0.2.7\n";
        assert_eq!((over.log.as_str(), over.code), (log, Some(1)), "{way:?}");
    }
}

#[test]
fn nobody_is_somebody_else_and_the_checker_is_not_even_asked() {
    let mailbox = Mailbox::new("pop3-authzid");
    mailbox.scratch.script("checker", "#!/bin/sh\necho asked\n");
    let mut session = Session::start(&mut failing(&mailbox), &mailbox.scratch);
    session.line();
    session.send(WAYS[5]);
    assert_eq!(session.finish().said, REFUSED);
}

#[test]
fn who_hangs_up_is_waited_for_all_the_same() {
    let mailbox = Mailbox::new("pop3-hung-up");
    let mut session = Session::start(&mut failing(&mailbox), &mailbox.scratch);
    let pid = session.child.id();
    session.line();
    let begin = Instant::now();
    session.send("user joe\r\npass wrong\r\n");
    session.expect("+OK\n");
    let over = session.hang_up();
    assert!(begin.elapsed() >= PENALTY, "{:?}", begin.elapsed());
    let log = "qmail-popup: authentication failed: user joe from 192.0.2.7\n";
    assert_eq!((over.log.as_str(), over.code), (log, Some(1)), "{pid}");
}

#[test]
fn it_is_in_the_log_before_the_client_hears_of_it() {
    let mailbox = Mailbox::new("pop3-log-first");
    let mut session = Session::start(&mut failing(&mailbox), &mailbox.scratch);
    session.line();
    session.send("user joe\r\npass wrong\r\n");
    session.expect("+OK\n");
    let mut log = BufReader::new(session.child.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert_eq!(line, "qmail-popup: authentication failed: user joe from 192.0.2.7\n");
    // Nothing has come yet: who watches the log has all the time of the penalty.
    session.socket.get_ref().set_nonblocking(true).unwrap();
    let heard = session.socket.get_mut().read(&mut [0]);
    assert_eq!(heard.map_err(|error| error.kind()).err(), Some(std::io::ErrorKind::WouldBlock));
    session.socket.get_ref().set_nonblocking(false).unwrap();
    assert_eq!(session.line(), REFUSED);
}

/// Names with which somebody might want to have another address blocked, or the line not seen.
const HOSTILE: [&str; 8] = [
    "joe",
    "joe from 198.51.100.9",
    "x from 198.51.100.9\rqmail-popup: authentication failed: user y from 198.51.100.9",
    "[198.51.100.9]: authentication failed: user root from 198.51.100.9",
    "<HOST>%(__prefix_line)s",
    "\u{7f}\u{1b}[2K\u{1b}[1A",
    "josé\u{2028}from 198.51.100.9",
    "qmail-popup:authentication:failed:user:x:from:198.51.100.9",
];

#[test]
fn fail2ban_finds_the_address_and_no_other() {
    let regex = Path::new("/usr/bin/fail2ban-regex");
    if !regex.exists() {
        skip!("no fail2ban-regex");
    }
    let mailbox = Mailbox::new("pop3-fail2ban");
    let mut lines: Vec<String> = Vec::new();
    let mut started: Vec<Session> = Vec::new();
    for (nth, name) in
        HOSTILE.iter().map(|name| (*name).to_owned()).chain(["n".repeat(500)]).enumerate()
    {
        let mut command = failing(&mailbox);
        command.env("TCPREMOTEIP", if nth % 2 == 0 { "192.0.2.7" } else { "2001:db8::7" });
        let mut session = Session::start(&mut command, &mailbox.scratch);
        session.line();
        session.send(&format!("user {name}\r\npass wrong\r\n"));
        started.push(session);
    }
    for session in started {
        let over = session.finish();
        assert_eq!(over.log.lines().count(), 1, "{}", over.log);
        lines.push(over.log.trim_end().to_owned());
    }
    let logged = lines.len();
    // What else may stand there: none of it is anybody's failure.
    lines.push(
        "qmail-popup: warning: unable to check user joe from 198.51.100.9: c exited 111".into(),
    );
    lines.push("tcpserver: ok 5 h:192.0.2.1:110 :198.51.100.9::40000".into());
    lines.push("authentication failed: user joe from 198.51.100.9".into());
    // As multilog writes it, tai64nlocal shows it, and splogger has syslog write it.
    let multilog: String =
        (0..).zip(&lines).map(|(n, l)| format!("@4000000065{n:06x}00000000 {l}\n")).collect();
    let local: String = (0..)
        .zip(&lines)
        .map(|(n, l)| format!("2026-11-23 17:00:{n:02}.123456789 {l}\n"))
        .collect();
    let syslog: String = (0..)
        .zip(&lines)
        .map(|(n, l)| format!("Nov 23 17:00:{n:02} h pop3d: 1795453200.123456 {l}\n"))
        .collect();
    let filter = workspace().join("examples/fail2ban/filter.d/qmail-popup.conf");
    for (form, log) in [("multilog", multilog), ("local", local), ("syslog", syslog)] {
        let path = mailbox.scratch.file(form, log);
        let run =
            Run::new(regex).args(["--print-all-matched", "--out", "ip"]).arg(&path).arg(&filter);
        let found = run.env("LC_ALL", "C.UTF-8").deadline(Duration::from_secs(120)).output();
        let mut expected: Vec<&str> =
            (0..logged).map(|nth| if nth % 2 == 0 { "192.0.2.7" } else { "2001:db8::7" }).collect();
        let text = found.out();
        let mut addresses: Vec<&str> = text.split_whitespace().collect();
        expected.sort_unstable();
        addresses.sort_unstable();
        assert_eq!(addresses, expected, "{form}: {found:?}");
    }
    let jail =
        fs::read_to_string(workspace().join("examples/fail2ban/jail.d/qmail-popup.conf")).unwrap();
    assert!(jail.contains("\nfilter = qmail-popup\n"), "{jail}");
    if !Path::new("/usr/bin/fail2ban-client").exists() {
        record_skip("no fail2ban-client");
        return;
    }
    // What it would be told to do, from a copy of the host's configuration with ours in it.
    let etc = mailbox.scratch.join("etc");
    let copied = Run::new("cp").args(["-r", "/etc/fail2ban"]).arg(&etc).output();
    assert_eq!(copied.code, 0, "{copied:?}");
    for (from, to) in [("filter.d", "filter.d"), ("jail.d", "jail.d")] {
        let name = "qmail-popup.conf";
        let source = workspace().join("examples/fail2ban").join(from).join(name);
        fs::copy(source, etc.join(to).join(name)).unwrap();
    }
    let told = Run::new("/usr/bin/fail2ban-client").arg("-c").arg(&etc).arg("--dp");
    let told = told.deadline(Duration::from_secs(120)).output();
    assert_eq!(told.code, 0, "{told:?}");
    for part in ["qmail-popup", "authentication failed: user", "pop3,pop3s"] {
        assert!(told.out().contains(part), "{part}: {}", told.out());
    }
}
