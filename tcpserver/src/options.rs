//! The command line: options as the original's, and those of its SSL patch.

mod access;
mod encryption;

pub use access::Access;
pub use encryption::TlsOptions;

use common::getopt::{Getopt, Opt, Word};
use common::number;
use common::{Exit, Failure, Name};
use dns::Families;
use std::ffi::CStr;
use std::fmt;
use std::time::Duration;
use sys::{Args, Env};

/// The program, as its diagnostics call it.
pub const NAME: Name = Name("tcpserver");

const LETTERS: &[u8] = b"146UXpPhHrRoOdDqQvsSyYc:C:x:B:g:u:b:l:t:n:K:";

const WORDS: &[Word] = &{
    let [a, b, c, d, e] = access::WORDS;
    let [f, g, h, i, j, k] = encryption::WORDS;
    [a, b, c, d, e, f, g, h, i, j, k]
};

const USAGE: &str = "[ -146UXpPhHrRoOdDqQvsSyY ] [ -c limit ] [ -C limit[:message] ] \
    [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] \
    [ -t timeout ] [ -n certificate ] [ -K milliseconds ] [ --network-limit limit[:message] ] \
    [ --rate count[/seconds][:message] ] [ --proxy networks ] [ --listen-fd number ] [ --ipv6-only ] \
    [ --tls-ca file ] [ --tls-crl file ] [ --tls-ocsp file ] [ --tls-alpn protocol,... ] \
    [ --tls-min version ] [ --tls-user account ] host port program";

/// The longest banner. It is written in one piece, without waiting, to a connection that has sent
/// nothing so far; so much always fits.
pub const MAX_BANNER: usize = 4096;

/// What the command line asks for.
#[derive(Clone, Copy)]
pub struct Options {
    /// `-q`, `-Q`, `-v`.
    pub verbosity: Verbosity,
    /// `-c`: at most so many connections at once; never 0.
    pub limit: usize,
    /// `-b`: so many connections may wait to be accepted.
    pub backlog: i32,
    /// `-B`: said to each client at once.
    pub banner: &'static [u8],
    /// `-o`: IP options of a connection are left alone.
    pub keep_ip_options: bool,
    /// `-D`: no delay in sending.
    pub no_delay: bool,
    /// `-g`, `-U`: the group to run as.
    pub gid: Option<u32>,
    /// `-u`, `-U`: the user to run as.
    pub uid: Option<u32>,
    /// `-1`: print the local port.
    pub print_port: bool,
    /// `-l`: the local host's name; without it, the name is looked up.
    pub local_name: Option<&'static [u8]>,
    /// `-t`: how long a client may take for what comes before the program; at least a second.
    pub timeout: Duration,
    /// `-4`, `-6`: what is taken where the host argument leaves a choice.
    pub families: Families,
    /// Who is let in, and what is found out about clients before.
    pub access: Access,
    /// `-s`, `-n` and their like. Never freed: there is one for each start.
    pub tls: &'static TlsOptions,
    /// The host argument.
    pub host: &'static [u8],
    /// The port argument.
    pub port: &'static [u8],
    /// The program and its arguments; never empty.
    pub program: Args,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing, not even why tcpserver ends.
    Quiet,
    /// What goes wrong.
    Errors,
    /// That, and each connection.
    Verbose,
}

