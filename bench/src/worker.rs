//! Clients: a process each, one connection after the other.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use checkpassword::hash::{Stored, Unusable};
use rustls::{ClientConfig, HandshakeKind};

use crate::tls_client::{self, Stream};

/// What is read or written at once.
const PIECE: usize = 1 << 16;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "wonderland";

/// Its yescrypt hash, as Debian's passwd makes it.
pub(crate) const HASH: &str =
    "$y$j9T$zTdBvY9ai1T8ihYuqYfhi1$cJmDMC.xZOw7W7kKdNxi/CsTDtoQ0UBjbQG3DfRJSc0";

/// What a client does with a connection. With TLS, but for the first two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Waits for its end.
    Nothing,
    /// Logs in to a mailbox, and leaves.
    Login,
    /// None: it verifies a password, and that is all.
    Hash,
    /// Waits for its end, after a whole handshake.
    Handshake,
    /// The same, with a session of before: the first one isn't.
    Resumption,
    /// Takes so many bytes.
    Download(u64),
    /// Sends so many bytes, which are counted there.
    Upload(u64),
    /// Takes a file of so many bytes.
    Get(u64),
    /// Sends so many bytes, and waits for the end.
    Pour(u64),
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Talk::Nothing => f.write_str("nothing"),
            Talk::Login => f.write_str("login"),
            Talk::Hash => f.write_str("hash"),
            Talk::Handshake => f.write_str("handshake"),
            Talk::Resumption => f.write_str("resumption"),
            Talk::Download(bytes) => write!(f, "download:{bytes}"),
            Talk::Upload(bytes) => write!(f, "upload:{bytes}"),
            Talk::Get(bytes) => write!(f, "get:{bytes}"),
            Talk::Pour(bytes) => write!(f, "pour:{bytes}"),
        }
    }
}

impl FromStr for Talk {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (word, bytes) = text.split_once(':').unwrap_or((text, "0"));
        let bytes = bytes.parse().map_err(|_| ())?;
        Ok(match word {
            "nothing" => Talk::Nothing,
            "login" => Talk::Login,
            "hash" => Talk::Hash,
            "handshake" => Talk::Handshake,
            "resumption" => Talk::Resumption,
            "download" => Talk::Download(bytes),
            "upload" => Talk::Upload(bytes),
            "get" => Talk::Get(bytes),
            "pour" => Talk::Pour(bytes),
            _ => return Err(()),
        })
    }
}

/// `worker PORT COUNT TALK`.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let usage = || "worker PORT COUNT TALK".to_owned();
    let [port, count, talk] = args else { return Err(usage()) };
    let port: u16 = port.parse().map_err(|_| usage())?;
    let count: u32 = count.parse().map_err(|_| usage())?;
    let talk: Talk = talk.parse().map_err(|()| usage())?;
    let config = tls_client::config(talk == Talk::Resumption)?;
    for number in 0..count {
        match talk {
            Talk::Nothing => nothing(port),
            Talk::Login => login(port),
            Talk::Hash => hash(),
            Talk::Handshake => handshake(port, &config, HandshakeKind::Full),
            Talk::Resumption if number == 0 => handshake(port, &config, HandshakeKind::Full),
            Talk::Resumption => handshake(port, &config, HandshakeKind::Resumed),
            Talk::Download(bytes) => take(encrypted(port, &config)?, bytes),
            Talk::Get(bytes) => {
                let mut stream = encrypted(port, &config)?;
                stream.write_all(b"GET /zero HTTP/1.0\r\n\r\n").map_err(|e| broken(&e))?;
                take(stream, bytes)
            }
            Talk::Upload(bytes) => upload(port, &config, bytes),
            Talk::Pour(bytes) => {
                let mut stream = encrypted(port, &config)?;
                send(&mut stream, bytes)?;
                stream.conn.send_close_notify();
                take(stream, 0)
            }
        }?;
    }
    Ok(())
}

/// `source BYTES`: a program behind a server that sends so many bytes, as fast as it can.
pub(crate) fn source(args: &[String]) -> Result<(), String> {
    let buffer = [0; PIECE];
    let mut left = bytes(args)?;
    let mut output = File::from(duplicate(std::io::stdout())?);
    while left > 0 {
        let next = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        output.write_all(&buffer[..next]).map_err(|e| broken(&e))?;
        left -= next as u64;
    }
    Ok(())
}

/// `sink BYTES`: one that takes so many bytes, and answers with how many came.
pub(crate) fn sink(args: &[String]) -> Result<(), String> {
    let mut buffer = [0; PIECE];
    let bytes = bytes(args)?;
    let mut input = File::from(duplicate(std::io::stdin())?);
    let mut taken = 0;
    while taken < bytes {
        match input.read(&mut buffer).map_err(|e| broken(&e))? {
            0 => break,
            count => taken += count as u64,
        }
    }
    println!("{taken}");
    Ok(())
}

fn bytes(args: &[String]) -> Result<u64, String> {
    let [bytes] = args else { return Err("source or sink BYTES".to_owned()) };
    bytes.parse().map_err(|_| "source or sink BYTES".to_owned())
}

/// Without the buffer that is std's.
fn duplicate(stream: impl AsFd) -> Result<OwnedFd, String> {
    stream.as_fd().try_clone_to_owned().map_err(|e| broken(&e))
}

