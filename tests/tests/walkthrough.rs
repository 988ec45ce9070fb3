//! The walk-through of the README, command for command, as root, on a host of its own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use tests::{Child, MailHost, alone, debian, is_root, record_skip, skip, wait_until};

const POP3D: &str = "#!/bin/sh
exec 2>&1
exec softlimit -m 5000000 \\
tcpserver -RHD 0 pop3 /var/qmail/bin/qmail-popup host.domain.ru \\
/bin/checkpassword /var/qmail/bin/qmail-pop3d Maildir
";

const POP3D_LOG: &str = "#!/bin/sh
exec 2>&1
exec setuidgid qmaill /var/qmail/bin/splogger pop3d 2
";

const POP3SD: &str = "#!/bin/sh
exec 2>&1
exec softlimit -m 5000000 \\
tcpserver -RHD -s -n /var/qmail/control/cert.pem 0 pop3s \\
/var/qmail/bin/qmail-popup host.domain.ru \\
/bin/checkpassword /var/qmail/bin/qmail-pop3d Maildir
";

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_walkthrough_command_for_command() {
    if !is_root() {
        skip!("the walk-through is typed by root");
    }
    alone!();
    let mut host = MailHost::new();
    install_and_check(&host);
    checkpassword_alone(&host);
    host.boot();
    pop3_in_the_clear(&host);
    debian_drives_ours(&host);
    removing_a_service(&host);
    pop3_over_tls(&host);
    up_by_themselves_at_boot(&mut host);
}

/// 1. `make setup check`.
fn install_and_check(host: &MailHost) {
    for goals in ["", "setup check", "setup check LINKS=1"] {
        let made = host.make(goals);
        assert_eq!(made.code, 0, "make {goals}: {}{}", made.out(), made.err());
    }
    for path in
        ["/usr/local/bin/svc", "/command/svc", "/var/qmail/bin/qmail-popup", "/bin/checkpassword"]
    {
        assert_eq!(fs::metadata(path).expect(path).mode() & 0o7777, 0o755, "{path}");
    }
}

/// qmail-popup and checkpassword, typed at a terminal.
fn checkpassword_alone(host: &MailHost) {
    host.deliver();
    let login = |password: &str, program: &str| {
        let mut typed = host.started(&format!("qmail-popup blah checkpassword {program}"));
        typed.write(format!("user alice\r\npass {password}\r\n").as_bytes());
        typed.close();
        let outcome = typed.wait(PATIENCE);
        let (banner, rest) = outcome
            .out()
            .split_once("\r\n")
            .map(|(b, r)| (b.to_owned(), r.to_owned()))
            .expect("a banner");
        assert!(banner.starts_with("+OK "), "{banner}");
        assert!(banner.trim_end_matches('>').ends_with("@blah"), "{banner}");
        rest.split_once("\r\n")
            .filter(|(reply, _)| reply.starts_with("+OK"))
            .expect("USER is taken")
            .1
            .to_owned()
    };
    let refused = login("looking-glass", "pwd");
    assert_eq!(refused, "-ERR [AUTH] authorization failed\r\n");
    assert_eq!(login("wonderland", "pwd"), "/home/alice\n");
    assert_eq!(
        login("wonderland", "id"),
        "uid=7801(alice) gid=7801(alice) groups=7801(alice),7802(teaparty),7803(croquet)\n"
    );
}

/// 2. POP3 in the clear, for practice.
fn pop3_in_the_clear(host: &MailHost) {
    service("pop3d", POP3D, POP3D_LOG);
    let before = supervises(host);
    assert_eq!(host.typed("ln -s /var/qmail/pop3d /service").code, 0);
    wait_until("two more supervise processes", Duration::from_secs(5), || {
        supervises(host) == before + 2
    });
    wait_until("down services", PATIENCE, || status(host, "pop3d").contains(": down "));
    assert_eq!(host.typed("svc -u /service/pop3d/ /service/pop3d/log/").code, 0);
    wait_until("port 110", PATIENCE, || std::net::TcpStream::connect("127.0.0.1:110").is_ok());
    dialogue(host.started("telnet host 110"), "\n");
    // A failed login is in the log, with the address.
    let mut wrong = host.started("telnet host 110");
    wrong.expect("+OK ");
    wrong.write(b"user alice\npass looking-glass\n");
    wrong.expect("-ERR ");
    let logged = tests::wait_for(PATIENCE, || {
        host.syslog
            .messages()
            .into_iter()
            .find(|m| m.starts_with("<22>") && m.contains("127.0.0.1"))
    });
    let logged = logged.unwrap_or_else(|| panic!("in syslog: {:?}", host.syslog.messages()));
    assert!(logged.contains("pop3d: ") && logged.contains("alice"), "{logged}");
}

