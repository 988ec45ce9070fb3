//! What the command line and the environment ask for.

use super::NAME;
use super::destination::{self, Destination};
use super::fields::Fields;
use super::form::Form;
use super::service::Service;
use super::structured;
use super::syslog::{Header, MAX_APP_NAME, MAX_HOSTNAME};
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt, Takes, Word};
use common::{Exit, Failure, number};
use core::ffi::CStr;
use sys::{Args, Env};

pub(super) struct Request {
    pub(super) form: Form,
    /// The destination, as it was written.
    pub(super) name: &'static [u8],
    pub(super) destination: Destination,
    pub(super) service: Service,
    /// Options of tcpclient's, with their values.
    pub(super) tls: Vec<&'static CStr>,
    pub(super) spool: Option<Spooling>,
    /// This is the copy that tcpclient runs.
    pub(super) hands_over: bool,
}

/// What is wanted of the spool.
pub(super) struct Spooling {
    pub(super) directory: &'static CStr,
    pub(super) bytes: u64,
    pub(super) drop_oldest: bool,
}

const USAGE: &str = "[ --to where ] [ --format rfc3164 | rfc5424 ] [ --sd elements ] [ --hostname name ] \
    [ --size bytes ] [ --service name ] [ --spool directory ] [ --spool-bytes bytes ] [ --drop-oldest ] \
    [ --tls-name name ] [ --tls-ca file ] [ --tls-crl file ] [ --tls-min version ] [ --tls-user account ] \
    [ --tls-cert file ] [ -- ] [ tag [ facility ] ]";

/// Letters that can't be typed.
const TO: u8 = 0xE0;
const FORMAT: u8 = 0xE1;
const SD: u8 = 0xE2;
const HOSTNAME: u8 = 0xE3;
const SIZE: u8 = 0xE4;
const SERVICE: u8 = 0xE5;
const SPOOL: u8 = 0xE6;
const SPOOL_BYTES: u8 = 0xE7;
const DROP_OLDEST: u8 = 0xE8;
const HAND_OVER: u8 = 0xE9;
/// From here on, those of tcpclient, in the order of [`ITS`].
const TLS: u8 = 0xF0;

const WORDS: [Word; 16] = [
    Word { name: "to", letter: TO, takes: Takes::Value },
    Word { name: "format", letter: FORMAT, takes: Takes::Value },
    Word { name: "sd", letter: SD, takes: Takes::Value },
    Word { name: "hostname", letter: HOSTNAME, takes: Takes::Value },
    Word { name: "size", letter: SIZE, takes: Takes::Value },
    Word { name: "service", letter: SERVICE, takes: Takes::Value },
    Word { name: "spool", letter: SPOOL, takes: Takes::Value },
    Word { name: "spool-bytes", letter: SPOOL_BYTES, takes: Takes::Value },
    Word { name: "drop-oldest", letter: DROP_OLDEST, takes: Takes::Nothing },
    Word { name: "hand-over", letter: HAND_OVER, takes: Takes::Nothing },
    Word { name: "tls-name", letter: TLS, takes: Takes::Value },
    Word { name: "tls-ca", letter: TLS + 1, takes: Takes::Value },
    Word { name: "tls-crl", letter: TLS + 2, takes: Takes::Value },
    Word { name: "tls-min", letter: TLS + 3, takes: Takes::Value },
    Word { name: "tls-user", letter: TLS + 4, takes: Takes::Value },
    Word { name: "tls-cert", letter: TLS + 5, takes: Takes::Value },
];

/// How tcpclient has them.
const ITS: [&CStr; 6] =
    [c"--tls-name", c"--tls-ca", c"--tls-crl", c"--tls-min", c"--tls-user", c"-n"];

/// RFC 3164 has 32 characters; daemons take more. This keeps any packet far below what a socket takes.
const MAX_TAG: usize = 255;

/// As many facilities as RFC 3164, section 4.1.1, has numbers for.
const FACILITIES: u64 = 24;

/// What every receiver must take of RFC 5424's messages by UDP, over IPv6 (RFC 5426, section 3.2): and it is less
/// than any IPv6 path takes in one piece.
const UDP_SIZE: usize = 1180;

/// What receivers should take (RFC 5424, section 6.1), and must by TLS (RFC 5425, section 4.3.1).
const USUAL_SIZE: usize = 2048;

/// A message can be so large if `--size` says so; a datagram takes no more by far.
const MAX_SIZE: u64 = 60_000;

