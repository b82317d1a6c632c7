//! Crosses every boundary inside a process, at random and nested, for hundreds of tenants at once. Each event has its
//! own tenant, and each exported span is the child of a span of its own tenant and trace. Runs in a runtime of many
//! threads, and in one of a single thread.
//!
//! Runs 50 000 events by default, and a million with `CTX_STRESS=full`. The subscriber is global, so that every thread
//! has it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    pin::Pin,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::*,
    task::{self, Carried, InContextExt, JoinSetExt, Snapshot, in_current_context},
};
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use opentelemetry::{SpanId, trace::TracerProvider as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use rayon::prelude::*;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{mpsc, oneshot},
    task::{JoinSet, LocalSet},
};
use tracing::{
    Event, Instrument, Subscriber,
    field::{Field, Visit},
    info, info_span,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

#[derive(Default)]
struct Counts {
    events: AtomicU64,
    wrong: Mutex<Vec<String>>,
    ways: Mutex<BTreeMap<String, u64>>,
}

static COUNTS: LazyLock<Counts> = LazyLock::new(Counts::default);

/// A layer that compares the tenant of each event with the tenant that the code works for.
struct Checker;

#[derive(Default)]
struct Seen {
    expected: Option<String>,
    way: Option<String>,
    tenant: Vec<String>,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "expected" => self.expected = Some(value.to_owned()),
            "way" => self.way = Some(value.to_owned()),
            "tenant_id" => self.tenant.push(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Checker {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        let (Some(expected), Some(way)) = (seen.expected, seen.way) else { return };
        COUNTS.events.fetch_add(1, Relaxed);
        let is_right = if expected.is_empty() { seen.tenant.is_empty() } else { seen.tenant == [expected.as_str()] };
        if !is_right {
            COUNTS.wrong.lock().unwrap().push(format!("{way}: expected {expected:?}, got {:?}", seen.tenant));
        }
        *COUNTS.ways.lock().unwrap().entry(way).or_default() += 1;
    }
}

/// The part of an exported span that the test compares.
struct Kept {
    name: String,
    parent: SpanId,
    trace: u128,
    tenant: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Keeping(Arc<Mutex<Vec<(SpanId, Kept)>>>);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?} under {}", self.name, self.tenant, self.parent)
    }
}

impl SpanExporter for Keeping {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let kept = batch.into_iter().map(|span| {
            let tenant = ctx_tests::attribute(&span.attributes, "tenant_id").map(|tenant| tenant.to_string());
            let trace = u128::from_be_bytes(span.span_context.trace_id().to_bytes());
            let id = span.span_context.span_id();
            (id, Kept { name: span.name.into_owned(), parent: span.parent_span_id, trace, tenant })
        });
        self.0.lock().unwrap().extend(kept);
        Ok(())
    }
}

/// A small generator. Each task has its own, so that a run can be repeated.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn other(&mut self) -> Self {
        Random(self.next() ^ self.0)
    }
}

/// The tenant that the code works for; empty for no tenant.
type Tenant = Arc<str>;

fn event(tenant: &str, way: &'static str) {
    info!(expected = tenant, way);
    info_span!("child").in_scope(|| info!(expected = tenant, way));
}

