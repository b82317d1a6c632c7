//! The limit of the length of attributes.

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// Cuts the strings of attributes of spans, of their events and links to a number of characters.
///
/// The specification's "Attribute Limits". The SDK for Rust has limits of counts only.
pub(crate) fn limit_length(batch: &mut [SpanData], characters: usize) {
    for span in batch {
        span.attributes.iter_mut().for_each(|attribute| cut(attribute, characters));
        let events = span.events.events.iter_mut().flat_map(|event| &mut event.attributes);
        let links = span.links.links.iter_mut().flat_map(|link| &mut link.attributes);
        events.chain(links).for_each(|attribute| cut(attribute, characters));
    }
}

fn cut(attribute: &mut KeyValue, characters: usize) {
    if let Value::String(value) = &attribute.value
        && let Some((end, _)) = value.as_str().char_indices().nth(characters)
    {
        attribute.value = Value::from(value.as_str()[..end].to_owned());
    }
}
