//! What qmail-pop3d leaves in a Maildir for its next session, and sessions that keep others out.

use super::*;

const FILE: &str = "qmail-pop3d.sizes";

impl Mailbox {
    /// qmail-pop3d, started by a line of shell, in which it is `"$@"`.
    fn pop3d_by(&self, script: &str) -> Session {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(program("qmail-pop3d")).arg("Maildir");
        Session::start(&mut command, &self.scratch)
    }

    /// What a session says that asks for everything.
    fn all(&self) -> String {
        let mut session = self.pop3d();
        session.expect("+OK\n");
        session.send("stat\r\nlist\r\nuidl\r\n");
        let said = session.line();
        let (sizes, ids) = (session.listing(), session.listing());
        session.send("noop\r\n");
        session.expect("+OK\n");
        ended(&session.hang_up(), "", "", 0);
        [said.into_bytes(), sizes, ids].map(|part| String::from_utf8(part).unwrap()).concat()
    }
}

const THREE: &str = "+OK 3 78\r\n1 29\r\n2 24\r\n3 25\r\n1 1.a\r\n2 2.b\r\n3 3.c\r\n";

#[test]
fn right_after_whatever_others_did() {
    let mailbox = Mailbox::with_three("pop3-sizes-others");
    assert_eq!(mailbox.all(), THREE);
    let mode = fs::metadata(mailbox.path(FILE)).unwrap().permissions().mode();
    assert_eq!(mode, 0o100_600);
    assert_eq!(mailbox.all(), THREE);
    // Moved and flagged.
    fs::rename(mailbox.path("new/1.a"), mailbox.path("cur/1.a:2,S")).unwrap();
    assert_eq!(mailbox.all(), THREE);
    // Delivered; rewritten in place, as long as it was, and in the same second; deleted.
    mailbox.deliver("new/4.d", b"\n\n", 4);
    fs::write(mailbox.path("new/2.b"), b"Subject: tw\n\n\nsecond\n").unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_002, 1);
    set_times(&mailbox.path("new/2.b"), time);
    fs::remove_file(mailbox.path("cur/3.c:2,S")).unwrap();
    let changed = "+OK 3 58\r\n1 29\r\n2 25\r\n3 4\r\n1 1.a\r\n2 2.b\r\n3 4.d\r\n";
    assert_eq!(mailbox.all(), changed);
    assert_eq!(mailbox.all(), changed);
    // Nothing of it is left lying about.
    assert_eq!(mailbox.files("tmp"), [""; 0]);
}

#[test]
fn where_nothing_can_be_written_there_is_a_session_nevertheless() {
    let mailbox = Mailbox::with_three("pop3-sizes-unwritable");
    let session = |script| {
        let mut session = mailbox.pop3d_by(script);
        session.expect("+OK\n");
        session.send("stat\r\ndele 1\r\nquit\r\n");
        let said = session.line();
        session.expect("+OK\n+OK\n");
        ended(&session.finish(), "", "", 0);
        said
    };
    // As on a full disk.
    assert_eq!(session("ulimit -f 0; exec \"$@\""), "+OK 3 78\r\n");
    assert_eq!((mailbox.files("").len(), mailbox.files("tmp").len()), (3, 0));
    fs::remove_dir(mailbox.path("tmp")).unwrap();
    assert_eq!(session("exec \"$@\""), "+OK 2 49\r\n");
    assert_eq!(mailbox.files(""), ["cur", "new"]);
}

#[test]
fn two_sessions_at_once() {
    let mailbox = Mailbox::with_three("pop3-sizes-two");
    let mut sessions = [mailbox.pop3d(), mailbox.pop3d()];
    for session in &mut sessions {
        session.expect("+OK\n");
        session.send("stat\r\nlist 2\r\n");
        session.expect("+OK 3 78\n+OK 2 24\n");
    }
    let [mut first, mut second] = sessions;
    first.send("dele 1\r\nquit\r\n");
    first.expect("+OK\n+OK\n");
    ended(&first.finish(), "", "", 0);
    // What the first has moved, the second finds; what both delete is deleted.
    second.send("retr 2\r\ndele 1\r\ndele 3\r\n");
    assert_eq!(second.listing(), b"Subject: two\r\n\r\nsecond\r\n");
    second.send("quit\r\n");
    second.expect("+OK\n+OK\n+OK\n");
    ended(&second.finish(), "", "", 0);
    assert_eq!(mailbox.all(), "+OK 1 24\r\n1 24\r\n1 2.b\r\n");
}

#[test]
fn one_session_at_a_time() {
    let mailbox = Mailbox::with_three("pop3-lock");
    let locked = || mailbox.pop3d_by("POP3LOCK=1 exec \"$@\"");
    let mut first = locked();
    first.expect("+OK\n");
    ended(&locked().finish(), "-ERR [IN-USE] another session has this mailbox\r\n", "", 0);
    // Who isn't told to ask for it isn't kept out; nor is a delivery.
    mailbox.deliver("new/4.d", b"d\n", 4);
    assert!(mailbox.all().starts_with("+OK 4 81\r\n"));
    first.send("quit\r\n");
    first.expect("+OK\n");
    ended(&first.finish(), "", "", 0);
    // Nothing is left behind by one that is killed.
    let mut second = locked();
    second.expect("+OK\n");
    second.child.kill().unwrap();
    second.child.wait().unwrap();
    let mut third = locked();
    third.expect("+OK\n");
    ended(&third.hang_up(), "", "", 0);
}

#[test]
fn one_login_in_so_many_seconds() {
    let mailbox = Mailbox::with_three("pop3-login-delay");
    let slow = || mailbox.pop3d_by("POP3LOGINDELAY=3600 exec \"$@\"");
    let mut first = slow();
    first.expect("+OK\n");
    first.send("capa\r\nquit\r\n");
    let capabilities = String::from_utf8(first.listing()).unwrap();
    assert!(capabilities.contains("LOGIN-DELAY 3600\r\n"), "{capabilities}");
    first.expect("+OK\n");
    ended(&first.finish(), "", "", 0);
    ended(&slow().finish(), "-ERR [LOGIN-DELAY] the last login was a moment ago\r\n", "", 0);
    let file = mailbox.path("qmail-pop3d.login");
    assert_eq!(fs::metadata(&file).unwrap().len(), 0);
    set_times(&file, SystemTime::now() - Duration::from_secs(3601));
    let mut later = slow();
    later.expect("+OK\n");
    ended(&later.hang_up(), "", "", 0);
}
