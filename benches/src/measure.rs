//! Comparing things that differ by a few nanoseconds on a machine that is busy with others.
//!
//! What is compared (the *arms*) takes turns in short batches, each turn starting with another arm, so that whatever
//! slows the machine down slows all of them. Of each arm's batches the lower quartile counts: disturbances only ever
//! add time.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use ctx_layer::Fields;
use tracing_core::{Dispatch, dispatcher};

/// Where an arm runs: under which subscriber, with which fields in force.
#[derive(Clone, Debug)]
pub struct Place {
    /// `None`: the global one.
    dispatch: Option<Dispatch>,
    fields: Fields,
}

impl Place {
    /// Under a subscriber, which is the default of the thread as long as a batch lasts: the same for every arm.
    pub fn new(dispatch: Dispatch) -> Self {
        Place { dispatch: Some(dispatch), fields: Fields::new() }
    }

    /// Under the global subscriber, if there is one, and none of the thread's.
    pub fn anywhere() -> Self {
        Place { dispatch: None, fields: Fields::new() }
    }

    /// With these fields in force besides.
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

/// One thing that is compared with others.
pub struct Arm {
    name: String,
    /// Runs so many iterations after some to warm up, and says how long they took.
    batch: Box<dyn Fn(u64) -> Duration + Send + Sync>,
}

impl Arm {
    /// Does `once` again and again.
    pub fn new(name: impl Into<String>, place: Place, once: impl Fn() + Send + Sync + 'static) -> Self {
        Self::prepared(name, place, || (), move |()| once())
    }

    /// Does `once` again and again to what `prepare` made. Preparing does not count.
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

    /// What it is called in the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `count` iterations, after a sixteenth as many to warm up.
    pub fn run(&self, count: u64) -> Duration {
        (self.batch)(count)
    }

    /// How many iterations fill about that much time.
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

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// One batch of one arm.
    pub batch: Duration,
    /// Turns, in each of which every arm has one batch.
    pub turns: usize,
}

impl Effort {
    /// For figures to be written down.
    pub const FULL: Effort = Effort { batch: Duration::from_micros(60), turns: 4000 };
    /// For a look in between.
    pub const QUICK: Effort = Effort { batch: Duration::from_micros(60), turns: 500 };
}

/// Nanoseconds per iteration of each arm, measured in turns.
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

/// Nanoseconds per iteration of each arm, on each of so many threads that all run it at the same time.
///
/// This thread is one of them. The registry keeps its threads' stacks in one array, where those of the second and the
/// third thread share a cache line: two new threads would be slow for a reason that is not what is asked.
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
