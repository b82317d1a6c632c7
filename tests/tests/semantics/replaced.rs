//! Futures whose values are replaced: what is current inside them, and what is not.

use ctx_layer::{ContextFieldsExt, Fields, FutureFieldsExt, field::well_known::*, task::InContextExt};
use ctx_tests::block_on;
use opentelemetry::Context;
use tracing::info_span;

use crate::stacks;

/// Enters a span of Acme in futures of Acme's that have no values, after `then` set some there. Returns the tenants in the span.
fn in_future_without_values<G>(then: impl Fn() -> G) -> Vec<Option<String>> {
    let tenants_in_span = |stack: &stacks::Stack| {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let span = info_span!("of acme");
            let future = || async {
                let _guard = then();
                span.in_scope(|| TENANT_ID.get().map(String::from))
            };
            let replaced = block_on(future().replace_fields(Fields::new()));
            [replaced, block_on(future().in_context(Context::new()))]
        })
    };
    stacks::all().iter().flat_map(tenants_in_span).collect()
}

fn all_are(tenant: Option<&str>) -> Vec<Option<String>> {
    vec![tenant.map(String::from); 2 * stacks::all().len()]
}

fn globex() -> Fields {
    Fields::new().with(&TENANT_ID, "globex")
}

#[test]
fn a_span_from_outside_brings_nothing_into_a_future_without_values() {
    assert_eq!(in_future_without_values(|| ()), all_are(None));
    assert_eq!(in_future_without_values(|| info_span!("of the future").entered()), all_are(None));
}

#[test]
fn a_span_brings_nothing_where_a_context_derived_from_the_futures_is() {
    let attach = || {
        let user = USER_ID.attach("ada");
        let role = Context::current().with_fields(Fields::new().with(&ROLE, "admin"));
        (role.attach(), user)
    };
    assert_eq!(in_future_without_values(attach), all_are(None));
}

#[test]
fn a_span_is_of_its_own_request_where_another_is_in_such_a_future() {
    assert_eq!(in_future_without_values(|| Context::new().with_fields(globex()).attach()), all_are(Some("acme")));
    assert_eq!(in_future_without_values(|| globex().replace()), all_are(Some("acme")));
}
