//! Writing the line of an event.

use std::thread;

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
    call_site::{in_group, of_event, push_source, push_target},
    escape,
    format::{Group, Member, Times},
    ids::push_id,
    json_layer::{JsonLayer, Ready, Settings},
    last_span::name_of_current,
    layout::{Layout, Wanted},
    line::Line,
    object::Object,
};
use crate::{
    context::is_gone,
    layer::Parentage,
    output::{
        call_site::CallSite,
        common::{LogSource, thread_number},
        current::{Encoding, SpanIds},
        time,
        values::{Part, Seen},
        written::Written,
    },
};

/// The span that an event is in.
enum Within<'a, S: LookupSpan<'a>> {
    Nothing,
    /// No more is asked of it.
    Named(&'static str),
    Span(SpanRef<'a, S>),
}

impl<'a, S: LookupSpan<'a>> Within<'a, S> {
    #[inline]
    fn name(&self) -> Option<&'static str> {
        match self {
            Within::Nothing => None,
            Within::Named(name) => Some(name),
            Within::Span(span) => Some(span.name()),
        }
    }

    #[inline]
    fn span(&self) -> Option<&SpanRef<'a, S>> {
        if let Within::Span(span) = self { Some(span) } else { None }
    }
}

impl<W> JsonLayer<W> {
    /// Writes the part before the message.
    #[inline]
    fn push_head(&self, line: &mut Line, layout: &Layout, written: &Written<'_, '_>) {
        if let Some(key) = &layout.timestamp {
            line.push(key);
            let now = self.common.now();
            match layout.times() {
                Times::Rfc3339 => time::push_rfc3339(line.raw(), now),
                Times::UnixNanos => time::push_unix_nanos(line.raw(), now),
            }
        }
        line.push(&written.call_site.head);
        if written.call_site.is_log {
            self.push_log_source(line, layout, written.event);
        }
    }

    /// Writes the part of a record of the `log` crate.
    #[cold]
    fn push_log_source(&self, line: &mut Line, layout: &Layout, event: &Event<'_>) {
        if let Some(target) = LogSource::of(event).target {
            let start = line.len();
            push_target(line.raw(), layout, &target);
            line.end_member(start);
        }
    }

    /// The event's own fields.
    #[inline]
    fn push_own(line: &mut Line, written: &Written<'_, '_>, seen: Option<&Seen>, fields: &mut Object<'_>) {
        match written.call_site.message {
            // Elsewhere only where an event is not created by one of `tracing`'s macros.
            Some(1..) => Self::push_message_first(line, written, seen, fields),
            _ => written.push_values(line, Part::All, seen, fields),
        }
    }

    #[cold]
    fn push_message_first(line: &mut Line, written: &Written<'_, '_>, seen: Option<&Seen>, fields: &mut Object<'_>) {
        written.push_values(line, Part::Message, seen, fields);
        written.push_values(line, Part::Others, seen, fields);
    }

    /// Span, source and thread.
    #[inline]
    fn push_surroundings<S>(&self, line: &mut Line, ready: &Ready, written: &Written<'_, '_>, span: &Within<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let layout = &ready.layout;
        if let (Some(name), Some(key)) = (span.name(), layout.key(Member::Span)) {
            let start = line.len();
            line.push(key);
            self.push_span(line, ready, name, span.span());
            line.end_member(start);
        }
        if let (Some(span), Some(key)) = (span.span(), layout.key(Member::Spans)) {
            self.push_spans(line, ready, key, span);
        }
        line.push_whole(&written.call_site.source);
        if written.call_site.is_log
            || layout.key(Member::ThreadName).is_some()
            || layout.key(Member::ThreadId).is_some()
        {
            Self::push_more_surroundings(line, layout, written);
        }
    }

    #[inline]
    fn push_span<S>(&self, line: &mut Line, ready: &Ready, name: &str, span: Option<&SpanRef<'_, S>>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        line.push(b"{\"name\":\"");
        escape::push(line.raw(), name);
        line.push_byte(b'"');
        if let Some(span) = span.filter(|_| self.settings.has_span_fields) {
            ready.spans.push_members(line, span);
        }
        line.push_byte(b'}');
    }

    #[cold]
    fn push_spans<S: for<'a> LookupSpan<'a>>(&self, line: &mut Line, ready: &Ready, key: &[u8], span: &SpanRef<'_, S>) {
        let start = line.len();
        line.push(key);
        line.push_byte(b'[');
        let first = line.len();
        for span in span.scope().from_root() {
            let before = line.len();
            if before > first {
                line.push_byte(b',');
            }
            self.push_span(line, ready, span.name(), Some(&span));
            line.end_member(before);
        }
        line.push_byte(b']');
        line.end_member(start);
    }

