//! The handshake, to its end or to the end of its time.

use super::opening::Dialect;
use super::wire::{Received, Wire, WireError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::time::{Duration, Instant};

/// Completes the handshake within `limit`, all of it together: a peer that sends one byte now and
/// then gets no longer. Records may be left to send, and plaintext to be read; the connection may
/// even be at its end: [`Wire::standing`].
///
/// # Errors
/// Why there is no handshake, in words for the log. The peer has been told by an alert, if it
/// would listen.
pub(super) fn complete(wire: &mut Wire, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    let system = |error: Errno| super::reason::system(error).to_string();
    loop {
        if !wire.is_handshaking() {
            wire.hold_ticket();
        }
        wire.send().map_err(system)?;
        if !wire.is_handshaking() {
            return Ok(());
        }
        let ready = if wire.has_records() { PollFlags::POLLOUT } else { PollFlags::POLLIN };
        if !wait(wire, ready, deadline).map_err(system)? {
            return Err(timed_out(wire));
        }
        if wire.has_records() {
            continue;
        }
        match wire.receive() {
            Ok(Received::Some | Received::Nothing) => {}
            // Whoever has little to say says it all at once: what ends the connection came with the handshake's
            // own end, and is found again by who goes on from here.
            _ if !wire.is_handshaking() => {}
            Ok(Received::Goodbye | Received::End) => {
                return Err(match wire.opening().dialect() {
                    Dialect::Silence => "peer closed the connection without a word".into(),
                    Dialect::Tls
                    | Dialect::Ssl2
                    | Dialect::Http
                    | Dialect::Text
                    | Dialect::Unknown => "peer closed the connection".into(),
                });
            }
            Err(error) => {
                if let WireError::Protocol(_) = error {
                    // The alert. Whoever can't take it now won't miss it.
                    let _ = wire.send();
                    wire.shut_down();
                }
                return Err(wire.explain(&error));
            }
        }
    }
}

/// Waits until the socket is ready. `false`: time is over.
fn wait(wire: &Wire, ready: PollFlags, deadline: Instant) -> Result<bool, Errno> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, or the last millisecond would be spent asking again and again.
        let left = left + Duration::from_micros(999);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waited = [PollFd::new(wire.socket(), ready)];
        match poll(&mut waited, timeout) {
            Ok(0) if Instant::now() >= deadline => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error),
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
    }
}

fn timed_out(wire: &Wire) -> String {
    match wire.opening().dialect() {
        Dialect::Silence => "timed out (peer sent nothing)".into(),
        Dialect::Tls | Dialect::Ssl2 | Dialect::Http | Dialect::Text | Dialect::Unknown => {
            "timed out".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, ClientSettings, Peer};
    use crate::fixture::{Pair, Scratch};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::version::{TLS12, TLS13};
    use rustls::{ServerConfig, ServerConnection};
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    /// With TLS 1.2 the last word of a handshake is the server's, and the rest may come along with it.
    #[test]
    fn a_server_that_says_it_all_at_once() {
        let (pair, scratch) = (Pair::new("localhost"), Scratch::new("handshake"));
        let settings = ClientSettings {
            authorities: scratch.file("ca.pem", &pair.certificate, 0o644),
            revoked: None,
            identity: None,
            protocols: Vec::new(),
            no_tls12: false,
        };
        let client = Client::load(&settings, Peer::parse(b"localhost").unwrap()).unwrap();
        for version in [&TLS12, &TLS13] {
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![pair.der.clone()], key)
                .unwrap();
            let (mut stream, socket) = UnixStream::pair().unwrap();
            let server = std::thread::spawn(move || {
                let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
                while tls.is_handshaking() {
                    let mut flight = Vec::new();
                    tls.read_tls(&mut stream).unwrap();
                    tls.process_new_packets().unwrap();
                    if !tls.is_handshaking() {
                        tls.writer().write_all(b"hello").unwrap();
                        tls.send_close_notify();
                    }
                    while tls.wants_write() {
                        tls.write_tls(&mut flight).unwrap();
                    }
                    stream.write_all(&flight).unwrap();
                }
                stream
            });
            let mut wire = Wire::new(socket.into(), client.connection().unwrap());
            complete(&mut wire, Duration::from_secs(60)).unwrap();
            // It has the socket open still: nothing but its word says that this is the end.
            let _open = server.join().unwrap();
            if *version == TLS13 {
                assert_eq!(wire.receive().unwrap(), Received::Goodbye);
            }
            assert_eq!(wire.plain(), b"hello");
            assert_eq!(wire.standing().unwrap(), Received::Goodbye);
        }
    }
}
