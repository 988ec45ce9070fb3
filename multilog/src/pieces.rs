//! What was read, cut at its newlines.

use memchr::memchr;

/// A line, or what of it lies within one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Without the newline.
    pub(crate) text: &'a [u8],
    /// Whether a newline follows: the line ends here.
    pub(crate) ends: bool,
}

/// The pieces of `bytes`, in order. Joined, with a newline after each that ends, they are `bytes`.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (text, later, ends) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..], true),
            None => (rest, &[][..], false),
        };
        rest = later;
        Some(Piece { text, ends })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_newline_belongs_to_the_piece_before_it() {
        let cut = |bytes| pieces(bytes).map(|piece| (piece.text, piece.ends)).collect::<Vec<_>>();
        assert_eq!(cut(b""), []);
        assert_eq!(cut(b"\n\n"), [(&b""[..], true), (b"", true)]);
        assert_eq!(cut(b"a\nb"), [(&b"a"[..], true), (b"b", false)]);
    }

    proptest! {
        #[test]
        fn joined_they_are_what_was_cut(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..50)) {
            let mut joined = Vec::new();
            for piece in pieces(&bytes) {
                prop_assert!(!piece.text.contains(&b'\n'));
                joined.extend_from_slice(piece.text);
                joined.extend(piece.ends.then_some(b'\n'));
            }
            prop_assert_eq!(joined, bytes);
        }
    }
}
