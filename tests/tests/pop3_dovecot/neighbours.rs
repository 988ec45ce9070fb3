//! A Maildir, and the two that serve it.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use tests::storm::random::Random;
use tests::{Child, Pop3Chain, Pop3Client, Run, Scratch, Signal, free_port, wait_until};

use crate::Uidl;
use crate::client::Client;

const DOVECOT: &str = "/usr/sbin/dovecot";

/// What the bench tells Dovecot, too.
const CONFIGURATION: &str = include_str!("../../dovecot.conf");

/// Whether Debian's dovecot is there.
pub(crate) fn installed() -> bool {
    Path::new(DOVECOT).exists() && Path::new("/usr/lib/dovecot/pop3").exists()
}

/// The place.
pub(crate) struct Neighbours {
    // Ended before the directory goes.
    dovecot: Child,
    dovecots_port: u16,
    chain: Pop3Chain,
}

impl Neighbours {
    /// Starts both.
    pub(crate) fn new(uidl: Uidl) -> Neighbours {
        let chain = Pop3Chain::start(Scratch::new("pop3-dovecot"), |tcpserver| tcpserver);
        let (scratch, port) = (chain.scratch(), free_port());
        chain.own(scratch.path());
        let configuration = configuration(scratch.path(), port, uidl);
        let configuration = scratch.file("dovecot.conf", configuration);
        let dovecot = Run::new(DOVECOT).arg("-F").arg("-c").arg(configuration).spawn();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        wait_until("dovecot", Duration::from_secs(20), || TcpStream::connect(address).is_ok());
        Neighbours { dovecot, dovecots_port: port, chain }
    }

    /// A session with our chain.
    pub(crate) fn ours(&self) -> Client {
        Client::new("our chain", self.connect(self.chain.port()))
    }

    /// A session with Dovecot.
    pub(crate) fn theirs(&self) -> Client {
        Client::new("dovecot", self.connect(self.dovecots_port))
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
        self.chain.deliver(&place, text.as_bytes());
        subject
    }

    /// The messages that are there, by subject, and the flags of each. None is there twice.
    pub(crate) fn flags(&self) -> BTreeMap<String, String> {
        let mut flags = BTreeMap::new();
        for path in self.chain.messages() {
            let file = fs::read_to_string(&path).unwrap();
            let subject = file.lines().next().unwrap().strip_prefix("Subject: ").unwrap();
            assert_eq!(file, text(subject));
            let name = path.file_name().unwrap().to_str().unwrap();
            let has = name.split_once(":2,").map_or("", |(_, flags)| flags);
            let before = flags.insert(subject.to_owned(), has.to_owned());
            assert_eq!(before, None, "{subject} is there twice");
        }
        flags
    }

    /// What our chain has logged.
    pub(crate) fn log(&self) -> String {
        self.chain.log()
    }

    /// What Dovecot has logged.
    pub(crate) fn dovecots_log(&self) -> String {
        let logged =
            fs::read_to_string(self.chain.scratch().join("dovecot.log")).unwrap_or_default();
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
    let account = Pop3Chain::ACCOUNT.to_string();
    let common = CONFIGURATION
        .replace("@HOME@", home.to_str().expect("UTF-8"))
        .replace("@PORT@", &port.to_string())
        .replace("@UID@", &account)
        .replace("@GID@", &account);
    common + own
}
