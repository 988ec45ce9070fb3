//! The options about TLS that servers and clients share, and what they mean.

use crate::cage::{Account, NOBODY};
use common::getopt::{Opt, Takes, Word};
use common::{Exit, Failure, Name, number};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;
use sys::Env;
use sys::account::{self, Trouble};

// Letters that can't be typed.
const AUTHORITIES: u8 = 0xE0;
const REVOKED: u8 = 0xE1;
const PROTOCOLS: u8 = 0xE3;
const MINIMUM: u8 = 0xE4;
const ACCOUNT: u8 = 0xE5;

/// Those that are words. `-n` and `-K`, which have a value each, are the letters.
pub const WORDS: [Word; 5] = [
    Word { name: "tls-ca", letter: AUTHORITIES, takes: Takes::Value },
    Word { name: "tls-crl", letter: REVOKED, takes: Takes::Value },
    Word { name: "tls-alpn", letter: PROTOCOLS, takes: Takes::Value },
    Word { name: "tls-min", letter: MINIMUM, takes: Takes::Value },
    Word { name: "tls-user", letter: ACCOUNT, takes: Takes::Value },
];

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-n`: key and certificate.
    pub identities: Vec<PathBuf>,
    /// `-K`: how long a handshake may take.
    pub limit: Option<Duration>,
    /// `--tls-ca`: who may have issued the peer's certificate.
    pub authorities: Option<PathBuf>,
    /// `--tls-crl`: which certificates are revoked.
    pub revoked: Option<PathBuf>,
    /// `--tls-alpn`: application protocols, the best first.
    pub protocols: Vec<Vec<u8>>,
    /// `--tls-min`.
    pub no_tls12: bool,
    /// `--tls-user`.
    user: Option<&'static CStr>,
}

impl Options {
    /// Takes the option, if it is one of these.
    ///
    /// # Errors
    /// A wrong value: exit code 100.
    pub fn take(&mut self, program: Name, option: Opt) -> Result<bool, Failure> {
        match option {
            Opt::Value(b'n', value) => self.identities.push(path(value.to_bytes())),
            Opt::Value(b'K', value) => self.limit = Some(milliseconds(program, value)?),
            Opt::Value(AUTHORITIES, value) => self.authorities = Some(path(value.to_bytes())),
            Opt::Value(REVOKED, value) => self.revoked = Some(path(value.to_bytes())),
            Opt::Value(PROTOCOLS, value) => self.protocols = protocols(program, value)?,
            Opt::Value(MINIMUM, value) => self.no_tls12 = is_beyond_tls12(program, value)?,
            Opt::Value(ACCOUNT, value) => self.user = Some(value),
            Opt::Flag(_) | Opt::Value(..) => return Ok(false),
        }
        Ok(true)
    }

    /// `--tls-ca`, or else `$CAFILE`.
    #[must_use]
    pub fn authorities(&self, env: Env) -> Option<PathBuf> {
        let named = || env.get(b"CAFILE").filter(|name| !name.is_empty()).map(path);
        self.authorities.clone().or_else(named)
    }

    /// Whom a relay becomes, if the program is root: `--tls-user`, or else `$TLS_UID` and `$TLS_GID`,
    /// or else nobody. `rooted`: whether the program stays root; an account that is named could not be
    /// had otherwise.
    ///
    /// # Errors
    /// 100: no such account, no numbers, or root is not there to become another. 111: accounts can't
    /// be looked up.
    pub fn account(&self, program: Name, env: Env, rooted: bool) -> Result<Account, Failure> {
        if let Some(name) = self.user {
            let name = name.to_bytes();
            let refused = |reason| wrong(program, b"--tls-user ", name, reason);
            if !rooted {
                return Err(refused("only root may change to another account"));
            }
            return match account::by_name(name) {
                Ok(Some(found)) if found.uid == 0 => Err(refused("is root")),
                Ok(Some(found)) => Ok(Account { uid: found.uid, gid: found.gid }),
                Ok(None) => Err(refused("no such account")),
                Err(Trouble { action, errno }) => {
                    Err(program.fatal_errno(111, &[b"unable to ", action.as_bytes()], errno))
                }
            };
        }
        Ok(Account {
            uid: id_from(program, env, "TLS_UID")?.unwrap_or(NOBODY.uid),
            gid: id_from(program, env, "TLS_GID")?.unwrap_or(NOBODY.gid),
        })
    }
}

fn path(value: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(value))
}

/// Separated by commas; each has 1 to 255 bytes (RFC 7301, 3.1).
fn protocols(program: Name, value: &CStr) -> Result<Vec<Vec<u8>>, Failure> {
    let found: Vec<Vec<u8>> =
        value.to_bytes().split(|byte| *byte == b',').map(<[u8]>::to_vec).collect();
    if found.iter().any(|protocol| !(1..=255).contains(&protocol.len())) {
        let reason = "not protocols separated by commas";
        return Err(wrong(program, b"--tls-alpn ", value.to_bytes(), reason));
    }
    Ok(found)
}

fn is_beyond_tls12(program: Name, value: &CStr) -> Result<bool, Failure> {
    match value.to_bytes() {
        b"1.2" => Ok(false),
        b"1.3" => Ok(true),
        other => Err(wrong(program, b"--tls-min ", other, "neither 1.2 nor 1.3")),
    }
}

/// 0 is no limit for s6's programs; but a silent peer must not have a process for ever.
fn milliseconds(program: Name, value: &CStr) -> Result<Duration, Failure> {
    match number::whole(value.to_bytes()).map(u32::try_from) {
        Some(Ok(limit @ 1..)) => Ok(Duration::from_millis(limit.into())),
        _ => {
            let reason = "not a positive number of milliseconds";
            Err(wrong(program, b"-K ", value.to_bytes(), reason))
        }
    }
}

fn id_from(program: Name, env: Env, name: &'static str) -> Result<Option<u32>, Failure> {
    let Some(value) = env.get(name.as_bytes()) else { return Ok(None) };
    match number::whole(value).map(u32::try_from) {
        // 0 would be no cage, and the highest number means "unchanged" to the system calls.
        Some(Ok(id @ 1..)) if id != u32::MAX => Ok(Some(id)),
        _ => {
            let text = [b"$", name.as_bytes(), b" "].concat();
            Err(wrong(program, &text, value, "not the number of an account without rights"))
        }
    }
}

fn wrong(program: Name, option: &[u8], value: &[u8], reason: &str) -> Failure {
    let parts = [b"unable to use ", option, value, b": ", reason.as_bytes()];
    program.fatal(Exit::USAGE.0, &parts)
}
