//! The layer of JSON lines, and its options.

use std::{borrow::Cow, fmt, io, sync::OnceLock, time::SystemTime};

use tracing_subscriber::fmt::MakeWriter;

use super::{
    format::Format,
    layout::{Layout, Wanted},
    object::Object,
};
use crate::{
    field::Schema,
    layer::AddressMap,
    output::{call_site::CallSite, common::Common, lost::LostLines, spans::Spans},
};

/// Creates a layer that writes one JSON object per line to standard output, in the format [`Format::plain`].
///
/// ```
/// use ctx_layer::{Schema, SubscriberFieldsExt, output::json};
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(json::layer())
///     .with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// ```
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub fn layer() -> JsonLayer {
    JsonLayer {
        settings: Settings {
            format: Format::plain(),
            wanted: Wanted::default(),
            constants: Vec::new(),
            has_span_fields: false,
        },
        common: Common::new(io::stdout),
        ready: OnceLock::new(),
    }
}

/// A layer that writes one JSON object per line.
///
/// Created by [`layer`]. See [the module](crate::output::json) for what is on a line.
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct JsonLayer<W = fn() -> io::Stdout> {
    pub(super) settings: Settings,
    pub(super) common: Common<W>,
    /// Created from the settings with the first line.
    ready: OnceLock<Ready>,
}

#[derive(Clone)]
pub(super) struct Settings {
    format: Format,
    pub(super) wanted: Wanted,
    constants: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(super) has_span_fields: bool,
}

/// The state that is derived from the settings.
pub(super) struct Ready {
    pub(super) layout: Layout,
    pub(super) call_sites: AddressMap<CallSite>,
    pub(super) spans: Spans<Object<'static>>,
}

impl<W> JsonLayer<W> {
    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.settings;
        change(&mut settings);
        JsonLayer { settings, ready: OnceLock::new(), ..self }
    }

    /// Sets where lines are written. Defaults to standard output.
    ///
    /// A writer that blocks blocks the thread that logs. Give a slow one to `tracing_appender::non_blocking`, which loses lines
    /// rather than block, and counts them.
    pub fn with_writer<W2>(self, make_writer: W2) -> JsonLayer<W2>
    where
        W2: for<'a> MakeWriter<'a> + 'static,
    {
        JsonLayer { settings: self.settings, common: self.common.with_writer(make_writer), ready: OnceLock::new() }
    }

    /// Sets names and nesting. Defaults to [`Format::plain`].
    pub fn with_format(self, format: Format) -> Self {
        self.with(|settings| settings.format = format)
    }

    /// Sets which context fields are shown, and how sensitive ones are. Defaults to the schema of the stack; without one, all
    /// fields are shown by the policies that they were declared with.
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt, output::json};
    /// use tracing_subscriber::prelude::*;
    ///
    /// ctx_layer::context_fields! {
    ///     /// The customer's address.
    ///     pub static EMAIL: String = "customer.email" => masked;
    /// }
    ///
    /// let audited = Schema::builder().field_with(&EMAIL, |policy| policy.reveal()).build()?;
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(json::layer()) // Shows `[redacted]`.
    ///     .with(json::layer().with_writer(std::io::stderr).with_schema(audited))
    ///     .with_context_fields(Schema::builder().field(&EMAIL).build()?);
    /// # drop(subscriber);
    /// # Ok::<(), ctx_layer::field::SchemaError>(())
    /// ```
    pub fn with_schema(self, schema: Schema) -> Self {
        JsonLayer { common: self.common.with_schema(&schema), ..self }
    }

    /// Adds a field that is on every line, such as `service.name`.
    pub fn with_constant(self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.constants.push((name.into(), value.into())))
    }

    /// Sets the clock. Defaults to the system's.
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        JsonLayer { common: self.common.with_clock(now), ..self }
    }

    /// Leaves out the time, where the collector adds it.
    pub fn without_time(self) -> Self {
        self.with(|settings| settings.wanted.timestamp = false)
    }

    /// Sets whether the level is shown. Defaults to `true`.
    pub fn with_level(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.level = yes)
    }

    /// Sets whether the target is shown. Defaults to `true`.
    pub fn with_target(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.target = yes)
    }

    /// Sets whether the file is shown that the event is in. Defaults to `false`.
    pub fn with_file(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.file = yes)
    }

    /// Sets whether the line in that file is shown. Defaults to `false`.
    pub fn with_line_number(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.line = yes)
    }

    /// Sets whether the name of the thread is shown, if it has one. Defaults to `false`.
    pub fn with_thread_names(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.thread_name = yes)
    }

    /// Sets whether the number of the thread is shown. Defaults to `false`.
    pub fn with_thread_ids(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.thread_id = yes)
    }

    /// Sets whether the span is shown that the event is in. Defaults to `true`.
    pub fn with_current_span(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.span = yes)
    }

    /// Sets whether spans are shown with the fields that their code has set, and not with their name alone. Defaults to `false`.
    ///
    /// Registered fields are not among them: they are on the line itself.
    pub fn with_span_fields(self, yes: bool) -> Self {
        self.with(|settings| settings.has_span_fields = yes)
    }

    /// Sets whether all spans are listed that the event is in. Defaults to `false`. The time that this takes grows with their
    /// number.
    pub fn with_span_list(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.spans = yes)
    }

    /// Sets whether the ids of the OpenTelemetry span are shown, where there is one. Defaults to `true`.
    pub fn with_trace_ids(self, yes: bool) -> Self {
        self.with(|settings| settings.wanted.ids = yes)
    }

    /// Sets how long a line may become, in bytes and with its end. Defaults to 65 536; less than 1024 counts as 1024.
    ///
    /// On a longer one strings are cut and end in `…`, what has no room is left out, and `"truncated":true` is added. Much of
    /// what is cut is never formatted.
    pub fn with_max_line_len(self, len: usize) -> Self {
        JsonLayer { common: self.common.with_max_len(len), ..self }
    }

    /// Returns the count of this layer's lines that could not be written.
    pub fn lost_lines(&self) -> LostLines {
        self.common.lost.clone()
    }

    #[inline]
    pub(super) fn ready(&self) -> &Ready {
        match self.ready.get() {
            Some(ready) => ready,
            None => self.get_ready(),
        }
    }

    #[cold]
    fn get_ready(&self) -> &Ready {
        let Settings { format, wanted, constants, .. } = &self.settings;
        self.ready.get_or_init(|| {
            let layout = Layout::new(format.clone(), *wanted, constants);
            let spans = Spans::new(layout.naming, layout.keys_within_span());
            Ready { layout, call_sites: AddressMap::new(), spans }
        })
    }
}

impl<W> fmt::Debug for JsonLayer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { format, wanted, constants, has_span_fields } = &self.settings;
        f.debug_struct("JsonLayer")
            .field("format", format)
            .field("shown", wanted)
            .field("constants", constants)
            .field("span_fields", has_span_fields)
            .field("max_line_len", &self.common.max_len)
            .field("lost", &self.common.lost.count())
            .finish_non_exhaustive()
    }
}
