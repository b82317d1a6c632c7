//! Foreign code that runs inside this crate's code may log, set fields, record, open spans, and panic.
//!
//! Each place is tried with each act in a process of its own, since a fault hangs or aborts. The same program without
//! this crate shows what the outputs cannot do by themselves.

use std::{
    cell::Cell,
    error::Error,
    fmt,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use ctx_layer::{ContextLayer, Fields, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::Captured;
use opentelemetry::{
    Context as OtelContext, KeyValue, SpanId, TraceId,
    trace::{Link, SpanKind, TraceState, TracerProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{
        IdGenerator, RandomIdGenerator, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
        Span as OtelSpan, SpanData, SpanExporter, SpanProcessor,
    },
};
use tracing::{Event, Metadata, Span, Subscriber, error, field::Empty, info, info_span, span, subscriber::Interest};
use tracing_subscriber::{Layer, fmt as output, layer::Context, prelude::*};

/// The acts of foreign code. `None` ends the child's list.
const ACTS: [(&str, fn()); 6] = [
    ("logs", logs),
    ("sets", || TENANT_ID.in_scope("inner", logs)),
    ("records", || {
        let _ = USER_ID.record("u-1");
        logs();
    }),
    ("opens spans", || {
        info_span!("foreign", text = "t").in_scope(logs);
        TENANT_ID.in_scope("inner", || info_span!(parent: None, "foreign root")).in_scope(logs);
    }),
    ("names its parent", || {
        info!(parent: &Span::current(), "of the current span");
        info!(parent: None, "of none");
    }),
    ("panics", || panic!("meant")),
];

/// Logs which tenant is current, and so which one the line must have.
fn logs() {
    let want = TENANT_ID.get().unwrap_or_else(|| "none".into());
    info!(want = want.as_str(), value = ?PHONE.get(), "foreign code logs");
}

/// The places in `layer` and `field` where foreign code runs, each with a program.
const PLACES: &[(&str, fn())] = &[
    ("Display, when set", || drop(SHOWN.attach(Foreign("display")))),
    ("Display, when hashed", || drop(HASHED.attach(Foreign("longer than it may be, display")))),
    ("Display, when recorded", || {
        let _ = SHOWN.record(Foreign("display"));
    }),
    ("Display, in a set", || Fields::current().with(&SHOWN, Foreign("display")).in_scope(|| info!("with a set"))),
    ("Drop, with a guard", || drop(SHOWN.attach(Foreign("drop")))),
    ("Drop, with a span", || drop(SHOWN.in_scope(Foreign("drop"), || info_span!("remembers")))),
    ("Drop, with an entered span", || {
        SHOWN.in_scope(Foreign("drop"), || info_span!("remembers")).in_scope(|| info!("in it"))
    }),
    ("Drop, replaced by another", || {
        let _ = SHOWN.record(Foreign("drop"));
        let _ = SHOWN.record(Foreign("nothing"));
    }),
    ("Drop, after an event", || SHOWN.in_scope(Foreign("drop"), || info!("the last of its fields"))),
    ("Debug, of an event", || info!(own = "text", value = ?Foreign("debug"), last = 1, "an event")),
    ("Debug, of an event alone", || info!("{:?}", Foreign("debug"))),
    ("Debug, of a span", || {
        info_span!("one", own = "text", value = ?Foreign("debug"), last = 1).in_scope(|| info!("in it"))
    }),
    ("Debug, of a span that declares a field", || {
        info_span!("one", tenant_id = ?Foreign("debug"), user_id = Empty).in_scope(|| info!("in it"));
    }),
    ("Debug, recorded", || {
        let span = info_span!("one", value = Empty, tenant_id = Empty);
        span.record("value", tracing::field::debug(Foreign("debug")));
        span.record("tenant_id", tracing::field::debug(Foreign("debug")));
    }),
    ("Display of an error", || {
        let error = Foreign("display");
        error!(
            first = &error as &(dyn Error + 'static),
            second = &error as &(dyn Error + 'static),
            text = "t",
            "failed"
        );
    }),
    ("source of an error", || error!(error = &Foreign("source") as &(dyn Error + 'static), "failed")),
    ("a panic hook", || {
        std::panic::set_hook(Box::new(|_| act("hook")));
        assert!(catch_unwind(|| SHOWN.in_scope(Foreign("nothing"), || panic!("meant"))).is_err());
    }),
    ("a panic hook, at a thread's end", || {
        std::panic::set_hook(Box::new(|info| {
            error!("{info}");
            act("hook");
        }));
        on_a_thread(|| {
            OLDER.with(|_| ());
            drop(OtelContext::new().attach());
        });
    }),
    ("a thread-local's destructor", || {
        on_a_thread(|| {
            OLDER.with(|_| ());
            TENANT_ID.in_scope("acme", || info_span!("one").in_scope(|| info!("in it")));
        });
    }),
    ("a sampler", || in_a_span("sampler")),
    ("an id generator", || in_a_span("ids")),
    ("a span processor, on start", || in_a_span("start")),
    ("a span processor, on end", || in_a_span("end")),
    ("an exporter", || in_a_span("export")),
    ("a sampler, of an explicit child", || {
        *ACTS_IN.lock().unwrap() = "sampler";
        let parent = info_span!("parent");
        info_span!(parent: &parent, "child").in_scope(|| info!("in it"));
    }),
    ("a sampler, of a span that another follows", || {
        *ACTS_IN.lock().unwrap() = "sampler";
        let (one, other) = (info_span!("one"), info_span!("other"));
        other.follows_from(&one);
        info!(parent: &other, "of the other");
    }),
    ("a sampler, where ids are asked for", || {
        *ACTS_IN.lock().unwrap() = "sampler";
        let span = info_span!("one");
        info!(parent: &span, "starts the span");
        let _ = ctx_layer::task::in_current_context(|| info!("elsewhere"));
    }),
    ("a layer's register_callsite", || in_a_span("register_callsite")),
    ("a layer's enabled", || in_a_span("enabled")),
    ("a layer's event_enabled", || in_a_span("event_enabled")),
    ("a layer's on_new_span", || in_a_span("on_new_span")),
    ("a layer's on_record", || in_a_span("on_record")),
    ("a layer's on_follows_from", || in_a_span("on_follows_from")),
    ("a layer's on_event", || in_a_span("on_event")),
    ("a layer's on_enter", || in_a_span("on_enter")),
    ("a layer's on_exit", || in_a_span("on_exit")),
    ("a layer's on_close", || in_a_span("on_close")),
    ("a writer", || in_a_span("write")),
];

/// The combinations that fail here and pass without this crate, each with the reason.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    // Only a panic reveals that a thread is being torn down, on a thread that used nothing of this crate before.
    // OpenTelemetry's own layer panics there when a span is entered, and a hook that panics aborts. Without this crate
    // there is no panic, so no hook runs.
    ("a panic hook, at a thread's end", "opens spans", "on"),
    ("a panic hook, at a thread's end", "panics", "on"),
    // A span's lock is poisoned where its sampler panics, and its close aborts. Asking for ids starts the span earlier.
    ("a sampler, where ids are asked for", "panics", "on"),
];

/// The place where the child's foreign code acts.
static ACTS_IN: Mutex<&str> = Mutex::new("");
/// The act of the child.
static ACT: Mutex<Option<fn()>> = Mutex::new(None);

/// The attributes of the exported spans.
static EXPORTED: Mutex<Vec<KeyValue>> = Mutex::new(Vec::new());

thread_local! {
    static IS_ACTING: Cell<bool> = const { Cell::new(false) };
    static OLDER: ActsWhenDropped = const { ActsWhenDropped };
}

struct ActsWhenDropped;

impl Drop for ActsWhenDropped {
    fn drop(&mut self) {
        info!("good-bye");
        act("destructor");
    }
}

/// Acts unless an act is running already: that would recurse without end in any program.
fn act(place: &str) {
    let acts_in = *ACTS_IN.lock().unwrap_or_else(PoisonError::into_inner);
    if acts_in != place || IS_ACTING.replace(true) {
        return;
    }
    let act = *ACT.lock().unwrap_or_else(PoisonError::into_inner);
    let result = catch_unwind(AssertUnwindSafe(|| act.map(|act| act())));
    IS_ACTING.set(false);
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// Acts if `place` is the child's place.
#[derive(Clone)]
struct Foreign(&'static str);

impl Foreign {
    fn act(&self, where_: &str) {
        if self.0.ends_with(where_) {
            act(where_);
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")?;
        f.write_str(", longer than it may be")?;
        self.act("display");
        f.write_str(".")
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.act("debug");
        f.write_str("debugged")
    }
}

impl Error for Foreign {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.act("source");
        None
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.act("drop");
        }
    }
}

ctx_layer::context_fields! {
    /// A value of foreign code.
    static SHOWN: Foreign = "shown" => max_len(8);
    /// A hashed value of foreign code.
    static HASHED: Foreign = "hashed" => hashed, max_len(8);
    /// A hashed value that must be shown hashed to the end.
    static PHONE: String = "phone" => hashed;
}

fn in_a_span(place: &'static str) {
    *ACTS_IN.lock().unwrap() = place;
    let span = info_span!("one", value = Empty);
    span.record("value", 1);
    span.follows_from(Span::current());
    span.in_scope(|| {
        info!("in it");
        let _ = USER_ID.record("u-2");
        info_span!("two").in_scope(|| info!("in both"));
    });
}

fn on_a_thread(run: impl FnOnce() + Send) {
    let mut acts_in = ACTS_IN.lock().unwrap();
    if acts_in.is_empty() {
        *acts_in = "destructor";
    }
    drop(acts_in);
    thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

#[derive(Clone, Debug)]
struct Sdk(RandomIdGenerator);

impl ShouldSample for Sdk {
    fn should_sample(
        &self,
        _: Option<&OtelContext>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        act("sampler");
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: vec![],
            trace_state: TraceState::default(),
        }
    }
}

impl IdGenerator for Sdk {
    fn new_trace_id(&self) -> TraceId {
        act("ids");
        self.0.new_trace_id()
    }

    fn new_span_id(&self) -> SpanId {
        act("ids");
        self.0.new_span_id()
    }
}

impl SpanProcessor for Sdk {
    fn on_start(&self, _: &mut OtelSpan, _: &OtelContext) {
        act("start");
    }

    fn on_end(&self, _: SpanData) {
        act("end");
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl SpanExporter for Sdk {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        act("export");
        let attributes = spans.into_iter().flat_map(|span| span.attributes);
        EXPORTED.lock().unwrap_or_else(PoisonError::into_inner).extend(attributes);
        Ok(())
    }
}

struct Acts;

impl<S: Subscriber> Layer<S> for Acts {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        act("register_callsite");
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        act("enabled");
        true
    }

    fn event_enabled(&self, _: &Event<'_>, _: Context<'_, S>) -> bool {
        act("event_enabled");
        true
    }

    fn on_new_span(&self, _: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        act("on_new_span");
    }

    fn on_record(&self, _: &span::Id, _: &span::Record<'_>, _: Context<'_, S>) {
        act("on_record");
    }

    fn on_follows_from(&self, _: &span::Id, _: &span::Id, _: Context<'_, S>) {
        act("on_follows_from");
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        act("on_event");
    }

    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        act("on_enter");
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        act("on_exit");
    }

    fn on_close(&self, _: span::Id, _: Context<'_, S>) {
        act("on_close");
    }
}

#[derive(Clone)]
struct ActingWriter(Captured);

impl Write for ActingWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        act("write");
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn install(with_us: bool, activation: bool) -> Captured {
    let out = Captured::default();
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sdk(RandomIdGenerator::default()))
        .with_id_generator(Sdk(RandomIdGenerator::default()))
        .with_span_processor(Sdk(RandomIdGenerator::default()))
        .with_simple_exporter(Sdk(RandomIdGenerator::default()))
        .build();
    let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("t")).with_context_activation(activation);
    let writer = ActingWriter(out.clone());
    let json = output::layer().json().with_writer(move || writer.clone());
    if with_us {
        let ids = Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build().unwrap();
        let schema = Schema::builder().well_known().field(&SHOWN).field(&HASHED).field(&PHONE).build().unwrap();
        tracing_subscriber::registry()
            .with(otel)
            .with(ContextLayer::new(json, ids))
            .with(fields_once_per_line(output::layer().with_writer(std::io::sink)))
            .with(Acts)
            .with_context_fields(schema)
            .init();
    } else {
        tracing_subscriber::registry()
            .with(otel)
            .with(json)
            .with(output::layer().with_writer(std::io::sink))
            .with(Acts)
            .init();
    }
    out
}

/// Runs one place and one act in the child process. Exits with 0 if everything is as expected.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child() {
    let argument = |name| std::env::var(name).unwrap_or_default();
    let Some((_, place)) = PLACES.iter().find(|(name, _)| *name == argument("PLACE")) else { return };
    let Some((_, how)) = ACTS.iter().find(|(name, _)| *name == argument("ACT")) else { return };
    let with_us = argument("WITH") == "us";
    let out = install(with_us, argument("ACTIVATION") != "off");
    // Foreign values call `act_at` themselves.
    let of_value = ["display", "debug", "drop", "source", "hook"];
    let name = argument("PLACE").to_lowercase();
    if let Some(of_value) = of_value.iter().find(|of_value| name.contains(**of_value)) {
        *ACTS_IN.lock().unwrap() = of_value;
    }
    *ACT.lock().unwrap() = Some(*how);

    if argument("ACT") == "panics" && !name.contains("hook") {
        std::panic::set_hook(Box::new(|_| ()));
    }
    let _ =
        catch_unwind(|| TENANT_ID.in_scope("acme", || PHONE.in_scope("555", || info_span!("request").in_scope(place))));
    *ACTS_IN.lock().unwrap() = "";

    // The act has changed nothing.
    assert_eq!((TENANT_ID.get(), USER_ID.get(), PHONE.get()), (None, None, None));
    TENANT_ID.in_scope("after", || {
        PHONE.in_scope("555", || info_span!("after").in_scope(|| info!(want = "after", "after all")))
    });
    if !with_us {
        return;
    }
    if argument("PLACE") == "a sampler" && argument("ACT") == "records" {
        // It was logged on the span that was being started.
        let exported = EXPORTED.lock().unwrap();
        let users = exported.iter().filter(|attribute| attribute.key.as_str() == "user_id");
        assert!(users.clone().any(|user| user.value.as_str() == "u-1"), "{:?}", users.collect::<Vec<_>>());
    }
    let lines = out.json();
    let after: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "after all").collect();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0]["fields"]["phone"].as_str().map(str::len), Some(32), "{}", after[0]);
    for line in lines.iter().filter(|line| line["fields"].get("want").is_some_and(|want| want != "none")) {
        assert_eq!(line["fields"]["tenant_id"], line["fields"]["want"], "{line}");
    }
}

/// Returns how the child ended: `Ok` if everything was as expected.
fn run(place: &str, how: &str, with: &str, activation: &str) -> Result<(), String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .envs([("PLACE", place), ("ACT", how), ("WITH", with), ("ACTIVATION", activation)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    // A child that aborted or hangs is a fault. One that waits for the processor is not.
    let limit = Duration::from_secs(30);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let error = std::io::read_to_string(child.stderr.take().unwrap()).unwrap_or_default();
            return if status.success() { Ok(()) } else { Err(format!("{status}: {error}")) };
        }
        if started.elapsed() > limit {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("it hung".to_owned());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn foreign_code_may_log_set_record_open_spans_and_panic_anywhere() {
    let cases: Vec<_> = PLACES
        .iter()
        .flat_map(|(place, _)| ACTS.iter().map(move |(how, _)| (*place, *how)))
        .flat_map(|(place, how)| {
            // Without activation, `tracing-opentelemetry` itself waits for the lock of the span that it is starting.
            let hangs_by_itself =
                how == "opens spans" && (place.starts_with("a sampler") || place.ends_with("on start"));
            let of_otel =
                ["a sampler", "an id", "a span processor", "an exporter"].iter().any(|it| place.starts_with(it));
            let activations: &[&str] = if of_otel && !hangs_by_itself { &["on", "off"] } else { &["on"] };
            activations.iter().map(move |activation| (place, how, *activation))
        })
        .collect();
    let next = Mutex::new(cases.iter());
    let (failed, compared) = (Mutex::new(Vec::new()), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let Some((place, how, activation)) = next.lock().unwrap().next().copied() else { return };
                    let Err(error) = run(place, how, "us", activation) else {
                        *compared.lock().unwrap() += 1;
                        continue;
                    };
                    // Failures of the outputs themselves are not tested here.
                    if !EXCEPTIONS.contains(&(place, how, activation)) && run(place, how, "nobody", activation).is_ok()
                    {
                        failed.lock().unwrap().push(format!("{place}, {how}, activation {activation}: {error}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
    let compared = compared.into_inner().unwrap();
    assert!(compared * 20 > cases.len() * 17, "only {compared} of {} say anything", cases.len());
}
