//! Threads that run in the context that is current where they are spawned.

use std::{
    io,
    thread::{Builder, JoinHandle, Scope, ScopedJoinHandle},
};

use super::closure::in_current_context;

/// An extension trait for [`Builder`] that spawns threads in the current context.
///
/// Without a builder: `thread::spawn(in_current_context(f))`, and in a scope `scope.spawn(in_current_context(f))`.
///
/// ```
/// use std::thread::{self, Builder};
///
/// use ctx_layer::{field::well_known::TENANT_ID, task::ThreadBuilderExt};
///
/// let _guard = TENANT_ID.attach("acme");
/// let builder = Builder::new().name("importer".to_owned());
/// let importer = builder.spawn_with_context(|| TENANT_ID.get())?;
/// assert_eq!(importer.join().unwrap().as_deref(), Some("acme"));
///
/// thread::scope(|scope| {
///     let builder = Builder::new();
///     let importer = builder.spawn_scoped_with_context(scope, || TENANT_ID.get()).unwrap();
///     assert_eq!(importer.join().unwrap().as_deref(), Some("acme"));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ThreadBuilderExt {
    /// Spawns a thread like [`Builder::spawn`], in the current context.
    ///
    /// # Errors
    /// Returns an error if the operating system fails to create the thread.
    ///
    /// # Panics
    /// Panics like `Builder::spawn`: if the thread's name contains a null byte.
    fn spawn_with_context<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;

    /// Spawns a thread like [`Builder::spawn_scoped`], in the current context.
    ///
    /// # Errors
    /// Returns an error if the operating system fails to create the thread.
    ///
    /// # Panics
    /// Panics like `Builder::spawn_scoped`: if the thread's name contains a null byte.
    fn spawn_scoped_with_context<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope;
}

impl ThreadBuilderExt for Builder {
    fn spawn_with_context<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn(in_current_context(f))
    }

    fn spawn_scoped_with_context<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.spawn_scoped(scope, in_current_context(f))
    }
}
