//! What finished files are compressed to, and which of them are to be. Pure.

use super::finished::STAMP;
use core::ffi::CStr;

/// `zFORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `zgz`: gzip, RFC 1952.
    Gzip,
    /// `zzst`: Zstandard, RFC 8878.
    Zstandard,
}

impl Format {
    /// All there are.
    pub(crate) const ALL: [Self; 2] = [Self::Gzip, Self::Zstandard];

    /// The format that is called so on the command line.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.ending()[1..] == *name)
    }

    /// What is added to a file's name, with its dot.
    pub(crate) fn ending(self) -> &'static [u8] {
        match self {
            Self::Gzip => b".gz",
            Self::Zstandard => b".zst",
        }
    }

    /// What the name of a compressed file was before; `None` for one that isn't compressed.
    pub(crate) fn stripped(name: &[u8]) -> Option<&[u8]> {
        Self::ALL.into_iter().find_map(|format| name.strip_suffix(format.ending()))
    }
}

/// Those of `files` that are to be compressed, in their order: `.s`, `.u`, and what `w` asked for. A file that was being
/// written during a crash is compressed, too: it takes no less room, and keeps its `.u` in front of the new ending.
pub(crate) fn uncompressed<'a>(files: &[&'a CStr], code: &[u8]) -> impl Iterator<Item = &'a CStr> {
    let is_ours = move |name: &&CStr| {
        let ending = name.to_bytes().get(STAMP..).and_then(|ending| ending.strip_prefix(b"."));
        ending.is_some_and(|ending| [b"s", b"u", code].contains(&ending))
            && Format::stripped(name.to_bytes()).is_none()
    };
    files.iter().copied().filter(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed() {
        let files = [
            c"@400000000000000000000001.s.gz",
            c"@400000000000000000000002.u",
            c"@400000000000000000000003.gz",
            c"@400000000000000000000004.s",
            c"@400000000000000000000005.mine",
            c"@4000000000000000000000060.s",
            c"@400000000000000000000007",
        ];
        let found = |code| uncompressed(&files, code).collect::<Vec<_>>();
        assert_eq!(found(b"s"), [files[1], files[3]]);
        assert_eq!(found(b"mine"), [files[1], files[3], files[4]]);
        assert_eq!(found(b"gz"), [files[1], files[3]], "a processor has compressed it");
    }
}
