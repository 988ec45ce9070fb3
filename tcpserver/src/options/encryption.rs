//! The options about TLS: those of the SSL patch, those of s6-tlsserver, and ours, which are words.

use super::NAME;
use crate::encrypted::Beginning;
use common::getopt::{Opt, Takes, Word};
use common::{Exit, Failure, number};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;
use sys::Env;
use sys::account::{self, Trouble};
use tls::{Account, Clients, NOBODY, Settings};

// Letters that can't be typed.
const AUTHORITIES: u8 = 0xE0;
const REVOKED: u8 = 0xE1;
const STAPLE: u8 = 0xE2;
const PROTOCOLS: u8 = 0xE3;
const MINIMUM: u8 = 0xE4;
const ACCOUNT: u8 = 0xE5;

/// Those that are words.
pub(super) const WORDS: [Word; 6] = [
    Word { name: "tls-ca", letter: AUTHORITIES, takes: Takes::Value },
    Word { name: "tls-crl", letter: REVOKED, takes: Takes::Value },
    Word { name: "tls-ocsp", letter: STAPLE, takes: Takes::Value },
    Word { name: "tls-alpn", letter: PROTOCOLS, takes: Takes::Value },
    Word { name: "tls-min", letter: MINIMUM, takes: Takes::Value },
    Word { name: "tls-user", letter: ACCOUNT, takes: Takes::Value },
];

/// Key and certificate, unless `-n` names another file.
const DEFAULT_CERTIFICATE: &CStr = c"./cert.pem";

/// What the command line says about TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    at_once: bool,
    limit: Option<Duration>,
    user: Option<&'static CStr>,
    settings: Settings,
}

impl TlsOptions {
    /// Takes the option, if it is about TLS.
    ///
    /// # Errors
    /// A wrong value: exit code 100.
    pub fn take(&mut self, option: Opt) -> Result<bool, Failure> {
        let settings = &mut self.settings;
        match option {
            Opt::Flag(b's') => self.at_once = true,
            Opt::Flag(b'S') => self.at_once = false,
            Opt::Flag(b'y') => settings.clients = Clients::MayShow,
            Opt::Flag(b'Y') => settings.clients = Clients::MustShow,
            Opt::Value(b'n', value) => settings.identities.push(path(value)),
            Opt::Value(b'K', value) => self.limit = Some(milliseconds(value)?),
            Opt::Value(AUTHORITIES, value) => settings.authorities = Some(path(value)),
            Opt::Value(REVOKED, value) => settings.revoked = Some(path(value)),
            Opt::Value(STAPLE, value) => settings.staple = Some(path(value)),
            Opt::Value(PROTOCOLS, value) => settings.protocols = protocols(value)?,
            Opt::Value(MINIMUM, value) => settings.no_tls12 = is_beyond_tls12(value)?,
            Opt::Value(ACCOUNT, value) => self.user = Some(value),
            Opt::Flag(_) | Opt::Value(..) => return Ok(false),
        }
        Ok(true)
    }

    /// When TLS begins; `None`: there is none.
    #[must_use]
    pub fn beginning(&self) -> Option<Beginning> {
        match (self.at_once, &self.settings.identities[..]) {
            (true, _) => Some(Beginning::AtOnce),
            (false, [_, ..]) => Some(Beginning::WhenAsked),
            (false, []) => None,
        }
    }

    /// `-K`: how long a handshake may take, if that is said.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// How the server is to be; `$CAFILE` in `env` is what `--tls-ca` is without it.
    ///
    /// # Errors
    /// `-y` or `-Y` without any authority: exit code 100.
    pub fn settings(&self, env: Env) -> Result<Settings, Failure> {
        let mut settings = self.settings.clone();
        if settings.identities.is_empty() {
            settings.identities.push(path(DEFAULT_CERTIFICATE));
        }
        if settings.authorities.is_none() {
            let named = env.get(b"CAFILE").filter(|name| !name.is_empty());
            settings.authorities = named.map(|name| PathBuf::from(OsStr::from_bytes(name)));
        }
        if settings.clients != Clients::Anonymous && settings.authorities.is_none() {
            return Err(wrong(b"-y or -Y", b"", "--tls-ca names no file with authorities"));
        }
        Ok(settings)
    }

