//! Accounts of a host of the test's own.

use super::*;

/// Today, in days.
fn today() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    now.as_secs() / 86_400
}

/// A host of the test's own with the accounts of `shadow`: `name:hash:days...` lines without the trailing colon's flag. Each
/// gets a uid of its own from 4001 on, and the home /home/NAME.
fn host(shadow: &str) {
    tests::fresh_root().expect("a root directory of the test's own");
    let mut passwd = "root:x:0:0:root:/root:/bin/bash\n".to_owned();
    for (line, uid) in shadow.lines().zip(4001..) {
        let name = line.split(':').next().expect("a name");
        passwd += &format!("{name}:x:{uid}:4343:Test:/home/{name}:/bin/bash\n");
        let home = Path::new("/home").join(name);
        fs::create_dir_all(&home).expect("a home");
        chown(&home, Some(uid), Some(4343)).expect("chown");
        fs::set_permissions(&home, Permissions::from_mode(0o700)).expect("chmod");
    }
    fs::write("/etc/passwd", passwd).expect("write passwd");
    fs::write("/etc/shadow", format!("root:{SHA512}:{}::::::\n{shadow}", today()))
        .expect("write shadow");
    fs::write("/etc/group", "root:x:0:\nmail:x:8:joe,other\nusers:x:4343:\nextra:x:4444:joe\n")
        .expect("write group");
    fs::write("/etc/nsswitch.conf", "passwd: files\nshadow: files\ngroup: files\n")
        .expect("write nsswitch");
}

macro_rules! as_root_alone {
    () => {
        if !is_root() {
            skip!("only root can become other accounts");
        }
        alone!();
    };
}

#[test]
fn an_account_of_the_host_with_its_groups() {
    as_root_alone!();
    host(&format!("joe:{YESCRYPT}:{}:0:99999:7:::\n", today()));
    let script = "id -u; id -g; id -G; pwd; echo $USER $HOME $SHELL $TCPREMOTEIP; test -e /dev/fd/3 || echo closed; \
                  grep -E '^(Uid|Gid)' /proc/self/status; ulimit -v";
    let outcome = check("checkpassword", login("joe", "secret"), script, |run| {
        run.env("TCPREMOTEIP", "192.0.2.1").env("HOME", "/old")
    });
    assert_eq!(outcome.err(), "");
    assert_eq!(
        outcome.out(),
        "4001\n4343\n4343 8 4444\n/home/joe\njoe /home/joe /bin/bash 192.0.2.1\nclosed\n\
         Uid:\t4001\t4001\t4001\t4001\nGid:\t4343\t4343\t4343\t4343\nunlimited\n"
    );
    let outcome = check("checkpassword", login("root", "secret"), "id -u; pwd", |run| run);
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "0\n/root\n"), "{outcome:?}");
}

#[test]
fn accounts_that_are_refused_without_a_word() {
    as_root_alone!();
    let day = today();
    host(&format!(
        "joe:{YESCRYPT}:{day}:0:99999:7:::\nempty::{day}:0:99999:7:::\nlocked:!{YESCRYPT}:{day}:0:99999:7:::\n\
         star:*:{day}:0:99999:7:::\nnever:!!:{day}:0:99999:7:::\nnone:x:{day}:0:99999:7:::\n"
    ));
    for (user, password) in [
        ("joe", "wrong"),
        ("joe", ""),
        ("JOE", "secret"),
        ("joe ", "secret"),
        ("empty", ""),
        ("empty", "secret"),
        ("locked", "secret"),
        ("star", "secret"),
        ("never", "!"),
        ("none", "x"),
        ("nosuch", "secret"),
        ("", "secret"),
        ("-s", "secret"),
        ("joe:x", "secret"),
        ("0", "secret"),
        ("4001", "secret"),
        ("x\njoe", "secret"),
    ] {
        let outcome = check("checkpassword", login(user, password), "echo in", |run| run);
        assert_refused(&outcome, &format!("{user:?} {password:?}"));
    }
}

#[test]
fn a_hash_in_passwd_itself() {
    as_root_alone!();
    host("joe:*:1::::::\n");
    let tried = |password: &str| {
        let outcome = check("checkpassword", login("joe", password), "echo in", |run| run);
        (outcome.code, outcome.out(), outcome.err())
    };
    assert_eq!(tried("secret"), (1, String::new(), String::new()));
    let passwd = fs::read_to_string("/etc/passwd").expect("passwd");
    let with = |field: &str| {
        fs::write("/etc/passwd", passwd.replace("joe:x:", &format!("joe:{field}:")))
            .expect("passwd");
    };
    with(SHA512);
    fs::remove_file("/etc/shadow").expect("no shadow");
    assert_eq!(tried("secret"), (0, "in\n".into(), String::new()));
    assert_eq!(tried("wrong"), (1, String::new(), String::new()));
    for field in ["", "*", "!"] {
        with(field);
        assert_eq!(tried("secret"), (1, String::new(), String::new()), "{field}");
    }
}

