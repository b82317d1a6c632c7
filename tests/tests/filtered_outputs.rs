//! Outputs with different filters get what they would get from spans and events that are written by hand. Random
//! programs run under six outputs, each with a filter of its own.
//!
//! A binary of its own, one test at a time: where two threads reload filters and install subscribers at once, `tracing`
//! may cache for a callsite the interest of only one subscriber.

use std::{
    cell::{Cell, RefCell},
    fmt::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ctx_layer::{SubscriberFieldsExt, field::well_known::TENANT_ID};
use ctx_tests::schema;
use tracing::{Dispatch, Event, Metadata, Subscriber, dispatcher, field::Visit, span};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets, dynamic_filter_fn, filter_fn},
    layer::Context,
    prelude::*,
    registry::LookupSpan,
    reload,
};

/// A step of a program.
#[derive(Clone, Debug)]
enum Node {
    Event(u8),
    Span(u8, Vec<Node>),
    Tenant(&'static str, Vec<Node>),
    /// A call of a function: its argument, its body, and whether it fails by itself.
    Call(u8, u8, Vec<Node>, bool),
    /// Sets the first output's level from here on.
    Reload(u8),
}

/// A generator of random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn small(&mut self, end: u8) -> u8 {
        u8::try_from(self.below(end.into())).unwrap()
    }

    fn nodes(&mut self, depth: u8) -> Vec<Node> {
        (0..=self.below(2)).map(|_| self.node(depth)).collect()
    }

    fn node(&mut self, depth: u8) -> Node {
        let inside = |random: &mut Self| if depth == 0 { Vec::new() } else { random.nodes(depth - 1) };
        match self.below(12) {
            0..3 => Node::Event(self.small(5)),
            3 => Node::Span(self.small(5), inside(self)),
            4 => Node::Tenant(["acme", "globex"][usize::from(self.small(2))], inside(self)),
            5 => Node::Reload(self.small(5)),
            _ => Node::Call(self.small(FUNCTIONS), self.small(9), inside(self), self.below(3) == 0),
        }
    }
}

/// The number of functions.
const FUNCTIONS: u8 = 11;

type SetLevel = Box<dyn Fn(LevelFilter)>;

thread_local! {
    /// Sets the first output's level.
    static LEVEL: RefCell<Option<SetLevel>> = const { RefCell::new(None) };
}

/// The source of the spans and events.
#[derive(Clone, Copy)]
enum Written {
    ByHand,
    ByTheAttribute,
    /// The attribute, which logs an error once.
    Once,
}

macro_rules! at_level {
    ($level:expr, $do:ident!($($arguments:tt)*)) => {
        match $level {
            0 => tracing::$do!(target: "app", tracing::Level::ERROR, $($arguments)*),
            1 => tracing::$do!(target: "app", tracing::Level::WARN, $($arguments)*),
            2 => tracing::$do!(target: "app", tracing::Level::INFO, $($arguments)*),
            3 => tracing::$do!(target: "app", tracing::Level::DEBUG, $($arguments)*),
            _ => tracing::$do!(target: "app", tracing::Level::TRACE, $($arguments)*),
        }
    };
}

thread_local! {
    static ERRORS: Cell<usize> = const { Cell::new(0) };
}

/// An error with a number that is unique in its program.
fn error() -> String {
    format!("error {}", ERRORS.replace(ERRORS.get() + 1))
}

/// Fails with the first error of an inner call, passed on.
fn run(written: Written, nodes: &[Node]) -> Result<usize, String> {
    for node in nodes {
        match node {
            Node::Event(level) => at_level!(level, event!("inside")),
            Node::Span(level, nodes) => {
                let _span = at_level!(level, span!("a span")).entered();
                run(written, nodes)?;
            }
            Node::Tenant(tenant, nodes) => {
                TENANT_ID.in_scope(*tenant, || run(written, nodes))?;
            }
            Node::Reload(level) => LEVEL.with_borrow(|set| {
                let levels = [LevelFilter::OFF, LevelFilter::ERROR, LevelFilter::INFO, LevelFilter::DEBUG];
                let level = levels.get(usize::from(*level)).copied().unwrap_or(LevelFilter::TRACE);
                set.as_ref().expect("it is set")(level);
            }),
            Node::Call(function, id, nodes, fails) => {
                let work = Work { written, nodes, fails: *fails };
                let result = match written {
                    Written::ByHand => by_hand::call(*function, *id, &work),
                    Written::ByTheAttribute => by_the_attribute::call(*function, *id, &work),
                    Written::Once => once::call(*function, *id, &work),
                };
                // Every other error is handled.
                if id % 2 == 0 {
                    result?;
                }
            }
        }
    }
    Ok(nodes.len())
}

