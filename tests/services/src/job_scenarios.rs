//! Scenarios that each library of jobs must pass.

use std::{collections::HashMap, sync::Arc};

use ctx_layer::{
    FutureFieldsExt,
    field::well_known::TENANT_ID,
    messaging::Destination,
    propagation::{CarrierMut, Trust},
};
use serde_json::{Map, Value, json};
use tracing::{Instrument, info_span};

use crate::{
    Result,
    fields::{self, TENANT},
    job_handler::JobHandler,
    job_library::JobLibrary,
    messages::{SpanIds, send_by},
    scenarios::unique,
    telemetry,
    worker::{self, Mode, Process},
};

/// Defines the tests of a library, and the process of its workers.
#[macro_export]
macro_rules! job_scenarios {
    ($library:ty: $($scenario:ident => $name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() -> $crate::Result {
                $crate::job_scenarios::$scenario::<$library>().await
            }
        )*

        /// The worker in a process of its own, which the tests start.
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        #[ignore = "a process of the other tests"]
        async fn worker() -> $crate::Result {
            $crate::job_scenarios::work::<$library>().await
        }
    };
}

/// Handles jobs as a process of its own, which prints a line and a span for each.
pub async fn work<L: JobLibrary>() -> Result {
    let Some((queue, mode, all)) = worker::assignment() else {
        return Err("only other tests start a worker".into());
    };
    telemetry::install();
    let library = L::connect(&queue).await?;
    handled(&library, Trust::internal(), mode, u32::try_from(all)?, 1).await.map(drop)
}

/// Adds a job in the current context. Returns the trace and the id of the producer's span.
async fn push<L: JobLibrary>(library: &L, body: &str) -> Result<SpanIds> {
    let destination = Destination::new(L::SYSTEM, library.queue().to_owned());
    send_by(destination, L::Headers::default(), |headers| library.push(headers, body)).await
}

/// Adds a job within a request with a field of every type.
async fn push_in_request<L: JobLibrary>(library: &L, body: &str) -> Result<SpanIds> {
    fields::with_all(async { push(library, body).instrument(info_span!("request")).await }).await
}

/// Adds a job with headers as they are.
async fn push_as_it_is<L: JobLibrary>(library: &L, headers: &[(&str, &str)], body: &str) -> Result {
    let mut carrier = L::Headers::default();
    headers.iter().for_each(|(key, value)| carrier.set(key, value));
    library.push(carrier, body).await
}

/// Runs a worker in this process until there were enough attempts.
async fn handled<L: JobLibrary>(
    library: &L,
    trust: Trust,
    mode: Mode,
    all: u32,
    concurrency: usize,
) -> Result<Arc<JobHandler>> {
    let handler = JobHandler::new::<L>(library.queue(), trust, mode, all);
    library.work(handler.clone(), concurrency).await?;
    Ok(handler)
}

/// Returns the lines of this process's attempts to handle a job.
fn lines_of(body: &str) -> Vec<Map<String, Value>> {
    telemetry::lines("handled").into_iter().filter(|line| line.get("body").is_some_and(|found| found == body)).collect()
}

/// Checks that a line has the trace and the fields of [`push_in_request`] with their types.
fn check_line(line: &Value, (trace, _): &SpanIds) {
    assert_eq!(line["trace_id"], **trace);
    assert_eq!(line["tenant_id"], TENANT);
    assert_eq!((&line["shard"], &line["ratio"], &line["beta"]), (&json!(7), &json!(0.25), &json!(true)));
}

/// Checks that the span of a line is a consumer's, and a child of the producer's.
fn check_span(span: &Value, (trace, parent): &SpanIds) {
    assert_eq!((&span["trace"], &span["parent"]), (&json!(trace), &json!(parent)));
    assert_eq!((&span["kind"], &span["attributes"]["tenant_id"]), (&json!("consumer"), &json!(TENANT)));
}

/// A worker in another process has the producer's trace, its span as parent, and all fields with their types.
pub async fn end_to_end<L: JobLibrary>() -> Result {
    telemetry::install();
    let library = L::connect(&unique("end_to_end")).await?;
    let sent = push_in_request(&library, "paid").await?;
    let printed = Process::start(library.queue(), Mode::Handle, 1)?.finish()?;
    let line = printed.line("handled")?;
    assert_eq!((&line["body"], &line["attempt"]), (&json!("paid"), &json!(1)));
    check_line(line, &sent);
    check_span(printed.span("consumer")?, &sent);
    assert_eq!(telemetry::span(&sent.1).ok_or("it is exported")?["kind"], "producer");
    library.remove().await
}

