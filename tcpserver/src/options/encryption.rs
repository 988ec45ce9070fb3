//! The options about TLS: those of the SSL patch, those of s6-tlsserver, and ours, which are words.

use super::NAME;
use crate::encrypted::Beginning;
use common::getopt::{Opt, Takes, Word};
use common::{Exit, Failure};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;
use sys::Env;
use tls::options::{self, Options};
use tls::{Account, Clients, Settings};

/// A letter that can't be typed.
const STAPLE: u8 = 0xE2;

/// Those that are words: what clients have, too, and ours.
pub(super) const WORDS: [Word; 6] = {
    let [a, b, c, d, e] = options::WORDS;
    [a, b, c, d, e, Word { name: "tls-ocsp", letter: STAPLE, takes: Takes::Value }]
};

/// Key and certificate, unless `-n` names another file.
const DEFAULT_CERTIFICATE: &str = "./cert.pem";

/// What the command line says about TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    at_once: bool,
    clients: Clients,
    staple: Option<PathBuf>,
    shared: Options,
}

impl TlsOptions {
    /// Takes the option, if it is about TLS.
    ///
    /// # Errors
    /// A wrong value: exit code 100.
    pub fn take(&mut self, option: Opt) -> Result<bool, Failure> {
        match option {
            Opt::Flag(b's') => self.at_once = true,
            Opt::Flag(b'S') => self.at_once = false,
            Opt::Flag(b'y') => self.clients = Clients::MayShow,
            Opt::Flag(b'Y') => self.clients = Clients::MustShow,
            Opt::Value(STAPLE, value) => self.staple = Some(path(value)),
            Opt::Flag(_) | Opt::Value(..) => return self.shared.take(NAME, option),
        }
        Ok(true)
    }

    /// When TLS begins; `None`: there is none.
    #[must_use]
    pub fn beginning(&self) -> Option<Beginning> {
        match (self.at_once, &self.shared.identities[..]) {
            (true, _) => Some(Beginning::AtOnce),
            (false, [_, ..]) => Some(Beginning::WhenAsked),
            (false, []) => None,
        }
    }

    /// `-K`: how long a handshake may take, if that is said.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.shared.limit
    }

    /// How the server is to be; `$CAFILE` in `env` is what `--tls-ca` is without it.
    ///
    /// # Errors
    /// `-y` or `-Y` without any authority: exit code 100.
    pub fn settings(&self, env: Env) -> Result<Settings, Failure> {
        let Options { identities, revoked, protocols, no_tls12, .. } = self.shared.clone();
        let authorities = self.shared.authorities(env);
        if self.clients != Clients::Anonymous && authorities.is_none() {
            let text = b"unable to use -y or -Y: --tls-ca names no file with authorities";
            return Err(NAME.fatal(Exit::USAGE.0, &[text]));
        }
        let default = || vec![PathBuf::from(DEFAULT_CERTIFICATE)];
        Ok(Settings {
            identities: if identities.is_empty() { default() } else { identities },
            clients: self.clients,
            authorities,
            revoked,
            staple: self.staple.clone(),
            protocols,
            no_tls12,
        })
    }

    /// Whom the relays become, if tcpserver is root: [`Options::account`].
    ///
    /// # Errors
    /// Those of that.
    pub fn account(&self, env: Env, rooted: bool) -> Result<Account, Failure> {
        self.shared.account(NAME, env, rooted)
    }
}

