//! Observes a method: its span, its attributes, its arguments and its error, which is logged once.

use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, fields_once_per_line, with_observability};
use tracing_subscriber::{filter::LevelFilter, fmt::layer, prelude::*};

struct Profiles(Vec<&'static str>);

#[with_observability(log_result = false)]
impl Profiles {
    #[with_observability(context = { tenant: TENANT_ID }, attributes_from_args = { id: "profile.id" })]
    fn get(&self, tenant: &str, id: usize, token: &str) -> Result<&str, String> {
        let _ = (tenant, token);
        self.load(id)
    }

    fn load(&self, id: usize) -> Result<&str, String> {
        self.0.get(id).copied().ok_or(format!("there is no profile {id}"))
    }
}

fn main() {
    tracing_subscriber::registry()
        .with(LevelFilter::DEBUG)
        .with(fields_once_per_line(layer().without_time().with_target(false)))
        .with_context_fields(Schema::well_known())
        .init();

    let profiles = Profiles(vec!["Ada"]);
    assert!(profiles.get("acme", 0, "s3cret").is_ok());
    assert!(profiles.get("globex", 7, "s3cret").is_err());
}
