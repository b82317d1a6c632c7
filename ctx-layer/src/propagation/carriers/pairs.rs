//! Lists of names and values.

use crate::propagation::carrier::{Carrier, CarrierMut};

impl<K: AsRef<str>, V: AsRef<[u8]>> Carrier for [(K, V)] {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.iter()
            .filter(|(known, _)| known.as_ref().eq_ignore_ascii_case(key))
            .for_each(|(_, value)| line(value.as_ref()));
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>, const N: usize> Carrier for [(K, V); N] {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.as_slice().lines(key, line);
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Carrier for Vec<(K, V)> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.as_slice().lines(key, line);
    }
}

impl CarrierMut for Vec<(String, String)> {
    fn set(&mut self, key: &str, value: &str) {
        CarrierMut::remove(self, key);
        self.push((key.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, key: &str) {
        self.retain(|(known, _)| !known.eq_ignore_ascii_case(key));
    }
}
