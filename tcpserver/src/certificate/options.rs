//! What the command line asks for.

use super::NAME;
use super::key::Source;
use super::subject::{FIELDS, Subject};
use common::{Exit, Failure};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const USAGE: &str = "[ --request ] [ --force ] [ --host name ]... [ --days n ] \
                     [ --key ecdsa|rsa|file ] [ --country c ] [ --state s ] [ --locality l ] \
                     [ --organization o ] [ --unit u ] [ --email e ] [ file ]";

/// A year, give or take.
const DAYS: u32 = 365;

/// Beyond this, no date in it is to be trusted.
pub(super) const MAX_DAYS: u32 = 36500;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) wanted: Wanted,
    /// Replace files that exist.
    pub(super) force: bool,
    pub(super) days: u32,
    pub(super) key: Source,
    /// As far as it is given; without hosts it has to be asked for.
    pub(super) subject: Subject,
    pub(super) file: PathBuf,
}

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A certificate that the key itself signs.
    Certificate,
    /// A request to be signed by an authority (RFC 2986).
    Request,
}

impl Options {
    /// Reads the arguments, program name left out. Each option is a word of its own; its value is
    /// the next word, or follows after `=`.
    ///
    /// # Errors
    /// Wrong usage: exit code 100.
    pub(super) fn parse(args: impl Iterator<Item = &'static CStr>) -> Result<Self, Failure> {
        let mut options = Self {
            wanted: Wanted::Certificate,
            force: false,
            days: DAYS,
            key: Source::Ecdsa,
            subject: Subject::default(),
            file: "cert.pem".into(),
        };
        let mut words = args.map(CStr::to_bytes);
        let mut days_given = false;
        let mut file = None;
        while let Some(word) = words.next() {
            let (option, mut joined) = match word.iter().position(|byte| *byte == b'=') {
                Some(place) if word.starts_with(b"--") => {
                    (&word[..place], Some(&word[place + 1..]))
                }
                Some(_) | None => (word, None),
            };
            match option {
                b"--request" if joined.is_none() => options.wanted = Wanted::Request,
                b"--force" if joined.is_none() => options.force = true,
                b"--" if joined.is_none() => {
                    for word in words.by_ref() {
                        place_file(&mut file, word)?;
                    }
                }
                _ if !option.starts_with(b"-") => place_file(&mut file, word)?,
                _ => {
                    if !is_valued(option) {
                        return Err(illegal(option));
                    }
                    let value = joined
                        .take()
                        .or_else(|| words.next())
                        .ok_or_else(|| with_usage(&[b"option ", option, b" needs a value"]))?;
                    days_given |= option == b"--days";
                    options.set(option, value)?;
                }
            }
        }
        if days_given && options.wanted == Wanted::Request {
            let text: &[u8] =
                b"--days goes with a certificate: in a request, the authority decides";
            return Err(with_usage(&[text]));
        }
        if let Some(file) = file {
            options.file = file;
        }
        Ok(options)
    }

    fn set(&mut self, option: &[u8], value: &[u8]) -> Result<(), Failure> {
        let wrong = |why: &str| {
            with_usage(&[b"wrong value for ", option, b": ", value, b": ", why.as_bytes()])
        };
        if option == b"--key" {
            self.key = match value {
                b"" => return Err(wrong("empty")),
                b"ecdsa" => Source::Ecdsa,
                b"rsa" => Source::Rsa,
                file => Source::File(path(file)),
            };
            return Ok(());
        }
        let text = str::from_utf8(value).map_err(|_| wrong("not UTF-8"))?;
        match option {
            b"--days" => {
                self.days = days(text).map_err(wrong)?;
                Ok(())
            }
            b"--host" => self.subject.add_host(text).map_err(wrong),
            _ => FIELDS
                .iter()
                .find(|field| field.option.as_bytes() == option)
                .map_or(Ok(()), |field| field.set(&mut self.subject, text))
                .map_err(wrong),
        }
    }
}

