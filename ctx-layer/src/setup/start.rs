//! Builds the stack and its pipelines.

use std::sync::{Arc, Once, atomic::AtomicBool};

use opentelemetry::{propagation::TextMapCompositePropagator, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{logs::SdkLoggerProvider, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing::Dispatch;
use tracing_subscriber::{layer::SubscriberExt, reload};

use super::{
    builder::{Providers, Setup},
    error::SetupError,
    filter_handle::FilterHandle,
    other_versions::{CallSites, OtherVersions},
    output::{BoxedLayer, output},
    pipeline::{Pipelines, Signal, Target},
    propagators::propagator,
    report::Reporter,
    resource::{resource, service_name},
    running::Running,
    schema::{Schemas, schemas},
    settings::Settings,
    signals,
};
use crate::{
    SubscriberFieldsExt,
    propagation::{self, Trust, carriers::Environment},
};

/// Starts without setting anything global.
pub(crate) fn start(mut setup: Setup) -> Result<Arc<Running>, SetupError> {
    let settings = setup.effective_settings()?;
    let prepared = prepare(&setup, &settings)?;
    build(setup, settings, prepared)
}

/// All that can be wrong in the settings, checked before anything is started.
pub(crate) struct Prepared {
    targets: [Target; 3],
    schemas: Schemas,
    pub(crate) propagator: Option<TextMapCompositePropagator>,
}

pub(crate) fn prepare(setup: &Setup, settings: &Settings) -> Result<Prepared, SetupError> {
    let mut problems = Vec::new();
    if setup.name.trim().is_empty() {
        problems.push(SetupError::code("an empty name of the service", "a name, as in `setup::init(\"orders\")`"));
    }
    let [traces, logs, metrics] =
        [Signal::Traces, Signal::Logs, Signal::Metrics].map(|signal| match Target::of(signal, settings) {
            Ok(target) => Some(target),
            Err(mut of_target) => {
                // One setting may be wrong for all three.
                of_target.retain(|problem| !problems.contains(problem));
                problems.append(&mut of_target);
                None
            }
        });
    let schemas = schemas(settings, &setup.fields).map_err(|mut of_fields| problems.append(&mut of_fields));
    let propagator = match &schemas {
        Ok(schemas) => propagator(settings, &schemas.stack).map_err(|mut of_names| problems.append(&mut of_names)),
        Err(()) => Err(()),
    };
    match (traces, logs, metrics, schemas, propagator) {
        (Some(traces), Some(logs), Some(metrics), Ok(schemas), Ok(propagator)) if problems.is_empty() => {
            Ok(Prepared { targets: [traces, logs, metrics], schemas, propagator })
        }
        _ => Err(SetupError::problems(problems)),
    }
}

/// Registers the call sites of the events that the destructors of providers log.
///
/// A stack may be dropped by another thread that registers a subscriber, and holds `tracing`'s lock for that. An event in
/// a destructor would then wait for the same lock, if its call site was not registered before.
fn register_call_sites_of_destructors() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // A registry has all levels: otherwise those of `DEBUG` would not be registered.
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            let _ = SdkTracerProvider::builder().build().shutdown();
            let _ = SdkLoggerProvider::builder().build().shutdown();
            let _ = SdkMeterProvider::builder().build().shutdown();
        });
    });
}

pub(crate) fn build(setup: Setup, settings: Settings, prepared: Prepared) -> Result<Arc<Running>, SetupError> {
    register_call_sites_of_destructors();
    let service = service_name(&settings, &setup.name).to_owned();
    let resource = resource(&settings, &setup.name, setup.version.as_deref());
    let pipelines = Arc::new(Pipelines::build(&settings, prepared.targets, &resource)?);

    let mut layers: Vec<BoxedLayer> = Vec::new();
    let providers = Providers(&pipelines);
    layers.extend(setup.layers.into_iter().map(|create| create(&providers)));
    if let Some(provider) = &pipelines.traces {
        layers.push(Box::new(tracing_opentelemetry::layer().with_tracer(provider.tracer(service.clone()))));
    }
    if let Some(provider) = &pipelines.metrics {
        layers.push(Box::new(tracing_opentelemetry::MetricsLayer::new(provider.clone())));
    }
    let output = output(&settings, &service, &prepared.schemas.ids, setup.writer);
    layers.extend(output.layer);
    if let Some(provider) = &pipelines.logs {
        layers.push(Box::new(OpenTelemetryTracingBridge::new(provider)));
    }

    let versions = OtherVersions::new(Arc::clone(&pipelines.counters.losses));
    layers.push(Box::new(CallSites(Arc::clone(&versions))));

    let filter = settings.observability.log_filter.clone();
    let (filter_layer, reload) = reload::Layer::new(filter.build());
    let dispatch = Dispatch::new(
        tracing_subscriber::registry()
            .with(layers)
            .with(filter_layer)
            .with_context_fields(prepared.schemas.stack.clone()),
    );

    let weak = dispatch.downgrade();
    // As the default: if it is the only one in the process, `tracing` asks the default one of this thread about all call sites.
    let replace = Box::new(move |filter| {
        weak.upgrade()
            .is_some_and(|dispatch| tracing::dispatcher::with_default(&dispatch, || reload.reload(filter).is_ok()))
    });
    let filter = FilterHandle::new(replace, filter, &pipelines.runtime);
    let reporter = Reporter::new(Arc::clone(&pipelines.counters), output.lost, versions);
    reporter.set_dispatch(&dispatch);
    pipelines.runtime.spawn(Reporter::run(Arc::downgrade(&reporter), settings.observability.report_interval));
    let environment = settings.observability.context_from_environment.then(|| {
        let variables: Environment = settings.variables.iter().map(|(name, value)| (name, value.as_str())).collect();
        propagation::extract(&variables, Trust::internal())
    });
    let running = Arc::new(Running {
        name: setup.name,
        settings,
        schema: prepared.schemas.stack,
        pipelines,
        dispatch,
        filter,
        reporter,
        environment,
        is_shut_down: AtomicBool::new(false),
    });
    if setup.exits_on_signals {
        signals::exit_on_signals(&running);
    }
    tracing::dispatcher::with_default(&running.dispatch, || {
        for warning in running.settings.warnings() {
            tracing::warn!(target: "ctx_layer::setup", "{warning}");
        }
    });
    Ok(running)
}
