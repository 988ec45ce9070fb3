//! Diagnostics in the one grammar: `program: fatal: unable to VERB OBJECT: reason`, a line each,
//! written at once, so that lines of several programs on one descriptor never mix.

use crate::reason::reason;
use alloc::vec::Vec;
use sys::Errno;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// All is well.
    pub const OK: Self = Self(0);
    /// The caller's mistake: wrong usage, wrong set-up. Trying again won't help.
    pub const USAGE: Self = Self(100);
    /// Temporary trouble, or anything that the system refused: trying again may help.
    pub const TEMPORARY: Self = Self(111);
}

/// Why a program ends without having done its work: what it says, and its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// Whole lines for standard error, each with its newline; empty to say nothing.
    pub text: Vec<u8>,
}

impl Failure {
    /// Ends a program without a word.
    #[must_use]
    pub fn silent(code: u8) -> Self {
        Self { code, text: Vec::new() }
    }

    /// Writes the text to standard error. Where that can't be written to, there is nobody to tell.
    pub fn say(&self) {
        to_stderr(&self.text);
    }
}

/// A program's name, as its diagnostics begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(pub &'static str);

impl Name {
    /// `softlimit: usage: softlimit TEXT`, exit code 100.
    #[must_use]
    pub fn usage(self, text: &str) -> Failure {
        let name = self.0.as_bytes();
        let parts: [&[u8]; 3] = [name, if text.is_empty() { b"" } else { b" " }, text.as_bytes()];
        Failure { code: Exit::USAGE.0, text: self.line(b"usage: ", &parts, None) }
    }

    /// `softlimit: fatal: PARTS`, with this exit code.
    #[must_use]
    pub fn fatal(self, code: u8, parts: &[&[u8]]) -> Failure {
        Failure { code, text: self.line(b"fatal: ", parts, None) }
    }

    /// `softlimit: fatal: PARTS: reason`, with this exit code.
    #[must_use]
    pub fn fatal_errno(self, code: u8, parts: &[&[u8]], errno: Errno) -> Failure {
        Failure { code, text: self.line(b"fatal: ", parts, Some(errno)) }
    }

    /// Says `softlimit: warning: PARTS`, and goes on.
    pub fn warn(self, parts: &[&[u8]]) {
        to_stderr(&self.line(b"warning: ", parts, None));
    }

    /// Says `softlimit: warning: PARTS: reason`, and goes on.
    pub fn warn_errno(self, parts: &[&[u8]], errno: Errno) {
        to_stderr(&self.line(b"warning: ", parts, Some(errno)));
    }

    /// Says `softlimit: PARTS`.
    pub fn info(self, parts: &[&[u8]]) {
        to_stderr(&self.line(b"", parts, None));
    }

    fn line(self, severity: &[u8], parts: &[&[u8]], errno: Option<Errno>) -> Vec<u8> {
        let reason = errno.map_or("", reason);
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut line =
            Vec::with_capacity(self.0.len() + 2 + severity.len() + length + 2 + reason.len() + 1);
        line.extend_from_slice(self.0.as_bytes());
        line.extend_from_slice(b": ");
        line.extend_from_slice(severity);
        for part in parts {
            line.extend_from_slice(part);
        }
        if errno.is_some() {
            line.extend_from_slice(b": ");
            line.extend_from_slice(reason.as_bytes());
        }
        line.push(b'\n');
        line
    }
}

/// Writes to descriptor 2, if it is open.
fn to_stderr(text: &[u8]) {
    if let Some(stderr) = sys::borrow(2) {
        let _ = sys::write_all(stderr, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Name = Name("prog");

    #[test]
    fn the_grammar() {
        assert_eq!(NAME.usage("[ -a x ] child").text, b"prog: usage: prog [ -a x ] child\n");
        assert_eq!(NAME.usage("").text, b"prog: usage: prog\n");
        let failure = NAME.fatal_errno(111, &[b"unable to run ", b"x\xFF"], Errno::NOENT);
        assert_eq!(failure.text, b"prog: fatal: unable to run x\xFF: file does not exist\n");
        assert_eq!(failure.code, 111);
        assert_eq!(NAME.fatal(100, &[b"no"]).text, b"prog: fatal: no\n");
    }
}
