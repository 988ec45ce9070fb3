//! A finished handshake in the words of the environment: [`Exports`].

use crate::certificate::parts;
use crate::distinguished::{attributes, one_line, reversed};
use crate::exports::Exports;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::{CipherSuite, Connection, HandshakeKind, ProtocolVersion};

/// OpenSSL's names, which scripts know, and how many bits the key has.
const CIPHERS: [(CipherSuite, &str, &str); 9] = [
    (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", "128"),
    (CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", "256"),
    (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", "256"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", "128"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", "128"),
    (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", "256"),
    (CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", "256"),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "256",
    ),
    (
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        "ECDHE-RSA-CHACHA20-POLY1305",
        "256",
    ),
];

/// What is to be said about this connection, once its handshake is complete.
pub(crate) fn described(tls: &Connection) -> Exports {
    let mut exports = Exports::default();
    exports.set(
        "SSL_PROTOCOL",
        match tls.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        },
    );
    let suite = tls.negotiated_cipher_suite().map(|suite| suite.suite());
    if let Some((_, name, bits)) = CIPHERS.iter().find(|(known, ..)| Some(*known) == suite) {
        exports.set("SSL_CIPHER", name);
        exports.set("SSL_CIPHER_USEKEYSIZE", bits);
        exports.set("SSL_CIPHER_ALGKEYSIZE", bits);
        exports.set("SSL_CIPHER_EXPORT", "false");
    }
    exports.set(
        "SSL_SESSION_RESUMED",
        match tls.handshake_kind() {
            Some(HandshakeKind::Resumed) => "Resumed",
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) | None => {
                "Initial"
            }
        },
    );
    if let Some(protocol) = tls.alpn_protocol() {
        exports.set("SSL_ALPN_PROTOCOL", protocol);
    }
    if let Connection::Server(tls) = tls
        && let Some(name) = tls.server_name()
    {
        // s6-networking's name for it, and mod_ssl's.
        exports.set("SSL_TLS_SNI_SERVERNAME", name);
        exports.set("SSL_TLS_SNI", name);
    }
    let shown = tls.peer_certificates().and_then(|chain| chain.first());
    let whose = match tls {
        Connection::Server(_) => {
            exports.set("SSL_CLIENT_VERIFY", if shown.is_some() { "SUCCESS" } else { "NONE" });
            "CLIENT"
        }
        // It was verified, or we wouldn't be here.
        Connection::Client(_) => "SERVER",
    };
    if let Some(certificate) = shown {
        describe(&mut exports, whose, certificate);
    }
    exports
}

/// What is to be said about the certificate that the peer has shown, and that was verified.
pub(crate) fn describe(exports: &mut Exports, whose: &str, der: &[u8]) {
    // As libtls and s6-networking write it.
    exports.set("SSL_PEER_CERT_HASH", [b"SHA256:", &hexadecimal(&sha256(der), false)[..]].concat());
    let Some(parts) = parts(der) else { return };
    exports.set("SSL_PEER_CERT_SUBJECT", one_line(parts.subject));
    // As mod_ssl calls them.
    let mut set = |what: &str, value: &[u8]| exports.set(&format!("SSL_{whose}_{what}"), value);
    set("S_DN", &reversed(parts.subject));
    set("I_DN", &reversed(parts.issuer));
    if let Some((_, name)) = attributes(parts.subject).iter().find(|(kind, _)| *kind == "CN") {
        set("S_DN_CN", name);
    }
    set("M_SERIAL", &hexadecimal(parts.serial, true));
    // As they stand there: YYMMDDhhmmssZ, or YYYY from 2050 on.
    set("V_START", parts.not_before);
    set("V_END", parts.not_after);
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    match TLS13_AES_128_GCM_SHA256.tls13() {
        Some(suite) => suite.common.hash_provider.hash(bytes).as_ref().to_vec(),
        None => Vec::new(),
    }
}

fn hexadecimal(bytes: &[u8], capital: bool) -> Vec<u8> {
    let digits = if capital { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| digits[usize::from(digit)])
        .collect()
}
