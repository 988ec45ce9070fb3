//! Maildirs of every kind, and clients that go away.

use super::*;

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
    // Whoever isn't root couldn't tidy up otherwise.
    fs::set_permissions(mailbox.path("new"), fs::Permissions::from_mode(0o700)).unwrap();
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
    const MANY: usize = 5_000;
    // A C library takes its part of the memory.
    let hosted = std::env::var_os("DAEMONTOOLS_HOSTED").is_some() || !cfg!(target_arch = "x86_64");
    let count = if hosted { 40_000 } else { 100_000 };
    let mailbox = Mailbox::new("pop3-many");
    for nth in 0..count {
        let name = format!("cur/{}.M{nth}P77.mail.example,S=5,W=6:2,S", 1_700_000_000 + nth);
        mailbox.deliver(&name, b"x: y\n", nth as u64);
    }
    let mut command = Command::new(program("softlimit"));
    command.args(["-m", "5000000"]).arg(program("qmail-pop3d")).arg("Maildir");
    let mut session = Session::start(&mut command, &mailbox.scratch);
    session.expect("+OK\n");
    session.send("stat\r\nuidl\r\nlist\r\n");
    session.expect(&format!("+OK {count} {}\n", count * 6));
    let nth = count - 1;
    let last = format!("{count} {}.M{nth}P77.mail.example,S=5,W=6", 1_700_000_000 + nth);
    let ids = String::from_utf8(session.listing()).unwrap();
    assert_eq!(ids.lines().count(), count);
    assert_eq!(ids.lines().last(), Some(&*last));
    assert_eq!(
        String::from_utf8(session.listing()).unwrap().lines().last(),
        Some(&*format!("{count} 6"))
    );
    let all: String = (1..=MANY).map(|number| format!("retr {number}\r\n")).collect();
    let sender = session.socket.get_ref().try_clone().unwrap();
    let sender = std::thread::spawn(move || (&sender).write_all(all.as_bytes()).unwrap());
    for _ in 0..MANY {
        assert_eq!(session.listing(), b"x: y\r\n");
    }
    sender.join().unwrap();
    session.send("quit\r\n");
    session.expect("+OK\n");
    ended(&session.finish(), "", "", 0);
}
