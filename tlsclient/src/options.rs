//! The command line.

use super::NAME;
use common::getopt::{Getopt, Opt};
use common::{Failure, Name};
use std::ffi::CStr;
use std::time::Duration;
use sys::Args;
use tls::options;

const LETTERS: &[u8] = b"qQvn:K:";

const USAGE: &str = "[ -qQv ] [ -n certificate ] [ -K milliseconds ] [ --tls-ca file ] [ --tls-crl file ] \
    [ --tls-alpn protocol,... ] [ --tls-min version ] [ --tls-user account ] name program";

/// How long a handshake may take, unless `-K` says it.
const LIMIT: Duration = Duration::from_secs(26);

/// What the command line asks for.
#[derive(Clone)]
pub(super) struct Options {
    /// `-q`, `-Q`, `-v`.
    pub(super) verbosity: Verbosity,
    /// Those about TLS.
    pub(super) tls: options::Options,
    /// Who the server has to be.
    pub(super) name: &'static [u8],
    /// The program.
    pub(super) program: &'static CStr,
    /// The program and its arguments.
    pub(super) arguments: Args,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Nothing.
    Quiet,
    /// What goes wrong.
    Errors,
    /// That, and what was agreed on.
    Verbose,
}

impl Options {
    /// Reads the command line.
    pub(super) fn parse(args: Args) -> Result<Self, Failure> {
        let (mut verbosity, mut tls) = (Verbosity::Errors, options::Options::default());
        let mut getopt = Getopt::new(args, LETTERS).with_words(&options::WORDS);
        for opt in &mut getopt {
            match opt.map_err(|illegal| illegal.with_usage(usage(NAME)))? {
                Opt::Flag(b'q') => verbosity = Verbosity::Quiet,
                Opt::Flag(b'v') => verbosity = Verbosity::Verbose,
                Opt::Flag(_) => verbosity = Verbosity::Errors,
                value @ Opt::Value(..) => {
                    tls.take(NAME, value)?;
                }
            }
        }
        let rest = getopt.rest();
        let (Some(name), Some(program)) = (rest.get(0), rest.get(1)) else {
            return Err(usage(NAME));
        };
        let arguments = rest.tail(1);
        Ok(Self { verbosity, tls, name: name.to_bytes(), program, arguments })
    }

    /// How long the handshake may take.
    pub(super) fn limit(&self) -> Duration {
        self.tls.limit.unwrap_or(LIMIT)
    }

    /// The failure, without a word where nothing is to be said.
    pub(super) fn said(&self, failure: Failure) -> Failure {
        match self.verbosity {
            Verbosity::Quiet => Failure::silent(failure.code),
            Verbosity::Errors | Verbosity::Verbose => failure,
        }
    }
}

fn usage(name: Name) -> Failure {
    name.usage(USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::path::Path;

    fn parse(words: &[&str]) -> Result<Options, Failure> {
        let words = ["tlsclient"].iter().chain(words);
        Options::parse(Args::new(words.map(|word| CString::new(*word).unwrap()).collect()))
    }

    #[test]
    fn what_is_asked_for() {
        let options =
            parse(&["-v", "-n", "key.pem", "-K500", "--tls-ca=ca", "a.example", "cat", "-u"]);
        let options = options.expect("it is right");
        assert_eq!(options.verbosity, Verbosity::Verbose);
        assert_eq!(options.tls.identities, [Path::new("key.pem")]);
        assert_eq!(options.tls.authorities.as_deref(), Some(Path::new("ca")));
        assert_eq!((options.limit().as_millis(), options.name), (500, &b"a.example"[..]));
        assert_eq!(options.arguments.iter().collect::<Vec<_>>(), [c"cat", c"-u"]);
        let plain = parse(&["-qQ", "--", "-x", "cat"]).expect("it is right");
        assert_eq!((plain.verbosity, plain.name), (Verbosity::Errors, &b"-x"[..]));
        assert_eq!(plain.limit().as_secs(), 26);
    }

    #[test]
    fn wrong_usage() {
        for words in
            [&[][..], &["a.example"], &["-n"], &["-s", "a", "b"], &["--tls-insecure", "a", "b"]]
        {
            let failure = parse(words).err().expect("it is wrong");
            assert_eq!(failure.code, 100);
            let text = String::from_utf8(failure.text).unwrap();
            assert!(text.contains("tlsclient: usage: tlsclient [ "), "{text}");
        }
        let failure = parse(&["-K0", "a", "b"]).err().expect("it is wrong");
        let text = "tlsclient: fatal: unable to use -K 0: not a positive number of milliseconds\n";
        assert_eq!((failure.code, failure.text), (100, text.into()));
    }
}
