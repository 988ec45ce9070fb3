//! Every directory in examples/ is run: by root unchanged, at the traditional paths and ports of a host of its own; and by
//! `make demo` (see demo.rs) as an ordinary user, with another `env/`.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use tests::{MailHost, Pop3Client, alone, is_root, skip, tls, wait_for, wait_until, workspace};

const PATIENCE: Duration = Duration::from_secs(20);

/// The examples that the tests below run; ucspi/example.rs, which has a name server; and pop3/refused.rs, which asks fail2ban. A
/// new one needs a test there.
const RUN: [&str; 9] = [
    "behind-tls",
    "boot",
    "echo",
    "fail2ban",
    "https",
    "pop3d",
    "pop3d-virtual",
    "pop3sd",
    "smtpd",
];

#[test]
fn each_example_is_run_by_a_test() {
    let entries = fs::read_dir(workspace().join("examples")).expect("examples/");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert_eq!(names, RUN);
}

#[test]
fn the_examples_run_unchanged_at_boot() {
    if !is_root() {
        skip!("the examples' own ports and accounts are root's to give");
    }
    alone!();
    let mut host = MailHost::new();
    host.deliver();
    let installed = host.make("setup LINKS=1");
    assert_eq!(installed.code, 0, "{installed:?}");
    let made = host.typed("tcpserver-cert --host host.domain.ru /var/qmail/control/cert.pem");
    assert_eq!(made.code, 0, "{made:?}");
    for name in ["pop3d", "pop3sd"] {
        let example = workspace().join("examples").join(name);
        let linked = host.typed(&format!(
            "cp -R '{}' /var/qmail/ && ln -s /var/qmail/{name} /service",
            example.display()
        ));
        assert_eq!(linked.code, 0, "{linked:?}");
    }
    host.boot();
    let clear = connected(|| Pop3Client::connect(([127, 0, 0, 1], 110).into()));
    session(clear);
    let pem = Path::new("/var/qmail/control/cert.pem");
    let clear = Pop3Client::connect(([127, 0, 0, 1], 110).into()).expect("a connection");
    session(clear.encrypted("host.domain.ru", pem).expect("STLS"));
    let tls =
        connected(|| Pop3Client::connect_tls(([127, 0, 0, 1], 995).into(), "host.domain.ru", pem));
    session(tls);
    for name in ["pop3d", "pop3d/log", "pop3sd", "pop3sd/log"] {
        wait_until(name, PATIENCE, || {
            host.typed(&format!("svstat /service/{name}")).out().contains(": up (pid ")
        });
    }
    // The loggers run under their account.
    let accounts = host.typed("ps -o user= -C splogger");
    assert_eq!(accounts.out(), "qmaill\nqmaill\n", "{accounts:?}");
}

#[test]
fn echo_says_when_it_is_ready_and_how_it_ended() {
    if !is_root() {
        skip!("the examples' own ports and accounts are root's to give");
    }
    alone!();
    let mut host = MailHost::new();
    let installed = host.make("setup");
    assert_eq!(installed.code, 0, "{installed:?}");
    link(&host, "echo");
    host.boot();
    wait_until("supervise", PATIENCE, || host.typed("svok /service/echo").code == 0);
    let ready = host.typed("svc -R -T 20 /service/echo");
    assert_eq!((ready.code, ready.err().as_str()), (0, ""), "{ready:?}");
    // Ready means that there is nothing to wait for.
    let mut client = TcpStream::connect(("127.0.0.1", 7)).expect("a connection");
    client.write_all(b"hello\n").expect("sent");
    client.shutdown(Shutdown::Write).expect("half-closed");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "hello\n");
    let down = host.typed("svc -D -T 20 /service/echo");
    assert_eq!((down.code, down.err().as_str()), (0, ""), "{down:?}");
    let log = || fs::read_to_string("/var/log/echo/current").unwrap_or_default();
    wait_until("its end to be logged", PATIENCE, || log().contains(" echo ended: exit code 0, "));
}