/// What is left for a line must be worth a message.
const LEAST_ROOM: usize = 64;

/// A spool has at least so many bytes: larger than any message.
const LEAST_SPOOL: u64 = 1 << 20;

/// How large a spool may grow unless `--spool-bytes` says something else.
const USUAL_SPOOL: u64 = 64 << 20;

/// The options, as they stand there.
#[derive(Default)]
struct Options {
    to: Option<&'static [u8]>,
    format: Option<Format>,
    structured: Option<&'static [u8]>,
    hostname: Option<&'static [u8]>,
    size: Option<usize>,
    service: Option<&'static [u8]>,
    spool: Option<&'static CStr>,
    spool_bytes: Option<u64>,
    drop_oldest: bool,
    hands_over: bool,
    tls: Vec<&'static CStr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Rfc3164,
    Rfc5424,
}

pub(super) fn read(args: Args, env: Env) -> Result<Request, Failure> {
    let (options, operands) = options(args)?;
    if operands.len() > 2 {
        return Err(NAME.usage(USAGE));
    }
    let tag = operands.get(0).map_or(&b"splogger"[..], CStr::to_bytes);
    if tag.is_empty() || tag.len() > MAX_TAG || !tag.iter().all(u8::is_ascii_graphic) {
        return Err(unusable(b"tag: ", tag));
    }
    let facility = operands.get(1).map_or(&b"2"[..], CStr::to_bytes);
    let facility = number::whole(facility)
        .filter(|number| *number < FACILITIES)
        .ok_or_else(|| unusable(b"facility: ", facility))? as u8;
    let socket = env.get(b"SYSLOG_SOCKET").filter(|path| !path.is_empty());
    let name = options.to.or(socket).unwrap_or(b"/dev/log");
    let destination = match options.to {
        Some(to) => destination::parse(to),
        None => sys::net::SocketAddrUnix::new(name).map(Destination::Local),
    }
    .map_err(|errno| NAME.fatal_errno(Exit::USAGE.0, &[b"unable to use ", name], errno))?;
    if !options.tls.is_empty() && !matches!(destination, Destination::Tls(_)) {
        return Err(unusable(b"options about TLS with ", name));
    }
    let spool = options.spool.map(|directory| Spooling {
        directory,
        bytes: options.spool_bytes.unwrap_or(USUAL_SPOOL),
        drop_oldest: options.drop_oldest,
    });
    if spool.is_none() && (options.spool_bytes.is_some() || options.drop_oldest) {
        return Err(unusable(b"options about a spool without ", b"--spool"));
    }
    let mut service = Service::find();
    if let Some(name) = options.service {
        service.name = Some(name.to_vec());
    }
    let form = form(&options, &destination, tag, facility, &service)?;
    let (tls, hands_over) = (options.tls, options.hands_over);
    Ok(Request { form, name, destination, service, tls, spool, hands_over })
}

/// The options, and the tag and facility that follow. qmail's splogger has no options: unless the first argument
/// begins with two dashes, there is none.
fn options(args: Args) -> Result<(Options, Args), Failure> {
    let mut options = Options::default();
    if !args.get(1).is_some_and(|first| first.to_bytes().starts_with(b"--")) {
        return Ok((options, args.tail(1)));
    }
    let mut getopt = Getopt::new(args, b"").with_words(&WORDS);
    for opt in &mut getopt {
        let opt = opt.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))?;
        match opt {
            Opt::Flag(DROP_OLDEST) => options.drop_oldest = true,
            Opt::Flag(_) => options.hands_over = true,
            Opt::Value(letter, value) => options.take(letter, value)?,
        }
    }
    Ok((options, getopt.rest()))
}

impl Options {
    fn take(&mut self, letter: u8, value: &'static CStr) -> Result<(), Failure> {
        let text = value.to_bytes();
        match letter {
            TO => self.to = Some(text),
            FORMAT => {
                self.format = Some(match text {
                    b"rfc3164" => Format::Rfc3164,
                    b"rfc5424" => Format::Rfc5424,
                    _ => return Err(unusable(b"format: ", text)),
                });
            }
            SD if structured::is_valid(text) => self.structured = Some(text),
            SD => return Err(unusable(b"structured data: ", text)),
            HOSTNAME => self.hostname = Some(text),
            SIZE => {
                let size = number::whole(text).filter(|size| *size <= MAX_SIZE);
                self.size = Some(size.ok_or_else(|| unusable(b"size: ", text))? as usize);
            }
            SERVICE if text.is_empty() => return Err(unusable(b"service: ", text)),
            SERVICE => self.service = Some(text),
            SPOOL => self.spool = Some(value),
            SPOOL_BYTES => {
                let bytes = number::whole(text).filter(|bytes| *bytes >= LEAST_SPOOL);
                self.spool_bytes = Some(bytes.ok_or_else(|| unusable(b"spool bytes: ", text))?);
            }
            letter => self.tls.extend([ITS[usize::from(letter - TLS)], value]),
        }
        Ok(())
    }
}

