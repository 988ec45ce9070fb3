//! The host: a Maildir on a small file system, and two servers for it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::mount::{MsFlags, mount};
use nix::unistd::Pid;
use tests::storm::processes;
use tests::{Child, Run, Scratch, program, wait_for, wait_until};

use crate::fault::Role;
use crate::message;

/// Whose mailbox it is.
pub(crate) const ACCOUNT: u32 = 65534;

/// For what happens within moments on an idle machine.
const SOON: Duration = Duration::from_secs(20);

/// Everybody's password is right. `held` waits in the checker until somebody lets it go on, or ends it.
const CHECKER: &str = r#"#!/bin/sh
login=$(tr '\0' '/' <&3)
exec 3<&-
case $login in
  held/*) kill -STOP $$ ;;
esac
exec "$@"
"#;

/// The place, and who serves there.
pub(crate) struct Host {
    scratch: Scratch,
    clear: Server,
    tls: Server,
}

struct Server {
    child: Child,
    port: u16,
}

impl Host {
    /// An empty Maildir on a file system of `size` (as mount(8) has it).
    pub(crate) fn new(size: &str) -> Host {
        let scratch = Scratch::new("pop3-storm");
        let disk = scratch.dir("disk");
        let options = format!("size={size},nr_inodes=300,mode=755");
        mount(Some("none"), &disk, Some("tmpfs"), MsFlags::empty(), Some(options.as_str()))
            .expect("mount a disk");
        let made = Run::new(program("maildirmake")).arg(disk.join("Maildir")).output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        for part in ["", "tmp", "new", "cur"] {
            let path = disk.join("Maildir").join(part);
            chown(&path, Some(ACCOUNT), Some(ACCOUNT)).expect("a mailbox of its own");
        }
        scratch.script("checker", CHECKER);
        let made = Run::new(program("tcpserver-cert"))
            .args(["--host", "localhost"])
            .cwd(scratch.path())
            .output();
        assert_eq!((made.code, made.err().as_str()), (0, ""));
        let clear = Server::start(&scratch, &["-n", "cert.pem"]);
        let tls = Server::start(&scratch, &["-s", "-n", "cert.pem"]);
        Host { scratch, clear, tls }
    }

    /// A file of the Maildir.
    pub(crate) fn file(&self, place: &str, name: &str) -> PathBuf {
        self.scratch.join("disk/Maildir").join(place).join(name)
    }

    /// The names in one of its directories.
    pub(crate) fn names(&self, place: &str) -> Vec<String> {
        let entries = fs::read_dir(self.file(place, "")).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect()
    }

    /// The messages that are there: each once, and as it was delivered.
    pub(crate) fn messages(&self, when: &str) -> BTreeSet<u64> {
        let mut there = BTreeSet::new();
        for place in ["new", "cur"] {
            for name in self.names(place) {
                let unique = name.split(':').next().unwrap_or_default();
                let id = message::id(unique);
                let id = id.unwrap_or_else(|| panic!("{when}: {place}/{name} is nobody's"));
                assert!(there.insert(id), "{when}: message {id} is there twice");
                let file = fs::read(self.file(place, &name)).expect("a message");
                assert!(file == message::message(id).file, "{when}: {place}/{name} was changed");
            }
        }
        there
    }

    /// A connection, to be encrypted at once or on request.
    pub(crate) fn connect(&self, encrypted: bool) -> TcpStream {
        let server = if encrypted { &self.tls } else { &self.clear };
        let socket = TcpStream::connect(("127.0.0.1", server.port)).expect("connect");
        socket.set_read_timeout(Some(3 * SOON)).expect("set a timeout");
        socket.set_write_timeout(Some(3 * SOON)).expect("set a timeout");
        socket
    }

    /// The certificate to trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.scratch.join("cert.pem")
    }

    /// This program of the session with the client's port, if it is there.
    pub(crate) fn program_of(&self, port: u16, role: Role, choice: usize) -> Option<Pid> {
        let of_role = |(name, _): &&(String, i32)| match role {
            Role::Popup => name == "qmail-popup",
            Role::Checker => name == "checker",
            Role::Pop3d => name == "qmail-pop3d",
            Role::Relay => name == "tcpserver",
            Role::Any => true,
        };
        if role == Role::Checker {
            let stopped = || {
                self.session(port).into_iter().find(|(name, pid)| {
                    name == "checker"
                        && processes::find(*pid).is_some_and(|found| found.state == 'T')
                })
            };
            wait_for(3 * SOON, stopped).expect("a checker that waits");
        }
        let programs = self.session(port);
        let those: Vec<_> = programs.iter().filter(of_role).collect();
        those.get(choice % those.len().max(1)).map(|(_, pid)| Pid::from_raw(*pid))
    }

    /// The processes of the session with the client's port, by name.
    fn session(&self, port: u16) -> Vec<(String, i32)> {
        let listeners = [self.clear.child.pid(), self.tls.child.pid()];
        let variable = format!("TCPREMOTEPORT={port}");
        let mut found = Vec::new();
        for process in processes::all() {
            let environment =
                fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
            if environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes()) {
                found.push((process.name, process.pid));
                // What encrypts is between the first of them and the listener.
                let parent = processes::find(process.parent);
                found.extend(
                    parent
                        .filter(|parent| {
                            parent.name == "tcpserver" && !listeners.contains(&parent.pid)
                        })
                        .map(|parent| (parent.name, parent.pid)),
                );
            }
        }
        found
    }

    /// Fills the disk.
    pub(crate) fn fill(&self) {
        let ballast = OpenOptions::new().create(true).append(true).open(self.ballast("bytes"));
        // No inode for it? Then it is full in another way.
        let Ok(mut ballast) = ballast else { return };
        for piece in [65536, 4096, 1] {
            while ballast.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Takes all inodes.
    pub(crate) fn take_inodes(&self) {
        for number in 0.. {
            if fs::write(self.ballast(&number.to_string()), "").is_err() {
                break;
            }
        }
    }

    /// Undoes both; and what killed deliveries have left in tmp/ is thrown away, as 36 hours later.
    pub(crate) fn make_room(&self) {
        for directory in [self.scratch.join("disk"), self.file("tmp", "")] {
            for entry in fs::read_dir(directory).expect("the disk").flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                    fs::remove_file(entry.path()).expect("make room");
                }
            }
        }
    }

    /// Lets time pass, as far as messages know: none is too young to be shown.
    pub(crate) fn let_time_pass(&self) {
        let (now, old) = (SystemTime::now(), SystemTime::now() - Duration::from_secs(5));
        for place in ["new", "cur"] {
            for name in self.names(place) {
                let file = File::open(self.file(place, &name)).expect("a message");
                let modified = file.metadata().and_then(|file| file.modified()).expect("its time");
                if now.duration_since(modified).is_ok_and(|age| age < Duration::from_secs(2)) {
                    file.set_modified(old).expect("set its time");
                }
            }
        }
    }

    fn ballast(&self, name: &str) -> PathBuf {
        self.scratch.join("disk").join(format!("ballast.{name}"))
    }

    /// Waits until no session is left.
    pub(crate) fn wait_for_silence(&self) {
        let servers = [self.clear.child.pid(), self.tls.child.pid()];
        // In these namespaces there are only the servers, the test, and the first process.
        let stays = [servers[0], servers[1], std::process::id().cast_signed(), 1];
        wait_until("the sessions to end", SOON, || {
            processes::all().iter().all(|process| stays.contains(&process.pid))
        });
        // And they have seen it.
        for server in servers {
            let children = format!("/proc/{server}/task/{server}/children");
            wait_until("a server without children", SOON, || {
                fs::read_to_string(&children).expect("a server that runs").is_empty()
            });
        }
    }

    /// What the servers and their programs have said.
    pub(crate) fn log(&self) -> String {
        let all = [&self.clear, &self.tls].map(|server| server.child.stderr());
        String::from_utf8_lossy(&all.concat()).into_owned()
    }
}

impl Server {
    fn start(scratch: &Scratch, options: &[&str]) -> Server {
        let account = ACCOUNT.to_string();
        let child = Run::new(program("tcpserver"))
            .arg("-1RHDl0")
            .args(["-u", &account, "-g", &account])
            .args(options)
            .args(["127.0.0.1", "0"])
            .arg(program("qmail-popup"))
            .args(["pop.example", "./checker"])
            .arg(program("qmail-pop3d"))
            .arg(Path::new("disk/Maildir"))
            .cwd(scratch.path())
            .spawn();
        child.expect("\n");
        let port = String::from_utf8(child.stdout()).expect("UTF-8").trim().parse();
        Server { child, port: port.expect("a port") }
    }
}
