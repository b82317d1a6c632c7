//! Types that do not fit: each error is at what the user wrote, not at the attribute.

use ctx_layer::{context_fields, with_observability};

context_fields! {
    static TENANT_ID: String = "tenant.id";
    static SHARD: u64 = "shard";
}

struct NotShown;

const LOUD: &str = "loud";
const NUMBER: u8 = 5;

#[with_observability(level = LOUD)]
fn level() {}

#[with_observability(log_level = LOUD)]
fn log_level() {}

#[with_observability(name = NUMBER)]
fn name() {}

#[with_observability(target = NUMBER)]
fn target() {}

#[with_observability(parent = shown)]
fn parent(shown: &NotShown) {
    let _ = shown;
}

#[with_observability(follows_from = NUMBER)]
fn follows_from() {}

#[with_observability(fields(a = NotShown, b = %shown, c = ?shown, d = shown.missing))]
fn fields(shown: &NotShown) {
    let _ = shown;
}

#[with_observability(attributes_from_args = { %shown: "a", ?shown: "b", shown.missing: "c" })]
fn attributes(shown: &NotShown) {
    let _ = shown;
}

#[with_observability(attributes_from_args = { shown: NUMBER }, static_attributes = { "a": MISSING })]
fn names(shown: &NotShown) {
    let _ = shown;
}

#[with_observability(context = { shown: TENANT_ID, shard: SHARD, shown: NUMBER })]
fn context(shown: &NotShown, shard: &str) {
    let _ = (shown, shard);
}

#[with_observability(err(Display))]
fn error() -> Result<(), NotShown> {
    Ok(())
}

#[with_observability(err, log_errors = false)]
fn plain_error() -> Result<(), NotShown> {
    Ok(())
}

#[with_observability(ret, log_result = false)]
fn plainly_returned() -> NotShown {
    NotShown
}

#[with_observability(ret(Debug))]
fn returned() -> NotShown {
    NotShown
}

#[with_observability(ret(Debug))]
async fn returned_later() -> NotShown {
    NotShown
}

fn main() {}
