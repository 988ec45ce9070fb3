//! vpasswd: the file it leaves behind, whoever asks and whenever it is killed.

use super::*;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::Duration;

/// vpasswd on the file `users` in the scratch directory, with a password on standard input.
fn typed(scratch: &Scratch, arguments: &[&str], password: &str) -> Outcome {
    let run = Run::new(program("vpasswd")).env("VPASSWD", scratch.join("users"));
    run.args(arguments).stdin(password).output()
}

fn done(scratch: &Scratch, arguments: &[&str], password: &str) {
    let outcome = typed(scratch, arguments, password);
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{arguments:?}");
}

fn text(scratch: &Scratch) -> String {
    fs::read_to_string(scratch.join("users")).expect("the users")
}

/// Whether vchkpw lets joe in with this password, from the file and from the table if there is one.
fn opens(scratch: &Scratch, password: &str) -> bool {
    let table = scratch.join("users.cdb");
    let places = [scratch.join("users"), table.clone()];
    let codes = places.iter().filter(|path| **path != table || table.exists()).map(|path| {
        checked(login("joe", password), &[&vchkpw(), Path::new("true")], |run| {
            run.env("VPASSWD", path)
        })
        .code
    });
    let mut codes: Vec<_> = codes.collect();
    codes.dedup();
    assert!(codes.len() == 1 && codes[0] <= 1, "{codes:?}");
    codes[0] == 0
}

#[test]
fn from_nothing_to_gone() {
    let scratch = Scratch::new("vpasswd");
    let home = scratch.path().to_str().expect("a path");
    let sha = ["-m", "sha512crypt", "-u", "4242", "-g", "4343"];
    done(&scratch, &[&sha[..], &["add", "joe", home]].concat(), "secret\n");
    assert_eq!(mode(&scratch.join("users")), 0o600);
    let line = text(&scratch);
    assert!(
        line.starts_with("joe:$6$") && line.ends_with(&format!(":4242:4343:{home}\n")),
        "{line}"
    );
    assert!(opens(&scratch, "secret") && !opens(&scratch, "secret\n"));
    // yescrypt unless told, vpopmail's form where there is more to keep.
    done(
        &scratch,
        &["-u", "1", "-g", "2", "-c", "-q", "10MB", "add", "ann@a.org", "/m"],
        "pass:word",
    );
    let last = text(&scratch).lines().last().expect("a line").to_owned();
    assert!(
        last.starts_with("ann@a.org:$y$j9T$") && last.ends_with(":1:2::/m:10MB:pass:word"),
        "{last}"
    );
    let list = typed(&scratch, &["list"], "").out();
    assert_eq!(list, format!("joe\tpassword\t{home}\nann@a.org\tpassword,secret\t/m\n"));
    done(&scratch, &["table"], "");
    done(&scratch, &["-m", "sha512crypt", "change", "joe"], "new one");
    assert!(opens(&scratch, "new one") && !opens(&scratch, "secret"));
    let outcome = typed(&scratch, &["-m", "sha512crypt", "change", "ann@a.org"], "other");
    let gone = "vpasswd: warning: the secret of ann@a.org is no longer kept in clear: no APOP, no CRAM-MD5 (-c keeps it)\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (0, gone));
    assert!(!text(&scratch).contains("pass:word"));
    assert!(
        !fs::read(scratch.join("users.cdb"))
            .expect("table")
            .windows(9)
            .any(|bytes| bytes == b"pass:word")
    );
    done(&scratch, &["remove", "joe"], "");
    assert!(!opens(&scratch, "new one"));
    done(&scratch, &["remove", "ann@a.org"], "");
    assert_eq!(text(&scratch), "");
    let names = fs::read_dir(scratch.path()).expect("the directory").count();
    assert_eq!(names, 2, "no file but users and users.cdb is left");
}

