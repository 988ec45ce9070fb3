//! A finished handshake in the words of the environment: [`Exports`].

use crate::exports::Exports;
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
    exports
}
