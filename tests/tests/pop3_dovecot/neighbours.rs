//! A Maildir, and the two that serve it.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tests::storm::random::Random;
use tests::{Child, Pop3Client, Run, Scratch, Signal, free_port, program, wait_until};

use crate::Uidl;
use crate::client::Client;

const DOVECOT: &str = "/usr/sbin/dovecot";

/// What the bench tells Dovecot, too.
const CONFIGURATION: &str = include_str!("../../dovecot.conf");

/// Whose mailbox it is: nobody's.
const ACCOUNT: u32 = 65534;

/// Everybody's password is right.
const CHECKER: &str = "#!/bin/sh\nexec 3<&-\nexec \"$@\"\n";

/// Whether Debian's dovecot is there.
pub(crate) fn installed() -> bool {
    Path::new(DOVECOT).exists() && Path::new("/usr/lib/dovecot/pop3").exists()
}

/// The place.
pub(crate) struct Neighbours {
    // Ended before the directory goes.
    dovecot: Child,
    chain: Child,
    ports: [u16; 2],
    scratch: Scratch,
}

impl Neighbours {
    /// Starts both.
    pub(crate) fn new(uidl: Uidl) -> Neighbours {
        let scratch = Scratch::new("pop3-dovecot");
        let made = Run::new(program("maildirmake")).arg(scratch.join("Maildir")).output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        for path in ["", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"] {
            own(&scratch.join(path));
        }
        scratch.script("checker", CHECKER);
        let account = ACCOUNT.to_string();
        let chain = Run::new(program("tcpserver"))
            .args(["-1RHDl0", "-u", &account, "-g", &account, "127.0.0.1", "0"])
            .arg(program("qmail-popup"))
            .args(["pop.example", "./checker"])
            .arg(program("qmail-pop3d"))
            .arg("Maildir")
            .cwd(scratch.path())
            .spawn();
        chain.expect("\n");
        let port = String::from_utf8(chain.stdout()).unwrap().trim().parse().unwrap();
        let ports = [port, free_port()];
        let configuration = configuration(scratch.path(), ports[1], uidl);
        let configuration = scratch.file("dovecot.conf", configuration);
        let dovecot = Run::new(DOVECOT).arg("-F").arg("-c").arg(configuration).spawn();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports[1]));
        wait_until("dovecot", Duration::from_secs(20), || TcpStream::connect(address).is_ok());
        Neighbours { dovecot, chain, ports, scratch }
    }

    /// A session with our chain.
    pub(crate) fn ours(&self) -> Client {
        Client::new("our chain", self.connect(self.ports[0]))
    }

    /// A session with Dovecot.
    pub(crate) fn theirs(&self) -> Client {
        Client::new("dovecot", self.connect(self.ports[1]))
    }

    fn connect(&self, port: u16) -> Pop3Client {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connected = Pop3Client::connect(address);
        connected.unwrap_or_else(|error| panic!("{error}: {}{}", self.log(), self.dovecots_log()))
    }

    /// Delivers a message: new, or with a flag. Gives its subject.
    pub(crate) fn deliver(&self, number: usize, random: &mut Random) -> String {
        let subject = format!("message {number}");
        let text = text(&subject);
        let [size, wire] = [text.len(), text.len() + text.matches('\n').count()];
        let mut name = format!("{}.M{number}P7.host", 1_000_000_000 + number);
        // Some deliveries tell both sizes.
        if random.once_in(2) {
            name = format!("{name},S={size},W={wire}");
        }
        let place = match random.below(4) {
            0 => format!("cur/{name}:2,F"),
            1 => format!("cur/{name}:2,R"),
            _ => format!("new/{name}"),
        };
        let tmp = self.scratch.file(&format!("Maildir/tmp/{name}"), &text);
        own(&tmp);
        let age = Duration::from_secs(1000);
        let file = fs::File::options().append(true).open(&tmp).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        fs::rename(tmp, self.scratch.join("Maildir").join(place)).unwrap();
        subject
    }

    /// The messages that are there, by subject, and the flags of each. None is there twice.
    pub(crate) fn flags(&self) -> BTreeMap<String, String> {
        let mut flags = BTreeMap::new();
        for place in ["new", "cur"] {
            for entry in fs::read_dir(self.scratch.join("Maildir").join(place)).unwrap() {
                let path = entry.unwrap().path();
                let file = fs::read_to_string(&path).unwrap();
                let subject = file.lines().next().unwrap().strip_prefix("Subject: ").unwrap();
                assert_eq!(file, text(subject));
                let name = path.file_name().unwrap().to_str().unwrap();
                let has = name.split_once(":2,").map_or("", |(_, flags)| flags);
                let before = flags.insert(subject.to_owned(), has.to_owned());
                assert_eq!(before, None, "{subject} is there twice");
            }
        }
        flags
    }

    /// What our chain has logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.chain.stderr()).into_owned()
    }

    /// What Dovecot has logged.
    pub(crate) fn dovecots_log(&self) -> String {
        let logged = fs::read_to_string(self.scratch.join("dovecot.log")).unwrap_or_default();
        logged + &String::from_utf8_lossy(&self.dovecot.stderr())
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        // Its processes end with it.
        self.dovecot.signal(Signal::SIGTERM);
        wait_until("dovecot to end", Duration::from_secs(20), || !self.dovecot.is_running());
    }
}

/// A message's file.
pub(crate) fn text(subject: &str) -> String {
    let lines: String = (0..subject.len() * 5).map(|line| format!("line {line}\n")).collect();
    format!("Subject: {subject}\n\n{lines}the end\n")
}

fn configuration(home: &Path, port: u16, uidl: Uidl) -> String {
    let own = match uidl {
        Uidl::OfTheFile => "pop3_uidl_format = %f\n",
        Uidl::OfItsOwn => "",
    };
    let account = ACCOUNT.to_string();
    let common = CONFIGURATION
        .replace("@HOME@", home.to_str().expect("UTF-8"))
        .replace("@PORT@", &port.to_string())
        .replace("@UID@", &account)
        .replace("@GID@", &account);
    common + own
}

fn own(path: &Path) {
    chown(path, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
}
