//! Reusable buffers: rewriting an event allocates nothing once they have grown.

use std::{cell::RefCell, ops::Range};

thread_local! {
    /// Several, because formatting one event may log another. Boxed, because they are moved often.
    #[allow(clippy::vec_box)]
    static BUFFERS: RefCell<Vec<Box<Buffers>>> = const { RefCell::new(Vec::new()) };
}

#[derive(Default)]
struct Buffers {
    text: String,
    bytes: Vec<u8>,
}

/// Larger buffers are freed: one huge event must not cost memory on every thread for ever.
const MAX_KEPT: usize = 64 * 1024;

/// Buffers for the strings of one event, taken when first needed and returned to their thread on drop.
#[derive(Default)]
pub(super) struct Scratch {
    buffers: Option<Box<Buffers>>,
}

impl Scratch {
    /// Returns `true` if anything was copied.
    #[inline]
    pub(super) fn is_used(&self) -> bool {
        self.buffers.is_some()
    }

    /// Copies `text`, and returns its position.
    pub(super) fn push_text(&mut self, text: &str) -> Range<usize> {
        let buffer = &mut self.buffers().text;
        let start = buffer.len();
        buffer.push_str(text);
        start..buffer.len()
    }

    /// Copies `bytes`, and returns their position.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> Range<usize> {
        let buffer = &mut self.buffers().bytes;
        let start = buffer.len();
        buffer.extend_from_slice(bytes);
        start..buffer.len()
    }

    pub(super) fn text(&self, at: &Range<usize>) -> &str {
        self.buffers.as_ref().and_then(|buffers| buffers.text.get(at.clone())).unwrap_or_default()
    }

    pub(super) fn bytes(&self, at: &Range<usize>) -> &[u8] {
        self.buffers.as_ref().and_then(|buffers| buffers.bytes.get(at.clone())).unwrap_or_default()
    }

    fn buffers(&mut self) -> &mut Buffers {
        self.buffers.get_or_insert_with(|| {
            BUFFERS.try_with(|buffers| buffers.borrow_mut().pop()).ok().flatten().unwrap_or_default()
        })
    }
}

impl Drop for Scratch {
    #[inline]
    fn drop(&mut self) {
        if let Some(buffers) = self.buffers.take() {
            give_back(buffers);
        }
    }
}

fn give_back(mut buffers: Box<Buffers>) {
    if buffers.text.capacity() + buffers.bytes.capacity() <= MAX_KEPT {
        buffers.text.clear();
        buffers.bytes.clear();
        // While the thread is being torn down the buffers are freed.
        let _ = BUFFERS.try_with(|all| all.borrow_mut().push(buffers));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_kept_up_to_a_size() {
        let kept_after = |text: usize, bytes: usize| {
            let mut scratch = Scratch::default();
            scratch.push_text(&"x".repeat(text));
            scratch.push_bytes(&vec![0; bytes]);
            drop(scratch);
            BUFFERS.with_borrow(Vec::len)
        };
        // On a thread of its own each, which has none yet.
        let on_a_thread = |text, bytes| std::thread::scope(|scope| scope.spawn(|| kept_after(text, bytes)).join());
        for (text, bytes, kept) in [(300, 300, 1), (0, MAX_KEPT, 1), (1, MAX_KEPT, 0), (MAX_KEPT, 1, 0)] {
            assert!(matches!(on_a_thread(text, bytes), Ok(found) if found == kept), "{text} and {bytes}");
        }
    }
}
