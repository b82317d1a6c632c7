//! Bad input: each case is a clear error at start-up or has a documented outcome. Nothing panics, and no line is
//! forged.

use ctx_layer::{
    ContextField, ContextLayer, Fields, Policy, Schema, SubscriberFieldsExt,
    field::{DeclareError, NameError, SchemaProblem, well_known::*},
    fields_once_per_line,
};
use ctx_tests::Captured;
use tracing::{Subscriber, info, info_span};
use tracing_subscriber::{fmt, prelude::*, registry::LookupSpan};

ctx_layer::context_fields! {
    /// A field with the name of a well-known one.
    static OTHER_TENANT: String = "tenant_id";
    /// A field with another field's baggage key.
    static SAME_KEY: String = "same_key" => baggage_key("tenant_id");
    /// A short field.
    static SHORT: String = "short" => max_len(8);
    /// A masked field.
    static MASKED: String = "masked" => masked;
    /// A hashed field.
    static HASHED: String = "hashed" => hashed;
}

#[test]
fn two_fields_of_one_name_or_baggage_key_are_an_error_that_names_both() {
    let error = Schema::builder().field(&TENANT_ID).field(&OTHER_TENANT).field(&SAME_KEY).build().unwrap_err();
    assert_eq!(
        error.problems(),
        [
            SchemaProblem::DuplicateName { name: "tenant_id" },
            SchemaProblem::DuplicateBaggageKey { key: "tenant_id", names: ["tenant_id", "same_key"] },
        ]
    );
    let text = error.to_string();
    assert!(text.contains("the field `tenant_id` is in it twice: register it once"), "{text}");
    assert!(text.contains("`tenant_id` and `same_key` share the baggage key `tenant_id`"), "{text}");
}

#[test]
fn a_name_that_is_empty_or_illegal_is_an_error_that_quotes_it() {
    for (name, reason) in [
        ("", NameError::Empty),
        ("tenant id", NameError::Illegal),
        ("tenant\nid", NameError::Illegal),
        ("message", NameError::Reserved),
        ("log.target", NameError::Reserved),
        ("level", NameError::UsedByOutputs),
        ("thread.id", NameError::UsedByOutputs),
        (&"x".repeat(65), NameError::TooLong),
    ] {
        let error = ContextField::<String>::declare(name, Policy::new()).unwrap_err();
        assert_eq!(error, DeclareError::Name { name: name.to_owned(), reason });
        assert!(error.to_string().starts_with(&format!("{name:?} cannot be declared: ")), "{error}");
    }
}

#[test]
fn a_field_declared_again_is_the_same_or_an_error() {
    let first = ContextField::<String>::declare("again", Policy::new()).unwrap();
    let again = ContextField::<String>::declare("again", Policy::new()).unwrap();
    assert!(std::ptr::eq(first, again));
    for error in [
        ContextField::<String>::declare("again", Policy::new().masked()).unwrap_err(),
        ContextField::<u64>::declare("again", Policy::new()).unwrap_err(),
    ] {
        assert_eq!(error, DeclareError::Conflict { name: "again".to_owned() });
        assert!(error.to_string().contains("`again` was declared before with another type or policy"));
    }
}

#[test]
fn a_schema_of_a_thousand_fields_is_an_error_that_names_the_limit() {
    let mut builder = Schema::builder();
    for n in 0..1000 {
        builder = builder.field(ContextField::<String>::declare(&format!("field_{n}"), Policy::new()).unwrap());
    }
    let error = builder.build().unwrap_err();
    assert_eq!(error.problems(), [SchemaProblem::TooManyFields { count: 1000 }]);
    assert_eq!(
        error.to_string(),
        "the schema cannot be used: it has 1000 fields, more than the 128 allowed: register fewer"
    );
}

