//! The number of attempts of a request.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// A counter of the attempts of a request, for `http.request.resend_count`. Its clones share the count.
///
/// `tower`'s `Retry` clones the request before this layer sees it. Therefore the counter must be added to the request's
/// extensions outside the retrying layer. For `reqwest` the middleware adds it.
///
/// ```
/// use ctx_layer::http::Attempts;
///
/// let mut request = http::Request::get("http://orders.internal.example/orders/7").body(())?;
/// // Then pass it to a service of
/// // `ServiceBuilder::new().retry(policy).layer(ClientLayer::new())`.
/// request.extensions_mut().insert(Attempts::new());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// Creates a counter without attempts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more attempt. Returns how often the request was resent; `None` for the first attempt.
    pub(super) fn again(&self) -> Option<i64> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before > 0).then_some(i64::from(before))
    }
}
