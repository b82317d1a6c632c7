//! The values that are added.

use tracing_core::field::Value;

/// The values of a span or event, each at its field's index.
pub(in crate::layer) type RewriteValues<'a> = [Option<&'a (dyn Value + 'a)>];

/// Values to add to a source's own.
pub(in crate::layer) trait Additions {
    fn add<'a>(&'a self, values: &mut RewriteValues<'a>);
}
