//! A handler of the jobs of a library.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ctx_layer::{
    messaging::{Consumer, Destination, ReceiveOptions},
    propagation::{Carrier, Trust},
};
use tokio::sync::Semaphore;
use tracing::info;

use crate::{job_library::JobLibrary, worker::Mode};

/// A handler of jobs, which logs a line for each attempt in the job's context.
#[derive(Debug)]
pub struct JobHandler {
    consumer: Consumer,
    mode: Mode,
    all: u32,
    handled: Semaphore,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl JobHandler {
    /// Creates one that has enough after a number of attempts. With [`Mode::Reject`], each job's first attempt fails.
    pub fn new<L: JobLibrary>(queue: &str, trust: Trust, mode: Mode, all: u32) -> Arc<Self> {
        let consumer = Consumer::new(Destination::new(L::SYSTEM, queue.to_owned())).trust(trust);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(JobHandler { consumer, mode, all, handled: Semaphore::new(0), running, most })
    }

    /// Handles an attempt in the job's context.
    ///
    /// # Errors
    ///
    /// With [`Mode::Reject`], for the first attempt.
    pub async fn handle<C>(&self, context: &C, attempt: u32, body: &str) -> std::result::Result<(), String>
    where
        C: Carrier + ?Sized,
    {
        let received = self.consumer.receive_with(context, ReceiveOptions::new().delivery(attempt));
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        let handle = async {
            // Others run meanwhile.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            info!(attempt, body, "handled");
            match self.mode {
                Mode::Handle => Ok(()),
                Mode::Reject if attempt > 1 => Ok(()),
                Mode::Reject => Err("the first attempt fails".to_owned()),
                Mode::Hang => std::future::pending().await,
            }
        };
        let outcome = received.process().run(handle).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        self.handled.add_permits(1);
        outcome
    }

    /// Waits until there were enough attempts.
    ///
    /// # Errors
    ///
    /// If there were not within a minute.
    pub async fn enough(&self) -> Result<(), String> {
        let enough =
            tokio::time::timeout(std::time::Duration::from_secs(60), self.handled.acquire_many(self.all)).await;
        match enough {
            Ok(Ok(_)) => Ok(()),
            _ => Err(format!("{} of {} attempts within a minute", self.handled.available_permits(), self.all)),
        }
    }

    /// Returns the most attempts that ran at once.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}
