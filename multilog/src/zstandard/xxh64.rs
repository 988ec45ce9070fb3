//! XXH64 with seed 0, of which a frame ends with the lower half.

const PRIMES: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

/// The sum over what was added so far.
pub(super) struct Xxh64 {
    lanes: [u64; 4],
    length: u64,
    /// What doesn't fill a stripe of 32 bytes.
    rest: [u8; 32],
}

impl Xxh64 {
    pub(super) fn new() -> Self {
        let lanes =
            [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, 0_u64.wrapping_sub(PRIMES[0])];
        Self { lanes, length: 0, rest: [0; 32] }
    }

    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        let held = self.held();
        self.length += bytes.len() as u64;
        if held > 0 {
            let count = bytes.len().min(32 - held);
            self.rest[held..held + count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            if held + count < 32 {
                return;
            }
            stripe(&mut self.lanes, &self.rest);
        }
        let mut stripes = bytes.chunks_exact(32);
        for bytes in &mut stripes {
            stripe(&mut self.lanes, bytes);
        }
        let rest = stripes.remainder();
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    pub(super) fn sum(&self) -> u64 {
        let [a, b, c, d] = self.lanes;
        let mut sum = if self.length < 32 {
            PRIMES[4]
        } else {
            let turned = [a.rotate_left(1), b.rotate_left(7), c.rotate_left(12), d.rotate_left(18)];
            let all = turned.into_iter().fold(0, u64::wrapping_add);
            self.lanes.iter().fold(all, |sum, lane| {
                (sum ^ round(0, *lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3])
            })
        };
        sum = sum.wrapping_add(self.length);
        let (eights, rest) = self.rest[..self.held()].as_chunks();
        for bytes in eights {
            sum ^= round(0, u64::from_le_bytes(*bytes));
            sum = sum.rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
        }
        let (fours, rest) = rest.as_chunks();
        for bytes in fours {
            sum ^= u64::from(u32::from_le_bytes(*bytes)).wrapping_mul(PRIMES[0]);
            sum = sum.rotate_left(23).wrapping_mul(PRIMES[1]).wrapping_add(PRIMES[2]);
        }
        for byte in rest {
            sum ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
            sum = sum.rotate_left(11).wrapping_mul(PRIMES[0]);
        }
        sum = (sum ^ sum >> 33).wrapping_mul(PRIMES[1]);
        sum = (sum ^ sum >> 29).wrapping_mul(PRIMES[2]);
        sum ^ sum >> 32
    }

    fn held(&self) -> usize {
        usize::from(self.length.to_le_bytes()[0] & 31)
    }
}

fn stripe(lanes: &mut [u64; 4], bytes: &[u8]) {
    for (lane, bytes) in lanes.iter_mut().zip(bytes.as_chunks().0) {
        *lane = round(*lane, u64::from_le_bytes(*bytes));
    }
}

fn round(lane: u64, input: u64) -> u64 {
    lane.wrapping_add(input.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        for (text, sum) in [
            (&b""[..], 0xef46_db37_51d8_e999),
            (b"a", 0xd24e_c4f1_a98c_6e5b),
            (b"abc", 0x44bc_2cf5_ad77_0999),
        ] {
            let mut xxh64 = Xxh64::new();
            xxh64.add(text);
            assert_eq!(xxh64.sum(), sum);
        }
    }
}
