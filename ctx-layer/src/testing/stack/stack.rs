use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{logs::SdkLoggerProvider, trace::SdkTracerProvider};
use tracing_core::{Dispatch, dispatcher};
use tracing_subscriber::{filter::Targets, prelude::*};

use super::{
    log_processor::CapturingLogProcessor, meter_provider::CapturingMeterProvider, recorder::Recorder,
    span_processor::CapturingSpanProcessor,
};
use crate::{
    ContextLayer, SubscriberFieldsExt,
    field::{
        Schema,
        well_known::{SPAN_ID, TRACE_ID},
    },
    propagation::ContextPropagator,
    testing::isolation,
};

/// A subscriber stack as programs have it, whose outputs capture. Shared by all captures with the same settings: then a span that
/// one thread creates can be entered on any other, as under a global subscriber.
struct Stack {
    schema: Schema,
    filter: String,
    dispatch: Dispatch,
}

static STACKS: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

impl Stack {
    fn is_of(&self, schema: &Schema, filter: &str) -> bool {
        self.schema.registered() == schema.registered() && self.filter == filter
    }
}

/// Returns the stack with these settings.
pub(in crate::testing) fn stack(schema: &Schema, filter: &Targets) -> Dispatch {
    let key = filter.to_string();
    if let Some(known) = lock().iter().find(|stack| stack.is_of(schema, &key)) {
        return known.dispatch.clone();
    }
    // Not while the list is locked: layers that register their call sites are foreign code. What OpenTelemetry logs meanwhile
    // belongs to no test.
    let dispatch = dispatcher::with_default(&Dispatch::none(), || create(schema, filter));
    let mut stacks = lock();
    if let Some(known) = stacks.iter().find(|stack| stack.is_of(schema, &key)) {
        return known.dispatch.clone();
    }
    stacks.push(Stack { schema: schema.clone(), filter: key, dispatch: dispatch.clone() });
    dispatch
}

fn lock() -> MutexGuard<'static, Vec<Stack>> {
    STACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn create(schema: &Schema, filter: &Targets) -> Dispatch {
    let ids = Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build().unwrap_or_else(|_| Schema::empty());
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer_provider().tracer("ctx_layer::testing"))
        // Lines, threads and durations are different each time.
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false);
    Dispatch::new(
        tracing_subscriber::registry()
            .with(spans)
            .with(ContextLayer::new(Recorder, ids))
            .with(OpenTelemetryTracingBridge::new(logger_provider()))
            .with(filter.clone())
            .with_context_fields(schema.clone()),
    )
}

fn tracer_provider() -> &'static SdkTracerProvider {
    static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| SdkTracerProvider::builder().with_span_processor(CapturingSpanProcessor).build())
}

fn logger_provider() -> &'static SdkLoggerProvider {
    static PROVIDER: OnceLock<SdkLoggerProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| SdkLoggerProvider::builder().with_log_processor(CapturingLogProcessor).build())
}

/// Makes a stack the global subscriber if there is none, and sets OpenTelemetry's global providers and propagator, once.
pub(in crate::testing) fn set_globals(dispatch: &Dispatch) {
    static SET: OnceLock<()> = OnceLock::new();
    SET.get_or_init(|| {
        // If the program has set one, its threads are not captured by themselves.
        let _ = dispatcher::set_global_default(dispatch.clone());
        global::set_tracer_provider(tracer_provider().clone());
        global::set_meter_provider(CapturingMeterProvider);
        global::set_text_map_propagator(ContextPropagator::default());
        crate::propagation::set_witness(isolation::witness);
    });
}
