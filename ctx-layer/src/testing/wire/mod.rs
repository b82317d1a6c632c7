//! The other side of the wire: what other services send.

mod hostile;
mod peer;
#[cfg(feature = "testing-proptest")]
pub mod strategies;

pub use hostile::hostile_headers;
pub use peer::Peer;