#[test]
fn https_answers_a_browser() {
    if !is_root() {
        skip!("the examples' own ports and accounts are root's to give");
    }
    if !Path::new("/usr/bin/curl").exists() {
        skip!("no curl");
    }
    alone!();
    let mut host = with_certificates();
    link(&host, "https");
    host.boot();
    connected(|| TcpStream::connect(("127.0.0.1", 443)));
    // Of the head, without the dates.
    let page = |arguments: &str| {
        let curl = "curl --silent --show-error --http1.1 --max-time 60";
        let seen = host.typed(&format!("{curl} --cacert {PEM} {arguments}"));
        (seen.code, seen.out().replace('\r', ""))
    };
    let index = fs::read_to_string("/var/https/public/index.html").expect("a page");
    assert_eq!(page("https://host.domain.ru/"), (0, index.clone()));
    assert_eq!(page("--http1.0 https://host.domain.ru/index.html?x=1"), (0, index.clone()));
    let (code, head) = page("--head https://host.domain.ru/");
    assert!(head.starts_with("HTTP/1.1 200 OK\nDate: "), "{head}");
    let rest =
        format!("\nContent-Type: text/html; charset=utf-8\nContent-Length: {}\n", index.len());
    assert!(code == 0 && head.contains(&rest) && head.ends_with("\n\n"), "{head}");
    for (arguments, status) in [
        ("https://host.domain.ru/no-such-page", "404 Not found\n"),
        ("https://host.domain.ru", "200"),
        ("--path-as-is https://host.domain.ru/../run", "404 Not found\n"),
        ("--path-as-is https://host.domain.ru/./../httpd", "404 Not found\n"),
        ("'https://host.domain.ru/a%20b'", "404 Not found\n"),
        ("--data x=1 https://host.domain.ru/", "405 Method not allowed\n"),
        ("--header Host: https://host.domain.ru/", "400 Bad request\n"),
    ] {
        let (code, seen) = page(&format!("--write-out '%{{http_code}}' {arguments}"));
        let (page, number) = seen.split_at(seen.len() - 3);
        let expected = if page == index { "200" } else { page };
        assert_eq!((code, expected), (0, status), "{arguments}");
        assert!(status.starts_with(number), "{arguments}: {number}");
    }
    // A page that a client already has, long and not text, whole.
    let made = host.typed("head -c 300000 /dev/urandom >/var/https/public/noise.bin");
    assert_eq!(made.code, 0, "{made:?}");
    let fetch = format!("curl -sS --cacert {PEM} https://host.domain.ru/noise.bin");
    let same = host.typed(&format!("{fetch} | cmp - /var/https/public/noise.bin"));
    assert_eq!((same.code, same.out().as_str()), (0, ""), "{same:?}");
    let log = || fs::read_to_string("/var/log/https/current").unwrap_or_default();
    wait_until("the log", PATIENCE, || {
        log().contains(" 405 Method not allowed (127.0.0.1, TLSv1.3)")
    });
    // Neither who answers nor who talks TLS is root: only who listens.
    let socket = TcpStream::connect(("127.0.0.1", 443)).expect("a connection");
    let client = tls::over(socket, "host.domain.ru", Path::new(PEM)).expect("TLS");
    let owners = || host.typed("ps -o user=,comm= -C httpd,tcpserver | sort | tr -s ' '").out();
    let expected = "nobody httpd\nnobody tcpserver\nroot tcpserver\n";
    wait_until("a process for it", PATIENCE, || owners() == expected);
    drop(client);
}

#[test]
fn behind_tls_a_server_that_knows_nothing_of_it() {
    if !is_root() {
        skip!("the examples' own ports and accounts are root's to give");
    }
    alone!();
    let mut host = with_certificates();
    for name in ["echo", "behind-tls"] {
        link(&host, name);
    }
    host.boot();
    connected(|| TcpStream::connect(("127.0.0.1", 7)));
    let socket = connected(|| TcpStream::connect(("127.0.0.1", 7007)));
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut client = tls::over(socket, "host.domain.ru", Path::new(PEM)).expect("TLS");
    client.write_all(b"hello\n").expect("sent");
    let mut answer = [0; 6];
    client.read_exact(&mut answer).expect("an answer while our side is open");
    assert_eq!(&answer, b"hello\n");
    // The server is told that we have said everything, and says so itself, but not before the last word.
    client.write_all(b"bye\n").expect("sent");
    client.conn.send_close_notify();
    client.flush().expect("sent");
    let mut rest = String::new();
    client.read_to_string(&mut rest).expect("an orderly end");
    assert_eq!(rest, "bye\n");
    // The other way round: a server that goes away. Its end is the client's.
    let socket = connected(|| TcpStream::connect(("127.0.0.1", 7007)));
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut client = tls::over(socket, "host.domain.ru", Path::new(PEM)).expect("TLS");
    client.write_all(b"x").expect("sent");
    client.read_exact(&mut [0]).expect("an answer");
    let killed = host.typed("pkill -x cat");
    assert_eq!(killed.code, 0, "{killed:?}");
    assert_eq!(client.read(&mut [0]).expect("an orderly end"), 0);
    drop(client);
    let log = || fs::read_to_string("/var/log/behind-tls/current").unwrap_or_default();
    wait_until("two ends in the log", PATIENCE, || log().matches(" status 0\n").count() >= 2);
    assert!(!log().contains("warning"), "{}", log());
}

