//! Tasks of a `JoinSet` that run with what is in force where they are spawned.

use std::future::Future;

use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};

use super::{InContextExt, in_current_context};

/// Spawns tasks on a [`JoinSet`] with what is in force here.
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
/// let mut texts = parts.join_all().await;
/// texts.sort();
/// assert_eq!(texts, ["0 of acme", "1 of acme", "2 of acme"]);
/// # });
/// ```
///
/// # Panics
/// As the methods of `JoinSet` do: outside of a runtime, or of a `LocalSet`.
pub trait JoinSetExt<T> {
    /// [`JoinSet::spawn`], with what is in force here.
    #[track_caller]
    fn spawn_with_context<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send;

    /// [`JoinSet::spawn_on`], with what is in force here.
    #[track_caller]
    fn spawn_on_with_context<F>(&mut self, future: F, runtime: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send;

    /// [`JoinSet::spawn_local`], with what is in force here.
    #[track_caller]
    fn spawn_local_with_context<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static;

    /// [`JoinSet::spawn_blocking`], with what is in force here.
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
