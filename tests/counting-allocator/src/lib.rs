//! An allocator that counts, for tests and benchmarks. Each binary that counts installs it:
//!
//! ```text
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//! ```

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    // Needs neither lazy initialization nor a destructor: the allocator may be called at any time.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// Returns how often this thread has allocated, with either allocator.
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// Returns by how many bytes this thread's allocations exceed what it freed, under [`Weighing`]. Negative if it freed
/// what others allocated.
pub fn live_bytes() -> isize {
    LIVE_BYTES.get()
}

/// The system's allocator, which counts the allocations of each thread. Bytes are not counted, because benchmarks
/// measure what runs on it.
///
/// `realloc` and `alloc_zeroed` are the trait's defaults, which call the methods below: a vector that grows is an
/// allocation.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

// SAFETY: passes on every call unchanged to the system's allocator; counting neither allocates nor panics.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The system's allocator, which counts allocations and bytes.
#[derive(Clone, Copy, Debug)]
pub struct Weighing;

// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Weighing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.set(LIVE_BYTES.get() + layout.size() as isize);
        // SAFETY: the caller's promise is passed on.
        unsafe { Counting.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.set(LIVE_BYTES.get() - layout.size() as isize);
        // SAFETY: the caller's promise is passed on.
        unsafe { Counting.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread};

    use super::*;

    #[global_allocator]
    static ALLOCATOR: Weighing = Weighing;

    #[test]
    fn each_allocation_counts_once_and_its_bytes_until_they_are_freed() {
        let before = (allocations(), live_bytes());
        let mut bytes: Vec<u8> = black_box(Vec::with_capacity(100));
        assert_eq!((allocations() - before.0, live_bytes() - before.1), (1, 100));
        bytes.reserve_exact(black_box(300));
        assert_eq!((allocations() - before.0, live_bytes() - before.1), (2, 300));
        drop(black_box(bytes));
        assert_eq!((allocations() - before.0, live_bytes() - before.1), (2, 0));
    }

    #[test]
    fn a_thread_counts_what_it_allocates_itself() {
        let before = live_bytes();
        let sent = thread::spawn(|| {
            let before = allocations();
            let sent = black_box(Box::new([0u8; 1000]));
            assert_eq!(allocations() - before, 1);
            sent
        });
        let sent = sent.join().unwrap();
        assert!(live_bytes() - before < 1000, "another thread allocated it");
        let before = live_bytes();
        drop(sent);
        assert_eq!(live_bytes() - before, -1000, "but it was freed here");
    }
}
