//! The data of spans that is kept for the lines inside them: only where a line shows more of a span than its name, or where a span has set
//! a registered field itself.

use std::{
    error::Error,
    fmt,
    marker::PhantomData,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tracing_core::{
    Field, Metadata, Subscriber,
    field::Visit,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    call_site::CallSite,
    line::Line,
    naming::Naming,
    notation::Key,
    values::{Part, Place, Values},
};
use crate::{
    context::registered,
    layer::{AddressMap, Filled, Policies, original_of},
};

/// The data that one output keeps of the spans.
pub(super) struct Spans<P> {
    naming: &'static Naming,
    key_within_span: Box<dyn Fn(&str) -> Key + Send + Sync>,
    place: PhantomData<fn() -> P>,
    /// Tells this output's from another's.
    pub(super) id: usize,
    call_sites: AddressMap<SpanSite>,
    /// `true` once any span had a registered field of its own: until then no event looks up its span.
    is_any_declared: AtomicBool,
}

/// The constant parts of a span's call site.
struct SpanSite {
    call_site: CallSite,
    /// For each of its fields that is registered, the key that it has on lines.
    declared: Box<[Option<(&'static str, Key)>]>,
    is_any_declared: bool,
}

/// Kept with a span in the registry: of each output that keeps something.
struct Kept(Vec<(usize, OfSpan)>);

/// Members as they are written, each with the index of its field.
type Members = Vec<(usize, Vec<u8>)>;

#[derive(Clone)]
struct OfSpan {
    /// The members of the span's object.
    members: Arc<Mutex<Members>>,
    declared: Option<Arc<Declared>>,
}

/// The values that a span has given to registered fields itself.
struct Declared {
    values: Mutex<Vec<(&'static str, Key, Vec<u8>)>>,
    /// The data of the nearest span around it that has some.
    around: Option<Arc<Declared>>,
}

impl<P: Place> Spans<P> {
    /// Keeps the fields of spans under these keys.
    pub(super) fn new(naming: &'static Naming, key_within_span: impl Fn(&str) -> Key + Send + Sync + 'static) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Spans {
            naming,
            key_within_span: Box::new(key_within_span),
            place: PhantomData,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            call_sites: AddressMap::new(),
            is_any_declared: AtomicBool::new(false),
        }
    }

    /// Returns `true` if a span around an event may have set a registered field itself.
    #[inline]
    pub(super) fn is_any_declared(&self) -> bool {
        self.is_any_declared.load(Ordering::Relaxed)
    }

    fn site(&self, metadata: &'static Metadata<'static>) -> &SpanSite {
        let metadata = original_of(metadata);
        self.call_sites.get_or_insert_with(metadata, || SpanSite::new(metadata, self.naming, &self.key_within_span))
    }

    /// Keeps what lines will show of a new span.
    pub(super) fn created<S>(
        &self,
        attributes: &Attributes<'_>,
        id: &Id,
        ctx: &Context<'_, S>,
        with_fields: bool,
        limit: usize,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let site = self.site(attributes.metadata());
        if !with_fields && !site.is_any_declared && !self.is_any_declared() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        let around = span.parent().and_then(|parent| self.of(&parent)).and_then(|of| of.declared);
        let mut taken = Taken { members: Vec::new(), declared: Vec::new() };
        take::<P>(
            |visitor| attributes.record(visitor),
            site,
            Filled::before(attributes),
            with_fields,
            limit,
            &mut taken,
        );
        let declared = if site.is_any_declared {
            self.is_any_declared.store(true, Ordering::Relaxed);
            Some(Arc::new(Declared { values: Mutex::new(taken.declared), around }))
        } else {
            around
        };
        if declared.is_none() && !with_fields {
            return;
        }
        let of = OfSpan { members: Arc::new(Mutex::new(taken.members)), declared };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Kept>() {
            Some(Kept(kept)) => kept.push((self.id, of)),
            None => extensions.insert(Kept(vec![(self.id, of)])),
        }
    }

    /// Keeps what is recorded on an open span, in place of what was there.
    pub(super) fn recorded<S>(
        &self,
        values: &Record<'_>,
        id: &Id,
        ctx: &Context<'_, S>,
        with_fields: bool,
        limit: usize,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !with_fields && !self.is_any_declared() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        let site = self.site(span.metadata());
        let Some(of) = self.of(&span) else { return };
        let mut taken = Taken { members: Vec::new(), declared: Vec::new() };
        take::<P>(|visitor| values.record(visitor), site, Filled::before(values), with_fields, limit, &mut taken);
        let mut members = of.members.lock().unwrap_or_else(PoisonError::into_inner);
        for member in taken.members {
            members.retain(|(index, _)| *index != member.0);
            members.push(member);
        }
        drop(members);
        if let Some(declared) = of.declared.filter(|_| site.is_any_declared) {
            let mut values = declared.values.lock().unwrap_or_else(PoisonError::into_inner);
            for value in taken.declared {
                values.retain(|(name, _, _)| *name != value.0);
                values.push(value);
            }
        }
    }

    /// The data that this output keeps of a span.
    fn of<S: for<'a> LookupSpan<'a>>(&self, span: &SpanRef<'_, S>) -> Option<OfSpan> {
        let extensions = span.extensions();
        let Kept(kept) = extensions.get()?;
        kept.iter().find(|(id, _)| *id == self.id).map(|(_, of)| of.clone())
    }

    /// Appends the members that a span's object has besides its name.
    pub(super) fn push_members<S: for<'a> LookupSpan<'a>>(&self, line: &mut Line<P::Notation>, span: &SpanRef<'_, S>) {
        if let Some(of) = self.of(span) {
            for (_, member) in of.members.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                line.push_whole(member);
            }
        }
    }

    /// Appends the registered fields that the spans around an event have set themselves, where `is_there` does not say that the line
    /// has the key.
    #[cold]
    pub(super) fn push_declared<S: for<'a> LookupSpan<'a>>(
        &self,
        line: &mut Line<P::Notation>,
        span: &SpanRef<'_, S>,
        policies: &Policies,
        is_there: impl Fn(&[u8], &[u8]) -> bool,
    ) {
        let mut next = self.of(span).and_then(|of| of.declared);
        while let Some(declared) = next {
            for (name, key, value) in declared.values.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                if !is_there(line.bytes(), key) && policies.is_registered(name) {
                    let before = line.len();
                    line.push(key);
                    line.push(value);
                    line.end_member(before);
                }
            }
            next = declared.around.clone();
        }
    }
}

impl SpanSite {
    fn new(metadata: &'static Metadata<'static>, naming: &Naming, key_within_span: &dyn Fn(&str) -> Key) -> Self {
        let registered = registered();
        let key_on_lines = |name: &str| {
            let known = registered.iter().find(|known| known.name() == name && known.policy().on_events())?;
            Some((known.name(), naming.key_of_field(known.name())))
        };
        let declared: Box<[_]> = metadata.fields().iter().map(|field| key_on_lines(field.name())).collect();
        let is_any_declared = declared.iter().any(Option::is_some);
        SpanSite { call_site: CallSite::of_span(metadata, key_within_span), declared, is_any_declared }
    }
}

/// The data that was found in the values of a span.
struct Taken {
    members: Members,
    declared: Vec<(&'static str, Key, Vec<u8>)>,
}

fn take<P: Place>(
    record: impl FnOnce(&mut dyn Visit),
    site: &SpanSite,
    filled: Filled,
    with_fields: bool,
    limit: usize,
    taken: &mut Taken,
) {
    let mut line = Line::tight(limit);
    let mut place = P::of_span();
    let values =
        Values { line: &mut line, call_site: &site.call_site, filled, part: Part::All, seen: None, place: &mut place };
    record(&mut Take { values, site, with_fields, taken });
}

/// Takes down the values of a span one by one.
struct Take<'a, 't, P: Place> {
    values: Values<'a, P>,
    site: &'a SpanSite,
    with_fields: bool,
    taken: &'t mut Taken,
}

impl<'a, P: Place> Take<'a, '_, P> {
    fn take(&mut self, field: &Field, write: impl FnOnce(&mut Values<'a, P>)) {
        let index = field.index();
        let declared = self.site.declared.get(index).and_then(Option::as_ref);
        if declared.is_none() && !self.with_fields {
            return;
        }
        self.values.line.truncate(0);
        write(&mut self.values);
        let member = self.values.line.bytes();
        if member.is_empty() {
            return;
        }
        let key_len = self.site.call_site.fields.get(index).and_then(|own| own.key.as_ref()).map_or(0, |key| key.len());
        match declared {
            Some((name, key)) => {
                let value = member.get(key_len..).unwrap_or_default().to_vec();
                self.taken.declared.retain(|(known, _, _)| known != name);
                self.taken.declared.push((name, key.clone(), value));
            }
            None => self.taken.members.push((index, member.to_vec())),
        }
    }
}

impl<P: Place> Visit for Take<'_, '_, P> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, |values| values.record_f64(field, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, |values| values.record_i64(field, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, |values| values.record_u64(field, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.take(field, |values| values.record_i128(field, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.take(field, |values| values.record_u128(field, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, |values| values.record_bool(field, value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, |values| values.record_str(field, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.take(field, |values| values.record_bytes(field, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.take(field, |values| values.record_error(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, |values| values.record_debug(field, value));
    }
}
