//! The template of a request's URL.

use std::borrow::Cow;

/// The template of a request's URL, such as `/orders/{id}`. In a request's extensions, it becomes part of the span's
/// name.
///
/// ```
/// use ctx_layer::http::UrlTemplate;
///
/// let mut request = http::Request::get("http://orders.internal.example/orders/7").body(())?;
/// request.extensions_mut().insert(UrlTemplate::new("/orders/{id}"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(Cow<'static, str>);

impl UrlTemplate {
    /// Creates a template. It must not contain anything that differs between requests.
    pub fn new(template: impl Into<Cow<'static, str>>) -> Self {
        UrlTemplate(template.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
