//! What the program is told of TLS: its environment.

use common::env::Environment;
use sys::Env;
use tls::Exports;

/// Variables about some other connection that we may have inherited: a client may run below a server
/// with TLS. (`SSL_CERT_FILE` and its like are nobody's connection.)
const CONNECTION: [&str; 11] = [
    "SSL_PROTOCOL",
    "SSL_CIPHER",
    "SSL_SESSION_",
    "SSL_ALPN_PROTOCOL",
    "SSL_TLS_SNI",
    "SSL_CLIENT_",
    "SSL_SERVER_",
    "SSL_PEER_CERT_",
    "SSLCTLFD=",
    "SSLREADFD=",
    "SSLWRITEFD=",
];

/// The environment that we were started with, and what was agreed on with `host`, if the server has a
/// name.
pub(super) fn describe(host: Option<&str>, exports: &Exports, env: Env) -> Environment {
    let mut environment = Environment::from(env);
    for entry in env.iter().map(std::ffi::CStr::to_bytes) {
        let stale = CONNECTION.iter().any(|start| entry.starts_with(start.as_bytes()));
        if let (true, Some(end)) = (stale, entry.iter().position(|byte| *byte == b'=')) {
            environment.unset(&entry[..end]);
        }
    }
    for (name, value) in exports.iter() {
        environment.set(name, value);
    }
    if let Some(host) = host {
        // s6-networking's name for it, and mod_ssl's.
        environment.set(b"SSL_TLS_SNI_SERVERNAME", host.as_bytes());
        environment.set(b"SSL_TLS_SNI", host.as_bytes());
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_connection_has_left_is_gone() {
        let inherited = [
            c"PATH=/bin",
            c"SSL_CERT_FILE=/ca",
            c"SSL_CLIENT_S_DN=CN=fred",
            c"SSL_TLS_SNI_SERVERNAME=us",
            c"SSLCTLFD=3",
            c"SSL_CIPHER=old",
        ];
        let env = Env::new(inherited.map(Into::into).to_vec());
        let texts = |host| {
            let environment = describe(host, &Exports::default(), env);
            environment.iter().map(|text| text.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(texts(None), ["PATH=/bin", "SSL_CERT_FILE=/ca"]);
        assert_eq!(
            texts(Some("a.example"))[2..],
            ["SSL_TLS_SNI_SERVERNAME=a.example", "SSL_TLS_SNI=a.example"]
        );
    }
}
