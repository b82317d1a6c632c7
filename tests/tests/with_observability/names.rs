//! `name`

use ctx_layer::with_observability;
use opentelemetry::trace::SpanKind;

use crate::setup::with_and_without_context;

const LOAD: &str = "profile.load";

struct Names;

impl Names {
    const STORE: &str = "profile.store";
}

#[with_observability]
fn unnamed() {}

#[with_observability]
fn r#match() {}

#[with_observability(name = "a name")]
fn literal() {}

#[with_observability("short")]
fn bare() {}

#[with_observability(name = LOAD)]
fn constant() {}

#[with_observability(name = Names::STORE)]
fn associated() {}

#[with_observability(name = concat!("profile", ".", "delete"))]
fn concatenated() {}

#[with_observability(kind = server, name = format!("{method} {}", path.trim_end_matches('/')))]
fn expression(method: &str, path: String) -> usize {
    drop(path);
    method.len()
}

#[with_observability(name = table)]
async fn argument(table: &str) {
    let _ = table;
}

impl Names {
    #[with_observability(name = Self::STORE)]
    fn of_self(&self) {}

    #[with_observability(name = self.label())]
    fn of_a_method(&self) {}

    fn label(&self) -> &'static str {
        "label"
    }
}

trait Named {
    const NAME: &'static str;
}

impl Named for Names {
    const NAME: &'static str = "of the trait";
}

#[with_observability(name = T::NAME)]
fn generic<T: Named>(_: T) {}

fn exported(call: impl Fn()) -> String {
    let name = std::cell::RefCell::new(None);
    with_and_without_context(|out| {
        out.run(&call);
        let spans = out.spans();
        assert_eq!(spans.len(), 1);
        let found = spans[0].name.to_string();
        assert!(name.replace(Some(found.clone())).is_none_or(|before| before == found));
    });
    name.into_inner().unwrap()
}

#[test]
fn the_name_is_the_functions_by_default() {
    assert_eq!(exported(unnamed), "unnamed");
}

#[test]
fn a_raw_name_is_exported_without_its_prefix() {
    assert_eq!(exported(r#match), "match");
}

#[test]
fn the_name_may_be_a_literal() {
    assert_eq!(exported(literal), "a name");
    assert_eq!(exported(bare), "short");
}

#[test]
fn the_name_may_be_a_constant() {
    assert_eq!(exported(constant), "profile.load");
    assert_eq!(exported(associated), "profile.store");
    assert_eq!(exported(concatenated), "profile.delete");
}

#[test]
fn the_name_may_be_a_constant_of_self_or_of_a_type_parameter() {
    assert_eq!(exported(|| Names.of_self()), "profile.store");
    assert_eq!(exported(|| generic(Names)), "of the trait");
}

#[test]
fn the_name_may_be_an_expression_of_the_arguments() {
    assert_eq!(exported(|| assert_eq!(expression("GET", "/users/".into()), 3)), "GET /users");
    assert_eq!(exported(|| Names.of_a_method()), "label");
    assert_eq!(
        exported(|| {
            ctx_tests::each_poll_on_a_new_thread(&tracing::dispatcher::get_default(Clone::clone), argument("orders"));
        }),
        "orders"
    );
}

#[test]
fn an_expression_names_the_exported_span_but_not_the_logged_one() {
    with_and_without_context(|out| {
        out.run(|| expression("GET", "/users".into()));
        assert_eq!(out.event("returned")["span"]["name"], "expression");
        assert_eq!(out.span("GET /users").span_kind, SpanKind::Server);
        assert_eq!(out.attribute("GET /users", "otel.name"), None);
    });
}

#[test]
fn a_constant_name_is_also_the_name_in_the_logs() {
    with_and_without_context(|out| {
        out.run(constant);
        assert_eq!(out.event("called")["span"]["name"], "profile.load");
    });
}
