//! Keys and certificates for tests, made on the spot.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A key and its self-signed certificate, as PEM.
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) certificate: String,
    pub(super) der: rustls::pki_types::CertificateDer<'static>,
}

impl Pair {
    pub(super) fn new(host: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new([host.to_string()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, host);
        let made = params.self_signed(&key).unwrap();
        Self { key: key.serialize_pem(), certificate: made.pem(), der: made.der().clone() }
    }

    /// Both, as a key file.
    pub(super) fn text(&self) -> String {
        self.key.clone() + &self.certificate
    }
}

/// What `openssl` makes of these arguments and that input; `None` where it isn't installed.
pub(super) fn openssl(arguments: &[&str], input: &str) -> Option<String> {
    let child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: openssl isn't installed");
        return None;
    };
    // An openssl that reads nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A directory that is gone when dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tcpserver-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A file in it, with these contents and this mode.
    pub(super) fn file(&self, name: &str, contents: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
