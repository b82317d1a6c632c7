//! Tests that a stack of these outputs is known to read the fields itself.

use std::any::type_name;

use tracing_subscriber::{Layer, Registry, filter::LevelFilter, layer::SubscriberExt};

use crate::{
    layer::{ignores_fields_of_spans, reads_fields_itself},
    output::{self, json, text},
};

fn reads<S>(_: &S) -> bool {
    reads_fields_itself(type_name::<S>())
}

fn stack() -> Registry {
    Registry::default()
}

#[test]
fn a_stack_of_json_outputs_and_filters_reads_fields_itself() {
    assert!(reads(&stack().with(json::layer())));
    assert!(reads(&stack().with(json::layer()).with(json::layer().with_writer(std::io::sink))));
    assert!(reads(&stack().with(LevelFilter::INFO).with(json::layer().with_writer(|| std::io::stderr().lock()))));
    assert!(reads(&stack().with(tracing_subscriber::EnvFilter::new("info")).with(json::layer())));
    assert!(reads(&stack().with(json::layer().with_filter(LevelFilter::INFO))));
    assert!(reads(&stack().with(Some(json::layer())).with(vec![json::layer()])));
    assert!(reads(&stack().with(tracing_subscriber::reload::Layer::new(json::layer()).0)));
    let targets = tracing_subscriber::filter::Targets::new();
    assert!(reads(&stack().with(json::layer().with_filter(targets)).with(json::layer())));
    assert!(reads(&stack().with(json::layer().with_filter(tracing_subscriber::filter::filter_fn(|_| true)))));
    assert!(reads(&stack().with(text::layer()).with(json::layer())));
    assert!(reads(&stack().with(output::auto().with_writer(std::io::stderr))));
}

#[test]
fn a_filter_with_directives_may_look_at_the_fields_of_spans() {
    fn ignores<S>(_: &S) -> bool {
        ignores_fields_of_spans(type_name::<S>())
    }
    let directives = || tracing_subscriber::EnvFilter::new("info,[{tenant_id=acme}]=trace");
    assert!(ignores(&stack().with(LevelFilter::INFO).with(json::layer())));
    assert!(!ignores(&stack().with(directives()).with(json::layer())));
    assert!(!ignores(&stack().with(json::layer().with_filter(directives()))));
    assert!(!ignores(&stack().with(tracing_subscriber::fmt::layer())));
}

#[test]
fn any_other_layer_is_assumed_to_read_fields() {
    struct Other;
    impl<S: tracing_core::Subscriber> Layer<S> for Other {}
    assert!(!reads(&stack()));
    assert!(!reads(&stack().with(LevelFilter::INFO)));
    assert!(!reads(&stack().with(json::layer()).with(Other)));
    assert!(!reads(&stack().with(Other).with(json::layer())));
    assert!(!reads(&stack().with(json::layer()).with(tracing_subscriber::fmt::layer())));
    assert!(!reads(&stack().with(Some(Other))));
    assert!(!reads(&stack().with(json::layer().boxed())));
    assert!(!reads(&stack().with(json::layer().and_then(Other))));
    assert!(!reads(
        &stack().with(json::layer().with_filter(tracing_subscriber::filter::dynamic_filter_fn(|_, _| true)))
    ));
    assert!(!reads(&crate::SubscriberFieldsExt::with_context_fields(
        stack().with(json::layer()),
        crate::Schema::well_known()
    )));
    assert!(!reads_fields_itself("other::ctx_layer::output::json::json_layer::JsonLayer<a>"));
    assert!(!reads_fields_itself(""));
}