/// Connections a second, of `clients` clients at once, `count` in all.
pub(crate) fn load(port: u16, clients: u32, count: u32, talk: Talk) -> Result<f64, String> {
    let exe = std::env::current_exe().map_err(|e| format!("unable to find myself: {e}"))?;
    let each = count.div_ceil(clients);
    let start = Instant::now();
    let workers: Vec<_> = (0..clients)
        .map(|_| {
            let mut worker = Command::new(&exe);
            if talk == Talk::Hash {
                // Each hash has fresh memory, as with crypt(3), and as in a process that is new: not what the one
                // before it has left to the allocator.
                worker.env("MALLOC_MMAP_THRESHOLD_", "131072");
            }
            worker
                .args(["worker", &port.to_string(), &each.to_string(), &talk.to_string()])
                .stdin(Stdio::null())
                .spawn()
                .map_err(|e| format!("unable to start a client: {e}"))
        })
        .collect::<Result<_, _>>()?;
    let mut failed = false;
    for mut worker in workers {
        failed |= !worker.wait().is_ok_and(|status| status.success());
    }
    let took = start.elapsed().as_secs_f64();
    if failed {
        return Err("a client failed".to_owned());
    }
    Ok(f64::from(each * clients) / took)
}

/// A connection in the clear.
pub(crate) fn connect(port: u16) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(("127.0.0.1", port));
    let stream = stream.map_err(|e| format!("unable to connect to port {port}: {e}"))?;
    let limit = Some(Duration::from_secs(60));
    stream
        .set_read_timeout(limit)
        .and_then(|()| stream.set_nodelay(true))
        .map_err(|e| broken(&e))?;
    Ok(stream)
}

fn nothing(port: u16) -> Result<(), String> {
    let mut rest = Vec::new();
    connect(port)?.read_to_end(&mut rest).map_err(|e| broken(&e))?;
    Ok(())
}

/// One session, from the banner to the end of the connection.
fn login(port: u16) -> Result<(), String> {
    let mut stream = connect(port)?;
    let mut replies = BufReader::new(stream.try_clone().map_err(|e| broken(&e))?);
    let mut line = String::new();
    for command in ["", "USER alice\r\n", &format!("PASS {PASSWORD}\r\n"), "QUIT\r\n"] {
        stream.write_all(command.as_bytes()).map_err(|e| broken(&e))?;
        line.clear();
        replies.read_line(&mut line).map_err(|e| broken(&e))?;
        if !line.starts_with("+OK") {
            return Err(format!("{:?} was answered {line:?}", command.trim_end()));
        }
    }
    replies.read_to_string(&mut line).map_err(|e| broken(&e))?;
    Ok(())
}

/// What is left of a login if there were no programs and no network.
fn hash() -> Result<(), String> {
    match Stored::parse(HASH.as_bytes()).map_err(Unusable::reason)? {
        Stored::Hash(hash) if hash.verify(PASSWORD.as_bytes()).map_err(Unusable::reason)? => Ok(()),
        Stored::Hash(_) | Stored::Empty | Stored::Locked => Err("the password is wrong".to_owned()),
    }
}

/// A connection over TLS, its handshake complete.
pub(crate) fn encrypted(port: u16, config: &Arc<ClientConfig>) -> Result<Stream, String> {
    tls_client::connect(config, connect(port)?)
}

fn handshake(port: u16, config: &Arc<ClientConfig>, kind: HandshakeKind) -> Result<(), String> {
    let stream = encrypted(port, config)?;
    let was = stream.conn.handshake_kind();
    if was != Some(kind) {
        return Err(format!("a handshake was {was:?}, not {kind:?}"));
    }
    take(stream, 0)
}

/// Takes all that comes, at least so many bytes.
fn take(mut stream: Stream, bytes: u64) -> Result<(), String> {
    let mut buffer = vec![0; 1 << 17];
    let mut taken = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => taken += count as u64,
            // Whoever is done may be rude: what was to come has come, which is what counts here.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(broken(&error)),
        }
    }
    stream.conn.send_close_notify();
    let _ = stream.flush();
    if taken < bytes { Err(format!("{taken} bytes came, not {bytes}")) } else { Ok(()) }
}

fn send(stream: &mut Stream, bytes: u64) -> Result<(), String> {
    let buffer = vec![0; 1 << 17];
    let mut left = bytes;
    while left > 0 {
        let next = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        stream.write_all(&buffer[..next]).map_err(|e| broken(&e))?;
        left -= next as u64;
    }
    stream.flush().map_err(|e| broken(&e))
}

fn upload(port: u16, config: &Arc<ClientConfig>, bytes: u64) -> Result<(), String> {
    let mut stream = encrypted(port, config)?;
    send(&mut stream, bytes)?;
    let mut count = String::new();
    BufReader::new(&mut stream).read_line(&mut count).map_err(|e| broken(&e))?;
    if count.trim() != bytes.to_string() {
        return Err(format!("{} bytes were counted, not {bytes}", count.trim()));
    }
    take(stream, 0)
}

fn broken(error: &std::io::Error) -> String {
    format!("a connection broke: {error}")
}
