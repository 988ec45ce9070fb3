//! nsswitch.conf(5): which sources are asked, in which order, and after which outcome the next.

use super::Trouble;
use super::file::{self, Kind};
use crate::Errno;
use alloc_crate::vec::Vec;
use core::ffi::CStr;

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    Passwd,
    Shadow,
    /// The groups of an account: the line `initgroups:`, or `group:` where there is none.
    Initgroups,
}

/// The sources of a database, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain(Vec<Step>);

/// A source, and at which outcomes the search ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) source: Source,
    ends: [bool; 4],
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The files in `/etc`, which we read ourselves.
    Files,
    /// Anything else.
    Other,
}

/// The outcome at one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    NotFound,
    Unavailable,
    TryAgain,
}

impl Chain {
    /// Reads the line for `database`. No file, none that we may read, or no such line: `files`.
    pub(super) fn read(path: &CStr, database: Database) -> Result<Self, Trouble> {
        let mut own = None;
        let mut group = None;
        let scan = file::lines(path, Kind::Public, |line| {
            // As with the C library, the last line of a name counts.
            match sources(line) {
                Some((name, list)) if name == database.name() => own = Some(Self::parse(list)),
                Some((b"group", list)) if database == Database::Initgroups => {
                    group = Some(Self::parse(list).asks_all());
                }
                _ => {}
            }
            None::<()>
        });
        match scan {
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::PERM) => {}
            Err(errno) => return Err(Trouble { action: "read /etc/nsswitch.conf", errno }),
        }
        Ok(own.or(group).unwrap_or_else(|| {
            let files = Self::parse(b"files");
            if database == Database::Initgroups { files.asks_all() } else { files }
        }))
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// `files sss [!SUCCESS=return NOTFOUND=continue] ldap`. What we don't understand is left to
    /// the host: one source, which isn't the files.
    fn parse(list: &[u8]) -> Self {
        Self::parse_known(list).unwrap_or_else(|| Self(Vec::from([Step::new(b"")])))
    }

    fn parse_known(mut list: &[u8]) -> Option<Self> {
        let mut steps: Vec<Step> = Vec::new();
        loop {
            list = list.trim_ascii_start();
            if let Some(rest) = list.strip_prefix(b"[") {
                let end = memchr::memchr(b']', rest)?;
                let step = steps.last_mut()?;
                for rule in words(&rest[..end]) {
                    step.apply(rule)?;
                }
                list = &rest[end + 1..];
                continue;
            }
            let end = list.iter().position(|byte| *byte == b'[' || byte.is_ascii_whitespace());
            let (name, rest) = list.split_at(end.unwrap_or(list.len()));
            if name.is_empty() {
                return Some(Self(steps));
            }
            steps.push(Step::new(name));
            list = rest;
        }
    }

    /// Without a line of its own, initgroups goes on after a source that knew some groups: all
    /// that the sources know counts.
    fn asks_all(mut self) -> Self {
        for step in &mut self.0 {
            step.ends[Status::Success as usize] = false;
        }
        self
    }
}

impl Database {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Passwd => b"passwd",
            Self::Shadow => b"shadow",
            Self::Initgroups => b"initgroups",
        }
    }
}

impl Step {
    /// By default, only an entry that was found ends the search.
    fn new(name: &[u8]) -> Self {
        let source = if name == b"files" { Source::Files } else { Source::Other };
        Self { source, ends: [true, false, false, false] }
    }

    pub(super) fn ends_at(&self, status: Status) -> bool {
        self.ends[status as usize]
    }

    /// `STATUS=ACTION`, or `!STATUS=ACTION` for every other status.
    fn apply(&mut self, rule: &[u8]) -> Option<()> {
        let (rest, all_but) = match rule.strip_prefix(b"!") {
            Some(rest) => (rest, true),
            None => (rule, false),
        };
        let equals = memchr::memchr(b'=', rest)?;
        let is = |word: &[u8], text: &[u8]| word.eq_ignore_ascii_case(text);
        let status = match &rest[..equals] {
            word if is(word, b"success") => Status::Success,
            word if is(word, b"notfound") => Status::NotFound,
            word if is(word, b"unavail") => Status::Unavailable,
            word if is(word, b"tryagain") => Status::TryAgain,
            _ => return None,
        };
        let ends = match &rest[equals + 1..] {
            word if is(word, b"return") => true,
            // Merging goes on, too, with what was found.
            word if is(word, b"continue") || is(word, b"merge") => false,
            _ => return None,
        };
        for (index, end) in self.ends.iter_mut().enumerate() {
            if (index == status as usize) != all_but {
                *end = ends;
            }
        }
        Some(())
    }
}

/// `NAME: SOURCES # comment`, taken apart.
fn sources(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = &line[..memchr::memchr(b'#', line).unwrap_or(line.len())];
    let colon = memchr::memchr(b':', line)?;
    Some((line[..colon].trim_ascii(), &line[colon + 1..]))
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `F` files, `o` other; then the statuses at which the search ends.
    fn told(list: &str) -> String {
        let step = |step: &Step| {
            let source = if step.source == Source::Files { "F" } else { "o" };
            let ends: String = "snut".chars().zip(step.ends).filter(|e| e.1).map(|e| e.0).collect();
            format!("{source}{ends}")
        };
        Chain::parse(list.as_bytes()).steps().iter().map(step).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sources_and_actions() {
        for (list, expected) in [
            ("files", "Fs"),
            (" files systemd ", "Fs os"),
            ("files\tsss", "Fs os"),
            ("compat", "os"),
            ("ldap [NOTFOUND=return] files", "osn Fs"),
            ("files[notfound=RETURN]ldap", "Fsn os"),
            ("files [!SUCCESS=return] sss", "Fsnut os"),
            ("files [!NOTFOUND=return]", "Fsut"),
            ("files [SUCCESS=continue UNAVAIL=return] x", "Fu os"),
            ("files [SUCCESS=merge] [TRYAGAIN=return] sss", "Ft os"),
            ("", ""),
        ] {
            assert_eq!(told(list), expected, "{list:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_to_the_host() {
        for list in [
            "[NOTFOUND=return] files",
            "files [BOGUS=return]",
            "files [NOTFOUND=x]",
            "files [NOTFOUND",
        ] {
            assert_eq!(told(list), "os", "{list:?}");
        }
    }

    #[test]
    fn lines_have_a_name_and_may_have_a_comment() {
        assert_eq!(sources(b" passwd : files # ldap"), Some((&b"passwd"[..], &b" files "[..])));
        assert_eq!(sources(b"# passwd: files"), None);
        assert_eq!(sources(b"passwd files"), None);
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some((_, list)) = sources(&line) {
                Chain::parse(list);
            }
        }
    }
}
