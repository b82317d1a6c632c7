//! Any file and any environment give settings or errors.

use proptest::prelude::*;

/// The body of the fuzz target.
#[allow(unreachable_pub)] // The fuzz target is in another crate.
#[path = "../../../fuzz/src/settings.rs"]
mod fuzzed;

/// Parts of settings files, right and wrong.
fn line() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("enabled".to_owned()),
        Just("sampling_rate".to_owned()),
        Just("timeout".to_owned()),
        Just("headers".to_owned()),
        Just("otlp_endpoint".to_owned()),
        Just("propagators".to_owned()),
        Just("always_sample".to_owned()),
        Just("log_filter".to_owned()),
        Just("fields".to_owned()),
        "[a-z_]{1,12}",
    ];
    let value = prop_oneof![
        Just("true".to_owned()),
        Just("-1".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("1e400".to_owned()),
        Just("nan".to_owned()),
        Just("2026-11-27".to_owned()),
        Just("[\"tenant_id\", { name = \"x\" }, [1]]".to_owned()),
        Just("{ a = 1, b = { c = \"%zz\" } }".to_owned()),
        "\"[ -~]{0,20}\"",
        "\\PC{0,12}",
    ];
    let section = prop_oneof![
        Just("[default.observability]".to_owned()),
        Just("[observability]".to_owned()),
        Just("[production.context]".to_owned()),
        Just("[context]".to_owned()),
        "\\[[a-z.]{0,16}\\]",
    ];
    prop_oneof![3 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")), 1 => section]
}

fn variable() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        Just("OTEL_TRACES_SAMPLER_ARG".to_owned()),
        Just("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()),
        Just("OTEL_EXPORTER_OTLP_HEADERS".to_owned()),
        Just("OTEL_RESOURCE_ATTRIBUTES".to_owned()),
        Just("OTEL_PROPAGATORS".to_owned()),
        Just("OTEL_EXPORTER_OTLP_TIMEOUT".to_owned()),
        Just("RUST_LOG".to_owned()),
        Just("CTX_CONTEXT_FIELDS".to_owned()),
        Just("CTX_PROFILE".to_owned()),
        "(CTX_OBSERVABILITY_|OTEL_)[A-Z_]{0,20}",
    ];
    (name, "\\PC{0,24}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_file_and_environment_give_settings_or_errors(
        lines in proptest::collection::vec(line(), 0..12),
        variables in proptest::collection::vec(variable(), 0..6),
    ) {
        let variables: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fuzzed::settings(format!("{}\n---\n{}", lines.join("\n"), variables.join("\n")).as_bytes());
    }
}
