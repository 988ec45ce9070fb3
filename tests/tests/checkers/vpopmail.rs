//! vpopmail's layout, and its run line: qmail's users/cdb or users/assign, and vpasswd or vpasswd.cdb in the domain's
//! directory. On a root directory of the test's own.

use super::*;
use tests::{alone, fresh_root, is_root, skip};

const VPOPMAIL: u32 = 7089;
const DOMAINS: &str = "/home/vpopmail/domains";

/// A host with the account vpopmail, and its domain example.org with four users.
fn host() {
    fresh_root().expect("a root directory of the test's own");
    let passwd = format!(
        "root:x:0:0:root:/root:/bin/sh\nvpopmail:x:{VPOPMAIL}:{VPOPMAIL}:V:/home/vpopmail:/bin/false\n"
    );
    fs::write("/etc/passwd", passwd).expect("write passwd");
    fs::write("/etc/nsswitch.conf", "passwd: files\nshadow: files\ngroup: files\n")
        .expect("write nsswitch");
    let domain = format!("{DOMAINS}/example.org");
    let line = |user: &str, flags: u32, secret: &str| {
        format!("{user}:{SHA512}:1:{flags}:Somebody:{domain}/{user}:NOQUOTA{secret}\n")
    };
    for user in ["joe", "ann", "closed"] {
        home(Path::new(&format!("{domain}/{user}")), VPOPMAIL, VPOPMAIL);
    }
    let users = format!("{domain}/vpasswd");
    let text =
        line("ann", 0, ":se:cret") + &line("closed", 2, "") + &line("joe", 8, "") + "broken:x\n";
    private(Path::new(&users), text);
    for path in [DOMAINS, &domain, &users] {
        chown(path, Some(VPOPMAIL), Some(VPOPMAIL)).expect("chown");
    }
}

fn tried(login: &str) -> Outcome {
    let script = "test . -ef \"$HOME\" && echo $HOME; echo $USER $HOME $SHELL; id -u; id -G";
    let command = [&vchkpw(), Path::new("sh"), Path::new("-c"), Path::new(script)];
    checked(login, &command, |run| run.env_remove("VPASSWD"))
}

fn is_joe(outcome: &Outcome) {
    let home = format!("{DOMAINS}/example.org/joe");
    let expected = format!("{home}\njoe@example.org {home} /bin/sh\n{VPOPMAIL}\n{VPOPMAIL}\n");
    assert_eq!((outcome.err().as_str(), outcome.out()), ("", expected), "{}", outcome.code);
}

fn is_refused(outcome: &Outcome) {
    assert_eq!((outcome.code, outcome.err().as_str(), outcome.out().as_str()), (1, "", ""));
}

/// qmail's table of what stands in `assign`, with its keys; made as qmail-newu does, by vpasswd's own way to make one.
fn users_cdb(lines: &[(&str, &str)]) {
    let scratch = Scratch::new("cdb");
    let text: String = lines.iter().map(|(key, value)| format!("{key}:{value}\n")).collect();
    let file = scratch.join("assign");
    private(&file, text);
    let outcome = Run::new(program("vpasswd")).args(["-f"]).arg(&file).arg("table").output();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    fs::copy(scratch.join("assign.cdb"), "/var/qmail/users/cdb").expect("users/cdb");
}

#[test]
fn domains_that_stand_nowhere_else() {
    if !is_root() {
        skip!("only root can become other accounts");
    }
    alone!();
    host();
    for name in ["joe@example.org", "JOE@Example.org", "joe%example.org", "joe/example.org"] {
        is_joe(&tried(&login(name, "secret")));
    }
    for (name, password) in [
        ("joe@example.org", "wrong"),
        ("joe@example.org", ""),
        ("nobody@example.org", "secret"),
        ("joe@example.net", "secret"),
        ("joe@../../vpopmail/domains/example.org", "secret"),
        ("joe", "secret"),
        ("@example.org", "secret"),
        ("", "secret"),
    ] {
        is_refused(&tried(&login(name, password)));
    }
    let closed = tried(&login("closed@example.org", "secret"));
    let text = "vchkpw: warning: refusing closed@example.org: not allowed to use pop3\n";
    assert_eq!((closed.code, closed.err().as_str()), (1, text));
    is_refused(&tried(&login("closed@example.org", "wrong")));
    // Dovecot asks for other services, too; and who it is for whom mail is delivered.
    let reply = Path::new("/tmp/checkpassword-reply");
    fs::write(reply, "#!/bin/sh\necho $USER\n").expect("a script");
    fs::set_permissions(reply, Permissions::from_mode(0o755)).expect("chmod");
    for (service, authorized, code) in [("pop3", "", 1), ("imap", "", 0), ("pop3", "1", 0)] {
        let outcome = checked(login("closed@example.org", "secret"), &[&vchkpw(), reply], |run| {
            run.env_remove("VPASSWD").env("SERVICE", service).env("AUTHORIZED", authorized)
        });
        assert_eq!(outcome.code, code, "{service} {outcome:?}");
    }
    let broken = tried(&login("broken@example.org", "secret"));
    let text = format!(
        "vchkpw: fatal: unable to use {DOMAINS}/example.org/vpasswd line 4: must have 5 fields, user:hash:uid:gid:home, or \
         vpopmail's 7 or 8\n"
    );
    assert_eq!((broken.code, broken.err()), (111, text));
    // APOP, and a table in the place of the file.
    let timestamp = "<1.2@host>";
    let digest = digest_login("ann@example.org", &apop(timestamp, "se:cret"), timestamp);
    assert_eq!(tried(&digest).code, 0);
    let made = Run::new(program("vpasswd"))
        .args(["-f", &format!("{DOMAINS}/example.org/vpasswd.cdb"), "table"])
        .output();
    assert_eq!((made.code, made.err().as_str()), (0, ""));
    fs::remove_file(format!("{DOMAINS}/example.org/vpasswd")).expect("remove the file");
    is_joe(&tried(&login("joe@example.org", "secret")));
    assert_eq!(tried(&digest).code, 0);
    is_refused(&tried(&login("nobody@example.org", "secret")));
    // A domain of nobody's but root's.
    chown(format!("{DOMAINS}/example.org"), Some(0), Some(0)).expect("chown");
    let owned = tried(&login("joe@example.org", "secret"));
    assert!(owned.code == 111 && owned.err().contains("owned by another user"), "{owned:?}");
}

