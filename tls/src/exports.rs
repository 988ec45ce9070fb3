//! What a program is told of its TLS connection: variables for its environment.
//!
//! The names are those that scripts for mod_ssl, ucspi-ssl and s6-networking read. On their way from
//! the relay they are `NAME=value\0` each and `\0` at the end, as in UCSPI-TLS. Who reads them in a
//! process that has rights (the one that becomes the program) believes none but these names: the
//! relay may have been broken into.

/// At most so many bytes: subject and certificate of a client are among them.
pub(crate) const LONGEST: usize = 16 * 1024;

/// At most so many variables.
const MOST: usize = 64;

/// Variables, in their order. Names are unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exports(Vec<(Vec<u8>, Vec<u8>)>);

impl Exports {
    /// Adds a variable. A NUL, which would end it, and everything after it, is left out; so is one
    /// that is too long for all to fit.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref().split(|byte| *byte == 0).next().unwrap_or_default();
        let used: usize = self.0.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        if used + name.len() + value.len() + 3 <= LONGEST {
            self.0.push((name.into(), value.into()));
        }
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    /// As they are sent. Two NULs if there are none, as UCSPI-TLS has it.
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        for (name, value) in self.iter() {
            message.extend([name, b"=", value, b"\0"].concat());
        }
        if message.is_empty() {
            message.push(0);
        }
        message.push(0);
        message
    }

    /// What such a message says. `None`: it isn't whole, or says what none of ours does.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        if message.len() > LONGEST {
            return None;
        }
        if message == b"\0\0" {
            return Some(Self::default());
        }
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for entry in message.strip_suffix(b"\0\0")?.split(|byte| *byte == 0) {
            let equals = entry.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (&entry[..equals], &entry[equals + 1..]);
            let sane = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
            let known = name.starts_with(b"SSL_") && name.iter().all(sane);
            let again = found.iter().any(|(other, _)| other == name);
            if !known || again || found.len() == MOST {
                return None;
            }
            found.push((name.to_vec(), value.to_vec()));
        }
        Some(Self(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn there_and_back() {
        let mut exports = Exports::default();
        assert_eq!(exports.message(), b"\0\0");
        assert_eq!(Exports::read(b"\0\0"), Some(Exports::default()));
        exports.set("SSL_PROTOCOL", "TLSv1.3");
        exports.set("SSL_CLIENT_S_DN", b"CN=x\0LD_PRELOAD=y");
        exports.set("SSL_EMPTY", "");
        assert_eq!(
            exports.message(),
            b"SSL_PROTOCOL=TLSv1.3\0SSL_CLIENT_S_DN=CN=x\0SSL_EMPTY=\0\0"
        );
        assert_eq!(Exports::read(&exports.message()), Some(exports));
    }

    #[test]
    fn what_a_stranger_might_say_is_not_believed() {
        for message in [
            &b""[..],
            b"\0",
            b"SSL_A=1",
            b"SSL_A=1\0",
            b"LD_PRELOAD=/tmp/x\0\0",
            b"SSL_A=1\0PATH=/tmp\0\0",
            b"SSL_A\0\0",
            b"SSL_a=1\0\0",
            b"SSL_A=1\0\0SSL_B=2\0\0",
            b"SSL_A=1\0SSL_B=2\0SSL_A=3\0\0",
        ] {
            assert_eq!(Exports::read(message), None, "{}", message.escape_ascii());
        }
        let many = |count| {
            let all: String = (0..count).map(|number| format!("SSL_{number}=1\0")).collect();
            Exports::read(format!("{all}\0").as_bytes())
        };
        assert!(many(64).is_some() && many(65).is_none());
        assert_eq!(Exports::read(&[b"SSL_A=", &[b'x'; LONGEST][..], b"\0\0"].concat()), None);
    }

    #[test]
    fn no_more_than_fits() {
        let mut exports = Exports::default();
        for _ in 0..3 {
            exports.set("SSL_LONG", vec![b'x'; LONGEST / 2]);
        }
        assert_eq!(exports.iter().count(), 1);
        assert!(Exports::read(&exports.message()).is_some());
    }

    proptest! {
        #[test]
        fn any_bytes(message in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(exports) = Exports::read(&message) {
                prop_assert!(exports.iter().all(|(name, _)| name.starts_with(b"SSL_")));
            }
        }
    }
}
