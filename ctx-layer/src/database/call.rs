//! A call of a database, by
//! <https://github.com/open-telemetry/semantic-conventions/blob/v1.42.0/docs/database/database-spans.md>.

use std::fmt;

use tracing::{Instrument, Level, Span, field::Empty, record_all};

use crate::{attribute::Attribute, error_type::error_type_of, site::Site, span_string};

/// A call of a database: a query of `sqlx`, a command of `redis`, an operation of `mongodb`. It has a span of kind `CLIENT`, which has the
/// current fields like every span.
///
/// ```
/// # async fn get(_: &str) -> Result<u32, std::io::Error> { Ok(7) }
/// # async fn price() -> Result<u32, std::io::Error> {
/// use ctx_layer::database::Call;
///
/// Call::new("redis", "GET").server("127.0.0.1", 6379).run(get("price")).await
/// # }
/// ```
///
/// | property | attribute | default |
/// |---|---|---|
/// | [`collection`](Self::collection): a table, a stream | `db.collection.name` | not recorded |
/// | [`namespace`](Self::namespace): a database, a schema | `db.namespace` | not recorded |
/// | [`query`](Self::query): with placeholders, never with values | `db.query.text` | not recorded |
/// | [`server`](Self::server) | `server.address`, `server.port` | not recorded |
///
/// The span's name is the operation and the collection: `SELECT orders`. If the call fails, its class of error and its status are
/// recorded.
#[derive(Clone, Debug)]
#[must_use = "a call has no span until it runs"]
pub struct Call<'a> {
    system: &'a str,
    operation: &'a str,
    collection: Option<&'a str>,
    namespace: Option<&'a str>,
    query: Option<&'a str>,
    server: Option<(&'a str, u16)>,
}

impl<'a> Call<'a> {
    /// Creates a call of a system, such as `postgresql`, `mariadb`, `sqlite`, `redis` or `mongodb`, and an operation, such as `SELECT`.
    pub const fn new(system: &'a str, operation: &'a str) -> Self {
        Call { system, operation, collection: None, namespace: None, query: None, server: None }
    }

    /// Sets the table, the collection or the stream.
    pub const fn collection(mut self, name: &'a str) -> Self {
        self.collection = Some(name);
        self
    }

    /// Sets the database or the schema.
    pub const fn namespace(mut self, name: &'a str) -> Self {
        self.namespace = Some(name);
        self
    }

    /// Sets the statement. Its values must be placeholders: a statement with values would record personal data. Recorded are its first
    /// 1024 bytes.
    pub const fn query(mut self, statement: &'a str) -> Self {
        self.query = Some(statement);
        self
    }

    /// Sets the host and the port of the server.
    pub const fn server(mut self, address: &'a str, port: u16) -> Self {
        self.server = Some((address, port));
        self
    }

    /// Runs the future of the call within its span, and records its error.
    ///
    /// # Errors
    /// Returns the error of the call.
    pub async fn run<T, E: fmt::Display>(self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let span = self.span();
        let result = call.instrument(span.clone()).await;
        if let Err(error) = &result {
            record_error(&span, error);
        }
        result
    }

    /// Runs a call that blocks within its span, and records its error.
    ///
    /// # Errors
    /// Returns the error of the call.
    pub fn in_scope<T, E: fmt::Display>(self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let span = self.span();
        let result = span.in_scope(call);
        if let Err(error) = &result {
            record_error(&span, error);
        }
        result
    }

    fn span(&self) -> Span {
        const LEVEL: Level = Level::INFO;
        macro_rules! call_span {
            ($($key:literal: $value:expr,)*) => {{
                static SITE: Site = Site::span(&SITE, module_path!(), "call", LEVEL, &[$($key),*]);
                if !SITE.may_be_on(LEVEL) {
                    return Span::none();
                }
                SITE.open(&[$(Attribute::value(&$value)),*])
            }};
        }
        let name = match self.collection.or(self.namespace) {
            Some(target) => format!("{} {target}", self.operation),
            None => self.operation.to_owned(),
        };
        call_span!(
            "otel.name": name.as_str(),
            "otel.kind": "client",
            "db.system.name": self.system,
            "db.operation.name": self.operation,
            "db.collection.name": self.collection,
            "db.namespace": self.namespace,
            "db.query.text": self.query.map(span_string::cut),
            "server.address": self.server.map(|(address, _)| address),
            "server.port": self.server.map(|(_, port)| i64::from(port)),
            "error.type": Empty,
            "otel.status_description": Empty,
        )
    }
}

#[cold]
fn record_error<E: fmt::Display>(span: &Span, error: &E) {
    let description = error.to_string();
    record_all!(
        span,
        error.type = error_type_of::<E>(),
        otel.status_description = span_string::cut(&description)
    );
}
