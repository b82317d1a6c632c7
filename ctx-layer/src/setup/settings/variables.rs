//! The standard variables: which are supported, and which are not.

use super::{
    definition::Definition,
    settings::{DEFINITIONS, SECTIONS},
    suggest::nearest,
};

/// The variable that names the settings file.
pub(crate) const FILE_VARIABLE: &str = "CTX_SETTINGS";
/// The variable that names the profile.
pub(crate) const PROFILE_VARIABLE: &str = "CTX_PROFILE";

/// The variables that name a file of declarative configuration.
pub(crate) const CONFIG_FILE: [&str; 2] = ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"];

/// The standard variables that have no effect, with the reason and what to do.
pub(crate) const UNSUPPORTED: &[(&str, &str)] = &[
    ("OTEL_BLRP_EXPORT_TIMEOUT", "set OTEL_EXPORTER_OTLP_LOGS_TIMEOUT"),
    ("OTEL_BSP_EXPORT_TIMEOUT", "set OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"),
    ("OTEL_ENTITIES", "set OTEL_RESOURCE_ATTRIBUTES"),
    ("OTEL_EXPORTER_OTLP_INSECURE", "the scheme of the address decides: write http:// or https://"),
    ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "add a view to the meter provider in the program"),
    ("OTEL_EXPORTER_PROMETHEUS_HOST", "export by OTLP"),
    ("OTEL_EXPORTER_PROMETHEUS_PORT", "export by OTLP"),
    ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "export by OTLP"),
    ("OTEL_EXPORTER_ZIPKIN_TIMEOUT", "export by OTLP"),
    ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "the SDK for Rust has no limits of log records"),
    ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "the SDK for Rust has no limits of log records"),
    ("OTEL_LOG_LEVEL", "the SDK logs by `tracing`: add `opentelemetry=debug` to the filter"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "the SDK for Rust has no exemplars"),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "set OTEL_EXPORTER_OTLP_METRICS_TIMEOUT"),
];

/// Returns `true` if the variable sets something here.
pub(crate) fn is_supported_variable(name: &str) -> bool {
    supported().any(|known| known == name)
        || CONFIG_FILE.contains(&name)
        || [FILE_VARIABLE, PROFILE_VARIABLE].contains(&name)
        || DEFINITIONS.iter().any(|definition| definition.own_variable() == name)
}

fn supported() -> impl Iterator<Item = &'static str> {
    DEFINITIONS.iter().flat_map(|definition| definition.variables).map(|variable| variable.name)
}

/// Returns `Some` if the name begins like one of the library's own variables and is none, with the one that was probably meant.
pub(crate) fn unknown_own_variable(name: &str) -> Option<Option<String>> {
    let is_own = SECTIONS.iter().any(|section| {
        name.strip_prefix("CTX_").is_some_and(|rest| rest.starts_with(&format!("{}_", section.to_ascii_uppercase())))
    });
    if !is_own || is_supported_variable(name) {
        return None;
    }
    let known: Vec<String> = DEFINITIONS.iter().map(Definition::own_variable).collect();
    Some(nearest(name, known.iter().map(String::as_str)).map(str::to_owned))
}

/// Returns the warning for a variable that is set and has no effect, if it deserves one.
pub(crate) fn warning(name: &str) -> Option<String> {
    if let Some((_, instead)) = UNSUPPORTED.iter().find(|(known, _)| *known == name) {
        return Some(format!("the variable `{name}` has no effect: {instead}"));
    }
    if !name.starts_with("OTEL_") || is_supported_variable(name) {
        return None;
    }
    // Variables of other languages are often set for all pods. What is nearly one that has an effect is a typing error.
    nearest(name, supported())
        .filter(|meant| strsim::osa_distance(name, meant) <= 2)
        .map(|meant| format!("the variable `{name}` is unknown and has no effect: did you mean `{meant}`?"))
}
