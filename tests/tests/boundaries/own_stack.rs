//! A subscriber without a registry, which has a stack of entered spans of its own.

use std::sync::Mutex;

use ctx_layer::task::isolated;
use tracing::{
    Event, Metadata, Span, Subscriber, info_span,
    span::{Attributes, Id, Record},
    subscriber::with_default,
};
use tracing_core::span::Current;

#[derive(Default)]
struct OwnStack(Mutex<Spans>);

#[derive(Default)]
struct Spans {
    /// By id.
    created: Vec<&'static Metadata<'static>>,
    entered: Vec<Id>,
}

impl Subscriber for OwnStack {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let created = &mut self.0.lock().unwrap().created;
        created.push(span.metadata());
        Id::from_u64(created.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.0.lock().unwrap().entered.push(id.clone());
    }

    fn exit(&self, id: &Id) {
        let entered = &mut self.0.lock().unwrap().entered;
        let at = entered.iter().rposition(|entered| entered == id).expect("a span that is exited is entered");
        entered.remove(at);
    }

    fn current_span(&self) -> Current {
        let spans = self.0.lock().unwrap();
        match spans.entered.last() {
            Some(id) => Current::new(id.clone(), spans.created[id.into_u64() as usize - 1]),
            None => Current::none(),
        }
    }
}

#[test]
fn isolated_work_has_no_span_and_leaves_the_stack_as_it_was() {
    with_default(OwnStack::default(), || {
        let name = || Span::current().metadata().map(Metadata::name);
        let outer = info_span!("outer").entered();
        let inner = info_span!("inner").entered();
        isolated(|| {
            assert_eq!(name(), None);
            info_span!("job").in_scope(|| assert_eq!(name(), Some("job")));
        })();
        assert_eq!(name(), Some("inner"));
        drop(inner);
        assert_eq!(name(), Some("outer"));
        drop(outer);
        assert_eq!(name(), None);
    });
}
