//! vchkpw's own file, as text and as a cdb: what a line may have, and digests in the place of passwords.

use super::*;
use std::time::{Duration, Instant};

fn tried(users: &Path, login: &str) -> (i32, String, String) {
    let outcome = checked(login, &[&vchkpw(), Path::new("echo"), Path::new("in")], |run| {
        run.env("VPASSWD", users)
    });
    (outcome.code, outcome.out(), outcome.err())
}

fn let_in() -> (i32, String, String) {
    (0, "in\n".into(), String::new())
}

fn refused() -> (i32, String, String) {
    (1, String::new(), String::new())
}

/// Three users: one as ever, two as vpopmail has them, of whom ann's secret is kept in clear.
fn users(scratch: &Scratch) -> PathBuf {
    let users = scratch.join("users");
    let home = scratch.path().display();
    let lines = [
        format!("joe@example.org:{SHA512}:4242:4343:{home}"),
        format!("bob:{SHA512}:4242:4343:Bob Smith:{home}:10485760S"),
        format!("ann:{SHA512}:4242:4343:Ann:{home}:NOQUOTA:se:cret"),
        format!("locked:!{SHA512}:4242:4343:Ann:{home}:NOQUOTA:se:cret"),
    ];
    private(&users, lines.join("\n"));
    users
}

/// A table beside the file of users.
fn table(users: &Path) -> PathBuf {
    let outcome = Run::new(program("vpasswd")).env("VPASSWD", users).arg("table").output();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    users.with_extension("cdb")
}

#[test]
fn a_file_and_a_table_say_the_same() {
    let scratch = Scratch::new("virtual");
    let users = users(&scratch);
    let cases = [
        ("joe@example.org", "secret", true),
        ("joe@example.org", "Secret", false),
        ("joe", "secret", false),
        ("JOE@example.org", "secret", false),
        ("bob", "secret", true),
        ("bob", "10485760S", false),
        ("ann", "secret", true),
        ("ann", "se:cret", false),
        ("locked", "secret", false),
        ("nobody", "secret", false),
        ("", "", false),
    ];
    for place in [users.clone(), table(&users)] {
        for (user, password, right) in cases {
            let expected = if right { let_in() } else { refused() };
            assert_eq!(
                tried(&place, &login(user, password)),
                expected,
                "{} {user}",
                place.display()
            );
        }
    }
}

#[test]
fn digests_where_the_secret_is_kept_in_clear() {
    let scratch = Scratch::new("digests");
    let users = users(&scratch);
    let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
    let (apop, cram) = (apop(timestamp, "se:cret"), cram_md5(timestamp, "se:cret"));
    assert_eq!((apop.len(), cram.len()), (32, 32), "md5sum and openssl");
    for place in [users.clone(), table(&users)] {
        for digest in [&apop, &cram] {
            assert_eq!(tried(&place, &digest_login("ann", digest, timestamp)), let_in());
            for (user, timestamp) in [
                ("ann", "<1896.697170953@dbc.mtview.ca.us>"),
                ("ann", ""),
                // No secret in clear; no user; a user who may not.
                ("bob", timestamp),
                ("nobody", timestamp),
                ("locked", timestamp),
            ] {
                assert_eq!(
                    tried(&place, &digest_login(user, digest, timestamp)),
                    refused(),
                    "{user}"
                );
            }
        }
    }
}

#[test]
fn a_table_that_is_damaged_or_not_to_be_trusted_is_trouble() {
    let scratch = Scratch::new("table");
    let users = users(&scratch);
    let table = table(&users);
    assert_eq!(mode(&table), 0o600);
    let said = |why: &str| (111, String::new(), format!("vchkpw: fatal: unable to {why}\n"));
    let path = table.display();
    fs::set_permissions(&table, Permissions::from_mode(0o644)).expect("chmod");
    let expected = said(&format!("trust {path}: readable by everybody (chmod o-r)"));
    assert_eq!(tried(&table, &login("ann", "secret")), expected);
    fs::set_permissions(&table, Permissions::from_mode(0o600)).expect("chmod");
    let whole = fs::read(&table).expect("the table");
    for length in [0, 2047, 2049, whole.len() - 1] {
        fs::write(&table, &whole[..length]).expect("cut");
        let users = ["ann", "bob", "joe@example.org", "locked"];
        let codes = users.map(|user| tried(&table, &login(user, "secret")).0);
        assert!(
            codes.contains(&111) && codes.iter().all(|code| [0, 1, 111].contains(code)),
            "{length}: {codes:?}"
        );
    }
}

