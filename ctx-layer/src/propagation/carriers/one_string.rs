//! Context in one string.

use std::fmt;

use serde_json::{Map, Value};

use crate::propagation::{
    captured::Captured,
    carrier::{Carrier, CarrierMut},
};

/// A context as one string of JSON, for maps with few entries.
///
/// A message of Amazon SQS or SNS has at most ten attributes, and services like to use them themselves. So the context is one of
/// them, by convention named `context`:
///
/// ```
/// use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust, carriers::OneString}};
///
/// # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
/// let mut context = OneString::new();
/// TENANT_ID.in_scope("acme", || propagation::inject(&mut context));
/// // `MessageAttributeValue::builder().data_type("String").string_value(context.to_string())`
/// assert_eq!(context.to_string(), r#"{"baggage":"tenant_id=acme"}"#);
///
/// // `message.message_attributes()?.get("context")?.string_value()?`
/// let received = OneString::from(r#"{"baggage":"tenant_id=acme"}"#);
/// propagation::extract(&received, Trust::internal()).in_scope(|| {
///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
/// });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OneString(Captured);

impl OneString {
    /// Creates one without context.
    pub const fn new() -> Self {
        OneString(Captured::new())
    }

    /// Returns `true` if there is no context to send.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a string. One that is not a JSON object is without context, and entries that are not strings are ignored.
impl From<&str> for OneString {
    fn from(json: &str) -> Self {
        let object: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        OneString(object.iter().filter_map(|(key, value)| Some((key, value.as_str()?))).collect())
    }
}

impl fmt::Display for OneString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (key, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}\"{key}\":{}", Value::from(value))?;
        }
        f.write_str("}")
    }
}

impl Carrier for OneString {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.0.lines(key, line);
    }
}

impl CarrierMut for OneString {
    fn set(&mut self, key: &str, value: &str) {
        self.0.set(key, value);
    }

    fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }
}
