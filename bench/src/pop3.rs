//! POP3 logins a second, with a checker that costs nothing: our chain against Debian's dovecot, whose login processes are
//! the high-performance ones of its manual: they stay, as many as there are processors, and each serves many clients. The
//! processes behind them are kept for further sessions, too, though that isn't its default: the best it can do.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Goal, Row, Table, Whose, alternate};
use crate::place::{Running, Scratch, command_dir, is_root, own, wait_until};
use crate::server::free_port;
use crate::worker::{Talk, load, login};

const ROUNDS: usize = 7;
const CLIENTS: u32 = 16;
const LOGINS: u32 = 800;
const DOVECOT: &str = "/usr/sbin/dovecot";

/// Who owns the mailbox if root measures: nobody.
const NOBODY: u32 = 65534;

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let installed = if Path::new(DOVECOT).exists() && Path::new("/usr/lib/dovecot/pop3").exists() {
        Ok(())
    } else {
        Err("Debian's dovecot-pop3d is not installed: skipped".to_owned())
    };
    let scratch = Scratch::new("pop3")?;
    mailbox(scratch.path()).map_err(|e| format!("unable to make a mailbox: {e}"))?;
    let one = |whose| {
        let port = free_port()?;
        let _running = match whose {
            Whose::Ours => chain(scratch.path(), port)?,
            Whose::Others => dovecot(scratch.path(), port)?,
        };
        let log = || fs::read_to_string(scratch.path().join("dovecot.log")).unwrap_or_default();
        wait_until("a first login", || login(port).is_ok())
            .map_err(|why| format!("{why}; dovecot's log: {}", log()))?;
        load(port, CLIENTS, LOGINS, Talk::Login)
    };
    let (ours, other) = alternate(ROUNDS, one, installed)?;
    table.add(&Row {
        what: format!("POP3 logins, {CLIENTS} at once (other's: dovecot)"),
        unit: "/s",
        ours,
        other,
        goal: Goal::RatioAtLeast(1.0),
    });
    Ok(())
}

/// Three messages that have been seen before.
fn mailbox(home: &Path) -> std::io::Result<()> {
    let mailbox = home.join("Maildir");
    let mut made = vec![mailbox.clone()];
    for name in ["tmp", "new", "cur"] {
        fs::create_dir_all(mailbox.join(name))?;
        made.push(mailbox.join(name));
    }
    for number in 1..=3 {
        let message = mailbox.join(format!("cur/120000000{number}.1.bench:2,S"));
        fs::write(&message, format!("Subject: message {number}\n\nHello.\n"))?;
        made.push(message);
    }
    if is_root() {
        for path in made.iter().map(PathBuf::as_path).chain([home]) {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(())
}

fn chain(home: &Path, port: u16) -> Result<Running, String> {
    let commands = command_dir();
    let mut tcpserver = Command::new(commands.join("tcpserver"));
    tcpserver
        .args(["-RHDl0", "-c200", "-b200", "127.0.0.1", &port.to_string()])
        .arg(commands.join("qmail-popup"))
        .arg("bench.example")
        .arg(own("bench-checker")?)
        .arg(commands.join("qmail-pop3d"))
        .arg("Maildir")
        .env("BENCH_HOME", home)
        .env("BENCH_UID", NOBODY.to_string());
    Running::start(&mut tcpserver)
}

fn dovecot(home: &Path, port: u16) -> Result<Running, String> {
    let config = home.join("dovecot.conf");
    fs::write(&config, configuration(home, port)).map_err(|e| format!("unable to write: {e}"))?;
    Running::start(Command::new(DOVECOT).arg("-F").arg("-c").arg(config))
}

fn configuration(home: &Path, port: u16) -> String {
    let home = home.display();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (uid, gid) = if is_root() {
        (NOBODY, NOBODY)
    } else {
        (sys::process::geteuid().as_raw(), sys::process::getegid().as_raw())
    };
    // Without root, all of dovecot is one account's.
    let rootless = if is_root() {
        String::new()
    } else {
        let (me, group) = (id("-un"), id("-gn"));
        format!(
            "default_internal_user = {me}\ndefault_internal_group = {group}\ndefault_login_user = {me}\n"
        )
    };
    format!(
        "protocols = pop3
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{home}/Maildir
first_valid_uid = 1
{rootless}passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home} allow_all_users=yes
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
  chroot =
  service_count = 0
  client_limit = 1000
  process_min_avail = {processors}
}}
service pop3 {{
  process_limit = 1000
  process_min_avail = {CLIENTS}
  service_count = 1000
}}
mail_max_userip_connections = 0
service anvil {{
  chroot =
}}
"
    )
}

/// What id(1) says of us.
fn id(option: &str) -> String {
    let said = Command::new("id").arg(option).output();
    said.map(|said| String::from_utf8_lossy(&said.stdout).trim_end().to_owned()).unwrap_or_default()
}
