//! No type of this crate prints a sensitive value by `Debug`.

use ctx_layer::{
    Fields, FutureFieldsExt, InContextExt,
    propagation::{
        self, Boundary, Captured, ContextPropagator, Outbound, Trust,
        carriers::{Environment, HeaderExtractor, HeaderInjector},
    },
    task::{Carried, Snapshot},
};

use crate::shared::{ACCOUNT, SSN, TOKEN, schema};

const SECRET: &str = "hunter2";

#[track_caller]
fn check(value: &dyn std::fmt::Debug) {
    let (compact, pretty) = (format!("{value:?}"), format!("{value:#?}"));
    assert!(!compact.contains(SECRET) && !pretty.contains(SECRET), "{pretty}");
    assert!(compact.len() > 2, "it is shown at all");
}

fn fields() -> Fields {
    Fields::new().with(&SSN, SECRET).with(&TOKEN, SECRET).with(&ACCOUNT, SECRET)
}

#[test]
fn types_that_hold_a_sensitive_value_do_not_show_it() {
    static BOUNDARY: Boundary = Boundary::new("debug");
    propagation::register(&schema());
    let guard = fields().attach();
    check(&guard);
    check(&Fields::current());
    check(&fields().iter().map(|(field, value)| (field.name(), value.to_string())).collect::<Vec<_>>());
    check(&Snapshot::capture());
    check(&Carried::new(1));
    check(&std::future::ready(()).in_current_context());
    check(&std::future::ready(()).with_fields(fields()));
    check(&std::future::ready(()).with_field(&TOKEN, SECRET));
    check(&opentelemetry::Context::current());

    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", http::HeaderValue::from_static(SECRET));
    BOUNDARY.inject(&mut headers, Outbound::Everything);
    // The field is propagated, and so everything below has it.
    let header = headers["baggage"].to_str().expect("it is ASCII").to_owned();
    assert_eq!(header.matches(SECRET).count(), 2, "{header}");
    check(&HeaderExtractor(&headers));
    check(&HeaderInjector(&mut headers.clone()));
    check(&propagation::capture());
    let captured: Captured = [("baggage", &header)].into_iter().collect();
    check(&captured);
    let mut environment = Environment::default();
    environment.set("BAGGAGE", &header);
    check(&environment);
    let extracted = BOUNDARY.extract(&headers, Trust::internal());
    assert_eq!(extracted.fields().len(), 2);
    check(&extracted);
    check(&extracted.attach());
    check(&BOUNDARY.extract(&headers, Trust::external()));
    check(&BOUNDARY);
    check(&ContextPropagator::new().schema(schema()));
    drop(guard);
}

#[test]
fn a_dropped_value_is_reported_without_the_value() {
    propagation::register(&schema());
    let header = format!("ssn={SECRET},token={SECRET}%0A,x={SECRET}\",{SECRET}");
    let carrier = [("baggage".to_owned(), header)].into_iter().collect::<std::collections::HashMap<_, _>>();
    let extracted = propagation::extract(&carrier, Trust::internal());
    assert_eq!(extracted.dropped().len(), 3);
    check(&extracted);
    assert!(extracted.dropped().iter().all(|dropped| !dropped.to_string().contains(SECRET)));
}
