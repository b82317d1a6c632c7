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

/// The system's allocator; what each thread allocates is counted.
///
/// `realloc` and `alloc_zeroed` are those of the trait, which call the two below: a vector that grows is an allocation.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

struct Counts {
    allocations: Cell<u64>,
    live_bytes: Cell<isize>,
}

thread_local! {
    // Neither made at first use nor destroyed: the allocator may be called at any time.
    static COUNTS: Counts = const { Counts { allocations: Cell::new(0), live_bytes: Cell::new(0) } };
}

/// How often this thread has allocated.
pub fn allocations() -> u64 {
    COUNTS.with(|counts| counts.allocations.get())
}

/// How many bytes this thread has allocated more than it has freed: less than 0 where it freed what others allocated.
pub fn live_bytes() -> isize {
    COUNTS.with(|counts| counts.live_bytes.get())
}

// SAFETY: passes on every call unchanged to the system's allocator; counting neither allocates nor panics.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNTS.with(|counts| {
            counts.allocations.update(|count| count + 1);
            counts.live_bytes.update(|bytes| bytes + layout.size() as isize);
        });
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        COUNTS.with(|counts| counts.live_bytes.update(|bytes| bytes - layout.size() as isize));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread};

    use super::*;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

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