/// Runs the body of a function.
struct Work<'a> {
    written: Written,
    nodes: &'a [Node],
    fails: bool,
}

impl Work<'_> {
    fn run(&self) -> Result<usize, String> {
        let result = run(self.written, self.nodes)?;
        if self.fails { Err(error()) } else { Ok(result) }
    }

    async fn run_later(&self) -> Result<usize, String> {
        ctx_tests::Yield::default().await;
        let result = self.run();
        ctx_tests::Yield::default().await;
        result
    }
}

/// An attribute's value that logs when it is evaluated.
fn noisy(id: u8) -> u8 {
    tracing::info!(target: "app::noise", "noise");
    id
}

/// An argument that logs when it is formatted.
struct Noisy(u8);

impl fmt::Display for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Polls a future until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(ready) = future.as_mut().poll(&mut task) {
            return ready;
        }
    }
}

mod by_hand {
    use tracing::{Instrument, Level, debug, debug_span, error, error_span, event, info, info_span, trace};

    use super::*;

    macro_rules! ended {
        ($target:literal, $ok:ident, $err:ident, $result:expr) => {{
            let result = $result;
            match &result {
                Ok(value) => $ok!(target: $target, return = value, "returned"),
                Err(error) => $err!(target: $target, error = %error, "failed"),
            }
            result
        }};
    }

    pub(super) fn call(function: u8, id: u8, work: &Work<'_>) -> Result<usize, String> {
        match function {
            0 => {
                let _span = info_span!(target: "app::db", "load").entered();
                debug!(target: "app::db", id, "called");
                ended!("app::db", debug, error, work.run())
            }
            1 => {
                let _span = info_span!(target: "app::web", "serve", id).entered();
                debug!(target: "app::web", id, "called");
                ended!("app::web", debug, error, work.run())
            }
            2 => {
                let _span = debug_span!(target: "app::db", "quiet").entered();
                trace!(target: "app::db", id, "called");
                ended!("app::db", trace, error, work.run())
            }
            3 => {
                let _span = error_span!(target: "app::web", "loud").entered();
                ended!("app::web", info, error, work.run())
            }
            4 => {
                let _span = info_span!(target: "app::db", "plain").entered();
                match work.run() {
                    Err(error) => {
                        event!(target: "app::db", Level::WARN, error = %error);
                        Err(error)
                    }
                    Ok(value) => {
                        event!(target: "app::db", Level::DEBUG, return = ?value);
                        Ok(value)
                    }
                }
            }
            5 => block_on(
                async {
                    debug!(target: "app::db", id, "called");
                    ended!("app::db", debug, error, work.run_later().await)
                }
                .instrument(info_span!(target: "app::db", "load_later")),
            ),
            6 => TENANT_ID.in_scope(tenant(id), || {
                let span = info_span!(target: "app::web", "bill_later");
                block_on(
                    async {
                        debug!(target: "app::web", tenant = tenant(id), "called");
                        ended!("app::web", debug, error, work.run_later().await)
                    }
                    .instrument(span),
                )
            }),
            7 => TENANT_ID.in_scope(tenant(id), || {
                let _span = info_span!(target: "app::web", "bill").entered();
                debug!(target: "app::web", tenant = tenant(id), "called");
                ended!("app::web", debug, error, work.run())
            }),
            8 => {
                let noise = noisy(id);
                let _span = info_span!(target: "app::db", "asks", noise).entered();
                ended!("app::db", debug, error, work.run())
            }
            9 => {
                let span = info_span!(target: "app::db", "made");
                let made = span.in_scope(|| {
                    debug!(target: "app::db", id, "called");
                    std::future::ready(work.run())
                });
                block_on(async { ended!("app::db", debug, error, made.await) }.instrument(span))
            }
            _ => {
                let shown = Noisy(id);
                let _span = info_span!(target: "app::web", "shows").entered();
                debug!(target: "app::web", shown = %shown, "called");
                ended!("app::web", debug, error, work.run())
            }
        }
    }
}

fn tenant(id: u8) -> &'static str {
    if id < 5 { "acme" } else { "globex" }
}

