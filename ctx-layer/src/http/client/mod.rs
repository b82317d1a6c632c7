//! Sending requests: a `tower` layer, and a middleware for `reqwest`.

mod attempts;
mod layer;
#[cfg(feature = "reqwest")]
mod redirects;
#[cfg(feature = "reqwest")]
mod reqwest;
mod service;
mod span;

pub use attempts::Attempts;
pub use layer::{ClientLayer, UrlTemplate};
#[cfg(feature = "reqwest")]
pub use reqwest::ClientMiddleware;
pub use service::{ClientFuture, ClientService};
