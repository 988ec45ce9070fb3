//! A program that runs beside the test.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::run::Outcome;
use crate::wait::{PATIENCE, wait_for, wait_until};

/// A running program, killed by its pid when this is dropped. What it writes is collected while it runs.
pub struct Child {
    inner: std::process::Child,
    name: String,
    stdin: Option<JoinHandle<Option<std::process::ChildStdin>>>,
    stdout: Collector,
    stderr: Collector,
}

impl Child {
    pub(crate) fn new(mut inner: std::process::Child, name: String) -> Child {
        let stdout = Collector::new(inner.stdout.take());
        let stderr = Collector::new(inner.stderr.take());
        let stdin = inner.stdin.take();
        let stdin = Some(std::thread::spawn(move || stdin));
        Child { inner, name, stdin, stdout, stderr }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.inner.id().cast_signed()
    }

    /// Writes to its standard input, in the background and in order. That it no longer reads is no error.
    pub fn write(&mut self, bytes: &[u8]) {
        let (before, bytes) = (self.stdin.take(), bytes.to_vec());
        self.stdin = Some(std::thread::spawn(move || {
            let mut stdin = before?.join().ok()??;
            stdin.write_all(&bytes).ok()?;
            Some(stdin)
        }));
    }

    /// Closes its standard input, once all is written.
    pub fn close(&mut self) {
        let before = self.stdin.take();
        std::thread::spawn(move || before.map(JoinHandle::join));
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> Vec<u8> {
        self.stderr.bytes()
    }

    /// Waits (at most 20 s) until `text` stands in its standard output.
    pub fn expect(&self, text: &str) {
        wait_until(&format!("{:?} from {}", text, self.name), Duration::from_secs(20), || {
            String::from_utf8_lossy(&self.stdout()).contains(text)
        });
    }

    /// Waits (at most 20 s) until `text` stands in its standard error.
    pub fn expect_stderr(&self, text: &str) {
        wait_until(&format!("{:?} from {}", text, self.name), Duration::from_secs(20), || {
            String::from_utf8_lossy(&self.stderr()).contains(text)
        });
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid()), signal);
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.inner.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it has not ended by [`PATIENCE`] times the deadline; it is killed then.
    pub fn wait(mut self, deadline: Duration) -> Outcome {
        let deadline = deadline * PATIENCE;
        let inner = &mut self.inner;
        let status = wait_for(deadline, || inner.try_wait().ok().flatten());
        let Some(status) = status else {
            let (out, err) = (self.stdout(), self.stderr());
            panic!(
                "{} has not ended within {deadline:?}; stdout: {}; stderr: {}",
                self.name,
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(&err)
            );
        };
        // Its own descendants may keep the pipes open: what is there by then is what it wrote.
        let _ = wait_for(Duration::from_secs(2), || {
            (self.stdout.is_complete() && self.stderr.is_complete()).then_some(())
        });
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        Outcome { stdout: self.stdout(), stderr: self.stderr(), code }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.inner.kill();
            let _ = self.inner.wait();
        }
    }
}

/// Reads a pipe to its end, in a thread, so that the writer never blocks.
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Collector {
    fn new(pipe: Option<impl Read + Send + 'static>) -> Collector {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            let Some(mut pipe) = pipe else { return };
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                sink.lock().expect("no holder panics").extend_from_slice(&buffer[..count]);
            }
        });
        Collector { bytes, thread }
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().expect("no holder panics").clone()
    }

    fn is_complete(&self) -> bool {
        self.thread.is_finished()
    }
}