    /// The thread, and the source of a record of the `log` crate.
    #[cold]
    fn push_more_surroundings(line: &mut Line, layout: &Layout, written: &Written<'_, '_>) {
        let start = line.len();
        if written.call_site.is_log {
            let source = LogSource::of(written.event);
            push_source(line.raw(), layout, source.file.as_deref(), source.line);
        }
        // While the thread is being torn down it has no name.
        if !is_gone() {
            in_group(line.raw(), layout, Group::Thread, |bytes| {
                if let Some(key) = layout.key(Member::ThreadName)
                    && let Some(name) = thread::current().name()
                {
                    bytes.extend_from_slice(key);
                    escape::push_string(bytes, name);
                }
                if let Some(key) = layout.key(Member::ThreadId) {
                    bytes.extend_from_slice(key);
                    bytes.extend_from_slice(itoa::Buffer::new().format(thread_number()).as_bytes());
                }
            });
        }
        line.end_member(start);
    }

    #[inline(never)]
    fn push_ids(line: &mut Line, layout: &Layout, ids: SpanIds, call_site: &CallSite, seen: Option<&Seen>) {
        let is_free = |member: Member| {
            let key = layout.key(member)?;
            let is_taken = seen
                .is_some_and(|seen| layout.keys_of_ids.iter().any(|id| **id == *key) && seen.has_key(call_site, key));
            (!is_taken).then_some(key)
        };
        let start = line.len();
        in_group(line.raw(), layout, Group::Ids, |bytes| {
            for member in [Member::TraceId, Member::SpanId, Member::TraceFlags] {
                if let Some(key) = is_free(member) {
                    bytes.extend_from_slice(key);
                    push_id(bytes, layout.ids(), member, ids);
                }
            }
        });
        line.end_member(start);
    }

    #[inline]
    fn push_constants(line: &mut Line, layout: &Layout, call_site: &CallSite, seen: Option<&Seen>) {
        if layout.constants.is_empty() {
            return;
        }
        let is_taken = |key: &[u8]| {
            seen.is_some_and(|seen| layout.nest(Group::Constants).is_none() && seen.has_key(call_site, key))
        };
        let mut object = Object::new(layout.nest(Group::Constants));
        object.open(line);
        if seen.is_none() && !line.is_tight() {
            line.push(&layout.constant_bytes);
        } else {
            for (key, value) in &layout.constants {
                if !is_taken(key) {
                    let start = line.len();
                    line.push(key);
                    line.push(value);
                    line.end_member(start);
                }
            }
        }
        object.close(line);
    }

    /// Writes a line without its end, as if all fitted.
    #[inline]
    fn push_line<S>(&self, line: &mut Line, ready: &Ready, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Ready { layout, call_sites, spans, .. } = ready;
        let metadata = event.metadata();
        let call_site = call_sites.get_or_insert_with(metadata, || of_event(metadata, layout));
        let written = Written::new(event, call_site);
        self.push_head(line, layout, &written);
        let seen = if call_site.may_conflict(layout.naming) { Some(written.look()) } else { None };
        let mut fields = Object::new(layout.nest(Group::Fields));
        let start = line.len();
        Self::push_own(line, &written, seen.as_ref(), &mut fields);
        let policies = self.common.policies();
        let parent = Parentage::of_event(event);
        let mut ids = None;
        if !call_site.is_about_the_context {
            fields.open(line);
            let encoding = Encoding::of(policies, layout.naming, call_site);
            ids = encoding.push_current(line, call_site, seen.as_ref(), parent, || written.look());
        }
        let span = self.span_of(ready, event, ctx);
        if let Some(span) = span.span()
            && spans.is_any_declared()
        {
            fields.open(line);
            spans.push_declared(line, span, policies, |line, key| has_key(line.get(start..).unwrap_or_default(), key));
        }
        if layout.has_members_in_fields() {
            fields.open(line);
            self.push_surroundings(line, ready, &written, &span);
            fields.close(line);
        } else {
            fields.close(line);
            self.push_surroundings(line, ready, &written, &span);
        }
        if let Some(ids) = self.ids(ids, parent, span.name().is_some()) {
            Self::push_ids(line, layout, ids, call_site, seen.as_ref());
        }
        Self::push_constants(line, layout, call_site, seen.as_ref());
    }