/// Over a network RFC 5424's form is usual, on this host that of RFC 3164; structured data are in the former only,
/// and the journal has its own.
fn form(
    options: &Options,
    destination: &Destination,
    tag: &'static [u8],
    facility: u8,
    service: &Service,
) -> Result<Form, Failure> {
    let of_rfc5424 =
        options.structured.is_some() || options.hostname.is_some() || options.size.is_some();
    let usual = match destination {
        Destination::Journal(_) if options.format.is_some() || of_rfc5424 => {
            return Err(unusable(b"options about RFC 5424 with ", b"the journal"));
        }
        Destination::Journal(_) => {
            let service = service.name.clone();
            return Ok(Form::Journal(Fields { facility, identifier: tag, service }));
        }
        Destination::Local(_) if !of_rfc5424 => Format::Rfc3164,
        Destination::Local(_) | Destination::Udp(_) | Destination::Tcp(_) | Destination::Tls(_) => {
            Format::Rfc5424
        }
    };
    match options.format.unwrap_or(usual) {
        Format::Rfc3164 if of_rfc5424 => {
            Err(unusable(b"options about RFC 5424 with ", b"--format rfc3164"))
        }
        Format::Rfc3164 => Ok(Form::Traditional { facility, tag }),
        Format::Rfc5424 => structured_form(options, destination, tag, facility),
    }
}

fn structured_form(
    options: &Options,
    destination: &Destination,
    tag: &'static [u8],
    facility: u8,
) -> Result<Form, Failure> {
    if tag.len() > MAX_APP_NAME {
        return Err(unusable(b"tag: ", tag));
    }
    let hostname = match options.hostname {
        Some(name) if !is_hostname(name) => return Err(unusable(b"host name: ", name)),
        Some(name) => name.to_vec(),
        None => {
            let name = sys::system::uname().nodename().to_bytes().to_vec();
            if is_hostname(&name) { name } else { b"-".to_vec() }
        }
    };
    let structured = options.structured.unwrap_or(b"-");
    let header = Header { facility, hostname, app_name: tag, structured };
    let usual = if matches!(destination, Destination::Udp(_)) { UDP_SIZE } else { USUAL_SIZE };
    let size = options.size.unwrap_or(usual);
    let room = size.checked_sub(header.most()).filter(|room| *room >= LEAST_ROOM);
    let room = room.ok_or_else(|| unusable(b"size: ", common::decimal(size as u64).as_bytes()))?;
    Ok(Form::Structured { header, room })
}

fn is_hostname(name: &[u8]) -> bool {
    (1..=MAX_HOSTNAME).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
}

