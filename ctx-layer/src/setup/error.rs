//! The error of starting.

use std::{error::Error, fmt, io};

use super::settings::{Origin, SettingsError, SettingsProblem};

/// An error of starting: it says what is wrong and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// The settings cannot be used.
    Settings(SettingsError),
    /// Another subscriber is the global one.
    SubscriberIsSet {
        /// The kind of the other, if it is known.
        kind: Option<&'static str>,
    },
    /// Another tracer provider is the global one of OpenTelemetry.
    ProviderIsSet,
    /// It was started before with something else.
    IsDifferent {
        /// The difference.
        difference: String,
    },
    /// It was started before, and is shut down.
    IsShutDown,
    /// It was started by code that runs while it starts.
    IsStarting,
    /// An exporter cannot be created.
    Exporter {
        /// The signal.
        signal: &'static str,
        /// The reason.
        error: Box<dyn Error + Send + Sync>,
    },
    /// The thread of the exports cannot be started.
    Thread(io::Error),
}

impl SetupError {
    pub(crate) fn exporter(signal: &'static str, error: Box<dyn Error + Send + Sync>) -> Self {
        SetupError::Exporter { signal, error }
    }

    pub(crate) fn thread(error: io::Error) -> Self {
        SetupError::Thread(error)
    }

    pub(crate) fn problems(problems: Vec<SettingsProblem>) -> Self {
        SetupError::Settings(SettingsError { problems })
    }

    /// Creates one of a problem of what the program gave.
    pub(crate) fn code(found: impl Into<String>, expected: impl Into<String>) -> SettingsProblem {
        SettingsProblem::new(Origin::Code, found, expected)
    }
}

impl From<SettingsError> for SetupError {
    fn from(error: SettingsError) -> Self {
        SetupError::Settings(error)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetupError::Settings(error) => error.fmt(f),
            SetupError::SubscriberIsSet { kind } => {
                f.write_str("a global `tracing` subscriber is set already")?;
                if let Some(kind) = kind {
                    write!(f, ", {kind}")?;
                }
                f.write_str(
                    ": call `setup::init` before it and add its layers with `setup::builder(..).layer(..)`, or use \
                     `setup::builder(..).local()`, which sets nothing global",
                )
            }
            SetupError::ProviderIsSet => f.write_str(
                "a global tracer provider of OpenTelemetry is set already, by this program or by a library: remove the \
                 call to `opentelemetry::global::set_tracer_provider`, or use `setup::builder(..).local()`, which sets \
                 nothing global",
            ),
            SetupError::IsDifferent { difference } => write!(
                f,
                "it is started already, with something else: {difference}: use the first handle, or \
                 `setup::builder(..).local()` for a second service in this process"
            ),
            SetupError::IsShutDown => f.write_str(
                "it was started before and is shut down, and global providers cannot be set again: keep the first \
                 handle until the end of `main`",
            ),
            SetupError::IsStarting => {
                f.write_str("it is called by a layer that is created for it: call it once, at the start of `main`")
            }
            SetupError::Exporter { signal, error } => {
                write!(f, "the exporter of {signal} cannot be created: {error}")
            }
            SetupError::Thread(error) => write!(f, "the thread of the exports cannot be started: {error}"),
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SetupError::Settings(error) => Some(error),
            SetupError::Exporter { error, .. } => Some(error.as_ref()),
            SetupError::Thread(error) => Some(error),
            _ => None,
        }
    }
}
