//! What finished files are compressed to.

/// `zFORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `zgz`: gzip, RFC 1952.
    Gzip,
    /// `zzst`: Zstandard, RFC 8878.
    Zstandard,
}

impl Format {
    const ALL: [Self; 2] = [Self::Gzip, Self::Zstandard];

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
