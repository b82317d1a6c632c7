use ctx_layer::{field::well_known::TENANT_ID, propagate};

struct NoCarrier;

struct NotShown;

#[propagate(from = message)]
async fn no_carrier(message: NoCarrier) {}

#[propagate(links = batch)]
fn no_carriers(batch: &[NoCarrier]) {
    let _ = batch;
}

#[propagate(into = message)]
async fn nothing_to_write_to(mut message: NoCarrier) {}

#[propagate(context = { tenant: TENANT_ID })]
async fn not_convertible(tenant: NotShown) {}

#[propagate]
async fn wrong_type() -> u8 {
    "text"
}

fn main() {
    let _ = TENANT_ID;
}

#[propagate(into = headers)]
fn not_to_be_written_to(headers: &std::collections::HashMap<String, String>) {}
