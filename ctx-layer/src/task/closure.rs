//! Closures that run in a captured context.

use std::future::Future;

use super::{in_context::InContext, snapshot::Snapshot};

/// Returns a closure that runs in the context that is current *here*, wherever it is called.
///
/// The values it owns are dropped in that context, too, even if it is never called.
///
/// Use it for closures that are called once: `std::thread::spawn`, `spawn_blocking`, thread pools, `rayon::spawn`. For closures
/// that are called often, or take arguments, use the macro of the same name,
/// [`in_current_context!`](crate::task::in_current_context!): on stable Rust a function cannot return a closure of the same kind as
/// its argument. For futures, streams and sinks use the [method](crate::task::InContextExt::in_current_context).
///
/// See [`Snapshot`] for what is captured, and for how long the current span is kept open.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::in_current_context};
///
/// let _guard = TENANT_ID.attach("acme");
/// let tenant = std::thread::spawn(in_current_context(|| TENANT_ID.get())).join().unwrap();
/// assert_eq!(tenant.as_deref(), Some("acme"));
/// ```
#[inline]
pub fn in_current_context<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    Snapshot::capture().wrap(f)
}

/// Returns an async callback that runs in the context that is current *here*, as does its future, at every poll and on any
/// thread. Use it for `on_upgrade`, and other functions that take an async closure and call it once.
///
/// [`in_current_context`](fn@in_current_context) and [`in_current_context!`](crate::task::in_current_context!) apply only to the
/// call of the closure: the future that it returns is polled later, without the context. For a callback that is called often use
/// [`in_current_context_async_fn`], and for one with no or several arguments
/// [`in_current_context!`](crate::task::in_current_context!)`(async move |a, b| ..)`.
///
/// ```standalone_crate
/// use std::{future::Future, thread};
///
/// use ctx_layer::{field::well_known::TENANT_ID, fields_once_per_line, prelude::*};
/// use ctx_layer::task::in_current_context_async;
/// use tracing::{info, info_span};
/// use tracing_subscriber::{fmt, prelude::*};
///
/// fn on_upgrade<F: Future<Output = ()>>(callback: impl FnOnce(u32) -> F + Send + 'static) {
///     let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
///     thread::spawn(move || runtime.block_on(callback(7))).join().unwrap();
/// }
///
/// # let (printed, writer) = std::io::pipe()?;
/// let text = fmt::layer().without_time().with_target(false).with_ansi(false);
/// # let text = text.with_writer(std::sync::Mutex::new(writer));
/// tracing_subscriber::registry()
///     .with(fields_once_per_line(text))
///     .with_context_fields(Schema::well_known())
///     .init();
///
/// TENANT_ID.in_scope("acme", || {
///     let _request = info_span!("request", path = "/chat").entered();
///     on_upgrade(in_current_context_async(async |socket| info!(socket, "connected")));
/// });
/// # let printed: Vec<_> = std::io::BufRead::lines(std::io::BufReader::new(printed)).take(1).collect::<Result<_, _>>()?;
/// # assert_eq!(printed, [" INFO request{path=\"/chat\"}: connected socket=7 tenant_id=\"acme\""]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It prints:
///
/// ```text
///  INFO request{path="/chat"}: connected socket=7 tenant_id="acme"
/// ```
#[inline]
pub fn in_current_context_async<A, F: Future>(f: impl FnOnce(A) -> F) -> impl FnOnce(A) -> InContext<F> {
    let mut held = ClosureInContext { f: Some(f), snapshot: Snapshot::capture() };
    move |argument| {
        let f = held.f.take();
        let future = {
            let _entered = held.snapshot.enter();
            f.map_or_else(|| unreachable!("{KEPT}"), |f| f(argument))
        };
        InContext::new(future, held.snapshot.clone())
    }
}

/// Returns an async callback that runs in the context that is current *here*, as do its futures. It can be called often, and on
/// several threads at once: use it for handlers of jobs. See [`in_current_context_async`].
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::in_current_context_async_fn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let handler = TENANT_ID.in_scope("acme", || {
///     in_current_context_async_fn(async |job: u32| (job, TENANT_ID.get()))
/// });
/// for job in 1..=2 {
///     assert_eq!(handler(job).await, (job, Some("acme".into())));
/// }
/// # });
/// ```
#[inline]
pub fn in_current_context_async_fn<A, F: Future>(f: impl Fn(A) -> F) -> impl Fn(A) -> InContext<F> {
    let held = ClosureInContext { f: Some(f), snapshot: Snapshot::capture() };
    move |argument| {
        let future = {
            let _entered = held.snapshot.enter();
            held.f.as_ref().map_or_else(|| unreachable!("{KEPT}"), |f| f(argument))
        };
        InContext::new(future, held.snapshot.clone())
    }
}

/// Returns a closure that runs in an empty context, as a new root. It has neither the context that is current here, nor the one
/// where it is called. Use it for background jobs.
///
/// For futures use the method [`isolated`](super::InContextExt::isolated).
/// For futures there is the method [`isolated`](super::InContextExt::isolated).
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::isolated};
///
/// let _guard = TENANT_ID.attach("acme");
/// let refresh_cache = isolated(|| TENANT_ID.get());
/// assert_eq!(refresh_cache(), None);
/// ```
pub fn isolated<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    Snapshot::isolated().wrap(f)
}