    /// Whom the relays become, if tcpserver is root: `--tls-user`, or else `$TLS_UID` and `$TLS_GID`,
    /// or else nobody. `rooted`: whether tcpserver stays root; an account that is named could not be
    /// had otherwise.
    ///
    /// # Errors
    /// 100: no such account, no numbers, or root is not there to become another. 111: accounts can't
    /// be looked up.
    pub fn account(&self, env: Env, rooted: bool) -> Result<Account, Failure> {
        if let Some(name) = self.user {
            let name = name.to_bytes();
            if !rooted {
                return Err(wrong(b"--tls-user ", name, "only root may change to another account"));
            }
            return match account::by_name(name) {
                Ok(Some(found)) if found.uid == 0 => Err(wrong(b"--tls-user ", name, "is root")),
                Ok(Some(found)) => Ok(Account { uid: found.uid, gid: found.gid }),
                Ok(None) => Err(wrong(b"--tls-user ", name, "no such account")),
                Err(Trouble { action, errno }) => {
                    Err(NAME.fatal_errno(111, &[b"unable to ", action.as_bytes()], errno))
                }
            };
        }
        Ok(Account {
            uid: id_from(env, "TLS_UID")?.unwrap_or(NOBODY.uid),
            gid: id_from(env, "TLS_GID")?.unwrap_or(NOBODY.gid),
        })
    }
}

fn path(value: &CStr) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(value.to_bytes()))
}

/// Separated by commas; each has 1 to 255 bytes (RFC 7301, 3.1).
fn protocols(value: &CStr) -> Result<Vec<Vec<u8>>, Failure> {
    let found: Vec<Vec<u8>> =
        value.to_bytes().split(|byte| *byte == b',').map(<[u8]>::to_vec).collect();
    if found.iter().any(|protocol| !(1..=255).contains(&protocol.len())) {
        let reason = "not protocols separated by commas";
        return Err(wrong(b"--tls-alpn ", value.to_bytes(), reason));
    }
    Ok(found)
}

fn is_beyond_tls12(value: &CStr) -> Result<bool, Failure> {
    match value.to_bytes() {
        b"1.2" => Ok(false),
        b"1.3" => Ok(true),
        other => Err(wrong(b"--tls-min ", other, "neither 1.2 nor 1.3")),
    }
}

/// 0 is no limit for s6-tlsserver; but a silent client must not have a process for ever.
fn milliseconds(value: &CStr) -> Result<Duration, Failure> {
    match number::whole(value.to_bytes()).map(u32::try_from) {
        Some(Ok(limit @ 1..)) => Ok(Duration::from_millis(limit.into())),
        _ => Err(wrong(b"-K ", value.to_bytes(), "not a positive number of milliseconds")),
    }
}

fn id_from(env: Env, name: &'static str) -> Result<Option<u32>, Failure> {
    let Some(value) = env.get(name.as_bytes()) else { return Ok(None) };
    match number::whole(value).map(u32::try_from) {
        // 0 would be no cage, and the highest number means "unchanged" to the system calls.
        Some(Ok(id @ 1..)) if id != u32::MAX => Ok(Some(id)),
        _ => {
            let text = [b"$", name.as_bytes(), b" "].concat();
            Err(wrong(&text, value, "not the number of an account without rights"))
        }
    }
}

fn wrong(option: &[u8], value: &[u8], reason: &str) -> Failure {
    NAME.fatal(Exit::USAGE.0, &[b"unable to use ", option, value, b": ", reason.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::super::LETTERS;
    use super::*;
    use common::getopt::Getopt;
    use std::ffi::CString;
    use std::path::Path;
    use sys::Args;

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
