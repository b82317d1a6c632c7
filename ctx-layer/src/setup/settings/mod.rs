//! Settings: where they come from, what they are, what is wrong with them.

mod choice;
mod definition;
mod explain;
mod fields;
mod filter;
mod loader;
pub(crate) mod node;
mod origin;
mod pairs;
mod problem;
mod read_file;
#[allow(clippy::module_inception, reason = "it holds the type `Settings`")]
mod settings;
pub(crate) mod suggest;
mod toml_file;
mod url;
pub(crate) mod value;
mod variables;

#[cfg(feature = "setup-config-file")]
pub(crate) use choice::one_of;
pub use choice::{Compression, Exporter, LogFormat, LogStream, PropagatorName, Protocol, SamplerName, TemporalityName};
pub(crate) use fields::WELL_KNOWN;
pub use fields::{FieldKind, FieldList, FieldSetting, Shown};
pub use filter::{InvalidFilter, LogFilter};
pub use loader::SettingsLoader;
pub use origin::Origin;
pub use pairs::{Attributes, FieldValues, Headers};
pub use problem::{SettingsError, SettingsProblem};
#[cfg(any(feature = "setup-config-file", feature = "setup-tls"))]
pub(crate) use read_file::read_file;
#[cfg(feature = "setup-config-file")]
pub(crate) use settings::DEFINITIONS;
pub use settings::{ContextSettings, Observability, Settings};
pub use url::{InvalidUrl, Url};
pub use value::Limit;
#[cfg(feature = "setup-config-file")]
pub(crate) use variables::CONFIG_FILE;
