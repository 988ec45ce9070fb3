//! checkpassword and vchkpw: the interface on descriptor 3, the limits, what reaches the program, and whom they refuse.

mod host;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tests::{Outcome, Run, Scratch, alone, is_root, program, record_skip, skip};

/// yescrypt of `secret` at Debian's usual cost (16 MiB), by mkpasswd.
const YESCRYPT: &str = "$y$j9T$wCrYC/Sd.AZjXBftyxcQf0$K2gJETqMz1.7qXDwKHhiY5wV/W.7VL5JdywWFHSMb9B";
/// SHA-512 of `secret`, by mkpasswd.
const SHA512: &str = "$6$saltsaltsalt$PMWE8DTlam1JU37Piyk43bHcMxTJq6sgu5DKB0/tGPjanN35jcY68QkpDfPFUGPWX5uCxIQkSPzMmqEiVNgts.";

/// Runs `checker` on `data` (descriptor 3) with a shell as the next program, in the limits and environment of `run`.
fn check(checker: &str, data: impl AsRef<[u8]>, script: &str, run: impl Fn(Run) -> Run) -> Outcome {
    let scratch = Scratch::new("request");
    let file = scratch.file("request", data);
    let shell = format!("exec 3<{}; exec \"$0\" \"$@\"", file.display());
    let started = Run::new("/bin/sh").args(["-c", &shell]).arg(program(checker));
    run(started.args(["sh", "-c", script])).output()
}

/// What the caller writes for a login.
fn login(name: &str, password: &str) -> String {
    format!("{name}\0{password}\0Y123\0")
}

/// A file of virtual users that vchkpw trusts.
fn users(scratch: &Scratch, lines: &str) -> std::path::PathBuf {
    let path = scratch.file("users", lines);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod users");
    path
}

/// One virtual user, joe, at home in the scratch directory: the ids are those of an unprivileged account.
fn joe(scratch: &Scratch, hash: &str) -> std::path::PathBuf {
    users(scratch, &format!("joe:{hash}:4242:4343:{}\n", scratch.path().display()))
}

fn assert_refused(outcome: &Outcome, what: &str) {
    assert_eq!(
        (outcome.code, outcome.err().as_str(), outcome.out().as_str()),
        (1, "", ""),
        "{what}"
    );
}

#[test]
fn descriptor_3_to_the_letter() {
    let scratch = Scratch::new("protocol");
    let users = joe(&scratch, SHA512);
    let filled = |length: usize| {
        let mut data = login("joe", "secret").into_bytes();
        data.resize(length, b'x');
        data
    };
    let cases: [(&str, Vec<u8>, i32); 13] = [
        ("login, password, timestamp", login("joe", "secret").into(), 0),
        ("no timestamp", b"joe\0secret\0".to_vec(), 0),
        ("an unterminated timestamp", b"joe\0secret\0Y12".to_vec(), 0),
        ("512 bytes", filled(512), 0),
        ("513 bytes", filled(513), 1),
        ("5000 bytes", filled(5000), 1),
        ("a wrong password", login("joe", "secret ").into(), 1),
        ("no password", login("joe", "").into(), 1),
        ("no login", login("", "secret").into(), 1),
        ("nothing", Vec::new(), 2),
        ("a login without NUL", b"joe".to_vec(), 2),
        ("a login alone", b"joe\0".to_vec(), 2),
        ("a password without NUL", b"joe\0secret".to_vec(), 2),
    ];
    for (what, data, code) in cases {
        let outcome = check("vchkpw", &data, "echo in", |run| run.env("VPASSWD", &users));
        assert_eq!(outcome.code, code, "{what}: {outcome:?}");
        assert_eq!(outcome.out(), if code == 0 { "in\n" } else { "" }, "{what}");
        let unterminated = "vchkpw: fatal: unable to read login and password from descriptor 3: not NUL-terminated\n";
        assert_eq!(outcome.err(), if code == 2 { unterminated } else { "" }, "{what}");
    }
}

#[test]
fn misuse_is_2_and_a_closed_descriptor_111() {
    for checker in ["checkpassword", "vchkpw"] {
        let outcome = Run::new(program(checker)).output();
        let usage = format!("{checker}: usage: {checker} program [ arg ... ]\n");
        assert_eq!((outcome.code, outcome.err()), (2, usage));
        let path = program(checker);
        let outcome = Run::sh(&format!("exec {} true 3<&-", path.display())).output();
        let closed = format!(
            "{checker}: fatal: unable to read login and password from descriptor 3: file descriptor not open\n"
        );
        assert_eq!((outcome.code, outcome.err()), (111, closed));
    }
}

