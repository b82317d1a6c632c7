//! Fields as arguments of handlers.

use axum::{Router, body::Body, routing::get};
use ctx_layer::{
    ContextField,
    http::{
        ServerLayer,
        axum::{Field, FieldKey, TenantId, UserId},
    },
};
use ctx_tests::{EMAIL, PLAN, Plan, SHARD};
use http::{Request, StatusCode};
use tower::ServiceExt;

struct Shard;

impl FieldKey for Shard {
    type Value = u64;

    fn field() -> &'static ContextField<u64> {
        &SHARD
    }
}

struct OfPlan;

impl FieldKey for OfPlan {
    type Value = Plan;

    fn field() -> &'static ContextField<Plan> {
        &PLAN
    }
}

struct Email;

impl FieldKey for Email {
    type Value = String;

    fn field() -> &'static ContextField<String> {
        &EMAIL
    }
}

async fn required(Field(tenant): Field<TenantId>, Field(shard): Field<Shard>) -> String {
    format!("{tenant} {}", shard + 1)
}

async fn optional(user: Option<Field<UserId>>, plan: Option<Field<OfPlan>>) -> String {
    format!("{:?} {:?}", user.map(|Field(user)| user), plan.map(|Field(plan)| plan))
}

async fn get_(path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let layer = ServerLayer::new().fields(|request, fields| {
        let fields = match request.header("tenant").map(str::to_owned) {
            Some(tenant) => fields.with(&ctx_layer::field::well_known::TENANT_ID, tenant),
            None => fields,
        };
        match request.header("shard").and_then(|shard| shard.parse::<u64>().ok()) {
            Some(shard) => fields.with(&SHARD, shard).with(&PLAN, Plan(3)),
            None => fields,
        }
    });
    let app = Router::new().route("/required", get(required)).route("/optional", get(optional)).layer(layer);
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.oneshot(request.body(Body::empty()).expect("it is one")).await.expect("it is infallible");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("it is whole");
    (status, String::from_utf8(body.to_vec()).expect("it is text"))
}

#[tokio::test]
async fn a_handler_gets_typed_values() {
    let (status, body) = get_("/required", &[("tenant", "acme"), ("shard", "41")]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "acme 42"));
    let (_, body) = get_("/optional", &[("shard", "41")]).await;
    assert_eq!(body, "None Some(Plan(3))");
}

#[tokio::test]
async fn a_missing_required_field_is_a_400_that_names_it() {
    for (headers, name) in [(&[("shard", "41")][..], "tenant_id"), (&[("tenant", "acme")], "shard")] {
        let (status, body) = get_("/required", headers).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body, format!("there is no {name}: this request needs one"));
    }
}

#[test]
fn the_debug_form_of_a_sensitive_field_is_redacted() {
    let email: Field<Email> = Field("ada@example.com".to_owned());
    assert_eq!(format!("{email:?}"), "Field([redacted])");
    assert_eq!(format!("{:?}", Field::<Shard>(41)), "Field(41)");
}
