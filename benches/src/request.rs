//! The fields of a request that every benchmark adds to its spans and events.

use std::sync::LazyLock;

use ctx_layer::{
    Fields, Schema,
    field::{
        ContextField, Policy,
        well_known::{LOCALE, REQUEST_ID, ROLE, TENANT_ID, USER_ID},
    },
};

/// Five strings, as a handler that passes them on by hand would hold them.
#[derive(Clone, Debug)]
pub struct Request {
    /// The value of `tenant_id`.
    pub tenant: String,
    /// The value of `user_id`.
    pub user: String,
    /// The value of `request_id`.
    pub id: String,
    /// The value of `role`.
    pub role: String,
    /// The value of `locale`.
    pub locale: String,
}

/// The one request of all benchmarks. Arms pass it through `black_box`, so that its strings are no constants.
pub static REQUEST: LazyLock<Request> = LazyLock::new(|| Request {
    tenant: "acme-industries".to_owned(),
    user: "u-81723".to_owned(),
    id: "0191d8a4-77f2-7c3e-9a55-0f1c2b3d4e5f".to_owned(),
    role: "dispatcher".to_owned(),
    locale: "nl-NL".to_owned(),
});

/// Returns these five as context fields.
pub fn fields() -> Fields {
    let request = &*REQUEST;
    Fields::new()
        .with(&TENANT_ID, request.tenant.as_str())
        .with(&USER_ID, request.user.as_str())
        .with(&REQUEST_ID, request.id.as_str())
        .with(&ROLE, request.role.as_str())
        .with(&LOCALE, request.locale.as_str())
}

/// Creates a schema of exactly these five.
pub fn schema() -> Schema {
    let schema = Schema::builder();
    let schema = schema.field(&TENANT_ID).field(&USER_ID).field(&REQUEST_ID).field(&ROLE).field(&LOCALE);
    schema.build().expect("five fields of different names")
}

/// Creates `count` strings under different names, with their schema.
pub fn many(count: usize) -> (Fields, Schema) {
    let keys = (0..count).map(|i| {
        ContextField::<String>::declare(&format!("field_{i:02}"), Policy::new()).expect("a legal name, declared alike")
    });
    let mut fields = Fields::new();
    let mut schema = Schema::builder();
    for key in keys {
        fields = fields.with(key, REQUEST.user.as_str());
        schema = schema.field(key);
    }
    (fields, schema.build().expect("different names"))
}

/// Logs (or opens a span) with the five fields of a [`Request`] written by hand.
#[macro_export]
macro_rules! by_hand {
    ($macro:ident, $request:expr, $($rest:tt)*) => {
        tracing::$macro!(
            tenant_id = $request.tenant.as_str(),
            user_id = $request.user.as_str(),
            request_id = $request.id.as_str(),
            role = $request.role.as_str(),
            locale = $request.locale.as_str(),
            $($rest)*
        )
    };
}

/// Opens a span with the five fields of a [`Request`] written by hand.
#[macro_export]
macro_rules! span_by_hand {
    ($request:expr, $name:literal) => {
        tracing::info_span!(
            $name,
            tenant_id = $request.tenant.as_str(),
            user_id = $request.user.as_str(),
            request_id = $request.id.as_str(),
            role = $request.role.as_str(),
            locale = $request.locale.as_str(),
        )
    };
}
