//! Stubs: without the feature `metrics` nothing is measured.

use super::Measured;

#[derive(Clone, Debug)]
pub(in crate::messaging) struct Metrics;

impl Metrics {
    pub(in crate::messaging) fn global() -> Self {
        Metrics
    }

    pub(in crate::messaging) fn sent(&self, _: u64, _: &Measured<'_>) {}

    pub(in crate::messaging) fn consumed(&self, _: u64, _: &Measured<'_>) {}

    pub(in crate::messaging) fn operation(&self, _: &Clock, _: &Measured<'_>) {}

    pub(in crate::messaging) fn processing(&self, _: &Clock, _: &Measured<'_>) {}
}

/// Attributes that are not composed.
#[derive(Clone, Debug, Default)]
pub(in crate::messaging) struct Composed(());

impl Composed {
    pub(in crate::messaging) fn of(_: &Measured<'_>) -> Self {
        Composed(())
    }
}

/// A clock that is not read.
#[derive(Debug)]
pub(in crate::messaging) struct Clock;

impl Clock {
    pub(in crate::messaging) fn start() -> Self {
        Clock
    }
}