/// A job that failed is tried again with the same parent, and the attempt is counted.
pub async fn retry<L: JobLibrary>() -> Result {
    telemetry::install();
    let queue = unique("retry");
    let library = L::connect(&queue).await?;
    let sent = push_in_request(&library, &queue).await?;
    handled(&library, Trust::internal(), Mode::Reject, 2, 1).await?;
    let lines = lines_of(&queue);
    assert_eq!(lines.iter().map(|line| line["attempt"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
    for line in lines {
        let span = telemetry::span(line["span_id"].as_str().ok_or("it has a span")?).ok_or("it is exported")?;
        check_line(&line.into(), &sent);
        check_span(&span, &sent);
    }
    library.remove().await
}

/// A job whose worker is killed is handled by the next one with the same parent, and the attempt is counted where the library does.
pub async fn killed<L: JobLibrary>() -> Result {
    telemetry::install();
    let library = L::connect(&unique("killed")).await?;
    let sent = push_in_request(&library, "paid").await?;
    let killed = Process::start(library.queue(), Mode::Hang, 1)?.kill_at("handled")?;
    check_line(killed.line("handled")?, &sent);
    let printed = Process::start(library.queue(), Mode::Handle, 1)?.finish()?;
    let line = printed.line("handled")?;
    assert_eq!(line["attempt"], if L::COUNTS_KILLED { 2 } else { 1 });
    check_line(line, &sent);
    check_span(printed.span("consumer")?, &sent);
    library.remove().await
}

/// 200 jobs of 20 tenants are handled four at once, each in its tenant's context.
pub async fn tenants<L: JobLibrary>() -> Result {
    const JOBS: usize = 200;
    const TENANTS: usize = 20;
    const AT_ONCE: usize = 4;
    telemetry::install();
    let queue = unique("tenants");
    let library = L::connect(&queue).await?;
    let push_all = async {
        for job in 0..JOBS {
            let tenant = format!("{queue}-{}", job % TENANTS);
            push(&library, &tenant).with_field(&TENANT_ID, tenant.clone()).await?;
        }
        Result::Ok(())
    };
    let all = u32::try_from(JOBS)?;
    let ((), handler) = tokio::try_join!(push_all, handled(&library, Trust::internal(), Mode::Handle, all, AT_ONCE))?;
    assert!((2..=AT_ONCE).contains(&handler.most_at_once()), "{} at once", handler.most_at_once());
    let mut counts = HashMap::<String, usize>::new();
    for line in telemetry::lines("handled") {
        let body = line["body"].as_str().unwrap_or_default();
        if body.starts_with(&queue) {
            assert_eq!(line["tenant_id"], body);
            *counts.entry(body.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), TENANTS);
    assert!(counts.values().all(|count| *count == JOBS / TENANTS), "{counts:?}");
    library.remove().await
}

/// A job without context belongs to nobody's request, also after one that has a context.
pub async fn without_context<L: JobLibrary>() -> Result {
    telemetry::install();
    let queue = unique("without");
    let library = L::connect(&queue).await?;
    let (with, without) = (format!("{queue}-with"), format!("{queue}-without"));
    push_in_request(&library, &with).await?;
    // Of this request, and without its context.
    let push = async { push_as_it_is(&library, &[], &without).await };
    fields::with_all(push.instrument(info_span!("request"))).await?;
    handled(&library, Trust::internal(), Mode::Handle, 2, 1).await?;
    assert_eq!(seen(&with)?, (json!(TENANT), json!(7), true));
    assert_eq!(seen(&without)?, (Value::Null, Value::Null, false));
    library.remove().await
}

/// Returns what the only attempt to handle a job saw: the tenant, the shard, and whether its span has a parent.
fn seen(body: &str) -> Result<(Value, Value, bool)> {
    let lines = lines_of(body);
    let [line] = &lines[..] else { return Err(format!("not one line of {body}: {lines:?}").into()) };
    let span = telemetry::span(line["span_id"].as_str().ok_or("it has a span")?).ok_or("it is exported")?;
    let field = |name| line.get(name).cloned().unwrap_or_default();
    Ok((field("tenant_id"), field("shard"), !span["parent"].is_null()))
}

/// A hostile producer sets nothing where it is not trusted, and no bad value where it is.
pub async fn hostile_context<L: JobLibrary>() -> Result {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    telemetry::install();
    let queue = unique("hostile");
    let library = L::connect(&queue).await?;
    let victim = [("traceparent", PARENT), ("baggage", "tenant_id=victim,x-shard=7")];
    let (linked, continued) = (format!("{queue}-linked"), format!("{queue}-continued"));
    push_as_it_is(&library, &victim, &linked).await?;
    handled(&library, Trust::external().link_only(), Mode::Handle, 1, 1).await?;
    assert_eq!(seen(&linked)?, (Value::Null, Value::Null, false));
    push_as_it_is(&library, &victim, &continued).await?;
    handled(&library, Trust::external(), Mode::Handle, 1, 1).await?;
    assert_eq!(seen(&continued)?, (Value::Null, Value::Null, true));

    let long = format!("tenant_id={}", "x".repeat(5_000));
    let zeros = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
    let cases = [
        (zeros, "tenant_id=a%0Ab,x-shard=7", (Value::Null, json!(7), false)),
        ("garbage", "x-shard=seven,tenant_id=acme", (json!("acme"), Value::Null, false)),
        ("", ",,;=,%", (Value::Null, Value::Null, false)),
        (PARENT, long.as_str(), (Value::Null, Value::Null, true)),
    ];
    for (number, (parent, baggage, _)) in cases.iter().enumerate() {
        let headers = [("traceparent", *parent), ("baggage", *baggage)];
        push_as_it_is(&library, &headers, &format!("{queue}-{number}")).await?;
    }
    handled(&library, Trust::internal(), Mode::Handle, u32::try_from(cases.len())?, 1).await?;
    for (number, (parent, baggage, expected)) in cases.iter().enumerate() {
        assert_eq!(seen(&format!("{queue}-{number}"))?, *expected, "{parent} {baggage}");
    }
    library.remove().await
}
