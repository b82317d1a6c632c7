//! The number of messages that a worker handled, by their end.

use tokio::task::JoinError;

use super::settle::Settled;
use crate::messaging::Settlement;

/// The number of messages that a worker handled, by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerSummary {
    /// Messages that are done.
    pub acked: u64,
    /// Messages that failed.
    pub nacked: u64,
    /// Messages that went back to the queue.
    pub requeued: u64,
    /// Messages that are not delivered again.
    pub dead_lettered: u64,
    /// Messages that were not settled: the broker returned an error, or the limit for draining was over. The broker delivers them
    /// again.
    pub unsettled: u64,
    /// Handlers that panicked. Their messages are counted above, too.
    pub panicked: u64,
}

impl WorkerSummary {
    /// Counts the end of a message's task. One that was aborted, or panicked outside of the handler, has settled nothing.
    pub(super) fn add(&mut self, ended: Result<Settled, JoinError>) {
        let settled = ended.unwrap_or_else(|error| Settled { settlement: None, is_panic: error.is_panic() });
        self.panicked += u64::from(settled.is_panic);
        let count = match settled.settlement {
            None => &mut self.unsettled,
            Some(Settlement::Ack) => &mut self.acked,
            Some(Settlement::Nack) => &mut self.nacked,
            Some(Settlement::Requeue) => &mut self.requeued,
            Some(Settlement::DeadLetter) => &mut self.dead_lettered,
        };
        *count += 1;
    }
}
