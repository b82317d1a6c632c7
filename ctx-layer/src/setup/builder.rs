//! The start, with what differs from the defaults.

use std::{path::PathBuf, sync::Arc};

use opentelemetry_sdk::{logs::SdkLoggerProvider, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tracing_subscriber::{
    Layer, Registry,
    fmt::{MakeWriter, writer::BoxMakeWriter},
};

use super::{
    error::SetupError,
    output::BoxedLayer,
    pipeline::Pipelines,
    settings::{Settings, SettingsLoader},
};
use crate::field::Declaration;

/// A change of settings by the program.
type Change = Box<dyn FnOnce(&mut Settings)>;
/// Creates a layer, given the providers.
type CreateLayer = Box<dyn FnOnce(&Providers<'_>) -> BoxedLayer>;

/// The start of logs, traces and metrics, with what differs from the defaults. Created by [`builder`](super::builder).
///
/// ```
/// use ctx_layer::setup::{self, LogFormat};
///
/// let telemetry = setup::builder("orders")
///     .service_version(env!("CARGO_PKG_VERSION"))
///     .variables([("OTEL_SDK_DISABLED", "true")]) // as if set in the environment
///     .configure(|settings| settings.observability.log_format = LogFormat::Ecs)
///     .layer(|_| tracing_subscriber::fmt::layer().with_writer(std::io::sink))
///     .local() // a test: nothing global is set
///     .init()?;
/// telemetry.in_scope(|| tracing::info!("started"));
/// # Ok::<(), ctx_layer::setup::SetupError>(())
/// ```
#[must_use = "a builder does nothing until `init` is called"]
pub struct Setup {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) loader: Option<SettingsLoader>,
    pub(crate) settings: Option<Settings>,
    pub(crate) changes: Vec<Change>,
    pub(crate) fields: Vec<&'static Declaration>,
    pub(crate) layers: Vec<CreateLayer>,
    pub(crate) writer: Option<BoxMakeWriter>,
    pub(crate) is_local: bool,
    pub(crate) exits_on_signals: bool,
}

impl Setup {
    pub(crate) fn new(name: String) -> Self {
        Setup {
            name,
            version: None,
            loader: None,
            settings: None,
            changes: Vec::new(),
            fields: Vec::new(),
            layers: Vec::new(),
            writer: None,
            is_local: false,
            exits_on_signals: false,
        }
    }

    fn load(mut self, change: impl FnOnce(SettingsLoader) -> SettingsLoader) -> Self {
        self.loader = Some(change(self.loader.take().unwrap_or_else(SettingsLoader::of_process)));
        self
    }

    /// Sets the version of the service: `service.version` of the resource.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the settings file. Defaults to `settings.toml` in the current folder, if there is one. `CTX_SETTINGS` names another.
    pub fn settings_file(self, path: impl Into<PathBuf>) -> Self {
        self.load(|loader| loader.file(path))
    }

    /// Sets the profile of the settings file. `CTX_PROFILE` names another.
    pub fn profile(self, profile: impl Into<String>) -> Self {
        self.load(|loader| loader.profile(profile))
    }

    /// Adds environment variables, over those of the process.
    pub fn variables<K: Into<String>, V: Into<String>>(self, variables: impl IntoIterator<Item = (K, V)>) -> Self {
        self.load(|loader| loader.variables(variables))
    }

    /// Sets the settings. No file and no variable is then read.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Changes settings, over the file and the environment.
    pub fn configure(mut self, change: impl FnOnce(&mut Settings) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Adds a field of the program to spans and events. Settings can name it, and change where it appears.
    pub fn field(mut self, field: &'static impl AsRef<Declaration>) -> Self {
        self.fields.push(field.as_ref());
        self
    }

    /// Adds a layer under the context fields. The closure gets the providers.
    pub fn layer<L>(mut self, create: impl FnOnce(&Providers<'_>) -> L + 'static) -> Self
    where
        L: Layer<Registry> + Send + Sync,
    {
        self.layers.push(Box::new(move |providers| create(providers).boxed()));
        self
    }

    /// Sets where log lines are written, in place of standard output. They are JSON if the format is `auto`.
    ///
    /// A writer that blocks blocks the thread that logs. Give a slow one to `tracing_appender::non_blocking`.
    pub fn writer(mut self, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> Self {
        self.writer = Some(BoxMakeWriter::new(writer));
        self
    }

    /// Sets nothing global: no subscriber, no provider, no propagator, no panic hook. For tests, and for several services in
    /// one process. See [`Telemetry::in_scope`](crate::setup::Telemetry::in_scope).
    pub fn local(mut self) -> Self {
        self.is_local = true;
        self
    }

    /// On SIGTERM and ctrl-c, exports what is queued and exits with 143 or 130.
    ///
    /// Not for a server that ends by itself on a signal, as with `axum`'s `with_graceful_shutdown`: dropping the handle at the
    /// end of `main` is enough there.
    pub fn exit_on_signals(mut self) -> Self {
        self.exits_on_signals = true;
        self
    }

    /// Returns the settings with the program's changes.
    pub(crate) fn effective_settings(&mut self) -> Result<Settings, SetupError> {
        let mut settings = match self.settings.take() {
            Some(settings) => settings,
            None => self.loader.take().unwrap_or_else(SettingsLoader::of_process).load()?,
        };
        for change in self.changes.drain(..) {
            settings.change(change);
        }
        Ok(settings)
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("name", &self.name).field("is_local", &self.is_local).finish_non_exhaustive()
    }
}

/// The providers, for layers that need them. A signal that is not exported has none.
#[derive(Debug)]
pub struct Providers<'a>(pub(crate) &'a Arc<Pipelines>);

impl Providers<'_> {
    /// Returns the provider of traces.
    pub fn traces(&self) -> Option<&SdkTracerProvider> {
        self.0.traces.as_ref()
    }

    /// Returns the provider of logs.
    pub fn logs(&self) -> Option<&SdkLoggerProvider> {
        self.0.logs.as_ref()
    }

    /// Returns the provider of metrics.
    pub fn metrics(&self) -> Option<&SdkMeterProvider> {
        self.0.metrics.as_ref()
    }
}
