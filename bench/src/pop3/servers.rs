//! Our chain and dovecot, for one mailbox.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::client::Session;
use super::maildir::NOBODY;
use crate::measure::Whose;
use crate::place::{Running, command_dir, is_root, own, wait_until};
use crate::server::{Started, free_port};
use crate::tls_client;
use crate::worker::{HASH, connect, encrypted};

const DOVECOT: &str = "/usr/sbin/dovecot";

/// What the tests tell dovecot, too.
const CONFIGURATION: &str = include_str!("../../../tests/dovecot.conf");

/// Whether dovecot can be measured; if not, why.
pub(super) fn dovecot_installed() -> Result<(), String> {
    if Path::new(DOVECOT).exists() && Path::new("/usr/lib/dovecot/pop3").exists() {
        Ok(())
    } else {
        Err("Debian's dovecot-pop3d is not installed: skipped".to_owned())
    }
}

/// Who looks at passwords, in our chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checker {
    /// Nobody.
    Free,
    /// vchkpw, with a hash as Debian makes them.
    Yescrypt,
}

/// How a mailbox is served.
pub(super) struct Serving {
    home: PathBuf,
    /// For our chain; dovecot believes everybody.
    pub(super) checker: Checker,
    certificate: Option<PathBuf>,
    dovecot: Dovecot,
}

/// Which of dovecot's processes stay, and serve one client after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dovecot {
    /// As it comes: none.
    AsItComes,
    /// Those before login, as many as there are processors: "high-performance mode" of its manual.
    Logins,
    /// Those behind them, too, so many of them: the best it can do.
    All(u32),
}

impl Serving {
    /// In the clear.
    pub(super) fn clear(home: &Path, dovecot: Dovecot) -> Serving {
        let home = home.to_owned();
        Serving { home, checker: Checker::Free, certificate: None, dovecot }
    }

    /// In the clear or over TLS, dovecot as it comes.
    pub(super) fn by_default(home: &Path, certificate: Option<PathBuf>) -> Serving {
        Serving { certificate, ..Self::clear(home, Dovecot::AsItComes) }
    }

    /// Starts one of them, and waits until it has had a first session.
    pub(super) fn start(&self, whose: Whose) -> Result<Started, String> {
        let port = free_port()?;
        let server = match whose {
            Whose::Ours => self.chain(port)?,
            Whose::Others => self.dovecot(port)?,
        };
        let server = Started::of(port, server, whose == Whose::Others);
        let log = || fs::read_to_string(self.home.join("dovecot.log")).unwrap_or_default();
        wait_until("a first login", || session(port, self.certificate.is_some()).is_ok())
            .map_err(|why| format!("{why}; dovecot's log: {}", log()))?;
        server.settle()?;
        Ok(server)
    }

    fn chain(&self, port: u16) -> Result<Running, String> {
        let commands = command_dir();
        let mut tcpserver = Command::new(commands.join("tcpserver"));
        tcpserver.args(["-RHDl0", "-c200", "-b200"]);
        if let Some(certificate) = &self.certificate {
            tcpserver.args(["-s", "-n"]).arg(certificate);
        }
        tcpserver
            .args(["127.0.0.1", &port.to_string()])
            .arg(commands.join("qmail-popup"))
            .arg("bench.example");
        match self.checker {
            Checker::Free => tcpserver
                .arg(own("bench-checker")?)
                .env("BENCH_HOME", &self.home)
                .env("BENCH_UID", NOBODY.to_string()),
            Checker::Yescrypt => {
                tcpserver.arg(commands.join("vchkpw")).env("VPASSWD", self.users()?)
            }
        };
        Running::start(tcpserver.arg(commands.join("qmail-pop3d")).arg("Maildir"))
    }

    /// vchkpw's file.
    fn users(&self) -> Result<PathBuf, String> {
        use std::os::unix::fs::PermissionsExt;
        let file = self.home.join("users");
        let line = format!("alice:{HASH}:{NOBODY}:{NOBODY}:{}\n", self.home.display());
        fs::write(&file, line)
            .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o600)))
            .map_err(|e| format!("unable to write: {e}"))?;
        Ok(file)
    }

    fn dovecot(&self, port: u16) -> Result<Running, String> {
        let file = self.home.join("dovecot.conf");
        fs::write(&file, self.configuration(port)).map_err(|e| format!("unable to write: {e}"))?;
        Running::start(Command::new(DOVECOT).arg("-F").arg("-c").arg(file))
    }

    fn configuration(&self, port: u16) -> String {
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
                "default_internal_user = {me}\ndefault_internal_group = {group}\n\
                 default_login_user = {me}\n"
            )
        };
        let encrypted = self.certificate.as_ref().map_or_else(String::new, |file| {
            let file = file.display();
            format!(
                "ssl = required\nssl_cert = <{file}\nssl_key = <{file}\nservice pop3-login {{\n  \
                 inet_listener pop3 {{\n    port = 0\n  }}\n  \
                 inet_listener pop3s {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n"
            )
        });
        let logins = match self.dovecot {
            Dovecot::AsItComes => String::new(),
            Dovecot::Logins | Dovecot::All(_) => format!(
                "service_count = 0\n  client_limit = 1000\n  process_min_avail = {processors}\n"
            ),
        };
        let sessions = match self.dovecot {
            Dovecot::AsItComes | Dovecot::Logins => String::new(),
            Dovecot::All(ready) => {
                format!("process_min_avail = {ready}\n  service_count = 1000\n  ")
            }
        };
        let home = self.home.display().to_string();
        let common = CONFIGURATION
            .replace("@HOME@", &home)
            .replace("@PORT@", &port.to_string())
            .replace("@UID@", &uid.to_string())
            .replace("@GID@", &gid.to_string());
        // A base directory of its own for each: what its predecessor leaves there would keep it from starting.
        format!(
            "{common}base_dir = {home}/run.{port}
mail_max_userip_connections = 0
{rootless}{encrypted}service pop3-login {{
  {logins}}}
service pop3 {{
  {sessions}process_limit = 1000
}}
service auth {{
  client_limit = 2000
}}
"
        )
    }
}

/// Logs in, in the clear or over TLS.
pub(super) fn session(port: u16, tls: bool) -> Result<Session<Box<dyn Stream>>, String> {
    let stream: Box<dyn Stream> = if tls {
        Box::new(encrypted(port, &tls_client::config(false)?)?)
    } else {
        Box::new(connect(port)?)
    };
    Session::log_in(stream)
}

/// A connection, whatever it goes through.
pub(super) trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// A self-signed one, with its key.
pub(super) fn certificate(directory: &Path) -> Result<PathBuf, String> {
    crate::tls::certificate(directory, "ecdsa")
}

/// What id(1) says of us.
fn id(option: &str) -> String {
    let said = Command::new("id").arg(option).output();
    said.map(|said| String::from_utf8_lossy(&said.stdout).trim_end().to_owned()).unwrap_or_default()
}
