//! tcpserver, side by side with Debian's where both can do it.

mod encrypted;
mod exhaustion;
mod handed_over;
mod ipv6;
mod limits;
mod names;
mod patience;
mod proxy;
mod refusals;
mod side_by_side;
mod users;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use tests::{
    Child, Outcome, Run, Signal, both, debian, is_root, number, program, skip, wait_for, wait_until,
};

const SOON: Duration = Duration::from_secs(20);

/// A tcpserver that listens.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts `program -1 ARGS 127.0.0.1 0 COMMAND`.
    fn start(program: &Path, args: &[&str], command: &[&str]) -> Server {
        Server::of(Run::new(program).arg("-1").args(args).args(["127.0.0.1", "0"]).args(command))
    }

    /// Starts the same below a shell script, where it is `"$@"`.
    fn below(script: &str, program: &Path, args: &[&str], command: &[&str]) -> Server {
        let shell = Run::sh(script).arg("sh").arg(program).arg("-1");
        Server::of(shell.args(args).args(["127.0.0.1", "0"]).args(command))
    }

    /// What prints its port.
    fn of(run: Run) -> Server {
        let child = run.env("PATH", tests::path()).spawn();
        let port = wait_for(SOON, || {
            String::from_utf8_lossy(&child.stdout()).strip_suffix('\n')?.parse().ok()
        });
        let port = port.unwrap_or_else(|| panic!("no port: {:?}", tests::text(&child.stderr())));
        Server { child, port }
    }

    fn connect(&self) -> TcpStream {
        connect("127.0.0.1", self.port)
    }

    /// All that a connection gets that says nothing itself.
    fn get(&self) -> String {
        read_to_end(self.connect())
    }

    /// Sends TERM once the log tells the ends of so many connections and nothing after that; gives what was written all in
    /// all.
    fn end_after_ends(self, connections: usize) -> Outcome {
        wait_until("the ends of the connections", SOON, || {
            let log = tests::text(&self.child.stderr());
            let last = log.lines().next_back().unwrap_or_default();
            log.matches("tcpserver: end ").count() == connections && last.contains("status: 0/")
        });
        self.end()
    }

    /// Sends TERM once the log's last line is `last`; gives what was written all in all.
    fn end_after(self, last: &str) -> Outcome {
        wait_until(last, SOON, || {
            tests::text(&self.child.stderr()).trim_end().ends_with(last.trim_end())
        });
        self.end()
    }

    fn end(self) -> Outcome {
        self.child.signal(Signal::SIGTERM);
        self.child.wait(SOON)
    }

    /// Its log, without what differs from run to run.
    fn log(&self, clients: &[u16]) -> String {
        normal(&tests::text(&self.child.stderr()), self.port, clients)
    }
}

fn connect(host: &str, port: u16) -> TcpStream {
    let stream = TcpStream::connect((host, port)).expect("connect");
    stream.set_read_timeout(Some(SOON)).expect("set a timeout");
    stream
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("read from tcpserver");
    tests::text(&text)
}

fn own_port(stream: &TcpStream) -> u16 {
    stream.local_addr().expect("an address").port()
}

