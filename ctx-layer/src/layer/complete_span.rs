//! Spans of this crate that are created with all their values, so that the subscriber need not visit and copy them to add the
//! current fields.
//!
//! The subscriber recognises them by the address of their values, which is stored for this thread while they are passed on.

use tracing::Span;
use tracing_core::{
    Dispatch, Metadata, dispatcher,
    field::{Value, ValueSet},
    span::Attributes,
};

use super::{ambient, core::Core, filled::Filled, side_channel};
use crate::{
    context::{BAGGAGE, NOTHING, address_alone, read_if_ready},
    field::Fields,
};

/// Values in the order of a call site's fields, followed by room for added ones. Added values are written in place, because
/// moving values costs more than everything else here. If there are more fields than room, they are added as on any other
/// span.
pub(crate) type WithRoom<'v> = [Option<&'v (dyn Value + 'v)>];

/// Creates a span of a call site with the current span as its parent. `fields` are those of the current context.
pub(crate) fn open<'v>(metadata: &'static Metadata<'static>, values: &mut WithRoom<'v>, fields: &'v Fields) -> Span {
    dispatcher::get_default(|dispatch| match open_complete(dispatch, metadata, values, fields) {
        Some(span) => span,
        None => {
            let own = &values[..metadata.fields().len().min(values.len())];
            Span::new_with(metadata, &metadata.fields().value_set_all(own), dispatch)
        }
    })
}

/// Returns `None` if more is needed than adding the fields to the values.
fn open_complete<'v>(
    dispatch: &Dispatch,
    metadata: &'static Metadata<'static>,
    values: &mut WithRoom<'v>,
    fields: &'v Fields,
) -> Option<Span> {
    // Baggage may add values, and so may values recorded on the span; and a context limit may have refused this context.
    let address = fields.address();
    if matches!(address, NOTHING | BAGGAGE) || read_if_ready(address_alone) != Some(address) {
        return None;
    }
    let augmented = dispatch.downcast_ref::<Core>()?.augmentation.of(metadata);
    if !augmented.takes_fields || !augmented.declared.is_empty() {
        return None;
    }
    let all = augmented.metadata.fields();
    let values = values.get_mut(..all.len())?;
    ambient::put(fields, augmented, Filled::default(), values);
    let values = all.value_set_all(values);
    let _restore = side_channel::complete(address_of(&values), fields)?;
    Some(Span::new_with(augmented.metadata, &values, dispatch))
}

/// Returns the fields that are among the values already, if they all are.
#[inline]
pub(super) fn fields_of(attributes: &Attributes<'_>) -> Option<Fields> {
    side_channel::take_completed(address_of(attributes.values()))
}

fn address_of(values: &ValueSet<'_>) -> usize {
    std::ptr::from_ref(values).addr()
}
