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

use super::{ambient::Onto, core::Core, filled::Filled, rewrite::put_among};
use crate::{
    context::{BAGGAGE, NOTHING, address_alone, late, read},
    field::Fields,
};

thread_local! {
    /// Where the values stand that are whole. Has no destructor, and so can always be read.
    static WHOLE: Cell<usize> = const { Cell::new(0) };
    /// The fields among them.
    static FIELDS: Cell<Fields> = const { Cell::new(Fields::new()) };
}

/// Makes a span of a call site, whose values are in the order of its fields; with the parent that is in force. `fields` are
/// those of the context in force.
pub(crate) fn open(metadata: &'static Metadata<'static>, own: &[Option<&(dyn Value + '_)>], fields: &Fields) -> Span {
    dispatcher::get_default(|dispatch| match open_whole(dispatch, metadata, own, fields) {
        Some(span) => span,
        None => Span::new_with(metadata, &metadata.fields().value_set_all(own), dispatch),
    })
}

/// `None` where the fields cannot simply be put among the values.
fn open_whole(
    dispatch: &Dispatch,
    metadata: &'static Metadata<'static>,
    own: &[Option<&(dyn Value + '_)>],
    fields: &Fields,
) -> Option<Span> {
    // Baggage may say more, and what was recorded late; and as many contexts may be attached that this one was refused.
    let address = fields.address();
    if matches!(address, NOTHING | BAGGAGE) || late::is_any() || read(address_alone) != Some(address) {
        return None;
    }
    let augmentation = &dispatch.downcast_ref::<Core>()?.augmentation;
    let augmented = augmentation.of(metadata);
    if !augmented.takes_fields || !augmented.declared.is_empty() {
        return None;
    }
    let additions = Onto { fields, ids: None, augmentation, augmented, filled: Filled::default() };
    let mut span = None;
    put_among(own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
        if FIELDS.try_with(|kept| kept.set(fields.clone())).is_ok() {
            let _restore = Restore(WHOLE.replace(address_of(values)));
            span = Some(Span::new_with(augmented.metadata, values, dispatch));
        }
    });
    span
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
struct Restore(usize);

impl Drop for Restore {
    fn drop(&mut self) {
        WHOLE.set(self.0);
        // Nobody has taken them where what was passed on was another span.
        drop(FIELDS.try_with(Cell::take));
    }
}

fn address_of(values: &ValueSet<'_>) -> usize {
    std::ptr::from_ref(values).addr()
}