/// A value that logs when it is dropped.
struct LogsOnDrop(Tenant, &'static str);

impl Drop for LogsOnDrop {
    fn drop(&mut self) {
        event(&self.0, self.1);
    }
}

/// Starts a worker that takes the orders of all tenants.
type Order = Carried<(Tenant, oneshot::Sender<()>)>;

static POOL: LazyLock<rayon::ThreadPool> =
    LazyLock::new(|| rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads can be made"));

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

fn walk(tenant: Tenant, mut random: Random, depth: u32, orders: mpsc::Sender<Order>) -> Boxed {
    Box::pin(async move {
        event(&tenant, "walk");
        if depth == 0 {
            return;
        }
        for _ in 0..2 {
            let mut deeper = || walk(tenant.clone(), random.other(), depth - 1, orders.clone());
            let (one, other) = (deeper(), deeper());
            cross(&tenant, &mut random, one, other, &orders).await;
            event(&tenant, "after");
        }
    })
}

async fn cross(tenant: &Tenant, random: &mut Random, one: Boxed, other: Boxed, orders: &mpsc::Sender<Order>) {
    let log = |way: &'static str| {
        let tenant = tenant.clone();
        move || event(&tenant, way)
    };
    match random.next() % 18 {
        0 => task::spawn(one).await.unwrap(),
        1 => task::spawn_blocking(log("spawn_blocking")).await.unwrap(),
        2 => task::spawn_blocking(|| Handle::current().block_on(one)).await.unwrap(),
        3 => {
            let on_a_local_set = || {
                let local = LocalSet::new();
                Handle::current().block_on(local.run_until(async { task::spawn_local(one).await.unwrap() }));
            };
            task::spawn_blocking(on_a_local_set).await.unwrap();
        }
        4 => {
            let mut set = JoinSet::new();
            set.spawn_with_context(one);
            set.spawn_with_context(other);
            set.spawn_blocking_with_context(log("join set"));
            set.join_all().await;
        }
        5 => {
            let losing = LogsOnDrop(tenant.clone(), "lost");
            let losing = async move {
                let _losing = losing;
                std::future::pending::<()>().await;
            };
            let (losing, winning) = (losing.in_current_context(), one.in_current_context());
            // The branches are polled by code without a tenant.
            async {
                tokio::select! { () = losing => {}, () = winning => {} }
            }
            .isolated()
            .await;
        }
        6 => {
            let slow = LogsOnDrop(tenant.clone(), "timed out");
            let slow = async move {
                let _slow = slow;
                std::future::pending::<()>().await;
            };
            let slow = tokio::time::timeout(Duration::from_micros(50), slow.in_current_context());
            assert!(slow.isolated().await.is_err());
        }
        7 => {
            let (one, other) = (one.in_current_context(), other.in_current_context());
            async { tokio::join!(one, other, async { event("", "isolated") }) }.isolated().await;
        }
        8 => {
            let all: FuturesUnordered<_> = [one.in_current_context(), other.in_current_context()].into_iter().collect();
            all.for_each(|()| async { event("", "isolated") }).isolated().await;
        }
        9 => {
            let (done, is_done) = oneshot::channel();
            let sent = orders.send(Carried::new((tenant.clone(), done))).await;
            assert!(sent.is_ok() && is_done.await.is_ok());
        }
        10 => thread::spawn(in_current_context(log("thread"))).join().unwrap(),
        11 => thread::scope(|scope| {
            scope.spawn(in_current_context(log("scoped thread")));
            scope.spawn(in_current_context(log("scoped thread")));
        }),
        12 => {
            let (done, is_done) = oneshot::channel();
            let log = log("rayon");
            POOL.spawn(in_current_context(move || {
                log();
                done.send(()).unwrap();
            }));
            is_done.await.unwrap();
        }
        13 => {
            let log = log("par_iter");
            let log = in_current_context!(move |_: i32| log());
            POOL.install(|| (0..4).into_par_iter().for_each(log));
        }
        14 => {
            let items = stream::iter([one, other]).then(|step| step);
            items.in_current_context().for_each(|()| async { event("", "isolated") }).isolated().await;
        }
        15 => {
            let panics = LogsOnDrop(tenant.clone(), "unwound");
            let panics = async move {
                let _panics = panics;
                tokio::task::yield_now().await;
                std::panic::panic_any(());
            };
            assert!(task::spawn(panics).await.unwrap_err().is_panic());
            // The thread that panicked has no context left.
            tokio::spawn(async { event("", "after a panic") }).await.unwrap();
        }
        16 => {
            let aborted = LogsOnDrop(tenant.clone(), "aborted");
            let aborted = task::spawn(async move {
                let _aborted = aborted;
                std::future::pending::<()>().await;
            });
            aborted.abort();
            assert!(aborted.await.unwrap_err().is_cancelled());
        }
        _ => {
            let detached = tokio::spawn(one.in_context(Snapshot::capture_context()));
            task::spawn_blocking(task::isolated(|| event("", "isolated"))).await.unwrap();
            detached.await.unwrap();
        }
    }
}

async fn serve(mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        order.in_scope(|(tenant, done)| {
            event(&tenant, "carried");
            done.send(()).unwrap();
        });
        event("", "between orders");
    }
}

fn run(runtime: &Runtime, events: u64) {
    let until = COUNTS.events.load(Relaxed) + events;
    runtime.block_on(async {
        let (orders, queue) = mpsc::channel(16);
        let worker = tokio::spawn(serve(queue));
        let mut requests = JoinSet::new();
        let mut n = 0;
        while COUNTS.events.load(Relaxed) < until {
            // No more at once than there are threads for blocking work.
            while requests.len() >= 48 {
                requests.join_next().await.unwrap().unwrap();
            }
            n += 1;
            let tenant: Tenant = format!("tenant-{n}").into();
            let span = TENANT_ID.in_scope(&*tenant, || info_span!("request"));
            requests.spawn(walk(tenant, Random(n), 4, orders.clone()).instrument(span));
        }
        while let Some(request) = requests.join_next().await {
            request.unwrap();
        }
        drop(orders);
        worker.await.unwrap();
    });
}

#[test]
fn random_boundaries_never_mix_tenants_and_lose_no_parent() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<()>().is_none() {
            default(info);
        }
    }));
    let keeping = Keeping::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(keeping.clone()).build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("chaos"));
    tracing_subscriber::registry().with(otel).with(Checker).with_context_fields(Schema::well_known()).init();

    let events = if std::env::var("CTX_STRESS").as_deref() == Ok("full") { 500_000 } else { 25_000 };
    run(&Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap(), events);
    run(&Builder::new_current_thread().enable_time().build().unwrap(), events);

    let wrong = COUNTS.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} wrong, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    let ways = COUNTS.ways.lock().unwrap();
    for way in [
        "walk",
        "after",
        "spawn_blocking",
        "join set",
        "lost",
        "timed out",
        "isolated",
        "carried",
        "between orders",
        "thread",
        "scoped thread",
        "rayon",
        "par_iter",
        "unwound",
        "after a panic",
        "aborted",
    ] {
        assert!(ways.get(way).is_some_and(|count| *count > 0), "nothing of {way:?}: {ways:?}");
    }
    let spans: HashMap<SpanId, Kept> = keeping.0.lock().unwrap().drain(..).collect();
    let mut children = 0;
    for (id, span) in spans.iter().filter(|(_, span)| span.tenant.is_some() && span.name == "child") {
        let parent = spans.get(&span.parent).unwrap_or_else(|| panic!("an orphan: {id} {span:?}"));
        assert_eq!((&parent.tenant, parent.trace), (&span.tenant, span.trace), "{span:?} under {parent:?}");
        children += 1;
    }
    // Spans without a tenant are roots.
    assert!(spans.values().filter(|span| span.tenant.is_none()).all(|span| span.parent == SpanId::INVALID));
    println!("{} events, {children} children, 0 wrong, 0 orphans", COUNTS.events.load(Relaxed));
}
