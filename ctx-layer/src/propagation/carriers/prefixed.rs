//! Carriers whose keys have a prefix.

use crate::propagation::{
    boundary::Boundary,
    carrier::{Carrier, CarrierMut},
};

/// A carrier around another one, in which each key has a prefix.
///
/// | carrier | prefix |
/// |---|---|
/// | [annotations of a Kubernetes object](Prefixed::kubernetes), as those that Kubernetes' own tracing reads | `tracing.k8s.io/` |
/// | [attributes of a CloudEvent in headers of Kafka](Prefixed::cloud_event_in_kafka) | `ce_` |
/// | [attributes of a CloudEvent in headers of AMQP](Prefixed::cloud_event_in_amqp) | `cloudEvents:` |
///
/// A CloudEvent in JSON has its attributes at the top, without a prefix: it is a `serde_json::Map`.
///
/// ```
/// use std::collections::BTreeMap;
/// use ctx_layer::{field::well_known::TENANT_ID, propagation::{self, carriers::Prefixed}};
///
/// let mut annotations = BTreeMap::<String, String>::new(); // `metadata.annotations.get_or_insert_default()`
/// TENANT_ID.in_scope("acme", || propagation::inject(&mut Prefixed::kubernetes(&mut annotations)));
/// assert_eq!(annotations["tracing.k8s.io/baggage"], "tenant_id=acme");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Prefixed<C> {
    carrier: C,
    prefix: &'static str,
    is_exposed: bool,
}

impl<C> Prefixed<C> {
    /// Creates a carrier with a prefix.
    pub const fn new(prefix: &'static str, carrier: C) -> Self {
        Prefixed { carrier, prefix, is_exposed: false }
    }

    /// Creates a carrier of the annotations of a Kubernetes object, with the prefix `tracing.k8s.io/`. Sensitive fields are not
    /// written: other users of the cluster can read annotations.
    pub const fn kubernetes(annotations: C) -> Self {
        Prefixed { carrier: annotations, prefix: "tracing.k8s.io/", is_exposed: true }
    }

    /// Creates a carrier of a CloudEvent's attributes in the headers of a Kafka record, with the prefix `ce_`.
    pub const fn cloud_event_in_kafka(headers: C) -> Self {
        Prefixed::new("ce_", headers)
    }

    /// Creates a carrier of a CloudEvent's attributes in the headers of an AMQP message, with the prefix `cloudEvents:`.
    pub const fn cloud_event_in_amqp(headers: C) -> Self {
        Prefixed::new("cloudEvents:", headers)
    }
}

impl<C: Carrier> Carrier for Prefixed<C> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.carrier.lines(&[self.prefix, key].concat(), line);
    }

    fn boundary(&self) -> &'static Boundary {
        self.carrier.boundary()
    }
}

impl<C: CarrierMut> CarrierMut for Prefixed<C> {
    fn set(&mut self, key: &str, value: &str) {
        self.carrier.set(&[self.prefix, key].concat(), value);
    }

    fn remove(&mut self, key: &str) {
        self.carrier.remove(&[self.prefix, key].concat());
    }

    fn is_exposed(&self) -> bool {
        self.is_exposed || self.carrier.is_exposed()
    }
}
