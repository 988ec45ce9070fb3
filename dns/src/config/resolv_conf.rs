//! resolv.conf(5), as the C library reads it.

use super::MOST_SERVERS;
use crate::address;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::IpAddr;
use core::time::Duration;
use sys::Errno;

/// What one of `timeout` and `attempts` is if only the other is given.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const ATTEMPTS: usize = 2;

const LONGEST_TIMEOUT: u64 = 30;
const MOST_ATTEMPTS: u64 = 5;
const MOST_DOTS: u64 = 15;

/// The file's content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ResolvConf {
    pub(crate) servers: Vec<(IpAddr, u32)>,
    /// The last of `domain` and `search`.
    pub(crate) domains: Option<Vec<Vec<u8>>>,
    pub(crate) dots: usize,
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempts: Option<usize>,
    pub(crate) rotate: bool,
    pub(crate) tcp_only: bool,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            domains: None,
            dots: 1,
            timeout: None,
            attempts: None,
            rotate: false,
            tcp_only: false,
        }
    }
}

impl ResolvConf {
    pub(crate) fn read(path: &CStr) -> Result<Self, Errno> {
        let mut conf = Self::default();
        let read = sys::lines(path, |line| {
            conf.line(line);
            None::<()>
        });
        match read {
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(conf),
            Err(errno) => Err(errno),
        }
    }

    /// A line begins with its keyword, or with `#` or `;`.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let mut words = line.split(u8::is_ascii_whitespace);
        let keyword = words.next().unwrap_or_default();
        let mut words = words.filter(|word| !word.is_empty());
        match keyword {
            b"nameserver" if self.servers.len() < MOST_SERVERS => {
                self.servers.extend(words.next().and_then(server));
            }
            b"domain" => self.domains = words.next().map(|domain| [domain.to_vec()].into()),
            b"search" => self.domains = Some(words.map(<[u8]>::to_vec).collect()),
            b"options" => words.for_each(|word| self.option(word)),
            _ => {}
        }
    }

    /// Options, with blanks between them; unknown ones are passed over.
    pub(crate) fn options(&mut self, text: &[u8]) {
        text.split(u8::is_ascii_whitespace).for_each(|word| self.option(word));
    }

    fn option(&mut self, word: &[u8]) {
        let number = |prefix: &[u8], most: u64| {
            let digits = word.strip_prefix(prefix)?;
            Some(common::number::ulong(digits)?.0.min(most))
        };
        match word {
            b"rotate" => self.rotate = true,
            b"use-vc" | b"usevc" => self.tcp_only = true,
            _ => {
                if let Some(seconds) = number(b"timeout:", LONGEST_TIMEOUT) {
                    self.timeout = Some(Duration::from_secs(seconds.max(1)));
                } else if let Some(attempts) = number(b"attempts:", MOST_ATTEMPTS) {
                    self.attempts = usize::try_from(attempts.max(1)).ok();
                } else if let Some(dots) = number(b"ndots:", MOST_DOTS) {
                    self.dots = usize::try_from(dots).unwrap_or(1);
                }
            }
        }
    }
}

/// The servers of `DNSCACHEIP`: blanks between them, or dots, as the originals have it. What is
/// no address ends the list.
pub(crate) fn servers(text: &[u8]) -> Vec<(IpAddr, u32)> {
    let mut found = Vec::new();
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for word in words {
        match server(word) {
            Some(server) => found.push(server),
            None => {
                let octets: Vec<&[u8]> = word.split(|byte| *byte == b'.').collect();
                let four = |four: &[&[u8]]| server(&four.join(&b"."[..]));
                found.extend(octets.chunks_exact(4).map_while(four));
            }
        }
    }
    found.truncate(MOST_SERVERS);
    found
}

/// `192.0.2.1`, `2001:db8::1`, or `fe80::1%eth0` with its interface, by name or number.
fn server(word: &[u8]) -> Option<(IpAddr, u32)> {
    match word.iter().position(|byte| *byte == b'%') {
        None => Some((address::parse(word)?, 0)),
        Some(percent) => Some((address::parse(&word[..percent])?, zone(&word[percent + 1..])?)),
    }
}

