//! The one start of a process that sets what is global.

use std::{
    cell::Cell,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use opentelemetry::{
    Context, global,
    propagation::TextMapCompositePropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer},
};
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::{Registry, util::SubscriberInitExt};

use super::{
    builder::Setup,
    error::SetupError,
    panic_hook,
    running::Running,
    settings::{ContextSettings, Observability},
    start::{build, prepare},
};

/// The first start, if there was one.
static STARTED: Mutex<Option<Started>> = Mutex::new(None);

struct Started {
    running: Weak<Running>,
    name: String,
    observability: Observability,
    context: ContextSettings,
}

thread_local! {
    static IS_STARTING: Cell<bool> = const { Cell::new(false) };
}

/// Resets the mark of a thread that starts.
struct Starting;

impl Drop for Starting {
    fn drop(&mut self) {
        IS_STARTING.set(false);
    }
}

/// Starts, or returns what was started before.
pub(crate) fn start_once(mut setup: Setup) -> Result<Arc<Running>, SetupError> {
    if IS_STARTING.replace(true) {
        // The lock is held by this thread.
        return Err(SetupError::IsStarting);
    }
    let _starting = Starting;
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let settings = setup.effective_settings()?;
    if let Some(first) = started.as_ref() {
        let running = first.running.upgrade().filter(|running| !running.is_shut_down());
        let running = running.ok_or(SetupError::IsShutDown)?;
        return match first.difference(&setup, &settings.observability, &settings.context) {
            None => Ok(running),
            Some(difference) => Err(SetupError::IsDifferent { difference: difference.to_owned() }),
        };
    }
    let mut prepared = prepare(&setup, &settings)?;
    if tracing::dispatcher::has_been_set() {
        return Err(SetupError::SubscriberIsSet { kind: kind_of_subscriber() });
    }
    if has_tracer_provider() {
        return Err(SetupError::ProviderIsSet);
    }
    let propagator = prepared.propagator.take();
    let running = build(setup, settings, prepared)?;
    set_global(&running, propagator)?;
    *started = Some(Started {
        running: Arc::downgrade(&running),
        name: running.name.clone(),
        observability: running.settings.observability.clone(),
        context: running.settings.context.clone(),
    });
    Ok(running)
}

impl Started {
    fn difference(
        &self,
        setup: &Setup,
        observability: &Observability,
        context: &ContextSettings,
    ) -> Option<&'static str> {
        if self.name != setup.name {
            return Some("the name of the service");
        }
        if self.observability != *observability || self.context != *context {
            return Some("the settings");
        }
        let has_own = !setup.layers.is_empty() || !setup.fields.is_empty() || setup.writer.is_some();
        has_own.then_some("layers, fields or a writer, which cannot be added to a running stack")
    }
}

fn set_global(running: &Arc<Running>, propagator: Option<TextMapCompositePropagator>) -> Result<(), SetupError> {
    // Fails if another thread set one since, and if a logger of the crate `log` is set, which is not ours to replace.
    if running.dispatch.clone().try_init().is_err() {
        if !is_default(running) {
            return Err(SetupError::SubscriberIsSet { kind: kind_of_subscriber() });
        }
        tracing::warn!(
            target: "ctx_layer::setup",
            "records of the crate `log` are not shown: the program or a library has set another logger"
        );
    }
    // OpenTelemetry logs at INFO that they are set.
    tracing::subscriber::with_default(NoSubscriber::new(), || {
        if let Some(provider) = &running.pipelines.traces {
            global::set_tracer_provider(provider.clone());
        }
        if let Some(provider) = &running.pipelines.metrics {
            global::set_meter_provider(provider.clone());
        }
    });
    if let Some(propagator) = propagator {
        global::set_text_map_propagator(propagator);
    }
    if running.settings.observability.panic_hook {
        let running = Arc::downgrade(running);
        panic_hook::install(move || {
            if let Some(running) = running.upgrade() {
                let _ = running.shutdown();
            }
        });
    }
    if let Some(environment) =
        running.environment.as_ref().filter(|it| it.remote().is_some() || !it.fields().is_empty())
    {
        // A job is a process: its context is current until the end of the thread.
        std::mem::forget(environment.attach());
    }
    Ok(())
}

/// Returns `true` if the stack is the default of this thread.
fn is_default(running: &Running) -> bool {
    let address = |dispatch: &tracing::Dispatch| dispatch.downcast_ref::<Registry>().map(std::ptr::from_ref);
    tracing::dispatcher::get_default(|dispatch| {
        address(dispatch).is_some() && address(dispatch) == address(&running.dispatch)
    })
}

/// Returns the kind of the global subscriber, if it is a known one.
fn kind_of_subscriber() -> Option<&'static str> {
    tracing::dispatcher::get_default(|dispatch| {
        if dispatch.is::<Registry>() { Some("one on the `Registry` of `tracing-subscriber`") } else { None }
    })
}

/// Returns `true` if the global tracer provider is not the one of OpenTelemetry that does nothing.
fn has_tracer_provider() -> bool {
    let parent = SpanContext::new(
        TraceId::from_bytes([1; 16]),
        SpanId::from_bytes([1; 8]),
        TraceFlags::NOT_SAMPLED,
        true,
        TraceState::NONE,
    );
    // Suppressed, so that no provider records it. The one that does nothing passes its parent on.
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    let cx = Context::current().with_remote_span_context(parent.clone());
    let span = global::tracer("ctx-layer").start_with_context("is there a provider?", &cx);
    opentelemetry::trace::Span::span_context(&span) != &parent
}
