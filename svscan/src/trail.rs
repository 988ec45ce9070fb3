//! The way that a link leads: all directories in which an entry of it stands. When none of these entries changes, the link
//! leads to where it did, and nobody has to look.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use sys::Errno;

/// As many links as the kernel follows.
const MOST: usize = 40;

/// Walks ways. Directories that were found to be no links are remembered: a thousand ways mostly lead through the same.
#[derive(Default)]
pub struct Walker {
    solid: BTreeSet<Vec<u8>>,
}

impl Walker {
    /// Follows the entry `name` of the scan directory as the kernel would. `step` is told each directory (empty: the scan
    /// directory itself) and the name in it that counts; `readlink` is readlink(2), its paths relative to the scan
    /// directory.
    ///
    /// # Errors
    /// The way could not be seen to its end, for another reason than that something on it is missing.
    pub fn walk(
        &mut self,
        name: &[u8],
        mut readlink: impl FnMut(&[u8]) -> Result<Vec<u8>, Errno>,
        mut step: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Errno> {
        let mut at: Vec<u8> = Vec::new();
        let mut ahead: VecDeque<Vec<u8>> = VecDeque::from([name.to_vec()]);
        let mut links = 0;
        while let Some(part) = ahead.pop_front() {
            let next = join(&at, &part);
            if part == b".." || self.solid.contains(&next) {
                if part != b".." {
                    step(&at, &part);
                }
                at = next;
                continue;
            }
            step(&at, &part);
            let target = match readlink(&next) {
                Ok(target) => target,
                Err(Errno::INVAL) => {
                    if !ahead.is_empty() {
                        self.solid.insert(next.clone());
                    }
                    at = next;
                    continue;
                }
                Err(Errno::NOENT) => return Ok(()),
                Err(errno) => return Err(errno),
            };
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
        let step = |at: &[u8], name: &[u8]| {
            all.push(format!("{}|{}", String::from_utf8_lossy(at), String::from_utf8_lossy(name)));
        };
        let result = walker.walk(b"a", readlink, step);
        (result, all)
    }

    #[test]
    fn every_entry_on_the_way_counts() {
        for (links, expected) in [
            (&[][..], &["|a"][..]),
            (&[("a", "/etc/sv/a")], &["|a", "/|etc", "/etc|sv", "/etc/sv|a"]),
            (&[("a", "../sv/a/")], &["|a", "..|sv", "../sv|a"]),
            (&[("a", "b"), ("b", "/x")], &["|a", "|b", "/|x"]),
            (
                &[("a", "/cur/a"), ("/cur", "rel/7")],
                &["|a", "/|cur", "/|rel", "/rel|7", "/rel/7|a"],
            ),
            (&[("a", "/x/../y"), ("/x", "/p/q")], &["|a", "/|x", "/|p", "/p|q", "/p/q/..|y"]),
            (&[("a", "/missing/x")], &["|a", "/|missing"]),
            (&[("a", "//./x//")], &["|a", "/|x"]),
        ] {
            let (result, steps) = steps(links);
            assert_eq!((result, steps.as_slice()), (Ok(()), expected.map_strings().as_slice()));
        }
    }

    trait MapStrings {
        fn map_strings(&self) -> Vec<String>;
    }

    impl MapStrings for &[&str] {
        fn map_strings(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
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
            walker.walk(b"a", readlink, |_, _| ()).expect("a way");
        }
        assert_eq!(asked, 4 + 2, "the entry and its end are");
    }
}
