//! The layer of lines for people, and its options.

use std::{env, fmt, io, sync::OnceLock, time::SystemTime};

use tracing_subscriber::fmt::MakeWriter;

use super::{
    below::Below,
    colours::{self, Colours},
    readable::Readable,
};
use crate::{
    field::Schema,
    layer::AddressMap,
    output::{
        call_site::CallSite,
        common::Common,
        lost::LostLines,
        naming::{Naming, field_name},
        notation::{Key, Notation},
        spans::Spans,
        terminal,
    },
};

/// Creates a layer that writes lines for people to standard output.
///
/// ```
/// use ctx_layer::{Schema, SubscriberFieldsExt, output::text};
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(text::layer())
///     .with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// ```
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub fn layer() -> TextLayer {
    TextLayer { settings: Settings::default(), common: Common::new(io::stdout), ready: OnceLock::new() }
}

/// A layer that writes lines for people.
///
/// Created by [`layer`]. See [the module](crate::output::text) for what is on a line.
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct TextLayer<W = fn() -> io::Stdout> {
    pub(super) settings: Settings,
    pub(super) common: Common<W>,
    /// Created from the settings with the first line.
    ready: OnceLock<Ready>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) time: bool,
    pub(super) level: bool,
    pub(super) target: bool,
    pub(super) full_target: bool,
    pub(super) file: bool,
    pub(super) line: bool,
    pub(super) thread_name: bool,
    pub(super) thread_id: bool,
    pub(super) spans: bool,
    pub(super) span_fields: bool,
    pub(super) trace_id: bool,
    /// `None` where the writer and the environment decide.
    ansi: Option<bool>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            time: true,
            level: true,
            target: true,
            full_target: false,
            file: false,
            line: false,
            thread_name: false,
            thread_id: false,
            spans: true,
            span_fields: false,
            trace_id: false,
            ansi: None,
        }
    }
}

/// The state that is derived from the settings.
pub(super) struct Ready {
    pub(super) colours: &'static Colours,
    pub(super) naming: &'static Naming,
    pub(super) call_sites: AddressMap<CallSite>,
    pub(super) spans: Spans<Below>,
    pub(super) trace_id: Key,
}

impl<W> TextLayer<W> {
    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.settings;
        change(&mut settings);
        TextLayer { settings, ready: OnceLock::new(), ..self }
    }

    /// Sets where lines are written. Defaults to standard output.
    ///
    /// A writer that blocks blocks the thread that logs. Give a slow one to `tracing_appender::non_blocking`, which loses lines
    /// rather than block, and counts them.
    pub fn with_writer<W2>(self, make_writer: W2) -> TextLayer<W2>
    where
        W2: for<'a> MakeWriter<'a> + 'static,
    {
        TextLayer { settings: self.settings, common: self.common.with_writer(make_writer), ready: OnceLock::new() }
    }

    /// Sets which context fields are shown, and how sensitive ones are. Defaults to the schema of the stack; without one, all
    /// fields are shown by the policies that they were declared with.
    pub fn with_schema(self, schema: Schema) -> Self {
        TextLayer { common: self.common.with_schema(&schema), ..self }
    }

    /// Sets the clock. Defaults to the system's.
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        TextLayer { common: self.common.with_clock(now), ..self }
    }

    /// Sets whether lines have colours. By default the writer and the environment decide, see
    /// [the module](crate::output::text#colours).
    pub fn with_ansi(self, yes: bool) -> Self {
        self.with(|settings| settings.ansi = Some(yes))
    }

    /// Leaves out the time.
    pub fn without_time(self) -> Self {
        self.with(|settings| settings.time = false)
    }

    /// Sets whether the level is shown. Defaults to `true`.
    pub fn with_level(self, yes: bool) -> Self {
        self.with(|settings| settings.level = yes)
    }

    /// Sets whether the target is shown. Defaults to `true`.
    pub fn with_target(self, yes: bool) -> Self {
        self.with(|settings| settings.target = yes)
    }

    /// Sets whether a target of more than two parts is shown whole: `hyper_util::client::legacy::connect` and not
    /// `hyper_util::..::connect`. Defaults to `false`.
    pub fn with_full_target(self, yes: bool) -> Self {
        self.with(|settings| settings.full_target = yes)
    }

    /// Sets whether the file is shown that the event is in. Defaults to `false`.
    pub fn with_file(self, yes: bool) -> Self {
        self.with(|settings| settings.file = yes)
    }

    /// Sets whether the line in that file is shown. Defaults to `false`.
    pub fn with_line_number(self, yes: bool) -> Self {
        self.with(|settings| settings.line = yes)
    }

    /// Sets whether the name of the thread is shown, if it has one. Defaults to `false`.
    pub fn with_thread_names(self, yes: bool) -> Self {
        self.with(|settings| settings.thread_name = yes)
    }

    /// Sets whether the number of the thread is shown. Defaults to `false`.
    pub fn with_thread_ids(self, yes: bool) -> Self {
        self.with(|settings| settings.thread_id = yes)
    }

    /// Sets whether the names of the spans are shown that the event is in. Defaults to `true`. The time that this takes grows with
    /// their number.
    pub fn with_span_list(self, yes: bool) -> Self {
        self.with(|settings| settings.spans = yes)
    }

    /// Sets whether spans are shown with the fields that their code has set, and not with their names alone. Defaults to `false`.
    ///
    /// Registered fields are not among them: they are on the line itself.
    pub fn with_span_fields(self, yes: bool) -> Self {
        self.with(|settings| settings.span_fields = yes)
    }

    /// Sets whether the id of the OpenTelemetry trace is shown, where there is one. Defaults to `false`.
    pub fn with_trace_ids(self, yes: bool) -> Self {
        self.with(|settings| settings.trace_id = yes)
    }

    /// Sets how long a line may become with the lines below it, in bytes. Defaults to 65 536; less than 1024 counts as 1024.
    ///
    /// On a longer one strings are cut and end in `…`, what has no room is left out, and ` truncated=true` is added. Much of what is
    /// cut is never formatted.
    pub fn with_max_line_len(self, len: usize) -> Self {
        TextLayer { common: self.common.with_max_len(len), ..self }
    }

    /// Returns the count of this layer's lines that could not be written.
    pub fn lost_lines(&self) -> LostLines {
        self.common.lost.clone()
    }
}

impl<W> TextLayer<W>
where
    W: for<'a> MakeWriter<'a> + 'static,
{
    #[inline]
    pub(super) fn ready(&self) -> &Ready {
        match self.ready.get() {
            Some(ready) => ready,
            None => self.get_ready(),
        }
    }

    #[cold]
    fn get_ready(&self) -> &Ready {
        let by_default = || terminal::wants_colours(terminal::is_terminal::<W>(), |name| env::var_os(name));
        self.ready.get_or_init(|| {
            let naming = Naming::of::<Readable>(&[], &[], &[]);
            Ready {
                colours: if self.settings.ansi.unwrap_or_else(by_default) { &colours::ANSI } else { &colours::NONE },
                naming,
                call_sites: AddressMap::new(),
                spans: Spans::new(naming, |name: &str| Readable::key(&field_name(&[], &[], name))),
                trace_id: Readable::key("trace_id"),
            }
        })
    }
}

impl<W> fmt::Debug for TextLayer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextLayer")
            .field("settings", &self.settings)
            .field("max_line_len", &self.common.max_len)
            .field("lost", &self.common.lost.count())
            .finish_non_exhaustive()
    }
}
