//! Compares times that differ by a few nanoseconds, on a machine that is busy.
//!
//! The compared functions (the *arms*) take turns in short batches, each turn starting with another arm, so that a slow
//! phase of the machine slows all of them. The lower quartile of each arm's batches counts: disturbances only ever add
//! time.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use ctx_layer::Fields;
use tracing_core::{Dispatch, dispatcher};

/// The place in which an arm runs: its subscriber and its current fields.
#[derive(Clone, Debug)]
pub struct Place {
    /// `None`: the global one.
    dispatch: Option<Dispatch>,
    fields: Fields,
}

impl Place {
    /// Sets the subscriber, which is the default of the thread during a batch.
    pub fn new(dispatch: Dispatch) -> Self {
        Place { dispatch: Some(dispatch), fields: Fields::new() }
    }

    /// Uses the global subscriber, if there is one, and none of the thread's.
    pub fn anywhere() -> Self {
        Place { dispatch: None, fields: Fields::new() }
    }

    /// Adds these fields.
    pub fn with(self, fields: Fields) -> Self {
        Place { fields, ..self }
    }

    /// Calls `f` in this place.
    pub fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let within = || {
            // Without fields nothing is attached: the context is the one a thread starts with.
            let _guard = (!self.fields.is_empty()).then(|| self.fields.clone().attach());
            f()
        };
        match &self.dispatch {
            Some(dispatch) => dispatcher::with_default(dispatch, within),
            None => within(),
        }
    }
}

/// One function that is compared with others.
pub struct Arm {
    name: String,
    /// Runs a number of iterations after a warm-up, and returns their duration.
    batch: Box<dyn Fn(u64) -> Duration + Send + Sync>,
}

impl Arm {
    /// Creates an arm that calls `once` repeatedly.
    pub fn new(name: impl Into<String>, place: Place, once: impl Fn() + Send + Sync + 'static) -> Self {
        Self::prepared(name, place, || (), move |()| once())
    }

    /// Creates an arm that calls `once` repeatedly with the result of `prepare`, which is not timed.
    pub fn prepared<T>(
        name: impl Into<String>,
        place: Place,
        prepare: impl Fn() -> T + Send + Sync + 'static,
        once: impl Fn(&T) + Send + Sync + 'static,
    ) -> Self {
        let batch = move |count: u64| {
            place.within(|| {
                let prepared = prepare();
                for _ in 0..=count / 16 {
                    once(black_box(&prepared));
                }
                let start = Instant::now();
                for _ in 0..count {
                    once(black_box(&prepared));
                }
                start.elapsed()
            })
        };
        Arm { name: name.into(), batch: Box::new(batch) }
    }

    /// Returns the arm's name in the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `count` iterations, after a sixteenth as many to warm up.
    pub fn run(&self, count: u64) -> Duration {
        (self.batch)(count)
    }

    /// Returns the number of iterations that take about this time.
    fn count_for(&self, wanted: Duration) -> u64 {
        let mut count = 16;
        loop {
            let fastest = (0..3).map(|_| self.run(count)).min().unwrap_or_default();
            if fastest >= wanted {
                return count;
            }
            count *= 2;
        }
    }
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arm").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The duration of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The duration of one batch of one arm.
    pub batch: Duration,
    /// The number of turns. Each arm has one batch in each.
    pub turns: usize,
}

impl Effort {
    /// The effort for published figures.
    pub const FULL: Effort = Effort { batch: Duration::from_micros(60), turns: 4000 };
    /// The effort for a quick look.
    pub const QUICK: Effort = Effort { batch: Duration::from_micros(60), turns: 500 };
}

/// Returns the nanoseconds per iteration of each arm, measured in turns.
pub fn interleaved(arms: &[Arm], effort: Effort) -> Vec<f64> {
    let counts: Vec<u64> = arms.iter().map(|arm| arm.count_for(effort.batch)).collect();
    let mut batches = vec![Vec::with_capacity(effort.turns); arms.len()];
    for turn in 0..effort.turns {
        for i in 0..arms.len() {
            let at = (turn + i) % arms.len();
            batches[at].push(per_iteration(arms[at].run(counts[at]), counts[at]));
        }
    }
    batches.into_iter().map(lower_quartile).collect()
}

/// Returns the nanoseconds per iteration of each arm, on each of several threads that all run it at the same time.
///
/// This thread is one of them. The registry keeps its threads' stacks in one array, where those of the second and the
/// third thread share a cache line: two new threads would be slow for a reason outside the measurement.
pub fn at_once(arms: &[Arm], threads: usize, effort: Effort) -> Vec<f64> {
    // Starting threads takes a while: fewer and longer batches.
    let effort = Effort { batch: effort.batch * 5, turns: effort.turns / 5 };
    let counts: Vec<u64> = arms.iter().map(|arm| arm.count_for(effort.batch)).collect();
    let mut batches = vec![Vec::with_capacity(effort.turns); arms.len()];
    for turn in 0..effort.turns {
        for i in 0..arms.len() {
            let at = (turn + i) % arms.len();
            let (arm, count) = (&arms[at], counts[at]);
            let waiting = AtomicUsize::new(threads);
            let work = || {
                arm.run(16);
                waiting.fetch_sub(1, Ordering::SeqCst);
                while waiting.load(Ordering::SeqCst) > 0 {
                    std::hint::spin_loop();
                }
                arm.run(count)
            };
            let slowest = std::thread::scope(|scope| {
                let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
                let own = work();
                others.into_iter().filter_map(|other| other.join().ok()).fold(own, Duration::max)
            });
            batches[at].push(per_iteration(slowest, count));
        }
    }
    batches.into_iter().map(lower_quartile).collect()
}

fn per_iteration(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}

fn lower_quartile(mut batches: Vec<f64>) -> f64 {
    batches.sort_by(f64::total_cmp);
    batches.get(batches.len() / 4).copied().unwrap_or(f64::NAN)
}
