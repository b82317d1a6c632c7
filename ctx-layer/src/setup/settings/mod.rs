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
mod sections;
pub(crate) mod suggest;
mod toml_file;
mod url;
pub(crate) mod value;
mod variables;

use std::collections::BTreeMap;

#[cfg(feature = "setup-config-file")]
pub(crate) use choice::one_of;
pub use choice::{Compression, Exporter, LogFormat, LogStream, PropagatorName, Protocol, SamplerName, TemporalityName};
pub(crate) use fields::WELL_KNOWN;
pub use fields::{FieldKind, FieldList, FieldSetting, Shown};
pub use filter::{InvalidFilter, LogFilter};
pub use loader::SettingsLoader;
#[cfg(feature = "setup-config-file")]
pub(crate) use loader::read_file;
pub use origin::Origin;
pub use pairs::{Attributes, FieldValues, Headers};
pub use problem::{SettingsError, SettingsProblem};
pub(crate) use sections::DEFINITIONS;
pub use sections::{ContextSettings, Observability};
pub use url::{InvalidUrl, Url};
pub use value::Limit;
#[cfg(feature = "setup-config-file")]
pub(crate) use variables::CONFIG_FILE;

/// The settings of a service, each with the place it comes from.
///
/// They come from defaults, a file, the environment and the program, each over the one before. See
/// [`SettingsLoader`], and `docs/setup.md` in the repository for all keys and variables.
///
/// ```
/// use ctx_layer::setup::Settings;
///
/// let settings = Settings::default();
/// assert!(settings.observability.enabled);
/// assert_eq!(settings.observability.sampling_rate, 1.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Logs, traces, metrics and their export.
    pub observability: Observability,
    /// Context fields.
    pub context: ContextSettings,
    pub(crate) origins: BTreeMap<&'static str, Origin>,
    pub(crate) warnings: Vec<String>,
    /// The variables of the environment, for what is no setting: the context and the names of the pod.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the settings of this process. See [`SettingsLoader::of_process`].
    ///
    /// # Errors
    /// Returns all problems at once.
    pub fn load() -> Result<Self, SettingsError> {
        SettingsLoader::of_process().load()
    }

    /// Returns the place that a setting comes from. The key is as in `observability.sampling_rate`.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// Returns warnings for variables that are set and have no effect. `init` logs them.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Changes settings, and remembers that the program did.
    ///
    /// ```
    /// use ctx_layer::setup::{Origin, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.change(|settings| settings.observability.sampling_rate = 0.1);
    /// assert_eq!(settings.origin("observability.sampling_rate"), &Origin::Code);
    /// ```
    pub fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = self.clone();
        change(self);
        for definition in DEFINITIONS {
            if !(definition.is_equal)(&before, self) {
                self.origins.insert(definition.full_key, Origin::Code);
            }
        }
    }
}