/// How long a certificate is to be good.
///
/// # Errors
/// What is wrong with it.
pub(super) fn days(text: &str) -> Result<u32, &'static str> {
    common::number::whole(text.as_bytes())
        .and_then(|days| u32::try_from(days).ok())
        .filter(|days| (1..=MAX_DAYS).contains(days))
        .ok_or("not a number from 1 to 36500")
}

fn is_valued(option: &[u8]) -> bool {
    matches!(option, b"--host" | b"--days" | b"--key")
        || FIELDS.iter().any(|field| field.option.as_bytes() == option)
}

fn place_file(file: &mut Option<PathBuf>, word: &[u8]) -> Result<(), Failure> {
    if word.is_empty() || word.ends_with(b"/") {
        return Err(with_usage(&[b"not a file name: ", word]));
    }
    match file.replace(path(word)) {
        Some(_) => Err(with_usage(&[b"more than one file named: ", word])),
        None => Ok(()),
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

/// As the other programs say it.
fn illegal(option: &[u8]) -> Failure {
    let name = option.iter().position(|byte| *byte != b'-').map_or(&b""[..], |at| &option[at..]);
    let mut text = [NAME.0.as_bytes(), b": illegal option -- ", name, b"\n"].concat();
    text.extend_from_slice(&NAME.usage(USAGE).text);
    Failure { code: Exit::USAGE.0, text }
}

fn with_usage(parts: &[&[u8]]) -> Failure {
    let mut failure = NAME.fatal(Exit::USAGE.0, parts);
    failure.text.extend_from_slice(&NAME.usage(USAGE).text);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&'static CStr]) -> Result<Options, String> {
        Options::parse(words.iter().copied()).map_err(|failure| {
            assert_eq!(failure.code, 100);
            let text = String::from_utf8(failure.text).unwrap();
            text.lines().next().unwrap().trim_start_matches("tcpserver-cert: fatal: ").into()
        })
    }

    #[test]
    fn nothing_said() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.wanted, Wanted::Certificate);
        assert_eq!(options.days, 365);
        assert_eq!(options.key, Source::Ecdsa);
        assert_eq!(options.file, PathBuf::from("cert.pem"));
        assert!(!options.force);
    }

    #[test]
    fn everything_said() {
        let options = parse(&[
            c"--host",
            c"a.example",
            c"--host=::1",
            c"--days",
            c"7",
            c"--key",
            c"old.pem",
            c"--country=de",
            c"--force",
            c"--organization",
            c"A=B",
            c"--",
            c"-x.pem",
        ])
        .unwrap();
        assert_eq!(options.subject.hosts_line(), "a.example, ::1");
        assert_eq!(options.days, 7);
        assert_eq!(options.key, Source::File("old.pem".into()));
        assert_eq!(options.subject.country, "DE");
        assert_eq!(options.subject.organization, "A=B");
        assert_eq!(options.file, PathBuf::from("-x.pem"));
        assert!(options.force);
    }

    #[test]
    fn what_is_refused() {
        let table: [(&[&'static CStr], &str); 9] = [
            (&[c"-x"], "tcpserver-cert: illegal option -- x"),
            (&[c"--hosts=a"], "tcpserver-cert: illegal option -- hosts"),
            (&[c"--force=yes"], "tcpserver-cert: illegal option -- force"),
            (&[c"--host"], "option --host needs a value"),
            (
                &[c"--host", c"a b"],
                "wrong value for --host: a b: neither a host name nor an address",
            ),
            (&[c"--days", c"0"], "wrong value for --days: 0: not a number from 1 to 36500"),
            (&[c"a", c"b"], "more than one file named: b"),
            (&[c""], "not a file name: "),
            (
                &[c"--request", c"--days", c"3"],
                "--days goes with a certificate: in a request, the authority decides",
            ),
        ];
        for (words, expected) in table {
            assert_eq!(parse(words).unwrap_err(), expected);
        }
    }
}
