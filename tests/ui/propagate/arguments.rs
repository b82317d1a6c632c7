use std::collections::HashMap;

use ctx_layer::{field::well_known::TENANT_ID, propagate};

type Headers = HashMap<String, String>;

#[propagate(form = headers, colour)]
async fn unknown(headers: Headers) {}

#[propagate(from = headers, from = headers)]
async fn twice(headers: Headers) {}

#[propagate(from = header, into = self.x, links = msgs)]
async fn no_parameters(headers: Headers) {}

#[propagate(context = { name: tenant, TENANT_ID, nam: TENANT_ID, name: , name: tenant_id })]
async fn fields(name: &str) {}

#[propagate(from = headers, trust = intern)]
async fn trust(headers: Headers) {}

#[propagate(from = headers, trust = "internal")]
async fn text(headers: Headers) {}

#[propagate(trust = internal)]
async fn nothing_to_trust() {}

#[propagate(from = headers, isolated)]
async fn both(headers: Headers) {}

#[propagate(isolated = true, from, context = 3)]
async fn values() {}

#[propagate(isolated into = headers)]
async fn comma(headers: Headers) {}

#[propagate(crate = 3, 7)]
async fn odd() {}

#[propagate(context = { name: "tenant_id", TENANT_ID = name, TENANT_ID: name, name: TENANT_ID, name: TENANT_ID })]
async fn named(name: &str) {}

#[propagate(set(tenant_id = name, ACCOUNT = name.len()))]
async fn old(name: &str) {}

#[propagate(set = name)]
async fn oldest(name: &str) {}

#[propagate(context(tenant_id = name))]
async fn in_parentheses(name: &str) {}

#[propagate(isolated(true))]
async fn parenthesised() {}

fn main() {
    // Their callers get no further errors.
    drop(unknown(Headers::new()));
    drop(fields("x"));
    drop(both(Headers::new()));
}