#[test]
fn what_is_refused_changes_nothing() {
    let scratch = Scratch::new("refused");
    done(&scratch, &["-m", "sha512crypt", "-u", "1", "-g", "1", "add", "joe", "/m"], "secret");
    let before = text(&scratch);
    let ids = ["-u", "1", "-g", "1"];
    let add = |user: &'static str, home: &'static str| [&ids[..], &["add", user, home]].concat();
    let long = "x".repeat(201);
    for (arguments, password, why) in [
        (add("joe", "/m"), "x", "user joe exists"),
        (vec!["change", "ann"], "x", "unknown user ann"),
        (vec!["remove", "ann"], "", "unknown user ann"),
        (add("ann", "/m"), "", "unable to take that password: there is none"),
        (add("ann", "/m"), "\nsecret", "unable to take that password: there is none"),
        (add("ann", "/m"), &long, "unable to take that password: too long"),
        (add("ann", "/m"), "a\0b", "unable to take that password: no login can have a NUL in it"),
        (add("a:b", "/m"), "x", "not a user name: a:b"),
        (add("#a", "/m"), "x", "not a user name: #a"),
        (add("a\nb", "/m"), "x", "not a user name: a?b"),
        (add("", "/m"), "x", "not a user name: "),
        (add("ann", "m"), "x", "not an absolute path that can stand in a line: m"),
        (add("ann", "/m:n"), "x", "not an absolute path that can stand in a line: /m:n"),
        (vec!["-u", "0", "-g", "1", "add", "ann", "/m"], "x", "uid 0 may not log in"),
        (vec!["-u", "joe", "add", "ann", "/m"], "x", "uid is not a number: joe"),
        (vec!["-u", "1", "add", "ann", "/m"], "x", "-u and -g go together"),
        (vec!["-q", "a:b", "list"], "", "quota can't stand in a line"),
        (vec!["-m", "md5crypt", "list"], "", "unknown hash scheme md5crypt"),
    ] {
        let outcome = typed(&scratch, &arguments, password);
        let expected = format!("vpasswd: fatal: {why}\n");
        assert_eq!((outcome.code, outcome.err()), (100, expected), "{arguments:?}");
    }
    for arguments in
        [&[][..], &["add", "ann"], &["list", "joe", "x", "y"], &["change"], &["-x"], &["nonsense"]]
    {
        let outcome = typed(&scratch, arguments, "x");
        assert_eq!(outcome.code, 100);
        assert!(
            outcome.err().contains("vpasswd: usage: vpasswd ["),
            "{arguments:?}: {}",
            outcome.err()
        );
    }
    let outcome = Run::new(program("vpasswd")).env_remove("VPASSWD").arg("list").output();
    let none = "vpasswd: fatal: unable to find the users: VPASSWD is not set, and there is no -f\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (100, none));
    assert_eq!(text(&scratch), before);
}

#[test]
fn a_file_keeps_its_owner_and_group_but_never_everybodys_eyes() {
    let scratch = Scratch::new("modes");
    done(&scratch, &["-m", "sha512crypt", "-u", "1", "-g", "1", "add", "joe", "/m"], "secret");
    let users = scratch.join("users");
    for (before, after) in [(0o640, 0o640), (0o644, 0o640), (0o666, 0o640), (0o400, 0o400)] {
        fs::set_permissions(&users, Permissions::from_mode(before)).expect("chmod");
        done(&scratch, &["table"], "");
        assert_eq!((mode(&users), mode(&scratch.join("users.cdb"))), (after, after), "{before:o}");
    }
    if tests::is_root() {
        fs::set_permissions(&users, Permissions::from_mode(0o640)).expect("chmod");
        chown(&users, Some(4242), Some(4343)).expect("chown");
        done(&scratch, &["remove", "joe"], "");
        for path in [&users, &scratch.join("users.cdb")] {
            let found = fs::metadata(path).expect("a file");
            assert_eq!((found.uid(), found.gid(), mode(path)), (4242, 4343, 0o640));
        }
    }
    let elsewhere = scratch.join("elsewhere");
    fs::rename(&users, &elsewhere).expect("rename");
    symlink(&elsewhere, &users).expect("a link");
    let outcome = typed(&scratch, &["list"], "");
    assert!(outcome.code == 111 && outcome.err().contains("unable to open"), "{outcome:?}");
}

/// Twenty at once on one file: each waits for its turn, and no change is lost.
#[test]
fn many_at_once_lose_nothing() {
    let scratch = Scratch::new("many");
    done(&scratch, &["-m", "sha512crypt", "-u", "1", "-g", "1", "add", "joe", "/m"], "secret");
    done(&scratch, &["table"], "");
    let names: Vec<String> = (0..20).map(|number| format!("user{number}")).collect();
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            let run = Run::new(program("vpasswd")).env("VPASSWD", scratch.join("users"));
            let mut child =
                run.args(["-m", "sha512crypt", "-u", "1", "-g", "1", "add", name, "/m"]).spawn();
            child.write(b"secret\n");
            child.close();
            child
        })
        .collect();
    for child in children {
        assert_eq!(child.wait(Duration::from_secs(60)).code, 0);
    }
    let list = typed(&scratch, &["list"], "").out();
    let mut found: Vec<&str> = list.lines().filter_map(|line| line.split('\t').next()).collect();
    found.sort_unstable();
    let mut expected: Vec<&str> = names.iter().map(String::as_str).chain(["joe"]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for name in expected {
        let table = scratch.join("users.cdb");
        let outcome = checked(login(name, "wrong"), &[&vchkpw(), Path::new("true")], |run| {
            run.env("VPASSWD", &table)
        });
        assert_eq!((outcome.code, outcome.err().as_str()), (1, ""), "{name}");
    }
}

