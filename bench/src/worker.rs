//! Clients: a process each, one connection after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a client does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Talk {
    /// Waits for its end.
    Nothing,
    /// Logs in to a mailbox, and leaves.
    Login,
}

/// `worker PORT COUNT (nothing|login)`.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let usage = || "worker PORT COUNT (nothing|login)".to_owned();
    let [port, count, talk] = args else { return Err(usage()) };
    let port: u16 = port.parse().map_err(|_| usage())?;
    let count: u32 = count.parse().map_err(|_| usage())?;
    for _ in 0..count {
        match talk.as_str() {
            "nothing" => nothing(port),
            "login" => login(port),
            _ => return Err(usage()),
        }?;
    }
    Ok(())
}

/// Connections a second, of `clients` clients at once, `count` in all.
pub(crate) fn load(port: u16, clients: u32, count: u32, talk: Talk) -> Result<f64, String> {
    let exe = std::env::current_exe().map_err(|e| format!("unable to find myself: {e}"))?;
    let each = count.div_ceil(clients);
    let talk = match talk {
        Talk::Nothing => "nothing",
        Talk::Login => "login",
    };
    let start = Instant::now();
    let workers: Vec<_> = (0..clients)
        .map(|_| {
            Command::new(&exe)
                .args(["worker", &port.to_string(), &each.to_string(), talk])
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

fn connect(port: u16) -> Result<TcpStream, String> {
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

/// One session, from the banner to the end of the connection. Also how a server is asked whether it is ready.
pub(crate) fn login(port: u16) -> Result<(), String> {
    let mut stream = connect(port)?;
    let mut replies = BufReader::new(stream.try_clone().map_err(|e| broken(&e))?);
    let mut line = String::new();
    for command in ["", "USER alice\r\n", "PASS secret\r\n", "QUIT\r\n"] {
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

fn broken(error: &std::io::Error) -> String {
    format!("a connection broke: {error}")
}
