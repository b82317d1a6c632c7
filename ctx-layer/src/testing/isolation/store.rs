use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use opentelemetry_sdk::trace::SpanData;

use crate::testing::captured::{CapturedEvent, CapturedLog, CapturedMessage, CapturedSpan, Measurement};

/// The telemetry of one capture.
pub(in crate::testing) struct Store {
    /// Identifies it among all captures of the process.
    pub(super) number: u64,
    data: Mutex<Data>,
}

#[derive(Default)]
struct Data {
    /// In the order in which they started.
    spans: Vec<CapturedSpan>,
    events: Vec<CapturedEvent>,
    logs: Vec<CapturedLog>,
    measurements: Vec<Measurement>,
    messages: Vec<CapturedMessage>,
    /// Called when something is added.
    wakers: Vec<Waker>,
}

impl Store {
    pub(super) fn new(number: u64) -> Self {
        Store { number, data: Mutex::default() }
    }

    /// Creates a store that belongs to no capture.
    pub(in crate::testing) fn unnumbered() -> Self {
        Self::new(0)
    }

    // A panicking test leaves complete data: each change is one assignment.
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, add: impl FnOnce(&mut Data)) {
        let mut data = self.data();
        add(&mut data);
        let wakers = std::mem::take(&mut data.wakers);
        drop(data);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(in crate::testing) fn start_span(&self, span: SpanData) {
        self.add(|data| data.spans.push(CapturedSpan::of(span, true)));
    }

    pub(in crate::testing) fn end_span(&self, span: SpanData) {
        let ended = CapturedSpan::of(span, false);
        self.add(|data| match data.spans.iter_mut().rfind(|open| open.span_id() == ended.span_id()) {
            Some(open) => *open = ended,
            None => data.spans.push(ended),
        });
    }

    pub(in crate::testing) fn add_event(&self, event: CapturedEvent) {
        self.add(|data| data.events.push(CapturedEvent { number: data.events.len(), ..event }));
    }

    pub(in crate::testing) fn add_log(&self, log: CapturedLog) {
        self.add(|data| data.logs.push(log));
    }

    pub(in crate::testing) fn add_measurement(&self, measurement: Measurement) {
        self.add(|data| data.measurements.push(measurement));
    }

    pub(in crate::testing) fn add_message(&self, message: CapturedMessage) {
        self.add(|data| data.messages.push(message));
    }

    /// Forgets everything.
    pub(in crate::testing) fn clear(&self) {
        let mut data = self.data();
        let wakers = std::mem::take(&mut data.wakers);
        *data = Data { wakers, ..Data::default() };
    }

    /// Has a waker called when something is added.
    pub(in crate::testing) fn wake(&self, waker: &Waker) {
        let mut data = self.data();
        if !data.wakers.iter().any(|known| known.will_wake(waker)) {
            data.wakers.push(waker.clone());
        }
    }

    pub(in crate::testing) fn spans(&self) -> Vec<CapturedSpan> {
        self.data().spans.clone()
    }

    pub(in crate::testing) fn events(&self) -> Vec<CapturedEvent> {
        self.data().events.clone()
    }

    pub(in crate::testing) fn logs(&self) -> Vec<CapturedLog> {
        self.data().logs.clone()
    }

    pub(in crate::testing) fn measurements(&self) -> Vec<Measurement> {
        self.data().measurements.clone()
    }

    pub(in crate::testing) fn messages(&self) -> Vec<CapturedMessage> {
        self.data().messages.clone()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("number", &self.number).finish_non_exhaustive()
    }
}
