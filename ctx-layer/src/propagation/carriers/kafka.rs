//! Headers of `rdkafka`.

use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders};

use crate::{
    panic,
    propagation::carrier::{Carrier, CarrierMut},
};

impl Carrier for BorrowedHeaders {
    /// Reads all headers of a name, in order. Headers without a value are ignored, and so are those after a name that is not UTF-8,
    /// which `rdkafka` cannot read.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        each(self, &mut |header| {
            if let Some(value) = header.value.filter(|_| header.key.eq_ignore_ascii_case(key)) {
                line(value);
            }
        });
    }
}

/// Calls `header` with each header.
fn each(headers: &BorrowedHeaders, header: &mut dyn FnMut(Header<'_, &[u8]>)) {
    for index in 0..headers.count() {
        // `rdkafka` panics on a name that is not UTF-8, and the name is the sender's choice.
        match panic::caught_with(|| headers.try_get(index)) {
            Ok(Some(found)) => header(found),
            Ok(None) | Err(_) => return,
        }
    }
}

impl Carrier for OwnedHeaders {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.as_borrowed().lines(key, line);
    }
}

impl CarrierMut for OwnedHeaders {
    fn set(&mut self, key: &str, value: &str) {
        self.remove(key);
        let headers = std::mem::take(self);
        *self = headers.insert(Header { key, value: Some(value) });
    }

    fn remove(&mut self, key: &str) {
        // Headers can only be added.
        let mut is_any = false;
        each(self.as_borrowed(), &mut |header| is_any |= header.key.eq_ignore_ascii_case(key));
        if !is_any {
            return;
        }
        let mut kept = OwnedHeaders::new();
        each(self.as_borrowed(), &mut |header| {
            if !header.key.eq_ignore_ascii_case(key) {
                kept = std::mem::take(&mut kept).insert(Header { key: header.key, value: header.value });
            }
        });
        *self = kept;
    }
}
