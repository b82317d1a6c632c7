//! The encoded form of a set of fields, cached in the set, so that each line copies it.

use std::sync::OnceLock;

use smallvec::SmallVec;

use crate::buffers;

/// The encodings of one set, nearly always a list of one entry. A change of the set must [clear](Self::clear) them.
#[derive(Default)]
pub(super) struct Encodings(OnceLock<Box<Entry>>);

struct Entry {
    key: u64,
    encoded: Encoded,
    next: Encodings,
}

/// The values of a set, encoded by one kind of output.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// Inline room for what five ids take, so that the entry is the only allocation.
    bytes: SmallVec<[u8; 192]>,
    /// The end of each field.
    ends: SmallVec<[u32; 6]>,
}

/// A buffer in which the values of a set are encoded, with memory that this thread uses again.
pub(crate) struct EncodingBuffer {
    bytes: Vec<u8>,
    ends: SmallVec<[u32; 6]>,
}

impl Encodings {
    pub(super) const fn new() -> Self {
        Encodings(OnceLock::new())
    }

    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<&Encoded> {
        let mut link = &self.0;
        while let Some(entry) = link.get() {
            if entry.key == key {
                return Some(&entry.encoded);
            }
            link = &entry.next.0;
        }
        None
    }

    /// Stores an encoding and returns it. If another thread has stored one first, returns that.
    pub(super) fn insert(&self, key: u64, encoded: Encoded) -> &Encoded {
        let mut new = Some(Box::new(Entry { key, encoded, next: Encodings::new() }));
        let mut link = &self.0;
        loop {
            if let Some(entry) = link.get() {
                if entry.key == key {
                    return &entry.encoded;
                }
                link = &entry.next.0;
            } else if let Some(made) = new.take() {
                new = link.set(made).err();
            }
        }
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.0.take();
    }
}

impl EncodingBuffer {
    /// Takes an empty buffer.
    pub(crate) fn new() -> Self {
        EncodingBuffer { bytes: buffers::take(), ends: SmallVec::new() }
    }

    /// Appends the bytes of one field.
    #[inline]
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        match u32::try_from(self.bytes.len()) {
            Ok(end) => self.ends.push(end),
            // Longer than any line may be.
            Err(_) => self.bytes.truncate(start),
        }
    }

    /// Returns the bytes of each field.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        parts(&self.bytes, &self.ends)
    }

    /// Returns the encoded values, in no more memory than they need.
    pub(crate) fn finish(self) -> Encoded {
        let encoded = Encoded { bytes: SmallVec::from_slice(&self.bytes), ends: self.ends };
        buffers::give_back(self.bytes);
        encoded
    }
}

impl Encoded {
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the bytes of each field.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        parts(&self.bytes, &self.ends)
    }
}

fn parts<'a>(bytes: &'a [u8], ends: &'a [u32]) -> impl Iterator<Item = &'a [u8]> {
    let mut start = 0;
    ends.iter().filter_map(move |end| {
        let end = *end as usize;
        bytes.get(std::mem::replace(&mut start, end)..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Encoded {
        let mut buffer = EncodingBuffer::new();
        buffer.push(|bytes| bytes.extend_from_slice(text.as_bytes()));
        buffer.push(|bytes| bytes.push(b'-'));
        buffer.finish()
    }

    #[test]
    fn each_key_has_the_encoding_that_came_first() {
        let mut encodings = Encodings::default();
        assert_eq!(encodings.insert(1, of("one")).bytes(), b"one-");
        assert_eq!(encodings.insert(2, of("two")).bytes(), b"two-");
        assert_eq!(encodings.insert(1, of("next")).bytes(), b"one-");
        assert!(
            encodings.get(2).is_some_and(|encoded| encoded.parts().eq([&b"two"[..], b"-"]))
                && encodings.get(3).is_none()
        );
        encodings.clear();
        assert!(encodings.get(1).is_none());
    }
}
