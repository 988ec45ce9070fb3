//! A host that serves one mailbox: in the clear, where TLS must be asked for, or over TLS.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tests::{Child, Run, Scratch, is_root, program};

use crate::{Way, mailbox};

/// Root gets no mailbox: where the tests are root's, mailbox and clients are this account's.
const ACCOUNT: u32 = 65534;

/// joe's password is `secret`; nobody else has one.
const CHECKER: &str = r#"#!/bin/sh
login=$(tr '\0' '/' <&3)
exec 3<&-
case $login in
  joe/secret/*) exec "$@" ;;
  *) exit 1 ;;
esac
"#;

/// The host.
pub(crate) struct Host {
    scratch: Scratch,
    server: Child,
    port: u16,
}

impl Host {
    /// Its mailbox is the awkward one.
    pub(crate) fn new(way: Way) -> Host {
        let scratch = Scratch::new("pop3-clients");
        let made = Run::new(program("maildirmake")).arg(scratch.join("Maildir")).output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        let made = Run::new(program("tcpserver-cert"))
            .args(["--host", "localhost"])
            .cwd(scratch.path())
            .output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        // Only the certificate is the clients' to read.
        let pem = fs::read_to_string(scratch.join("cert.pem")).unwrap();
        let begin = pem.find("-----BEGIN CERTIFICATE").unwrap();
        scratch.file("ca.pem", &pem[begin..]);
        scratch.script("checker", CHECKER);
        for part in ["", "tmp", "new", "cur"] {
            own(&scratch.join("Maildir").join(part));
        }
        let (server, port) = serve(&scratch, way);
        let host = Host { scratch, server, port };
        for (number, message) in mailbox::awkward().iter().enumerate() {
            let (place, info) = if number % 2 == 0 { ("new", "") } else { ("cur", ":2,S") };
            host.deliver(&format!("{place}/{}.{number}.host{info}", 1_000_000 + number), message);
        }
        host
    }

    /// Puts a message there, some time ago.
    pub(crate) fn deliver(&self, name: &str, message: &[u8]) {
        let path = self.scratch.file(&format!("Maildir/{name}"), message);
        own(&path);
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(100)).unwrap();
    }

    /// A directory of the clients'.
    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        let path = self.scratch.dir(name);
        own(&path);
        path
    }

    /// Where it listens, at `localhost`.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that clients trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.scratch.join("ca.pem")
    }

    /// A program as the account runs it, with a home of its own and nothing else.
    pub(crate) fn client(&self, program: &str, home: &Path) -> Run {
        let run = if is_root() {
            let ids = [format!("--reuid={ACCOUNT}"), format!("--regid={ACCOUNT}")];
            Run::new("setpriv").args(ids).args(["--clear-groups", "--", program])
        } else {
            Run::new(program)
        };
        run.env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("LC_ALL", "C.UTF-8")
            .cwd(home)
    }

    /// A client's configuration, which it takes from a file that only the account can read.
    pub(crate) fn configuration(&self, path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(path, private).unwrap();
        own(path);
    }

    /// An executable script.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        self.scratch.script(name, text)
    }

    /// The messages that lie in the mailbox.
    pub(crate) fn files(&self) -> Vec<String> {
        let places = ["new", "cur"].map(|place| self.scratch.join("Maildir").join(place));
        let entries = places.iter().flat_map(|place| fs::read_dir(place).unwrap());
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// What the programs have logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.server.stderr()).into_owned()
    }
}

fn serve(scratch: &Scratch, way: Way) -> (Child, u16) {
    let tcpserver = Run::new(program("tcpserver")).arg("-1RHDl0");
    let mut run = match way {
        Way::Clear => tcpserver,
        // Nobody can log in before TLS.
        Way::Stls => tcpserver.args(["-n", "cert.pem"]).env("UCSPITLS", "!"),
        Way::Tls => tcpserver.args(["-s", "-n", "cert.pem"]),
    };
    if is_root() {
        let id = ACCOUNT.to_string();
        run = run.args(["-u", &id, "-g", &id]);
    }
    let child = run
        .args(["127.0.0.1", "0"])
        .arg(program("qmail-popup"))
        .args(["pop.example", "./checker"])
        .arg(program("qmail-pop3d"))
        .arg("Maildir")
        .cwd(scratch.path())
        .spawn();
    child.expect("\n");
    let port = String::from_utf8(child.stdout()).unwrap().trim().parse().unwrap();
    (child, port)
}

fn own(path: &Path) {
    if is_root() {
        chown(path, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
    }
}

/// Whether a client is installed; if not, the test says so.
pub(crate) fn installed(client: &str) -> bool {
    let there = Path::new("/usr/bin").join(client).exists();
    if !there {
        tests::record_skip(&format!("no {client} to fetch mail with"));
    }
    there
}

/// The files in a directory, whole.
pub(crate) fn messages(directory: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}
