//! recordio and fixcrio between a program and a socket, a peer that doesn't read, and a program that goes on in one direction.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::{Scratch, program, wait_for, wait_until};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

const COPIERS: [&str; 2] = ["recordio", "fixcrio"];

/// Ends a program and its copier with the test, whatever becomes of it.
struct Running(Child);

impl Running {
    /// Starts a copier with this shell script behind it, in this directory.
    fn start(copier: &str, script: &str, directory: &Path, stdin: Stdio, stdout: Stdio) -> Running {
        let mut command = Command::new(program(copier));
        command.args(["sh", "-c", script]).current_dir(directory);
        let log = fs::File::create(directory.join("log")).expect("the log");
        let child = command.stdin(stdin).stdout(stdout).stderr(log).spawn();
        Running(child.expect("start a copier"))
    }

    /// With a socket as standard input and output; the other end, whose reads have a deadline.
    fn behind_a_socket(copier: &str, script: &str, scratch: &Scratch) -> (Running, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        ours.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let input = theirs.try_clone().expect("a copy");
        let [stdin, stdout] = [input, theirs].map(|end| Stdio::from(OwnedFd::from(end)));
        (Running::start(copier, script, scratch.path(), stdin, stdout), ours)
    }

    fn code(&mut self) -> Option<i32> {
        wait_for(DEADLINE, || self.0.try_wait().expect("our child"))?.code()
    }

    /// The copier's process id: it is the program's only child from the start.
    fn copier(&self) -> Option<u32> {
        let pid = self.0.id();
        let path = format!("/proc/{pid}/task/{pid}/children");
        fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The scratch directory ends whatever else lives in it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_socket_is_closed_to_each_side_when_the_other_has_closed_it() {
    for copier in COPIERS {
        let scratch = Scratch::new(copier);
        let (mut running, mut peer) =
            Running::behind_a_socket(copier, "read x; echo \"$x\"; cat", &scratch);
        peer.write_all(b"hello\r\n").expect("written");
        let mut answer = [0; 7];
        peer.read_exact(&mut answer).expect("an answer while our side is open");
        assert_eq!(&answer, b"hello\r\n", "{copier}");
        peer.write_all(b"the rest\r\n").expect("written");
        peer.shutdown(Shutdown::Write).expect("closed to the program");
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).expect("nobody holds the socket any more");
        assert_eq!(rest, b"the rest\r\n", "{copier}");
        assert_eq!(running.code(), Some(0), "{copier}");
    }
}

#[test]
fn a_closed_output_is_seen_while_the_program_goes_on_reading() {
    for copier in COPIERS {
        let scratch = Scratch::new(copier);
        let script = "echo out; exec >&-; cat >got; : >over";
        let mut running =
            Running::start(copier, script, scratch.path(), Stdio::piped(), Stdio::piped());
        let mut output = String::new();
        let mut stdout = running.0.stdout.take().expect("a pipe");
        stdout.read_to_string(&mut output).expect("the end, though the input is open");
        assert_eq!(output.replace('\r', ""), "out\n", "{copier}");
        let mut stdin = running.0.stdin.take().expect("a pipe");
        stdin.write_all(b"late\r\n").expect("the program still reads");
        drop(stdin);
        assert_eq!(running.code(), Some(0), "{copier}");
        assert_eq!(fs::read(scratch.join("got")).expect("what it got"), b"late\r\n", "{copier}");
    }
}

#[test]
fn the_copier_ends_with_a_program_that_reads_no_more() {
    for copier in COPIERS {
        let scratch = Scratch::new(copier);
        // Nothing ever comes in that could tell it.
        let (mut running, mut peer) =
            Running::behind_a_socket(copier, "printf 'bye\\r\\n'", &scratch);
        let mut all = Vec::new();
        peer.read_to_end(&mut all).expect("nobody holds the socket any more");
        assert_eq!(all, b"bye\r\n", "{copier}");
        assert_eq!(running.code(), Some(0), "{copier}");
    }
}

#[test]
fn a_peer_that_does_not_read_holds_the_program_back_and_costs_no_memory() {
    for copier in COPIERS {
        let scratch = Scratch::new(copier);
        // A record that nobody can read would hold it back, too.
        let script = "yes 2>/dev/null";
        let (running, mut peer) = Running::behind_a_socket(copier, script, &scratch);
        let mut pid = 0;
        wait_until("a copier", DEADLINE, || {
            pid = running.copier().unwrap_or(0);
            pid != 0
        });
        // It has read all that it will once it doesn't read any more.
        let mut before = String::new();
        wait_until("the copier to wait", DEADLINE, || {
            let now = fs::read_to_string(format!("/proc/{pid}/io")).expect("its counters");
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("its state");
            std::thread::park_timeout(Duration::from_millis(50));
            let waits = stat.contains(") S ") && now == before && now.contains("rchar: ");
            before = now;
            waits
        });
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its memory");
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmData:"));
        let kilobytes = kilobytes.and_then(|text| text.trim().strip_suffix(" kB"));
        let kilobytes: u32 = kilobytes.and_then(|text| text.parse().ok()).expect("VmData");
        assert!(kilobytes < 500, "{copier}: {kilobytes} kB");
        // And it goes on where it was.
        let mut read = vec![0; 3_000_000];
        peer.read_exact(&mut read).expect("much more than waits anywhere");
        let line: &[u8] = if copier == "fixcrio" { b"y\r\n" } else { b"y\n" };
        assert!(read.chunks_exact(line.len()).all(|chunk| chunk == line), "{copier}");
    }
}

#[test]
fn descriptors_that_would_block_are_waited_for() {
    for copier in COPIERS {
        let scratch = Scratch::new(copier);
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        theirs.set_nonblocking(true).expect("non-blocking");
        ours.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let input = theirs.try_clone().expect("a copy");
        let [stdin, stdout] = [input, theirs].map(|end| Stdio::from(OwnedFd::from(end)));
        let mut running = Running::start(copier, "cat", scratch.path(), stdin, stdout);
        let sent = b"0123456789\r\n".repeat(100_000);
        let got = std::thread::scope(|scope| {
            scope.spawn(|| {
                (&ours).write_all(&sent).expect("written");
                ours.shutdown(Shutdown::Write).expect("closed");
            });
            let mut got = Vec::new();
            (&ours).read_to_end(&mut got).expect("read");
            got
        });
        assert!(got == sent, "{copier}: {} of {} bytes", got.len(), sent.len());
        assert_eq!(running.code(), Some(0), "{copier}");
    }
}

#[test]
fn the_program_has_the_process_id_and_the_copier_for_a_child() {
    for copier in COPIERS {
        let scratch = Scratch::new(copier);
        let (mut running, peer) =
            Running::behind_a_socket(copier, "echo $$ >pid; read x; exit 7", &scratch);
        wait_until("the program", DEADLINE, || {
            fs::read_to_string(scratch.join("pid")).is_ok_and(|text| text.ends_with('\n'))
        });
        let pid = fs::read_to_string(scratch.join("pid")).expect("its process id");
        assert_eq!(pid.trim(), running.0.id().to_string(), "{copier}");
        let child = running.copier().expect("a copier");
        let name = fs::read_to_string(format!("/proc/{child}/comm")).expect("its name");
        assert_eq!(name.trim(), copier);
        drop(peer);
        assert_eq!(running.code(), Some(7), "{copier}");
        wait_until("the copier's end", DEADLINE, || scratch.inhabitants().is_empty());
    }
}
