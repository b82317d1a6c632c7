//! Names that are no parameter's.

use ctx_layer::{context_fields, with_observability};

context_fields! {
    static TENANT_ID: String = "tenant.id";
}

#[with_observability(skip(usr_id), redact = [crad], reveal = [other])]
fn in_lists(user_id: u64, card: &str) {
    let _ = (user_id, card);
}

#[with_observability(attributes_from_args = { usr_id: "user.id", oder.items.len(): "items", ?&odre.id: "id" })]
fn in_attributes(user_id: u64, order: &str) {
    let _ = (user_id, order);
}

#[with_observability(attributes_from_args = [usr_id, order.id, 5])]
fn in_names(user_id: u64) {
    let _ = user_id;
}

#[with_observability(attributes_from_args = { self.id: "id" }, context = { tenat: TENANT_ID })]
fn in_context(tenant: &str) {
    let _ = tenant;
}

#[with_observability(skip(a))]
fn without_any() {}

#[with_observability(skip(pair), redact = [pair])]
fn of_a_pattern((left, right): (u8, u8)) {
    let _ = (left, right);
}

fn main() {}
