//! Finite state entropy (RFC 8878, section 4.1): symbols as transitions of a state.

use super::bits::Bits;
use alloc::{vec, vec::Vec};

/// How a state changes with each symbol. One symbol alone takes no bits at all.
pub(super) struct Table {
    /// So many bits has a state.
    pub(super) log: u32,
    /// Of each symbol: how many states it has, and where they begin in `states`.
    symbols: Vec<(u32, u32)>,
    /// With the bit above all others set.
    states: Vec<u32>,
}

/// How often each symbol occurs, so that all together it is a power of two.
pub(super) struct Frequencies {
    log: u32,
    of: Vec<u32>,
}

/// The format knows no smaller tables.
const SMALLEST: u32 = 5;

impl Frequencies {
    /// Of symbols that were counted: at least two that occur, and at most 32.
    pub(super) fn of(counts: &[u32], largest: u32) -> Self {
        let total: u32 = counts.iter().sum();
        let kinds = counts.iter().filter(|count| **count > 0).count();
        // No more states than there are symbols to tell apart, nor fewer than kinds.
        let log = total.ilog2().clamp(kinds.next_power_of_two().ilog2() + 1, largest).max(SMALLEST);
        let size = 1_u32 << log;
        let share = |count: u32| u64::from(count) << log;
        let mut of: Vec<u32> = counts
            .iter()
            .map(|count| match (share(*count) + u64::from(total) / 2) / u64::from(total) {
                0 => u32::from(*count > 0),
                share => u32::try_from(share).unwrap_or(size),
            })
            .collect();
        // What was rounded: one by one, where it changes least.
        loop {
            let sum: u32 = of.iter().sum();
            let error = |index: usize, of: &[u32]| {
                share(counts[index]) as i64 - (i64::from(of[index]) * i64::from(total))
            };
            let candidates = (0..counts.len()).filter(|index| counts[*index] > 0);
            if sum < size {
                let Some(index) = candidates.max_by_key(|index| error(*index, &of)) else { break };
                of[index] += 1;
            } else if sum > size {
                let shrinkable = candidates.filter(|index| of[*index] > 1);
                // By the bits it costs: each time the symbol comes, log2(n / (n - 1)).
                let Some(index) = shrinkable
                    .min_by_key(|index| u64::from(counts[*index]) * 1024 / u64::from(of[*index]))
                else {
                    break;
                };
                of[index] -= 1;
            } else {
                break;
            }
        }
        Self { log, of }
    }

    /// Writes what [`Table::new`] is to be built from.
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        let mut bits = Bits::new(out);
        bits.add(self.log - SMALLEST, 4);
        // One more than what is left to hand out.
        let mut left = (1_u32 << self.log) + 1;
        let mut symbol = 0;
        while left > 1 {
            let frequency = self.of[symbol];
            symbol += 1;
            // Numbers up to `left`, the small ones in a bit less.
            let width = left.ilog2() + 1;
            let threshold = 1_u32 << (width - 1);
            let short = 2 * threshold - 1 - left;
            let number = frequency + 1;
            if number < short {
                bits.add(number, width - 1);
            } else {
                bits.add(if number >= threshold { number + short } else { number }, width);
            }
            left -= frequency;
            if frequency == 0 {
                let mut zeros = self.of[symbol..].iter().take_while(|of| **of == 0).count();
                symbol += zeros;
                while zeros >= 3 {
                    bits.add(3, 2);
                    zeros -= 3;
                }
                bits.add(u32::try_from(zeros).unwrap_or(0), 2);
            }
        }
        bits.pad();
    }
}

impl Table {
    pub(super) fn new(frequencies: &Frequencies) -> Self {
        let size = 1_usize << frequencies.log;
        let mut at = vec![0; size];
        let step = (size >> 1) + (size >> 3) + 3;
        let mut position = 0;
        for (symbol, frequency) in frequencies.of.iter().enumerate() {
            for _ in 0..*frequency {
                at[position] = symbol;
                position = (position + step) & (size - 1);
            }
        }
        let mut begin = 0;
        let symbols: Vec<(u32, u32)> = frequencies
            .of
            .iter()
            .map(|frequency| {
                begin += frequency;
                (*frequency, begin - frequency)
            })
            .collect();
        let mut next: Vec<u32> = symbols.iter().map(|(_, begin)| *begin).collect();
        let mut states = vec![0; size];
        for (position, symbol) in at.into_iter().enumerate() {
            states[next[symbol] as usize] = (size + position) as u32;
            next[symbol] += 1;
        }
        Self { log: frequencies.log, symbols, states }
    }

    /// For one symbol that comes over and over.
    pub(super) fn of_one(symbol: u8) -> Self {
        Self { log: 0, symbols: vec![(1, 0); usize::from(symbol) + 1], states: vec![1] }
    }

    /// The state after the symbol that is read last.
    pub(super) fn begin(&self, symbol: u8) -> u32 {
        self.states[self.symbols[usize::from(symbol)].1 as usize]
    }

    /// The state after a symbol, and the bits that lead back from there.
    pub(super) fn step(&self, state: &mut u32, symbol: u8, bits: &mut Bits<'_>) {
        let (frequency, begin) = self.symbols[usize::from(symbol)];
        let mut count = state.ilog2() - frequency.ilog2();
        if *state >> count < frequency {
            count -= 1;
        }
        bits.add(*state & ((1 << count) - 1), count);
        *state = self.states[(begin + (*state >> count) - frequency) as usize];
    }

    /// Writes the state that is read first.
    pub(super) fn end(&self, state: u32, bits: &mut Bits<'_>) {
        bits.add(state - (1 << self.log), self.log);
    }
}
