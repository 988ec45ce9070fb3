//! Before login: every way to log in, what CAPA says of them, and what the checker is handed.

use super::*;

/// A checker that shows what it was handed, and refuses.
const SHOWS: &str = "#!/bin/sh\ntr '\\0' '|' <&3\necho\n";

/// qmail-popup with this `POP3AUTH`, and a checker that shows what it was handed.
fn shown(mailbox: &Mailbox, ways: Option<&str>) -> Session {
    let checker = mailbox.scratch.script("shows", SHOWS);
    let mut command = Command::new(program("qmail-popup"));
    command.arg("pop.example").arg(checker).env("TCPREMOTEIP", "192.0.2.7");
    if let Some(ways) = ways {
        command.env("POP3AUTH", ways);
    }
    Session::start(&mut command, &mailbox.scratch)
}

const ALL: Option<&str> = Some("user plain login apop cram-md5");
const DIGEST: &str = "0123456789abcdef0123456789abcdef";

fn base64(text: &str) -> String {
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for nth in 0..4 {
            let index = (bits >> (18 - 6 * nth)) as usize & 63;
            out.push(if nth > three.len() {
                '='
            } else {
                char::from(
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[index],
                )
            });
        }
    }
    out
}

fn unbase64(text: &str) -> String {
    let mut bits = 0_u32;
    let mut out = Vec::new();
    for (nth, byte) in text.bytes().take_while(|byte| *byte != b'=').enumerate() {
        let value = (0..64).find(|value| {
            let three = [0, 0, *value as u8];
            base64(std::str::from_utf8(&three).unwrap()).as_bytes()[3] == byte
        });
        bits = bits << 6 | value.expect("a character of base64");
        if nth % 4 > 0 {
            out.push((bits >> (6 - 2 * (nth % 4))) as u8);
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn each_way_hands_over_what_it_has() {
    let mailbox = Mailbox::new("pop3-ways");
    let plain = base64("\0joe\0se cret");
    let same = base64("joe\0joe\0se cret");
    let (name, password) = (base64("joe"), base64("se cret"));
    let apop = format!("APOP joe {DIGEST}\r\n");
    let password_is = "joe|se cret|BANNER|";
    for (dialogue, expected, handed) in [
        (&["USER joe\r\n", "PASS se cret\r\n"][..], &["+OK\r\n"][..], password_is),
        (&[&format!("AUTH PLAIN {plain}\r\n")], &[], password_is),
        (&["AUTH PLAIN\r\n", &format!("{same}\r\n")], &["+ \r\n"], password_is),
        (
            &["auth login\r\n", &format!("{name}\r\n"), &format!("{password}\r\n")],
            &["+ VXNlcm5hbWU6\r\n", "+ UGFzc3dvcmQ6\r\n"],
            password_is,
        ),
        (
            &[&format!("auth login {name}\r\n"), &format!("{password}\r\n")],
            &["+ UGFzc3dvcmQ6\r\n"],
            password_is,
        ),
        (&[&apop], &[], &format!("joe|{DIGEST}|BANNER|")),
        (
            &["AUTH CRAM-MD5\r\n", &format!("{}\r\n", base64(&format!("joe user {DIGEST}")))],
            &["CHALLENGE"],
            &format!("joe user|{DIGEST}|CHALLENGE|"),
        ),
        // A name in UTF-8, and one that is none: bytes are bytes (RFC 6856, section 2.2).
        (&["UTF8\r\n", "USER josé\r\n", "PASS ñ\r\n"], &["+OK\r\n"; 2], "josé|ñ|BANNER|"),
    ] {
        let mut session = shown(&mailbox, ALL);
        let banner = session.line();
        let stamp = banner.trim_end().strip_prefix("+OK ").unwrap().to_owned();
        let (mut expected, mut challenge) = (expected.iter(), String::new());
        for line in dialogue {
            session.send(line);
            match expected.next() {
                Some(&"CHALLENGE") => {
                    let said = session.line();
                    challenge = unbase64(said.trim_end().strip_prefix("+ ").unwrap());
                    assert!(challenge.starts_with('<') && challenge.ends_with("@pop.example>"));
                }
                Some(reply) => assert_eq!(session.line(), **reply, "{dialogue:?}"),
                None => {}
            }
        }
        let handed = handed.replace("BANNER", &stamp).replace("CHALLENGE", &challenge);
        ended(&session.finish(), &format!("{handed}\n"), "", 0);
    }
}

#[test]
fn a_password_comes_to_the_session_by_auth_as_by_pass() {
    let mailbox = Mailbox::with_three("pop3-auth-session");
    let mut session = mailbox.chain();
    session.line();
    // All in one packet: the session finds what is behind the password.
    session.send(&format!("AUTH PLAIN\r\n{}\r\nSTAT\r\nQUIT\r\n", base64("\0joe\0secret")));
    assert_eq!(session.line(), "+ \r\n");
    session.expect("+OK\n+OK 3 78\n+OK\n");
    ended(&session.finish(), "", "", 0);
}

#[test]
fn only_apop_puts_a_timestamp_into_the_banner() {
    let mailbox = Mailbox::new("pop3-banner");
    for (ways, stamped) in
        [(None, false), (Some("user plain cram-md5"), false), (Some("apop"), true), (ALL, true)]
    {
        let mut session = shown(&mailbox, ways);
        let banner = session.line();
        let pid = session.child.id();
        let stamp = banner.trim_end().strip_prefix("+OK ").unwrap();
        let bare = stamp.strip_prefix('<').and_then(|stamp| stamp.strip_suffix('>'));
        assert_eq!(bare.is_some(), stamped, "{ways:?}: {banner}");
        let bare = bare.unwrap_or(stamp);
        assert!(bare.starts_with(&format!("{pid}.")) && bare.ends_with("@pop.example"));
        assert!(!bare.contains(['<', '>']), "{banner}");
    }
}

#[test]
fn capa_and_auth_name_what_the_checker_can_do() {
    let mailbox = Mailbox::new("pop3-capa");
    let rest =
        "PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nUTF8 USER\r\nLANG\r\nEXPIRE NEVER\r\n";
    for (ways, listed, mechanisms) in [
        (None, "USER\r\nSASL PLAIN LOGIN\r\n", Some("PLAIN\r\nLOGIN\r\n")),
        (ALL, "USER\r\nSASL CRAM-MD5 PLAIN LOGIN\r\n", Some("CRAM-MD5\r\nPLAIN\r\nLOGIN\r\n")),
        (Some("USER apop"), "USER\r\n", None),
        (Some("plain"), "SASL PLAIN\r\n", Some("PLAIN\r\n")),
    ] {
        let mut session = shown(&mailbox, ways);
        session.line();
        session.send("CAPA\r\n");
        let said = String::from_utf8(session.listing()).unwrap();
        assert_eq!(said, format!("TOP\r\nUIDL\r\n{listed}{rest}"), "{ways:?}");
        session.send("AUTH\r\n");
        match mechanisms {
            Some(names) => assert_eq!(session.listing(), names.as_bytes()),
            None => session.expect("-ERR that is not on offer\n"),
        }
        // What isn't named isn't done either.
        for (way, line) in [
            ("USER", "USER joe\r\n"),
            ("apop", &*format!("APOP joe {DIGEST}x\r\n")),
            ("PLAIN", "AUTH PLAIN =\r\n"),
            ("LOGIN", "AUTH LOGIN =\r\n"),
            ("CRAM-MD5", "AUTH CRAM-MD5 =\r\n"),
        ] {
            session.send(line);
            let on_offer = listed.contains(way) || ways.is_some_and(|ways| ways.contains(way));
            let refused = session.line() == "-ERR that is not on offer\r\n";
            assert_eq!(refused, !on_offer, "{ways:?} {line}");
        }
        session.send("QUIT\r\n");
        session.expect("+OK\n");
        ended(&session.finish(), "", "", 0);
    }
}

#[test]
fn what_the_administrator_says_and_nobody_can_do() {
    for (ways, complaint) in [
        ("user scram-sha-1", "offer scram-sha-1: POP3AUTH knows user plain login apop cram-md5"),
        ("user,plain", "offer user,plain: POP3AUTH knows user plain login apop cram-md5"),
        (" ", "offer logins: POP3AUTH is empty"),
    ] {
        let run = Run::new(program("qmail-popup")).args(["h", "true"]).env("POP3AUTH", ways);
        let outcome = run.output();
        assert_eq!(outcome.err(), format!("qmail-popup: fatal: unable to {complaint}\n"));
        assert_eq!((outcome.code, outcome.out().as_str()), (100, ""));
    }
}

#[test]
fn an_exchange_that_comes_to_nothing_ends_nothing() {
    let mailbox = Mailbox::new("pop3-exchange");
    let mut session = shown(&mailbox, ALL);
    session.line();
    for (begin, line, reply) in [
        ("AUTH PLAIN", "*".to_owned(), "-ERR as you like\n"),
        ("AUTH LOGIN", "*".to_owned(), "-ERR as you like\n"),
        ("AUTH CRAM-MD5", "*".to_owned(), "-ERR as you like\n"),
        ("AUTH PLAIN", "AGpvZQB4=".to_owned(), "-ERR syntax error\n"),
        ("AUTH PLAIN", base64("joe"), "-ERR syntax error\n"),
        // Longer than a command may be, and then too long for anything.
        ("AUTH PLAIN", "A".repeat(1024), "-ERR syntax error\n"),
        ("AUTH PLAIN", "A".repeat(1028), "-ERR line too long\n"),
        ("AUTH PLAIN", "A".repeat(100_000), "-ERR line too long\n"),
    ] {
        session.send(&format!("{begin}\r\n"));
        assert!(session.line().starts_with("+ "), "{begin}");
        session.send(&format!("{line}\r\nNOOP\r\n"));
        session.expect(reply);
        session.expect("+OK\n");
    }
    session.send("LANG\r\nLANG *\r\nLANG de\r\n");
    session.expect("+OK one language\ni-default English\n.\n+OK i-default as ever\n");
    session.expect("-ERR that language is not spoken here\n");
    // The longest that is taken: two names and a password of 255 octets.
    let (name, password) = ("n".repeat(255), "p".repeat(255));
    session.send("AUTH PLAIN\r\n");
    session.expect("+ \n");
    session.send(&format!("{}\r\n", base64(&format!("{name}\0{name}\0{password}"))));
    assert!(session.line().starts_with(&format!("{name}|{password}|")));
    ended(&session.finish(), "", "", 0);
}

#[test]
fn lines_in_a_pipe_are_answered_together_and_what_follows_stays_there() {
    let mailbox = Mailbox::with_three("pop3-pipe-packets");
    let pop3d = program("qmail-pop3d");
    // TLS gives its program pipes. Whatever is written to the other end comes in packets.
    let (reader, mut writer) = std::io::pipe().unwrap();
    let (mut near, far) = packets();
    near.set_read_timeout(Some(PATIENCE)).unwrap();
    writer
        .write_all(b"NOOP\r\nCAPA\r\nuser joe\r\npass secret\r\nSTAT\r\nNOOP\r\nQUIT\r\n")
        .unwrap();
    let mut command = mailbox.popup_command(&[pop3d.to_str().unwrap(), "Maildir"]);
    command.current_dir(mailbox.scratch.path());
    if is_root() {
        command.uid(ACCOUNT).gid(ACCOUNT);
    }
    command.stdin(Stdio::from(OwnedFd::from(reader))).stdout(Stdio::from(OwnedFd::from(far)));
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut packet = [0; 4096];
    let mut next = || {
        let count = near.read(&mut packet).unwrap();
        String::from_utf8_lossy(&packet[..count]).into_owned()
    };
    let (banner, first) = (next(), next());
    assert!(banner.starts_with("+OK ") && banner.lines().count() == 1, "{banner}");
    assert!(first.starts_with("+OK\r\n+OK ") && first.ends_with("\r\n.\r\n+OK\r\n"), "{first}");
    let rest = next() + &next();
    assert_eq!(rest, "+OK\r\n+OK 3 78\r\n+OK\r\n+OK\r\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn no_secret_stays_in_memory_while_the_session_lasts() {
    let mailbox = Mailbox::new("pop3-secret");
    let secret = "quince-and-medlar";
    let checker =
        mailbox.scratch.script("checker", "#!/bin/sh\ncat <&3 >/dev/null; echo in; exec cat\n");
    for dialogue in [
        format!("user joe\r\npass {secret}\r\n"),
        format!("auth plain {}\r\n", base64(&format!("\0joe\0{secret}"))),
        format!("auth plain\r\n{}\r\n", base64(&format!("\0joe\0{secret}"))),
        format!("auth login\r\n{}\r\n{}\r\n", base64("joe"), base64(secret)),
        format!(
            "user joe\r\npass\0{secret}\r\nuser joe\r\npass {secret}\0\r\nuser x\r\npass y\r\n"
        ),
    ] {
        let mut command = Command::new(program("qmail-popup"));
        command.arg("pop.example").arg(&checker);
        let mut session = Session::start(&mut command, &mailbox.scratch);
        session.send(&dialogue);
        while session.line() != "in\n" {}
        let held = memory(session.child.id());
        // That it is its memory at all.
        assert!(contains(&held, b"authorization first"));
        for trace in [secret.to_owned(), base64(secret), base64(&format!("\0joe\0{secret}"))] {
            // Any part of it that says something.
            assert!(!contains(&held, &trace.as_bytes()[4..16]), "{trace:?} of {dialogue:?}");
        }
        session.send("bye\n");
        assert_eq!(session.line(), "bye\n");
        session.hang_up();
    }
}

#[test]
fn however_much_is_asked_it_takes_no_more_memory() {
    let mailbox = Mailbox::new("pop3-flood");
    let mut session = shown(&mailbox, ALL);
    session.line();
    let asked = "CAPA\r\nAUTH\r\nUSER joe\r\nAUTH PLAIN\r\n*\r\nAUTH CRAM-MD5\r\n*\r\nLANG\r\n";
    let anonymous = |session: &Session| {
        let status = fs::read_to_string(format!("/proc/{}/status", session.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    for _ in 0..300 {
        session.send(&asked.repeat(20));
        session.send("QUIT x\r\n");
        while session.line() != "-ERR syntax error\r\n" {}
    }
    // 48,000 commands later: what is kept is a buffer for replies, and the pages that a program touches.
    let kept = anonymous(&session);
    assert!(kept < 400, "{kept} kB");
    session.send("QUIT\r\n");
    session.expect("+OK\n");
    ended(&session.finish(), "", "", 0);
}

fn contains(memory: &[u8], what: &[u8]) -> bool {
    memory.windows(what.len()).any(|window| window == what)
}

/// All that a process can write to or read, as far as it can be read.
fn memory(pid: u32) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let file = File::open(format!("/proc/{pid}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut held = Vec::new();
    for line in maps.lines().filter(|line| !line.contains("[v")) {
        let (from, rest) = line.split_once('-').unwrap();
        let to = rest.split(' ').next().unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut piece = vec![0; usize::try_from(to - from).unwrap()];
        if file.read_exact_at(&mut piece, from).is_ok() {
            held.extend_from_slice(&piece);
        }
    }
    held
}
