//! Copies of the strings of one event, in [buffers](crate::buffers) that are used again.

use std::ops::Range;

use crate::buffers;

/// The copied strings and bytes of one event. The buffers are taken when first needed, and given back on drop.
#[derive(Default)]
pub(super) struct Scratch {
    text: Option<String>,
    bytes: Option<Vec<u8>>,
}

impl Scratch {
    /// Returns `true` if anything was copied.
    #[inline]
    pub(super) fn is_used(&self) -> bool {
        self.text.is_some() || self.bytes.is_some()
    }

    /// Copies `text`, and returns its position.
    pub(super) fn push_text(&mut self, text: &str) -> Range<usize> {
        let buffer = self.text.get_or_insert_with(buffers::take_text);
        let start = buffer.len();
        buffer.push_str(text);
        start..buffer.len()
    }

    /// Copies `bytes`, and returns their position.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> Range<usize> {
        let buffer = self.bytes.get_or_insert_with(buffers::take);
        let start = buffer.len();
        buffer.extend_from_slice(bytes);
        start..buffer.len()
    }

    pub(super) fn text(&self, at: &Range<usize>) -> &str {
        self.text.as_ref().and_then(|text| text.get(at.clone())).unwrap_or_default()
    }

    pub(super) fn bytes(&self, at: &Range<usize>) -> &[u8] {
        self.bytes.as_ref().and_then(|bytes| bytes.get(at.clone())).unwrap_or_default()
    }
}

impl Drop for Scratch {
    #[inline]
    fn drop(&mut self) {
        if self.is_used() {
            give_back(self);
        }
    }
}

#[inline(never)]
fn give_back(scratch: &mut Scratch) {
    if let Some(text) = scratch.text.take() {
        buffers::give_back(text.into_bytes());
    }
    if let Some(bytes) = scratch.bytes.take() {
        buffers::give_back(bytes);
    }
}