    /// The span that an event is in, if anything is asked of it.
    #[inline]
    fn span_of<'a, S>(&self, ready: &Ready, event: &Event<'_>, ctx: &'a Context<'_, S>) -> Within<'a, S>
    where
        S: Subscriber + for<'l> LookupSpan<'l>,
    {
        let Settings { wanted, has_span_fields, .. } = &self.settings;
        if wanted.spans || *has_span_fields || ready.spans.is_any_declared() {
            return ctx.event_span(event).map_or(Within::Nothing, Within::Span);
        }
        if !wanted.span {
            return Within::Nothing;
        }
        if !event.is_contextual() {
            return ctx.event_span(event).map_or(Within::Nothing, |span| Within::Named(span.name()));
        }
        let name = name_of_current(ready.spans.id, &ctx.current_span(), || ctx.lookup_current());
        name.map_or(Within::Nothing, Within::Named)
    }

    #[inline]
    fn ids(&self, active: Option<SpanIds>, parent: Parentage<'_>, is_in_span: bool) -> Option<SpanIds> {
        let Wanted { ids, span, .. } = self.settings.wanted;
        if ids { self.common.ids(active, parent, span && !is_in_span) } else { None }
    }

    /// Writes a line that does not fit: what is long is cut, and what has no room left out.
    #[cold]
    #[inline(never)]
    fn push_cut_line<S>(&self, line: &mut Line, ready: &Ready, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Ready { layout, call_sites, spans, .. } = ready;
        let metadata = event.metadata();
        let call_site = call_sites.get_or_insert_with(metadata, || of_event(metadata, layout));
        let written = Written::new(event, call_site);
        let max_len = self.common.max_len;
        let parent = Parentage::of_event(event);
        let seen = written.look();
        // What is not the event's own first: it has a right to a part of the line.
        let mut context = Line::tight(max_len / 4);
        let policies = self.common.policies();
        let mut ids = None;
        if !call_site.is_about_the_context {
            let encoding = Encoding::of(policies, layout.naming, call_site);
            ids = encoding.push_current(&mut context, call_site, Some(&seen), parent, Seen::default);
        }
        let span = self.span_of(ready, event, ctx);
        if let Some(span) = span.span().filter(|_| spans.is_any_declared()) {
            let mut own = Line::new(max_len);
            // Their keys are enough, but they are not known apart from their values.
            Self::push_own(&mut own, &written, Some(&seen), &mut Object::new(None));
            let start = own.len();
            own.push(context.bytes());
            spans.push_declared(&mut own, span, policies, has_key);
            context.truncate(0);
            context.push_whole(own.bytes().get(start..).unwrap_or_default());
        }
        let mut surroundings = Line::tight(max_len / 4);
        self.push_surroundings(&mut surroundings, ready, &written, &span);
        let mut rest = Line::tight(max_len / 8);
        if let Some(ids) = self.ids(ids, parent, span.name().is_some()) {
            Self::push_ids(&mut rest, layout, ids, call_site, Some(&seen));
        }
        Self::push_constants(&mut rest, layout, call_site, Some(&seen));

        self.push_head(line, layout, &written);
        let nest = layout.nest(Group::Fields);
        let mark = layout.key(Member::Truncated);
        let reserved = context.len()
            + surroundings.len()
            + rest.len()
            + nest.map_or(0, |nest| nest.len() + 2)
            + mark.map_or(0, |mark| mark.len() + 4)
            + LINE_END.len();
        let end = max_len.saturating_sub(reserved);
        // The message leaves something to the other fields.
        let room = end.saturating_sub(line.len());
        let has_others = call_site.fields.len() > usize::from(call_site.message.is_some());
        let mut fields = Object::new(nest);
        line.set_end(if has_others { line.len() + room / 4 * 3 } else { end });
        written.push_values(line, Part::Message, Some(&seen), &mut fields);
        line.set_end(end);
        written.push_values(line, Part::Others, Some(&seen), &mut fields);
        line.set_end(max_len);
        fields.open(line);
        line.push(context.bytes());
        if !layout.has_members_in_fields() {
            std::mem::replace(&mut fields, Object::new(None)).close(line);
        }
        line.push(surroundings.bytes());
        if let Some(mark) = mark {
            line.push(mark);
            line.push(b"true");
        }
        fields.close(line);
        line.push(rest.bytes());
    }
}

/// Returns `true` if these members have this key. A quote inside a string has a backslash before it: a key is found nowhere else.
fn has_key(members: &[u8], key: &[u8]) -> bool {
    members.windows(key.len()).any(|at| at == key)
}

/// The members at the end of a line.
const LINE_END: &[u8] = b"}\n";

impl<S, W> Layer<S> for JsonLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.common.registered(subscriber);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let spans = &self.ready().spans;
        spans.created(attributes, id, &ctx, self.settings.has_span_fields, self.common.max_len / 4);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let spans = &self.ready().spans;
        spans.recorded(values, id, &ctx, self.settings.has_span_fields, self.common.max_len / 4);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let ready = self.ready();
        let max_len = self.common.max_len;
        let mut line = Line::new(max_len - LINE_END.len());
        self.push_line(&mut line, ready, event, &ctx);
        if line.is_cut() {
            line = Line::tight(max_len);
            self.push_cut_line(&mut line, ready, event, &ctx);
        }
        // In place of the comma of the first member.
        if line.len() == 0 {
            line.push_byte(b'{');
        }
        line.open_at(0);
        line.push(LINE_END);
        self.common.write(line.bytes(), event.metadata());
    }
}