fn zone(text: &[u8]) -> Option<u32> {
    use sys::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
    if let Some(number) = common::number::whole(text) {
        return u32::try_from(number).ok();
    }
    let name = core::str::from_utf8(text).ok()?;
    let (family, flags) = (AddressFamily::INET6, SocketFlags::CLOEXEC);
    let socket = socket_with(family, SocketType::DGRAM, flags, None).ok()?;
    netdevice::name_to_index(&socket, name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> ResolvConf {
        let mut conf = ResolvConf::default();
        text.lines().for_each(|line| conf.line(line.as_bytes()));
        conf
    }

    fn addresses(servers: &[(IpAddr, u32)]) -> Vec<String> {
        let text = |(address, zone): &(IpAddr, u32)| match zone {
            0 => address.to_string(),
            zone => format!("{address}%{zone}"),
        };
        servers.iter().map(text).collect()
    }

    #[test]
    fn servers_of_both_families_at_most_three() {
        let conf = read(
            "# nameserver 10.0.0.1\n; nameserver 10.0.0.2\n nameserver 10.0.0.3\n\
             nameserver 10.0.0.4 # comment\nnameserver\t2001:db8::1\nnameserver none\nnameserver\n\
             nameservers 10.0.0.5\nnameserver fe80::1%2\nnameserver 10.0.0.6\n",
        );
        assert_eq!(addresses(&conf.servers), ["10.0.0.4", "2001:db8::1", "fe80::1%2"]);
    }

    #[test]
    fn the_last_of_domain_and_search_counts() {
        let domains = |text| read(text).domains;
        let list = |list: &[&str]| Some(list.iter().map(|name| name.as_bytes().to_vec()).collect());
        assert_eq!(domains(""), None);
        assert_eq!(
            domains("domain a.example\nsearch b.example  c.example"),
            list(&["b.example", "c.example"])
        );
        assert_eq!(domains("search b.example\ndomain a.example x"), list(&["a.example"]));
        assert_eq!(domains("search"), list(&[]));
    }

    #[test]
    fn options_have_bounds() {
        let conf = read("options timeout:3 attempts:4 ndots:2 rotate use-vc edns0 debug");
        assert_eq!(conf.timeout, Some(Duration::from_secs(3)));
        assert_eq!((conf.attempts, conf.dots), (Some(4), 2));
        assert!(conf.rotate && conf.tcp_only);
        let conf = read("options timeout:0 attempts:99\noptions ndots:999 timeout:x");
        assert_eq!(conf.timeout, Some(Duration::from_secs(1)));
        assert_eq!((conf.attempts, conf.dots), (Some(5), 15));
    }

    #[test]
    fn servers_of_the_environment() {
        for (text, list) in [
            ("10.0.0.1", &["10.0.0.1"][..]),
            ("10.0.0.1 ::1", &["10.0.0.1", "::1"]),
            ("10.0.0.1.10.0.0.2", &["10.0.0.1", "10.0.0.2"]),
            ("10.0.0.1.10.0", &["10.0.0.1"]),
            ("10.0.0", &[]),
            ("", &[]),
            ("1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4", &["1.1.1.1", "2.2.2.2", "3.3.3.3"]),
        ] {
            assert_eq!(addresses(&servers(text.as_bytes())), list, "{text}");
        }
    }

    #[test]
    fn interfaces_have_numbers() {
        assert!(zone(b"lo").is_some_and(|number| number > 0));
        assert_eq!(zone(b"no-such-interface"), None);
        assert_eq!(zone(b"99999999999"), None);
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line: Vec<u8>, keyword in "(nameserver|search|domain|options) ") {
            let mut conf = ResolvConf::default();
            conf.line(&line);
            conf.line(&[keyword.as_bytes(), &line].concat());
            let _ = servers(&line);
            prop_assert!(conf.servers.len() <= MOST_SERVERS);
        }
    }
}
