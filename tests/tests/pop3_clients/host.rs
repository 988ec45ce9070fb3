//! A host that serves one mailbox: in the clear, where TLS must be asked for, or over TLS.

use std::fs;
use std::path::{Path, PathBuf};

use tests::{Pop3Chain, Run, Scratch, is_root, program};

use crate::{Way, mailbox};

/// The host.
pub(crate) struct Host {
    chain: Pop3Chain,
}

impl Host {
    /// Its mailbox is the awkward one.
    pub(crate) fn new(way: Way) -> Host {
        let scratch = Scratch::new("pop3-clients");
        let made = Run::new(program("tcpserver-cert"))
            .args(["--host", "localhost"])
            .cwd(scratch.path())
            .output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        // Only the certificate is the clients' to read.
        let pem = fs::read_to_string(scratch.join("cert.pem")).unwrap();
        let begin = pem.find("-----BEGIN CERTIFICATE").unwrap();
        scratch.file("ca.pem", &pem[begin..]);
        let chain = Pop3Chain::start(scratch, |tcpserver| match way {
            Way::Clear => tcpserver,
            // Nobody can log in before TLS.
            Way::Stls => tcpserver.args(["-n", "cert.pem"]).env("UCSPITLS", "!"),
            Way::Tls => tcpserver.args(["-s", "-n", "cert.pem"]),
        });
        let host = Host { chain };
        for (number, message) in mailbox::awkward().iter().enumerate() {
            let (place, info) = if number % 2 == 0 { ("new", "") } else { ("cur", ":2,S") };
            host.deliver(&format!("{place}/{}.{number}.host{info}", 1_000_000 + number), message);
        }
        host
    }

    /// Puts a message there, some time ago.
    pub(crate) fn deliver(&self, name: &str, message: &[u8]) {
        self.chain.deliver(name, message);
    }

    /// A directory of the clients'.
    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        let path = self.chain.scratch().dir(name);
        self.chain.own(&path);
        path
    }

    /// Where it listens, at `localhost`.
    pub(crate) fn port(&self) -> u16 {
        self.chain.port()
    }

    /// The certificate that clients trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.chain.scratch().join("ca.pem")
    }

    /// A program as the account runs it, with a home of its own and nothing else.
    pub(crate) fn client(&self, program: &str, home: &Path) -> Run {
        let run = if is_root() {
            let account = Pop3Chain::ACCOUNT;
            let ids = [format!("--reuid={account}"), format!("--regid={account}")];
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
        self.chain.own(path);
    }

    /// An executable script.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        self.chain.scratch().script(name, text)
    }

    /// The messages that lie in the mailbox.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = self.chain.messages().into_iter();
        names.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    /// What the programs have logged.
    pub(crate) fn log(&self) -> String {
        self.chain.log()
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
