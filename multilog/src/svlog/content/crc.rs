//! The checksum of gzip. Source: RFC 1952, section 8.

/// What a byte does to the sum.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

/// The checksum of what had `sum`, and then these bytes; that of nothing is 0.
pub(super) fn more(sum: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!sum, |sum, byte| TABLE[usize::from(sum as u8 ^ byte)] ^ sum >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_that_everybody_knows() {
        assert_eq!(more(0, b"123456789"), 0xCBF4_3926);
        assert_eq!(more(more(0, b"1234"), b"56789"), 0xCBF4_3926);
        assert_eq!(more(0, b""), 0);
    }
}
