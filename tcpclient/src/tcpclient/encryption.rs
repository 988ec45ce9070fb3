//! TLS, which is another program's: tlsclient gets the connection, and these options with it.

use super::NAME;
use super::options::Verbosity;
use alloc::vec::Vec;
use common::getopt::{Opt, Takes, Word};
use common::{Exit, Failure};
use core::ffi::CStr;
use sys::exec::Program;
use sys::{Args, Errno, Vector};

/// The program.
const TLSCLIENT: &CStr = c"tlsclient";

/// A letter that can't be typed, as those below.
const PEER: u8 = 0xE0;

/// Those that are words.
pub(super) const WORDS: [Word; 6] = [
    Word { name: "tls-name", letter: PEER, takes: Takes::Value },
    Word { name: "tls-ca", letter: 0xE1, takes: Takes::Value },
    Word { name: "tls-crl", letter: 0xE2, takes: Takes::Value },
    Word { name: "tls-alpn", letter: 0xE3, takes: Takes::Value },
    Word { name: "tls-min", letter: 0xE4, takes: Takes::Value },
    Word { name: "tls-user", letter: 0xE5, takes: Takes::Value },
];

/// Those that tlsclient knows: the letter here, and how they are written there.
const ITS: [(u8, &CStr); 7] = [
    (b'n', c"-n"),
    (b'K', c"-K"),
    (0xE1, c"--tls-ca"),
    (0xE2, c"--tls-crl"),
    (0xE3, c"--tls-alpn"),
    (0xE4, c"--tls-min"),
    (0xE5, c"--tls-user"),
];

/// What the command line says about TLS.
#[derive(Clone, Default)]
pub(super) struct Encryption {
    /// `-s`, `-S`.
    wanted: bool,
    /// `--tls-name`.
    name: Option<&'static CStr>,
    /// What tlsclient is told besides: options and their values, as they come.
    told: Vec<&'static CStr>,
}

impl Encryption {
    /// Takes the option. `false`: it isn't about TLS.
    pub(super) fn take(&mut self, option: Opt) -> bool {
        match option {
            Opt::Flag(b's') => self.wanted = true,
            Opt::Flag(b'S') => self.wanted = false,
            Opt::Value(PEER, value) => self.name = Some(value),
            Opt::Value(letter, value) => match ITS.iter().find(|(known, _)| *known == letter) {
                Some((_, option)) => self.told.extend([*option, value]),
                None => return false,
            },
            Opt::Flag(_) => return false,
        }
        true
    }

    /// Whoever asks for something about TLS and has no TLS is mistaken, and would send in the clear what
    /// isn't meant to be.
    ///
    /// # Errors
    /// That: 100.
    pub(super) fn settled(self) -> Result<Self, Failure> {
        if self.wanted || self.name.is_none() && self.told.is_empty() {
            return Ok(self);
        }
        Err(NAME.fatal(Exit::USAGE.0, &[b"unable to use options about TLS without -s"]))
    }

    /// Whether there is to be TLS.
    pub(super) fn wanted(&self) -> bool {
        self.wanted
    }

    /// Becomes tlsclient, which talks TLS with `host` and runs the program. Comes back only with the
    /// failure.
    pub(super) fn exec(
        &self,
        host: &'static CStr,
        verbosity: Verbosity,
        program: Args,
        path: Option<&[u8]>,
        environment: &Vector<'_>,
    ) -> Failure {
        let arguments = self.arguments(host, verbosity, program).into_iter().collect();
        let errno: Errno = Program::find(TLSCLIENT, path).exec(&arguments, environment);
        NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to run tlsclient"], errno)
    }

    fn arguments(
        &self,
        host: &'static CStr,
        verbosity: Verbosity,
        program: Args,
    ) -> Vec<&'static CStr> {
        let said = match verbosity {
            Verbosity::Quiet => c"-q",
            Verbosity::Errors => c"-Q",
            Verbosity::Verbose => c"-v",
        };
        // What stands for this host is nobody's name.
        let host = if matches!(host.to_bytes(), b"" | b"0") { c"localhost" } else { host };
        let mut arguments = Vec::from([TLSCLIENT, said]);
        arguments.extend(&self.told);
        arguments.extend([c"--", self.name.unwrap_or(host)]);
        arguments.extend(program.iter());
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::getopt::Getopt;
    use std::ffi::CString;

    fn args(words: &[&str]) -> Args {
        Args::new(words.iter().map(|word| CString::new(*word).expect("no NUL")).collect())
    }

    fn taken(words: &[&str]) -> Result<Encryption, Failure> {
        let mut encryption = Encryption::default();
        let words = args(&[&["tcpclient"], words].concat());
        for option in Getopt::new(words, b"sSn:K:").with_words(&WORDS) {
            assert!(encryption.take(option.expect("it is known")));
        }
        encryption.settled()
    }

    fn told(words: &[&str], host: &'static CStr) -> Vec<&'static str> {
        let encryption = taken(words).unwrap_or_else(|_| panic!("{words:?}"));
        let all = encryption.arguments(host, Verbosity::Errors, args(&["cat", "-u"]));
        all.into_iter().map(|text| text.to_str().expect("ASCII")).collect()
    }

    #[test]
    fn what_tlsclient_is_told() {
        assert_eq!(told(&["-s"], c"a.test"), ["tlsclient", "-Q", "--", "a.test", "cat", "-u"]);
        assert_eq!(told(&["-s"], c"0")[3], "localhost");
        assert_eq!(told(&["-s", "--tls-name", "-x"], c"0")[3], "-x");
        let words = ["-sn", "key", "-K5", "--tls-ca=a", "--tls-crl", "b", "--tls-min=1.3"];
        let expected =
            ["-n", "key", "-K", "5", "--tls-ca", "a", "--tls-crl", "b", "--tls-min", "1.3"];
        assert_eq!(told(&words, c"a.test")[2..12], expected);
        assert_eq!(
            told(&["-s", "--tls-alpn=h,-", "--tls-user=u"], c"b")[2..6],
            ["--tls-alpn", "h,-", "--tls-user", "u"]
        );
    }

    #[test]
    fn options_about_tls_want_tls() {
        assert!(!taken(&[]).is_ok_and(|encryption| encryption.wanted()));
        assert!(taken(&["-Ss"]).is_ok_and(|encryption| encryption.wanted()));
        assert!(taken(&["-sS"]).is_ok_and(|encryption| !encryption.wanted()));
        for words in
            [&["-n", "x"][..], &["-K5"], &["--tls-name=x"], &["--tls-ca=x"], &["-sS", "-nx"]]
        {
            assert_eq!(taken(words).err().map(|failure| failure.code), Some(100), "{words:?}");
        }
    }
}