fn path(value: &CStr) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(value.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::LETTERS;
    use super::*;
    use common::getopt::Getopt;
    use std::ffi::CString;
    use std::path::Path;
    use sys::Args;
    use tls::NOBODY;

    fn environment(list: &[&str]) -> Env {
        Env::new(list.iter().map(|text| CString::new(*text).expect("no NUL")).collect())
    }

    fn parse(list: &[&str]) -> Result<TlsOptions, Failure> {
        let all = [&["tcpserver"], list].concat();
        let args = Args::new(all.iter().map(|text| CString::new(*text).expect("no NUL")).collect());
        let mut options = TlsOptions::default();
        for option in Getopt::new(args, LETTERS).with_words(&WORDS) {
            assert!(options.take(option.expect("it is known"))?);
        }
        Ok(options)
    }

    fn good(list: &[&str]) -> TlsOptions {
        parse(list).expect("it is right")
    }

    fn text(failure: Failure) -> String {
        assert_eq!(failure.code, 100);
        String::from_utf8(failure.text).expect("ASCII")
    }

    #[test]
    fn when_tls_begins() {
        for (list, expected) in [
            (&[][..], None),
            (&["-S"], None),
            (&["-s"], Some(Beginning::AtOnce)),
            (&["-sS"], None),
            (&["-n", "x"], Some(Beginning::WhenAsked)),
            (&["-sn", "x"], Some(Beginning::AtOnce)),
        ] {
            assert_eq!(good(list).beginning(), expected, "{list:?}");
        }
    }

    #[test]
    fn what_is_asked_for() {
        let options = good(&[
            "-sYn",
            "a",
            "-nb",
            "-K",
            "500",
            "--tls-ca=ca",
            "--tls-crl",
            "crl",
            "--tls-ocsp=o",
            "--tls-alpn",
            "pop3,x",
            "--tls-min=1.3",
        ]);
        let settings = options.settings(environment(&["CAFILE=other"])).expect("it is right");
        assert_eq!(settings.identities, [Path::new("a"), Path::new("b")]);
        assert_eq!(settings.clients, Clients::MustShow);
        assert_eq!(settings.authorities.as_deref(), Some(Path::new("ca")));
        assert_eq!(settings.revoked.as_deref(), Some(Path::new("crl")));
        assert_eq!(settings.staple.as_deref(), Some(Path::new("o")));
        assert_eq!(settings.protocols, [b"pop3".to_vec(), b"x".to_vec()]);
        assert!(settings.no_tls12);
        assert_eq!(options.limit(), Some(Duration::from_millis(500)));
        let settings = good(&["-sy"]).settings(environment(&["CAFILE=other"])).expect("right");
        assert_eq!(settings.identities, [Path::new("./cert.pem")]);
        assert_eq!(settings.authorities.as_deref(), Some(Path::new("other")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (list, reason) in [
            (&["-K0"][..], "-K 0: not a positive number of milliseconds"),
            (&["--tls-min=1.1"], "--tls-min 1.1: neither 1.2 nor 1.3"),
            (&["--tls-alpn=a,,b"], "--tls-alpn a,,b: not protocols separated by commas"),
        ] {
            let expected = format!("tcpserver: fatal: unable to use {reason}\n");
            assert_eq!(text(parse(list).expect_err("wrong")), expected);
        }
        let missing = good(&["-sy"]).settings(environment(&[])).expect_err("no authority");
        let expected = "unable to use -y or -Y: --tls-ca names no file with authorities\n";
        assert!(text(missing).ends_with(expected));
    }

    #[test]
    fn whom_relays_become() {
        let options = good(&["-s"]);
        assert_eq!(options.account(environment(&[]), true).expect("nobody"), NOBODY);
        let env = environment(&["TLS_UID=5", "TLS_GID=6"]);
        assert_eq!(options.account(env, true).expect("numbers"), Account { uid: 5, gid: 6 });
        for bad in ["TLS_UID=0", "TLS_GID=x", "TLS_UID=4294967295", "TLS_UID="] {
            assert!(options.account(environment(&[bad]), true).is_err(), "{bad}");
        }
        let refused = |name, rooted| {
            let named = good(&["-s", "--tls-user", name]);
            text(named.account(environment(&[]), rooted).expect_err("refused"))
        };
        let reason = "only root may change to another account\n";
        assert!(refused("daemon", false).ends_with(reason));
        assert!(refused("root", true).ends_with("--tls-user root: is root\n"));
        assert!(refused("no-such-account", true).ends_with(": no such account\n"));
        let named = good(&["-s", "--tls-user", "daemon"]);
        assert_ne!(named.account(environment(&[]), true).expect("known").uid, 0);
    }
}