impl Snapshot {
    /// Returns a closure that runs in this context, wherever it is called. The values it owns are dropped in it, too, even if it
    /// is never called.
    #[inline]
    pub fn wrap<R>(self, f: impl FnOnce() -> R) -> impl FnOnce() -> R {
        let mut held = ClosureInContext { f: Some(f), snapshot: self };
        move || {
            let f = held.f.take();
            let _entered = held.snapshot.enter();
            f.map_or_else(|| unreachable!("{KEPT}"), |f| f())
        }
    }
}

const KEPT: &str = "the closure is taken only by its last call";

/// A closure that is dropped in its context.
struct ClosureInContext<F> {
    f: Option<F>,
    snapshot: Snapshot,
}

impl<F> Drop for ClosureInContext<F> {
    fn drop(&mut self) {
        if self.f.is_some() {
            let _entered = self.snapshot.enter();
            self.f = None;
        }
    }
}

/// Wraps a `move` closure so that it runs in the context that is current *here*, wherever and however often it is called.
///
/// The closure may have any arguments, and stays `Fn`, `FnMut` or `FnOnce`. Use it for `rayon`'s `map`, `for_each` and `scope`,
/// for callbacks and for iterators.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::in_current_context};
///
/// let _guard = TENANT_ID.attach("acme");
/// let with_tenant =
///     in_current_context!(move |line| format!("{line} {}", TENANT_ID.get().unwrap()));
/// let lines = ["a", "b"].iter().map(with_tenant);
/// assert_eq!(lines.collect::<Vec<_>>(), ["a acme", "b acme"]);
/// ```
///
/// With `async` before `move`, the closure returns a future that runs in that context, too:
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::in_current_context};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let handler = TENANT_ID.in_scope("acme", || {
///     in_current_context!(async move |a: u32, b: u32| (a + b, TENANT_ID.get()))
/// });
/// assert_eq!(tokio::spawn(handler(1, 2)).await.unwrap(), (3, Some("acme".into())));
/// # });
/// ```
///
/// # Limits
///
/// Without `async`, a future that the closure returns does not run in that context once it is polled elsewhere.
///
/// The closure has to be written with `move`. To borrow a value, create a reference outside and move that in. Values that the
/// closure owns and does not consume are dropped after the context has ended; the function
/// [`in_current_context`](fn@crate::task::in_current_context) drops them inside.
#[doc(hidden)]
#[macro_export]
macro_rules! __in_current_context {
    (move || -> $returns:ty $body:block) => {{
        let snapshot = $crate::task::Snapshot::capture();
        move || -> $returns { snapshot.in_scope(|| -> $returns { $body }) }
    }};
    (move || $body:expr) => {{
        let snapshot = $crate::task::Snapshot::capture();
        move || snapshot.in_scope(|| $body)
    }};
    (move | $($rest:tt)+) => {
        $crate::__in_current_context_of!([] $($rest)+)
    };
    (async move || $body:expr) => {{
        let snapshot = $crate::task::Snapshot::capture();
        move || snapshot.in_scope(|| $crate::task::InContextExt::in_current_context(async move { $body }))
    }};
    (async move | $($rest:tt)+) => {
        $crate::__in_current_context_of!(async [] $($rest)+)
    };
    ($($other:tt)*) => {
        ::core::compile_error!("expected a `move` closure: `in_current_context!(move |x| ...)`. To borrow, move a reference in")
    };
}

/// Parses a closure's parameters up to the closing `|`.
#[doc(hidden)]
#[macro_export]
macro_rules! __in_current_context_of {
    ([$($parameters:tt)*] | -> $returns:ty $body:block) => {{
        let snapshot = $crate::task::Snapshot::capture();
        move |$($parameters)*| -> $returns { snapshot.in_scope(|| -> $returns { $body }) }
    }};
    ([$($parameters:tt)*] | $body:expr) => {{
        let snapshot = $crate::task::Snapshot::capture();
        move |$($parameters)*| snapshot.in_scope(|| $body)
    }};
    ([$($parameters:tt)*] $next:tt $($rest:tt)+) => {
        $crate::__in_current_context_of!([$($parameters)* $next] $($rest)+)
    };
    (async [$($parameters:tt)*] | $body:expr) => {{
        let snapshot = $crate::task::Snapshot::capture();
        move |$($parameters)*| snapshot.in_scope(|| $crate::task::InContextExt::in_current_context(async move { $body }))
    }};
    (async [$($parameters:tt)*] $next:tt $($rest:tt)+) => {
        $crate::__in_current_context_of!(async [$($parameters)* $next] $($rest)+)
    };
}
