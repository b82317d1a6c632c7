//! Never the wrong tenant: thousands of tasks at once do everything that moves code between threads. The tenant of
//! every line is checked against the task's own.
//!
//! Runs 1 000 tasks and 100 000 events by default, and 10 000 tasks and a million events with `CTX_STRESS=full`.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ctx_layer::{Fields, FutureFieldsExt, Schema, SubscriberFieldsExt, field::well_known::*};
use opentelemetry::trace::TracerProvider as _;
use tracing::{
    Event, Instrument, Subscriber,
    field::{Field, Visit},
    info, info_span,
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

/// A layer that compares the context's tenant on each span and event with the tenant that the code works for.
#[derive(Clone, Default)]
struct Checker(Arc<Counts>);

#[derive(Default)]
struct Counts {
    events: AtomicU64,
    spans: AtomicU64,
    wrong: Mutex<Vec<String>>,
    kinds: Mutex<BTreeMap<String, u64>>,
}

#[derive(Default)]
struct Seen {
    expected: Option<String>,
    expected_user: Option<String>,
    kind: Option<String>,
    tenant: Vec<String>,
    user: Vec<String>,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "expected" => self.expected = Some(value.to_owned()),
            "expected_user" => self.expected_user = Some(value.to_owned()),
            "kind" => self.kind = Some(value.to_owned()),
            "tenant_id" => self.tenant.push(value.to_owned()),
            "user_id" => self.user.push(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Checker {
    fn check(&self, what: &str, seen: Seen) {
        let Some(expected) = seen.expected else { return };
        // Exactly one tenant, the right one, and at most that tenant's user: values of two sets never mix.
        let wrong_tenant = seen.tenant != [expected.as_str()];
        let wrong_user = seen.user != seen.expected_user.as_slice_of_one();
        if wrong_tenant || wrong_user {
            self.0.wrong.lock().unwrap().push(format!(
                "{what} {:?}: expected {expected} {:?}, got {:?} {:?}",
                seen.kind, seen.expected_user, seen.tenant, seen.user
            ));
        }
        if let Some(kind) = seen.kind {
            *self.0.kinds.lock().unwrap().entry(kind).or_default() += 1;
        }
    }
}

trait AsSliceOfOne {
    fn as_slice_of_one(&self) -> &[String];
}

impl AsSliceOfOne for Option<String> {
    fn as_slice_of_one(&self) -> &[String] {
        self.as_slice()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Checker {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.0.spans.fetch_add(1, Ordering::Relaxed);
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        self.check("span", seen);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.events.fetch_add(1, Ordering::Relaxed);
        let mut seen = Seen::default();
        event.record(&mut seen);
        self.check("event", seen);
    }
}

/// A small generator. Each task has its own, seeded by its number, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// A value that logs when it is dropped: a cancelled future still works for its tenant.
struct LogsOnDrop(Me);

impl Drop for LogsOnDrop {
    fn drop(&mut self) {
        self.0.event("dropped");
    }
}

/// The tenant that the code works for.
#[derive(Clone)]
struct Me {
    tenant: String,
    user: Option<String>,
}

impl Me {
    fn fields(&self) -> Fields {
        let fields = Fields::new().with(&TENANT_ID, self.tenant.as_str());
        match &self.user {
            Some(user) => fields.with(&USER_ID, user.as_str()),
            None => fields,
        }
    }

    fn event(&self, kind: &str) {
        info!(expected = self.tenant, expected_user = self.user, kind, "working");
    }

    fn span(&self, kind: &str) -> tracing::Span {
        info_span!("work", expected = self.tenant, expected_user = self.user, kind)
    }

    fn other(&self, n: u64) -> Me {
        Me {
            tenant: format!("{}/{n}", self.tenant),
            user: n.is_multiple_of(2).then(|| format!("user-of-{}-{n}", self.tenant)),
        }
    }
}

async fn pause(random: &mut Random) {
    match random.below(8) {
        0 => tokio::time::sleep(Duration::from_micros(random.below(200))).await,
        1..=5 => tokio::task::yield_now().await,
        _ => {}
    }
}

/// Does random things for `me` until `events` are used up.
async fn work(me: Me, mut random: Random, events: u64, depth: u32) {
    let mut left = events;
    while left > 0 {
        pause(&mut random).await;
        let share = (left / 4).clamp(1, 20).min(left);
        let seed = Random(random.below(u64::MAX));
        left -= match random.below(if depth == 0 { 3 } else { 12 }) {
            // Plain events, in and out of spans.
            0 => {
                me.event("plain");
                1
            }
            1 => {
                me.span("entered").in_scope(|| me.event("in span"));
                1
            }
            // Another tenant for a moment, in a scope of its own.
            2 => {
                let other = me.other(random.below(4));
                let span = other.fields().replace_in_scope(|| {
                    other.event("nested scope");
                    other.span("nested scope")
                });
                me.event("after scope");
                // Its span is entered here, back in this task's scope.
                span.in_scope(|| other.event("span of another scope"));
                me.event("after span of another scope");
                (4).min(left)
            }
            // A child task by `.instrument`.
            3 => {
                let child = tokio::spawn(boxed(me.clone(), seed, share, depth - 1).instrument(me.span("instrumented")));
                if random.below(2) == 0 {
                    child.await.unwrap();
                }
                share
            }
            // A child task that has the fields, without a span.
            4 => {
                let child = boxed(me.clone(), seed, share, depth - 1).replace_fields(me.fields());
                let child = tokio::spawn(child);
                if random.below(2) == 0 {
                    child.await.unwrap();
                }
                share
            }
            // A bare task, which works for no tenant.
            5 => {
                let other = me.other(random.below(4));
                let fields = other.fields();
                tokio::spawn(boxed(other, seed, share, depth - 1).replace_fields(fields));
                share
            }
            // A task that panics inside a span and a scope.
            6 => {
                let other = me.other(random.below(4));
                let panicking = me.clone();
                let task = async move {
                    let _guard = other.fields().replace();
                    let _span = other.span("panics").entered();
                    other.event("about to panic");
                    let _ = &panicking;
                    std::panic::panic_any(());
                };
                assert!(tokio::spawn(task.replace_fields(me.fields())).await.is_err());
                me.event("after panic");
                (2).min(left)
            }
            // A future that is cancelled half-way.
            7 => {
                let mine = me.clone();
                let future = async move {
                    let _logs = LogsOnDrop(mine.clone());
                    mine.event("before cancellation");
                    std::future::pending::<()>().await;
                }
                .replace_fields(me.fields())
                .instrument(me.span("cancelled"));
                tokio::select! {
                    biased;
                    () = future => {}
                    () = tokio::task::yield_now() => {}
                }
                (2).min(left)
            }
            // A task that is aborted.
            8 => {
                let mine = me.clone();
                let task = tokio::spawn(
                    async move {
                        let _logs = LogsOnDrop(mine.clone());
                        std::future::pending::<()>().await;
                    }
                    .instrument(me.span("aborted")),
                );
                tokio::task::yield_now().await;
                task.abort();
                1
            }
            // This task's span entered on a thread of the blocking pool.
            9 => {
                let span = me.span("blocking");
                let mine = me.clone();
                tokio::task::spawn_blocking(move || span.in_scope(|| mine.event("on another thread"))).await.unwrap();
                1
            }
            // A span that is never entered, and one that is polled in another's scope.
            10 => {
                let span = me.span("carried");
                let other = me.other(random.below(4));
                // A wrapper that replaces counts for the spans that the future enters, too.
                let theirs = other.clone();
                async move {
                    tokio::task::yield_now().await;
                    theirs.event("span within another's scope");
                }
                .instrument(span)
                .replace_fields(other.fields())
                .await;
                1
            }
            // Two at once on this task, of different tenants.
            _ => {
                let other = me.other(random.below(4));
                let fields = other.fields();
                let seed2 = Random(random.below(u64::MAX));
                tokio::join!(
                    boxed(me.clone(), seed, share, depth - 1),
                    boxed(other, seed2, share, depth - 1).replace_fields(fields),
                );
                (2 * share).min(left)
            }
        };
        me.event("own");
    }
}

fn boxed(
    me: Me,
    random: Random,
    events: u64,
    depth: u32,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
    Box::pin(work(me, random, events, depth))
}

fn run(checker: &Checker, subscriber: impl Subscriber + Send + Sync + 'static) {
    let (tasks, events): (u64, u64) = match std::env::var("CTX_STRESS").as_deref() {
        Ok("full") => (10_000, 1_000_000),
        _ => (1_000, 100_000),
    };
    let dispatch = tracing::Dispatch::new(subscriber);
    let on_thread = dispatch.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .on_thread_start(move || {
            // Scoped dispatchers belong to a thread, which keeps this one until it ends.
            std::mem::forget(tracing::dispatcher::set_default(&on_thread));
        })
        .build()
        .unwrap();
    let _default = tracing::dispatcher::set_default(&dispatch);
    runtime.block_on(async {
        let handles: Vec<_> = (0..tasks)
            .map(|n| {
                let me = Me { tenant: format!("tenant-{n}"), user: (n % 3 == 0).then(|| format!("user-{n}")) };
                let fields = me.fields();
                // Each event of the budget creates two on average.
                let work = boxed(me.clone(), Random(n), events / tasks / 2, 4);
                match n % 2 {
                    0 => tokio::spawn(work.replace_fields(fields)),
                    _ => tokio::spawn(work.instrument(fields.in_scope(|| me.span("request")))),
                }
            })
            .collect();
        for handle in handles {
            handle.await.unwrap();
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(60));

    let counts = &checker.0;
    let wrong = counts.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} wrong, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    let events_seen = counts.events.load(Ordering::Relaxed);
    assert!(events_seen >= events, "only {events_seen} events");
    assert!(counts.spans.load(Ordering::Relaxed) > events / 10);
    // Every way of moving was used.
    let kinds = counts.kinds.lock().unwrap();
    for kind in [
        "plain",
        "in span",
        "nested scope",
        "span of another scope",
        "instrumented",
        "about to panic",
        "after panic",
        "before cancellation",
        "dropped",
        "aborted",
        "on another thread",
        "span within another's scope",
        "request",
    ] {
        assert!(kinds.get(kind).is_some_and(|count| *count > 0), "nothing of kind {kind:?}: {kinds:?}");
    }
    println!("{events_seen} events, {} spans, 0 wrong", counts.spans.load(Ordering::Relaxed));
}

fn silence_expected_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<()>().is_none() {
            default(info);
        }
    }));
}

#[test]
fn no_line_has_another_tenant_or_none() {
    silence_expected_panics();
    let checker = Checker::default();
    run(&checker, tracing_subscriber::registry().with(checker.clone()).with_context_fields(Schema::well_known()));
}

#[test]
fn no_line_has_another_tenant_or_none_with_an_opentelemetry_layer() {
    silence_expected_panics();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let checker = Checker::default();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("stress"));
    run(
        &checker,
        tracing_subscriber::registry().with(otel).with(checker.clone()).with_context_fields(Schema::well_known()),
    );
}
