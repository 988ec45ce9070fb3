//! Whose word this host takes for who a server is.

use super::NAME;
use common::{Exit, Failure};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use sys::Env;
use tls::options::Options;

/// Where hosts have their collection of authorities, in PEM.
const PLACES: [&str; 5] = [
    // Debian, Alpine, Arch.
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora and its like: now, and before.
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    // SUSE.
    "/etc/ssl/ca-bundle.pem",
    // What OpenSSL and LibreSSL look at, where nobody has set them up otherwise.
    "/etc/ssl/cert.pem",
];

/// `--tls-ca`, or else `$CAFILE`, or else `$SSL_CERT_FILE`, or else the host's.
///
/// # Errors
/// There is none: 111.
pub(super) fn find(options: &Options, env: Env) -> Result<PathBuf, Failure> {
    let named = env.get(b"SSL_CERT_FILE").filter(|name| !name.is_empty());
    options
        .authorities(env)
        .or_else(|| named.map(|name| PathBuf::from(OsStr::from_bytes(name))))
        .or_else(|| PLACES.iter().map(Path::new).find(|path| path.exists()).map(Path::to_path_buf))
        .ok_or_else(|| {
            let text = b"unable to verify anybody: this host has no collection of authorities, \
                and --tls-ca names none";
            NAME.fatal(Exit::TEMPORARY.0, &[text])
        })
}
