//! The allocators, one of which [`crate::entry!`] gives a program; and one for programs with std that need a lot at
//! once. All get memory by mmap(2).

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

mod large_pages;

pub use large_pages::LargePages;
use talc::{OomHandler, Span, Talc, Talck, locking::AssumeUnlockable};

/// Memory is asked of the kernel in such pieces (or larger ones, when one allocation is larger);
/// only pages that are touched cost anything.
const CHUNK: usize = 64 * 1024;

/// For programs that prepare something, run another program and are gone: never frees, but grows
/// its newest block in place.
pub struct Bump {
    next: Cell<usize>,
    end: Cell<usize>,
}

// SAFETY: programs with this allocator have one thread (design, decision 5); `entry!` is the only
// place that makes a static of it.
unsafe impl Sync for Bump {}

impl Bump {
    /// An allocator that holds nothing yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "used for a static only")]
    pub const fn new() -> Self {
        Self { next: Cell::new(0), end: Cell::new(0) }
    }

    fn grow(&self, needed: usize) -> bool {
        let size = needed.max(CHUNK);
        let Some(start) = map(size) else { return false };
        let start = start.expose_provenance();
        // A piece that follows the last one without a gap goes on with it.
        if start != self.end.get() {
            self.next.set(start);
        }
        self.end.set(start + size);
        true
    }
}

// SAFETY: each block lies within a mapping of ours, is aligned as asked, and is given out once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        for _ in 0..2 {
            let start = self.next.get().next_multiple_of(layout.align());
            if let Some(end) = start.checked_add(layout.size())
                && end <= self.end.get()
                && start != 0
            {
                self.next.set(end);
                return ptr::with_exposed_provenance_mut(start);
            }
            let Some(needed) = layout.size().checked_add(layout.align()) else { break };
            if !self.grow(needed) {
                break;
            }
        }
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block.addr() + layout.size() == self.next.get() {
            self.next.set(block.addr());
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block.addr();
        if start + layout.size() == self.next.get()
            && let Some(end) = start.checked_add(size)
            && end <= self.end.get()
        {
            self.next.set(end);
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller's layout with a size that it vouches for.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks are ours, the new one is larger, and they don't overlap.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size()) };
        }
        moved
    }
}

/// For programs that stay: frees, joins what it freed, and grows by pieces.
pub type Resident = Talck<AssumeUnlockable, Grow>;

/// A [`Resident`] that holds nothing yet.
///
/// # Safety
/// Only a program with one thread may use it: nothing locks it.
#[must_use]
pub const unsafe fn resident() -> Resident {
    Talc::new(Grow).lock()
}

/// Gets more memory for [`Resident`].
pub struct Grow;

impl OomHandler for Grow {
    fn handle_oom(talc: &mut Talc<Self>, layout: Layout) -> Result<(), ()> {
        // What the allocator itself keeps beside a block is far less than a page.
        let needed = layout.size().checked_add(layout.align()).ok_or(())?;
        let size = needed.checked_add(4096).ok_or(())?.next_multiple_of(CHUNK);
        let start = map(size).ok_or(())?;
        // SAFETY: the mapping is new and nobody else's, and stays for as long as the process.
        unsafe { talc.claim(Span::from_base_size(start.cast(), size)) }.map(drop)
    }
}

fn map(size: usize) -> Option<*mut c_void> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new anonymous mapping where the kernel likes it touches nothing that exists.
    unsafe { mmap_anonymous(ptr::null_mut(), size, access, MapFlags::PRIVATE) }.ok()
}
