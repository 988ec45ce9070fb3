//! Before login: long lines, the checker and its verdicts.

use super::*;

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
    let refused = "-ERR [AUTH] authorization failed\r\n";
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
    let look = mailbox.scratch.script(
        "look",
        "#!/bin/sh\ntr '\\0' '/' <&3; echo\ncd /proc/$$/fd; echo *\n\
         while read -r line; do case $line in SigIgn*|SigBlk*) echo \"$line\";; esac; done \
         </proc/$$/status; echo \"$@\"\n",
    );
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
