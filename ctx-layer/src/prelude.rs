//! The traits, attributes and types that most programs use: `use ctx_layer::prelude::*`.
//!
//! Traits are imported as `_`. The well-known fields are in [`field::well_known`](crate::field::well_known).
//!
//! ```
//! use ctx_layer::{field::well_known::TENANT_ID, prelude::*};
//! use tracing_subscriber::prelude::*;
//!
//! let text = fields_once_per_line(tracing_subscriber::fmt::layer());
//! let stack =
//!     tracing_subscriber::registry().with(text).with_context_fields(Schema::well_known());
//! # let _stack = tracing::subscriber::set_default(stack);
//!
//! #[with_observability(context = { tenant: TENANT_ID })]
//! async fn bill(tenant: &str) -> bool {
//!     TENANT_ID.get().as_deref() == Some(tenant)
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! assert!(bill("acme").in_current_context().await);
//! # });
//! ```

#[cfg(feature = "tokio")]
pub use crate::task::JoinSetExt as _;
pub use crate::{
    ContextField, ContextFieldsExt as _, Fields, FutureFieldsExt as _, InContextExt as _, Schema,
    SubscriberFieldsExt as _, context_fields, fields_once_per_line, propagate, task::ThreadBuilderExt as _,
    with_observability,
};
