//! Entries of the scan directory that are ignored, each said once, with the reason, until that changes.

use crate::complaint::Complaints;
use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::vec::Vec;
use common::reason;
use sys::Errno;

/// Why an entry is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It can't be looked at: a link to nowhere or in a circle, a directory on the way that may not be entered.
    Unseen(Errno),
    /// It can't be told whether it has a `log`: it may not be entered.
    LogUnseen(Errno),
    /// It is something else than a directory, or a link to such.
    NoDirectory,
    /// It leads to the same directory as this other entry.
    Double(CString),
}

/// What was ignored at the last scan.
#[derive(Debug, Default)]
pub struct Ignored {
    entries: BTreeMap<CString, Why>,
}

impl Ignored {
    /// Takes in what a scan ignored, and says what is new.
    pub fn take_in(&mut self, entries: Vec<(CString, Why)>, complaints: &mut Complaints) {
        for (name, why) in self.news(entries) {
            if !complaints.say(&text(&name, &why)) {
                self.entries.remove(&name);
            }
        }
    }

    fn news(&mut self, entries: Vec<(CString, Why)>) -> Vec<(CString, Why)> {
        let before = core::mem::take(&mut self.entries);
        self.entries = entries.into_iter().collect();
        let is_new = |(name, why): &(&CString, &Why)| before.get(*name) != Some(why);
        let news = self.entries.iter().filter(is_new);
        news.map(|(name, why)| (name.clone(), why.clone())).collect()
    }
}

fn text(name: &CString, why: &Why) -> Vec<u8> {
    let name = name.to_bytes();
    match why {
        Why::Unseen(errno) => {
            [b"warning: unable to stat ", name, b": ", reason(*errno).as_bytes()].concat()
        }
        Why::LogUnseen(errno) => {
            [b"warning: unable to stat ", name, b"/log: ", reason(*errno).as_bytes()].concat()
        }
        Why::NoDirectory => [b"ignoring ", name, b": not a directory"].concat(),
        Why::Double(other) => {
            [b"warning: ignoring ", name, b": the same directory as ", other.to_bytes()].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_once_until_it_changes() {
        let mut ignored = Ignored::default();
        let (gone, loops) = (Why::Unseen(Errno::NOENT), Why::Unseen(Errno::LOOP));
        let entry = |name: &str, why: &Why| (CString::new(name).expect("no NUL"), why.clone());
        let mut names = |entries: &[(CString, Why)]| {
            let news = ignored.news(entries.to_vec());
            news.into_iter().map(|(name, _)| name.into_string().expect("ASCII")).collect::<Vec<_>>()
        };
        assert_eq!(names(&[entry("a", &gone), entry("b", &Why::NoDirectory)]), ["a", "b"]);
        assert_eq!(names(&[entry("a", &gone), entry("b", &Why::NoDirectory)]), [""; 0]);
        assert_eq!(names(&[entry("a", &loops), entry("b", &Why::NoDirectory)]), ["a"]);
        assert_eq!(names(&[]), [""; 0]);
        assert_eq!(names(&[entry("b", &Why::NoDirectory)]), ["b"], "it came back");
    }

    #[test]
    fn what_is_said() {
        for (why, expected) in [
            (Why::Unseen(Errno::NOENT), "warning: unable to stat a: file does not exist"),
            (Why::LogUnseen(Errno::ACCESS), "warning: unable to stat a/log: access denied"),
            (Why::NoDirectory, "ignoring a: not a directory"),
            (Why::Double(c"b".into()), "warning: ignoring a: the same directory as b"),
        ] {
            assert_eq!(text(&c"a".into(), &why), expected.as_bytes());
        }
    }
}