/// The quickest of several, which a loaded machine disturbs least, and far apart: a look at the clock must not tell, with a hash of some milliseconds, who exists.
#[test]
fn who_is_not_there_takes_as_long_as_who_is() {
    let scratch = Scratch::new("clock");
    let users = scratch.join("users");
    let home = scratch.path().display();
    // 100,000 rounds: long enough to be seen on a loaded machine.
    let hash =
        Run::new("mkpasswd").args(["-m", "sha512crypt", "-R", "100000", "secret"]).output().out();
    if !hash.starts_with("$6$rounds=100000$") {
        tests::skip!("no mkpasswd (Debian: whois)");
    }
    let hash = hash.trim();
    private(&users, format!("ann:{hash}:1:1:A:{home}:q:clear\nlocked:!{hash}:1:1:{home}\n"));
    let table = table(&users);
    let timestamp = "<1.2@host>";
    let wrong = "0123456789abcdef0123456789abcdef";
    let quickest = |place: &Path, login: &str| {
        let times = [(); 9].map(|()| {
            let begin = Instant::now();
            assert_eq!(tried(place, login), refused());
            begin.elapsed()
        });
        times.into_iter().min().unwrap_or_default()
    };
    for place in [&users, &table] {
        let known = quickest(place, &login("ann", "wrong"));
        assert!(known > Duration::from_millis(5), "{known:?}");
        for login in [
            login("nobody", "wrong"),
            login("locked", "wrong"),
            digest_login("ann", wrong, timestamp),
            digest_login("nobody", wrong, timestamp),
        ] {
            let other = quickest(place, &login);
            assert!(other * 3 > known && other < known * 3, "{login:?}: {other:?}, not {known:?}");
        }
    }
}

/// Whatever `mkpasswd -m help` lists, at its usual cost.
#[test]
fn each_hash_of_mkpasswd() {
    let scratch = Scratch::new("mkpasswd");
    if !Path::new("/usr/bin/mkpasswd").exists() {
        tests::skip!("no mkpasswd (Debian: whois)");
    }
    let help = Run::new("mkpasswd").args(["-m", "help"]).output();
    let help = help.out() + &help.err();
    let methods: Vec<&str> =
        help.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(methods.len() >= 10 && methods.contains(&"sunmd5"), "{help}");
    let users = scratch.join("users");
    for method in methods {
        let hash = Run::new("mkpasswd").args(["-m", method, "sec ret"]).output().out();
        private(&users, format!("joe:{}:4242:4343:{}\n", hash.trim(), scratch.path().display()));
        assert_eq!(tried(&users, &login("joe", "sec ret")), let_in(), "{method}");
        assert_eq!(tried(&users, &login("joe", "sec reT")), refused(), "{method}");
    }
}

#[test]
fn the_chain_as_an_ordinary_user() {
    let scratch = Scratch::new("chain");
    let users = users(&scratch);
    let (popup, pop3d) = (program("qmail-popup"), program("qmail-pop3d"));
    let made = Run::new(program("maildirmake")).arg("Maildir").cwd(scratch.path()).output();
    assert_eq!(made.code, 0, "{made:?}");
    fs::write(scratch.join("Maildir/new/1.a"), "Subject: x\n\nhallo\n").expect("a message");
    aged(&scratch.join("Maildir/new/1.a"));
    if tests::is_root() {
        let outcome = Run::new("chown").args(["-R", "4242:4343"]).arg(scratch.path()).output();
        assert_eq!(outcome.code, 0);
        chown(&users, Some(0), Some(0)).expect("chown");
    }
    let run =
        Run::new(popup).arg("host").arg(vchkpw()).arg(pop3d).arg("Maildir").env("VPASSWD", &users);
    let outcome = run.stdin("user joe@example.org\r\npass secret\r\nstat\r\nquit\r\n").output();
    let said = outcome.out();
    let (_, said) = said.split_once("\r\n").expect("a banner");
    assert_eq!(
        (outcome.code, said),
        (0, "+OK \r\n+OK \r\n+OK 1 21\r\n+OK \r\n".replace("OK \r", "OK\r").as_str())
    );
}
