//! The memory functions that compiled Rust calls by name, for programs without a C library.
//!
//! [`crate::entry!`] gives them their C names in the program itself, never in this library: an
//! ordinary program that links it keeps its C library's. Sizes under 16 bytes, by far the most
//! frequent, take two overlapping moves; larger ones the processor's own string instructions,
//! which are fast on every x86-64 of the last decade.

#![cfg(any(freestanding, test))]

#[cfg(target_arch = "x86_64")]
pub use implementation::*;

#[cfg(target_arch = "x86_64")]
mod implementation {
    use core::arch::asm;

    /// memcpy(3).
    ///
    /// # Safety
    /// `count` bytes can be read at `source` and written at `target`; they don't overlap.
    #[inline]
    pub unsafe fn copy(target: *mut u8, source: *const u8, count: usize) {
        // SAFETY: the caller's promise, handed on.
        unsafe {
            if count <= 32 {
                copy_small(target, source, count);
            } else {
                forward(target, source, count);
            }
        }
    }

    /// memmove(3).
    ///
    /// # Safety
    /// `count` bytes can be read at `source` and written at `target`.
    #[inline]
    pub unsafe fn copy_overlapping(target: *mut u8, source: *const u8, count: usize) {
        // SAFETY: the caller's promise, handed on. A forward copy is right unless the target
        // begins within the source; then the copy goes backward. Small ones read all, then write.
        unsafe {
            if count <= 32 {
                copy_small(target, source, count);
            } else if target.addr().wrapping_sub(source.addr()) >= count {
                forward(target, source, count);
            } else {
                backward(target, source, count);
            }
        }
    }

    /// memset(3).
    ///
    /// # Safety
    /// `count` bytes can be written at `target`.
    #[inline]
    pub unsafe fn set(target: *mut u8, value: u8, count: usize) {
        // SAFETY: the caller's promise; the direction flag is clear, as the ABI says.
        unsafe {
            asm!("rep stosb", inout("rcx") count => _, inout("rdi") target => _, in("al") value,
                options(nostack, preserves_flags));
        }
    }

    /// memcmp(3): negative, zero or positive, by the first bytes that differ.
    ///
    /// # Safety
    /// `count` bytes can be read at both places.
    #[inline]
    pub unsafe fn compare(left: *const u8, right: *const u8, count: usize) -> i32 {
        let mut at = 0;
        // SAFETY: every read is below `count`.
        unsafe {
            while at + 8 <= count {
                let (a, b) = (read::<u64>(left, at).to_be(), read::<u64>(right, at).to_be());
                if a != b {
                    return if a < b { -1 } else { 1 };
                }
                at += 8;
            }
            while at < count {
                let (a, b) = (*left.add(at), *right.add(at));
                if a != b {
                    return i32::from(a) - i32::from(b);
                }
                at += 1;
            }
        }
        0
    }

    /// Whether any bytes differ: bcmp(3).
    ///
    /// # Safety
    /// `count` bytes can be read at both places.
    #[inline]
    pub unsafe fn differ(left: *const u8, right: *const u8, count: usize) -> bool {
        let mut at = 0;
        // SAFETY: every read is below `count`.
        unsafe {
            while at + 8 <= count {
                if read::<u64>(left, at) != read::<u64>(right, at) {
                    return true;
                }
                at += 8;
            }
            while at < count {
                if *left.add(at) != *right.add(at) {
                    return true;
                }
                at += 1;
            }
        }
        false
    }

    /// strlen(3).
    ///
    /// # Safety
    /// A C string begins at `string`.
    #[inline]
    pub unsafe fn length(string: *const u8) -> usize {
        let mut end = string;
        // SAFETY: the string ends with a NUL. The volatile read keeps the compiler from making
        // this loop into a call of the very function that it is.
        unsafe {
            while end.read_volatile() != 0 {
                end = end.add(1);
            }
        }
        end.addr() - string.addr()
    }

    /// # Safety
    /// As [`copy_overlapping`], with at most 32 bytes.
    #[inline]
    unsafe fn copy_small(target: *mut u8, source: *const u8, count: usize) {
        // SAFETY: both ends of the block are moved; where the two meet they write the same bytes.
        // All reads come before all writes, so overlapping blocks are right too.
        unsafe {
            if count >= 16 {
                move_ends::<u128>(target, source, count, 16);
            } else if count >= 8 {
                move_ends::<u64>(target, source, count, 8);
            } else if count >= 4 {
                move_ends::<u32>(target, source, count, 4);
            } else if count >= 2 {
                move_ends::<u16>(target, source, count, 2);
            } else if count == 1 {
                *target = *source;
            }
        }
    }

