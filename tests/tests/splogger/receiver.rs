//! Another host's syslog daemon by TCP, which may be restarted.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tests::wait_until;

use super::{SOON, texts};

/// Takes connections one after the other, and keeps what it gets in octet-counted frames.
pub(super) struct Receiver {
    pub(super) port: u16,
    messages: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How often it looks up.
const TURN: Duration = Duration::from_millis(10);

impl Receiver {
    pub(super) fn start() -> Receiver {
        Receiver::at(0)
    }

    /// At this port, as soon as it is free.
    pub(super) fn at(port: u16) -> Receiver {
        let mut listener = None;
        wait_until("the port is free", SOON, || {
            listener = TcpListener::bind(("127.0.0.1", port)).ok();
            listener.is_some()
        });
        let listener = listener.expect("bound");
        listener.set_nonblocking(true).expect("it doesn't block");
        let port = listener.local_addr().expect("an address").port();
        let (messages, ends) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (kept, over) = (Arc::clone(&messages), Arc::clone(&ends));
        let thread = Some(std::thread::spawn(move || serve(listener, &kept, &over)));
        Receiver { port, messages, ends, thread }
    }

    pub(super) fn to(&self) -> String {
        format!("tcp:127.0.0.1:{}", self.port)
    }

    pub(super) fn messages(&self) -> Vec<String> {
        self.messages.lock().expect("no holder panics").clone()
    }

    pub(super) fn count(&self) -> usize {
        self.messages.lock().expect("no holder panics").len()
    }

    /// Waits for so many messages. Gives their texts.
    pub(super) fn expect(&self, count: usize) -> Vec<String> {
        wait_until(&format!("{count} messages"), SOON * 3, || self.count() >= count);
        texts(&self.messages())
    }

    /// Takes no new connection, says that it ends, reads on until the other side has ended, too, and ends. Gives the
    /// texts of what it got.
    pub(super) fn end(self) -> Vec<String> {
        texts(&self.end_with_messages())
    }

    /// As [`Self::end`], and gives the messages as they came. What the other side knows to have arrived was acknowledged
    /// by the kernel, and may not have been read: only the end tells that it was.
    pub(super) fn end_with_messages(mut self) -> Vec<String> {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends in good order");
        }
        self.messages()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

fn serve(listener: TcpListener, kept: &Mutex<Vec<String>>, over: &AtomicBool) {
    let (mut listener, mut waiting) = (Some(listener), VecDeque::new());
    loop {
        // Looked at first: what has connected before the end still comes.
        let is_over = over.load(Ordering::Relaxed);
        accept(&listener, &mut waiting);
        if is_over {
            listener = None;
        }
        match waiting.pop_front() {
            Some(stream) => take(stream, &mut listener, &mut waiting, kept, over),
            None if is_over => return,
            None => std::thread::park_timeout(TURN),
        }
    }
}

/// Takes all connections that there are.
fn accept(listener: &Option<TcpListener>, waiting: &mut VecDeque<TcpStream>) {
    let Some(listener) = listener else { return };
    while let Ok((stream, _)) = listener.accept() {
        waiting.push_back(stream);
    }
}

/// Reads a connection to its end. At the receiver's, nobody can connect any more; who has will be heard.
fn take(
    mut stream: TcpStream,
    listener: &mut Option<TcpListener>,
    waiting: &mut VecDeque<TcpStream>,
    kept: &Mutex<Vec<String>>,
    over: &AtomicBool,
) {
    stream.set_nonblocking(false).expect("it blocks");
    stream.set_read_timeout(Some(TURN)).expect("a timeout");
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 65536]);
    let mut said = false;
    loop {
        if over.load(Ordering::Relaxed) && !said {
            said = true;
            accept(listener, waiting);
            *listener = None;
            let _ = stream.shutdown(Shutdown::Write);
        }
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
        let mut used = 0;
        while let Some((message, length)) = frame(&bytes[used..]) {
            kept.lock().expect("no holder panics").push(message);
            used += length;
        }
        bytes.drain(..used);
    }
}

/// The first frame, if it is whole, and how long it is.
pub(super) fn frame(bytes: &[u8]) -> Option<(String, usize)> {
    let blank = bytes.iter().position(|byte| *byte == b' ')?;
    let length = std::str::from_utf8(&bytes[..blank]).expect("digits").parse::<usize>();
    let end = blank + 1 + length.expect("a number");
    let message = bytes.get(blank + 1..end)?;
    Some((String::from_utf8(message.to_vec()).expect("UTF-8"), end))
}
