//! Service names: services(5), as `/etc/services` has it. No other source is asked.

/// Where the names are.
pub const FILE: &str = "/etc/services";

/// The TCP port of the service that is called `name`, officially or by an alias, in the text of a
/// services file. Case counts, and the first line that fits wins.
#[must_use]
pub fn tcp_port(file: &[u8], name: &[u8]) -> Option<u16> {
    file.split(|byte| *byte == b'\n').find_map(|line| {
        let (port, mut names) = entry(line)?;
        names.any(|candidate| candidate == name).then_some(port)
    })
}

/// One line: the TCP port, and the service's names, the official one first. `None` if it isn't one
/// for TCP, or is malformed.
fn entry(line: &[u8]) -> Option<(u16, impl Iterator<Item = &[u8]>)> {
    let mut words = words(line);
    let official = words.next()?;
    let where_ = words.next()?;
    let number = where_.strip_suffix(b"/tcp")?;
    let port = u16::try_from(common::number::whole(number)?).ok()?;
    Some((port, core::iter::once(official).chain(words)))
}

/// The words of a line up to a `#`: the form that services(5) and hosts(5) share.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &[u8] = b"# names\n\
        pop3\t\t110/tcp\t\tpop-3 # POP version 3\n\
        bootps 67/udp\n\
        both 7/udp\n both\t9/tcp alias\n\
        bad 70000/tcp\nworse x/tcp\nnone\nempty /tcp\n\
        #hidden 5/tcp\nlate 6/tcp # alias2\r\n\
        crlf 8/tcp\r\nlast 65535/tcp";

    #[test]
    fn names_and_aliases_lead_to_the_port() {
        for (name, port) in
            [("pop3", 110), ("pop-3", 110), ("both", 9), ("alias", 9), ("crlf", 8), ("last", 65535)]
        {
            assert_eq!(tcp_port(FILE, name.as_bytes()), Some(port), "{name}");
        }
    }

    #[test]
    fn other_protocols_comments_and_malformed_lines_do_not_count() {
        for name in ["POP3", "bootps", "bad", "worse", "none", "empty", "hidden", "alias2", "", "#"]
        {
            assert_eq!(tcp_port(FILE, name.as_bytes()), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_well_formed_line_is_found_among_any_others(
            before in "[ -~\t]{0,40}", name in "[a-z][a-z0-9-]{0,10}", port: u16
        ) {
            prop_assume!(!before.split_whitespace().any(|word| word == name));
            let file = format!("{before}\n{name} {port}/tcp\n");
            prop_assert_eq!(tcp_port(file.as_bytes(), name.as_bytes()), Some(port));
        }

        #[test]
        fn no_file_breaks_it(file: Vec<u8>, name: Vec<u8>) {
            let _ = tcp_port(&file, &name);
        }
    }
}
