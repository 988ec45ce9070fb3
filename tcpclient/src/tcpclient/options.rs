//! The command line.

use super::NAME;
use super::attempts::Patience;
use super::encryption::{self, Encryption};
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt};
use common::{Failure, number};
use core::ffi::CStr;
use core::net::IpAddr;
use core::time::Duration;
use dns::Families;
use sys::Args;

const LETTERS: &[u8] = b"46hHrRdDqQvsSi:p:T:l:t:n:K:";

const USAGE: &str = "[ -46hHrRdDqQvsS ] [ -i localip ] [ -p localport ] [ -T timeoutconn ] \
    [ -l localname ] [ -t timeoutinfo ] [ -n certificate ] [ -K milliseconds ] [ --tls-name name ] \
    [ --tls-ca file ] [ --tls-crl file ] [ --tls-alpn protocol,... ] [ --tls-min version ] \
    [ --tls-user account ] host port program";

/// What the command line asks for.
#[derive(Clone)]
pub(super) struct Options {
    /// `-q`, `-Q`, `-v`.
    pub(super) verbosity: Verbosity,
    /// `-4`, `-6`: which addresses of the host are tried, in which order.
    pub(super) families: Families,
    /// `-i`, `-p`: our end of the connection.
    pub(super) local: Local,
    /// `-D`: no delay in sending.
    pub(super) no_delay: bool,
    /// `-T`: how long each address may take.
    pub(super) patience: Patience,
    /// `-h`: whether the remote host's name is looked up.
    pub(super) look_up_remote: bool,
    /// `-l`: the local host's name; without it, the name is looked up.
    pub(super) local_name: Option<&'static [u8]>,
    /// `-r`, `-t`: how long the remote host may take to tell who runs the server, if it is asked.
    pub(super) ask_who: Option<Duration>,
    /// `-s` and what belongs to it.
    pub(super) tls: Encryption,
    /// What follows the options.
    operands: Args,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Nothing.
    Quiet,
    /// What goes wrong.
    Errors,
    /// That, and the connection.
    Verbose,
}

/// Our end of the connection, as far as it isn't the system's to choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) address: Option<IpAddr>,
    /// 0: any.
    pub(super) port: u16,
}

impl Options {
    /// Reads the options. What follows them is another question: one that `-q` leaves unanswered.
    pub(super) fn parse(args: Args) -> Result<Self, Failure> {
        let usage = || NAME.usage(USAGE);
        let mut options = Self::default();
        let (mut ask, mut ask_for) = (true, Duration::from_secs(26));
        let mut getopt = Getopt::new(args, LETTERS).with_only_these_words(&encryption::WORDS);
        for opt in &mut getopt {
            let opt = opt.map_err(|illegal| illegal.with_usage(usage()))?;
            if options.tls.take(opt) {
                continue;
            }
            match opt {
                Opt::Flag(b'q') => options.verbosity = Verbosity::Quiet,
                Opt::Flag(b'Q') => options.verbosity = Verbosity::Errors,
                Opt::Flag(b'v') => options.verbosity = Verbosity::Verbose,
                Opt::Flag(b'4') => options.families = Families::V4,
                Opt::Flag(b'6') => options.families = Families::V6,
                Opt::Flag(b'd') => options.no_delay = false,
                Opt::Flag(b'D') => options.no_delay = true,
                Opt::Flag(b'h') => options.look_up_remote = true,
                Opt::Flag(b'H') => options.look_up_remote = false,
                Opt::Flag(b'r') => ask = true,
                Opt::Flag(_) => ask = false,
                Opt::Value(b'i', value) => options.local.address = Some(own_address(value)?),
                Opt::Value(b'p', value) => options.local.port = own_port(value)?,
                Opt::Value(b'T', value) => options.patience = patience(value.to_bytes()),
                Opt::Value(b'l', value) => options.local_name = Some(value.to_bytes()),
                Opt::Value(_, value) => ask_for = seconds(value.to_bytes()).0,
            }
        }
        options.tls = options.tls.settled()?;
        options.ask_who = ask.then_some(ask_for);
        options.operands = getopt.rest();
        Ok(options)
    }

