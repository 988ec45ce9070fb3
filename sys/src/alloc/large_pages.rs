//! Large blocks in large pages: a hash that fills 16 MiB would else spend a fifth of its time on page faults.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;
use core::ptr;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// A large page, in bytes, and the least that is one's own mapping.
const LARGE: usize = 2 << 20;

/// What the kernel maps at least.
const SMALL: usize = 4096;

/// Leaves blocks of less than 2 MiB to another allocator. The others are mappings of their own, which lie where large
/// pages can be, and the kernel is told that they are welcome (`madvise` in
/// `/sys/kernel/mm/transparent_hugepage/enabled`, Debian's default, waits for that).
pub struct LargePages<A>(pub A);

// SAFETY: a block is the other allocator's, or a mapping of its own; which, its size alone decides, wherever it is asked.
unsafe impl<A: GlobalAlloc> GlobalAlloc for LargePages<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            return map(layout.size());
        }
        // SAFETY: the caller's promise, handed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            // As the kernel gives it.
            return map(layout.size());
        }
        // SAFETY: the caller's promise, handed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_large(layout) {
            // SAFETY: so much was mapped for this block, and the caller has done with it.
            let _ = unsafe { munmap(block.cast(), whole(layout.size())) };
        } else {
            // SAFETY: the caller's promise, handed on.
            unsafe { self.0.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for the size with this alignment.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if !is_large(layout) && !is_large(new) {
            // SAFETY: the caller's promise, handed on.
            return unsafe { self.0.realloc(block, layout, size) };
        }
        // SAFETY: the new block is another one, and as much is copied as both have.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= SMALL
}

fn whole(size: usize) -> usize {
    // A layout's size is at most isize::MAX.
    size.next_multiple_of(SMALL)
}

/// So many bytes from a large page's beginning on; from anywhere, where the limits have no room for the detour. Null if
/// there is no memory.
fn map(size: usize) -> *mut u8 {
    let size = whole(size);
    let Some(start) = anywhere(size + LARGE) else {
        return anywhere(size).unwrap_or(ptr::null_mut()).cast();
    };
    let before = start.addr().wrapping_neg() % LARGE;
    let block = start.wrapping_byte_add(before);
    // SAFETY: the ends of a mapping that nobody has been given; and advice changes no byte of it.
    unsafe {
        if before > 0 {
            let _ = munmap(start, before);
        }
        let _ = munmap(block.wrapping_byte_add(size), LARGE - before);
        let _ = madvise(block, size, Advice::LinuxHugepage);
    }
    block.cast()
}

fn anywhere(size: usize) -> Option<*mut c_void> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new anonymous mapping where the kernel likes it touches nothing that exists.
    unsafe { mmap_anonymous(ptr::null_mut(), size, access, MapFlags::PRIVATE) }.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::System;

    const MEMORY: LargePages<System> = LargePages(System);

    #[test]
    fn blocks_keep_what_is_in_them_however_their_size_changes() {
        let sizes = [1, LARGE - 1, LARGE, LARGE + 1, 16 << 20, 3 * LARGE, 4096, 5 * LARGE + 4097];
        let layout = |size| Layout::from_size_align(size, 64).unwrap();
        // SAFETY: each block is written and read within its size, and freed once, with its layout.
        unsafe {
            let mut block = MEMORY.alloc_zeroed(layout(sizes[0]));
            let mut kept = 1;
            block.write(7);
            for pair in sizes.windows(2) {
                block = MEMORY.realloc(block, layout(pair[0]), pair[1]);
                assert!(!block.is_null());
                assert_eq!(block.addr() % 64, 0);
                kept = kept.min(pair[1]);
                let bytes = core::slice::from_raw_parts_mut(block, pair[1]);
                assert!(bytes[..kept].iter().all(|byte| *byte == 7));
                bytes.fill(7);
                kept = pair[1];
            }
            MEMORY.dealloc(block, layout(sizes[sizes.len() - 1]));
        }
    }

    #[test]
    fn a_large_one_is_empty_and_begins_a_large_page() {
        let layout = Layout::from_size_align(LARGE + 5, 1).unwrap();
        // SAFETY: read within its size, and freed once.
        unsafe {
            let block = MEMORY.alloc_zeroed(layout);
            assert_eq!(block.addr() % LARGE, 0);
            let bytes = core::slice::from_raw_parts(block, layout.size());
            assert!(bytes.iter().all(|byte| *byte == 0));
            MEMORY.dealloc(block, layout);
        }
    }

    #[test]
    fn without_memory_it_says_so() {
        let layout = Layout::from_size_align(1 << 60, 1).unwrap();
        // SAFETY: nothing is done with what isn't there.
        assert!(unsafe { MEMORY.alloc(layout) }.is_null());
    }
}