#[test]
fn what_the_program_gets_from_vchkpw() {
    let scratch = Scratch::new("handed");
    let users = joe(&scratch, SHA512);
    let script = "pwd; echo $USER $HOME $SHELL $TCPREMOTEIP; test -e /dev/fd/3 || echo closed; id -u; id -g; id -G";
    let outcome = check("vchkpw", login("joe", "secret"), script, |run| {
        run.env("VPASSWD", &users)
            .env("TCPREMOTEIP", "192.0.2.1")
            .env("USER", "old")
            .env("SHELL", "old")
    });
    assert_eq!(outcome.err(), "");
    let home = scratch.path().display();
    let mut expected = format!("{home}\njoe {home} /bin/sh 192.0.2.1\nclosed\n");
    expected += &if is_root() {
        "4242\n4343\n4343\n".to_owned()
    } else {
        Run::sh("id -u; id -g; id -G").output().out()
    };
    assert_eq!(outcome.out(), expected);
}

#[test]
fn the_program_and_the_directory_must_exist() {
    let scratch = Scratch::new("missing");
    let users = joe(&scratch, SHA512);
    let request = scratch.file("request", login("joe", "secret"));
    let shell = format!("exec 3<{}; exec \"$0\" \"$@\"", request.display());
    let run = Run::new("/bin/sh").args(["-c", &shell]).arg(program("vchkpw")).env("VPASSWD", users);
    // A directory that joe may not look into would be the reason, as in the originals.
    let run = run.env("PATH", "/usr/bin:/bin");
    let outcome = run.clone().arg("no-such-program").output();
    let expected = "vchkpw: fatal: unable to run no-such-program: file does not exist\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, expected));
    let nowhere = scratch.file("nowhere", format!("joe:{SHA512}:1:1:/no/such/home\n"));
    fs::set_permissions(&nowhere, Permissions::from_mode(0o600)).expect("chmod");
    let outcome = run.env("VPASSWD", nowhere).arg("true").output();
    let expected =
        "vchkpw: fatal: unable to change directory to /no/such/home: file does not exist\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, expected));
}

#[test]
fn yescrypt_fits_under_softlimit_and_the_limits_are_handed_on_as_they_were() {
    let scratch = Scratch::new("limits");
    let users = joe(&scratch, YESCRYPT);
    let shell = "exec 3<\"$1\"; shift; exec \"$@\"";
    let show = "cat /proc/self/limits";
    let request = scratch.file("request", login("joe", "secret"));
    let (softlimit, vchkpw) = (program("softlimit"), program("vchkpw"));
    let limits = |through: &[&Path]| {
        let run = Run::new("/bin/sh").args(["-c", shell, "sh"]).arg(&request).arg(&softlimit);
        let run = run.args(["-m", "5000000"]).args(through).args(["sh", "-c", show]);
        run.env("VPASSWD", &users).output()
    };
    let (direct, through) = (limits(&[]), limits(&[&vchkpw]));
    assert_eq!((through.code, through.err().as_str()), (0, ""));
    assert!(through.out().contains("Max address space         5000000 "), "{}", through.out());
    assert_eq!(direct.out(), through.out());
}

/// Also shows that an unknown user costs as much as a known one: the same memory is wanted for it.
#[test]
fn a_hard_limit_that_is_too_low_is_never_a_bad_password() {
    let scratch = Scratch::new("hard");
    let users = joe(&scratch, YESCRYPT);
    for (limit, name) in [("-v", "address space"), ("-d", "data")] {
        for (user, password) in [("joe", "secret"), ("joe", "wrong"), ("nosuch", "secret")] {
            let request = scratch.file("request", login(user, password));
            let shell = format!(
                "ulimit {limit} 9000; exec 3<{}; exec {} true",
                request.display(),
                program("vchkpw").display()
            );
            let outcome = Run::sh(&shell).env("VPASSWD", &users).output();
            let expected = format!(
                "vchkpw: fatal: unable to check the password of {user}: hash needs 16802504 bytes, and the hard limit \
                 on {name} is 9216000\n"
            );
            assert_eq!((outcome.code, outcome.err()), (111, expected));
        }
    }
}

#[test]
fn between_too_little_memory_and_enough_nothing_crashes() {
    let scratch = Scratch::new("edge");
    let users = joe(&scratch, YESCRYPT);
    let request = scratch.file("request", login("joe", "secret"));
    let mut codes = Vec::new();
    for kilobytes in (16_000..24_000).step_by(200) {
        let shell = format!(
            "ulimit -v {kilobytes}; exec 3<{}; exec {} true",
            request.display(),
            program("vchkpw").display()
        );
        codes.push(Run::sh(&shell).env("VPASSWD", &users).output().code);
    }
    codes.dedup();
    assert_eq!(codes, [111, 0]);
}

