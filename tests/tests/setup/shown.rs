//! The template, the table of the docs and `explain`.

use ctx_layer::setup::{Settings, SettingsLoader};

#[test]
fn the_template_has_the_defaults_when_its_comments_are_removed() {
    let template = Settings::template();
    let is_setting = |line: &str| {
        line.split_once(" = ")
            .is_some_and(|(key, value)| !value.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let text: Vec<&str> = template
        .lines()
        .filter_map(|line| match line.strip_prefix("# ") {
            Some(rest) => is_setting(rest).then_some(rest),
            None => Some(line),
        })
        .collect();
    assert!(text.len() > 40, "{text:?}");
    let settings = SettingsLoader::new().text("settings.toml", text.join("\n")).load().expect("it has no errors");
    let defaults = Settings::default();
    assert_eq!(settings.observability, defaults.observability);
    assert_eq!(settings.context, defaults.context);
    assert!(SettingsLoader::new().text("settings.toml", template).load().is_ok(), "as it is written");
}

#[test]
fn what_is_explained_can_be_read_again() {
    let settings = SettingsLoader::new()
        .variables([("OTEL_TRACES_SAMPLER_ARG", "0.5"), ("CTX_CONTEXT_FIELDS", "tenant_id,user_id")])
        .load()
        .expect("it has no errors");
    let again = SettingsLoader::new().text("explained", settings.explain()).load().expect("it has no errors");
    assert_eq!(again.observability, settings.observability);
    assert_eq!(again.context, settings.context);
    assert!(settings.explain().contains("fields = [\"tenant_id\", \"user_id\"]  # CTX_CONTEXT_FIELDS\n"));
}

#[test]
fn secrets_are_not_explained_or_formatted() {
    let settings = SettingsLoader::new()
        .variables([
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer s3cret"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-key=s3cret"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:s3cret@collector:4317"),
        ])
        .load()
        .expect("it has no errors");
    let explained = settings.explain();
    assert!(explained.contains("headers = { \"authorization\" = \"[redacted]\" }  # OTEL_EXPORTER_OTLP_HEADERS\n"));
    assert!(explained.contains("otlp_endpoint = \"http://[redacted]@collector:4317\""), "{explained}");
    for shown in [explained, format!("{:?}", settings.observability)] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn secrets_are_in_no_error() {
    let error = SettingsLoader::new()
        .text("settings.toml", "[observability]\nheaders = \"s3cret\"\notlp_endpoint = \"ftp://user:s3cret@host\"")
        .variables([("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"), ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "k=s3cret%")])
        .load()
        .expect_err("there are errors");
    assert_eq!(error.problems().len(), 4, "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn the_table_in_the_docs_is_that_of_the_definitions() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/setup.md");
    let docs = std::fs::read_to_string(path).expect("the page is there");
    let (begin, end) = ("<!-- settings -->\n", "<!-- end of settings -->");
    let (before, rest) = docs.split_once(begin).expect("the table begins");
    let (table, after) = rest.split_once(end).expect("the table ends");
    if table.trim() != Settings::table().trim() && std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let updated = format!("{before}{begin}\n{}\n{end}{after}", Settings::table().trim());
        std::fs::write(path, updated).expect("it is written");
        return;
    }
    let current = Settings::table();
    let changed = table.trim().lines().zip(current.trim().lines()).find(|(written, now)| written != now);
    assert!(table.trim() == current.trim(), "UPDATE_SNAPSHOTS=1 writes it; the first difference: {changed:#?}");
}
