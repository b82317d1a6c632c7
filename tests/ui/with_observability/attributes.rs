//! Names and values of attributes.

use ctx_layer::{context_fields, with_observability};

context_fields! {
    static TENANT_ID: String = "tenant.id";
}

#[with_observability(attributes_from_args = { a: "", b: "user id", c: "otel.kind", d: "message", e: "otel.status_code" })]
fn illegal(a: u8, b: u8, c: u8, d: u8, e: u8) {
    let _ = (a, b, c, d, e);
}

#[with_observability(
    attributes_from_args = { a: "x", b: "x" },
    static_attributes = { "x": 1, "y": 2, "y": 3 },
    fields(x = 4, y)
)]
fn taken(a: u8, b: u8) {
    let _ = (a, b);
}

#[with_observability(attributes_from_args = { "user.id": user_id, user_id, user_id: 5, user_id: user.id, ?: "id", user_id = "user.id" })]
fn mapped(user_id: u8) {
    let _ = user_id;
}

#[with_observability(static_attributes = { component: "profile", "shard", "user": user_id, "list": [1], "none": })]
fn constant(user_id: u8) {
    let _ = user_id;
}

#[with_observability(
    context = { tenant: "tenant.id", tenant, tenant: , TENANT_ID: tenant, TENANT_ID = tenant, tenant: tenant_id },
    set(tenant_id = tenant)
)]
fn context(tenant: &str) {
    let _ = tenant;
}

#[with_observability(fields(= 3, a =, "b" = 4, c.5, {} = 7))]
fn fields() {}

fn main() {}
