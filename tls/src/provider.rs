//! What both ends of TLS have in common here: cipher suites, key exchange, versions.

use super::hybrid::X25519_ML_KEM_768;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{self, cipher_suite::*};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use std::sync::Arc;

/// In Mozilla's order, version 5.7. A server follows the client's preference, as there: it knows best
/// which of them is fast on its processor.
pub(super) const SUITES: [SupportedCipherSuite; 9] = [
    TLS13_AES_128_GCM_SHA256,
    TLS13_AES_256_GCM_SHA384,
    TLS13_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// ring, with these suites, and X25519MLKEM768 before its own key exchanges.
pub(super) fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites = SUITES.to_vec();
    provider.kx_groups.insert(0, &X25519_ML_KEM_768);
    Arc::new(provider)
}

static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// TLS 1.3, and 1.2 unless it isn't wanted.
pub(super) fn versions(no_tls12: bool) -> &'static [&'static SupportedProtocolVersion] {
    if no_tls12 { &BOTH[..1] } else { &BOTH }
}
