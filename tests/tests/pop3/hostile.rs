//! What an owner of a mailbox, or an accident, can put into it.

use super::*;

/// Opened by root for whoever owns it.
fn changed(path: &Path) -> File {
    File::options().append(true).open(path).unwrap()
}

#[test]
fn a_message_that_grows_while_it_is_sent_is_sent_as_it_was() {
    let mailbox = Mailbox::new("pop3-grows");
    let text = b"0123456789\n".repeat(2_000_000);
    mailbox.deliver("cur/1:2,", &text, 1);
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("retr 1\r\nnoop\r\n");
    session.expect("+OK message follows\n0123456789\n");
    changed(&mailbox.path("cur/1:2,")).write_all(b"more\n").unwrap();
    let mut rest = Vec::new();
    while !rest.ends_with(b"\r\n.\r\n") {
        assert!(session.socket.read_until(b'\n', &mut rest).unwrap() > 0, "cut");
    }
    assert_eq!(rest.len(), 1_999_999 * 12 + 3);
    session.expect("+OK\n");
    ended(&session.hang_up(), "", "", 0);
}

#[test]
fn a_message_that_shrinks_while_it_is_sent_is_not_complete() {
    let mailbox = Mailbox::new("pop3-shrinks");
    mailbox.deliver("cur/1:2,", &b"0123456789\n".repeat(2_000_000), 1);
    mailbox.deliver("cur/2:2,", b"x\n", 2);
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("dele 2\r\nretr 1\r\nquit\r\n");
    session.expect("+OK\n+OK message follows\n0123456789\n");
    changed(&mailbox.path("cur/1:2,")).set_len(1_000_000).unwrap();
    let over = session.finish();
    assert!(over.said.len() < 24_000_000 && !over.said.ends_with("\r\n.\r\n"));
    assert_eq!(over.log, "qmail-pop3d: fatal: unable to read cur/1:2,: input/output error\n");
    assert_eq!(over.code, Some(0));
    // The QUIT that came with it isn't obeyed.
    assert_eq!(mailbox.files("cur"), ["1:2,", "2:2,"]);
}

#[test]
fn a_message_of_four_gigabytes() {
    let mailbox = Mailbox::with_three("pop3-huge");
    mailbox.deliver("cur/4.d:2,", b"\n\n\n", 4);
    changed(&mailbox.path("cur/4.d:2,")).set_len(1 << 32).unwrap();
    set_times(&mailbox.path("cur/4.d:2,"), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_004));
    // Three line ends more, and one that is missing.
    let octets = (1_u64 << 32) + 3 + 2;
    for _ in 0..2 {
        let mut session = mailbox.pop3d();
        session.socket.get_ref().set_read_timeout(Some(PATIENCE * 6)).unwrap();
        session.expect("+OK\n");
        session.send("list 4\r\nstat\r\nretr 2\r\ntop 4 2\r\n");
        session.expect(&format!("+OK 4 {octets}\n+OK 4 {}\n", 78 + octets));
        assert_eq!(session.listing(), b"Subject: two\r\n\r\nsecond\r\n");
        assert_eq!(session.listing(), b"\r\n\r\n\r\n");
        ended(&session.hang_up(), "", "", 0);
    }
}

#[test]
fn ten_megabytes_of_names() {
    const COUNT: usize = 42_000;
    let mailbox = Mailbox::new("pop3-names");
    let text = "x\n";
    for number in 0..COUNT {
        let name = format!("new/{number:05}.{}", "~".repeat(244));
        mailbox.deliver(&name, text.as_bytes(), number as u64);
    }
    let mut session = mailbox.pop3d();
    session.expect("+OK\n");
    session.send("stat\r\nuidl\r\nretr 42000\r\n");
    session.expect(&format!("+OK {COUNT} {}\n", COUNT * 3));
    let ids = String::from_utf8(session.listing()).unwrap();
    assert_eq!(ids.lines().count(), COUNT);
    // Names of this length are no ids.
    assert!(ids.lines().all(|line| line.split(' ').nth(1).unwrap().len() == 32));
    assert_eq!(session.listing(), b"x\r\n");
    ended(&session.hang_up(), "", "", 0);
}

#[test]
fn more_names_than_there_is_memory_for() {
    const COUNT: usize = 25_000;
    let mailbox = Mailbox::new("pop3-no-memory");
    let letters = |number: usize| -> String {
        (0..240).map(|nth| char::from(b'g' + ((number >> (nth % 15)) % 2) as u8)).collect()
    };
    for number in 0..COUNT {
        mailbox.deliver(&format!("new/{}", letters(number)), b"x\n", number as u64);
    }
    let mut command = Command::new(program("softlimit"));
    command.args(["-m", "5000000"]).arg(program("qmail-pop3d")).arg("Maildir");
    let mut session = Session::start(&mut command, &mailbox.scratch);
    session.expect("+OK\n");
    session.send("stat\r\n");
    let said = "-ERR [SYS/TEMP] out of memory\r\n";
    let log = "qmail-pop3d: fatal: unable to list Maildir: out of memory\n";
    ended(&session.finish(), said, log, 0);
}
