//! A POP3 client, in the clear or over TLS, that keeps the dialogue as a person would see it.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::tls::{self, Tls};

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection. Each line sent stands in the transcript after `C: `, each line received after `S: `.
pub struct Pop3Client {
    stream: BufReader<Stream>,
    transcript: String,
}

impl Pop3Client {
    /// Connects in the clear and reads the greeting.
    ///
    /// # Errors
    /// Whatever goes wrong on the network, a time-out included.
    pub fn connect(address: SocketAddr) -> io::Result<Pop3Client> {
        Pop3Client::greeted(Stream::Clear(socket(address)?), String::new())
    }

    /// Connects over TLS to a server that proves to be `name` by a certificate in the file `pem` or one signed by it, and
    /// reads the greeting.
    ///
    /// # Errors
    /// As [`Pop3Client::connect`]; and a handshake that fails.
    pub fn connect_tls(address: SocketAddr, name: &str, pem: &Path) -> io::Result<Pop3Client> {
        let tls = tls::over(socket(address)?, name, pem)?;
        let version = tls.conn.protocol_version().map_or_else(String::new, |v| format!("{v:?}"));
        let cipher = tls.conn.negotiated_cipher_suite().map(|s| format!("{:?}", s.suite()));
        let transcript = format!("[{version} {}]\n", cipher.unwrap_or_default());
        Pop3Client::greeted(Stream::Tls(Box::new(tls)), transcript)
    }

    /// Says STLS, and goes on over TLS.
    ///
    /// # Errors
    /// As [`Pop3Client::connect_tls`]; a refusal; a server that says more in the clear.
    pub fn encrypted(mut self, name: &str, pem: &Path) -> io::Result<Pop3Client> {
        let reply = self.command("STLS")?;
        let Pop3Client { stream, transcript } = self;
        let told_to = reply.starts_with("+OK") && stream.buffer().is_empty();
        match stream.into_inner() {
            Stream::Clear(socket) if told_to => {
                let tls = Stream::Tls(Box::new(tls::over(socket, name, pem)?));
                Ok(Pop3Client { stream: BufReader::new(tls), transcript })
            }
            Stream::Clear(_) | Stream::Tls(_) => Err(io::Error::other(transcript)),
        }
    }

    fn greeted(stream: Stream, transcript: String) -> io::Result<Pop3Client> {
        let mut client = Pop3Client { stream: BufReader::new(stream), transcript };
        client.line()?;
        Ok(client)
    }

    /// Sends a command and returns the first line of the reply.
    ///
    /// # Errors
    /// Whatever goes wrong on the network, a time-out included.
    pub fn command(&mut self, command: &str) -> io::Result<String> {
        let _ = writeln!(self.transcript, "C: {command}");
        self.stream.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        self.line()
    }

    /// Sends a command whose reply, if it is +OK, goes on to a line with a dot alone; returns all of it, dots taken off.
    ///
    /// # Errors
    /// As [`Pop3Client::command`].
    pub fn listing(&mut self, command: &str) -> io::Result<String> {
        let mut all = self.command(command)?;
        if all.starts_with("+OK") {
            loop {
                let line = self.line()?;
                if line == "." {
                    break;
                }
                all.push('\n');
                all.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
        }
        Ok(all)
    }

    /// The end of the server's side: empty if it closes without another word.
    ///
    /// # Errors
    /// As [`Pop3Client::command`]; a TLS connection cut without close_notify.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// The dialogue so far.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        let Some(line) = line.strip_suffix("\r\n") else {
            return Err(io::Error::other(format!("a line that does not end in CRLF: {line:?}")));
        };
        let _ = writeln!(self.transcript, "S: {line}");
        Ok(line.to_owned())
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<Tls>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Clear(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Clear(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Clear(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