#[test]
fn a_schema_at_the_limit_works_with_all_fields_set() {
    let mut builder = Schema::builder();
    let mut fields = Fields::new();
    for n in 0..Schema::MAX_FIELDS {
        let field = ContextField::<u64>::declare(&format!("many_{n}"), Policy::new()).unwrap();
        builder = builder.field(field);
        fields = fields.with(field, n as u64);
    }
    let captured = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().json().with_writer(captured.clone()))
        .with_context_fields(builder.build().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        let _guard = fields.attach();
        let _span = info_span!("work").entered();
        info!(own = true, "hello");
    });
    let line = &captured.json()[0];
    for n in 0..Schema::MAX_FIELDS {
        assert_eq!(line["fields"][format!("many_{n}")], n);
        assert_eq!(line["span"][format!("many_{n}")], n);
    }
}

#[test]
fn a_value_that_is_too_long_is_truncated_in_outputs_and_read_whole() {
    let captured = Captured::default();
    let schema = Schema::builder().field(&SHORT).field(&TENANT_ID).build().unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().json().with_writer(captured.clone()))
        .with_context_fields(schema);
    tracing::subscriber::with_default(subscriber, || {
        let _short = SHORT.attach("ÄÖÜäöü");
        let _tenant = TENANT_ID.attach("x".repeat(1_000_000));
        info!("hello");
        assert_eq!(SHORT.get().as_deref(), Some("ÄÖÜäöü"));
        assert_eq!(TENANT_ID.get().unwrap().len(), 1_000_000);
    });
    let line = &captured.json()[0];
    // 8 bytes: two characters of two bytes, and an ellipsis of three.
    assert_eq!(line["fields"]["short"], "ÄÖ…");
    let tenant = line["fields"]["tenant_id"].as_str().unwrap();
    assert!(tenant.len() <= 128 && tenant.ends_with("xx…"), "{tenant}");
}

#[test]
fn two_long_values_that_truncate_to_the_same_string_remain_different() {
    let subscriber = tracing_subscriber::registry().with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        let (a, b) = (format!("{}a", "x".repeat(300)), format!("{}b", "x".repeat(300)));
        let span = TENANT_ID.in_scope(a.clone(), || info_span!("of a"));
        let _guard = TENANT_ID.attach(b.clone());
        span.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some(&*a)));
        assert_eq!(TENANT_ID.get().as_deref(), Some(&*b));
    });
}

/// Returns values that try to end their line, begin another one, or move the cursor.
const HOSTILE: &str = "acme\0\n2026-01-01T00:00:00Z  INFO root: granted tenant_id=\"other\"\r\u{1b}[2K\u{1b}[31m\u{85}\u{2028}\u{2029}\u{202e}\u{7f}\u{9b}31m\" tenant_id=\"other\" \\ }";

fn forge(name: &str, layer: impl FnOnce(Captured) -> Box<dyn Subscriber + Send + Sync>) {
    let captured = Captured::default();
    tracing::subscriber::with_default(layer(captured.clone()), || {
        let _guard = Fields::current().with(&TENANT_ID, HOSTILE).with(&USER_ID, "u-1").attach();
        let _outer = info_span!("outer").entered();
        assert!(TENANT_ID.record(HOSTILE));
        info!("hello");
    });
    let text = captured.text();
    assert!(text.contains("hello"), "{name}: {text:?}");
    let lines = match name {
        // Pretty output has one line for the event, one for its place and one for each span.
        "pretty" => text.lines().filter(|line| line.contains("hello") || line.contains("granted")).count(),
        _ => text.lines().count(),
    };
    // Recording a span's new fields writes no line; some formats write a line for an opened span.
    assert!(text.lines().filter(|line| line.contains("hello")).count() == 1, "{name}: {text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("2026-01-01")), "{name}: {text:?}");
    assert!(lines >= 1);
    for character in ['\0', '\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{7f}', '\u{9b}'] {
        assert!(!text.contains(character), "{name} lets {character:?} through: {text:?}");
    }
}

fn over<S>(stack: S) -> Box<dyn Subscriber + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    Box::new(stack.with_context_fields(Schema::well_known()))
}

