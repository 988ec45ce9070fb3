//! PEM (RFC 7468): the sections of a text file, decoded.
//!
//! A parser of our own, since every buffer that a private key passes through must be wiped, and
//! since "the key is encrypted" and "line 12 isn't base64" must be told apart from "no key".

use super::base64::Decoder;
use common::base64;
use std::fmt;
use zeroize::Zeroizing;

/// One section: what stands between `-----BEGIN LABEL-----` and `-----END LABEL-----`.
pub struct Section {
    /// The label, such as `CERTIFICATE`.
    pub label: Vec<u8>,
    /// The contents, decoded; wiped when dropped, as it may be a key.
    pub der: Zeroizing<Vec<u8>>,
    /// Whether the section says of itself that it is encrypted (RFC 1421: `Proc-Type: 4,ENCRYPTED`);
    /// `der` is empty then.
    pub encrypted: bool,
}

/// What is wrong with a PEM text, and in which line (counted from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PemError {
    line: usize,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Begin,
    End,
    Unfinished,
    Base64,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Begin => "malformed BEGIN line",
            Fault::End => "END line doesn't match its BEGIN line",
            Fault::Unfinished => "section has no END line",
            Fault::Base64 => "not base64",
        };
        write!(f, "line {}: {fault}", self.line)
    }
}

/// All sections of `text`, in their order. Text between sections is a comment (`openssl x509
/// -text` writes such), and so are header lines in a section.
pub fn sections(text: &[u8]) -> Result<Vec<Section>, PemError> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line_number = index + 1;
        let at = |fault| PemError { line: line_number, fault };
        let line = line.trim_ascii();
        open = match open {
            None => match line.strip_prefix(b"-----BEGIN ") {
                Some(rest) => {
                    let label = rest.strip_suffix(b"-----").ok_or(at(Fault::Begin))?;
                    Some(Open::new(label, line_number))
                }
                None => None,
            },
            Some(section) if line.starts_with(b"-----") => {
                found.push(section.end(line).map_err(at)?);
                None
            }
            Some(mut section) => {
                section.line(line).map_err(at)?;
                Some(section)
            }
        };
    }
    match open {
        Some(section) => Err(PemError { line: section.begun, fault: Fault::Unfinished }),
        None => Ok(found),
    }
}

/// A section whose END line hasn't come yet.
struct Open {
    label: Vec<u8>,
    begun: usize,
    encrypted: bool,
    base64: Decoder,
}

impl Open {
    fn new(label: &[u8], begun: usize) -> Self {
        Self { label: label.to_vec(), begun, encrypted: false, base64: Decoder::default() }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.contains(&b':') {
            self.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            return Ok(());
        }
        if self.encrypted {
            return Ok(());
        }
        let good = line.iter().all(|byte| self.base64.push(*byte).is_some());
        if good { Ok(()) } else { Err(Fault::Base64) }
    }

    fn end(self, line: &[u8]) -> Result<Section, Fault> {
        let label = line
            .strip_prefix(b"-----END ")
            .and_then(|rest| rest.strip_suffix(b"-----"))
            .filter(|label| *label == self.label);
        if label.is_none() {
            return Err(Fault::End);
        }
        let der = self.base64.finish().ok_or(Fault::Base64)?;
        Ok(Section { label: self.label, der, encrypted: self.encrypted })
    }
}

/// Writes a section to the end of `text`, which has room for it: [`room`].
pub fn write(text: &mut Vec<u8>, label: &[u8], der: &[u8]) {
    for part in [b"-----BEGIN ", label, b"-----\n"] {
        text.extend_from_slice(part);
    }
    for line in der.chunks(48) {
        base64::encode(line, text);
        text.push(b'\n');
    }
    for part in [b"-----END ", label, b"-----\n"] {
        text.extend_from_slice(part);
    }
}

/// How long a section with so many bytes can get at most. A buffer with that much room won't grow,
/// and leave a copy of a key behind.
pub fn room(label: &[u8], der: &[u8]) -> usize {
    2 * (label.len() + 20) + (der.len() / 48 + 1) * 65
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only(text: &[u8]) -> Section {
        let mut all = sections(text).unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn fault(text: &[u8]) -> String {
        match sections(text) {
            Ok(_) => panic!("accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn sections_in_order_with_comments_between() {
        let text = b"hello\r\n-----BEGIN A-----\r\naGVs\r\nbG8=\r\n-----END A-----\r\nx\n\
                     -----BEGIN B C-----\nAA==\n-----END B C-----";
        let all = sections(text).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!((&all[0].label[..], &all[0].der[..]), (&b"A"[..], &b"hello"[..]));
        assert_eq!((&all[1].label[..], &all[1].der[..]), (&b"B C"[..], &b"\0"[..]));
    }

    #[test]
    fn encryption_is_noticed() {
        let section = only(
            b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
              aGVs\n-----END RSA PRIVATE KEY-----\n",
        );
        assert!(section.encrypted);
        assert!(section.der.is_empty());
    }

    #[test]
    fn what_is_wrong_and_where() {
        assert_eq!(fault(b"\n-----BEGIN A\n"), "line 2: malformed BEGIN line");
        assert_eq!(fault(b"-----BEGIN A-----\nAAAA\n"), "line 1: section has no END line");
        assert_eq!(
            fault(b"-----BEGIN A-----\nAAAA\n-----END B-----\n"),
            "line 3: END line doesn't match its BEGIN line"
        );
        assert_eq!(fault(b"-----BEGIN A-----\nA%AA\n-----END A-----\n"), "line 2: not base64");
        assert_eq!(fault(b"-----BEGIN A-----\nAAAAA\n-----END A-----\n"), "line 3: not base64");
        assert_eq!(fault(b"-----BEGIN A-----\nAA=A\n-----END A-----\n"), "line 2: not base64");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let mut text = Vec::new();
            write(&mut text, b"SOME THING", &bytes);
            prop_assert!(text.len() <= room(b"SOME THING", &bytes));
            prop_assert_eq!(&only(&text).der[..], &bytes[..]);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(-----(BEGIN|END) (A|B)-----|[-A-Za-z0-9+/=: \n%])*") {
            let _ = sections(text.as_bytes());
        }
    }
}
