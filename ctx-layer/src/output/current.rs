//! The context fields of a line: encoded once for each set, and copied from then on.

use opentelemetry::{Context, TraceId, baggage::BaggageExt, trace::TraceContextExt};
#[cfg(feature = "json")]
use opentelemetry::{SpanId, TraceFlags};

use super::{
    call_site::CallSite,
    escape,
    line::Line,
    naming::Naming,
    notation::Notation,
    values::{Seen, bool_text},
};
use crate::{
    context::{ContextFieldsExt, Remembered, is_gone, read, read_if_ready},
    field::{Encoded, EncodingBuffer, Fields, Visible},
    layer::{Parentage, Policies, elsewhere},
};

/// The ids of an OpenTelemetry span.
#[derive(Clone, Copy)]
pub(super) struct SpanIds {
    pub(super) trace_id: TraceId,
    #[cfg(feature = "json")]
    pub(super) span_id: SpanId,
    #[cfg(feature = "json")]
    pub(super) flags: TraceFlags,
}

impl SpanIds {
    #[inline]
    pub(super) fn of(cx: &Context) -> Option<Self> {
        if cx.has_active_span() { Self::of_active(cx) } else { None }
    }

    #[inline(never)]
    fn of_active(cx: &Context) -> Option<Self> {
        let span = cx.span();
        let of = span.span_context();
        of.is_valid().then(|| SpanIds {
            trace_id: of.trace_id(),
            #[cfg(feature = "json")]
            span_id: of.span_id(),
            #[cfg(feature = "json")]
            flags: of.trace_flags(),
        })
    }
}

/// Which encoding of a set a line takes.
#[derive(Clone, Copy)]
pub(super) struct Encoding {
    policies: &'static Policies,
    naming: &'static Naming,
    is_metric: bool,
}

/// The fields of the current context, found without a closer look.
enum Found {
    /// All is written.
    Done(Option<SpanIds>),
    /// The set is not encoded yet, or not all of it is to be written.
    Fields(Fields, Option<SpanIds>),
    Closer,
}

impl Encoding {
    #[inline]
    pub(super) fn of(policies: &'static Policies, naming: &'static Naming, call_site: &CallSite) -> Self {
        Encoding { policies, naming, is_metric: call_site.is_metric }
    }

    /// The key under which the encoded form is kept with a set.
    #[inline]
    fn key(&self) -> u64 {
        u64::from(self.policies.id()) << 32 | u64::from(self.naming.id) << 1 | u64::from(self.is_metric)
    }

    /// Appends the fields that apply to an event, and returns the ids of the active OpenTelemetry span.
    ///
    /// `seen` is which fields the event has itself, if it is known that one may be the same; `look` finds it out.
    #[inline]
    pub(super) fn push_current<N: Notation>(
        &self,
        line: &mut Line<N>,
        call_site: &CallSite,
        seen: Option<&Seen>,
        parent: Parentage<'_>,
        look: impl Fn() -> Seen,
    ) -> Option<SpanIds> {
        let found = match parent {
            Parentage::Contextual => self.look(line, call_site, seen),
            Parentage::Explicit(_) | Parentage::Root => Found::Closer,
        };
        match found {
            Found::Done(ids) => ids,
            Found::Fields(fields, ids) => {
                self.push(line, call_site, seen, &fields, &look);
                ids
            }
            Found::Closer => self.push_looking_closer(line, call_site, seen, parent, &look),
        }
    }

    /// Copies the bytes during the borrow of the context if nothing is special: no reference is counted.
    #[inline]
    fn look<N: Notation>(&self, line: &mut Line<N>, call_site: &CallSite, seen: Option<&Seen>) -> Found {
        let key = self.key();
        let look = |cx: &Context| {
            if !cx.baggage().is_empty() {
                return Found::Closer;
            }
            let (fields, ids) = (cx.fields(), SpanIds::of(cx));
            if fields.is_blank() {
                return Found::Done(ids);
            }
            match fields.encoded(key) {
                Some(encoded) if seen.is_none() && !call_site.may_conflict(self.naming) => {
                    line.push_whole(encoded.bytes());
                    Found::Done(ids)
                }
                _ => Found::Fields(fields.clone(), ids),
            }
        };
        read_if_ready(look).unwrap_or(Found::Closer)
    }

    #[cold]
    #[inline(never)]
    fn push_looking_closer<N: Notation>(
        &self,
        line: &mut Line<N>,
        call_site: &CallSite,
        seen: Option<&Seen>,
        parent: Parentage<'_>,
        look: &dyn Fn() -> Seen,
    ) -> Option<SpanIds> {
        if is_gone() {
            return None;
        }
        let elsewhere = match parent {
            // Without one, it may have been a span that is switched off.
            Parentage::Explicit(_) | Parentage::Root => elsewhere(),
            Parentage::Contextual => None,
        };
        let remembered = elsewhere.unwrap_or_else(Remembered::current);
        let fields = match remembered.baggage() {
            None => remembered.fields.clone(),
            Some(cx) => remembered.fields.clone().with_baggage(cx.baggage(), self.policies.declarations().into_iter()),
        };
        if !fields.is_blank() {
            self.push(line, call_site, seen, &fields, look);
        }
        match parent {
            Parentage::Contextual => read(SpanIds::of).flatten(),
            Parentage::Explicit(_) | Parentage::Root => None,
        }
    }

    /// Appends the fields of a set, encoded now if it was not yet.
    #[inline(never)]
    fn push<N: Notation>(
        &self,
        line: &mut Line<N>,
        call_site: &CallSite,
        seen: Option<&Seen>,
        fields: &Fields,
        look: &dyn Fn() -> Seen,
    ) {
        let key = self.key();
        let encoded = match fields.encoded(key) {
            Some(encoded) => encoded,
            None => match fields.keep_encoded(key, self.encode::<N>(fields)) {
                Some(encoded) => encoded,
                None => return,
            },
        };
        // Known only now where a field was never encoded before.
        let found = (seen.is_none() && call_site.may_conflict(self.naming)).then(look);
        let seen = seen.or(found.as_ref());
        if seen.is_none() && !line.is_tight() {
            return line.push(encoded.bytes());
        }
        for part in encoded.parts() {
            if !seen.is_some_and(|seen| seen.has_key(call_site, N::key_of(part))) {
                line.push_whole(part);
            }
        }
    }

    /// Encodes each field once. A set may have one line only, so no time is spent on counting bytes before: they are written to a
    /// buffer of this thread, and copied.
    fn encode<N: Notation>(&self, fields: &Fields) -> Encoded {
        let mut encoding = EncodingBuffer::new();
        for (_, entry) in fields.entries() {
            let declaration = entry.declaration();
            let Some(sensitivity) = self.policies.sensitivity(declaration, self.is_metric) else { continue };
            let (Some(value), Some(key)) = (entry.visible(sensitivity), self.naming.key_of(declaration)) else {
                continue;
            };
            // Two declarations may have one name where no schema says that they must not.
            if self.naming.may_repeat() && encoding.parts().any(|part| part.starts_with(key)) {
                continue;
            }
            encoding.push(|bytes| {
                bytes.extend_from_slice(key);
                push_visible::<N>(bytes, value);
            });
        }
        encoding.finish()
    }
}

fn push_visible<N: Notation>(bytes: &mut Vec<u8>, value: Visible<'_>) {
    match value {
        Visible::Bool(value) => bytes.extend_from_slice(bool_text(value)),
        Visible::I64(value) => bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Visible::U64(value) => bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Visible::F64(value) => N::push_f64(bytes, value),
        Visible::Text(value) => escape::push_string::<N>(bytes, value),
    }
}
