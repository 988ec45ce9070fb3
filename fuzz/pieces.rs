//! An input that comes in pieces, as a network or a pipe may deliver it.

/// What a fuzzer's input says: how many sizes, the sizes, and then what comes in pieces of these sizes,
/// over and over.
pub(super) struct Pieces<'a> {
    sizes: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Pieces<'a> {
    pub(super) fn of(data: &'a [u8]) -> Self {
        let (count, rest) = data.split_first().unwrap_or((&0, data));
        let (sizes, whole) = rest.split_at(usize::from(*count % 8).min(rest.len()));
        Self { sizes, whole }
    }

    /// This in one piece.
    #[allow(dead_code, reason = "not every crate compares")]
    pub(super) fn whole(whole: &'a [u8]) -> Self {
        Self { sizes: &[], whole }
    }

    /// None of the pieces is empty.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.whole;
        let mut sizes = self.sizes.iter().cycle();
        std::iter::from_fn(move || {
            let size = sizes.next().map_or(rest.len(), |size| usize::from(*size) + 1);
            let (piece, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }
}
