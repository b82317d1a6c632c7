//! Reads settings from all their places.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    definition::Definition,
    node::{Entry, Node, quoted},
    origin::Origin,
    problem::{SettingsError, SettingsProblem},
    read_file::read_file,
    settings::{DEFINITIONS, SECTIONS, Settings},
    suggest::nearest,
    toml_file,
    value::{Refused, SettingValue},
    variables::{self, FILE_VARIABLE, PROFILE_VARIABLE, is_supported_variable},
};

/// The file that is read if no other is named.
const DEFAULT_FILE: &str = "settings.toml";
const DEFAULT_PROFILE: &str = "default";

/// Reads settings from all their places, each over the one before: defaults, a file, the environment.
///
/// ```
/// use ctx_layer::setup::SettingsLoader;
///
/// let settings = SettingsLoader::new()
///     .text("settings.toml", "[default.observability]\nsampling_rate = 0.5\n[production.observability]\nsampling_rate = 0.1")
///     .profile("production")
///     .variables([("OTEL_SERVICE_NAME", "orders")])
///     .load()?;
/// assert_eq!(settings.observability.sampling_rate, 0.1);
/// assert_eq!(settings.observability.service_name_override.as_deref(), Some("orders"));
/// # Ok::<(), ctx_layer::setup::SettingsError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a loader does nothing until `load` is called"]
pub struct SettingsLoader {
    file: Option<FileSource>,
    profile: Option<String>,
    variables: BTreeMap<String, String>,
    not_unicode: Vec<String>,
}

#[derive(Clone, Debug)]
enum FileSource {
    Path(PathBuf),
    Text(PathBuf, String),
}

impl SettingsLoader {
    /// Creates one that reads no file and no variables.
    pub fn new() -> Self {
        SettingsLoader::default()
    }

    /// Creates one that reads the variables of this process, and the file `settings.toml` in the current folder, if there is
    /// one. The variable `CTX_SETTINGS` names another file, `CTX_PROFILE` a profile.
    pub fn of_process() -> Self {
        let mut loader = SettingsLoader::new().variables_os(std::env::vars_os());
        if loader.variable(FILE_VARIABLE).is_none() && Path::new(DEFAULT_FILE).exists() {
            loader.file = Some(FileSource::Path(DEFAULT_FILE.into()));
        }
        loader
    }

