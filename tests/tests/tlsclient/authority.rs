//! An authority, and what it issues, made by OpenSSL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tests::{Run, Scratch, record_skip};

pub(super) const OPENSSL: &str = "/usr/bin/openssl";

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

const CONFIGURATION: &str = "\
[ca]
default_ca = ours
[ours]
database = index
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
copy_extensions = copyall
unique_subject = no
[any]
commonName = supplied
";

/// The names that `host.pem` is for.
const HOST: &str = "subjectAltName=DNS:host.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1";

/// A directory with `ca.pem`, and `host.pem` that it has issued.
pub(super) struct Authority {
    scratch: Scratch,
}

impl Authority {
    /// `None`: there is no OpenSSL here, which is recorded.
    pub(super) fn new(name: &str) -> Option<Authority> {
        if !Path::new(OPENSSL).exists() {
            record_skip("no openssl");
            return None;
        }
        let authority = Authority { scratch: Scratch::new(name) };
        for (file, content) in
            [("ca.cnf", CONFIGURATION), ("index", ""), ("serial", "1000\n"), ("crlnumber", "01\n")]
        {
            authority.scratch.file(file, content);
        }
        authority.openssl(&format!(
            "req -x509 {KEY} -keyout ca.key -out ca.pem -subj /CN=ours -days 30"
        ));
        authority.issue("host", HOST, "");
        Some(authority)
    }

    /// `NAME.pem`, with key and certificate, and `NAME.crt`, the certificate alone; `options` are those of
    /// `openssl ca`.
    pub(super) fn issue(&self, name: &str, extension: &str, options: &str) {
        self.openssl(&format!(
            "req {KEY} -keyout {name}.key -out {name}.csr -subj /CN={name} -addext {extension}"
        ));
        let arguments = format!("ca -config ca.cnf -batch -notext -in {name}.csr -out {name}.crt");
        self.openssl(format!("{arguments} {options}").trim());
        self.pair(name);
    }

    /// The same, issued by nobody else.
    pub(super) fn self_signed(&self, name: &str, extension: &str) {
        self.openssl(&format!(
            "req -x509 {KEY} -keyout {name}.key -out {name}.crt -subj /CN={name} -addext {extension} -days 30"
        ));
        self.pair(name);
    }

    fn pair(&self, name: &str) {
        let read = |end: &str| fs::read(self.scratch.join(format!("{name}.{end}"))).unwrap();
        let path = self.scratch.file(&format!("{name}.pem"), [read("key"), read("crt")].concat());
        fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
    }

    /// Runs it there.
    pub(super) fn openssl(&self, arguments: &str) {
        let run = Run::new(OPENSSL).args(arguments.split_whitespace()).cwd(self.path());
        let made = run.output();
        assert_eq!(made.code, 0, "openssl {arguments}: {}", made.err());
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }

    pub(super) fn scratch(&self) -> &Scratch {
        &self.scratch
    }
}
