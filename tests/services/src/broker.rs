//! The interface that each technology implements for the scenarios.

use ctx_layer::{
    messaging::Delivery,
    propagation::{Carrier, CarrierMut},
};

use crate::Result;

/// A queue of a real server, with at-least-once delivery and a queue of dead letters.
pub trait Broker: Sized + Send + Sync + 'static {
    /// The value of `messaging.system`.
    const SYSTEM: &'static str;
    /// The name of its script in `tests/services/servers`.
    const SERVER: &'static str;
    /// `true` if the server moves dead letters itself, as they are. Otherwise the consumer sends them again.
    const MOVES_DEAD_LETTERS: bool;
    /// How many messages are sent for a hundred tenants.
    const MESSAGES: u32 = 10_000;
    /// The headers of a message before it is sent.
    type Headers: Carrier + CarrierMut + Default + Send + Sync;
    /// A received message.
    type Delivery: Delivery + Body;

    /// Connects to a queue, and creates it and that of its dead letters if there is none.
    fn connect(queue: &str) -> impl Future<Output = Result<Self>> + Send;

    /// Returns the name of the queue.
    fn queue(&self) -> &str;

    /// Sends a message, and returns when the server has it.
    fn send(&self, headers: Self::Headers, body: &str) -> impl Future<Output = Result> + Send;

    /// Receives a message, which is delivered again unless it is settled.
    fn receive(&self) -> impl Future<Output = Result<Self::Delivery>> + Send;

    /// Ends the connection after what was settled has been sent. Defaults to nothing.
    fn close(&self) -> impl Future<Output = Result> + Send {
        async { Ok(()) }
    }
}

/// The payload of a message.
pub trait Body {
    /// Returns it as a string.
    fn body(&self) -> String;
}

/// Returns the name of a queue's dead letters.
pub fn dead_letters_of(queue: &str) -> String {
    format!("{queue}_dead")
}