    /// Sets the settings file. It is an error if it does not exist. `CTX_SETTINGS` names another.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(FileSource::Path(path.into()));
        self
    }

    /// Sets the contents of the settings file, in place of a file. `path` is for messages.
    pub fn text(mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        self.file = Some(FileSource::Text(path.into(), text.into()));
        self
    }

    /// Sets the profile, whose settings are over those of `[default]`. `CTX_PROFILE` names another.
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Adds environment variables.
    pub fn variables<K: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    fn variables_os(mut self, variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(self.variables.insert(name, value)),
                Err(_) => self.not_unicode.push(name),
            }
        }
        self
    }

    /// Returns the value of a variable. An empty one is unset, by OpenTelemetry's specification.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// Returns all problems at once: of the file's syntax, of keys and values with their lines, of variables. The profiles
    /// that are not chosen are checked, too.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let mut load = Load { settings: Settings::default(), problems: Vec::new() };
        if let Some(name) = self.not_unicode.iter().find(|name| is_supported_variable(name)) {
            let origin = Origin::Variable { name: name.clone() };
            load.problems.push(SettingsProblem::new(origin, "a value that is not Unicode", "Unicode"));
        }
        self.load_file(&mut load);
        #[cfg(feature = "setup-config-file")]
        let has_config_file =
            crate::setup::config_file::load(&|name| self.variable(name), &mut load.settings, &mut load.problems);
        #[cfg(not(feature = "setup-config-file"))]
        let has_config_file = self.refuse_config_file(&mut load);
        self.load_variables(&mut load, has_config_file);
        load.settings.variables = self.variables.clone();
        if load.problems.is_empty() { Ok(load.settings) } else { Err(SettingsError { problems: load.problems }) }
    }

    #[cfg(not(feature = "setup-config-file"))]
    fn refuse_config_file(&self, load: &mut Load) -> bool {
        for name in variables::CONFIG_FILE {
            if self.variable(name).is_some() {
                let origin = Origin::Variable { name: name.to_owned() };
                load.problems.push(SettingsProblem::new(
                    origin,
                    "a file of declarative configuration",
                    "the feature `setup-config-file` of `ctx-layer` for it, or no such variable",
                ));
            }
        }
        false
    }

    fn load_file(&self, load: &mut Load) {
        let named = self.variable(FILE_VARIABLE).map(|path| FileSource::Path(path.into()));
        let (path, text) = match named.as_ref().or(self.file.as_ref()) {
            None => return,
            Some(FileSource::Text(path, text)) => (path, text.clone()),
            Some(FileSource::Path(path)) => match read_file(path) {
                Ok(text) => (path, text),
                Err(error) => {
                    let origin = match self.variable(FILE_VARIABLE) {
                        Some(_) => Origin::Variable { name: FILE_VARIABLE.to_owned() },
                        None => Origin::File { path: path.clone(), line: 1, key: String::new() },
                    };
                    let found = format!("{}, which cannot be read: {error}", quoted(&path.to_string_lossy()));
                    load.problems.push(SettingsProblem::new(origin, found, "a settings file"));
                    return;
                }
            },
        };
        let (document, mut problems) = toml_file::parse(path, &text);
        let line_of = |problem: &SettingsProblem| match &problem.origin {
            Origin::File { line, .. } => *line,
            _ => 0,
        };
        let broken: Vec<usize> = problems.iter().map(line_of).collect();
        self.load_profiles(load, path, document.entries().unwrap_or_default());
        // A line with an error of syntax has no value that could be wrong as well.
        load.problems.retain(|problem| line_of(problem) == 0 || !broken.contains(&line_of(problem)));
        load.problems.append(&mut problems);
        load.problems.sort_by_key(line_of);
    }

    fn load_profiles(&self, load: &mut Load, path: &Path, top: &[Entry]) {
        // Sections without a profile are those of the default one.
        load.sections(path, "", top);
        let profiles = top.iter().filter(|entry| !SECTIONS.contains(&entry.key.as_str()));
        let profiles: Vec<(&Entry, &[Entry])> =
            profiles.filter_map(|entry| Some((entry, entry.node.entries()?))).collect();
        let chosen = self.variable(PROFILE_VARIABLE).or(self.profile.as_deref()).unwrap_or(DEFAULT_PROFILE);
        if let Some((_, sections)) = profiles.iter().find(|(entry, _)| entry.key == DEFAULT_PROFILE) {
            load.sections(path, DEFAULT_PROFILE, sections);
        }
        let mut is_found = chosen == DEFAULT_PROFILE;
        for (profile, sections) in &profiles {
            let name = profile.key.as_str();
            if name == DEFAULT_PROFILE {
                continue;
            }
            let has_settings = sections.iter().any(|section| section.key == SECTIONS[0]);
            if name == chosen {
                is_found = true;
                load.sections(path, name, sections);
            } else if has_settings {
                // Checked, and not used: an error there should not wait for the day it is chosen.
                let mut other = Load { settings: Settings::default(), problems: Vec::new() };
                other.sections(path, name, sections);
                load.problems.append(&mut other.problems);
                if nearest(name, std::iter::once(DEFAULT_PROFILE)).is_some() {
                    load.problems.push(
                        SettingsProblem::new(file(path, profile.line, name), "an unknown profile", "a profile")
                            .with_suggestion(Some(DEFAULT_PROFILE)),
                    );
                }
            }
        }
        if !is_found {
            let names: Vec<&str> = profiles.iter().map(|(entry, _)| entry.key.as_str()).collect();
            let origin = match self.variable(PROFILE_VARIABLE) {
                Some(_) => Origin::Variable { name: PROFILE_VARIABLE.to_owned() },
                None => Origin::Code,
            };
            let expected = format!("a profile of {}: {}", path.display(), names.join(", "));
            load.problems.push(
                SettingsProblem::new(origin, format!("the profile {}", quoted(chosen)), expected)
                    .with_suggestion(nearest(chosen, names.iter().copied())),
            );
        }
    }

    fn load_variables(&self, load: &mut Load, has_config_file: bool) {
        for definition in DEFINITIONS {
            // With a file of declarative configuration the standard variables are ignored, by its specification.
            let is_ignored = |name: &str| has_config_file && name.starts_with("OTEL_");
            let standard = definition.variables.iter().find_map(|variable| {
                Some((*variable, self.variable(variable.name).filter(|_| !is_ignored(variable.name))?))
            });
            if let Some((variable, value)) = standard {
                // By the specification, all but "true" is false, with a warning.
                let is_wrong = variable.is_negated && bool::from_text(value).is_err();
                if is_wrong {
                    load.settings.warnings.push(format!(
                        "the variable `{}`: found {}, expected {}: it counts as false",
                        variable.name,
                        shown(definition, &quoted(value)),
                        bool::allowed()
                    ));
                }
                let value = if is_wrong { "false" } else { value };
                let result = definition.set_variable(&mut load.settings, variable, value);
                load.variable(definition, variable.name, value, result);
            }
            let own = definition.own_variable();
            if let Some(value) = self.variable(&own) {
                let result = (definition.set_text)(&mut load.settings, value);
                load.variable(definition, &own, value, result);
            }
        }
        for name in self.variables.keys() {
            if let Some(suggestion) = variables::unknown_own_variable(name) {
                let origin = Origin::Variable { name: name.clone() };
                load.problems.push(
                    SettingsProblem::new(origin, "an unknown variable", "the name of a setting")
                        .with_suggestion(suggestion),
                );
            } else if !has_config_file && self.variable(name).is_some() {
                load.settings.warnings.extend(variables::warning(name));
            }
        }
    }
}

