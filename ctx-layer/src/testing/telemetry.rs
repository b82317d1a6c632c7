use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use tracing_core::dispatcher::{self, Dispatch};

use super::{
    captured::{
        CapturedEvent, CapturedLog, CapturedMessage, CapturedSpan, CapturedTrace, Contents, Direction, Measurement,
    },
    isolation::{OwnedThread, Store},
    picture::{Marks, picture},
    snapshot::snapshot,
    stack::observe,
};

/// The telemetry of one test. Cheap to clone, and shared by all clones.
///
/// The functions that return one span or event panic if there is none, or more than one, and show what there is.
#[derive(Clone)]
pub struct Telemetry {
    store: Arc<Store>,
    dispatch: Dispatch,
    was_printed: Arc<AtomicBool>,
}

impl Telemetry {
    pub(super) fn new(store: Arc<Store>, dispatch: Dispatch) -> Self {
        Telemetry { store, dispatch, was_printed: Arc::default() }
    }

    /// Calls `f` on this thread as on the test's own: for threads that are not captured by themselves.
    ///
    /// ```
    /// let telemetry = ctx_layer::testing::capture();
    /// let of_thread = telemetry.telemetry();
    /// let thread = std::thread::Builder::new().name("named".to_owned());
    /// thread.spawn(move || of_thread.in_scope(|| tracing::info!("here")))?.join().expect("it does not panic");
    /// assert_eq!(telemetry.events().len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _owned = OwnedThread::begin(&self.store);
        dispatcher::with_default(&self.dispatch, f)
    }

    /// Makes this thread one of the test until the thread ends: for the start of a pool's threads.
    pub fn adopt_thread(&self) {
        // For ever: both end with the thread.
        std::mem::forget(OwnedThread::begin(&self.store));
        std::mem::forget(dispatcher::set_default(&self.dispatch));
    }

    pub(super) fn was_printed(&self) -> bool {
        self.was_printed.load(Ordering::Relaxed)
    }

    /// Returns all spans, also those that are still open, in the order in which they started.
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.store.spans()
    }

    /// Returns the spans of a name, in the order in which they started.
    pub fn spans_named(&self, name: &str) -> Vec<CapturedSpan> {
        self.spans().into_iter().filter(|span| span.name() == name).collect()
    }

    /// Returns the one span of a name.
    ///
    /// # Panics
    /// Panics if there is none, or more than one.
    #[track_caller]
    pub fn span(&self, name: &str) -> CapturedSpan {
        let mut found = self.spans_named(name);
        match found.len() {
            1 => found.remove(0),
            0 => self.fail(format_args!("there is no span {name:?}"), Marks::new()),
            count => {
                let marks = found.iter().fold(Marks::new(), |marks, span| marks.span(span, "one of them"));
                self.fail(format_args!("there is one span {name:?}, but {count} have that name"), marks)
            }
        }
    }

    /// Returns all events, in the order in which they happened.
    pub fn events(&self) -> Vec<CapturedEvent> {
        self.store.events()
    }

    /// Returns the one event of a message.
    ///
    /// # Panics
    /// Panics if there is none, or more than one.
    #[track_caller]
    pub fn event(&self, message: &str) -> CapturedEvent {
        let mut found = self.events();
        found.retain(|event| event.message() == message);
        match found.len() {
            1 => found.remove(0),
            0 => self.fail(format_args!("there is no event {message:?}"), Marks::new()),
            count => {
                let marks = found.iter().fold(Marks::new(), |marks, event| marks.event(event, "one of them"));
                self.fail(format_args!("there is one event {message:?}, but {count} have that message"), marks)
            }
        }
    }

    /// Returns the log records that OpenTelemetry exports, in their order.
    pub fn logs(&self) -> Vec<CapturedLog> {
        self.store.logs()
    }

    /// Returns the measurements of instruments that were created from OpenTelemetry's global meter provider, in their order.
    ///
    /// Observable instruments are read now. They are not bound to a test: each has the values of the whole process.
    pub fn measurements(&self) -> Vec<Measurement> {
        // Of a copy, so that reading does not change what was captured.
        let read = Store::unnumbered();
        observe(&read);
        let mut all = self.store.measurements();
        all.append(&mut read.measurements());
        all
    }

    /// Returns the measurements of one instrument, in their order.
    pub fn measurements_of(&self, instrument: &str) -> Vec<Measurement> {
        self.measurements().into_iter().filter(|known| known.instrument() == instrument).collect()
    }

    /// Returns what was written to carriers and read from them, in the order in which it happened.
    pub fn messages(&self) -> Vec<CapturedMessage> {
        self.store.messages()
    }

    /// Returns what was written to carriers.
    pub fn sent(&self) -> Vec<CapturedMessage> {
        self.messages().into_iter().filter(|message| message.direction() == Direction::Sent).collect()
    }

    /// Returns what was read from carriers.
    pub fn received(&self) -> Vec<CapturedMessage> {
        self.messages().into_iter().filter(|message| message.direction() == Direction::Received).collect()
    }

    /// Returns the traces, in the order in which they began.
    pub fn traces(&self) -> Vec<CapturedTrace> {
        CapturedTrace::group(&self.spans(), &self.events())
    }

    /// Returns the one trace.
    ///
    /// # Panics
    /// Panics if there is none, or more than one.
    #[track_caller]
    pub fn trace(&self) -> CapturedTrace {
        let mut traces = self.traces();
        match traces.len() {
            1 => traces.remove(0),
            count => {
                let roots = traces.iter().flat_map(CapturedTrace::roots);
                let marks = roots.fold(Marks::new(), |marks, span| marks.span(span, "begins a trace"));
                self.fail(format_args!("there is one trace, but there are {count}"), marks)
            }
        }
    }

    /// Forgets what was captured so far.
    pub fn clear(&self) {
        self.store.clear();
    }

    /// Waits until a condition is met: for what spawned tasks do.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let telemetry = ctx_layer::testing::capture();
    /// tokio::spawn(async { tracing::info!("sent") });
    /// telemetry.until(|telemetry| !telemetry.events().is_empty()).await;
    /// assert_eq!(telemetry.event("sent").level(), tracing::Level::INFO);
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    /// Panics after 10 seconds, and shows what there is.
    pub async fn until(&self, condition: impl Fn(&Telemetry) -> bool) {
        const LIMIT: Duration = Duration::from_secs(10);
        let begun = Instant::now();
        let mut is_limited = false;
        poll_fn(|task| {
            // First, so that nothing is missed between the two.
            self.store.wake(task.waker());
            if condition(self) {
                return Poll::Ready(());
            }
            if begun.elapsed() >= LIMIT {
                self.fail(format_args!("what is waited for happens in {LIMIT:?}"), Marks::new());
            }
            if !is_limited {
                is_limited = true;
                // The test may run on any runtime, or on none.
                let waker = task.waker().clone();
                thread::spawn(move || {
                    thread::sleep(LIMIT);
                    waker.wake();
                });
            }
            Poll::Pending
        })
        .await;
    }

    /// Returns what was captured as trees of text, with fields and durations.
    pub fn picture(&self) -> String {
        picture(&self.contents(), &Marks::new(), false)
    }

    /// Returns the traces as trees of text that are the same in each run, for `insta::assert_snapshot!` and the like.
    ///
    /// Ids are numbered in their order, times are left out, and so are values that differ in each run: UUIDs, ports and durations.
    /// Siblings have the order in which they started: see [`snapshot_sorted`](Self::snapshot_sorted) for those that run at the same time.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, testing};
    /// use tracing::{info, info_span};
    ///
    /// let telemetry = testing::capture();
    /// TENANT_ID.in_scope("acme", || info_span!("load", rows = 3).in_scope(|| info!("loaded")));
    /// assert_eq!(
    ///     telemetry.snapshot(),
    ///     r#"
    /// trace 1
    /// └─ load rows=3 tenant_id="acme"
    ///    · INFO loaded tenant_id="acme"
    /// "#
    ///     .trim_start(),
    /// );
    /// ```
    pub fn snapshot(&self) -> String {
        snapshot(&self.contents(), false)
    }

    /// Returns the snapshot with siblings sorted by their text, for spans that run at the same time.
    pub fn snapshot_sorted(&self) -> String {
        snapshot(&self.contents(), true)
    }

    fn contents(&self) -> Contents {
        Contents { traces: self.traces(), events: self.events(), messages: self.messages() }
    }

    /// Fails the test, and shows what there is.
    #[track_caller]
    pub(super) fn fail(&self, expected: impl fmt::Display, marks: Marks) -> ! {
        self.was_printed.store(true, Ordering::Relaxed);
        let is_coloured = super::picture::is_terminal();
        panic!("assertion failed: {expected}\n\n{}", picture(&self.contents(), &marks, is_coloured));
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("spans", &self.spans())
            .field("events", &self.events())
            .finish_non_exhaustive()
    }
}
