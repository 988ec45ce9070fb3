//! The TCP and TLS servers that are measured: ours, and those that Debian ships.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::place::{DEBIAN, Running, Scratch, command_dir, debian_has, wait_until};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Server {
    /// Our tcpserver.
    Ours,
    /// The original.
    Tcpserver,
    /// ipsvd's.
    Tcpsvd,
    /// stunnel, which runs the program.
    Stunnel,
    /// stunnel in front of the original.
    StunnelAndTcpserver,
    /// openssl's s_server, which runs nothing.
    Openssl,
}

/// A server that runs, with its processes, and how it is reached.
pub(crate) struct Started {
    /// Its port of 127.0.0.1.
    pub(crate) port: u16,
    processes: Vec<Running>,
    /// Whether they have children that stay.
    keeps_children: bool,
}

impl Server {
    /// What the table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Server::Ours => "ours",
            Server::Tcpserver => "tcpserver",
            Server::Tcpsvd => "tcpsvd",
            Server::Stunnel => "stunnel4",
            Server::StunnelAndTcpserver => "stunnel4 + tcpserver",
            Server::Openssl => "openssl s_server",
        }
    }

    /// Whether it can be measured here; if not, why.
    pub(crate) fn installed(self) -> Result<(), String> {
        match self {
            Server::Ours => Ok(()),
            Server::Tcpserver => debian_has(&["tcpserver"]),
            Server::Tcpsvd => debian_has(&["tcpsvd"]),
            Server::Stunnel => debian_has(&["stunnel4"]),
            Server::StunnelAndTcpserver => debian_has(&["stunnel4", "tcpserver"]),
            Server::Openssl => debian_has(&["openssl"]),
        }
    }

    /// Has it run `program` for each connection; over TLS, if there is a `certificate`.
    pub(crate) fn start(
        self,
        program: &[&str],
        certificate: Option<&Path>,
        scratch: &Scratch,
    ) -> Result<Started, String> {
        let port = free_port()?;
        let mut processes = Vec::new();
        match self {
            Server::Ours => {
                let mut command = listener(&command_dir().join("tcpserver"));
                if let Some(certificate) = certificate {
                    command.args(["-s", "-n"]).arg(certificate);
                }
                processes.push(run(command, port, program)?);
            }
            Server::Tcpserver => {
                processes.push(run(listener(&debian("tcpserver")), port, program)?);
            }
            Server::Tcpsvd => {
                let mut command = Command::new(debian("tcpsvd"));
                command.args(["-c600", "-b600", "-l0"]);
                processes.push(run(command, port, program)?);
            }
            Server::Stunnel => {
                let arguments = program.join(" ");
                let to = format!("exec = {}\nexecArgs = {arguments}", program[0]);
                processes.push(stunnel(port, &to, certificate, scratch)?);
            }
            Server::StunnelAndTcpserver => {
                let behind = free_port()?;
                processes.push(run(listener(&debian("tcpserver")), behind, program)?);
                wait_until("tcpserver", || is_there(behind))?;
                let to = format!("connect = 127.0.0.1:{behind}");
                processes.push(stunnel(port, &to, certificate, scratch)?);
            }
            Server::Openssl => return Err("openssl runs no programs".to_owned()),
        }
        wait_until(self.name(), || is_there(port))?;
        Ok(Started { port, processes, keeps_children: false })
    }
}

impl Started {
    /// A server at this port, of one process and all that come from it. `keeps_children`: some of those stay.
    pub(crate) fn of(port: u16, process: Running, keeps_children: bool) -> Started {
        Started { port, processes: vec![process], keeps_children }
    }

