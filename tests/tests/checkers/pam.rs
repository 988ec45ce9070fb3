//! checkpassword-pam, with Debian's libpam and modules and an `/etc/pam.d` of the test's own.

use super::*;
use tests::{alone, command_dir, fresh_root, is_root, skip};

/// A host with three accounts and these services in `/etc/pam.d`.
fn host(services: &[(&str, &str)]) {
    fresh_root().expect("a root directory of the test's own");
    let day =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_secs()
            / 86_400;
    let mut passwd = "root:x:0:0:root:/root:/bin/sh\n".to_owned();
    let mut shadow = format!("root:*:{day}::::::\n");
    for (user, uid, days) in [
        ("joe", 4001, format!("{day}::::::")),
        ("old", 4002, format!("{day}:::::1:")),
        ("first", 4003, "0::::::".into()),
    ] {
        passwd += &format!("{user}:x:{uid}:4343:Test:/home/{user}:/bin/sh\n");
        shadow += &format!("{user}:{SHA512}:{days}\n");
        home(Path::new(&format!("/home/{user}")), uid, 4343);
    }
    fs::write("/etc/passwd", passwd).expect("passwd");
    fs::write("/etc/shadow", shadow).expect("shadow");
    fs::write("/etc/group", "root:x:0:\nusers:x:4343:\nextra:x:4444:joe\nmore:x:4545:\n")
        .expect("group");
    fs::write("/etc/nsswitch.conf", "passwd: files\nshadow: files\ngroup: files\n")
        .expect("nsswitch");
    fs::remove_dir_all("/etc/pam.d").expect("no pam.d");
    fs::create_dir("/etc/pam.d").expect("pam.d");
    for (name, text) in services {
        fs::write(format!("/etc/pam.d/{name}"), text).expect("a service");
    }
}

const UNIX: &str = "auth required pam_unix.so\naccount required pam_unix.so\n";

fn tried(arguments: &[&str], login: &str, script: &str) -> Outcome {
    let program = program("checkpassword-pam");
    let mut command = vec![program.as_path()];
    command.extend(arguments.iter().map(Path::new));
    command.extend(["sh", "-c", script].map(Path::new));
    checked(login, &command, |run| run.env("TCPREMOTEIP", "192.0.2.1").env_remove("PAM_SERVICE"))
}

macro_rules! as_root_with_pam {
    () => {
        if !command_dir().join("checkpassword-pam").exists() {
            skip!("checkpassword-pam is not built: no libpam to link with (Debian: libpam0g-dev)");
        }
        if !is_root() {
            skip!("only root can become other accounts");
        }
        alone!();
    };
}

#[test]
fn who_is_let_in_and_as_whom() {
    as_root_with_pam!();
    host(&[
        ("checkpassword-pam", UNIX),
        ("other", "auth required pam_deny.so\naccount required pam_deny.so\n"),
    ]);
    let script = "id -u; id -g; id -G; pwd; echo $USER $HOME $SHELL $TCPREMOTEIP; test -e /dev/fd/3 || echo closed; ulimit -v";
    let outcome = tried(&[], &login("joe", "secret"), script);
    assert_eq!(outcome.err(), "");
    let expected =
        "4001\n4343\n4343 4444\n/home/joe\njoe /home/joe /bin/sh 192.0.2.1\nclosed\nunlimited\n";
    assert_eq!(outcome.out(), expected);
    for (user, password) in
        [("joe", "wrong"), ("joe", ""), ("nobody", "secret"), ("", "secret"), ("root", "secret")]
    {
        let outcome = tried(&[], &login(user, password), "echo in");
        assert_eq!(
            (outcome.code, outcome.out().as_str(), outcome.err().as_str()),
            (1, "", ""),
            "{user}"
        );
    }
    // Another service, by option and by variable; `other` denies.
    assert_eq!(tried(&["-s", "pop3"], &login("joe", "secret"), "true").code, 1);
    let program = program("checkpassword-pam");
    let by_variable = |name: &str| {
        let command = [&program, Path::new("true")];
        checked(login("joe", "secret"), &command, |run| run.env("PAM_SERVICE", name)).code
    };
    assert_eq!(
        [by_variable("pop3"), by_variable("checkpassword-pam"), by_variable("../pam.d/other")],
        [1, 0, 2]
    );
    let usage = "checkpassword-pam: usage: checkpassword-pam [ -s service ] program [ arg ... ]\n";
    let outcome = Run::new(&program).output();
    assert_eq!((outcome.code, outcome.err().as_str()), (2, usage));
}