/// `pid`, `ok` and `end` lines with PID; ports by name.
fn normal(text: &str, port: u16, clients: &[u16]) -> String {
    let mut text = number(text, port.into(), "PORT");
    for client in clients {
        text = number(&text, (*client).into(), "CLIENT");
    }
    let line = |line: &str| -> String {
        let words = line.split(' ').collect::<Vec<_>>();
        match words[..] {
            [_, "pid" | "ok" | "deny" | "end", pid, ..] => {
                line.replacen(&format!(" {pid}"), " PID", 1)
            }
            _ => line.to_string(),
        }
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// The same body for both, and then the same result.
fn same(body: impl Fn(&Path) -> String) -> String {
    let results: Vec<_> = both("tcpserver").iter().map(|(_, path)| body(path)).collect();
    assert!(results.iter().all(|result| *result == results[0]), "{results:#?}");
    results[0].clone()
}

// --- what the program gets -------------------------------------------------------------------

#[test]
fn the_environment_is_the_originals() {
    let text = same(|tcpserver| {
        let server = Server::of(
            Run::new(tcpserver)
                .env_clear()
                .env("TCPREMOTEHOST", "x")
                .env("TCPREMOTEINFO", "y")
                .env("TCPLOCALHOST", "z")
                .env("TCPLOCALIP", "z")
                .env("OTHER", "kept")
                .env("PROTO", "z")
                .args(["-1", "-RHl0", "127.0.0.1", "0", "/usr/bin/env"]),
        );
        let stream = server.connect();
        let client = own_port(&stream);
        let text = normal(&read_to_end(stream), server.port, &[client]);
        let lines: BTreeSet<&str> =
            text.lines().filter(|line| !line.starts_with("PATH=")).collect();
        lines.into_iter().collect::<Vec<_>>().join("\n")
    });
    assert!(text.contains("TCPREMOTEPORT=CLIENT") && text.contains("OTHER=kept"), "{text}");
}

#[test]
fn a_wildcard_socket_knows_the_local_address_and_an_empty_name_is_a_name() {
    same(|tcpserver| {
        let server = Server::of(Run::new(tcpserver).env_clear().args([
            "-1",
            "-RHl",
            "",
            "",
            "0",
            "/usr/bin/env",
        ]));
        let text = normal(&server.get(), server.port, &[]);
        assert!(text.contains("TCPLOCALIP=127.0.0.1\n"), "{text}");
        assert!(text.contains("TCPLOCALHOST=\n"), "{text}");
        text.lines().filter(|line| line.starts_with("TCPLOCAL")).count().to_string()
    });
}

#[test]
fn without_l_the_local_name_is_from_the_hosts_file() {
    let server =
        Server::start(&program("tcpserver"), &["-RH"], &["sh", "-c", "echo $TCPLOCALHOST"]);
    assert_eq!(server.get(), "localhost\n");
}

/// Blocked, ignored and caught signals, descriptors, limits, groups: as the original hands them on.
#[test]
fn the_program_inherits_what_the_originals_does() {
    let look = "sed -n '/^\\(Sig[BIC]\\|Uid\\|Gid\\|Groups\\)/p' /proc/self/status";
    let script = format!(
        "{look}; cd /proc/self/fd; ls; test 0 -ef 1 && echo one socket; ulimit -n; umask; pwd; ps -o pgid= -p $$"
    );
    // Of the shell that prepares it, only what it hands on counts.
    for prepare in [
        "exec \"$@\"",
        "exec env --ignore-signal=PIPE,TERM,CHLD,HUP,USR1 \"$@\"",
        "exec env --block-signal=CHLD,USR2,HUP,PIPE \"$@\"",
        "ulimit -n 77; umask 027; cd /usr; exec 5</dev/null 9</dev/null; exec \"$@\"",
    ] {
        same(|tcpserver| {
            let server = Server::below(prepare, tcpserver, &["-RHl0"], &["sh", "-c", &script]);
            let group = unix_group(server.child.pid());
            let text = number(&server.get(), group, "GROUP");
            assert!(text.contains("one socket"), "{text}");
            text
        });
    }
}

fn unix_group(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    let after_name = stat.rsplit_once(") ").expect("a name").1;
    after_name.split(' ').nth(2).expect("a process group").parse().expect("a number")
}

#[test]
fn root_is_given_up_after_the_port_was_taken() {
    if !is_root() {
        skip!("only root can change its ids");
    }
    let command = &["sed", "-n", "/^\\(Uid\\|Gid\\|Groups\\)/p", "/proc/self/status"];
    for args in [
        &["-RHl0", "-u", "65534"][..],
        &["-RHl0", "-g", "65533"],
        &["-RHUl0"],
        &["-RHl0", "-U", "-u7"],
    ] {
        same(|tcpserver| {
            Server::below(
                "export UID GID; UID=65534 GID=65533; exec \"$@\"",
                tcpserver,
                args,
                command,
            )
            .get()
        });
    }
}

#[test]
fn the_banner_comes_first() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-RHDl0", "-B", "hello\r\n"], &["echo", "program"]);
        let text = server.get();
        assert_eq!(text, "hello\r\nprogram\n");
        text
    });
}

#[test]
fn the_program_talks_both_ways() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-RHDol0"], &["tr", "a-z", "A-Z"]);
        let mut stream = server.connect();
        stream.write_all(&b"a line\n".repeat(10_000)).expect("write");
        stream.shutdown(Shutdown::Write).expect("shut down");
        let text = read_to_end(stream);
        assert_eq!(text, "A LINE\n".repeat(10_000));
        text
    });
}

