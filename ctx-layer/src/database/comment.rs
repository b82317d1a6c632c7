//! Comments of database operations.

use super::exposed::Exposed;

/// Returns the current context in one line, for a database that takes a comment with an operation, such as MongoDB. `None` without
/// context.
///
/// It has the form `traceparent=...,tenant_id=acme`, with values encoded as in baggage. Sensitive fields are not in it.
///
/// ```
/// use ctx_layer::{database, field::well_known::TENANT_ID};
///
/// // `collection.find(filter).comment(database::comment())`
/// let comment = TENANT_ID.in_scope("acme", database::comment);
/// assert_eq!(comment.as_deref(), Some("tenant_id=acme"));
/// assert_eq!(database::comment(), None);
/// ```
pub fn comment() -> Option<String> {
    let context = Exposed::current();
    let trace = context.get("traceparent").map(|parent| ("traceparent", parent));
    let pairs: Vec<String> =
        trace.into_iter().chain(context.members()).map(|(key, value)| format!("{key}={value}")).collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}
