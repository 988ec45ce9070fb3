//! Running another program in this one's place, found as the originals find it.

use crate::args::Vector;
use crate::raw;
use alloc_crate::{ffi::CString, vec, vec::Vec};
use core::ffi::CStr;
use rustix::io::Errno;

/// Where programs are looked for when `PATH` isn't set.
pub const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// A program to run: the places where it may be, in the order in which they are tried.
pub struct Program {
    candidates: Vec<CString>,
}

impl Program {
    /// A name with a slash is the program's place. Any other is looked for in each directory of
    /// `path`; an empty component there is the current directory.
    #[must_use]
    pub fn find(name: &CStr, path: Option<&[u8]>) -> Self {
        let file = name.to_bytes();
        if file.contains(&b'/') {
            return Self { candidates: vec![name.into()] };
        }
        let candidates = path
            .unwrap_or(DEFAULT_PATH)
            .split(|byte| *byte == b':')
            .filter_map(|directory| candidate(directory, file))
            .collect();
        Self { candidates }
    }

    /// Replaces this process. Comes back only if that failed, with the reason that counts: the
    /// last one that says more than "there is no such file".
    pub fn exec(&self, args: &Vector<'_>, env: &Vector<'_>) -> Errno {
        let mut reason = Errno::NOENT;
        for candidate in &self.candidates {
            let error = raw::execve(candidate, args.as_ptr(), env.as_ptr());
            if error != Errno::NOENT {
                reason = error;
                if !matches!(error, Errno::ACCESS | Errno::PERM | Errno::ISDIR) {
                    break;
                }
            }
        }
        reason
    }
}

fn candidate(directory: &[u8], file: &[u8]) -> Option<CString> {
    let directory = if directory.is_empty() { b"." } else { directory };
    let mut whole = Vec::with_capacity(directory.len() + 1 + file.len() + 1);
    whole.extend_from_slice(directory);
    whole.push(b'/');
    whole.extend_from_slice(file);
    CString::new(whole).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(name: &CStr, path: Option<&[u8]>) -> Vec<CString> {
        Program::find(name, path).candidates
    }

    #[test]
    fn a_name_with_a_slash_is_not_looked_for() {
        assert_eq!(places(c"./run", Some(b"/bin")), [CString::from(c"./run")]);
    }

    #[test]
    fn each_directory_is_tried_in_order() {
        let found = places(c"x", Some(b"/a:/b/"));
        assert_eq!(found, [CString::from(c"/a/x"), CString::from(c"/b//x")]);
    }

    #[test]
    fn an_empty_component_is_the_current_directory() {
        let found = places(c"x", Some(b":/a:"));
        assert_eq!(found, [CString::from(c"./x"), CString::from(c"/a/x"), CString::from(c"./x")]);
        assert_eq!(places(c"x", Some(b"")), [CString::from(c"./x")]);
    }

    #[test]
    fn without_a_path_the_default_one_counts() {
        assert_eq!(places(c"x", None), [CString::from(c"/bin/x"), CString::from(c"/usr/bin/x")]);
    }
}
