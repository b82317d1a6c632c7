//! `OTEL_CONFIG_FILE`: OpenTelemetry's declarative configuration.
//!
//! Its nodes become settings, so that they are checked, explained and used like all others. By its specification it is complete:
//! a provider that is not in it exports nothing, and the standard variables are ignored, except those that it names itself. The
//! library's own variables and the program are over it.

mod mapping;
mod substitution;
mod yaml;

use std::path::PathBuf;

use super::settings::{CONFIG_FILE, Origin, Settings, SettingsProblem, read_file};

/// Reads the file that a variable names, if there is one. Returns whether there is.
pub(crate) fn load<'a>(
    variable: &dyn Fn(&str) -> Option<&'a str>,
    settings: &mut Settings,
    problems: &mut Vec<SettingsProblem>,
) -> bool {
    let Some((name, path)) = CONFIG_FILE.into_iter().find_map(|name| Some((name, variable(name)?))) else {
        return false;
    };
    let origin = || Origin::Variable { name: name.to_owned() };
    let path = PathBuf::from(path);
    match read_file(&path) {
        Ok(text) => {
            let variable = |name: &str| variable(name).map(str::to_owned);
            let (document, mut found) = yaml::parse(&path, &text, &variable);
            problems.append(&mut found);
            if let Some(document) = document {
                mapping::apply(&path, &document, settings, problems);
            }
        }
        Err(error) => problems.push(SettingsProblem::new(
            origin(),
            format!("{:?}, which cannot be read: {error}", path.display().to_string()),
            "a file of declarative configuration",
        )),
    }
    true
}
