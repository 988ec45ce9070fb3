//! What `e` prints.

use alloc::vec::Vec;

/// So much of a line is printed.
const MOST: usize = 200;

/// Prints a line to standard error, in one write. One that is longer ends in dots.
pub(super) fn say(line: &[u8]) {
    // Where that can't be written to, there is nobody to alert.
    if let Some(stderr) = sys::borrow(2) {
        let _ = sys::write_all(stderr, &shortened(line));
    }
}

fn shortened(line: &[u8]) -> Vec<u8> {
    let mut text = line[..line.len().min(MOST)].to_vec();
    if line.len() > MOST {
        text.extend_from_slice(b"...");
    }
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_characters_and_no_more() {
        for (length, printed) in [(0, 1), (1, 2), (200, 201), (201, 204), (1000, 204)] {
            let text = shortened(&b"x".repeat(length));
            assert_eq!(text.len(), printed);
            assert_eq!(text.ends_with(b"x...\n"), length > 200);
        }
    }
}
