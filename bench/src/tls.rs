//! TLS: handshakes and bytes a second, and memory.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::measure::{Goal, Row, Table, in_turn, middle, middle_of};
use crate::place::{Scratch, command_dir, debian_has, own};
use crate::server::{Server, openssl};
use crate::tcp::{Figures, PER_CONNECTION, report, there};
use crate::tls_client::{self, Stream};
use crate::worker::{Talk, encrypted, load};

const ROUNDS: usize = 5;
const CLIENTS: u32 = 16;
const HANDSHAKES: u32 = 1600;
const MEGABYTES: u32 = 256;
/// Clients that are connected and say nothing.
const IDLE: usize = 100;

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let scratch = Scratch::new("tls")?;
    let ecdsa = certificate(scratch.path(), "ecdsa")?;
    handshakes(table, &scratch, "ECDSA P-256", &ecdsa, true)?;
    match debian_has(&["openssl"]) {
        Ok(()) => {
            let rsa = certificate(scratch.path(), "rsa")?;
            handshakes(table, &scratch, "RSA 2048", &rsa, false)?;
        }
        Err(why) => table.skip("TLS with an RSA key", &why),
    }
    bulk(table, &scratch, &ecdsa)?;
    memory(table, &scratch, &ecdsa)
}

fn handshakes(
    table: &mut Table,
    scratch: &Scratch,
    key: &str,
    certificate: &Path,
    aims: bool,
) -> Result<(), String> {
    let nothing = own("bench-nothing")?.display().to_string();
    let servers = there(table, &[Server::Ours, Server::Stunnel, Server::StunnelAndTcpserver]);
    for (talk, kind) in [(Talk::Handshake, "handshakes"), (Talk::Resumption, "resumptions")] {
        let figures = in_turn(ROUNDS, &servers, |server, _| {
            let started = server.start(&[&nothing], Some(certificate), scratch)?;
            let before = started.processor_time();
            let rate = load(started.port, CLIENTS, HANDSHAKES, talk)?;
            started.settle()?;
            let spent = started.processor_time() - before;
            Ok(Figures { rate, processor: spent * 1e6 / f64::from(HANDSHAKES) })
        })?;
        let goals = |server| {
            let least = if server == Server::Stunnel { 2.0 } else { 1.0 };
            [if aims { Goal::RatioAtLeast(least) } else { Goal::None }, Goal::None]
        };
        report(table, &format!("TLS {kind}, {key}"), PER_CONNECTION, &servers, &figures, goals);
    }
    Ok(())
}

/// One connection, many bytes. openssl's own server is a program of one purpose, which hands nothing to any other.
fn bulk(table: &mut Table, scratch: &Scratch, certificate: &Path) -> Result<(), String> {
    let bytes = u64::from(MEGABYTES) * 1_000_000;
    let servers = there(
        table,
        &[Server::Ours, Server::Stunnel, Server::StunnelAndTcpserver, Server::Openssl],
    );
    let program = std::env::current_exe().map_err(|e| format!("unable to find myself: {e}"))?;
    let (program, count) = (program.display().to_string(), bytes.to_string());
    for (kind, does, talk, to_openssl) in [
        ("out", "source", Talk::Download(bytes), Talk::Get(bytes)),
        ("in", "sink", Talk::Upload(bytes), Talk::Pour(bytes)),
    ] {
        let figures = in_turn(ROUNDS, &servers, |server, _| {
            let started = match (server, kind) {
                (Server::Openssl, "out") => openssl(scratch.path(), certificate, Some(bytes))?,
                (Server::Openssl, _) => openssl(scratch.path(), certificate, None)?,
                _ => server.start(&[&program, does, &count], Some(certificate), scratch)?,
            };
            let talk = if *server == Server::Openssl { to_openssl } else { talk };
            let before = started.processor_time();
            let rate = load(started.port, 1, 1, talk)? * f64::from(MEGABYTES);
            started.settle()?;
            let spent = started.processor_time() - before;
            Ok(Figures { rate, processor: spent * 1e6 / f64::from(MEGABYTES) })
        })?;
        let goals = |server| {
            let aims = server != Server::Openssl;
            [if aims { Goal::RatioAtLeast(1.0) } else { Goal::None }, Goal::None]
        };
        let what = format!("TLS, one connection, {kind}");
        report(table, &what, ["MB/s", "us CPU/MB"], &servers, &figures, goals);
    }
    Ok(())
}

/// What a client costs who has said nothing yet to qmail-popup: relay and program, or thread and program.
fn memory(table: &mut Table, scratch: &Scratch, certificate: &Path) -> Result<(), String> {
    let popup = command_dir().join("qmail-popup").display().to_string();
    let servers = there(table, &[Server::Ours, Server::Stunnel]);
    let config = tls_client::config(false)?;
    let figures = in_turn(ROUNDS, &servers, |server, _| {
        let started =
            server.start(&[&popup, "bench.example", "true"], Some(certificate), scratch)?;
        // The first one may have to wait for more than the others.
        let mut clients = vec![greeted(started.port, &config)?];
        let mut figures = Vec::new();
        for count in [1, IDLE] {
            while clients.len() < count {
                clients.push(greeted(started.port, &config)?);
            }
            figures.push(started.memory());
        }
        drop(clients);
        let [one, all] = figures[..] else { return Err("nothing was measured".to_owned()) };
        let others = f64::from(u32::try_from(IDLE - 1).unwrap_or(u32::MAX));
        Ok([one as f64, (all as f64 - one as f64) / others])
    })?;
    let Some(theirs) = figures.others.first() else { return Ok(()) };
    for (at, what, goal) in [
        (1, "TLS, memory for each client at the prompt", Goal::RatioAtMost(1.0)),
        (0, "TLS, memory of it all with one client", Goal::None),
    ] {
        let pick = |pair: &[f64; 2]| pair[at];
        let what = format!("{what}: {}", servers[1].name());
        let (ours, other) = (middle(&figures.ours, pick), middle_of(theirs, pick));
        table.add(&Row { what, unit: "KiB", ours, other, goal });
    }
    Ok(())
}

/// A client that was greeted, and waits.
fn greeted(port: u16, config: &Arc<ClientConfig>) -> Result<Stream, String> {
    let mut stream = encrypted(port, config)?;
    let mut byte = [0];
    while byte != *b"\n" {
        stream.read_exact(&mut byte).map_err(|e| format!("no greeting: {e}"))?;
    }
    Ok(stream)
}

/// A self-signed one, with its key.
pub(crate) fn certificate(directory: &Path, key: &str) -> Result<PathBuf, String> {
    let file = directory.join(format!("{key}.pem"));
    let made = Command::new(command_dir().join("tcpserver-cert"))
        .args(["--host", "localhost", "--key", key])
        .arg(&file)
        .output()
        .map_err(|e| format!("unable to run tcpserver-cert: {e}"))?;
    if made.status.success() {
        Ok(file)
    } else {
        Err(format!("no certificate: {}", String::from_utf8_lossy(&made.stderr)))
    }
}
