//! A client that costs little: it takes what comes, and looks at it afterwards.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::worker::{PASSWORD, connect as socket};

/// At most so much is read at once.
const PIECE: usize = 1 << 20;

/// What ends a long reply.
const END: &[u8] = b"\r\n.\r\n";

/// A session that is logged in.
pub(super) struct Session<S> {
    stream: S,
    buffer: Vec<u8>,
}

/// A connection in the clear.
pub(super) fn connect(port: u16) -> Result<TcpStream, String> {
    socket(port)
}

/// STAT, LIST, UIDL and QUIT, and that they have told of so many messages.
pub(super) fn look(port: u16, count: usize) -> Result<(), String> {
    let mut session = Session::log_in(connect(port)?)?;
    let stat = session.short("STAT")?;
    if !stat.starts_with(&format!("+OK {count} ")) {
        return Err(format!("STAT was answered {stat:?}"));
    }
    for command in ["LIST", "UIDL"] {
        let lines = session.lines_of(command)?;
        // The first and the dot.
        if lines != count + 2 {
            return Err(format!("{command} was answered with {lines} lines"));
        }
    }
    session.short("QUIT")?;
    Ok(())
}

impl<S: Read + Write> Session<S> {
    /// From the greeting on.
    pub(super) fn log_in(stream: S) -> Result<Session<S>, String> {
        let mut session = Session { stream, buffer: vec![0; PIECE] };
        session.line()?;
        session.short("USER alice")?;
        session.short(&format!("PASS {PASSWORD}"))?;
        Ok(session)
    }

    /// A command whose reply is one line.
    fn short(&mut self, command: &str) -> Result<String, String> {
        self.send(command)?;
        let line = self.line()?;
        if line.starts_with("+OK") { Ok(line) } else { Err(format!("{command}: {line:?}")) }
    }

    /// A command with a long reply; how many lines it has.
    fn lines_of(&mut self, command: &str) -> Result<usize, String> {
        self.send(command)?;
        let mut reply = Vec::new();
        while !reply.ends_with(END) {
            let count = self.read()?;
            reply.extend_from_slice(&self.buffer[..count]);
        }
        Ok(reply.iter().filter(|byte| **byte == b'\n').count())
    }

    /// The first message, of at least so many bytes; how long that takes.
    pub(super) fn take_first(mut self, bytes: usize) -> Result<Duration, String> {
        let begin = Instant::now();
        self.send("RETR 1")?;
        let (mut taken, mut last) = (0, Vec::new());
        while taken < bytes || last != END {
            let count = self.read()?;
            taken += count;
            let new = &self.buffer[count.saturating_sub(END.len())..count];
            last.extend_from_slice(new);
            last.drain(..last.len().saturating_sub(END.len()));
        }
        let took = begin.elapsed();
        self.short("QUIT")?;
        Ok(took)
    }

    fn send(&mut self, command: &str) -> Result<(), String> {
        let sent = self.stream.write_all(format!("{command}\r\n").as_bytes());
        sent.and_then(|()| self.stream.flush()).map_err(|e| format!("unable to send: {e}"))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let count = self.read()?;
            line.extend_from_slice(&self.buffer[..count]);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn read(&mut self) -> Result<usize, String> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => Err("the connection was closed".to_owned()),
            Ok(count) => Ok(count),
            Err(error) => Err(format!("a connection broke: {error}")),
        }
    }
}

impl Session<TcpStream> {
    /// All messages, asked for at once; how long that takes.
    pub(super) fn take_all(mut self, count: usize) -> Result<Duration, String> {
        let numbers = 1..=count;
        let commands: String = numbers.map(|number| format!("RETR {number}\r\n")).collect();
        let sender = self.stream.try_clone().map_err(|e| format!("unable to send: {e}"))?;
        let mut all = Vec::new();
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let sent = scope.spawn(move || (&sender).write_all((commands + "QUIT\r\n").as_bytes()));
            self.stream.read_to_end(&mut all).map_err(|e| format!("a connection broke: {e}"))?;
            let sent = sent.join().map_err(|_| "nothing was sent".to_owned())?;
            sent.map_err(|e| format!("unable to send: {e}"))
        })?;
        let took = begin.elapsed();
        let dots = all.windows(END.len()).filter(|bytes| *bytes == END).count();
        if dots == count { Ok(took) } else { Err(format!("{dots} messages came, not {count}")) }
    }
}
