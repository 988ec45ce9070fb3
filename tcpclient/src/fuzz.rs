//! What the fuzzer runs here: see fuzz/.

use crate::ident::answer::Answer;
use pieces::Pieces;

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// What a host says of its user, in whatever pieces: bounded, without blanks and control characters, and ready
/// with the first newline.
pub fn ident(data: &[u8]) {
    let pieces = Pieces::of(data);
    let mut answer = Answer::default();
    let mut read = 0;
    let who = pieces.iter().find_map(|piece| {
        assert_eq!(answer.is_too_long(), read >= 8192);
        read += piece.len();
        answer.take(piece)
    });
    let end = pieces.whole.iter().position(|byte| *byte == b'\n');
    assert_eq!(who.is_some(), end.is_some());
    let (Some(who), Some(end)) = (who, end) else { return };
    assert!(who.len() <= 257);
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    assert!(!who.iter().any(|byte| blank(byte) || byte.is_ascii_control()));
    let user = pieces.whole[..end].splitn(4, |byte| *byte == b':').nth(3).unwrap_or_default();
    let mut expected: Vec<u8> = user.iter().copied().filter(|byte| !blank(byte)).collect();
    expected.truncate(257);
    expected.iter_mut().filter(|byte| byte.is_ascii_control()).for_each(|byte| *byte = b'?');
    assert_eq!(who, expected);
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("ident", super::ident);
    }
}