/// Debian's clients against our supervise.
fn debian_drives_ours(host: &MailHost) {
    let Some(svc) = debian("svc") else { return };
    let [svstat, svok] = ["svstat", "svok"].map(|name| svc.with_file_name(name));
    assert_eq!(host.typed(&format!("{} /service/pop3d", svok.display())).code, 0);
    let stat = || host.typed(&format!("{} /service/pop3d", svstat.display())).out();
    for (letter, word) in [("d", "down"), ("u", "up"), ("p", "paused"), ("c", "up")] {
        assert_eq!(host.typed(&format!("{} -{letter} /service/pop3d", svc.display())).code, 0);
        wait_until(&format!("svc -{letter}"), PATIENCE, || {
            let stat = stat();
            stat.contains(word) && (word == "paused" || !stat.contains("paused"))
        });
    }
    let ours = host.typed("/usr/local/bin/svstat /service/pop3d").out();
    assert_eq!(
        tests::pids(&ours).split(' ').take(5).collect::<Vec<_>>(),
        tests::pids(&stat()).split(' ').take(5).collect::<Vec<_>>()
    );
}

/// 3. Removing a service.
fn removing_a_service(host: &MailHost) {
    let dir = "/var/qmail/pop3d";
    let before = supervises(host);
    assert_eq!(host.at(dir, "rm -f /service/pop3d").code, 0);
    assert_eq!(host.at(dir, "svc -x . ./log").code, 0);
    let gone = host.at(dir, "svc -d /service/pop3d/ /service/pop3d/log/");
    assert_eq!(gone.code, 0);
    assert_eq!(gone.err().matches("svc: warning: ").count(), 2, "{}", gone.err());
    assert_eq!(host.at(dir, "svc -d . ./log").code, 0);
    wait_until("the end of both supervises", PATIENCE, || supervises(host) == before - 2);
}

/// 4. POP3 over TLS.
fn pop3_over_tls(host: &MailHost) {
    let checkout = tests::workspace();
    for name in ["cert.pem", "cert-req.pem"] {
        // This root's copy of the checkout, not the checkout.
        let _ = fs::remove_file(checkout.join(name));
    }
    at_a_terminal("make cert-req");
    let request = host.at(checkout, "openssl req -in cert-req.pem -noout -verify -subject");
    assert_eq!(request.code, 0, "{request:?}");
    assert!(request.out().contains("host.domain.ru"), "{request:?}");
    assert_eq!(host.at(checkout, "rm -f cert.pem cert-req.pem").code, 0);
    at_a_terminal("make cert");
    let moved = host
        .at(checkout, "mv cert.pem /var/qmail/control && chmod 400 /var/qmail/control/cert.pem");
    assert_eq!(moved.code, 0, "{moved:?}");
    service("pop3sd", POP3SD, &POP3D_LOG.replace("pop3d", "pop3sd"));
    let before = supervises(host);
    assert_eq!(host.typed("ln -s /var/qmail/pop3sd /service").code, 0);
    wait_until("two more supervise processes", Duration::from_secs(5), || {
        supervises(host) == before + 2
    });
    wait_until("down services", PATIENCE, || status(host, "pop3sd").contains(": down "));
    assert_eq!(host.typed("svc -u /service/pop3sd/ /service/pop3sd/log/").code, 0);
    wait_until("port 995", PATIENCE, || std::net::TcpStream::connect("127.0.0.1:995").is_ok());
    let client = host.started("openssl s_client -host host.domain.ru -port 995 -crlf -quiet");
    dialogue(client, "\n");
    let shown = host.typed("openssl s_client -host host.domain.ru -port 995 </dev/null");
    assert!(shown.out().contains("BEGIN CERTIFICATE"), "{shown:?}");
    assert!(
        shown.out().contains("CN = host.domain.ru") || shown.out().contains("CN=host.domain.ru"),
        "{shown:?}"
    );
}

