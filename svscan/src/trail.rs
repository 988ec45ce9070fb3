//! The way that a link leads. When nothing on it changes, the link leads to where it did, and nobody has to look.
//!
//! A link on the way, and what is at its end, may be replaced by another: that is to be seen in the directory in which it
//! stands. A directory that the way only leads through can't be removed as long as its end is there; it can only be moved,
//! as a whole. So the directories above, which may be busy ones (`/tmp`), need not be looked at entry by entry.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use sys::Errno;

/// As many links as the kernel follows.
const MOST: usize = 40;

/// What counts on a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// What this name stands for in this directory (empty: in the scan directory).
    Entry(&'a [u8], &'a [u8]),
    /// Where this directory is.
    Through(&'a [u8]),
}

/// Walks ways. Directories that were found to be no links are remembered: a thousand ways mostly lead through the same.
#[derive(Default)]
pub struct Walker {
    solid: BTreeSet<Vec<u8>>,
}

impl Walker {
    /// Follows the entry `name` of the scan directory as the kernel would. `step` is told what counts; `readlink` is
    /// readlink(2), its paths relative to the scan directory.
    ///
    /// # Errors
    /// The way could not be seen to its end, for another reason than that something on it is missing.
    pub fn walk(
        &mut self,
        name: &[u8],
        mut readlink: impl FnMut(&[u8]) -> Result<Vec<u8>, Errno>,
        mut step: impl FnMut(Step<'_>),
    ) -> Result<(), Errno> {
        let mut at: Vec<u8> = Vec::new();
        let mut ahead: VecDeque<Vec<u8>> = VecDeque::from([name.to_vec()]);
        let mut links = 0;
        while let Some(part) = ahead.pop_front() {
            let next = join(&at, &part);
            if part == b".." || (self.solid.contains(&next) && !ahead.is_empty()) {
                at = next;
                step(Step::Through(&at));
                continue;
            }
            let target = match readlink(&next) {
                Ok(target) => target,
                Err(Errno::INVAL) if !ahead.is_empty() => {
                    step(Step::Through(&next));
                    self.solid.insert(next.clone());
                    at = next;
                    continue;
                }
                Err(errno) => {
                    step(Step::Entry(&at, &part));
                    let is_end = matches!(errno, Errno::INVAL | Errno::NOENT);
                    return if is_end { Ok(()) } else { Err(errno) };
                }
            };
            step(Step::Entry(&at, &part));
            links += 1;
            if links > MOST {
                return Err(Errno::LOOP);
            }
            if target.starts_with(b"/") {
                at = b"/".to_vec();
            }
            let parts = target.split(|byte| *byte == b'/');
            let parts = parts.filter(|part| !part.is_empty() && *part != b".");
            parts.rev().for_each(|part| ahead.push_front(part.to_vec()));
        }
        Ok(())
    }
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.is_empty() || directory == b"/" { b"" } else { b"/" };
    [directory, slash, name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The steps from `a`, where these links are and everything else is a directory, but for `/missing`.
    fn steps(links: &[(&str, &str)]) -> (Result<(), Errno>, Vec<String>) {
        let links: BTreeMap<&[u8], &str> =
            links.iter().map(|(at, to)| (at.as_bytes(), *to)).collect();
        let mut all = Vec::new();
        let readlink = |path: &[u8]| match links.get(path) {
            Some(target) => Ok(target.as_bytes().to_vec()),
            None if path == b"/missing" => Err(Errno::NOENT),
            None if path == b"/locked" => Err(Errno::ACCESS),
            None => Err(Errno::INVAL),
        };
        let mut walker = Walker::default();
        let text = String::from_utf8_lossy;
        let step = |step: Step<'_>| {
            all.push(match step {
                Step::Entry(at, name) => format!("{}|{}", text(at), text(name)),
                Step::Through(at) => text(at).into_owned(),
            });
        };
        let result = walker.walk(b"a", readlink, step);
        (result, all)
    }

    #[test]
    fn what_counts_on_a_way() {
        for (links, expected) in [
            (&[][..], "|a"),
            (&[("a", "/etc/sv/a")], "|a /etc /etc/sv /etc/sv|a"),
            (&[("a", "../sv/a/")], "|a .. ../sv ../sv|a"),
            (&[("a", "b"), ("b", "/x")], "|a |b /|x"),
            (&[("a", "/cur/a"), ("/cur", "rel/7")], "|a /|cur /rel /rel/7 /rel/7|a"),
            (&[("a", "/x/../y"), ("/x", "/p/q")], "|a /|x /p /p/q /p/q/.. /p/q/..|y"),
            (&[("a", "/missing/x")], "|a /|missing"),
            (&[("a", "//./x//")], "|a /|x"),
        ] {
            let (result, steps) = steps(links);
            assert_eq!((result, steps.join(" ").as_str()), (Ok(()), expected));
        }
    }

    #[test]
    fn a_circle_ends_and_trouble_is_told() {
        assert_eq!(steps(&[("a", "b"), ("b", "a")]).0, Err(Errno::LOOP));
        assert_eq!(steps(&[("a", "/locked/x")]).0, Err(Errno::ACCESS));
    }

    #[test]
    fn what_was_no_link_is_not_asked_again() {
        let mut walker = Walker::default();
        let mut asked = 0;
        for _ in 0..2 {
            let readlink = |path: &[u8]| {
                asked += 1;
                if path == b"a" { Ok(b"/etc/sv/a".to_vec()) } else { Err(Errno::INVAL) }
            };
            walker.walk(b"a", readlink, |_| ()).expect("a way");
        }
        assert_eq!(asked, 4 + 2, "the entry and its end are");
    }
}
