//! Handling one message, and settling it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use tracing::{error, warn};

use super::{delivery::Delivery, message::Message};
use crate::{
    messaging::{Consumer, Outcome, Processing, Settlement, consumer::CaughtFuture, settlement::failure_of},
    panic::{Panicked, caught_with},
    task::InContextExt,
};

/// Decides how a message is settled whose handler returned an error.
pub(super) type OnError<R> = Arc<dyn Fn(&R, u32) -> Settlement + Send + Sync>;

/// The policy for failed messages.
pub(super) struct FailurePolicy<R> {
    pub(super) on_error: Option<OnError<R>>,
    pub(super) on_panic: Settlement,
    pub(super) max_attempts: Option<u32>,
}

impl<R> Clone for FailurePolicy<R> {
    fn clone(&self) -> Self {
        FailurePolicy { on_error: self.on_error.clone(), on_panic: self.on_panic, max_attempts: self.max_attempts }
    }
}

impl<R: Outcome> FailurePolicy<R> {
    fn for_result(&self, result: &R, attempt: u32) -> Settlement {
        if let Some(settlement) = result.settlement() {
            return settlement;
        }
        let settlement = match &self.on_error {
            Some(on_error) => on_error(result, attempt),
            None => Settlement::Nack,
        };
        self.limited(settlement, attempt)
    }

    /// Replaces another delivery by the dead-letter queue, if there were enough.
    fn limited(&self, settlement: Settlement, attempt: u32) -> Settlement {
        let is_again = matches!(settlement, Settlement::Nack | Settlement::Requeue);
        if is_again && self.max_attempts.is_some_and(|max| attempt >= max) {
            return Settlement::DeadLetter;
        }
        settlement
    }
}

/// How a message was settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// `None` if the broker returned an error.
    pub(super) settlement: Option<Settlement>,
    pub(super) is_panic: bool,
}

/// Handles a message in its context, and settles it by the result.
pub(super) async fn handle<D, H, F, R>(
    consumer: Consumer,
    delivery: D,
    handler: Arc<H>,
    policy: FailurePolicy<R>,
) -> Settled
where
    D: Delivery,
    H: Fn(Message<D>) -> F,
    F: Future<Output = R>,
    R: Outcome,
{
    let delivery = Arc::new(delivery);
    // The carrier is foreign code, and so is what sets the fields.
    let read = || consumer.receive_apart(&delivery.headers(), delivery.options()).process();
    let processing = match caught_with(AssertUnwindSafe(read)) {
        Ok(processing) => processing,
        Err(payload) => {
            let panicked = Panicked::with(&payload);
            error!(error = &panicked as &(dyn std::error::Error + 'static), "the headers of a message were not read");
            let settlement = delivery.settle(policy.on_panic).await.is_ok().then_some(policy.on_panic);
            return Settled { settlement, is_panic: true };
        }
    };
    let message = Message {
        delivery: delivery.clone(),
        snapshot: processing.snapshot().clone(),
        message_id: processing.message_id().map(Box::from),
        attempt: processing.attempt(),
        cause: processing.cause(),
    };
    // The handler is called within the context, too.
    let handled = async move { handler(message).await };
    let (mut processing, result) = CaughtFuture::new(handled, processing).await;
    let attempt = processing.attempt();
    // Deciding is the user's code, which may panic like the handler.
    let decided = result.and_then(|result| {
        let settlement = processing.caught(|| policy.for_result(&result, attempt))?;
        processing.ended(failure_of(&result).as_ref());
        // What the handler returned is dropped within its context.
        processing.caught(|| drop(result))?;
        Ok(settlement)
    });
    let (settlement, is_panic) = match decided {
        Ok(settlement) => (settlement, false),
        Err(payload) => {
            processing.record_panic(&payload);
            (policy.limited(policy.on_panic, attempt), true)
        }
    };
    processing.record_settlement(settlement);
    Settled { settlement: settle(&*delivery, settlement, processing).await, is_panic }
}

/// Settles a message within its context. Returns `None` if the broker returned an error.
async fn settle<D: Delivery>(delivery: &D, settlement: Settlement, processing: Processing) -> Option<Settlement> {
    let snapshot = processing.snapshot().clone();
    let settling = processing.settling(settlement);
    let settled = async {
        let settled = settling.run(delivery.settle(settlement)).await;
        if let Err(error) = &settled {
            warn!(%error, settlement = settlement.as_str(), "a message was not settled");
        }
        settled.is_ok().then_some(settlement)
    };
    let settled = settled.in_context(snapshot).await;
    drop(processing);
    settled
}
