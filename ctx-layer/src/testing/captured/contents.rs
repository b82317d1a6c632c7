use super::{CapturedEvent, CapturedMessage, CapturedTrace};

/// Everything that a picture or a snapshot shows, as it was at one time.
pub(in crate::testing) struct Contents {
    pub(in crate::testing) traces: Vec<CapturedTrace>,
    pub(in crate::testing) events: Vec<CapturedEvent>,
    pub(in crate::testing) messages: Vec<CapturedMessage>,
}

impl Contents {
    /// Returns the events that happened in no span.
    pub(in crate::testing) fn outside(&self) -> impl Iterator<Item = &CapturedEvent> {
        self.events.iter().filter(|event| event.trace_id().is_none())
    }
}