macro_rules! functions {
    ($name:ident, $errors:tt) => {
        mod $name {
            use ctx_layer::with_observability;

            use super::*;

            #[with_observability(target = "app::db", skip(work), log_errors = $errors)]
            fn load(id: u8, work: &Work<'_>) -> Result<usize, String> {
                work.run()
            }

            #[with_observability(target = "app::web", skip(work), attributes_from_args = all, log_errors = $errors)]
            fn serve(id: u8, work: &Work<'_>) -> Result<usize, String> {
                work.run()
            }

            #[with_observability(target = "app::db", level = "debug", log_level = trace, skip(work), log_errors = $errors)]
            fn quiet(id: u8, work: &Work<'_>) -> Result<usize, String> {
                work.run()
            }

            #[with_observability(target = "app::web", level = "error", log_args = false, ret(level = "info"), log_errors = $errors)]
            fn loud(work: &Work<'_>) -> Result<usize, String> {
                work.run()
            }

            #[with_observability(target = "app::db", log_args = false, log_result = false, log_errors = false,
                ret(level = "debug"), err(level = "warn"))]
            fn plain(work: &Work<'_>) -> Result<usize, String> {
                work.run()
            }

            #[with_observability(target = "app::db", skip(work), log_errors = $errors)]
            async fn load_later(id: u8, work: &Work<'_>) -> Result<usize, String> {
                work.run_later().await
            }

            #[with_observability(target = "app::web", skip(work), context = { tenant: TENANT_ID }, log_errors = $errors)]
            async fn bill_later(tenant: &str, work: &Work<'_>) -> Result<usize, String> {
                let _ = tenant;
                work.run_later().await
            }

            #[with_observability(target = "app::web", skip(work), context = { tenant: TENANT_ID }, log_errors = $errors)]
            fn bill(tenant: &str, work: &Work<'_>) -> Result<usize, String> {
                let _ = tenant;
                work.run()
            }

            #[with_observability(target = "app::db", skip(work), log_args = false,
                attributes_from_args = { noisy(id): "noise" }, log_errors = $errors)]
            fn asks(id: u8, work: &Work<'_>) -> Result<usize, String> {
                let _ = id;
                work.run()
            }

            #[with_observability(target = "app::db", skip(work), log_errors = $errors)]
            fn made(id: u8, work: &Work<'_>) -> impl Future<Output = Result<usize, String>> + use<> {
                let _ = id;
                std::future::ready(work.run())
            }

            #[with_observability(target = "app::web", skip(work), log_errors = $errors)]
            fn shows(shown: Noisy, work: &Work<'_>) -> Result<usize, String> {
                let _ = shown;
                work.run()
            }

            pub(super) fn call(function: u8, id: u8, work: &Work<'_>) -> Result<usize, String> {
                match function {
                    0 => load(id, work),
                    1 => serve(id, work),
                    2 => quiet(id, work),
                    3 => loud(work),
                    4 => plain(work),
                    5 => block_on(load_later(id, work)),
                    6 => block_on(bill_later(tenant(id), work)),
                    7 => bill(tenant(id), work),
                    8 => asks(id, work),
                    9 => block_on(made(id, work)),
                    _ => shows(Noisy(id), work),
                }
            }
        }
    };
}

functions!(by_the_attribute, every_level);
functions!(once, true);

/// An output that records each span and each event, with the enclosing spans that it can see.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