#[test]
fn virtual_users_have_their_mail_from_one_account() {
    if !is_root() {
        skip!("the examples' own ports and accounts are root's to give");
    }
    alone!();
    let mut host = with_certificates();
    let account = "vmail:x:7900:7900:Mail:/var/vmail:/bin/sh";
    let made = host.typed(&format!(
        "echo {account} >>/etc/passwd && echo vmail:x:7900: >>/etc/group && \
         install -d -m 700 -o vmail -g vmail /var/vmail"
    ));
    assert_eq!(made.code, 0, "{made:?}");
    link(&host, "pop3d-virtual");
    let (joe, ann) = ("joe@host.domain.ru", "ann@host.domain.ru");
    for user in [joe, ann] {
        let added =
            host.typed(&format!("echo secret of {user} | /service/pop3d-virtual/add {user}"));
        assert_eq!((added.code, added.err().as_str()), (0, ""), "{user}");
    }
    let there = host.typed(&format!("echo x | /service/pop3d-virtual/add {joe}"));
    assert_eq!(there.code, 100, "{there:?}");
    for name in ["''", "..", "a/b"] {
        let refused = host.typed(&format!("echo x | /service/pop3d-virtual/add {name}"));
        assert_eq!(refused.err(), "usage: ./add user@domain\n");
    }
    let delivered = host.typed(&format!(
        "cd /var/vmail/{joe}/Maildir/new && printf 'Subject: joe\\n\\nhello\\n' >1.a && \
         touch -d '1 hour ago' 1.a && chown vmail:vmail 1.a"
    ));
    assert_eq!(delivered.code, 0, "{delivered:?}");
    host.boot();
    let log_in = |mut client: Pop3Client, user: &str| {
        client.command(&format!("USER {user}")).expect("an answer to USER");
        let welcome = client.command(&format!("PASS secret of {user}")).expect("an answer to PASS");
        assert!(welcome.starts_with("+OK"), "{}", client.transcript());
        client
    };
    let connect = || connected(|| Pop3Client::connect(([127, 0, 0, 1], 110).into()));
    let mut anns = log_in(connect(), ann);
    assert_eq!(anns.command("STAT").expect("an answer to STAT"), "+OK 0 0");
    let encrypted = connect().encrypted("host.domain.ru", Path::new(PEM)).expect("STLS");
    let mut client = log_in(encrypted, joe);
    let message = client.listing("RETR 1").expect("a message");
    assert!(message.ends_with("\nSubject: joe\n\nhello"), "{message:?}");
    // Both sessions are the account's.
    let owners = host.typed("ps -o user= -C qmail-pop3d | sort | uniq -c | tr -d ' '");
    assert_eq!(owners.out(), "2vmail\n", "{owners:?}");
}

/// Where the certificate of [`with_certificates`] is, among those that certbot would leave there.
const PEM: &str = "/etc/letsencrypt/live/host.domain.ru.pem";

/// A host with our programs, and a certificate.
fn with_certificates() -> MailHost {
    let host = MailHost::new();
    let installed = host.make("setup");
    assert_eq!(installed.code, 0, "{installed:?}");
    let made = host.typed(&format!(
        "install -d -m 700 /etc/letsencrypt/live && tcpserver-cert --host host.domain.ru {PEM}"
    ));
    assert_eq!(made.code, 0, "{made:?}");
    host
}

/// Puts an example where a service is, with a directory for its log.
fn link(host: &MailHost, name: &str) {
    let example = workspace().join("examples").join(name);
    let linked = host.typed(&format!(
        "cp -R '{}' /var/ && install -d -o qmaill /var/log/{name} && ln -s /var/{name} /service",
        example.display()
    ));
    assert_eq!(linked.code, 0, "{linked:?}");
}

#[test]
fn the_inittab_line_and_the_unit_start_the_same() {
    let file = |name: &str| {
        fs::read_to_string(workspace().join("examples/boot").join(name)).expect("a boot example")
    };
    let inittab = file("inittab");
    let line = inittab.lines().find(|line| !line.starts_with('#')).expect("a line");
    let command = line.splitn(4, ':').nth(3).expect("its command");
    assert!(file("svscanboot.service").contains(&format!("\nExecStart={command}\n")));
}

fn session(mut client: Pop3Client) {
    client.command("USER alice").expect("an answer to USER");
    let welcome = client.command("PASS wonderland").expect("an answer to PASS");
    assert!(welcome.starts_with("+OK"), "{}", client.transcript());
    let stat = client.command("STAT").expect("an answer to STAT");
    assert!(stat.starts_with("+OK 3 "), "{stat}");
    let message = client.listing("RETR 2").expect("a message");
    assert!(message.ends_with("\nSubject: 1\n\ntwo\n.dot"), "{message:?}");
    assert!(client.command("QUIT").expect("an answer to QUIT").starts_with("+OK"));
    assert_eq!(client.rest().expect("an orderly end"), b"");
}

fn connected<T>(connect: impl Fn() -> std::io::Result<T>) -> T {
    wait_for(PATIENCE, || connect().ok()).expect("a connection")
}
