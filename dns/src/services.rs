//! Service names: services(5), as `/etc/services` has it. No other source is asked.

use crate::hosts::words;
use core::ffi::CStr;

/// Where the names are.
pub const FILE: &CStr = c"/etc/services";

/// The TCP port of the service that is called `name`, officially or by an alias. Case counts, and
/// the first line that fits wins. A file that can't be read knows no names.
#[must_use]
pub fn tcp_port(file: &CStr, name: &[u8]) -> Option<u16> {
    sys::lines(file, |line| {
        let (port, mut names) = entry(line)?;
        names.any(|candidate| candidate == name).then_some(port)
    })
    .ok()
    .flatten()
}

/// One line: the TCP port, and the service's names, the official one first. `None` if it isn't one
/// for TCP, or is malformed.
pub(crate) fn entry(line: &[u8]) -> Option<(u16, impl Iterator<Item = &[u8]>)> {
    let mut words = words(line);
    let official = words.next()?;
    let number = words.next()?.strip_suffix(b"/tcp")?;
    let port = u16::try_from(common::number::whole(number)?).ok()?;
    Some((port, core::iter::once(official).chain(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use proptest::prelude::*;

    const TEXT: &[u8] = b"# names\npop3\t\t110/tcp\t\tpop-3 # POP version 3\nbootps 67/udp\n\
        both 7/udp\n both\t9/tcp alias\nbad 70000/tcp\nworse x/tcp\nnone\nempty /tcp\n\
        #hidden 5/tcp\nlate 6/tcp # alias2\r\ncrlf 8/tcp\r\nlast 65535/tcp";

    #[test]
    fn names_and_aliases_lead_to_the_port() {
        let file = Scratch::new(TEXT);
        for (name, port) in
            [("pop3", 110), ("pop-3", 110), ("both", 9), ("alias", 9), ("crlf", 8), ("last", 65535)]
        {
            assert_eq!(tcp_port(file.path(), name.as_bytes()), Some(port), "{name}");
        }
    }

    #[test]
    fn other_protocols_comments_and_malformed_lines_do_not_count() {
        let file = Scratch::new(TEXT);
        for name in ["POP3", "bootps", "bad", "worse", "none", "empty", "hidden", "alias2", "", "#"]
        {
            assert_eq!(tcp_port(file.path(), name.as_bytes()), None, "{name}");
        }
        assert_eq!(tcp_port(c"/nowhere/services", b"pop3"), None);
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line: Vec<u8>) {
            let _ = entry(&line);
        }
    }
}
