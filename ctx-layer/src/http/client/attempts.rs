//! How often a request was tried.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Counts the attempts of a request, for `http.request.resend_count`. Its clones count together.
///
/// `tower`'s `Retry` makes its attempts of clones, and makes them before this layer sees the request. So what counts has to
/// be among the request's extensions before, put there outside of what retries. For `reqwest` the middleware sees to it.
///
/// ```
/// use ctx_layer::http::Attempts;
///
/// let mut request = http::Request::get("http://orders.internal.example/orders/7").body(())?;
/// // And now to a service made by `ServiceBuilder::new().retry(policy).layer(ClientLayer::new())`.
/// request.extensions_mut().insert(Attempts::new());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// None made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more. Says how often the request was sent again with it; `None` where it is the first.
    pub(super) fn again(&self) -> Option<i64> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before > 0).then_some(i64::from(before))
    }
}
