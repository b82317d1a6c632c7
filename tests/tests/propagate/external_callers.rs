//! Untrusted context sets no fields, and missing context is not replaced by the caller's.

use std::collections::HashMap;

use ctx_layer::{
    Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, propagate, propagation::Captured, with_observability,
};
use ctx_tests::{Captured as Lines, Exported, block_on};
use opentelemetry::trace::TraceContextExt;
use tracing::{Dispatch, dispatcher::with_default, info, info_span};
use tracing_subscriber::prelude::*;

use crate::stack::ACCOUNT;

type Headers = HashMap<String, String>;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn full() -> Headers {
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{TRACE}-b7ad6b7169203331-01")),
        ("baggage".to_owned(), "account=theirs,tenant_id=theirs,tenant.id=theirs".to_owned()),
    ])
}

type Seen = (Option<String>, Option<String>);

fn schema() -> Schema {
    Schema::builder().well_known().field(&ACCOUNT).build().unwrap()
}

/// Returns stacks with an OpenTelemetry layer, with one that activates nothing, and without.
fn stacks() -> Vec<(&'static str, Dispatch, Lines, Exported)> {
    let mut stacks = Vec::new();
    for kind in ["with OpenTelemetry", "without activation", "without OpenTelemetry"] {
        let (lines, exported) = (Lines::default(), Exported::new());
        let layer = tracing_opentelemetry::layer().with_tracer(exported.tracer());
        let layer = match kind {
            "with OpenTelemetry" => Some(layer),
            "without activation" => Some(layer.with_context_activation(false)),
            _ => None,
        };
        let text = tracing_subscriber::fmt::layer().json().with_writer(lines.clone());
        let stack = tracing_subscriber::registry().with(text).with(layer).with_context_fields(schema());
        stacks.push((kind, Dispatch::new(stack), lines, exported));
    }
    stacks
}

fn seen() -> Seen {
    info!("handled");
    info_span!("inside").in_scope(|| info!("handled inside"));
    (ACCOUNT.get(), TENANT_ID.get().map(String::from))
}

#[propagate(from = headers)]
fn at_once(headers: &Headers) -> Seen {
    let _ = headers;
    seen()
}

#[propagate(from = headers)]
async fn later(headers: Headers) -> Seen {
    let _ = headers;
    tokio::task::yield_now().await;
    seen()
}

#[propagate(from = captured)]
fn from_captured(captured: &Captured) -> Seen {
    let _ = captured;
    seen()
}

#[propagate(from = headers)]
#[with_observability(log_args = false)]
fn observed(headers: &Headers) -> Seen {
    let _ = headers;
    seen()
}

#[propagate(from = headers)]
#[with_observability(log_args = false, parent = None)]
fn observed_root(headers: &Headers) -> Seen {
    let _ = headers;
    seen()
}

/// Calls every function that takes a carrier, inside another request.
fn all(carrier: &Headers, captured: &Captured) -> Vec<(&'static str, Seen)> {
    vec![
        ("at once", at_once(carrier)),
        ("later", block_on(later(carrier.clone()))),
        ("captured", from_captured(captured)),
        ("observed", observed(carrier)),
        ("observed root", observed_root(carrier)),
    ]
}

#[test]
fn no_field_is_trusted_by_default() {
    for (kind, stack, lines, _) in stacks() {
        with_default(&stack, || {
            let captured = ACCOUNT.in_scope("theirs", ctx_layer::propagation::capture);
            for (name, seen) in all(&full(), &captured) {
                assert_eq!(seen, (None, None), "{name}, {kind}");
            }
        });
        assert!(!lines.text().contains("theirs"), "{kind}: {}", lines.text());
    }
}

#[test]
fn nothing_is_inherited_from_the_caller_where_nothing_is_restored() {
    for (kind, stack, lines, exported) in stacks() {
        with_default(&stack, || {
            let nothing = Captured::default();
            // A plain span without fields, and one under fields.
            let plain = info_span!("of the caller", customer = "ours").entered();
            for (name, seen) in all(&Headers::new(), &nothing) {
                assert_eq!(seen, (None, None), "{name}, {kind}, plain");
            }
            drop(plain);
            let _tenant = TENANT_ID.attach("ours");
            let _account = ACCOUNT.attach("ours");
            let _span = info_span!("of the caller").entered();
            for (name, seen) in all(&Headers::new(), &nothing) {
                assert_eq!(seen, (None, None), "{name}, {kind}");
            }
            assert_eq!(TENANT_ID.get().as_deref(), Some("ours"), "it is back");
        });
        assert!(!lines.text().contains("ours"), "{kind}: {}", lines.text());
        assert!(!lines.text().contains("of the caller"), "{kind}: {}", lines.text());
        for span in exported.spans().iter().filter(|span| span.name != "of the caller") {
            let is_own = exported
                .spans()
                .iter()
                .any(|other| other.name.starts_with("observed") && other.span_context.span_id() == span.parent_span_id);
            assert!(is_own || span.parent_span_id == opentelemetry::SpanId::INVALID, "{kind}: {}", span.name);
        }
    }
}

#[test]
fn the_remote_parent_applies_to_spans_created_in_any_way() {
    for (kind, stack, _, exported) in stacks() {
        with_default(&stack, || {
            let _caller = info_span!("of the caller").entered();
            all(&full(), &Captured::default());
        });
        if kind == "without OpenTelemetry" {
            continue;
        }
        let spans = exported.spans();
        let parent = |name| {
            let span = spans.iter().find(|span| span.name == name).unwrap();
            (span.span_context.trace_id().to_string(), span.parent_span_id.to_string())
        };
        assert_eq!(parent("observed"), (TRACE.to_owned(), "b7ad6b7169203331".to_owned()), "{kind}");
        assert_eq!(
            parent("observed_root").1,
            opentelemetry::SpanId::INVALID.to_string(),
            "{kind}: it is one on demand"
        );
        let inside: Vec<_> = spans.iter().filter(|span| span.name == "inside").collect();
        let of_caller = spans.iter().find(|span| span.name == "of the caller").unwrap();
        for span in inside {
            assert_ne!(span.span_context.trace_id(), of_caller.span_context.trace_id(), "{kind}");
        }
    }
}

#[test]
fn the_same_context_again_does_not_bring_the_callers_span() {
    #[propagate(from = cx)]
    fn again(cx: &opentelemetry::Context) {
        let _ = cx;
        info!("handled");
    }

    for (kind, stack, lines, _) in stacks() {
        with_default(&stack, || {
            let cx = ctx_layer::propagation::extract(&full(), ctx_layer::propagation::Trust::internal()).into_context();
            let _guard = cx.clone().attach();
            assert!(opentelemetry::Context::current().span().span_context().is_remote());
            let _caller = info_span!("of the caller").entered();
            again(&cx);
        });
        assert!(!lines.text().contains("of the caller"), "{kind}: {}", lines.text());
    }
}

#[test]
fn work_captured_without_context_is_in_no_other_span() {
    #[propagate]
    async fn nobodys() -> Option<&'static str> {
        ctx_layer::task::current_span().and_then(|span| span.metadata().map(|metadata| metadata.name()))
    }

    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry());
    tracing::dispatcher::with_default(&dispatch, || {
        let captured = nobodys();
        let _request = tracing::info_span!("request", customer = "acme").entered();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(captured), None);
        assert_eq!(runtime.block_on(nobodys()), Some("request"), "the control");
    });
}
