//! Every directory in examples/ is run: by root unchanged, at the traditional paths and ports of a host of its own; and by
//! `make demo` (see demo.rs) as an ordinary user, with another `env/`.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use tests::{MailHost, Pop3Client, alone, is_root, skip, wait_for, wait_until, workspace};

const PATIENCE: Duration = Duration::from_secs(20);

/// The examples that the tests below run, and ucspi/example.rs, which has a name server. A new one needs a test there.
const RUN: [&str; 5] = ["boot", "echo", "pop3d", "pop3sd", "smtpd"];

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
    let pem = std::path::Path::new("/var/qmail/control/cert.pem");
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
    let example = workspace().join("examples/echo");
    let linked = host.typed(&format!(
        "cp -R '{}' /var/ && install -d -o qmaill /var/log/echo && ln -s /var/echo /service",
        example.display()
    ));
    assert_eq!(linked.code, 0, "{linked:?}");
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
