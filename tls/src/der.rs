//! DER (X.690), as much of it as it takes to walk through a certificate.

/// One DER element.
pub struct Element<'a> {
    /// Its tag, as it stands there.
    pub tag: u8,
    /// What it holds.
    pub contents: &'a [u8],
}

/// The first element of `der`, and what follows it. Nothing in a certificate is longer than 65535
/// bytes, or has a tag above 30.
pub fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match length {
        0..=0x7F => (usize::from(length), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest
            .split_first_chunk()
            .map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((Element { tag, contents }, rest))
}