    /// Seconds that its processes, and those that they have waited for, had the processors.
    pub(crate) fn processor_time(&self) -> f64 {
        // Clock ticks are a hundredth of a second, whatever the kernel counts in.
        let ticks = self.processes.iter().map(|process| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", process.0.id()));
            let stat = stat.unwrap_or_default();
            let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            fields.skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum::<u32>()
        });
        f64::from(ticks.sum::<u32>()) / 100.0
    }

    /// Waits until all that was begun is over: no program is left that they have not waited for, but what they keep, and no
    /// thread has anything to do.
    pub(crate) fn settle(&self) -> Result<(), String> {
        wait_until("a server that has nothing left to do", || {
            let pids: Vec<u32> = self.processes.iter().map(|process| process.0.id()).collect();
            let all = with_descendants(&pids);
            (self.keeps_children || all.len() == pids.len()) && all.iter().all(|pid| sleeps(*pid))
        })
    }

    /// KiB of memory that holds nothing of a file, of its processes and all that come from them. What several of them share
    /// is counted once.
    pub(crate) fn memory(&self) -> u64 {
        let pids: Vec<u32> = self.processes.iter().map(|process| process.0.id()).collect();
        let private = with_descendants(&pids).into_iter().map(|pid| {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
            let rollup = rollup.unwrap_or_default();
            let field = rollup.lines().find_map(|line| line.strip_prefix("Pss_Anon:"));
            let kib = field.and_then(|field| field.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            kib.unwrap_or(0)
        });
        private.sum()
    }
}

/// These processes, and all that come from them; ended ones, too, that nobody has waited for.
fn with_descendants(pids: &[u32]) -> Vec<u32> {
    let mut all = pids.to_vec();
    let mut at = 0;
    while let Some(pid) = all.get(at) {
        for thread in threads(*pid) {
            let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
            all.extend(children.split(' ').filter_map(|pid| pid.parse::<u32>().ok()));
        }
        at += 1;
    }
    all
}

/// Whether all threads of a process sleep. One that has ended in between is at rest, too.
fn sleeps(pid: u32) -> bool {
    threads(pid).iter().all(|thread| {
        let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        state.is_empty() || state.starts_with('S')
    })
}

/// The threads of a process, as /proc has them.
fn threads(pid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// openssl's server: it sends a file of so many bytes, or throws away what comes.
pub(crate) fn openssl(
    directory: &Path,
    certificate: &Path,
    bytes: Option<u64>,
) -> Result<Started, String> {
    let port = free_port()?;
    let mut command = Command::new(debian("openssl"));
    command.args(["s_server", "-accept", &format!("127.0.0.1:{port}")]);
    command.arg("-cert").arg(certificate).arg("-key").arg(certificate).current_dir(directory);
    match bytes {
        Some(bytes) => {
            let file = File::create(directory.join("zero")).and_then(|file| file.set_len(bytes));
            file.map_err(|e| format!("unable to make a file: {e}"))?;
            command.arg("-WWW");
        }
        None => {
            command.arg("-quiet");
        }
    }
    // It reads its standard input, too: there is one that never says anything.
    let quiet = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = quiet.spawn().map_err(|e| format!("unable to run openssl: {e}"))?;
    wait_until("openssl", || is_there(port))?;
    Ok(Started::of(port, Running(child), false))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|e| format!("unable to find a port: {e}"))
}

fn is_there(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn debian(name: &str) -> PathBuf {
    Path::new(DEBIAN).join(name)
}

/// Either tcpserver.
fn listener(tcpserver: &Path) -> Command {
    let mut command = Command::new(tcpserver);
    command.args(["-RHDl0", "-c600", "-b600"]);
    command
}

fn run(mut command: Command, port: u16, program: &[&str]) -> Result<Running, String> {
    Running::start(command.args(["127.0.0.1", &port.to_string()]).args(program))
}

/// It logs no more than errors, and sends at once, as ours does.
fn stunnel(
    port: u16,
    to: &str,
    certificate: Option<&Path>,
    scratch: &Scratch,
) -> Result<Running, String> {
    let certificate = certificate.map_or_else(String::new, |file| file.display().to_string());
    let configuration = format!(
        "foreground = yes\npid =\ndebug = 3\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n\
         [bench]\naccept = 127.0.0.1:{port}\ncert = {certificate}\n{to}\n"
    );
    let file = scratch.path().join("stunnel.conf");
    fs::write(&file, configuration).map_err(|e| format!("unable to write: {e}"))?;
    Running::start(Command::new(debian("stunnel4")).arg(file))
}