/// At last the `down` files go, and a reboot brings the service up.
fn up_by_themselves_at_boot(host: &mut MailHost) {
    assert_eq!(host.typed("rm /var/qmail/pop3sd/down /var/qmail/pop3sd/log/down").code, 0);
    host.shut_down();
    host.boot();
    wait_until("the services", PATIENCE, || {
        status(host, "pop3sd").contains(": up (pid ")
            && status(host, "pop3sd/log").contains(": up (pid ")
    });
    wait_until("port 995", PATIENCE, || std::net::TcpStream::connect("127.0.0.1:995").is_ok());
    dialogue(host.started("openssl s_client -host host.domain.ru -port 995 -crlf -quiet"), "\n");
}

/// A service directory of /var/qmail, as its administrator writes it, both parts down.
fn service(name: &str, run: &str, log: &str) {
    let dir = Path::new("/var/qmail").join(name);
    fs::create_dir_all(dir.join("log")).expect("make a service directory");
    for (path, script) in [("run", run), ("log/run", log)] {
        fs::write(dir.join(path), script).expect("write a script");
        fs::set_permissions(dir.join(path), fs::Permissions::from_mode(0o755)).expect("chmod");
    }
    for path in ["down", "log/down"] {
        fs::write(dir.join(path), "").expect("write down");
    }
}

/// user, pass, stat, retr 1, quit, typed one after the other, each once the last was answered.
fn dialogue(mut client: Child, newline: &str) {
    client.expect("+OK ");
    let steps = [
        ("user alice", "+OK"),
        ("pass wonderland", "+OK"),
        ("stat", "+OK 3 "),
        ("retr 1", "Subject: 0\r\n\r\none\r\n"),
        ("quit", "+OK"),
    ];
    for (command, answer) in steps {
        let seen = tests::text(&client.stdout()).len();
        client.write(format!("{command}{newline}").as_bytes());
        wait_until(command, PATIENCE, || {
            let all = tests::text(&client.stdout());
            // telnet at a pipe prints CRLF as it came or as a newline.
            let new = all[seen..].replace("\r\n", "\n");
            new.contains(&answer.replace("\r\n", "\n"))
        });
    }
    client.wait(PATIENCE);
}

/// Runs a command of the checkout at a terminal. The question for the host's name is answered, all others get the default.
fn at_a_terminal(command: &str) {
    let mut typed = tests::Run::sh(&format!("exec script -qec '{command}' /dev/null"))
        .cwd(tests::workspace())
        .no_outer_make()
        .spawn();
    let mut answered = 0;
    wait_until(&format!("the end of {command}"), PATIENCE, || {
        let shown = tests::text(&typed.stdout());
        let questions: Vec<_> = shown.split("]: ").collect();
        for question in &questions[answered..questions.len() - 1] {
            let name = question.contains("Host name");
            typed.write(if name { b"host.domain.ru\n" } else { b"\n" });
            answered += 1;
        }
        !typed.is_running()
    });
    let outcome = typed.wait(PATIENCE);
    assert_eq!(outcome.code, 0, "{command}: {}", outcome.out());
}

fn status(host: &MailHost, name: &str) -> String {
    host.typed(&format!("svstat /service/{name}")).out()
}

/// How many supervise processes pstree shows.
fn supervises(host: &MailHost) -> usize {
    let tree = host.typed("pstree -p");
    if tree.code != 127 {
        return tree.out().matches("supervise(").count();
    }
    record_skip("no pstree to look through: apt-get install psmisc");
    host.typed("pgrep -x supervise").out().lines().count()
}
