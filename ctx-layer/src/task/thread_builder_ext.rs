//! Threads that run with what is in force where they are spawned.

use std::{
    io,
    thread::{Builder, JoinHandle, Scope, ScopedJoinHandle},
};

use super::in_current_context;

/// Spawns threads of a [`Builder`] with what is in force here.
///
/// Without a builder: `thread::spawn(in_current_context(f))`, and in a scope `scope.spawn(in_current_context(f))`.
///
/// ```
/// use std::thread::{self, Builder};
///
/// use ctx_layer::{field::well_known::TENANT_ID, task::ThreadBuilderExt};
///
/// let _guard = TENANT_ID.attach("acme");
/// let importer = Builder::new().name("importer".to_owned()).spawn_with_context(|| TENANT_ID.get())?;
/// assert_eq!(importer.join().unwrap().as_deref(), Some("acme"));
///
/// thread::scope(|scope| {
///     let importer = Builder::new().spawn_scoped_with_context(scope, || TENANT_ID.get()).unwrap();
///     assert_eq!(importer.join().unwrap().as_deref(), Some("acme"));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ThreadBuilderExt {
    /// [`Builder::spawn`], with what is in force here.
    ///
    /// # Errors
    /// When the operating system does not make the thread.
    ///
    /// # Panics
    /// As `Builder::spawn` does: when the thread's name has a null byte in it.
    fn spawn_with_context<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;

    /// [`Builder::spawn_scoped`], with what is in force here.
    ///
    /// # Errors
    /// When the operating system does not make the thread.
    ///
    /// # Panics
    /// As `Builder::spawn_scoped` does: when the thread's name has a null byte in it.
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