fn file(path: &Path, line: usize, key: &str) -> Origin {
    Origin::File { path: path.to_owned(), line, key: key.to_owned() }
}

/// Settings that are being read, with the problems so far.
struct Load {
    settings: Settings,
    problems: Vec<SettingsProblem>,
}

impl Load {
    /// Reads the sections of a profile, or those without one.
    fn sections(&mut self, path: &Path, profile: &str, entries: &[Entry]) {
        for entry in entries {
            let name = entry.key.as_str();
            let at = if profile.is_empty() { name.to_owned() } else { format!("{profile}.{name}") };
            if !SECTIONS.contains(&name) {
                // Other sections are the program's own.
                if let Some(meant) = nearest(name, SECTIONS.into_iter()) {
                    self.problems.push(
                        SettingsProblem::new(file(path, entry.line, &at), "an unknown section", "a section")
                            .with_suggestion(Some(meant)),
                    );
                }
                continue;
            }
            match entry.node.entries() {
                Some(keys) => self.keys(path, &at, name, keys),
                // `context = [...]` is short for its one list.
                None if name == SECTIONS[1] && matches!(entry.node.value, super::node::Raw::List(_)) => {
                    if let Some(fields) = DEFINITIONS.iter().find(|definition| definition.full_key == "context.fields")
                    {
                        self.node(path, fields, &at, &entry.node);
                    }
                }
                None => self.problems.push(SettingsProblem::new(
                    file(path, entry.node.line, &at),
                    entry.node.to_string(),
                    "a table",
                )),
            }
        }
    }

    fn keys(&mut self, path: &Path, at: &str, section: &str, entries: &[Entry]) {
        for entry in entries {
            let at = format!("{at}.{}", entry.key);
            let known = || DEFINITIONS.iter().filter(|definition| definition.section == section);
            match known().find(|definition| definition.key == entry.key) {
                Some(definition) => self.node(path, definition, &at, &entry.node),
                None => self.problems.push(
                    SettingsProblem::new(file(path, entry.line, &at), "an unknown key", "the key of a setting")
                        .with_suggestion(nearest(&entry.key, known().map(|definition| definition.key))),
                ),
            }
        }
    }

    fn node(&mut self, path: &Path, definition: &Definition<Settings>, at: &str, node: &Node) {
        match (definition.set_node)(&mut self.settings, node) {
            Ok(()) => drop(self.settings.origins.insert(definition.full_key, file(path, node.line, at))),
            Err(refused) => {
                let found = shown(definition, &node.to_string());
                self.refuse(definition, |line| file(path, line.unwrap_or(node.line), at), &found, refused);
            }
        }
    }

    fn variable(&mut self, definition: &Definition<Settings>, name: &str, value: &str, result: Result<(), Refused>) {
        let origin = Origin::Variable { name: name.to_owned() };
        match result {
            Ok(()) => drop(self.settings.origins.insert(definition.full_key, origin)),
            Err(refused) => {
                let found = shown(definition, &quoted(value));
                self.refuse(definition, |_| origin.clone(), &found, refused);
            }
        }
    }

    fn refuse(
        &mut self,
        definition: &Definition<Settings>,
        origin: impl Fn(Option<usize>) -> Origin,
        found: &str,
        mut refused: Refused,
    ) {
        let others = std::mem::take(&mut refused.others);
        for refused in std::iter::once(refused).chain(others) {
            let part = refused.part.unwrap_or_else(|| found.to_owned());
            let expected = refused.expected.unwrap_or_else(|| (definition.allowed)());
            let problem = SettingsProblem::new(origin(refused.line), part, expected);
            self.problems.push(problem.with_suggestion(refused.suggestion));
        }
    }
}

/// Returns a value as an error may show it.
fn shown(definition: &Definition<Settings>, value: &str) -> String {
    // An address may have a password before its `@`.
    if definition.is_secret || value.contains('@') { "a value that is not shown".to_owned() } else { value.to_owned() }
}

impl Settings {
    /// Reads the settings of this process. See [`SettingsLoader::of_process`].
    ///
    /// # Errors
    /// Returns all problems at once.
    pub fn load() -> Result<Self, SettingsError> {
        SettingsLoader::of_process().load()
    }
}