// --- the log ---------------------------------------------------------------------------------

#[test]
fn each_connection_has_its_lines() {
    let log = same(|tcpserver| {
        let server = Server::start(tcpserver, &["-vRHl", "a%b:c d\u{e9}"], &["sh", "-c", "exit 3"]);
        let stream = server.connect();
        let client = own_port(&stream);
        read_to_end(stream);
        let port = server.port;
        let outcome = server.end_after_ends(1);
        assert_eq!(outcome.code, 0);
        normal(&outcome.err(), port, &[client])
    });
    assert_eq!(
        log,
        "tcpserver: status: 0/40\n\
         tcpserver: status: 1/40\n\
         tcpserver: pid PID from 127.0.0.1\n\
         tcpserver: ok PID a?b?c?d??:127.0.0.1:PORT :127.0.0.1::CLIENT\n\
         tcpserver: end PID status 768\n\
         tcpserver: status: 0/40\n"
    );
}

/// Whoever reads the log has to know whose words the program's are.
#[test]
fn the_lines_come_before_what_the_program_says() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-vRHl0"], &["sh", "-c", "echo mine >&2"]);
        let clients: Vec<_> = (0..30).map(|_| server.connect()).collect();
        clients.into_iter().for_each(|client| assert_eq!(read_to_end(client), ""));
        let log = server.end_after_ends(30).err();
        let oks = log.split_inclusive('\n').scan(0_i32, |ahead, line| {
            *ahead += i32::from(line.contains(": ok ")) - i32::from(line == "mine\n");
            Some(*ahead)
        });
        assert!(oks.min() == Some(0) && log.matches("mine\n").count() == 30, "{log}");
        String::new()
    });
}

#[test]
fn quiet_and_normal_say_nothing_of_connections() {
    for flag in ["-vq", "-vQ", "-Q"] {
        let said = same(|tcpserver| {
            let server = Server::start(tcpserver, &[flag, "-RHl0"], &["echo", "hi"]);
            assert_eq!(server.get(), "hi\n");
            server.end().err()
        });
        assert_eq!(said, "");
    }
}

#[test]
fn the_limit_keeps_clients_waiting() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-vRHl0", "-c1"], &["cat"]);
        let (first, second) = (server.connect(), server.connect());
        let clients = [own_port(&first), own_port(&second)];
        let mut both = [first, second];
        for stream in &mut both {
            stream.write_all(b"x").expect("write");
        }
        let mut byte = [0];
        both[0].read_exact(&mut byte).expect("an echo");
        server.child.expect_stderr("ok ");
        // The second one has been waiting for as long; it is not served before the first has ended.
        assert_eq!(server.log(&clients).matches("ok PID").count(), 1);
        both[0].shutdown(Shutdown::Write).expect("shut down");
        both[1].read_exact(&mut byte).expect("an echo");
        both[1].shutdown(Shutdown::Write).expect("shut down");
        let port = server.port;
        let outcome = server.end_after_ends(2);
        normal(&outcome.err(), port, &clients)
    });
}

#[test]
fn a_crowd_is_served_within_the_limit() {
    let server = Server::start(&program("tcpserver"), &["-vRHl0", "-c4", "-b100"], &["echo", "hi"]);
    let port = server.port;
    let clients: Vec<_> = (0..60)
        .map(|_| std::thread::spawn(move || read_to_end(connect("127.0.0.1", port))))
        .collect();
    for client in clients {
        assert_eq!(client.join().expect("a client"), "hi\n");
    }
    let log = server.end_after_ends(60).err();
    assert_eq!(log.matches(": end ").count(), 60, "{log}");
    assert_eq!(log.matches(" status 0\n").count(), 60, "{log}");
    for line in log.lines().filter(|line| line.contains("status: ")) {
        assert!((0..=4).any(|n| line.ends_with(&format!(": {n}/4"))), "{line}");
    }
}

#[test]
fn a_program_in_its_own_session_is_reaped() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-vRHl0"], &["setsid", "true"]);
        read_to_end(server.connect());
        server.end_after_ends(1).code.to_string()
    });
}