#[test]
fn trouble_with_an_account_is_111_and_said() {
    as_root_alone!();
    let day = today();
    host(&format!(
        "joe:$md6$x$$y:{day}::::::\nghost:{SHA512}:{day}::::::\nhomeless:{SHA512}:{day}::::::\n"
    ));
    fs::write(
        "/etc/shadow",
        fs::read_to_string("/etc/shadow").expect("shadow").replace("ghost:", "other:"),
    )
    .expect("write shadow");
    fs::remove_dir("/home/homeless").expect("remove a home");
    for (user, text) in [
        ("joe", "unable to check the password of joe: unknown hash format $md6"),
        ("ghost", "unable to check the password of ghost: no shadow entry"),
        ("homeless", "unable to change directory to /home/homeless: file does not exist"),
    ] {
        let outcome = check("checkpassword", login(user, "secret"), "echo in", |run| run);
        assert_eq!((outcome.code, outcome.err()), (111, format!("checkpassword: fatal: {text}\n")));
    }
    // Without the rights of root.
    let shell = |options: &str, user: &str| {
        let scratch = Scratch::new("rights");
        let request = scratch.file("request", login(user, "secret"));
        let path = program("checkpassword");
        let script =
            format!("exec 3<{}; exec setpriv {options} {} true", request.display(), path.display());
        let outcome = Run::sh(&script).output();
        (outcome.code, outcome.err())
    };
    let unreadable = "checkpassword: fatal: unable to read /etc/shadow: access denied\n".to_owned();
    fs::set_permissions("/etc/shadow", Permissions::from_mode(0o600)).expect("chmod");
    assert_eq!(shell("--reuid=4001 --clear-groups", "joe"), (111, unreadable));
    let groups =
        "checkpassword: fatal: unable to set supplementary groups: permission denied\n".to_owned();
    assert_eq!(shell("--bounding-set=-setgid", "root"), (111, groups));
}

/// Side by side with pam_unix, whose own checker tells what it thinks of an account's age.
#[test]
fn lapsed_accounts_as_pam_unix_sees_them() {
    as_root_alone!();
    let day = today();
    let cases = [
        (format!("{day}:0:99999:7:::"), None),
        (format!("{}:0:90:7:::", day - 90), None),
        (format!("{}:0:90:7:::", day - 91), Some("password has expired")),
        (format!("{}:0:90:7:30::", day - 91), Some("password has expired")),
        (format!("{}:0:90:7:30::", day - 200), Some("password has expired")),
        ("0:0:99999:7:::".into(), Some("password must be changed first")),
        ("0::::::".into(), Some("password must be changed first")),
        ("0:0:99999:7::1:".into(), Some("account has expired")),
        (format!("{}:0:0:7:::", day + 5), None),
        (format!("{day}:0:99999:7::{}:", day + 1), None),
        (format!("{day}:0:99999:7::{day}:"), Some("account has expired")),
        (format!("{day}:0:99999:7::{}:", day - 1), Some("account has expired")),
        (format!("{day}:0:99999:7::0:"), Some("account has expired")),
        (format!("{day}:5:99999:7:::"), None),
        ("1:0::7:::".into(), None),
        ("1:0:0:7:::".into(), Some("password has expired")),
        (":0:1:7:::".into(), Some("password has expired")),
        ("::::::".into(), None),
    ];
    let accounts = cases.iter().enumerate();
    let shadow: String = accounts.map(|(n, (days, _))| format!("u{n}:{SHA512}:{days}\n")).collect();
    host(&shadow);
    let pam = Path::new("/usr/sbin/unix_chkpwd");
    if !pam.exists() {
        record_skip("no unix_chkpwd (libpam-modules-bin) to compare with");
    }
    for (number, (days, lapse)) in cases.iter().enumerate() {
        let user = format!("u{number}");
        if pam.exists() {
            let run = Run::new(pam).args([user.as_str(), "chkexpiry"]);
            // 12: a new password is wanted, 13: the account has expired, 27: and the days of grace are over, too. 20 (too
            // young to be changed) lets everybody in.
            let code = run.deadline(Duration::from_secs(20)).output().code;
            assert_eq!(matches!(code, 12 | 13 | 27), lapse.is_some(), "pam_unix on {days}: {code}");
        }
        let outcome = check("checkpassword", login(&user, "secret"), "true", |run| run);
        let said = lapse.map(|lapse| format!("checkpassword: warning: refusing {user}: {lapse}\n"));
        let expected = (if lapse.is_some() { 1 } else { 0 }, said.unwrap_or_default());
        assert_eq!((outcome.code, outcome.err()), expected, "{days}");
        let outcome = check("checkpassword", login(&user, "wrong"), "true", |run| run);
        assert_refused(&outcome, "a wrong password tells nothing of the account");
    }
}
