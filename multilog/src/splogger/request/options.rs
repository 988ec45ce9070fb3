//! The options, each by itself.

use super::super::{NAME, structured};
use super::unusable;
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt, Takes, Word};
use common::{Failure, number};
use core::ffi::CStr;
use sys::Args;

/// The options, as they stand there.
#[derive(Default)]
pub(super) struct Options {
    pub(super) to: Option<&'static [u8]>,
    pub(super) format: Option<Format>,
    pub(super) structured: Option<&'static [u8]>,
    pub(super) hostname: Option<&'static [u8]>,
    pub(super) size: Option<usize>,
    pub(super) service: Option<&'static [u8]>,
    pub(super) spool: Option<&'static CStr>,
    pub(super) spool_bytes: Option<u64>,
    pub(super) drop_oldest: bool,
    pub(super) hands_over: bool,
    /// What tcpclient gets: its options with their values.
    pub(super) tls: Vec<&'static CStr>,
}

/// `--format`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Rfc3164,
    Rfc5424,
}

pub(super) const USAGE: &str = "[ --to where ] [ --format rfc3164 | rfc5424 ] [ --sd elements ] [ --hostname name ] \
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
const TLS_NAME: u8 = 0xF0;
const TLS_CA: u8 = 0xF1;
const TLS_CRL: u8 = 0xF2;
const TLS_MIN: u8 = 0xF3;
const TLS_USER: u8 = 0xF4;
const TLS_CERT: u8 = 0xF5;

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
    Word { name: "tls-name", letter: TLS_NAME, takes: Takes::Value },
    Word { name: "tls-ca", letter: TLS_CA, takes: Takes::Value },
    Word { name: "tls-crl", letter: TLS_CRL, takes: Takes::Value },
    Word { name: "tls-min", letter: TLS_MIN, takes: Takes::Value },
    Word { name: "tls-user", letter: TLS_USER, takes: Takes::Value },
    Word { name: "tls-cert", letter: TLS_CERT, takes: Takes::Value },
];

/// The options that tcpclient gets, and how it has them.
const PASSED_ON: [(u8, &CStr); 6] = [
    (TLS_NAME, c"--tls-name"),
    (TLS_CA, c"--tls-ca"),
    (TLS_CRL, c"--tls-crl"),
    (TLS_MIN, c"--tls-min"),
    (TLS_USER, c"--tls-user"),
    (TLS_CERT, c"-n"),
];

/// The most that `--size` allows: a datagram takes little more.
const MAX_SIZE: u64 = 60_000;

/// A spool has at least so many bytes: larger than any message.
const LEAST_SPOOL: u64 = 1 << 20;

impl Options {
    /// The options, and the tag and facility that follow. qmail's splogger has no options: unless the first argument
    /// begins with two dashes, there is none.
    ///
    /// # Errors
    /// An unknown option, or a value that can't be used: 100.
    pub(super) fn read(args: Args) -> Result<(Self, Args), Failure> {
        let mut options = Self::default();
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
            letter => {
                let its = PASSED_ON.iter().filter(|(ours, _)| *ours == letter);
                self.tls.extend(its.flat_map(|(_, theirs)| [*theirs, value]));
            }
        }
        Ok(())
    }
}
