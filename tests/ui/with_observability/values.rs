//! Values of the wrong kind.

use ctx_layer::with_observability;

#[with_observability(log_args = 3, log_result = "yes", log_errors = maybe)]
fn switches() {}

#[with_observability(level = "loud", log_level = 7)]
fn levels() {}

#[with_observability(level = quiet, log_level = -1)]
fn more_levels() {}

#[with_observability(kind = servr)]
fn kind() {}

#[with_observability(kind = "batch")]
fn kind_as_text() {}

#[with_observability(kind = 7)]
fn kind_as_number() {}

#[with_observability(name = 5, target = true)]
fn names() {}

#[with_observability(attributes_from_args = 5, static_attributes = "component", context = tenant, redact = a)]
fn lists(a: u8) {
    let _ = a;
}

#[with_observability(attributes_from_args = user)]
fn attributes(user: u8) {
    let _ = user;
}

#[with_observability(crate = 5)]
fn library() {}

fn main() {}
