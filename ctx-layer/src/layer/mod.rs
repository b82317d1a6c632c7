//! Copying the fields in force onto spans and events.
//!
//! `tracing` layers can read events but not change them. A [`Subscriber`] that wraps the finished stack can: it gets
//! each span and event before any layer does, and passes on another with more fields. That other one has the same name,
//! target, level, file, line and *call site*, so layers, filters and `Span::record` see no difference but the fields.
//!
//! [`Subscriber`]: tracing_core::Subscriber

mod ambient;
mod core;
mod declared;
pub(crate) mod entered_spans;
mod filled;
mod home;
mod kept;
mod kept_spans;
mod metadata;
mod other_version;
mod output;
#[cfg(feature = "fmt")]
mod own_fields;
mod parent;
#[cfg(feature = "json")]
mod policies;
mod postponed;
#[cfg(feature = "json")]
mod reading;
mod record;
mod recorded;
mod rewrite;
mod sensitive;
mod set_up;
mod shared_targets;
mod shown;
mod spans;
mod subscriber;
mod table;
#[cfg(feature = "http-server")]
mod whole;

use std::borrow::Cow;

use tracing_core::{LevelFilter, Subscriber};

pub(crate) use core::{in_snapshot, is_kept_only};
pub(crate) use home::ids_of;
pub(crate) use sensitive::is_sensitive;
#[cfg(feature = "http-server")]
pub(crate) use whole::{WithRoom, open};
#[cfg(feature = "json")]
pub(crate) use {
    core::is_about_the_context,
    filled::Filled,
    home::Home,
    metadata::original_of,
    parent::{Parentage, elsewhere},
    policies::Policies,
    table::Table,
};

pub use output::ContextOutput;
#[cfg(feature = "fmt")]
pub use own_fields::OwnFields;
pub use record::declare_request;
pub use subscriber::ContextSubscriber;

use self::shared_targets::SharedTargets;
use crate::field::Schema;

/// Puts a schema's fields on spans and events: of a whole stack, or of one output.
///
/// # Over a whole stack
///
/// ```
/// use ctx_layer::{Schema, WithContextExt};
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(ctx_layer::once_per_line(tracing_subscriber::fmt::layer()))
///     .with_context(Schema::well_known());
/// # drop(subscriber);
/// ```
///
/// [`with_context`](WithContextExt::with_context) is short for [`ContextLayer::over`].
#[derive(Clone, Debug)]
pub struct ContextLayer {
    schema: Schema,
    shared: SharedTargets,
    kept: LevelFilter,
}

impl Default for ContextLayer {
    fn default() -> Self {
        Self::new(Schema::default())
    }
}

impl ContextLayer {
    /// A layer that knows the fields of `schema`.
    pub fn new(schema: Schema) -> Self {
        ContextLayer { schema, shared: SharedTargets::default(), kept: LevelFilter::INFO }
    }

    /// Sets up to which level spans carry fields though a filter switches them off. Defaults to `INFO`.
    ///
    /// A filter that lets only warnings through switches off the span of the request, and with it would go what is
    /// [recorded](crate::ContextField::record) on it, and what `work.instrument(span)` carries to another task. So such a
    /// span gets a place in the registry, of which no layer is told: no output shows it, and what is inside of it belongs to
    /// the nearest span that exists. With [`LevelFilter::OFF`] spans carry fields only where they are on.
    ///
    /// A span that is on costs nothing more. One that is switched off costs as much as a span without layers, instead of
    /// next to nothing: some 150 ns.
    ///
    /// Needs a stack with a [`Registry`](tracing_subscriber::Registry). Under another subscriber, and above this level, a
    /// span that is switched off carries nothing; neither does one that `tracing`'s `max_level_*` features compile away.
    ///
    /// ```
    /// use ctx_layer::{ContextLayer, Schema, field::well_known::TENANT_ID};
    /// use tracing_subscriber::{filter::LevelFilter, prelude::*};
    ///
    /// let stack = tracing_subscriber::registry().with(LevelFilter::WARN);
    /// let stack = ContextLayer::new(Schema::well_known()).keep_spans(LevelFilter::DEBUG).over(stack);
    /// tracing::subscriber::with_default(stack, || {
    ///     let _request = tracing::debug_span!("request").entered();
    ///     assert!(TENANT_ID.record("acme"));
    ///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
    /// });
    /// ```
    #[must_use = "this returns a changed layer"]
    pub fn keep_spans(self, level: LevelFilter) -> Self {
        ContextLayer { kept: level, ..self }
    }

    /// Adds targets whose spans carry no fields, because they serve many requests.
    ///
    /// A span belongs to the request in which it was created. That is wrong for the span of a connection, a pool or a
    /// cache, which a library creates once, in whatever request comes first, and enters for all. Such spans remember
    /// nothing and show no registered fields; entering one changes nothing. A target stands for its modules, too:
    /// `"h2"` for `h2::client`.
    ///
    /// Always among them are `h2`, `hyper`, `hyper_util`, `quinn`, `quinn_proto` and `rustls`.
    ///
    /// ```
    /// use ctx_layer::{ContextLayer, Schema, field::well_known::TENANT_ID};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = ContextLayer::new(Schema::well_known()).shared_targets(["my_pool::connection"]);
    /// tracing::subscriber::with_default(layer.over(tracing_subscriber::registry()), || {
    ///     let connect = || tracing::info_span!(target: "my_pool::connection", "connection");
    ///     let connection = TENANT_ID.in_scope("acme", connect);
    ///     assert_eq!(connection.in_scope(|| TENANT_ID.get()), None);
    /// });
    /// ```
    #[must_use = "this returns a changed layer"]
    pub fn shared_targets(self, targets: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        ContextLayer { shared: self.shared.and(targets), ..self }
    }

