//! Tasks of tokio that run with what is in force where they are spawned.

use std::future::Future;

use tokio::task::{self, JoinHandle};

use super::{InContextExt, in_current_context};

/// [`tokio::spawn`], with what is in force here.
///
/// Short for `tokio::spawn(future.in_current_context())`.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let _guard = TENANT_ID.attach("acme");
/// // Where `acme` is in force:
/// let stored = task::spawn(async { TENANT_ID.get() });
/// assert_eq!(stored.await.unwrap().as_deref(), Some("acme"));
/// # });
/// ```
///
/// # Panics
/// As `tokio::spawn` does: outside of a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    task::spawn(future.in_current_context())
}

/// [`tokio::task::spawn_local`], with what is in force here.
///
/// # Panics
/// As `spawn_local` does: outside of a `LocalSet`.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    task::spawn_local(future.in_current_context())
}

/// [`tokio::task::spawn_blocking`], with what is in force here.
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
/// As `spawn_blocking` does: outside of a runtime.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    task::spawn_blocking(in_current_context(f))
}
