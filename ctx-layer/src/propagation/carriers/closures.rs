//! Closures as carriers.

use crate::propagation::carrier::{Carrier, CarrierMut};

/// A carrier around a closure that returns the values of a key: none, one or several.
pub(in crate::propagation) struct Getter<F>(pub(in crate::propagation) F);

impl<F, L, V> Carrier for Getter<F>
where
    F: Fn(&str) -> L,
    L: IntoIterator<Item = V>,
    V: AsRef<[u8]>,
{
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        (self.0)(key).into_iter().for_each(|value| line(value.as_ref()));
    }
}

/// A carrier around a closure that sets a value.
pub(in crate::propagation) struct Setter<F>(pub(in crate::propagation) F);

impl<F: FnMut(&str, &str)> CarrierMut for Setter<F> {
    fn set(&mut self, key: &str, value: &str) {
        (self.0)(key, value);
    }

    fn remove(&mut self, _key: &str) {}
}
