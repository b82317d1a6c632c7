//! A policy for redirects that `reqwest` follows with the headers of the first request.

use reqwest::{Url, redirect::Policy};

use super::layer::ClientLayer;
use crate::propagation::Outbound;

impl ClientLayer {
    /// Returns a redirect policy for `reqwest`. It is the default one, except that redirects from internal to external
    /// hosts are not followed: `reqwest` would send the headers, and with them the fields, to an external host. The
    /// caller gets the redirect response instead.
    ///
    /// ```
    /// use ctx_layer::{http::{ClientLayer, ClientMiddleware}, propagation::DestinationPolicy};
    ///
    /// let destinations = DestinationPolicy::internal(["internal.example"])?;
    /// let layer = ClientLayer::new().destinations(destinations);
    /// let client = reqwest::Client::builder().redirect(layer.redirects()).build()?;
    /// let client = reqwest_middleware::ClientBuilder::new(client)
    ///     .with(ClientMiddleware::new(layer))
    ///     .build();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redirects(&self) -> Policy {
        let settings = self.settings.clone();
        let usual = Policy::default();
        Policy::custom(move |attempt| {
            let gets_all = |url: &Url| settings.outbound(Some(url.authority())) == Outbound::Everything;
            // Hops in between do not matter: all have the headers of the first request.
            if attempt.previous().first().is_some_and(gets_all) && !gets_all(attempt.url()) {
                attempt.stop()
            } else {
                usual.redirect(attempt)
            }
        })
    }
}
