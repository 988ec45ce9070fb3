//! The demo's host: all that the walk-through finds on a real one, in a scratch directory.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tests::{
    Child, Outcome, Run, Scratch, SyslogSocket, command_dir, free_port, is_root, workspace,
};

/// Who may log in, and with what.
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "wonderland";

/// yescrypt of [`PASSWORD`], as Debian's passwd makes it.
const HASH: &str = "$y$j9T$zTdBvY9ai1T8ihYuqYfhi1$cJmDMC.xZOw7W7kKdNxi/CsTDtoQ0UBjbQG3DfRJSc0";

/// A session's account where the demo is run by root, since a mailbox is never served as root: nobody, nogroup.
const UNPRIVILEGED: (u32, u32) = (65534, 65534);

/// The messages in the mailbox, oldest first, as they are on disk.
pub(crate) const MESSAGES: [&str; 3] = [
    "From: white-rabbit@example.org\nSubject: Late\n\nI shall be too late!\n",
    "From: cheshire-cat@example.org\nSubject: Directions\n\n\
     That depends a good deal on where you want to get to.\n.\n..and on the dots.\n",
    "From: queen@example.org\nSubject: Off\n\nNo newline at the end",
];

pub(crate) struct Host {
    // In the order in which they must go: svscan before its directory.
    pub(crate) svscan: Option<Child>,
    pub(crate) syslog: SyslogSocket,
    pub(crate) clear: SocketAddr,
    pub(crate) tls: SocketAddr,
    bin: PathBuf,
    pub(crate) scratch: Scratch,
}

impl Host {
    /// Makes everything, starts nothing.
    pub(crate) fn new() -> Result<Host, String> {
        let scratch = Scratch::new("demo");
        let port = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let syslog = SyslogSocket::bind(&scratch.join("log"))
            .map_err(|e| format!("unable to listen where syslog would: {e}"))?;
        let bin = programs(&scratch).map_err(|e| format!("unable to copy the programs: {e}"))?;
        let host = Host { svscan: None, syslog, clear: port(), tls: port(), bin, scratch };
        host.make_certificate()?;
        host.make_mailbox()?;
        host.make_services().map_err(|e| format!("unable to make the services: {e}"))?;
        Ok(host)
    }

    pub(crate) fn service(&self, name: &str) -> PathBuf {
        self.scratch.join("service").join(name)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.scratch.join("cert.pem")
    }

    /// A program of ours, on the demo's PATH.
    pub(crate) fn run(&self, name: &str) -> Run {
        let mut path = self.bin.clone().into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        Run::new(self.bin.join(name)).env("PATH", path).cwd(self.scratch.path())
    }

    fn make_certificate(&self) -> Result<(), String> {
        let made = self.run("tcpserver-cert").args(["--host", "localhost"]).output();
        ended_well(&made, "tcpserver-cert")
    }

    fn make_mailbox(&self) -> Result<(), String> {
        let home = self.scratch.dir("home");
        let maildir = home.join("Maildir");
        ended_well(&self.run("maildirmake").arg(&maildir).output(), "maildirmake")?;
        let now = SystemTime::now();
        for (number, message) in MESSAGES.iter().enumerate() {
            let name = format!("home/Maildir/new/{number}.demo.localhost");
            let path = self.scratch.file(&name, message);
            // Delivered in the last minutes, in this order.
            let age = Duration::from_secs(60 * (MESSAGES.len() - number) as u64);
            let file = File::options().append(true).open(path).map_err(|e| e.to_string())?;
            file.set_modified(now - age).map_err(|e| e.to_string())?;
        }
        let (uid, gid) = UNPRIVILEGED;
        if is_root() {
            give(&home, uid, gid).map_err(|e| format!("unable to give the mailbox away: {e}"))?;
        }
        let line = format!("{USER}:{HASH}:{uid}:{gid}:{}\n", home.display());
        let users = self.scratch.file("users", line);
        fs::set_permissions(users, fs::Permissions::from_mode(0o600)).map_err(|e| e.to_string())
    }

    /// Copies of the examples, with another `env/`; what differs from the walk-through is here and nowhere else.
    fn make_services(&self) -> std::io::Result<()> {
        self.scratch.dir("service");
        for (name, address) in [("pop3d", self.clear), ("pop3sd", self.tls)] {
            let service = self.scratch.join(name);
            copy(&workspace().join("examples").join(name), &service)?;
            let set = |file: &str, value: &str| fs::write(service.join(file), format!("{value}\n"));
            let path = |path: PathBuf| path.display().to_string();
            set("env/ADDRESS", &address.ip().to_string())?;
            set("env/PORT", &address.port().to_string())?;
            set("env/HOST", "localhost")?;
            set("env/BIN", &path(self.bin.clone()))?;
            set("env/CHECKPASSWORD", &path(self.bin.join("vchkpw")))?;
            set("env/VPASSWD", &path(self.scratch.join("users")))?;
            set("log/env/BIN", &path(self.bin.clone()))?;
            set("log/env/AS", "")?;
            set("log/env/SYSLOG_SOCKET", &path(self.scratch.join("log")))?;
            set("env/CERT", &path(self.certificate()))?;
            symlink(&service, self.service(name))?;
        }
        Ok(())
    }
}

/// The outcome of a step that must succeed.
pub(crate) fn ended_well(outcome: &Outcome, what: &str) -> Result<(), String> {
    if outcome.code == 0 {
        return Ok(());
    }
    Err(format!("{what}: exit code {}: {}{}", outcome.code, outcome.out(), outcome.err()))
}

/// Where the programs are. Root's are copied to where the account of a session can reach them.
fn programs(scratch: &Scratch) -> std::io::Result<PathBuf> {
    let ours = command_dir();
    if !is_root() {
        return Ok(ours);
    }
    let bin = scratch.join("bin");
    copy(&ours, &bin)?;
    Ok(bin)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            // What a supervise has left in a checkout's example is not part of it.
            if entry.file_name() != "supervise" {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn give(path: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    chown(path, Some(uid), Some(gid))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}
