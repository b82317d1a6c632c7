//! A service whose methods are observed: its lines as text, and its spans as OpenTelemetry gets them.
//!
//! `cargo run --example profile_service`

use std::{collections::HashMap, fmt, time::Duration};

use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, fields_once_per_line, with_observability};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

/// The error of a profile.
#[derive(Debug)]
enum ProfileError {
    NotFound(u64),
    Storage(std::io::Error),
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileError::NotFound(id) => write!(f, "there is no profile {id}"),
            ProfileError::Storage(_) => f.write_str("the storage failed"),
        }
    }
}

impl std::error::Error for ProfileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ProfileError::NotFound(_) => None,
            ProfileError::Storage(error) => Some(error),
        }
    }
}

struct ProfileService {
    profiles: HashMap<u64, &'static str>,
}

#[with_observability(except(new), static_attributes = { "component": "profiles" }, log_level = "info")]
impl ProfileService {
    fn new() -> Self {
        ProfileService { profiles: HashMap::from([(7, "Ada"), (8, "Grace")]) }
    }

    /// Handles a request, as a server would: the tenant is current for everything inside.
    #[with_observability(kind = server, context = { tenant: TENANT_ID }, attributes_from_args = [id], log_args = false)]
    async fn get(&self, tenant: &str, id: u64, token: &str) -> Result<&'static str, ProfileError> {
        let _ = (tenant, token);
        self.load(id).await
    }

    #[with_observability(attributes_from_args = { id: "db.key", self.profiles.len(): "db.rows" }, log_result = false)]
    async fn load(&self, id: u64) -> Result<&'static str, ProfileError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if id > 100 {
            return Err(ProfileError::Storage(std::io::Error::other("disk on fire")));
        }
        self.profiles.get(&id).copied().ok_or(ProfileError::NotFound(id))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let text = tracing_subscriber::fmt::layer().without_time().with_target(false);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(fields_once_per_line(text))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("profiles")))
        .with_context_fields(Schema::well_known())
        .init();

    let service = ProfileService::new();
    // Two tenants at once, a missing profile, and a storage that fails.
    let (ada, unknown) = tokio::join!(service.get("acme", 7, "s3cret"), service.get("globex", 9, "s3cret"));
    assert!(ada.is_ok() && unknown.is_err());
    assert!(service.get("initech", 1000, "s3cret").await.is_err());

    println!("\nAs exported:");
    for span in exporter.get_finished_spans()? {
        let value = |key: &str| span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
        let tenant = value("tenant_id").map(|tenant| tenant.value.to_string()).unwrap_or_default();
        println!("{} {:?} tenant={tenant} status={:?}", span.name, span.span_kind, span.status);
    }
    Ok(())
}