impl Options {
    /// Reads the command line; `-U` reads `UID` and `GID` in `env`.
    ///
    /// # Errors
    /// Wrong usage: exit code 100.
    pub fn parse(args: Args, env: Env) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut tls = TlsOptions::default();
        let mut getopt = Getopt::new(args, LETTERS).with_words(WORDS);
        for opt in &mut getopt {
            let opt = opt.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))?;
            if options.access.take(opt)? || tls.take(opt)? {
                continue;
            }
            match opt {
                Opt::Flag(b'q') => options.verbosity = Verbosity::Quiet,
                Opt::Flag(b'Q') => options.verbosity = Verbosity::Errors,
                Opt::Flag(b'v') => options.verbosity = Verbosity::Verbose,
                Opt::Flag(b'o') => options.keep_ip_options = true,
                Opt::Flag(b'O') => options.keep_ip_options = false,
                Opt::Flag(b'd') => options.no_delay = false,
                Opt::Flag(b'D') => options.no_delay = true,
                Opt::Flag(b'1') => options.print_port = true,
                Opt::Flag(b'4') => options.families = Families::V4,
                Opt::Flag(b'6') => options.families = Families::V6First,
                Opt::Flag(b'U') => {
                    options.uid = Some(id_from(env, "UID")?);
                    options.gid = Some(id_from(env, "GID")?);
                }
                Opt::Value(b'c', value) => options.limit = limit(value)?,
                Opt::Value(b'b', value) => options.backlog = saturated(leading_number(value)),
                Opt::Value(b'B', value) => options.banner = banner(value)?,
                Opt::Value(b'u', value) => options.uid = Some(id("-u", value.to_bytes())?),
                Opt::Value(b'g', value) => options.gid = Some(id("-g", value.to_bytes())?),
                Opt::Value(b'l', value) => options.local_name = Some(value.to_bytes()),
                Opt::Value(b't', value) => options.timeout = seconds(value),
                Opt::Flag(_) | Opt::Value(..) => {}
            }
        }
        options.tls = Box::leak(Box::new(tls));
        options.with_operands(getopt.rest())
    }

    fn with_operands(self, rest: Args) -> Result<Self, Failure> {
        let (Some(host), Some(port), Some(_)) = (rest.get(0), rest.get(1), rest.get(2)) else {
            return Err(NAME.usage(USAGE));
        };
        Ok(Self { host: host.to_bytes(), port: port.to_bytes(), program: rest.tail(2), ..self })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("host", &self.host.escape_ascii())
            .field("port", &self.port.escape_ascii())
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Errors,
            limit: 40,
            backlog: 20,
            banner: b"",
            keep_ip_options: false,
            no_delay: false,
            gid: None,
            uid: None,
            print_port: false,
            local_name: None,
            timeout: Duration::from_secs(26),
            families: Families::V4First,
            access: Access::default(),
            tls: Box::leak(Box::default()),
            host: b"",
            port: b"",
            program: Args::new(Vec::new()),
        }
    }
}

/// As the original reads numbers: the digits at the front, none count as 0.
fn leading_number(value: &CStr) -> u64 {
    number::ulong(value.to_bytes()).map_or(0, |(number, _)| number)
}

