//! Settings for people: those that apply, a template, and the table in the docs.

use std::fmt::Write;

use super::{
    fields::FIELD_KEYS,
    settings::{DEFINITIONS, SECTIONS, Settings},
    variables::UNSUPPORTED,
};

impl Settings {
    /// Returns the settings that apply as TOML, each with the place it comes from. Secrets are not in it.
    ///
    /// ```
    /// use ctx_layer::setup::SettingsLoader;
    ///
    /// let settings = SettingsLoader::new().variables([("OTEL_TRACES_SAMPLER_ARG", "0.25")]).load()?;
    /// assert!(settings.explain().contains("sampling_rate = 0.25  # OTEL_TRACES_SAMPLER_ARG\n"));
    /// # Ok::<(), ctx_layer::setup::SettingsError>(())
    /// ```
    pub fn explain(&self) -> String {
        let mut lines = String::new();
        for section in SECTIONS {
            let _ = writeln!(lines, "[{section}]");
            for definition in DEFINITIONS.iter().filter(|definition| definition.section == section) {
                let value = (definition.to_toml)(self);
                let origin = self.origin(definition.full_key);
                let _ = if value.is_empty() {
                    writeln!(lines, "# {} is not set  # {origin}", definition.key)
                } else {
                    writeln!(lines, "{} = {value}  # {origin}", definition.key)
                };
            }
        }
        for warning in &self.warnings {
            let _ = writeln!(lines, "# warning: {warning}");
        }
        lines
    }

    /// Returns a settings file in which all settings are comments with their defaults, to be changed.
    pub fn template() -> String {
        let defaults = Settings::default();
        let mut lines = String::from(
            "# Settings of ctx-layer. What is a comment has its default.\n\
             # [default] is for all profiles; CTX_PROFILE=production adds [production] over it.\n",
        );
        for section in SECTIONS {
            let _ = writeln!(lines, "\n[default.{section}]");
            for definition in DEFINITIONS.iter().filter(|definition| definition.section == section) {
                lines.push('\n');
                for line in definition.doc {
                    let _ = writeln!(lines, "# {}", line.trim());
                }
                let variables: Vec<String> = definition
                    .variables
                    .iter()
                    .map(|variable| variable.name.to_owned())
                    .chain([definition.own_variable()])
                    .collect();
                let _ = writeln!(lines, "# Expected: {}.", (definition.allowed)());
                let _ = writeln!(lines, "# Variables: {}", variables.join(", "));
                let value = (definition.to_toml)(&defaults);
                let _ = writeln!(lines, "# {} = {value}", definition.key);
            }
        }
        lines.push_str("#\n# A field of a table has:\n");
        for key in FIELD_KEYS {
            let _ = writeln!(lines, "# - {}: {} Expected: {}.", key.key, key.doc, (key.allowed)());
        }
        lines
    }

    /// Returns the tables of the docs: all settings, the keys of a field, the standard variables without effect.
    pub fn table() -> String {
        let defaults = Settings::default();
        let mut lines = String::new();
        for section in SECTIONS {
            let _ = writeln!(lines, "### `[{section}]`\n");
            lines.push_str("| key | default | expected | standard variables | |\n|---|---|---|---|---|\n");
            for definition in DEFINITIONS.iter().filter(|definition| definition.section == section) {
                let default = (definition.to_toml)(&defaults);
                let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
                let variables: Vec<String> = definition
                    .variables
                    .iter()
                    .map(|variable| {
                        format!("`{}`{}", variable.name, if variable.is_negated { " (negated)" } else { "" })
                    })
                    .collect();
                let cells = [
                    format!("`{}`", definition.key),
                    default,
                    (definition.allowed)(),
                    variables.join(", "),
                    definition.doc_line(),
                ];
                let _ = writeln!(lines, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
            }
            lines.push('\n');
        }
        lines.push_str("### A field of `fields`\n\n| key | expected | |\n|---|---|---|\n");
        for key in FIELD_KEYS {
            let _ = writeln!(lines, "| `{}` | {} | {} |", key.key, (key.allowed)(), key.doc);
        }
        lines.push_str("\n### Standard variables without effect\n\n| variable | |\n|---|---|\n");
        for (name, instead) in UNSUPPORTED {
            let _ = writeln!(lines, "| `{name}` | {instead} |");
        }
        lines
    }
}
