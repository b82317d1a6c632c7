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
    context::{InForce, give_back, in_force},
    field::Fields,
};

thread_local! {
    /// Where the values stand that are whole. Has no destructor, and so can always be read.
    static WHOLE: Cell<usize> = const { Cell::new(0) };
}

/// Makes a span of a call site, whose values are in the order of its fields; with the parent that is in force.
pub(crate) fn open(metadata: &'static Metadata<'static>, own: &[Option<&(dyn Value + '_)>]) -> Span {
    dispatcher::get_default(|dispatch| {
        if let InForce::Fields(fields) = in_force() {
            let span = open_whole(dispatch, metadata, own, &fields);
            give_back(fields);
            if let Some(span) = span {
                return span;
            }
        }
        Span::new_with(metadata, &metadata.fields().value_set_all(own), dispatch)
    })
}

/// `None` where the fields cannot simply be put among the values.
fn open_whole(
    dispatch: &Dispatch,
    metadata: &'static Metadata<'static>,
    own: &[Option<&(dyn Value + '_)>],
    fields: &Fields,
) -> Option<Span> {
    let augmentation = &dispatch.downcast_ref::<Core>()?.augmentation;
    let augmented = augmentation.of(metadata);
    if !augmented.takes_fields || !augmented.declared.is_empty() {
        return None;
    }
    let additions = Onto { fields, ids: None, augmentation, augmented, filled: Filled::default() };
    let mut span = None;
    put_among(own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
        let _restore = Restore(WHOLE.replace(address(values)));
        span = Some(Span::new_with(augmented.metadata, values, dispatch));
    });
    span
}

/// Whether all fields stand among the values already.
#[inline]
pub(super) fn is_whole(attributes: &Attributes<'_>) -> bool {
    WHOLE.get() == address(attributes.values())
}

/// What is whole again, once a span was made, or a layer has made others meanwhile.
struct Restore(usize);

impl Drop for Restore {
    fn drop(&mut self) {
        WHOLE.set(self.0);
    }
}

fn address(values: &ValueSet<'_>) -> usize {
    std::ptr::from_ref(values).addr()
}