    /// The host.
    pub(super) fn host(&self) -> Result<&'static CStr, Failure> {
        self.operand(0)
    }

    /// The port.
    pub(super) fn port(&self) -> Result<&'static CStr, Failure> {
        self.operand(1)
    }

    /// The program.
    pub(super) fn program(&self) -> Result<&'static CStr, Failure> {
        self.operand(2)
    }

    /// The program and its arguments.
    pub(super) fn arguments(&self) -> Args {
        self.operands.tail(2)
    }

    fn operand(&self, place: usize) -> Result<&'static CStr, Failure> {
        self.operands.get(place).ok_or_else(|| NAME.usage(USAGE))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Errors,
            families: Families::V4First,
            local: Local::default(),
            no_delay: false,
            patience: Patience { first: Duration::from_secs(2), second: Duration::from_secs(58) },
            look_up_remote: true,
            local_name: None,
            ask_who: None,
            tls: Encryption::default(),
            operands: Args::new(Vec::new()),
        }
    }
}

fn own_address(value: &CStr) -> Result<IpAddr, Failure> {
    dns::address::parse(value.to_bytes()).ok_or_else(|| NAME.usage(USAGE))
}

/// The original takes what is no port for another one.
fn own_port(value: &CStr) -> Result<u16, Failure> {
    let port = number::whole(value.to_bytes()).and_then(|number| u16::try_from(number).ok());
    port.ok_or_else(|| NAME.usage(USAGE))
}

/// `x+y`, or `x`, after which there is no second try.
fn patience(text: &[u8]) -> Patience {
    let (first, digits) = seconds(text);
    let second = match text.get(digits..) {
        Some([b'+', rest @ ..]) => Some(seconds(rest).0),
        _ => None,
    };
    Patience { first, second: second.unwrap_or_default() }
}

/// The number at the front, and how many digits it has; at least a second.
fn seconds(text: &[u8]) -> (Duration, usize) {
    let (number, digits) = number::ulong(text).unwrap_or_default();
    (Duration::from_secs(number.clamp(1, u32::MAX.into())), digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn parse(words: &[&str]) -> Result<Options, Failure> {
        let words = ["tcpclient"].iter().chain(words).chain(&["host", "80", "program"]);
        let words = words.map(|word| CString::new(*word).expect("no NUL")).collect();
        Options::parse(Args::new(words))
    }

    #[test]
    fn how_long_an_address_may_take() {
        for (text, first, second) in
            [("2+58", 2, 58), ("5", 5, 0), ("5+", 5, 1), ("x", 1, 0), ("0+0", 1, 1), ("7+3x", 7, 3)]
        {
            let patience = parse(&["-T", text]).unwrap_or_else(|_| panic!("{text}")).patience;
            let seconds = (patience.first.as_secs(), patience.second.as_secs());
            assert_eq!(seconds, (first, second), "{text}");
        }
    }

    #[test]
    fn who_runs_the_server_is_asked_unless_r_says_no() {
        for (words, seconds) in [
            (&[][..], Some(26)),
            (&["-R"], None),
            (&["-Rr"], Some(26)),
            (&["-t", "5"], Some(5)),
            (&["-Rt5"], None),
        ] {
            let options = parse(words).unwrap_or_else(|_| panic!("{words:?}"));
            assert_eq!(options.ask_who.map(|time| time.as_secs()), seconds, "{words:?}");
        }
    }

    #[test]
    fn our_own_end() {
        for (words, local) in [
            (&["-i", "0.0.0.0"][..], Some((Some("0.0.0.0"), 0))),
            (&["-i", "0"], None),
            (&["-i", "::1", "-p", "65535"], Some((Some("::1"), 65535))),
            (&["-i", "x"], None),
            (&["-p", "65536"], None),
            (&["-p", "x"], None),
        ] {
            let expected = local.map(|(address, port)| Local {
                address: address.map(|address: &str| address.parse().expect("an address")),
                port,
            });
            assert_eq!(parse(words).ok().map(|options| options.local), expected, "{words:?}");
        }
    }
}
