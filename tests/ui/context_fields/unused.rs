//! Results that would do nothing if they are not used.
#![deny(unused_must_use)]

use ctx_layer::{Fields, field::well_known::TENANT_ID};

fn main() {
    Fields::current().with(&TENANT_ID, "acme");
    TENANT_ID.attach("acme");
}
