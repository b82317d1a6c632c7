//! The interface that each technology implements for the scenarios.

use ctx_layer::propagation::{Carrier, CarrierMut};

use crate::Result;

/// A queue of a real server, with at-least-once delivery and a queue of dead letters.
pub trait Broker: Sized + Send + Sync + 'static {
    /// The value of `messaging.system`.
    const SYSTEM: &'static str;
    /// The name of its script in `tests/services/servers`.
    const SERVER: &'static str;
    /// What a message's headers are before it is sent.
    type Headers: Carrier + CarrierMut + Default + Send + Sync;
    /// A received message.
    type Delivery: Delivery + Send + Sync;

    /// Connects to a queue, and creates it and that of its dead letters if there is none.
    fn connect(queue: &str) -> impl Future<Output = Result<Self>> + Send;

    /// Sends a message, and returns when the server has it.
    fn send(&self, headers: Self::Headers, body: &str) -> impl Future<Output = Result> + Send;

    /// Receives a message, which is delivered again unless it is settled.
    fn receive(&self) -> impl Future<Output = Result<Self::Delivery>> + Send;

    /// Settles a message: it is done.
    fn ack(&self, delivery: Self::Delivery) -> impl Future<Output = Result> + Send;

    /// Settles a message: it is moved to the dead letters.
    fn reject(&self, delivery: Self::Delivery) -> impl Future<Output = Result> + Send;
}

/// A received message.
pub trait Delivery {
    /// What its headers are.
    type Headers: Carrier + ?Sized;

    /// Returns the headers.
    fn headers(&self) -> &Self::Headers;

    /// Returns the payload.
    fn body(&self) -> String;

    /// Returns which attempt this is, starting at 1, as far as the server counts.
    fn attempt(&self) -> u32;
}

/// Returns the name of a queue's dead letters.
pub fn dead_letters_of(queue: &str) -> String {
    format!("{queue}_dead")
}
