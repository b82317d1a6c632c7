//! A table that only grows and is read without a lock.

use std::sync::OnceLock;

/// A map from the address of a value that lives for ever to what is known about it. Entries stay as long as the map.
pub(crate) struct AddressMap<V> {
    buckets: Box<[Link<V>]>,
}

/// The next entry of a bucket, if there is one.
type Link<V> = OnceLock<Box<Node<V>>>;

struct Node<V> {
    key: usize,
    value: V,
    next: Link<V>,
}

/// Chosen for the thousands of call sites of a large program; chains stay short.
const BUCKETS: usize = 1024;

impl<V> AddressMap<V> {
    pub(crate) fn new() -> Self {
        AddressMap { buckets: (0..BUCKETS).map(|_| OnceLock::new()).collect() }
    }

    #[inline]
    pub(crate) fn get<K>(&self, key: &K) -> Option<&V> {
        let key = address(key);
        let mut link = self.bucket(key);
        while let Some(entry) = link.get() {
            if entry.key == key {
                return Some(&entry.value);
            }
            link = &entry.next;
        }
        None
    }

    /// Returns an entry, and creates it if it is missing. If two threads create one at once, both get the first.
    #[inline]
    pub(crate) fn get_or_insert_with<K>(&self, key: &'static K, make: impl FnOnce() -> V) -> &V {
        match self.get(key) {
            Some(value) => value,
            None => self.insert(address(key), make()),
        }
    }

    #[cold]
    fn insert(&self, key: usize, value: V) -> &V {
        let mut new = Some(Box::new(Node { key, value, next: OnceLock::new() }));
        let mut link = self.bucket(key);
        loop {
            if let Some(entry) = link.get() {
                if entry.key == key {
                    return &entry.value;
                }
                link = &entry.next;
            } else if let Some(created) = new.take() {
                // Another thread may have been faster: then go on from its entry.
                new = link.set(created).err();
            }
        }
    }

    #[inline]
    fn bucket(&self, key: usize) -> &Link<V> {
        // Fibonacci hashing: the upper bits of the product are mixed best.
        let hash = (key as u64 >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &self.buckets[(hash >> (u64::BITS - BUCKETS.trailing_zeros())) as usize]
    }
}

#[inline]
fn address<K>(key: &K) -> usize {
    std::ptr::from_ref(key).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_finds_the_same_value_of_a_key() {
        let table: &'static AddressMap<usize> = Box::leak(Box::new(AddressMap::new()));
        let keys: &'static [u64] = Box::leak((0..if cfg!(miri) { 50 } else { 5000 }).collect());
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                std::thread::spawn(move || {
                    keys.iter()
                        .map(|key| table.get_or_insert_with(key, || thread) as *const usize as usize)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let found: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
        assert!(keys.iter().all(|key| table.get(key).is_some()));
        assert!(table.get(&0u64).is_none());
    }
}
