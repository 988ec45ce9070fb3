//! The finished POP3 chain behind a tcpserver of its own, with one Maildir.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::child::Child;
use crate::place::program;
use crate::run::Run;
use crate::scratch::Scratch;
use crate::skip::is_root;

/// joe's password is `secret`; nobody else has one.
const CHECKER: &str = r#"#!/bin/sh
login=$(tr '\0' '/' <&3)
exec 3<&-
case $login in
  joe/secret/*) exec "$@" ;;
  *) exit 1 ;;
esac
"#;

/// The chain, serving.
pub struct Pop3Chain {
    // Ended before the directory goes.
    server: Child,
    port: u16,
    scratch: Scratch,
}

impl Pop3Chain {
    /// Root gets no mailbox: where the tests are root's, the mailbox is this account's, nobody's.
    pub const ACCOUNT: u32 = 65534;

    /// Makes a Maildir in the scratch directory, where tcpserver runs with the options that `with` adds, and waits until it listens.
    ///
    /// # Panics
    /// If any of that can't be done.
    pub fn start(scratch: Scratch, with: impl FnOnce(Run) -> Run) -> Pop3Chain {
        let made = Run::new(program("maildirmake")).arg(scratch.join("Maildir")).output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        for part in ["", "tmp", "new", "cur"] {
            own(&scratch.join("Maildir").join(part));
        }
        scratch.script("checker", CHECKER);
        let mut run = with(Run::new(program("tcpserver")).arg("-1RHDl0"));
        if is_root() {
            let id = Self::ACCOUNT.to_string();
            run = run.args(["-u", &id, "-g", &id]);
        }
        let server = run
            .args(["127.0.0.1", "0"])
            .arg(program("qmail-popup"))
            .args(["pop.example", "./checker"])
            .arg(program("qmail-pop3d"))
            .arg("Maildir")
            .cwd(scratch.path())
            .spawn();
        server.expect("\n");
        let port = String::from_utf8_lossy(&server.stdout()).trim().parse().expect("a port");
        Pop3Chain { server, port, scratch }
    }

    /// Where it listens, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory that holds the Maildir.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Gives a file to the account whose mailbox it is.
    ///
    /// # Panics
    /// If it isn't there.
    pub fn own(&self, path: &Path) {
        own(path);
    }

    /// Puts a message there, as was done some time ago: its name is `new/NAME` or `cur/NAME:2,FLAGS`.
    ///
    /// # Panics
    /// If that can't be done.
    pub fn deliver(&self, name: &str, message: &[u8]) {
        let place = self.scratch.join("Maildir").join(name);
        let name = place.file_name().and_then(|name| name.to_str()).expect("a name");
        let tmp = self.scratch.file(&format!("Maildir/tmp/{name}"), message);
        own(&tmp);
        let file = fs::File::options().append(true).open(&tmp).expect("open a message");
        let age = Duration::from_secs(1000);
        file.set_modified(SystemTime::now() - age).expect("set its time");
        fs::rename(tmp, place).expect("deliver a message");
    }

    /// The messages that lie in the mailbox.
    ///
    /// # Panics
    /// If it can't be listed.
    pub fn messages(&self) -> Vec<PathBuf> {
        let places = ["new", "cur"].map(|place| self.scratch.join("Maildir").join(place));
        let entries = places.iter().flat_map(|place| fs::read_dir(place).expect("a Maildir"));
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// What the programs have logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.server.stderr()).into_owned()
    }
}

fn own(path: &Path) {
    if is_root() {
        let account = Some(Pop3Chain::ACCOUNT);
        chown(path, account, account).expect("chown");
    }
}
