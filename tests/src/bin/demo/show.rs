//! The demo's steps: what a person would type, what it shows, and whether it is right.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tests::{Pop3Client, Signal, wait_for};

use crate::host::{Host, MESSAGES, PASSWORD, USER, ended_well};

/// How long any one step may take.
const PATIENCE: Duration = Duration::from_secs(20);

type Shown = Result<(), String>;

/// Starts svscan and shows both services and their loggers up.
pub(crate) fn services(host: &mut Host) -> Shown {
    title("The services: links in a service directory, started by svscan");
    typed(&format!("svscan {} &", host.scratch.join("service").display()));
    let svscan = host.run("svscan").arg(host.scratch.join("service")).own_group().spawn();
    host.svscan = Some(svscan);
    let svstat = || host.run("svstat").args(names(host)).output().out();
    let shown = wait_for(PATIENCE, || {
        let shown = svstat();
        (shown.matches(": up (pid ").count() == 4).then_some(shown)
    });
    typed("svstat service/pop3d service/pop3d/log service/pop3sd service/pop3sd/log");
    let shown = shown.ok_or_else(|| format!("not all services came up:\n{}", svstat()))?;
    print!("{}", shown.replace(&format!("{}/", host.scratch.path().display()), ""));
    Ok(())
}

/// A whole POP3 session in the clear.
pub(crate) fn session_in_the_clear(host: &Host) -> Shown {
    title("A POP3 session in the clear (C: what the client sends, S: what it gets)");
    typed(&format!("telnet {} {}", host.clear.ip(), host.clear.port()));
    let connected = connected("pop3d", || Pop3Client::connect(host.clear))?;
    session(connected, true)
}

/// One over TLS, with the certificate verified.
pub(crate) fn session_over_tls(host: &Host) -> Shown {
    title("The same over TLS, with the certificate that was just made");
    typed(&format!("openssl s_client -connect {} -CAfile cert.pem", host.tls));
    let connected = connected("pop3sd", || {
        Pop3Client::connect_tls(host.tls, "localhost", &host.certificate())
    })?;
    session(connected, false)
}

/// A wrong password, and a client that speaks no TLS to the TLS port.
pub(crate) fn what_goes_wrong(host: &Host) -> Shown {
    title("A wrong password; and a client that talks in the clear to the TLS port");
    let mut client = connected("pop3d", || Pop3Client::connect(host.clear))?;
    let refused = (|| {
        client.command(&format!("USER {USER}"))?;
        client.command("PASS looking-glass")
    })()
    .map_err(|e| format!("the session with a wrong password: {e}"))?;
    print!("{}", client.transcript());
    ensure(refused.starts_with("-ERR"), "a wrong password is refused")?;
    let ended = speak_plainly(host.tls).map_err(|e| format!("plain text to the TLS port: {e}"))?;
    ensure(!ended.starts_with(b"+OK"), "nothing is served in the clear on the TLS port")
}

/// What the services wrote to syslog.
pub(crate) fn log(host: &Host) -> Shown {
    title("The log: what splogger sent to syslog, facility mail");
    let complete = wait_for(PATIENCE, || {
        let messages = host.syslog.messages();
        let of = |tag: &str| messages.iter().any(|m| m.contains(tag));
        (of("pop3d") && of("pop3sd")).then_some(())
    });
    for message in host.syslog.messages() {
        println!("{message}");
    }
    ensure(complete.is_some(), "both services' troubles are in the log")?;
    let mail = |message: &String| {
        let number = message.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        number.is_some_and(|(n, _)| n.parse().is_ok_and(|n: u32| n >> 3 == 2))
    };
    ensure(host.syslog.messages().iter().all(mail), "every message has the facility mail")
}

