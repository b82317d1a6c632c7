//! The metrics of the conventions, and what is left of them without the feature `metrics`.

#[cfg(not(feature = "metrics"))]
mod absent;
#[cfg(feature = "metrics")]
mod present;

#[cfg(not(feature = "metrics"))]
pub(super) use absent::*;
#[cfg(feature = "metrics")]
pub(super) use present::*;

use super::destination::Destination;

/// An operation on a destination.
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "nothing is measured"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured<'a> {
    /// The value of `messaging.operation.name`.
    pub(super) name: &'a str,
    /// The value of `messaging.operation.type`.
    pub(super) kind: &'static str,
    pub(super) destination: &'a Destination,
    pub(super) group: Option<&'a str>,
    pub(super) subscription: Option<&'a str>,
    /// The value of `error.type`, if it has failed.
    pub(super) error: Option<&'a str>,
    /// The attributes of an operation that has not failed, if they were composed before.
    pub(super) composed: Option<&'a Composed>,
}
