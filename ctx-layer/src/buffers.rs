//! Memory that each thread uses again: once its buffers have grown, rewritten events, lines and headers allocate nothing.

use std::cell::RefCell;

thread_local! {
    /// Several, because formatting one event may log another.
    static UNUSED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Larger buffers are freed: one huge event must not cost memory on every thread for ever.
const MAX_KEPT: usize = 64 * 1024;

/// The number of buffers kept on a thread: more than are used at once.
const MOST: usize = 16;

/// Returns an empty buffer, which has memory if one was given back before. While the thread is being torn down it has none.
#[inline]
pub(crate) fn take() -> Vec<u8> {
    let take = |unused: &RefCell<Vec<Vec<u8>>>| unused.try_borrow_mut().ok()?.pop();
    UNUSED.try_with(take).ok().flatten().unwrap_or_default()
}

/// Returns an empty buffer for text.
pub(crate) fn take_text() -> String {
    // An empty buffer is valid UTF-8.
    String::from_utf8(take()).unwrap_or_default()
}

/// Gives a buffer back to its thread. Its contents are lost.
#[inline]
pub(crate) fn give_back(mut buffer: Vec<u8>) {
    if !(1..=MAX_KEPT).contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    let _ = UNUSED.try_with(|unused| {
        if let Ok(mut unused) = unused.try_borrow_mut()
            && unused.len() < MOST
        {
            unused.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_kept_up_to_a_size_and_a_number() {
        let kept_after = |sizes: &[usize]| {
            sizes.iter().for_each(|size| give_back(Vec::with_capacity(*size)));
            UNUSED.with_borrow(Vec::len)
        };
        // On a thread of its own each, which has none yet.
        let on_a_thread = |sizes: &[usize]| std::thread::scope(|scope| scope.spawn(|| kept_after(sizes)).join());
        for (sizes, kept) in
            [(&[300, 300][..], 2), (&[0], 0), (&[MAX_KEPT], 1), (&[MAX_KEPT + 1], 0), (&[8; MOST + 1], MOST)]
        {
            assert!(matches!(on_a_thread(sizes), Ok(found) if found == kept), "{sizes:?}");
        }
    }

    #[test]
    fn a_buffer_that_was_given_back_is_taken_empty() {
        give_back(vec![1; 300]);
        let taken = take();
        assert!(taken.is_empty() && taken.capacity() >= 300);
        assert_eq!(take_text().capacity(), 0);
    }
}
