//! Spans of this crate's own, made whole: their values are at hand, so that nobody has to visit and copy them to put the
//! fields in force among them.
//!
//! The subscriber is told by the address of the values, on this thread, while they are passed to it.

use std::cell::Cell;

use tracing::Span;
use tracing_core::{
    Dispatch, Metadata, dispatcher,
    field::{Value, ValueSet},
    span::Attributes,
};

use super::{ambient, core::Core, filled::Filled};
use crate::{
    context::{BAGGAGE, NOTHING, address_alone, read_if_ready},
    field::Fields,
};

thread_local! {
    /// Where the values stand that are whole. Has no destructor, and so can always be read.
    static WHOLE: Cell<usize> = const { Cell::new(0) };
    /// The fields among them.
    static FIELDS: Cell<Fields> = const { Cell::new(Fields::new()) };
}

/// Values in the order of a call site's fields, and behind them room for others. They are put in their place only once:
/// moving what was just written costs more than all else here. Where there are more fields than room, they are put on the
/// span as they are put on any other.
pub(crate) type WithRoom<'v> = [Option<&'v (dyn Value + 'v)>];

/// Makes a span of a call site, with the parent that is in force. `fields` are those of the context in force.
pub(crate) fn open<'v>(metadata: &'static Metadata<'static>, values: &mut WithRoom<'v>, fields: &'v Fields) -> Span {
    dispatcher::get_default(|dispatch| match open_whole(dispatch, metadata, values, fields) {
        Some(span) => span,
        None => {
            let own = &values[..metadata.fields().len().min(values.len())];
            Span::new_with(metadata, &metadata.fields().value_set_all(own), dispatch)
        }
    })
}

/// `None` where the fields cannot simply be put among the values.
fn open_whole<'v>(
    dispatch: &Dispatch,
    metadata: &'static Metadata<'static>,
    values: &mut WithRoom<'v>,
    fields: &'v Fields,
) -> Option<Span> {
    // Baggage may say more, and what was recorded late; and as many contexts may be attached that this one was refused.
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
    FIELDS.try_with(|kept| kept.set(fields.clone())).ok()?;
    let _restore = RestoreCompleted(WHOLE.replace(address_of(&values)));
    Some(Span::new_with(augmented.metadata, &values, dispatch))
}

/// The fields that stand among the values already, where all do.
#[inline]
pub(super) fn fields_of(attributes: &Attributes<'_>) -> Option<Fields> {
    if WHOLE.get() != address_of(attributes.values()) {
        return None;
    }
    // None are left where whoever stands around the subscriber has made another whole span first.
    FIELDS.try_with(Cell::take).ok().filter(|fields| !fields.is_blank())
}

/// What is whole again, once a span was made, or a layer has made others meanwhile.
struct RestoreCompleted(usize);

impl Drop for RestoreCompleted {
    fn drop(&mut self) {
        WHOLE.set(self.0);
        // Nobody has taken them where what was passed on was another span.
        drop(FIELDS.try_with(Cell::take));
    }
}

fn address_of(values: &ValueSet<'_>) -> usize {
    std::ptr::from_ref(values).addr()
}
