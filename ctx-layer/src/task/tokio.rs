//! Tokio tasks that run in the context that is current where they are spawned.

use std::future::Future;

use tokio::task::{self, JoinHandle};

use super::{closure::in_current_context, in_context::InContextExt};

/// Spawns a task like [`tokio::spawn`], in the current context.
///
/// Short for `tokio::spawn(future.in_current_context())`.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let _guard = TENANT_ID.attach("acme");
/// // Where `acme` is current:
/// let stored = task::spawn(async { TENANT_ID.get() });
/// assert_eq!(stored.await.unwrap().as_deref(), Some("acme"));
/// # });
/// ```
///
/// # Panics
/// Panics like `tokio::spawn`: outside of a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    task::spawn(future.in_current_context())
}

/// Spawns a task like [`tokio::task::spawn_local`], in the current context.
///
/// # Panics
/// Panics like `spawn_local`: outside of a `LocalSet`.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    task::spawn_local(future.in_current_context())
}

/// Runs a closure like [`tokio::task::spawn_blocking`], in the current context.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let _guard = TENANT_ID.attach("acme");
/// let read = task::spawn_blocking(|| TENANT_ID.get());
/// assert_eq!(read.await.unwrap().as_deref(), Some("acme"));
/// # });
/// ```
///
/// # Panics
/// Panics like `spawn_blocking`: outside of a runtime.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    task::spawn_blocking(in_current_context(f))
}
