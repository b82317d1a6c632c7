//! Tasks of a `JoinSet` that run in the context that is current where they are spawned.

use std::future::Future;

use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};

use super::{closure::in_current_context, in_context::InContextExt};

/// An extension trait for [`JoinSet`] that spawns tasks in the current context.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::JoinSetExt};
/// use tokio::task::JoinSet;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let guard = TENANT_ID.attach("acme");
/// let mut parts = JoinSet::new();
/// for part in 0..3 {
///     parts.spawn_with_context(async move { format!("{part} of {}", TENANT_ID.get().unwrap()) });
/// }
/// # drop(guard);
/// let mut lines = parts.join_all().await;
/// lines.sort();
/// assert_eq!(lines, ["0 of acme", "1 of acme", "2 of acme"]);
/// # });
/// ```
///
/// # Panics
/// Panics like the methods of `JoinSet`: outside of a runtime, or of a `LocalSet`.
pub trait JoinSetExt<T> {
    /// Spawns a task like [`JoinSet::spawn`], in the current context.
    #[track_caller]
    fn spawn_with_context<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send;

    /// Spawns a task like [`JoinSet::spawn_on`], in the current context.
    #[track_caller]
    fn spawn_on_with_context<F>(&mut self, future: F, runtime: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send;

    /// Spawns a task like [`JoinSet::spawn_local`], in the current context.
    #[track_caller]
    fn spawn_local_with_context<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static;

    /// Spawns a closure like [`JoinSet::spawn_blocking`], in the current context.
    #[track_caller]
    fn spawn_blocking_with_context<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send;
}

impl<T: 'static> JoinSetExt<T> for JoinSet<T> {
    #[track_caller]
    fn spawn_with_context<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.spawn(future.in_current_context())
    }

    #[track_caller]
    fn spawn_on_with_context<F>(&mut self, future: F, runtime: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.spawn_on(future.in_current_context(), runtime)
    }

    #[track_caller]
    fn spawn_local_with_context<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.spawn_local(future.in_current_context())
    }

    #[track_caller]
    fn spawn_blocking_with_context<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.spawn_blocking(in_current_context(f))
    }
}