#[test]
fn hashes_that_cannot_be_checked_are_told_apart_from_wrong_passwords() {
    let scratch = Scratch::new("unusable");
    for (hash, reason) in [
        ("$md5x$1HKFFv7M$$G/T1INuYZcVHNJTdCK7vi/", "unknown hash format $md5x"),
        ("$argon2id$v=19$x", "unknown hash format $argon2id"),
        ("$6$short", "malformed hash"),
        (
            "$2b$31$8J3Nv3jk46c7aOdbQLX4MOuMeKpX2wnKRqj/9GB.Asy9IAQwIXCKm",
            "hash demands too much memory or time",
        ),
    ] {
        let users = joe(&scratch, hash);
        let outcome =
            check("vchkpw", login("joe", "secret"), "echo in", |run| run.env("VPASSWD", &users));
        let expected = format!("vchkpw: fatal: unable to check the password of joe: {reason}\n");
        assert_eq!((outcome.code, outcome.err(), outcome.out().as_str()), (111, expected, ""));
    }
    for hash in ["", "!", "*", "!!", "x"] {
        let users = joe(&scratch, hash);
        let outcome =
            check("vchkpw", login("joe", ""), "echo in", |run| run.env("VPASSWD", &users));
        assert_refused(&outcome, hash);
    }
}

#[test]
fn a_name_in_a_message_cannot_forge_another() {
    let scratch = Scratch::new("forge");
    let users = users(&scratch, "a\tb\u{1b}:$4$:1:1:/\n");
    let outcome =
        check("vchkpw", login("a\tb\u{1b}", "x"), "true", |run| run.env("VPASSWD", &users));
    let expected = "vchkpw: fatal: unable to check the password of a?b?: unknown hash format $4\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, expected));
    let outcome = check("vchkpw", login("x\njoe:", "x"), "true", |run| run.env("VPASSWD", &users));
    assert_refused(&outcome, "a name of two lines");
}

#[test]
fn a_file_of_users_that_others_can_write_or_all_can_read_is_not_trusted() {
    let scratch = Scratch::new("trust");
    let users = joe(&scratch, SHA512);
    let tried = |path: &Path| {
        let outcome =
            check("vchkpw", login("joe", "secret"), "true", |run| run.env("VPASSWD", path));
        (outcome.code, outcome.err())
    };
    let refused = |path: &Path, why: &str| {
        let text = format!("vchkpw: fatal: unable to trust {}: {why}\n", path.display());
        assert_eq!(tried(path), (111, text));
    };
    for mode in [0o400, 0o600, 0o640] {
        fs::set_permissions(&users, Permissions::from_mode(mode)).expect("chmod");
        assert_eq!(tried(&users), (0, String::new()), "{mode:o}");
    }
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&users, Permissions::from_mode(mode)).expect("chmod");
        refused(&users, "writable by others (chmod go-w)");
    }
    fs::set_permissions(&users, Permissions::from_mode(0o644)).expect("chmod");
    refused(&users, "readable by everybody (chmod o-r)");
    refused(scratch.path(), "not a regular file");
    let fifo = scratch.join("fifo");
    assert_eq!(Run::new("mkfifo").arg(&fifo).output().code, 0);
    refused(&fifo, "not a regular file");
    let link = scratch.join("link");
    symlink("nowhere", &link).expect("a link");
    let text = format!("vchkpw: fatal: unable to read {}: file does not exist\n", link.display());
    assert_eq!(tried(&link), (111, text));
    if is_root() {
        fs::set_permissions(&users, Permissions::from_mode(0o600)).expect("chmod");
        chown(&users, Some(4242), None).expect("chown");
        refused(&users, "owned by another user");
    } else {
        record_skip("only root can give a file away");
    }
}

#[test]
fn without_vpasswd_there_are_no_users() {
    let outcome = check("vchkpw", login("joe", "secret"), "true", |run| run.env_remove("VPASSWD"));
    let expected = "vchkpw: fatal: unable to find the users: VPASSWD is not set, and there is no account vpopmail\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, expected));
}

#[test]
fn a_malformed_line_is_trouble_for_its_user_only() {
    let scratch = Scratch::new("lines");
    let home = scratch.path().display();
    let long = "x".repeat(5000);
    let users = users(
        &scratch,
        &format!(
            "# users\n\nbroken:{SHA512}:1:1\nrelative:{SHA512}:1:1:mail\nlong:{long}\n\
             joe@example.org:{SHA512}:4242:4343:{home}\nroot:{SHA512}:0:0:{home}\nlast:{SHA512}:4242:4343:{home}"
        ),
    );
    let tried = |user: &str| {
        let outcome =
            check("vchkpw", login(user, "secret"), "true", |run| run.env("VPASSWD", &users));
        (outcome.code, outcome.err())
    };
    let path = users.display();
    for (user, line, why) in [
        ("broken", 3, "must have 5 fields, user:hash:uid:gid:home, or vpopmail's 7 or 8"),
        ("relative", 4, "home directory is not an absolute path"),
        ("long", 5, "line is too long"),
    ] {
        assert_eq!(
            tried(user),
            (111, format!("vchkpw: fatal: unable to use {path} line {line}: {why}\n"))
        );
    }
    assert_eq!(tried("joe@example.org"), (0, String::new()));
    assert_eq!(tried("last"), (0, String::new()));
    for user in ["joe", "# users", "", "#"] {
        assert_eq!(tried(user), (1, String::new()), "{user}");
    }
    let root = format!("vchkpw: fatal: unable to use {path} line 7: uid 0 may not log in\n");
    assert_eq!(tried("root"), if is_root() { (111, root) } else { (0, String::new()) });
}
