//! The interface that each library of jobs implements for its scenarios.

use std::sync::Arc;

use ctx_layer::propagation::{Carrier, CarrierMut};

use crate::{Result, job_handler::JobHandler};

/// A library of jobs, whose workers call a function for each job and call it again if it fails.
pub trait JobLibrary: Sized + Send + Sync + 'static {
    /// The value of `messaging.system`.
    const SYSTEM: &'static str;
    /// `true` if the attempt of a worker that is killed counts as one.
    const COUNTS_KILLED: bool;
    /// The context that is stored with a job.
    type Headers: Carrier + CarrierMut + Default + Send + Sync;

    /// Opens a queue, and creates it if there is none.
    fn connect(queue: &str) -> impl Future<Output = Result<Self>> + Send;

    /// Returns the name of the queue.
    fn queue(&self) -> &str;

    /// Adds a job.
    fn push(&self, headers: Self::Headers, body: &str) -> impl Future<Output = Result> + Send;

    /// Runs a worker with a number of jobs at once, until the handler has seen enough.
    fn work(&self, handler: Arc<JobHandler>, concurrency: usize) -> impl Future<Output = Result> + Send;

    /// Removes the queue.
    fn remove(self) -> impl Future<Output = Result> + Send;
}