#[test]
fn the_default_domain() {
    if !is_root() {
        skip!("only root can become other accounts");
    }
    alone!();
    host();
    is_refused(&tried(&login("joe", "secret")));
    fs::create_dir_all("/home/vpopmail/etc").expect("etc");
    fs::write("/home/vpopmail/etc/defaultdomain", "Example.org\n").expect("defaultdomain");
    is_joe(&tried(&login("joe", "secret")));
    let command = [&vchkpw(), Path::new("true")];
    let other =
        checked(login("joe", "secret"), &command, |run| run.env("VPOPMAIL_DOMAIN", "example.net"));
    assert_eq!(other.code, 1);
    fs::rename("/home/vpopmail", "/home/elsewhere").expect("rename");
    is_refused(&tried(&login("joe", "secret")));
    let moved =
        checked(login("joe", "wrong"), &command, |run| run.env("VPOPMAIL", "/home/elsewhere"));
    assert_eq!((moved.code, moved.err().as_str()), (1, ""));
}

#[test]
fn domains_that_qmail_knows() {
    if !is_root() {
        skip!("only root can become other accounts");
    }
    alone!();
    host();
    fs::create_dir_all("/var/qmail/users").expect("users");
    let directory = "/var/mail/moved";
    fs::create_dir_all("/var/mail").expect("/var/mail");
    fs::rename(format!("{DOMAINS}/example.org"), directory).expect("rename");
    std::os::unix::fs::symlink(directory, format!("{DOMAINS}/example.org"))
        .expect("a link for the homes");
    // The link must not be what leads there.
    chown(directory, Some(7777), Some(7777)).expect("chown");
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("chmod");
    let of =
        |domain: &str| format!("+{domain}-:example.org:{VPOPMAIL}:{VPOPMAIL}:{directory}:-::\n");
    let assign = of("example.org") + &of("alias.example") + ".\n";
    fs::write("/var/qmail/users/assign", assign).expect("assign");
    is_joe(&tried(&login("joe@example.org", "secret")));
    is_joe(&tried(&login("joe@alias.example", "secret")));
    is_refused(&tried(&login("joe@example.net", "secret")));
    fs::set_permissions("/var/qmail/users/assign", Permissions::from_mode(0o666)).expect("chmod");
    let writable = tried(&login("joe@example.org", "secret"));
    let text =
        "vchkpw: fatal: unable to trust /var/qmail/users/assign: writable by others (chmod go-w)\n";
    assert_eq!((writable.code, writable.err().as_str()), (111, text));
    // What qmail-newu makes of it: NULs between the fields. The table has the last word.
    let value = format!("example.org\0{VPOPMAIL}\0{VPOPMAIL}\0{directory}\0-\0\0");
    users_cdb(&[("!new.example-", &value), ("", "-")]);
    is_joe(&tried(&login("joe@new.example", "secret")));
    is_refused(&tried(&login("joe@example.org", "secret")));
    // root's domain is nobody's.
    users_cdb(&[("!new.example-", &format!("example.org\x000\x000\0{directory}\0-\0\0"))]);
    let root = tried(&login("joe@new.example", "secret"));
    assert_eq!(root.code, 111, "{root:?}");
    fs::write("/var/qmail/users/cdb", "no cdb").expect("damage");
    let damaged = tried(&login("joe@new.example", "secret"));
    assert_eq!(
        (damaged.code, damaged.err().as_str()),
        (111, "vchkpw: fatal: unable to read /var/qmail/users/cdb: protocol error\n")
    );
}
