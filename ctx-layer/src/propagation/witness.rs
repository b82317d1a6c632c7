//! A function that sees what is written to and read from carriers, for [`testing`](crate::testing).

use std::sync::OnceLock;

use super::{
    boundary::Boundary,
    carrier::{Carrier, CarrierMut},
    names,
};

/// Context that crosses a boundary.
pub(crate) struct Crossing {
    pub(crate) is_sent: bool,
    pub(crate) boundary: &'static str,
    pub(crate) headers: Vec<(String, String)>,
}

static WITNESS: OnceLock<fn(Crossing)> = OnceLock::new();

/// Sets the function, once.
pub(crate) fn set_witness(witness: fn(Crossing)) {
    // The first one stays: there is only one.
    let _ = WITNESS.set(witness);
}

/// A carrier that notes what is written to it.
pub(super) struct Witnessed<'a, C: ?Sized> {
    carrier: &'a mut C,
    headers: Vec<(String, String)>,
}

impl<C: CarrierMut + ?Sized> CarrierMut for Witnessed<'_, C> {
    fn set(&mut self, key: &str, value: &str) {
        self.headers.push((key.to_owned(), value.to_owned()));
        self.carrier.set(key, value);
    }

    fn remove(&mut self, key: &str) {
        self.carrier.remove(key);
    }

    fn is_exposed(&self) -> bool {
        self.carrier.is_exposed()
    }
}

/// Calls `write` with the carrier, and the witness with what it wrote. Returns `false`, and calls nothing, if there is no witness.
pub(super) fn sent<C: CarrierMut + ?Sized>(
    carrier: &mut C,
    boundary: &'static Boundary,
    write: impl FnOnce(&mut Witnessed<'_, C>),
) -> bool {
    let Some(witness) = WITNESS.get() else { return false };
    let mut witnessed = Witnessed { carrier, headers: Vec::new() };
    write(&mut witnessed);
    witness(Crossing { is_sent: true, boundary: boundary.name(), headers: witnessed.headers });
    true
}

/// Calls the witness with what a carrier has.
pub(super) fn received<C: Carrier + ?Sized>(carrier: &C, boundary: &'static Boundary) {
    let Some(witness) = WITNESS.get() else { return };
    let mut headers = Vec::new();
    for name in [names::TRACEPARENT, names::TRACESTATE, names::BAGGAGE] {
        carrier.lines(name, &mut |line| headers.push((name.to_owned(), String::from_utf8_lossy(line).into_owned())));
    }
    witness(Crossing { is_sent: false, boundary: boundary.name(), headers });
}
