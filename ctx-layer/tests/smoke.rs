use ctx_layer::{field::well_known::*, *};
use tracing_subscriber::prelude::*;
#[test]
fn smoke() {
    let s = tracing_subscriber::registry()
        .with(once_per_line(tracing_subscriber::fmt::layer().with_ansi(false)))
        .with(tracing_subscriber::fmt::layer().json())
        .with_context(Schema::well_known());
    tracing::subscriber::with_default(s, || {
        tracing::info!("nothing");
        let _g = Fields::current().with(&TENANT_ID, "acme").with(&USER_ID, "u").attach();
        let span = tracing::info_span!("req", x = 1, s = "str");
        drop(_g);
        let _e = span.enter();
        let err = std::io::Error::other("bad");
        tracing::error!(error = &err as &dyn std::error::Error, k = ?Some(1), "failed {}", 3);
        let inner = tracing::info_span!("inner", user_id = "own").entered();
        ROLE.record("admin");
        tracing::info!(tenant_id = "mine", "hello");
        drop(inner);
        tracing::info!("bye");
    });
}
