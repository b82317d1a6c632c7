//! Rebuilding the values of a span or event with others added.
//!
//! `tracing`'s `Value` is sealed, and the values of an event are visible only inside a `Visit`, one at a time. So a visit
//! collects them, and they are assembled again:
//!
//! - numbers and booleans are copied;
//! - strings and bytes are copied once, to a reused buffer;
//! - `Debug` values (also `%display` and the message) are not copied: formatting one visits the source again, and so formats
//!   the value itself, with the formatter's own flags. A value that is not formatted costs nothing;
//! - errors are held by staying inside the visit that shows them, because only there they are available as `dyn Error`.

mod additions;
mod held_values;
mod many;
mod revisit;
mod room;
mod scratch;
mod source;

use tracing_core::field::{FieldSet, ValueSet};

pub(super) use additions::{Additions, RewriteValues};
pub(super) use source::Source;

/// Calls `then` with the first `own` values of `source`, and with the values that `additions` adds.
///
/// `fields` are the fields of the result; they start with the source's own. Values are passed in place, because moving them
/// costs more than everything else here.
#[inline]
pub(super) fn rewrite(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    // Stack space, so that nothing is allocated: as little as most need, or as much as nearly all do.
    if own <= 3 && fields.len() <= 12 {
        many::rewrite_within::<3, 12>(source, own, fields, additions, then);
    } else {
        many::rewrite(source, own, fields, additions, then);
    }
}
