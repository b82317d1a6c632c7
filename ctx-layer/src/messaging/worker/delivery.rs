//! A message as a broker's client delivers it.

use std::fmt;

use crate::{
    messaging::{ReceiveOptions, Settlement},
    propagation::Carrier,
};

/// A message as a broker's client delivers it: its headers, and how it is settled.
///
/// Implement it for a type of your own around the client's:
///
/// ```
/// use std::{collections::HashMap, io};
/// use ctx_layer::{messaging::{Delivery, ReceiveOptions, Settlement}, propagation::Carrier};
///
/// struct Job {
///     id: u64,
///     tries: u32,
///     headers: HashMap<String, String>,
/// }
///
/// impl Delivery for Job {
///     type Error = io::Error;
///
///     fn headers(&self) -> impl Carrier {
///         &self.headers
///     }
///
///     fn options(&self) -> ReceiveOptions {
///         ReceiveOptions::new().message_id(self.id.to_string()).delivery(self.tries)
///     }
///
///     async fn settle(&self, settlement: Settlement) -> Result<(), io::Error> {
///         match settlement {
///             Settlement::Ack => println!("delete job {}", self.id),
///             Settlement::Nack | Settlement::Requeue => println!("unlock job {}", self.id),
///             Settlement::DeadLetter => println!("move job {}", self.id),
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Delivery: Send + Sync + 'static {
    /// The error of a settlement.
    type Error: fmt::Display + Send;

    /// Returns the headers.
    fn headers(&self) -> impl Carrier;

    /// Returns what the headers do not have: the broker's id, the number of deliveries. Defaults to nothing.
    fn options(&self) -> ReceiveOptions {
        ReceiveOptions::new()
    }

    /// Settles the message. Called once, after the message was handled. A [`Settlement`] that the broker does not have is the nearest
    /// one that it has.
    fn settle(&self, settlement: Settlement) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
