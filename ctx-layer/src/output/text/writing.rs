//! Writing the line of an event, and the lines below it.

use smallvec::SmallVec;
use tracing_core::{
    Dispatch, Event, Subscriber,
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
    line::Line,
    readable::{has_key, push_title},
    text_layer::{Ready, Settings, TextLayer},
};
use crate::{
    layer::Parentage,
    output::{
        current::{Encoding, SpanIds},
        time,
        values::{Part, Seen, push_hex},
        written::Written,
    },
};

/// The mark of a line that was too long.
const TRUNCATED: &[u8] = b" truncated=true";

impl<W> TextLayer<W> {
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
    fn push_own(line: &mut Line, written: &Written<'_, '_>, seen: Option<&Seen>, below: &mut Below) {
        match written.call_site.message {
            // Elsewhere only where an event is not created by one of `tracing`'s macros.
            Some(1..) => {
                written.push_values(line, Part::Message, seen, below);
                written.push_values(line, Part::Others, seen, below);
            }
            _ => written.push_values(line, Part::All, seen, below),
        }
    }

    /// Writes the line of an event, and those below it.
    #[inline]
    fn push_lines<S>(&self, line: &mut Line, ready: &Ready, written: &Written<'_, '_>, span: Option<&SpanRef<'_, S>>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut below = Below::new(ready.colours, self.common.max_len);
        self.push_head(line, ready, written, span);
        let seen = if written.call_site.may_conflict(ready.naming) { Some(written.look()) } else { None };
        Self::push_own(line, written, seen.as_ref(), &mut below);
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
        let seen = written.look();
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
            written.push_values(line, Part::Message, Some(&seen), &mut below);
            line.set_end(end);
            written.push_values(line, Part::Others, Some(&seen), &mut below);
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
        let written = Written::new(event, call_site);
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