/// The old file or the new one, whenever a full disk or a missing right ends it; and what a crash left is in nobody's way.
#[test]
fn a_failure_leaves_the_old_file() {
    let scratch = Scratch::new("failure");
    done(&scratch, &["-m", "sha512crypt", "-u", "1", "-g", "1", "add", "joe", "/m"], "secret");
    let before = text(&scratch);
    let script = format!(
        "ulimit -f 0; trap '' XFSZ; exec {} -m sha512crypt change joe",
        program("vpasswd").display()
    );
    let full = Run::sh(&script).env("VPASSWD", scratch.join("users")).stdin("other").output();
    let said = format!(
        "vpasswd: fatal: unable to write to {}.new: file too big\n",
        scratch.join("users").display()
    );
    assert_eq!((full.code, full.err()), (111, said));
    assert_eq!(text(&scratch), before);
    assert_eq!(fs::read_dir(scratch.path()).expect("the directory").count(), 1);
    scratch.file("users.new", "half a fi");
    done(&scratch, &["-m", "sha512crypt", "change", "joe"], "other");
    assert_ne!(text(&scratch), before);
    assert_eq!(fs::read_dir(scratch.path()).expect("the directory").count(), 1);
}

/// What is where: a file that was replaced has another inode.
struct State {
    users: u64,
    table: u64,
    entries: usize,
}

fn state(scratch: &Scratch) -> State {
    let inode = |name| fs::metadata(scratch.join(name)).expect("a file").ino();
    let entries = fs::read_dir(scratch.path()).expect("the directory").count();
    State { users: inode("users"), table: inode("users.cdb"), entries }
}

/// Killed at any moment: the file is the old one or the new one, another user gets in all the while, and the next vpasswd
/// finds nothing in its way.
#[test]
fn killed_at_any_moment() {
    let scratch = Scratch::new("killed");
    let home = scratch.path().to_str().expect("a path");
    let sha = ["-m", "sha512crypt", "-u", "4242", "-g", "4343"];
    for user in ["ann", "joe"] {
        done(&scratch, &[&sha[..], &["add", user, home]].concat(), "start");
    }
    done(&scratch, &["table"], "");
    let mut possible = vec!["start".to_owned()];
    for round in 0..40 {
        let password = format!("round{round}");
        let before = state(&scratch);
        let run = Run::new(program("vpasswd")).env("VPASSWD", scratch.join("users"));
        let mut child = run.args(["-m", "sha512crypt", "change", "joe"]).spawn();
        child.write(format!("{password}\n").as_bytes());
        child.close();
        // At once; with its new file half written or whole, beside the old one or in its place; with the new table.
        tests::wait_until("the moment to kill it", Duration::from_secs(20), || {
            let now = state(&scratch);
            match round % 4 {
                0 => true,
                1 => now.entries != before.entries || now.users != before.users,
                2 => now.users != before.users,
                _ => now.table != before.table,
            }
        });
        child.signal(tests::Signal::SIGKILL);
        let ann = [scratch.join("users"), scratch.join("users.cdb")].map(|place| {
            checked(login("ann", "start"), &[&vchkpw(), Path::new("true")], |run| {
                run.env("VPASSWD", &place)
            })
            .code
        });
        assert_eq!(ann, [0, 0], "round {round}");
        child.wait(Duration::from_secs(20));
        possible.push(password);
        let text = text(&scratch);
        assert!(
            text.lines().count() == 2 && text.ends_with(&format!(":4242:4343:{home}\n")),
            "{text}"
        );
    }
    // Whatever was the last to get through: one password, and for the file no other than for the table made of it.
    done(&scratch, &["table"], "");
    assert_eq!(possible.iter().filter(|password| opens(&scratch, password)).count(), 1);
    done(&scratch, &["-m", "sha512crypt", "change", "joe"], "end");
    assert!(opens(&scratch, "end"));
    assert_eq!(fs::read_dir(scratch.path()).expect("the directory").count(), 2);
}

#[test]
fn at_a_terminal_nothing_is_shown_and_twice_is_asked() {
    let scratch = Scratch::new("terminal");
    let users = scratch.join("users");
    let ask = |answers: [&str; 2]| {
        let command = format!(
            "{} -m sha512crypt -u 1 -g 1 add joe /m; echo code $?; stty -a",
            program("vpasswd").display()
        );
        let mut child =
            Run::new("script").args(["-qec", &command, "/dev/null"]).env("VPASSWD", &users).spawn();
        for (question, answer) in [("Password for joe: ", answers[0]), ("Again: ", answers[1])] {
            child.expect(question);
            child.write(answer.as_bytes());
            if answer.contains('\x03') {
                break;
            }
        }
        child.expect("echoke");
        let out = String::from_utf8_lossy(&child.stdout()).into_owned();
        child.close();
        child.wait(Duration::from_secs(20));
        out
    };
    let out = ask(["secret\n", "secreT\n"]);
    assert!(
        out.contains("unable to take that password: not the same twice")
            && out.contains("code 100"),
        "{out}"
    );
    // Ctrl-C, without a newline behind it.
    let out = ask(["sec\x03", ""]);
    assert!(out.contains("code 100") && !out.contains("Again"), "{out}");
    let out = ask(["secret\n", "secret\n"]);
    assert!(out.contains("code 0") && !out.contains("secret"), "{out}");
    let modes: Vec<_> = out.split_whitespace().collect();
    assert!(modes.contains(&"isig") && modes.contains(&"echo"), "the terminal is as it was: {out}");
    assert!(text(&scratch).starts_with("joe:$6$"));
}