#[test]
fn account_management_has_its_say() {
    as_root_with_pam!();
    let denied = "auth required pam_unix.so\naccount required pam_nologin.so\naccount required pam_unix.so\n";
    host(&[("checkpassword-pam", UNIX), ("nologin", denied)]);
    for (user, why) in [
        ("old", "User account has expired"),
        ("first", "Authentication token is no longer valid; new one required"),
    ] {
        let outcome = tried(&[], &login(user, "secret"), "echo in");
        let last = format!("checkpassword-pam: warning: refusing {user}: {why}\n");
        assert!(
            outcome.code == 1 && outcome.out().is_empty() && outcome.err().ends_with(&last),
            "{outcome:?}"
        );
        let outcome = tried(&[], &login(user, "wrong"), "echo in");
        assert_eq!(
            (outcome.code, outcome.err().as_str()),
            (1, ""),
            "a wrong password tells nothing of the account"
        );
    }
    assert_eq!(tried(&["-s", "nologin"], &login("joe", "secret"), "true").code, 0);
    fs::write("/etc/nologin", "back soon\n").expect("nologin");
    let outcome = tried(&["-s", "nologin"], &login("joe", "secret"), "true");
    assert_eq!(outcome.code, 1, "{outcome:?}");
}

#[test]
fn modules_learn_the_address_and_may_add_groups() {
    as_root_with_pam!();
    let rhost = "auth required pam_unix.so\naccount required pam_exec.so quiet /rhost\naccount required pam_unix.so\n";
    let group =
        "auth required pam_unix.so\nauth optional pam_group.so\naccount required pam_unix.so\n";
    host(&[("rhost", rhost), ("group", group)]);
    fs::write("/rhost", "#!/bin/sh\necho \"$PAM_USER $PAM_RHOST $PAM_SERVICE\" >/said\n")
        .expect("a script");
    fs::set_permissions("/rhost", Permissions::from_mode(0o755)).expect("chmod");
    let outcome = tried(&["-s", "rhost"], &login("joe", "secret"), "true");
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    assert_eq!(fs::read_to_string("/said").expect("what was said"), "joe 192.0.2.1 rhost\n");
    fs::create_dir_all("/etc/security").expect("security");
    fs::write("/etc/security/group.conf", "group;*;joe;Al0000-2400;more\n").expect("group.conf");
    let outcome = tried(&["-s", "group"], &login("joe", "secret"), "id -G");
    assert_eq!(outcome.err(), "");
    assert!(
        outcome.out().starts_with("4343 ") && outcome.out().contains("4545"),
        "{}",
        outcome.out()
    );
}

#[test]
fn what_is_no_fault_of_the_user_is_111() {
    as_root_with_pam!();
    host(&[
        ("missing", "auth required /no/such/module.so\naccount required pam_unix.so\n"),
        (
            "unavailable",
            "auth required pam_debug.so auth=authinfo_unavail\naccount required pam_permit.so\n",
        ),
        ("stranger", "auth required pam_permit.so\naccount required pam_permit.so\n"),
    ]);
    let outcome = tried(&["-s", "missing"], &login("joe", "secret"), "true");
    assert!(
        outcome.code == 111
            && outcome
                .err()
                .starts_with("checkpassword-pam: fatal: unable to check the password of joe: "),
        "{outcome:?}"
    );
    let outcome = tried(&["-s", "unavailable"], &login("joe", "secret"), "true");
    assert_eq!(outcome.code, 111, "{outcome:?}");
    let outcome = tried(&["-s", "stranger"], &login("nobody-here", "secret"), "true");
    let text = "checkpassword-pam: fatal: unable to find the account of nobody-here: PAM lets in whom this host doesn't know\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, text));
}

/// Under the walk-through's softlimit: libpam's modules, and yescrypt, have more than that while they are asked.
#[test]
fn five_megabytes_are_enough() {
    as_root_with_pam!();
    host(&[("checkpassword-pam", UNIX)]);
    let hash = Run::new("mkpasswd").args(["-m", "yescrypt", "secret"]).output().out();
    if !hash.starts_with("$y$") {
        skip!("no mkpasswd (Debian: whois)");
    }
    let shadow =
        fs::read_to_string("/etc/shadow").expect("shadow").replacen(SHA512, hash.trim(), 1);
    fs::write("/etc/shadow", shadow).expect("shadow");
    let (softlimit, pam) = (program("softlimit"), program("checkpassword-pam"));
    let command = [
        &softlimit,
        Path::new("-m"),
        Path::new("5000000"),
        &pam,
        Path::new("sh"),
        Path::new("-c"),
        Path::new("id -u; ulimit -v"),
    ];
    let outcome = checked(login("joe", "secret"), &command, |run| run);
    assert_eq!((outcome.err().as_str(), outcome.out().as_str()), ("", "4001\n4882\n"));
}
