//! Redirects that `reqwest` follows by itself, with the headers of the first request.

use reqwest::{Url, redirect::Policy};

use super::ClientLayer;
use crate::propagation::Outbound;

impl ClientLayer {
    /// A policy for `reqwest`'s redirects: its own, but none is followed from one's own hosts to another's. `reqwest` would
    /// send the headers along, and with them the fields, which are not for strangers. The response is the redirect then.
    ///
    /// ```
    /// use ctx_layer::{http::{ClientLayer, ClientMiddleware}, propagation::DestinationPolicy};
    ///
    /// let layer = ClientLayer::new().destinations(DestinationPolicy::internal(["internal.example"])?);
    /// let client = reqwest::Client::builder().redirect(layer.redirects()).build()?;
    /// let client = reqwest_middleware::ClientBuilder::new(client).with(ClientMiddleware::new(layer)).build();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redirects(&self) -> Policy {
        let settings = self.settings.clone();
        let usual = Policy::default();
        Policy::custom(move |attempt| {
            let gets_all = |url: &Url| settings.outbound(Some(url.authority())) == Outbound::Everything;
            // Whatever lies between: the headers are those that the first one got.
            if attempt.previous().first().is_some_and(gets_all) && !gets_all(attempt.url()) {
                attempt.stop()
            } else {
                usual.redirect(attempt)
            }
        })
    }
}
