//! Settings: any file, environment and declarative configuration give settings or errors.

use ctx_layer::setup::SettingsLoader;

/// The input is a settings file, then lines of `NAME=value`, separated by a line `---`.
pub fn settings(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (file, variables) = text.split_once("\n---\n").unwrap_or((text, ""));
    // What names a file of the machine is left out.
    let is_read = |name: &str| !["CTX_SETTINGS", "OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"].contains(&name);
    let variables = variables.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| is_read(name));
    match SettingsLoader::new().text("settings.toml", file).variables(variables).load() {
        Ok(settings) => {
            // Headers and passwords of addresses are masked, and have the forms of those that are not.
            let explained = settings.explain();
            let again = SettingsLoader::new().text("explained", explained.as_str()).load();
            assert!(again.is_ok(), "{explained}\n{again:?}");
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            for problem in error.problems() {
                assert!(!problem.found().is_empty() && !problem.expected().is_empty(), "{problem:?}");
            }
        }
    }
}
