//! Sending requests: a `tower` layer, and a middleware for `reqwest`.

mod attempts;
mod layer;
#[cfg(feature = "reqwest")]
mod redirects;
#[cfg(feature = "reqwest")]
mod reqwest;
mod service;
mod settings;
mod span;
mod url_template;

pub use attempts::Attempts;
pub use layer::ClientLayer;
#[cfg(feature = "reqwest")]
pub use reqwest::ClientMiddleware;
pub use service::{ClientFuture, ClientService};
pub use url_template::UrlTemplate;