#[test]
fn children_that_were_there_before_are_not_counted() {
    let script = "sleep 0.01 & exec \"$@\"";
    let server = Server::below(script, &program("tcpserver"), &["-vRHl0"], &["cat"]);
    let stream = server.connect();
    server.child.expect_stderr("ok ");
    let children = format!("/proc/{0}/task/{0}/children", server.child.pid());
    wait_until("the earlier child's end", SOON, || {
        std::fs::read_to_string(&children).is_ok_and(|list| list.split_whitespace().count() == 1)
    });
    drop(stream);
    let log = server.end_after_ends(1).err();
    assert_eq!(log.matches(": end ").count(), 1, "{log}");
}

// --- how it ends -----------------------------------------------------------------------------

#[test]
fn term_ends_it_and_leaves_the_programs_alone() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-RHl0"], &["cat"]);
        let mut stream = server.connect();
        stream.write_all(b"x").expect("write");
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an echo");
        // The program holds standard error open: the outcome waits for it only so long.
        let code = server.end().code;
        stream.write_all(b"y").expect("write");
        stream.read_exact(&mut byte).expect("an echo after the end");
        assert_eq!(byte, *b"y");
        code.to_string()
    });
}

/// A process that finds a connection ready whenever it waits gets no signal from the kernel.
#[test]
fn term_ends_it_also_when_connections_never_cease() {
    let server = Server::start(&program("tcpserver"), &["-qRHl0", "-c100000"], &["/nonexistent"]);
    let port = server.port;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(move || while TcpStream::connect(("127.0.0.1", port)).is_ok() {})
        })
        .collect();
    assert_eq!(server.end().code, 0);
    clients.into_iter().for_each(|client| client.join().expect("a client"));
}

#[test]
fn without_tls_hup_ends_it() {
    same(|tcpserver| {
        let server = Server::start(tcpserver, &["-RHl0"], &["cat"]);
        server.child.signal(Signal::SIGHUP);
        server.child.wait(SOON).code.to_string()
    });
}

/// A script that asks for the port reads to the end of file.
#[test]
fn standard_output_is_let_go_after_the_port() {
    same(|tcpserver| {
        let scratch = tests::Scratch::new("tcpserver-output");
        let script = "port=$(\"$@\" & echo $! >pid); echo $port; kill $(cat pid)";
        let outcome = Run::sh(script)
            .arg("sh")
            .arg(tcpserver)
            .args(["-1RHl0", "127.0.0.1", "0", "true"])
            .cwd(scratch.path())
            .output();
        assert!(outcome.out().trim_end().parse::<u16>().is_ok(), "{outcome:?}");
        outcome.code.to_string()
    });
}

// --- what is wrong ---------------------------------------------------------------------------

// --- trouble ---------------------------------------------------------------------------------

// --- IPv6 ------------------------------------------------------------------------------------

#[test]
fn ipv6_by_its_address_and_by_option() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        skip!("no IPv6 here");
    }
    let start = |args: &[&str]| {
        Server::of(Run::new(program("tcpserver")).args(["-v1RHl0"]).args(args).args([
            "0",
            "sh",
            "-c",
            "echo $PROTO $TCPLOCALIP $TCPREMOTEIP",
        ]))
    };
    for host in ["::1", "[::1]"] {
        let server = start(&[host]);
        let stream = connect("::1", server.port);
        let client = own_port(&stream);
        assert_eq!(read_to_end(stream), "TCP ::1 ::1\n");
        wait_until("the log", SOON, || server.log(&[client]).contains("end PID"));
        let log = server.log(&[client]);
        assert!(log.contains("pid PID from ::1\n"), "{log}");
        assert!(log.contains("ok PID 0:[::1]:PORT :[::1]::CLIENT\n"), "{log}");
    }
    for args in [&["-6", "0"][..], &["::"]] {
        let server = start(args);
        assert_eq!(read_to_end(connect("::1", server.port)), "TCP ::1 ::1\n");
        // A client over IPv4 is told as one.
        assert_eq!(read_to_end(connect("127.0.0.1", server.port)), "TCP 127.0.0.1 127.0.0.1\n");
    }
}

/// Whether there is anything to compare with at all: said once, where it isn't.
#[test]
fn there_is_an_original() {
    let _ = debian("tcpserver");
}
