//! Headers that recipients need not pass on.

use super::keys::Known;
use crate::settings::Limits;

/// The limits of headers.
pub(super) struct Sizes {
    limits: Limits,
}

/// The most members of a `tracestate`: W3C Trace Context, section 3.3.1.1.
const MEMBERS: usize = 32;

impl Sizes {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Returns the limit that a header is over.
    #[inline]
    pub(super) fn too_large(&self, key: Known, value: &str) -> Option<u32> {
        let limit = match key {
            _ if key.is_baggage => self.limits.baggage,
            _ if key.is_header => self.limits.header,
            _ => return None,
        };
        (value.len() > limit).then_some(limit as u32)
    }

    /// Returns the limit that a `tracestate` is over, in bytes or members.
    pub(super) fn tracestate(&self, value: &str) -> Option<u32> {
        if value.is_empty() {
            None
        } else if value.len() > self.limits.tracestate {
            Some(self.limits.tracestate as u32)
        } else {
            (value.split(',').filter(|member| !member.trim().is_empty()).count() > MEMBERS).then_some(MEMBERS as u32)
        }
    }
}
