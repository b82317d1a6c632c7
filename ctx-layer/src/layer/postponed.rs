//! Values that are recorded while an OpenTelemetry layer may hold the span's lock: for instance by a sampler, on the span that
//! is being started. Recording them at once would deadlock, so they are passed on when the lock is released.

use std::{cell::RefCell, num::NonZeroUsize};

use tracing_core::{
    Field,
    field::Value,
    span::{Id, Record},
};

use super::{
    filled::Filled,
    kept::{Keep, KeptValue},
    metadata::{Augmentation, call_site_of},
    span_lock,
};

thread_local! {
    static POSTPONED: RefCell<Vec<Postponed>> = const { RefCell::new(Vec::new()) };
}

struct Postponed {
    /// The subscriber of the span: an id is unique only within one subscriber.
    subscriber: NonZeroUsize,
    span: Id,
    values: Vec<(Field, KeptValue)>,
    filled: Filled,
}

/// Keeps recorded values until [`pass_on`] is called.
#[cold]
pub(super) fn postpone(subscriber: NonZeroUsize, span: &Id, values: &Record<'_>) {
    let mut keep = Keep::new(|_: &Field| true);
    values.record(&mut keep);
    let (span, filled) = (span.clone(), Filled::before(values));
    let postponed = Postponed { subscriber, span, values: keep.found.into_vec(), filled };
    let _ = POSTPONED.try_with(|all| all.borrow_mut().push(postponed));
    span_lock::set_postponed(true);
}

/// Calls `record` with the values kept for spans of a subscriber, in the order in which they were recorded.
#[cold]
pub(super) fn pass_on(subscriber: NonZeroUsize, augmentation: &Augmentation, record: impl Fn(&Id, &Record<'_>)) {
    let take = |all: &RefCell<Vec<Postponed>>| -> Vec<Postponed> {
        let mut all = all.borrow_mut();
        let mine = all.extract_if(.., |postponed| postponed.subscriber == subscriber).collect();
        span_lock::set_postponed(!all.is_empty());
        mine
    };
    for Postponed { span, values, filled, .. } in POSTPONED.try_with(take).unwrap_or_default() {
        for (field, value) in &values {
            let fields = augmentation.of(call_site_of(field.callsite())).metadata.fields();
            let value: &dyn Value = value.as_value();
            let values = [(field, Some(value))];
            let values = fields.value_set(&values);
            filled.passing_on(&Record::new(&values), |values| record(&span, values));
        }
    }
}