fn saturated(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The original takes 0, and what isn't a number for 0, and then never accepts a connection.
fn limit(value: &CStr) -> Result<usize, Failure> {
    match usize::try_from(leading_number(value)) {
        Ok(limit @ 1..) => Ok(limit),
        _ => Err(NAME.fatal(
            Exit::USAGE.0,
            &[b"unable to use -c ", value.to_bytes(), b": not a positive number"],
        )),
    }
}

fn banner(value: &'static CStr) -> Result<&'static [u8], Failure> {
    let banner = value.to_bytes();
    if banner.len() > MAX_BANNER {
        return Err(NAME.fatal(Exit::USAGE.0, &[b"unable to use -B: more than 4096 bytes"]));
    }
    Ok(banner)
}

/// The original takes a name for 0, and then runs as root.
fn id(option: &str, value: &[u8]) -> Result<u32, Failure> {
    // The highest number means "unchanged" to the system calls that set ids.
    match number::whole(value).map(u32::try_from) {
        Some(Ok(id)) if id != u32::MAX => Ok(id),
        _ => Err(NAME.fatal(
            Exit::USAGE.0,
            &[b"unable to use ", option.as_bytes(), b" ", value, b": not a number"],
        )),
    }
}

fn id_from(env: Env, name: &'static str) -> Result<u32, Failure> {
    let Some(value) = env.get(name.as_bytes()) else {
        return Err(NAME.fatal(
            Exit::USAGE.0,
            &[b"unable to use -U: environment variable $", name.as_bytes(), b" not set"],
        ));
    };
    id(&format!("-U: ${name}"), value)
}

fn seconds(value: &CStr) -> Duration {
    Duration::from_secs(leading_number(value).clamp(1, u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encrypted::Beginning;
    use proptest::prelude::*;
    use std::ffi::CString;

    fn parse_in(list: &[&str], env: &[&str]) -> Result<Options, Failure> {
        let strings = |list: &[&str]| {
            list.iter().map(|text| CString::new(*text).expect("no NUL")).collect::<Vec<_>>()
        };
        let args = Args::new(strings(&[&["tcpserver"], list].concat()));
        Options::parse(args, Env::new(strings(env)))
    }

    fn parse(list: &[&str]) -> Result<Options, Failure> {
        parse_in(list, &[])
    }

    fn good(options: &[&str]) -> Options {
        parse(&[options, &["-RH", "0", "0", "true"]].concat()).expect("it is right")
    }

    fn refusal(options: &[&str]) -> String {
        let failure = parse(&[options, &["-RH", "0", "0", "true"]].concat()).expect_err("wrong");
        assert_eq!(failure.code, 100);
        String::from_utf8(failure.text).expect("ASCII")
    }

    #[test]
    fn the_walkthroughs_lines() {
        let options = parse(&["-RHD", "0", "pop3", "/bin/x", "host"]).expect("it is right");
        assert!(options.no_delay && options.tls.beginning().is_none());
        assert_eq!((options.host, options.port), (&b"0"[..], &b"pop3"[..]));
        assert_eq!(options.program.iter().collect::<Vec<_>>(), [c"/bin/x", c"host"]);
        let options =
            parse(&["-RHD", "-s", "-n", "/c/cert.pem", "0", "pop3s", "x"]).expect("right");
        assert_eq!(options.tls.beginning(), Some(Beginning::AtOnce));
    }

    #[test]
    fn defaults_are_the_originals() {
        let options = good(&[]);
        assert_eq!((options.limit, options.backlog, options.timeout.as_secs()), (40, 20, 26));
        assert_eq!(options.verbosity, Verbosity::Errors);
        assert_eq!((options.uid, options.gid, options.local_name), (None, None, None));
        assert!(!options.no_delay && !options.keep_ip_options && !options.print_port);
        assert_eq!(options.families, Families::V4First);
    }

    #[test]
    fn the_last_of_a_pair_counts() {
        assert_eq!(good(&["-vq"]).verbosity, Verbosity::Quiet);
        assert_eq!(good(&["-qQ"]).verbosity, Verbosity::Errors);
        assert!(good(&["-doOoD"]).keep_ip_options);
        assert!(!good(&["-Dd"]).no_delay);
        assert_eq!(good(&["-s", "-S"]).tls.beginning(), None);
        let env = &["UID=1", "GID=2"];
        let options = parse_in(&["-RHU", "-u5", "0", "0", "x"], env).expect("it is right");
        assert_eq!((options.uid, options.gid), (Some(5), Some(2)));
    }

    #[test]
    fn values_may_cluster() {
        let options = good(&["-RHDl0", "-vc5x", "-b", "7", "-Bhi", "-t", "9", "-61"]);
        assert_eq!(options.local_name, Some(&b"0"[..]));
        assert_eq!((options.limit, options.backlog, options.timeout.as_secs()), (5, 7, 9));
        assert_eq!(options.banner, b"hi");
        assert!(options.families == Families::V6First && options.print_port);
    }

    #[test]
    fn what_would_silently_do_harm_is_refused() {
        for (options, reason) in [
            (&["-c0"][..], "unable to use -c 0: not a positive number"),
            (&["-c", "x"], "unable to use -c x: not a positive number"),
            (&["-u", "nobody"], "unable to use -u nobody: not a number"),
            (&["-g", "4294967295"], "unable to use -g 4294967295: not a number"),
            (&["-U"], "unable to use -U: environment variable $UID not set"),
        ] {
            assert_eq!(refusal(options), format!("tcpserver: fatal: {reason}\n"));
        }
        let failure = parse_in(&["-U"], &["UID=root"]).expect_err("no number");
        assert_eq!(failure.text, b"tcpserver: fatal: unable to use -U: $UID root: not a number\n");
        assert!(refusal(&["-B", &"x".repeat(4097)]).contains("more than 4096 bytes"));
    }

    #[test]
    fn usage_comes_first() {
        for list in [&[][..], &["-x"], &["-h"], &["0"], &["-RH", "0", "0"]] {
            let failure = parse(list).expect_err("incomplete");
            let text = String::from_utf8(failure.text).expect("ASCII");
            assert!(text.contains("tcpserver: usage: tcpserver [ "), "{text}");
            assert_eq!(failure.code, 100);
        }
        let text = parse(&["-Z"]).expect_err("unknown").text;
        assert!(text.starts_with(b"tcpserver: illegal option -- Z\ntcpserver: usage: "));
    }

    proptest! {
        #[test]
        fn no_command_line_breaks_it(list in proptest::collection::vec("-?[ -~]{0,8}", 0..8)) {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            if let Ok(options) = parse_in(&list, &["UID=1", "GID=1"]) {
                prop_assert!(options.limit > 0 && !options.program.is_empty());
            }
        }
    }
}
