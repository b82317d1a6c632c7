//! The filter of a running stack.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tracing_subscriber::EnvFilter;

use super::{
    pipeline::ExportRuntime,
    settings::{InvalidFilter, LogFilter},
};

/// Replaces the filter of a stack.
type Replace = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

/// A handle that changes the filter of spans and events at run time. Cheap to clone.
///
/// ```
/// use std::time::Duration;
/// use ctx_layer::setup::{self, Settings};
///
/// # let mut settings = Settings::default();
/// # settings.observability.enabled = false;
/// let telemetry = setup::builder("orders").settings(settings).local().init()?;
/// let filter = telemetry.filter();
/// // One tenant, for ten minutes.
/// filter.set_for("info,[{tenant_id=acme}]=debug", Duration::from_secs(600))?;
/// assert_eq!(filter.current(), "info,[{tenant_id=acme}]=debug");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FilterHandle(Arc<State>);

struct State {
    replace: Replace,
    directives: Mutex<Directives>,
    /// The number of changes, so that an expiry undoes only its own.
    changes: AtomicU64,
    runtime: Weak<ExportRuntime>,
}

struct Directives {
    /// Those without an expiry.
    lasting: LogFilter,
    current: LogFilter,
}

impl FilterHandle {
    pub(crate) fn new(replace: Replace, filter: LogFilter, runtime: &Arc<ExportRuntime>) -> Self {
        FilterHandle(Arc::new(State {
            replace,
            directives: Mutex::new(Directives { lasting: filter.clone(), current: filter }),
            changes: AtomicU64::new(0),
            runtime: Arc::downgrade(runtime),
        }))
    }

    /// Returns the directives that apply now.
    pub fn current(&self) -> String {
        self.directives().current.as_str().to_owned()
    }

    /// Sets the filter, until it is set again. Spans and events from now on are filtered by it.
    ///
    /// # Errors
    /// Returns an error if a directive is wrong, or the stack is gone. The filter is then unchanged.
    pub fn set(&self, directives: &str) -> Result<(), FilterError> {
        let filter: LogFilter = directives.parse()?;
        self.change(filter, true).map(drop)
    }

    /// Sets the filter for a time, after which the one before applies again.
    ///
    /// # Errors
    /// Returns an error if a directive is wrong, or the stack is gone. The filter is then unchanged.
    pub fn set_for(&self, directives: &str, time: Duration) -> Result<(), FilterError> {
        let filter: LogFilter = directives.parse()?;
        let runtime = self.0.runtime.upgrade().ok_or(FilterError::IsGone)?;
        let change = self.change(filter, false)?;
        let state = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            tokio::time::sleep(time).await;
            if let Some(state) = state.upgrade() {
                FilterHandle(state).expire(change);
            }
        });
        Ok(())
    }

    fn directives(&self) -> std::sync::MutexGuard<'_, Directives> {
        self.0.directives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, filter: LogFilter, is_lasting: bool) -> Result<u64, FilterError> {
        let mut directives = self.directives();
        if !(self.0.replace)(filter.build()) {
            return Err(FilterError::IsGone);
        }
        if is_lasting {
            directives.lasting = filter.clone();
        }
        directives.current = filter;
        Ok(self.0.changes.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Undoes a change, unless there was another since.
    fn expire(&self, change: u64) {
        let mut directives = self.directives();
        if self.0.changes.load(Ordering::Relaxed) == change && (self.0.replace)(directives.lasting.build()) {
            directives.current = directives.lasting.clone();
        }
    }
}

impl fmt::Debug for FilterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FilterHandle").field(&self.current()).finish()
    }
}

/// An error of changing a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// A directive is wrong.
    Invalid(InvalidFilter),
    /// The stack is gone: its handle was dropped.
    IsGone,
}

impl From<InvalidFilter> for FilterError {
    fn from(error: InvalidFilter) -> Self {
        FilterError::Invalid(error)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilterError::Invalid(error) => error.fmt(f),
            FilterError::IsGone => f.write_str("the filter cannot be changed: its stack was shut down"),
        }
    }
}

impl std::error::Error for FilterError {}
