//! Writes JSON lines to standard output: `cargo run --example json_lines -- <count>`.
//!
//! `tests/collect.sh` has `jq` and an OpenTelemetry Collector read them.

use std::{env, error::Error, io};

use ctx_layer::{
    Fields, Schema, SubscriberFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    output::json,
};
use tracing::{info, info_span, warn};
use tracing_subscriber::prelude::*;

fn main() {
    let count = env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_u64);
    let layer = json::layer().with_constant("service.name", "shop").with_max_line_len(16_384);
    tracing_subscriber::registry().with(layer).with_context_fields(Schema::well_known()).init();
    for order in 0..count {
        let fields =
            Fields::new().with(&TENANT_ID, format!("tenant-{}", order % 7)).with(&USER_ID, "ada \"the first\" 🚲");
        fields.in_scope(|| {
            let _request = info_span!("request", path = "/orders").entered();
            match order % 5 {
                0 => info!(order, ratio = order as f64 / 3.0, wide = u128::MAX, "placed"),
                1 => {
                    info!(order, nan = f64::NAN, bytes = &[0_u8, 0xff][..], "of \"every\" \\ kind \u{1b}[31m\u{2028}\n")
                }
                2 => {
                    let error = io::Error::other("it\nfailed");
                    warn!(order, error = &error as &(dyn Error + 'static), tenant_id = "its own", "failed");
                }
                3 => info!(order, "{}", "a very long message ".repeat(2000)),
                _ => info!(order, quo.ted = %"tab\there", level = "own", "stored"),
            }
        });
    }
}