/// Returns a line without the duration, so that both ways can be compared.
struct Values<'a>(&'a mut String);

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        if !["elapsed_ms", "busy_ms"].contains(&field.name()) {
            // The attribute's message is a string; the one written by hand is formatted.
            let value = format!("{value:?}");
            let _ = write!(self.0, " {}={}", field.name(), value.trim_matches('"'));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, cx: Context<'_, S>) {
        let mut line = format!("span {}", cx.span_scope(id).map(names).unwrap_or_default());
        attributes.record(&mut Values(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = format!("{} {} in", metadata.level(), metadata.target());
        let _ = write!(line, " {}", cx.event_scope(event).map(names).unwrap_or_default());
        event.record(&mut Values(&mut line));
        self.0.lock().unwrap().push(line);
    }
}

fn names<'a, S: LookupSpan<'a>>(scope: tracing_subscriber::registry::Scope<'a, S>) -> String {
    scope.from_root().map(|span| span.name()).collect::<Vec<_>>().join(":")
}

const OUTPUTS: usize = 6;

/// Creates a stack of outputs. `kind` selects the filter over all of them. From 3 on, no filter's answer depends on
/// more than the callsite.
fn stack(kind: u8, seen: &[Seen; OUTPUTS]) -> Dispatch {
    let [a, b, c, d, e, f] = seen.clone();
    let (level, handle) = reload::Layer::new(LevelFilter::INFO);
    LEVEL.set(Some(Box::new(move |level| handle.reload(level).unwrap())));
    let refused = if kind < 3 { "app::db" } else { "app::noise" };
    let targets = Targets::new().with_default(LevelFilter::INFO).with_target(refused, LevelFilter::OFF);
    let refused = if kind < 3 { "app::web" } else { "app" };
    // The innermost span decides.
    let inside = dynamic_filter_fn(|metadata: &Metadata<'_>, cx: &Context<'_, _>| {
        metadata.is_span()
            || cx.lookup_current().is_some_and(|span: tracing_subscriber::registry::SpanRef<'_, _>| {
                span.name().starts_with(['l', 'b', 's'])
            })
    });
    let outputs: [Box<dyn Layer<Registry> + Send + Sync>; OUTPUTS] = [
        a.with_filter(level).boxed(),
        b.with_filter(LevelFilter::DEBUG).boxed(),
        c.with_filter(targets).boxed(),
        d.with_filter(EnvFilter::new("warn,[load]=debug,[bill_later]=trace,[{tenant_id=acme}]=debug")).boxed(),
        if kind < 3 { e.with_filter(inside).boxed() } else { e.with_filter(LevelFilter::TRACE).boxed() },
        f.with_filter(filter_fn(move |metadata| metadata.target() != refused)).boxed(),
    ];
    let registry = tracing_subscriber::registry().with(Vec::from(outputs));
    match kind {
        0 | 3 => Dispatch::new(registry.with_context_fields(schema())),
        1 | 4 => Dispatch::new(registry.with(LevelFilter::DEBUG).with_context_fields(schema())),
        _ => Dispatch::new(
            registry.with(EnvFilter::new("info,[{tenant_id=acme}]=trace,[serve]=debug")).with_context_fields(schema()),
        ),
    }
}

/// Returns what each output gets of a program.
fn seen(written: Written, kind: u8, program: &[Node]) -> [Vec<String>; OUTPUTS] {
    let seen: [Seen; OUTPUTS] = Default::default();
    let dispatch = stack(kind, &seen);
    ERRORS.set(0);
    dispatcher::with_default(&dispatch, || {
        let _ = run(written, program);
    });
    LEVEL.set(None);
    seen.map(|seen| seen.0.lock().unwrap().clone())
}

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn filtered_outputs_get_what_they_get_from_events_written_by_hand() {
    let _alone = alone();
    let mut lines = 0;
    for seed in 0..300 {
        let program = Random(seed).nodes(3);
        let kind = u8::try_from(seed % 3).unwrap();
        let expected = seen(Written::ByHand, kind, &program);
        let found = seen(Written::ByTheAttribute, kind, &program);
        for (output, (found, expected)) in found.iter().zip(&expected).enumerate() {
            lines += expected.len();
            assert_eq!(found, expected, "output {output} of program {seed}: {program:#?}");
        }
    }
    assert!(lines > 5_000, "{lines}");
}

/// Returns the error on a line that reports a failure.
fn failure(line: &str) -> Option<&str> {
    let (_, error) = line.rsplit_once(" error=")?;
    Some(error.split(" tenant_id").next().unwrap_or(error))
}

#[test]
fn an_error_logged_once_is_in_each_output_that_takes_one_of_its_lines() {
    let _alone = alone();
    let (mut once_lines, mut every_lines) = (0, 0);
    for seed in 0..300 {
        let program = Random(seed).nodes(3);
        let kind = 3 + u8::try_from(seed % 2).unwrap();
        let every = seen(Written::ByTheAttribute, kind, &program);
        let once = seen(Written::Once, kind, &program);
        for (output, (once, every)) in once.iter().zip(&every).enumerate() {
            let what = || format!("output {output} of program {seed}: {once:#?}, not {every:#?}, of {program:#?}");
            let mut rest = every.iter();
            for line in once {
                // Only the errors are compared.
                assert!(
                    rest.by_ref().take_while(|other| *other != line).all(|other| failure(other).is_some()),
                    "{}",
                    what()
                );
            }
            assert!(rest.all(|other| failure(other).is_some()), "{}", what());
            for error in every.iter().filter_map(|line| failure(line)) {
                let best = |lines: &[String]| {
                    let lines = lines.iter().filter(|line| failure(line) == Some(error));
                    lines.map(|line| !line.starts_with("ERROR")).min()
                };
                assert_eq!(best(once), best(every), "{error} in {}", what());
            }
            once_lines += once.len();
            every_lines += every.len();
        }
    }
    println!("{once_lines} lines once, {every_lines} at every level");
    assert!(once_lines + 100 < every_lines, "{once_lines} and {every_lines}: too few are left out for a test");
}
