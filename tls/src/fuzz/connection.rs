//! A whole connection of which somebody on the way changes, cuts and repeats what the client sends.

use crate::server::Server;
use crate::settings::Settings;
use crate::wire::{Received, Wire};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};

/// Key and certificate, of no use to anybody.
const KEY_FILE: &[u8] = include_bytes!("../../../fuzz/seeds/pem/ecdsa");

/// What reaches the program is the beginning of what the client has sent, and all of it if the connection
/// seems to end in order; whatever else happens is told in a line.
///
/// The first byte of the input says which version, and whether the handshake is left alone; each one that
/// follows is what happens next, with the byte after it.
pub fn connection(data: &[u8]) {
    let (first, script) = data.split_first().unwrap_or((&0, data));
    let (peer, socket) = UnixStream::pair().expect("a pair");
    peer.set_nonblocking(true).expect("a flag");
    let (server, configs) = settings();
    let config = configs[usize::from(first & 1)].clone();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut scene = Scene {
        client: ClientConnection::new(config, name).expect("a client"),
        peer,
        wire: Wire::new(socket.into(), server.connection().expect("a connection")),
        pending: Vec::new(),
        sent: 0,
        delivered: 0,
        farewell: false,
    };
    let told = scene.play(first & 2 != 0, script);
    if let Err(told) = told {
        assert!(!told.is_empty() && !told.contains('\n'), "{told:?}");
    }
}

struct Scene {
    client: ClientConnection,
    peer: UnixStream,
    wire: Wire,
    /// What the client has sent, on its way.
    pending: Vec<u8>,
    /// Bytes of the application: how many the client has sent, and the program has got.
    sent: usize,
    delivered: usize,
    farewell: bool,
}

impl Scene {
    fn play(&mut self, shake_hands: bool, script: &[u8]) -> Result<(), String> {
        while shake_hands && (self.wire.is_handshaking() || self.client.is_handshaking()) {
            self.collect();
            self.deliver(usize::MAX)?;
        }
        for event in script.chunks_exact(2) {
            let number = usize::from(event[1]);
            self.collect();
            match event[0] % 16 {
                0 => self.say(number),
                1 => self.say(64 * number),
                2 => self.deliver(number + 1)?,
                3 => self.deliver(usize::MAX)?,
                4 => {
                    let at = number.min(self.pending.len().saturating_sub(1));
                    self.pending.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= event[0] | 1);
                }
                5 => drop(self.pending.drain(..number.min(self.pending.len()))),
                6 => {
                    let again: Vec<u8> = self.pending.iter().copied().take(number).collect();
                    self.pending.extend(again);
                }
                7 => {
                    self.client.send_close_notify();
                    self.farewell = true;
                }
                8 if !self.wire.is_handshaking() => {
                    let room = self.wire.encrypt(&vec![b'x'; 64 * number]);
                    room.map_err(|error| self.wire.explain(&error))?;
                }
                9 => self.wire.say_goodbye(),
                _ => {}
            }
        }
        self.collect();
        self.deliver(usize::MAX)
    }

    /// Numbers, so that each place has its own byte.
    fn say(&mut self, count: usize) {
        if self.client.is_handshaking() || self.farewell {
            return;
        }
        let bytes: Vec<u8> = (self.sent..self.sent + count).map(|at| at as u8).collect();
        self.sent += self.client.writer().write(&bytes).unwrap_or(0);
    }

    /// Takes what the client has to send.
    fn collect(&mut self) {
        let mut answer = [0; 4096];
        while let Ok(count @ 1..) = self.peer.read(&mut answer) {
            let _ = self.client.read_tls(&mut &answer[..count]);
            let _ = self.client.process_new_packets();
        }
        while self.client.wants_write() {
            self.client.write_tls(&mut self.pending).expect("memory");
        }
    }

    /// Brings so many bytes to the server, which answers.
    fn deliver(&mut self, count: usize) -> Result<(), String> {
        let bytes: Vec<u8> = self.pending.drain(..count.min(self.pending.len())).collect();
        for part in bytes.chunks(4096) {
            self.peer.write_all(part).expect("room");
            let received = loop {
                match self.wire.receive().map_err(|error| self.wire.explain(&error))? {
                    Received::Some => self.take(),
                    received @ (Received::Nothing | Received::Goodbye | Received::End) => {
                        break received;
                    }
                }
            };
            self.take();
            if received == Received::Goodbye {
                assert!(self.farewell && self.delivered == self.sent);
                return Err("peer said goodbye".into());
            }
            let _ = self.wire.send();
        }
        Ok(())
    }

    fn take(&mut self) {
        while self.wire.has_plain() {
            let plain = self.wire.plain().to_vec();
            assert!(!plain.is_empty());
            for byte in &plain {
                assert!(self.delivered < self.sent && *byte == self.delivered as u8);
                self.delivered += 1;
            }
            self.wire.consume(plain.len());
        }
    }
}

/// Made once.
fn settings() -> &'static (Server, [Arc<ClientConfig>; 2]) {
    static SETTINGS: OnceLock<(Server, [Arc<ClientConfig>; 2])> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("fuzz-{}.pem", std::process::id()));
        fs::write(&path, KEY_FILE).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("its mode");
        let server = Server::load(Settings::file(&path)).expect("a server");
        fs::remove_file(&path).expect("its end");
        let provider = Arc::new(ring::default_provider());
        let configs = [&TLS12, &TLS13].map(|version| {
            let builder = ClientConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[version])
                .expect("a version");
            let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Trusting));
            Arc::new(builder.with_no_client_auth())
        });
        (server, configs)
    })
}

/// Nothing here depends on the date.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
