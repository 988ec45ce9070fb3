//! What comes, taken apart by what was asked.

/// A reply that has come whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply<'a> {
    /// Whether it begins with +OK.
    pub(crate) is_ok: bool,
    /// Its first line, without the end.
    pub(crate) line: &'a [u8],
    /// What follows that, where more was asked for, to the dot.
    pub(crate) rest: &'a [u8],
    /// How long all of it is.
    pub(crate) length: usize,
}

/// The reply that these bytes begin with. `long` is one that goes on to a dot, if it is +OK.
pub(crate) fn first(bytes: &[u8], long: bool) -> Option<Reply<'_>> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = (&bytes[..end], &bytes[end + 2..]);
    let is_ok = line.starts_with(b"+OK");
    assert!(is_ok || line.starts_with(b"-ERR"), "a reply: {:?}", String::from_utf8_lossy(line));
    let length = if !(long && is_ok) {
        0
    } else if rest.starts_with(b".\r\n") {
        3
    } else {
        rest.windows(5).position(|five| five == b"\r\n.\r\n")? + 5
    };
    Some(Reply { is_ok, line, rest: &rest[..length], length: end + 2 + length })
}

/// What has come of a long reply that isn't whole, after its first line.
pub(crate) fn begun(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    bytes.starts_with(b"+OK").then_some(&bytes[end + 2..])
}

#[test]
fn short_and_long() {
    assert_eq!(first(b"+OK x\r", false), None);
    let whole = |bytes| first(bytes, true).map(|reply| (reply.rest, reply.length));
    assert_eq!(whole(b"-ERR x\r\n+OK"), Some((&b""[..], 8)));
    assert_eq!(whole(b"+OK\r\n.\r\n+OK"), Some((&b".\r\n"[..], 8)));
    assert_eq!(whole(b"+OK\r\na\r\n..\r\n.\r\n"), Some((&b"a\r\n..\r\n.\r\n"[..], 15)));
    assert_eq!(whole(b"+OK\r\na\r\n..\r\n.\r"), None);
    assert_eq!(begun(b"+OK\r\na\r"), Some(&b"a\r"[..]));
}