#[test]
fn no_value_forges_a_line_in_any_text_format() {
    forge("full", |out| over(tracing_subscriber::registry().with(fmt::layer().with_ansi(false).with_writer(out))));
    forge("compact", |out| {
        over(tracing_subscriber::registry().with(fmt::layer().compact().with_ansi(false).with_writer(out)))
    });
    forge("pretty", |out| {
        over(tracing_subscriber::registry().with(fmt::layer().pretty().with_ansi(false).with_writer(out)))
    });
    forge("once per line", |out| {
        over(tracing_subscriber::registry().with(fields_once_per_line(fmt::layer().with_ansi(false).with_writer(out))))
    });
    forge("json", |out| over(tracing_subscriber::registry().with(fmt::layer().json().with_writer(out))));
    forge("logfmt", |out| {
        over(tracing_subscriber::registry().with(tracing_logfmt::builder().layer().with_writer(out)))
    });
    forge("bunyan", |out| {
        over(
            tracing_subscriber::registry()
                .with(tracing_bunyan_formatter::JsonStorageLayer)
                .with(tracing_bunyan_formatter::BunyanFormattingLayer::new("app".into(), out)),
        )
    });
    forge("json-subscriber", |out| {
        over(tracing_subscriber::registry().with(json_subscriber::layer().with_writer(out)))
    });
}

#[test]
fn a_context_value_with_quotes_is_one_quoted_word_in_text_formats() {
    let captured = Captured::default();
    let output = fields_once_per_line(fmt::layer().with_ansi(false).with_writer(captured.clone()));
    let subscriber = tracing_subscriber::registry().with(output).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        let _guard = TENANT_ID.attach(r#"a" user_id="root"#);
        info!("hello");
    });
    assert!(captured.text().ends_with("hello tenant_id=\"a\\\" user_id=\\\"root\"\n"), "{}", captured.text());
}

#[test]
fn sensitive_values_are_masked_or_hashed_except_where_they_are_revealed() {
    let (masked, plain) = (Captured::default(), Captured::default());
    let schema = || Schema::builder().field(&MASKED).field(&HASHED).build().unwrap();
    let reveal = Schema::builder()
        .field_with(&MASKED, |policy| policy.reveal())
        .field_with(&HASHED, |policy| policy.reveal())
        .build()
        .unwrap();
    // One output alone shows them; the other gets them masked, from the layer over the whole stack.
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(fmt::layer().json().with_writer(plain.clone()), reveal))
        .with(ContextLayer::new(fmt::layer().json().with_writer(masked.clone()), schema()));
    tracing::subscriber::with_default(subscriber, || {
        let fields = Fields::new().with(&MASKED, "alice@example.com").with(&HASHED, "bob@example.com");
        assert!(!format!("{fields:?}").contains("example.com"), "Debug is an output too");
        let _guard = fields.attach();
        info!("one");
        info!("two");
        let _other = HASHED.attach("eve@example.com");
        info!("three");
    });
    assert!(plain.text().contains("alice@example.com") && plain.text().contains("bob@example.com"));
    let lines = masked.json();
    assert!(!masked.text().contains("example.com"), "{}", masked.text());
    assert_eq!(lines[0]["fields"]["masked"], "[redacted]");
    let hash = |line: usize| lines[line]["fields"]["hashed"].as_str().unwrap();
    assert!(hash(0).len() == 32 && hash(0).bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(hash(0), hash(1));
    assert_ne!(hash(0), hash(2));
}

#[test]
fn every_error_says_what_is_wrong() {
    use ctx_layer::{field::set_hash_salt, propagation::BaggageError};
    let errors: [&dyn std::error::Error; 4] =
        [&BaggageError::Key, &BaggageError::Value, &BaggageError::NoValue, &BaggageError::Limit];
    let mut said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    said.push(set_hash_salt(b"").expect_err("it is empty").to_string());
    let schema = Schema::builder().field(&TENANT_ID).field(&TENANT_ID).field(&USER_ID).field(&USER_ID).build();
    let both = schema.expect_err("two fields are in it twice");
    assert_eq!(both.problems().len(), 2);
    assert_eq!(both.to_string().matches("; ").count(), 1, "{both}");
    said.push(both.to_string());
    assert!(said.iter().all(|said| said.len() > 10), "{said:?}");
    said.dedup();
    assert_eq!(said.len(), 6, "{said:?}");
}
