//! What names and lines mean in vpopmail's layout.

use crate::users::line;
use common::number;

/// The flags in a line's gid that close a service to its user.
const CLOSED: [(&[u8], u64); 3] = [(b"pop3", 2), (b"imap", 8), (b"smtp", 0x800)];

/// The longest domain name, in bytes.
const MAX_DOMAIN: usize = 255;

/// A domain that vpopmail knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name: that of the domain whose users it shares, if it is another name for it.
    pub name: Vec<u8>,
    /// The ids of its mailboxes.
    pub ids: (u32, u32),
    /// Where its users stand.
    pub directory: Vec<u8>,
}

/// User and domain, in lower case.
pub(crate) fn apart(login: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let login = login.to_ascii_lowercase();
    match login.iter().position(|byte| matches!(byte, b'@' | b'%' | b'/')) {
        Some(at) => (login[..at].to_vec(), Some(login[at + 1..].to_vec())),
        None => (login, None),
    }
}

/// Whether this may be a domain's name: no path to anywhere else, at least.
pub(crate) fn is_domain(name: &[u8]) -> bool {
    let in_names = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && name.len() <= MAX_DOMAIN && name[0] != b'.' && name.iter().all(in_names)
}

/// What qmail is told of a domain, after its name: `domain:uid:gid:directory:...`, with `separator` between.
pub(crate) fn assigned(rest: &[u8], separator: u8) -> Option<Domain> {
    let mut fields = rest.split(|byte| *byte == separator);
    let name = fields.next().filter(|name| is_domain(name))?;
    let uid = line::id(fields.next()?)?;
    let gid = line::id(fields.next()?)?;
    let directory = fields.next().filter(|directory| directory.first() == Some(&b'/'))?;
    Some(Domain { name: name.to_ascii_lowercase(), ids: (uid, gid), directory: directory.to_vec() })
}

/// Whether the flags in a line let its user have `service`, a name as Dovecot has it.
#[must_use]
pub fn may_use(gid: &[u8], service: &[u8]) -> bool {
    let flags = number::whole(gid).unwrap_or(0);
    CLOSED.iter().all(|(name, flag)| *name != service || flags & flag == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn logins_are_taken_apart() {
        for (login, user, domain) in [
            ("Joe@Example.ORG", "joe", Some("example.org")),
            ("joe%example.org", "joe", Some("example.org")),
            ("joe/example.org", "joe", Some("example.org")),
            ("joe@a@b", "joe", Some("a@b")),
            ("joe", "joe", None),
            ("@example.org", "", Some("example.org")),
            ("", "", None),
        ] {
            let expected =
                (user.as_bytes().to_vec(), domain.map(|domain| domain.as_bytes().to_vec()));
            assert_eq!(apart(login.as_bytes()), expected, "{login}");
        }
    }

    #[test]
    fn no_domain_leads_elsewhere() {
        for name in ["example.org", "a-b.c", "localhost", "a_b", "1.2"] {
            assert!(is_domain(name.as_bytes()), "{name}");
        }
        let long = "a".repeat(256);
        for name in ["", ".", "..", ".hidden", "a/b", "a@b", "a b", "a\0b", "a:b", "a\u{e4}", &long]
        {
            assert!(!is_domain(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn what_qmail_is_told_of_a_domain() {
        let domain = |name: &str, ids, directory: &str| {
            Some(Domain { name: name.into(), ids, directory: directory.into() })
        };
        let expected = domain("example.org", (89, 88), "/home/vpopmail/domains/example.org");
        assert_eq!(
            assigned(b"example.org:89:88:/home/vpopmail/domains/example.org:-::", b':'),
            expected
        );
        assert_eq!(
            assigned(b"example.org\x0089\x0088\0/home/vpopmail/domains/example.org\0-\0\0", 0),
            expected
        );
        for wrong in [
            "",
            "example.org",
            "example.org:x:88:/d:-::",
            "example.org:89:88:d:-::",
            "../x:1:1:/d:-::",
        ] {
            assert_eq!(assigned(wrong.as_bytes(), b':'), None, "{wrong}");
        }
    }

    #[test]
    fn a_flag_closes_a_service() {
        for (gid, pop3, imap) in [
            ("0", true, true),
            ("1", true, true),
            ("2", false, true),
            ("8", true, false),
            ("4106", false, false),
            ("", true, true),
            ("x", true, true),
        ] {
            let may = |service: &str| may_use(gid.as_bytes(), service.as_bytes());
            assert_eq!((may("pop3"), may("imap"), may("lmtp")), (pop3, imap, true), "{gid}");
        }
        assert!(!may_use(b"2048", b"smtp"));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(rest: Vec<u8>, login: Vec<u8>) {
            let (user, domain) = apart(&login);
            prop_assert!(user.len() + domain.map_or(0, |domain| domain.len() + 1) == login.len());
            for separator in [0, b':'] {
                if let Some(domain) = assigned(&rest, separator) {
                    prop_assert!(is_domain(&domain.name) && domain.directory.starts_with(b"/"));
                }
            }
        }
    }
}
