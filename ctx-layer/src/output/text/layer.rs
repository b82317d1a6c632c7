//! The layer that writes lines.

use std::{env, fmt, io, sync::OnceLock, thread, time::SystemTime};

use smallvec::SmallVec;
use tracing_core::{
    Dispatch, Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::MakeWriter,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    below::Below,
    colours::{self, Colours},
    line::Line,
    readable::{Readable, has_key, push_title},
};
use crate::{
    context::is_gone,
    field::Schema,
    layer::{AddressMap, Filled, Parentage},
    output::{
        call_site::{CallSite, OwnField, is_log},
        common::{Common, LogSource, thread_number},
        current::{Encoding, SpanIds},
        lost::LostLines,
        naming::{Naming, field_name},
        notation::{Key, Notation},
        spans::Spans,
        terminal, time,
        values::{Look, Part, Seen, Values, push_hex},
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
    settings: Settings,
    common: Common<W>,
    /// Created from the settings with the first line.
    ready: OnceLock<Ready>,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    time: bool,
    level: bool,
    target: bool,
    full_target: bool,
    file: bool,
    line: bool,
    thread_name: bool,
    thread_id: bool,
    spans: bool,
    span_fields: bool,
    trace_id: bool,
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
struct Ready {
    colours: &'static Colours,
    naming: &'static Naming,
    call_sites: AddressMap<CallSite>,
    spans: Spans<Below>,
    trace_id: Key,
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

    /// Creates the constant parts of a call site's lines.
    fn call_site(&self, metadata: &'static Metadata<'static>, colours: &Colours) -> CallSite {
        let names = || metadata.fields().iter().map(|field| field.name());
        let is_log = is_log(metadata);
        let message = names().position(|name| name == "message");
        let keys: Vec<Option<Key>> = names()
            .enumerate()
            .map(|(at, name)| match name {
                _ if Some(at) == message => Some(Box::from(*b" ")),
                name if is_log && name.starts_with("log.") => None,
                name => Some(Readable::key(&field_name(&[], &[], name))),
            })
            .collect();
        let has_conflict = keys.iter().enumerate().any(|(at, key)| key.is_some() && keys[at + 1..].contains(key));
        let fields = keys.into_iter().map(|key| OwnField::new(key, None)).collect();
        let mut head = Vec::new();
        if !is_log {
            self.push_place(&mut head, colours, metadata.target(), metadata.file(), metadata.line());
        }
        CallSite::of_event(metadata, head, Vec::new(), fields, has_conflict)
    }

    /// Appends target, file and line.
    fn push_place(&self, bytes: &mut Vec<u8>, colours: &Colours, target: &str, file: Option<&str>, line: Option<u32>) {
        let Settings { target: has_target, full_target, file: has_file, line: has_line, .. } = self.settings;
        let file = file.filter(|_| has_file);
        let line = line.filter(|_| has_line);
        if !has_target && file.is_none() && line.is_none() {
            return;
        }
        bytes.push(b' ');
        bytes.extend_from_slice(colours.dim.as_bytes());
        if has_target {
            match shortened(target).filter(|_| !full_target) {
                Some((first, last)) => {
                    push_title(bytes, first);
                    bytes.extend_from_slice(b"::..::");
                    push_title(bytes, last);
                }
                None => push_title(bytes, target),
            }
            if file.is_some() || line.is_some() {
                bytes.push(b' ');
            }
        }
        if let Some(file) = file {
            push_title(bytes, file);
        }
        if let Some(line) = line {
            bytes.push(b':');
            bytes.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
        bytes.extend_from_slice(colours.reset.as_bytes());
    }

    /// Appends time and level, then whatever says where the event is, and a colon.
    #[inline]
    fn push_head<S>(&self, line: &mut Line, ready: &Ready, written: &Written<'_, '_>, span: Option<&SpanRef<'_, S>>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let (Settings { time, level, spans, .. }, colours) = (self.settings, ready.colours);
        if time {
            line.push_byte(b' ');
            line.push(colours.dim.as_bytes());
            time::push_rfc3339(line.raw(), self.common.now());
            line.push(colours.reset.as_bytes());
        }
        if level {
            line.push_byte(b' ');
            let (colour, name) = colours.of(*written.event.metadata().level());
            for part in [colour, name, colours.reset] {
                line.push(part.as_bytes());
            }
        }
        let start = line.len();
        line.push(&written.call_site.head);
        if written.call_site.is_log {
            self.push_place_of_log(line, colours, written.event);
        }
        if self.settings.thread_name || self.settings.thread_id {
            self.push_thread(line);
        }
        if let Some(span) = span.filter(|_| spans) {
            self.push_spans(line, ready, span);
        }
        if line.len() > start {
            line.push_byte(b':');
        }
        line.end_member(start);
    }

    #[cold]
    fn push_place_of_log(&self, line: &mut Line, colours: &Colours, event: &Event<'_>) {
        let source = LogSource::of(event);
        let target = source.target.as_deref().unwrap_or(event.metadata().target());
        self.push_place(line.raw(), colours, target, source.file.as_deref(), source.line);
    }

    #[cold]
    fn push_thread(&self, line: &mut Line) {
        // While the thread is being torn down it has no name.
        if is_gone() {
            return;
        }
        let current = thread::current();
        let name = current.name().filter(|_| self.settings.thread_name);
        if name.is_none() && !self.settings.thread_id {
            return;
        }
        line.push(b" [");
        if let Some(name) = name {
            push_title(line.raw(), name);
        }
        if self.settings.thread_id {
            line.push(if name.is_some() { b" " } else { b"" });
            line.push(itoa::Buffer::new().format(thread_number()).as_bytes());
        }
        line.push_byte(b']');
    }

    /// Appends the names of the spans, the outermost first.
    fn push_spans<S>(&self, line: &mut Line, ready: &Ready, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let colours = ready.colours;
        line.push_byte(b' ');
        line.push(colours.bold.as_bytes());
        if self.settings.span_fields {
            self.push_spans_with_fields(line, ready, span);
        } else {
            let names: SmallVec<[&'static str; 16]> = span.scope().map(|span| span.name()).collect();
            for (at, name) in names.iter().rev().enumerate() {
                if at > 0 {
                    line.push_byte(b':');
                }
                push_title(line.raw(), name);
            }
        }
        line.push(colours.reset.as_bytes());
    }

    #[cold]
    fn push_spans_with_fields<S>(&self, line: &mut Line, ready: &Ready, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        for (at, span) in span.scope().from_root().enumerate() {
            let start = line.len();
            if at > 0 {
                line.push_byte(b':');
            }
            push_title(line.raw(), span.name());
            let name_end = line.len();
            ready.spans.push_members(line, &span);
            if line.len() > name_end {
                // In place of the blank before the first.
                line.open_at(name_end);
                line.push_byte(b'}');
            }
            line.end_member(start);
        }
    }

    /// Appends the fields that are not the event's own.
    #[inline]
    fn push_context<S>(
        &self,
        line: &mut Line,
        ready: &Ready,
        written: &Written<'_, '_>,
        seen: Option<&Seen>,
        span: Option<&SpanRef<'_, S>>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let Ready { colours, naming, spans, .. } = ready;
        let call_site = written.call_site;
        let policies = self.common.policies();
        let parent = Parentage::of_event(written.event);
        let before = line.len();
        line.push(colours.dim.as_bytes());
        let start = line.len();
        let mut ids = None;
        if !call_site.is_about_the_context {
            let encoding = Encoding::of(policies, naming, call_site);
            ids = encoding.push_current(line, call_site, seen, parent, || written.look());
        }
        if let Some(span) = span
            && spans.is_any_declared()
        {
            let seen = written.look();
            spans.push_declared(line, span, policies, |line, key| {
                seen.has_key(call_site, key) || has_key(line.get(start..).unwrap_or_default(), key)
            });
        }
        if self.settings.trace_id
            && let Some(ids) = self.common.ids(ids, parent, span.is_none())
        {
            Self::push_trace_id(line, ready, written, start, ids);
        }
        if line.len() == start {
            line.truncate(before);
        } else {
            line.push(colours.reset.as_bytes());
        }
    }

    #[inline(never)]
    fn push_trace_id(line: &mut Line, ready: &Ready, written: &Written<'_, '_>, start: usize, ids: SpanIds) {
        let key = &ready.trace_id;
        if written.look().has_key(written.call_site, key) || has_key(line.bytes().get(start..).unwrap_or_default(), key)
        {
            return;
        }
        let start = line.len();
        line.push(key);
        push_hex(line.raw(), &ids.trace_id.to_bytes());
        line.end_member(start);
    }

    /// Appends the message and the event's own fields.
    #[inline]
    fn push_own(line: &mut Line, written: &Written<'_, '_>, mut seen: Option<&mut Seen>, below: &mut Below) {
        match written.call_site.message {
            // Elsewhere only where an event is not created by one of `tracing`'s macros.
            Some(1..) => {
                written.push_values(line, Part::Message, seen.as_deref_mut(), below);
                written.push_values(line, Part::Others, seen, below);
            }
            _ => written.push_values(line, Part::All, seen, below),
        }
    }
}

/// An event that is written, and what is known of it.
struct Written<'a, 'e> {
    event: &'a Event<'e>,
    call_site: &'a CallSite,
    filled: Filled,
}

impl Written<'_, '_> {
    /// Returns which of the event's own fields have a value.
    fn look(&self) -> Seen {
        let mut seen = Seen::default();
        self.event.record(&mut Look { seen: &mut seen, call_site: self.call_site, filled: self.filled });
        seen
    }

    #[inline]
    fn push_values(&self, line: &mut Line, part: Part, seen: Option<&mut Seen>, below: &mut Below) {
        let Written { event, call_site, filled } = *self;
        event.record(&mut Values { line, call_site, filled, part, seen, place: below });
    }
}

/// Returns the first and the last of a target's parts, if it has more than two.
fn shortened(target: &str) -> Option<(&str, &str)> {
    let (first, rest) = target.split_once("::")?;
    let (_, last) = rest.rsplit_once("::")?;
    Some((first, last))
}

/// The mark of a line that was too long.
const TRUNCATED: &[u8] = b" truncated=true";

impl<W> TextLayer<W>
where
    W: for<'a> MakeWriter<'a> + 'static,
{
    #[inline]
    fn ready(&self) -> &Ready {
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

    /// Writes the line of an event, and those below it.
    #[inline]
    fn push_lines<S>(&self, line: &mut Line, ready: &Ready, written: &Written<'_, '_>, span: Option<&SpanRef<'_, S>>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut below = Below::new(ready.colours, self.common.max_len);
        self.push_head(line, ready, written, span);
        let mut seen = if written.call_site.may_conflict(ready.naming) { Some(written.look()) } else { None };
        Self::push_own(line, written, seen.as_mut(), &mut below);
        self.push_context(line, ready, written, seen.as_ref(), span);
        if line.is_cut() || below.is_cut() {
            self.push_cut_lines(line, ready, written, span);
        } else if !below.bytes().is_empty() {
            line.push(below.bytes());
            if line.is_cut() {
                self.push_cut_lines(line, ready, written, span);
            }
        }
    }

    /// Writes lines that do not fit: what is long is cut, and what has no room left out.
    #[cold]
    #[inline(never)]
    fn push_cut_lines<S>(
        &self,
        line: &mut Line,
        ready: &Ready,
        written: &Written<'_, '_>,
        span: Option<&SpanRef<'_, S>>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let (max_len, colours) = (self.common.max_len, ready.colours);
        let mut seen = written.look();
        // What is not the event's own first: it has a right to a part of the line.
        let mut context = Line::tight(max_len / 4);
        self.push_context(&mut context, ready, written, Some(&seen), span);
        let mut head = Line::tight(max_len / 4);
        self.push_head(&mut head, ready, written, span);
        let reserved = context.len() + colours.dim.len() + TRUNCATED.len() + colours.reset.len() + 1;
        let mut below_len = 0;
        // The lines below get what they need, up to a half; how much that is shows the first round.
        for _ in 0..2 {
            *line = Line::tight(max_len);
            line.push(head.bytes());
            let mut below = Below::tight(colours, max_len / 2);
            let end = max_len.saturating_sub(reserved + below_len);
            let room = end.saturating_sub(line.len());
            // The message leaves something to the other fields.
            let has_others = written.call_site.fields.len() > usize::from(written.call_site.message.is_some());
            line.set_end(if has_others { line.len() + room / 4 * 3 } else { end });
            written.push_values(line, Part::Message, Some(&mut seen), &mut below);
            line.set_end(end);
            written.push_values(line, Part::Others, Some(&mut seen), &mut below);
            line.push(context.bytes());
            for part in [colours.dim.as_bytes(), TRUNCATED, colours.reset.as_bytes()] {
                line.push(part);
            }
            line.set_end(max_len);
            if line.len() + below.bytes().len() < max_len {
                line.push(below.bytes());
                return;
            }
            below_len = below.bytes().len();
        }
    }
}

impl<S, W> Layer<S> for TextLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.common.registered(subscriber);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let spans = &self.ready().spans;
        spans.created(attributes, id, &ctx, self.settings.span_fields, self.common.max_len / 4);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let spans = &self.ready().spans;
        spans.recorded(values, id, &ctx, self.settings.span_fields, self.common.max_len / 4);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let ready = self.ready();
        let metadata = event.metadata();
        let call_site = ready.call_sites.get_or_insert_with(metadata, || self.call_site(metadata, ready.colours));
        let written = Written { event, call_site, filled: Filled::before(event) };
        let Settings { spans, trace_id, .. } = self.settings;
        let has_span = spans || trace_id || ready.spans.is_any_declared();
        let span = if has_span { ctx.event_span(event) } else { None };
        let mut line = Line::new(self.common.max_len - 1);
        self.push_lines(&mut line, ready, &written, span.as_ref());
        line.push_byte(b'\n');
        // Whatever is first has a blank before it.
        let line = line.bytes();
        self.common.write(line.strip_prefix(b" ").unwrap_or(line), metadata);
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
