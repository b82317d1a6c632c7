//! Settling a message.

use std::sync::Arc;

use tracing::record_all;

use super::{processing::Processing, settings::ConsumerSettings, span};
use crate::messaging::{
    client_operation::{ClientOperation, Operation},
    metrics::{Measured, Metrics},
    settlement::Settlement,
};

impl Processing {
    /// Records how the message is settled.
    pub(in crate::messaging) fn record_settlement(&self, settlement: Settlement) {
        record_all!(self.span(), ctx.messaging.settlement = settlement.as_str());
    }

    /// Starts settling the message.
    pub(in crate::messaging) fn settling(&self, settlement: Settlement) -> ClientOperation<Settle> {
        let settings = self.settings.clone();
        let span = self.snapshot.in_scope(|| span::settle(&settings, settlement, self.message_id()));
        ClientOperation::new(Settle { settings, settlement }, span)
    }
}

/// The settlement of a message, as it is measured.
pub(in crate::messaging) struct Settle {
    settings: Arc<ConsumerSettings>,
    settlement: Settlement,
}

impl Operation for Settle {
    fn measured(&self) -> Measured<'_> {
        self.settings.measured(self.settlement.as_str(), "settle")
    }

    fn metrics(&self) -> &Metrics {
        &self.settings.metrics
    }

    fn sent(&self) -> Option<u64> {
        None
    }
}