    /// # Safety
    /// As [`copy_overlapping`], with `width..=2 * width` bytes and `T` of `width`.
    #[inline]
    unsafe fn move_ends<T: Copy>(target: *mut u8, source: *const u8, count: usize, width: usize) {
        // SAFETY: `count` is at least `width`.
        unsafe {
            let first = read::<T>(source, 0);
            let last = read::<T>(source, count - width);
            target.cast::<T>().write_unaligned(first);
            target.add(count - width).cast::<T>().write_unaligned(last);
        }
    }

    /// # Safety
    /// As [`copy`], or with a target that begins before the source.
    #[inline]
    unsafe fn forward(target: *mut u8, source: *const u8, count: usize) {
        // SAFETY: the caller's promise; the direction flag is clear, as the ABI says.
        unsafe {
            asm!("rep movsb", inout("rcx") count => _, inout("rdi") target => _,
                inout("rsi") source => _, options(nostack, preserves_flags));
        }
    }

    /// # Safety
    /// As [`copy_overlapping`], with at least 16 bytes.
    #[inline]
    unsafe fn backward(target: *mut u8, source: *const u8, count: usize) {
        // SAFETY: every block lies within the first `left` bytes; the last one covers the rest,
        // whose source bytes are read before they are written.
        unsafe {
            let head = read::<u128>(source, 0);
            let mut left = count;
            while left >= 16 {
                left -= 16;
                let block = read::<u128>(source, left);
                target.add(left).cast::<u128>().write_unaligned(block);
            }
            target.cast::<u128>().write_unaligned(head);
        }
    }

    /// # Safety
    /// A `T` can be read at `base + at`.
    #[inline]
    unsafe fn read<T: Copy>(base: *const u8, at: usize) -> T {
        // SAFETY: the caller's promise.
        unsafe { base.add(at).cast::<T>().read_unaligned() }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    const SIZES: [usize; 24] =
        [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 127, 128, 255, 300];

    fn pattern() -> Vec<u8> {
        (0..512_u32).map(|index| (index * 7 + index / 256) as u8).collect()
    }

    #[test]
    fn copies_at_every_alignment_and_size() {
        let source = pattern();
        for size in SIZES {
            for from in 0..17 {
                for to in 0..17 {
                    let mut target = vec![0xEE_u8; 400];
                    // SAFETY: both ranges lie within their vectors, which are two.
                    unsafe { copy(target.as_mut_ptr().add(to), source.as_ptr().add(from), size) };
                    let mut expected = vec![0xEE_u8; 400];
                    expected[to..to + size].copy_from_slice(&source[from..from + size]);
                    assert_eq!(target, expected, "size {size}, from {from}, to {to}");
                }
            }
        }
    }

    #[test]
    fn copies_at_every_overlap() {
        for size in SIZES {
            for from in 0..70 {
                for to in 0..70 {
                    let mut bytes = pattern();
                    let mut expected = bytes.clone();
                    expected.copy_within(from..from + size, to);
                    // SAFETY: both ranges lie within the vector.
                    unsafe {
                        let base = bytes.as_mut_ptr();
                        copy_overlapping(base.add(to), base.add(from), size);
                    }
                    assert_eq!(bytes, expected, "size {size}, from {from}, to {to}");
                }
            }
        }
    }

    #[test]
    fn sets_exactly_its_bytes() {
        for size in SIZES {
            for to in 0..17 {
                let mut target = vec![1_u8; 400];
                // SAFETY: the range lies within the vector.
                unsafe { set(target.as_mut_ptr().add(to), 0xA5, size) };
                let hits = target.iter().filter(|byte| **byte == 0xA5).count();
                assert_eq!(
                    (hits, target[to..to + size].iter().all(|byte| *byte == 0xA5)),
                    (size, true)
                );
            }
        }
    }

    #[test]
    fn compares_by_the_first_difference() {
        for size in SIZES {
            for offset in 0..9 {
                let left = &pattern()[offset..offset + size];
                let mut right = left.to_vec();
                assert_eq!(compared(left, &right), std::cmp::Ordering::Equal);
                for at in 0..size {
                    right[at] = right[at].wrapping_add(1);
                    let expected = left.cmp(&right);
                    assert_eq!(compared(left, &right), expected, "size {size}, byte {at}");
                    right[at] = left[at];
                }
            }
        }
    }

    fn compared(left: &[u8], right: &[u8]) -> std::cmp::Ordering {
        assert_eq!(left.len(), right.len());
        // SAFETY: both have as many bytes as are compared.
        let (order, differs) = unsafe {
            let (left, right, count) = (left.as_ptr(), right.as_ptr(), left.len());
            (compare(left, right, count), differ(left, right, count))
        };
        assert_eq!(order != 0, differs);
        order.cmp(&0)
    }

    #[test]
    fn measures_a_string_up_to_its_end() {
        for size in 0..70 {
            let mut text = vec![b'x'; size];
            text.extend_from_slice(b"\0tail");
            // SAFETY: a NUL ends the string within the vector.
            assert_eq!(unsafe { length(text.as_ptr()) }, size);
        }
    }
}