fn unusable(what: &[u8], text: &[u8]) -> Failure {
    NAME.fatal(Exit::USAGE.0, &[b"unable to use ", what, text])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn strings(list: &[&str]) -> Vec<CString> {
        list.iter().map(|text| CString::new(*text).expect("no NUL")).collect()
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).expect("ASCII")
    }

    fn request(arguments: &[&str], env: &[&str]) -> Result<Request, String> {
        let all = [&["splogger"], arguments].concat();
        read(Args::new(strings(&all)), Env::new(strings(env))).map_err(|failure| {
            assert_eq!(failure.code, 100);
            text(&failure.text)
        })
    }

    fn asked(arguments: &[&str], env: &[&str]) -> Result<(String, u8, String), String> {
        let request = request(arguments, env)?;
        let (facility, tag) = match &request.form {
            Form::Traditional { facility, tag } => (*facility, *tag),
            Form::Structured { header, .. } => (header.facility, header.app_name),
            Form::Journal(fields) => (fields.facility, fields.identifier),
        };
        Ok((text(tag), facility, text(request.name)))
    }

    #[test]
    fn the_defaults() {
        assert_eq!(asked(&[], &[]), Ok(("splogger".into(), 2, "/dev/log".into())));
        assert_eq!(asked(&["pop3d"], &[]), Ok(("pop3d".into(), 2, "/dev/log".into())));
        let env = ["SYSLOG_SOCKET=/x"];
        assert_eq!(asked(&["pop3d", "23"], &env), Ok(("pop3d".into(), 23, "/x".into())));
        // A tag may begin with a dash, as ever; with two, after `--`.
        assert_eq!(asked(&["-d", "3"], &[]), Ok(("-d".into(), 3, "/dev/log".into())));
        assert_eq!(asked(&["--", "--to", "3"], &[]), Ok(("--to".into(), 3, "/dev/log".into())));
        assert_eq!(asked(&["--to=/y", "x"], &env), Ok(("x".into(), 2, "/y".into())));
    }

    #[test]
    fn which_form() {
        let form = |arguments: &[&str]| {
            request(arguments, &[]).map(|request| match request.form {
                Form::Traditional { .. } => "3164",
                Form::Structured { .. } => "5424",
                Form::Journal(_) => "journal",
            })
        };
        for (arguments, expected) in [
            (&[][..], "3164"),
            (&["--to", "/x"], "3164"),
            (&["--format", "rfc5424"], "5424"),
            (&["--sd", "[x@1]"], "5424"),
            (&["--hostname=h"], "5424"),
            (&["--to", "udp:h:514"], "5424"),
            (&["--to", "tcp:h:514", "--format=rfc3164"], "3164"),
            (&["--to", "tls:h:6514", "--tls-ca", "ca.pem"], "5424"),
            (&["--to", "journal", "--service", "s"], "journal"),
        ] {
            assert_eq!(form(arguments), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn tcpclient_gets_its_own() {
        let arguments = ["--to=tls:h:1", "--tls-cert", "c.pem", "--tls-ca=a", "--tls-name=n"];
        let expected = [c"-n", c"c.pem", c"--tls-ca", c"a", c"--tls-name", c"n"];
        assert_eq!(request(&arguments, &[]).map(|request| request.tls), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let usage = asked(&["a", "2", "c"], &[]).expect_err("too many");
        assert!(usage.starts_with("splogger: usage: splogger [ --to where ]"), "{usage}");
        for facility in ["24", "mail", "", "-1", "2x"] {
            let message = format!("splogger: fatal: unable to use facility: {facility}\n");
            assert_eq!(asked(&["a", facility], &[]), Err(message));
        }
        let long = "x".repeat(256);
        for tag in ["", "a b", &long] {
            assert_eq!(
                asked(&[tag], &[]),
                Err(format!("splogger: fatal: unable to use tag: {tag}\n"))
            );
        }
        let path = format!("SYSLOG_SOCKET=/{}", "x".repeat(200));
        assert!(asked(&[], &[&path]).is_err_and(|text| text.ends_with(": file name too long\n")));
        let long = "x".repeat(49);
        let structured = format!("[x@1 a=\"{}\"]", "x".repeat(2000));
        for (arguments, said) in [
            (&["--up"][..], "splogger: illegal option -- up\n"),
            (&["--to", "x"], "unable to use x: "),
            (&["--format", "5424"], "unable to use format: 5424\n"),
            (&["--sd", "[x]"], "unable to use structured data: [x]\n"),
            (&["--sd", "-", "--format", "rfc3164"], "RFC 5424 with --format rfc3164\n"),
            (&["--sd", &structured], "unable to use size: 2048\n"),
            (&["--hostname", "a b"], "unable to use host name: a b\n"),
            (&["--size", "70000"], "unable to use size: 70000\n"),
            (&["--size", "100"], "unable to use size: 100\n"),
            (&["--to", "journal", "--format", "rfc5424"], "RFC 5424 with the journal\n"),
            (&["--format", "rfc5424", &long], "unable to use tag: xxx"),
            (&["--spool-bytes", "9000000"], "options about a spool without --spool\n"),
            (&["--drop-oldest"], "options about a spool without --spool\n"),
            (&["--spool", "x", "--spool-bytes", "1000"], "unable to use spool bytes: 1000\n"),
            (&["--to", "tcp:h:1", "--tls-ca", "x"], "options about TLS with tcp:h:1\n"),
            (&["--service="], "unable to use service: \n"),
        ] {
            let text = request(arguments, &[]).err().expect("refused");
            assert!(text.contains(said), "{arguments:?}: {text}");
        }
    }
}
