//! A middleware for `reqwest`.

use std::{error::Error as _, sync::Arc};

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use tracing::Instrument;

use super::{
    attempts::Attempts, layer::ClientLayer, settings::ClientSettings, span::Outgoing, url_template::UrlTemplate,
};
use crate::http::exchange::{Exchange, ExchangeSide};

/// A middleware for `reqwest`. Each attempt has a span and carries the context. The settings are those of a
/// [`ClientLayer`].
///
/// Add it after the retrying middleware, so that each attempt has its own span. A span ends when the response's headers
/// arrive.
///
/// `reqwest` itself follows redirects, within one attempt and with the same headers. If an internal service may
/// redirect to an external host, set [`ClientLayer::redirects`] on the client. Otherwise the external host gets the
/// fields too.
///
/// ```
/// use ctx_layer::{http::{ClientLayer, ClientMiddleware}, propagation::DestinationPolicy};
///
/// let destinations = DestinationPolicy::internal(["internal.example"])?;
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     // Add the retrying middleware here.
///     .with(ClientMiddleware::new(ClientLayer::new().destinations(destinations)))
///     .build();
/// # Ok::<(), ctx_layer::propagation::DestinationError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientMiddleware {
    settings: Arc<ClientSettings>,
}

impl ClientMiddleware {
    /// Creates a middleware with the settings of a layer.
    pub fn new(layer: ClientLayer) -> Self {
        ClientMiddleware { settings: layer.settings }
    }
}

#[async_trait::async_trait]
impl Middleware for ClientMiddleware {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        // Retries share their extensions.
        let attempts = extensions.get::<Attempts>().cloned().unwrap_or_default();
        let resend_count = attempts.again();
        extensions.insert(attempts);

        let (line, span, outbound) = {
            let url = request.url();
            let outgoing = Outgoing {
                method: request.method(),
                scheme: url.scheme(),
                authority: Some(url.authority()),
                path: url.path(),
                query: url.query(),
                template: extensions.get::<UrlTemplate>(),
                resend_count,
                settings: &self.settings,
            };
            let line = outgoing.start_line(request.headers(), false);
            (line, outgoing.http_span(), self.settings.outbound(outgoing.authority))
        };
        span.in_scope(|| self.settings.boundary.inject(request.headers_mut(), outbound));
        let mut attempt = Attempt(Exchange::new(false, ExchangeSide::Client(span.clone()), line).without_body());
        let result = next.run(request, extensions).instrument(span).await;
        match &result {
            Ok(response) => attempt.0.responded(response.status(), response.version(), response.headers()),
            Err(error) => attempt.0.failed(kind(error), &description(error)),
        }
        result
    }
}

/// An attempt, which may be dropped before it ends.
struct Attempt(Exchange);

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.cancelled();
    }
}

/// Returns the value of `error.type`.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::Reqwest(error) if error.is_timeout() => "timeout",
        Error::Reqwest(error) if error.is_connect() => "connect",
        Error::Reqwest(error) if error.is_redirect() => "redirect",
        Error::Reqwest(error) if error.is_body() => "body",
        Error::Reqwest(error) if error.is_request() => "request",
        _ => "_OTHER",
    }
}

/// Returns the error without the URL, whose query may contain a secret.
fn description(error: &Error) -> String {
    let Error::Reqwest(error) = error else { return "a middleware failed".to_owned() };
    let mut text = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