    /// Wraps a finished stack: the fields stand on every span and every event, in every output, and before filters and
    /// samplers look. It has to be the outermost: layers added over it see spans and events without the fields.
    ///
    /// A span remembers the fields that are current when it is created. Entering it, on whatever thread, makes them current
    /// until it is left, unless it is entered inside the same request: then what is current there stays.
    ///
    /// # Warnings
    ///
    /// Each of these is logged once, at WARN, by the subscriber that it concerns:
    ///
    /// - A layer or a filter was added over it. The warning says where this was called.
    /// - A field was set that no schema has, and that its policy lets on spans or events. Where it was set before the subscriber was
    ///   installed, that is logged with the first span or event.
    /// - A field was set, and no layer of this crate was ever created: once for the whole process.
    /// - The stack has an OpenTelemetry layer of another version of `tracing-opentelemetry` than this crate uses, whose spans
    ///   cannot be seen here (feature `tracing-opentelemetry`). The type of the stack has to show it: a layer that is
    ///   boxed (`.boxed()`), optional, in a `Vec` or in a `reload::Layer` cannot be checked, nor can code that uses another version
    ///   of `opentelemetry` without a layer.
    #[track_caller]
    pub fn over<S: Subscriber>(self, subscriber: S) -> ContextSubscriber<S> {
        if let Some(core) = (&subscriber as &dyn Subscriber).downcast_ref::<core::Core>() {
            filled::adds_to_others();
            core.set_up.wrap();
        }
        ContextSubscriber::new(self.schema, self.shared, self.kept, subscriber)
    }

    /// Wraps one output: the fields stand on what this output sees, and nowhere else.
    ///
    /// Combines with [`over`](Self::over): what stands on spans and events already stays there, and the ambient values of
    /// the fields in this schema are shown as it says. What the code sets itself is never masked or hashed. Spans
    /// remember values only under `over`; without it they are carried by whatever else carries the OpenTelemetry context.
    ///
    /// ```
    /// use ctx_layer::{ContextLayer, Schema, WithContextExt, field::well_known::{SPAN_ID, TRACE_ID}};
    /// use tracing_subscriber::prelude::*;
    ///
    /// // Only the JSON lines carry trace_id and span_id.
    /// let ids = Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build()?;
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(ContextLayer::new(ids).around(tracing_subscriber::fmt::layer().json()))
    ///     .with_context(Schema::well_known());
    /// # drop(subscriber);
    /// # Ok::<(), ctx_layer::field::SchemaError>(())
    /// ```
    pub fn around<L>(self, output: L) -> ContextOutput<L> {
        ContextOutput::new(self.schema, output)
    }
}

/// Wraps an output so that each line shows each registered field once, however deep the spans.
///
/// Most formats, JSON and text alike, show the fields of enclosing spans on every line, and those that flatten spans write a
/// field twice. Under this a registered field is on the event alone: its own value, else the current one, else the one that
/// the innermost span has declared itself. Spans show the fields that are not registered.
///
/// Where another `fmt` output of the same format stands beside it, give one of the two [`OwnFields`].
///
/// The lines that outputs make of a span's life (`with_span_events` of `fmt`, `START` and `END` of `tracing-bunyan-formatter`) are
/// no events, and so show no registered fields under this; without it they do.
///
/// ```
/// use ctx_layer::{Schema, WithContextExt, once_per_line};
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(once_per_line(tracing_subscriber::fmt::layer()))
///     .with(once_per_line(tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)))
///     .with_context(Schema::well_known());
/// # drop(subscriber);
/// ```
#[cfg_attr(not(feature = "fmt"), doc = "\n[`OwnFields`]: crate#features")]
pub fn once_per_line<L>(output: L) -> ContextOutput<L> {
    ContextLayer::new(Schema::empty()).around(output).hide_on_spans()
}

/// Puts a [`ContextLayer`] over a subscriber stack in one line.
///
/// It is there for finished subscribers: what `tracing_subscriber::fmt()` begins is one after `finish()`.
///
/// ```
/// use ctx_layer::{Schema, WithContextExt};
///
/// let subscriber = tracing_subscriber::fmt().json().finish().with_context(Schema::well_known());
/// # drop(subscriber);
/// ```
pub trait WithContextExt: Subscriber + Sized {
    /// Puts the fields of `schema` on every span and every event of this stack. Call it last, right before `.init()`.
    ///
    /// Short for [`ContextLayer::over`], which says more.
    #[track_caller]
    fn with_context(self, schema: Schema) -> ContextSubscriber<Self> {
        ContextLayer::new(schema).over(self)
    }
}

impl<S: Subscriber> WithContextExt for S {}
