//! The walk-through's host: Debian as it is, our programs installed, an account, a syslog.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::child::Child;
use crate::fresh_root::fresh_root;
use crate::place::{program, workspace};
use crate::run::{Outcome, Run};
use crate::syslog_socket::SyslogSocket;

/// yescrypt of `wonderland`, as Debian's passwd makes it.
const HASH: &str = "$y$j9T$zTdBvY9ai1T8ihYuqYfhi1$cJmDMC.xZOw7W7kKdNxi/CsTDtoQ0UBjbQG3DfRJSc0";

/// The PATH that Debian gives root.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A host in a root directory of its own. Its account `alice` has the password `wonderland`, two supplementary groups and
/// three messages; it calls itself `host.domain.ru`.
pub struct MailHost {
    /// What arrived at /dev/log.
    pub syslog: SyslogSocket,
    boot: Option<Child>,
}

impl MailHost {
    /// Makes it, our programs not yet installed. For root, after [`crate::alone!`].
    ///
    /// # Panics
    /// If the test's process can't have a root of its own.
    pub fn new() -> MailHost {
        // What `make setup` installs is there before the root changes.
        program("svscan");
        fresh_root().expect("a fresh root");
        append("/etc/passwd", "qmaill:x:7794:2108::/var/qmail:/bin/true\n");
        append("/etc/passwd", "alice:x:7801:7801:Alice:/home/alice:/bin/sh\n");
        append(
            "/etc/group",
            "qmail:x:2108:\nalice:x:7801:\nteaparty:x:7802:alice\ncroquet:x:7803:alice\n",
        );
        append("/etc/shadow", &format!("qmaill:!:19700::::::\nalice:{HASH}:19700:0:99999:7:::\n"));
        append("/etc/hosts", "127.0.0.1 host.domain.ru host\n");
        fs::create_dir_all("/service").expect("make /service");
        fs::create_dir_all("/var/qmail/control").expect("make /var/qmail/control");
        let syslog = SyslogSocket::bind(Path::new("/dev/log")).expect("listen at /dev/log");
        MailHost { syslog, boot: None }
    }

    /// Gives alice a Maildir with three messages.
    ///
    /// # Panics
    /// If that can't be done.
    pub fn deliver(&self) {
        fs::create_dir_all("/home/alice").expect("make a home");
        for (number, text) in ["one", "two\n.dot", "three"].iter().enumerate() {
            let message = format!("Subject: {number}\n\n{text}\n");
            for dir in ["new", "cur", "tmp"] {
                fs::create_dir_all(Path::new("/home/alice/Maildir").join(dir)).expect("a Maildir");
            }
            let name = format!("/home/alice/Maildir/new/100000000{number}.1.host");
            fs::write(&name, message).expect("write a message");
            let file = fs::File::options().append(true).open(&name).expect("open a message");
            let age = Duration::from_secs(3600 - 60 * number as u64);
            file.set_modified(std::time::SystemTime::now() - age).expect("set its time");
        }
        let owned = self.typed("chown -R alice:alice /home/alice");
        assert_eq!(owned.code, 0, "{owned:?}");
    }

    /// A command as root types it, run to its end.
    pub fn typed(&self, command: &str) -> Outcome {
        self.at("/", command)
    }

    /// The same, typed in the directory `cwd`.
    pub fn at(&self, cwd: impl AsRef<Path>, command: &str) -> Outcome {
        shell(command).cwd(cwd).output()
    }

    /// A command that goes on while the test does.
    pub fn started(&self, command: &str) -> Child {
        shell(format!("exec {command}")).cwd("/").spawn()
    }

    /// A `make` in the checkout.
    pub fn make(&self, goals: &str) -> Outcome {
        // With the machine's own PATH: the build may need its cargo.
        Run::make(goals).deadline(Duration::from_secs(300)).output()
    }

    /// Starts what the example of a systemd unit starts at boot.
    ///
    /// # Panics
    /// If the unit has no ExecStart.
    pub fn boot(&mut self) {
        let unit = workspace().join("examples/boot/svscanboot.service");
        let unit = fs::read_to_string(unit).expect("the example of a unit");
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
        self.boot = Some(self.started(command.expect("an ExecStart")));
    }

    /// Ends what [`MailHost::boot`] started, with all services, as a reboot does.
    ///
    /// # Panics
    /// If that can't be done.
    pub fn shut_down(&mut self) {
        let ended = self.typed(
            "kill -9 $(pgrep -x 'svscanboot|svscan|supervise|readproctitle|tcpserver|splogger')",
        );
        assert_eq!(ended.code, 0, "{ended:?}");
        self.boot = None;
    }
}

impl Default for MailHost {
    fn default() -> MailHost {
        MailHost::new()
    }
}

fn shell(command: impl AsRef<OsStr>) -> Run {
    let home = [("PATH", PATH), ("HOME", "/root"), ("LC_ALL", "C.UTF-8")];
    let run = Run::new("/bin/sh").arg("-c").arg(command);
    home.into_iter().fold(run, |run, (name, value)| run.env(name, value))
}

fn append(path: &str, text: &str) {
    let old = fs::read_to_string(path).unwrap_or_default();
    let newline = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    fs::write(path, format!("{old}{newline}{text}")).unwrap_or_else(|e| panic!("{path}: {e}"));
}
