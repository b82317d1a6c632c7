//! Context fields as arguments of `axum` handlers.
//!
//! A field is a `static` but an extractor is a type. A [`FieldKey`] is a type that represents a field. The keys of the
//! [well-known fields](crate::field::well_known) are defined here.
//!
//! ```
//! use ctx_layer::{ContextField, http::{ServerLayer, axum::{Field, FieldKey, TenantId}}};
//! use axum::{Router, routing::get};
//!
//! ctx_layer::context_fields! {
//!     /// The shard that holds the tenant's data.
//!     pub static SHARD: u64 = "shard";
//! }
//! pub struct Shard;
//!
//! impl FieldKey for Shard {
//!     type Value = u64;
//!
//!     fn field() -> &'static ContextField<u64> {
//!         &SHARD
//!     }
//! }
//!
//! // Responds 400 with `there is no tenant_id: ...` if no tenant is current.
//! async fn orders(Field(tenant): Field<TenantId>, shard: Option<Field<Shard>>) -> String {
//!     format!("{tenant} in {:?}", shard.map(|Field(shard)| shard))
//! }
//!
//! let app: Router = Router::new().route("/orders", get(orders)).layer(ServerLayer::new());
//! ```

use std::{convert::Infallible, error::Error, fmt};

use ::axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use crate::field::{ContextField, FieldString, FieldType, MASK, Sensitivity, well_known};

/// A type that represents a field.
pub trait FieldKey {
    /// The type of the field's values.
    type Value: FieldType;

    /// Returns the field.
    fn field() -> &'static ContextField<Self::Value>;
}

macro_rules! well_known_keys {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident = $field:path: $type:ty;)*) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $name;

        impl FieldKey for $name {
            type Value = $type;

            fn field() -> &'static ContextField<$type> {
                &$field
            }
        }
    )*};
}

well_known_keys! {
    /// The key of [`REQUEST_ID`](well_known::REQUEST_ID).
    pub struct RequestId = well_known::REQUEST_ID: FieldString;
    /// The key of [`TENANT_ID`](well_known::TENANT_ID).
    pub struct TenantId = well_known::TENANT_ID: FieldString;
    /// The key of [`USER_ID`](well_known::USER_ID).
    pub struct UserId = well_known::USER_ID: FieldString;
    /// The key of [`ROLE`](well_known::ROLE).
    pub struct Role = well_known::ROLE: FieldString;
    /// The key of [`LOCALE`](well_known::LOCALE).
    pub struct Locale = well_known::LOCALE: FieldString;
    /// The key of [`CORRELATION_ID`](well_known::CORRELATION_ID).
    pub struct CorrelationId = well_known::CORRELATION_ID: FieldString;
    /// The key of [`FEATURE_FLAGS`](well_known::FEATURE_FLAGS).
    pub struct FeatureFlags = well_known::FEATURE_FLAGS: FieldString;
}

/// The current value of a field, as an argument of a handler.
///
/// If the field has no value, the response is 400 ([`MissingField`]), and `Option<Field<...>>` is `None`.
///
/// `Debug` shows a sensitive value as `[redacted]`.
pub struct Field<K: FieldKey>(
    /// The value.
    pub K::Value,
);

impl<K: FieldKey, S: Sync> FromRequestParts<S> for Field<K> {
    type Rejection = MissingField;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, MissingField> {
        K::field().get().map(Field).ok_or(MissingField { name: K::field().name() })
    }
}

impl<K: FieldKey, S: Sync> OptionalFromRequestParts<S> for Field<K> {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(K::field().get().map(Field))
    }
}

impl<K: FieldKey> Clone for Field<K> {
    fn clone(&self) -> Self {
        Field(self.0.clone())
    }
}

impl<K: FieldKey<Value: fmt::Debug>> fmt::Debug for Field<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Field");
        match K::field().declaration().policy().sensitivity() {
            Sensitivity::Public => tuple.field(&self.0),
            Sensitivity::Masked | Sensitivity::Hashed => tuple.field(&format_args!("{MASK}")),
        };
        tuple.finish()
    }
}

/// A rejection of a request without a field that the handler needs. The response is 400 and names the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingField {
    name: &'static str,
}

impl MissingField {
    /// Returns the field's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Display for MissingField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no {}: this request needs one", self.name)
    }
}

impl Error for MissingField {}

impl IntoResponse for MissingField {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.to_string()).into_response()
    }
}