/// What the reader can do while all of it runs.
pub(crate) fn what_to_try(host: &Host) {
    title("It is yours now");
    let place = host.scratch.path().display();
    println!("  cd {place}; PATH={}:$PATH", tests::command_dir().display());
    println!("  svstat service/*                 svc -t service/pop3d     (restart)");
    println!("  svc -d service/pop3d             svc -u service/pop3d     (down, up)");
    println!(
        "  telnet {} {}           user {USER}, pass {PASSWORD}",
        host.clear.ip(),
        host.clear.port()
    );
    println!("  openssl s_client -quiet -crlf -connect {} -CAfile cert.pem", host.tls);
    println!("  cat pop3d/run pop3d/env/*        what a service is");
    println!("\nCtrl-C ends it and removes {place}.");
    let _ = std::io::stdout().flush();
}

/// Takes everything down, and sees that nothing is left.
pub(crate) fn removal(host: &mut Host) -> Shown {
    title("Down, and nothing is left");
    typed("svc -dx service/pop3d service/pop3d/log service/pop3sd service/pop3sd/log");
    // First svscan, or it would start again what is told to go.
    if let Some(mut svscan) = host.svscan.take() {
        svscan.signal(Signal::SIGTERM);
        let ended = wait_for(PATIENCE, || (!svscan.is_running()).then_some(()));
        ensure(ended.is_some(), "svscan ends when it is told to")?;
    }
    let svc = host.run("svc").arg("-dx").args(names(host)).output();
    ended_well(&svc, "svc")?;
    let left = wait_for(PATIENCE, || host.scratch.inhabitants().is_empty().then_some(()));
    ensure(left.is_some(), "all processes end")
}

/// Logs in, looks at the mailbox, reads every message, leaves. In detail: all that there is to see.
fn session(mut client: Pop3Client, in_detail: bool) -> Shown {
    let trouble = |e: std::io::Error| format!("the POP3 session: {e}");
    client.command(&format!("USER {USER}")).map_err(trouble)?;
    let welcome = client.command(&format!("PASS {PASSWORD}")).map_err(trouble)?;
    let stat = client.command("STAT").map_err(trouble)?;
    let mut read = Vec::new();
    let numbers = if in_detail { 1..=MESSAGES.len() } else { 2..=2 };
    for number in numbers.clone() {
        read.push(client.listing(&format!("RETR {number}")).map_err(trouble)?);
    }
    let bye = client.command("QUIT").map_err(trouble)?;
    let rest = client.rest().map_err(trouble)?;
    print!("{}", client.transcript());
    ensure(welcome.starts_with("+OK"), "the password is accepted")?;
    ensure(stat == format!("+OK {} {}", MESSAGES.len(), octets()), "STAT counts as the RFC does")?;
    for (number, read) in numbers.zip(read) {
        let text = read.split_once('\n').map_or("", |(_, text)| text);
        ensure(
            text == MESSAGES[number - 1].trim_end_matches('\n'),
            &format!("message {number} arrives as it was"),
        )?;
    }
    ensure(bye.starts_with("+OK") && rest.is_empty(), "QUIT ends the session")
}

/// The size of the mailbox: each line with CR LF, also a last one that lacks its newline.
fn octets() -> usize {
    MESSAGES.iter().flat_map(|message| message.lines()).map(|line| line.len() + 2).sum()
}

/// tcpserver is up a moment before it listens.
fn connected<T>(name: &str, connect: impl Fn() -> std::io::Result<T>) -> Result<T, String> {
    let mut error = String::new();
    wait_for(PATIENCE, || connect().map_err(|e| error = e.to_string()).ok())
        .ok_or_else(|| format!("unable to connect to {name}: {error}"))
}

fn speak_plainly(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(b"USER alice\r\n")?;
    let mut all = Vec::new();
    match socket.read_to_end(&mut all) {
        Err(e) if e.kind() != std::io::ErrorKind::ConnectionReset => Err(e),
        Ok(_) | Err(_) => Ok(all),
    }
}

fn names(host: &Host) -> [std::path::PathBuf; 4] {
    ["pop3d", "pop3d/log", "pop3sd", "pop3sd/log"].map(|name| host.service(name))
}

fn title(text: &str) {
    println!("\n== {text}");
}

fn typed(text: &str) {
    println!("$ {text}");
}

fn ensure(holds: bool, what: &str) -> Shown {
    if holds { Ok(()) } else { Err(format!("this does not hold: {what}")) }
}
