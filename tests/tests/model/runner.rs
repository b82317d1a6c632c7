//! Runs programs on the library.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, HashMap},
    future::Future,
    panic::{self, AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context as TaskContext, Poll as Polled, Waker},
    thread,
};

use ctx_layer::{
    FutureFieldsExt, InContextExt,
    context::{ContextFieldsExt, FieldsGuard},
    propagation::{self, Extracted, ExtractedGuard, Trust},
    task::{self, Carried, Snapshot},
};
use opentelemetry::{
    Context, ContextGuard, KeyValue, baggage::BaggageExt, context::FutureExt as _, trace::TraceContextExt,
};
use tracing::{Dispatch, Instrument, Span, dispatcher, span::EnteredSpan};

use super::{
    observation::{In, Observation, Seen},
    operation::{
        Body, Context as How, Name, Operation, Parent, Poll, Probe, Scope, Snapshot as Capture, What, Wrapper,
        wrapper_call,
    },
    recorder,
    value::{Call, Change, Field, Values, bag},
};

/// Two threads with one subscriber. They strictly take turns.
pub(crate) struct Threads {
    first: Sender<Body>,
    done: Receiver<Vec<Observation>>,
}

/// A job of the second thread, for which the first waits.
enum Job {
    /// Runs a part of a program.
    Part(Body, Arc<Shared>),
    /// Drops the guards.
    End(Arc<Shared>),
    /// Checks what is left.
    Left(Arc<Shared>),
}

/// The second thread, as the first sees it.
struct Second {
    jobs: Sender<Job>,
    done: Receiver<()>,
}

impl Threads {
    pub(crate) fn new(dispatches: [Dispatch; 2]) -> Self {
        let (first, jobs) = channel();
        let (send, done) = channel();
        let (second, parts) = channel();
        let (part_done, wait) = channel();
        let [dispatch, other] = dispatches;
        let (dispatch_of_second, other_of_second) = (dispatch.clone(), other.clone());
        thread::spawn(move || {
            let _default = dispatcher::set_default(&dispatch_of_second);
            OTHER.set(other_of_second);
            while let Ok(job) = parts.recv() {
                match job {
                    Job::Part(body, shared) => shared.guarded(|| run(&body, &shared)),
                    Job::End(shared) => shared.guarded(drop_guards),
                    Job::Left(shared) => look_at_what_is_left(&shared),
                }
                // Everything of the job is dropped: the first thread may continue.
                if part_done.send(()).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            let _default = dispatcher::set_default(&dispatch);
            OTHER.set(other);
            SECOND.with(|cell| cell.set(Second { jobs: second, done: wait }).is_ok());
            while let Ok(program) = jobs.recv() {
                if send.send(run_program(&program)).is_err() {
                    return;
                }
            }
        });
        Threads { first, done }
    }

    /// Returns what a program observes.
    pub(crate) fn run(&self, program: &Body) -> Vec<Observation> {
        self.first.send(program.clone()).expect("the first thread runs");
        self.done.recv().expect("the first thread runs")
    }
}

thread_local! {
    static GUARDS: RefCell<BTreeMap<Name, Guard>> = const { RefCell::new(BTreeMap::new()) };
    /// The subscriber that is not the thread's default.
    static OTHER: RefCell<Dispatch> = RefCell::new(Dispatch::none());
    /// Only the first thread has it.
    static SECOND: OnceCell<Second> = const { OnceCell::new() };
}

/// Objects of the thread on which they were created.
#[allow(dead_code)] // Kept to be dropped.
enum Guard {
    Fields(FieldsGuard),
    Extracted(ExtractedGuard),
    Context(ContextGuard),
    Span(EnteredSpan),
    /// A future that owns a snapshot and its guard, which borrows it.
    Snapshot(Pin<Box<dyn Future<Output = ()>>>),
}

/// Objects of both threads.
#[derive(Default)]
struct Shared {
    objects: Mutex<Objects>,
    log: Mutex<Vec<Observation>>,
}

#[derive(Default)]
struct Objects {
    spans: HashMap<Name, Span>,
    /// The names of all spans, by the subscriber's number.
    numbers: HashMap<recorder::Number, Name>,
    snapshots: HashMap<Name, Snapshot>,
    contexts: HashMap<Name, Context>,
    extracted: HashMap<Name, Extracted>,
    carried: HashMap<Name, Carried<()>>,
    closures: BTreeMap<Name, Box<dyn FnOnce() + Send>>,
    futures: BTreeMap<Name, Work>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn see(&self, at: Name, seen: Seen) {
        lock(&self.log).push(Observation { at, seen });
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        lock(&self.objects)
    }

    fn span(&self, name: Name) -> Option<Span> {
        self.objects().spans.get(&name).cloned()
    }

    /// Returns the span, if it belongs to the default subscriber: other subscribers' ids mean nothing to it.
    fn own_span(&self, name: Name) -> Option<Span> {
        self.span(name)
            .filter(|span| span.with_subscriber(|(_, of)| recorder::number_of(of) == recorder::number()) == Some(true))
    }

    fn snapshot(&self, name: Name) -> Option<Snapshot> {
        self.objects().snapshots.get(&name).cloned()
    }

    fn context(&self, name: Name) -> Option<Context> {
        self.objects().contexts.get(&name).cloned()
    }

    fn extracted(&self, name: Name) -> Option<Extracted> {
        self.objects().extracted.get(&name).cloned()
    }

    /// A panic that is not the program's is an observation.
    fn guarded(&self, f: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(f)) {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            self.see(0, Seen::Panicked(message.unwrap_or_else(|| "?".to_owned())));
        }
    }
}

fn run_program(program: &Body) -> Vec<Observation> {
    let shared = Arc::new(Shared::default());
    shared.guarded(|| run(program, &shared));
    on_second(Job::End(shared.clone()));
    shared.guarded(drop_guards);
    shared.guarded(|| {
        while let Some((_, future)) = take(&shared, |objects| objects.futures.pop_first()) {
            drop(future);
        }
        while let Some((_, closure)) = take(&shared, |objects| objects.closures.pop_first()) {
            drop(closure);
        }
        let objects = take(&shared, std::mem::take);
        drop(objects);
    });
    on_second(Job::Left(shared.clone()));
    look_at_what_is_left(&shared);
    std::mem::take(&mut *lock(&shared.log))
}

/// Runs a job on the second thread, and waits. Does nothing on the second thread itself.
fn on_second(job: Job) {
    SECOND.with(|second| {
        if let Some(second) = second.get() {
            second.jobs.send(job).expect("the second thread runs");
            second.done.recv().expect("the second thread runs");
        }
    });
}

/// Takes an object out, to be used or dropped after this is unlocked.
fn take<T>(shared: &Shared, take: impl FnOnce(&mut Objects) -> T) -> T {
    take(&mut shared.objects())
}

fn drop_guards() {
    while let Some((_, guard)) = GUARDS.with_borrow_mut(BTreeMap::pop_first) {
        drop(guard);
    }
}

fn look_at_what_is_left(shared: &Shared) {
    shared.guarded(|| {
        shared.see(0, Seen::Left(get()));
        assert!(Span::current().is_none(), "a span is left: {:?}", Span::current());
        let context = Context::current();
        assert!(context.baggage().is_empty() && !context.has_active_span(), "a context is left: {context:?}");
        // A set without values hides baggage.
        let _baggage = Context::current_with_baggage([KeyValue::new("tenant_id", "visible")]).attach();
        assert_eq!(Field::Tenant.key().get().as_deref(), Some("visible"), "a set without values is left");
    });
}

fn get() -> Values {
    Values::read(|field| field.key().get().map(String::from))
}

fn run(operations: &[Operation], shared: &Arc<Shared>) {
    for operation in operations {
        operate(operation, shared);
        look(operation.name, operation.probe, shared);
    }
}

fn look(at: Name, probe: Probe, shared: &Shared) {
    shared.see(at, Seen::Get(get()));
    recorder::event(None);
    shared.see(at, Seen::Event(recorder::last(), parent_of_event(shared)));
    match probe {
        Probe::Nothing => {}
        Probe::Span => {
            let _span = recorder::span();
            shared.see(at, Seen::Span(recorder::last()));
        }
        Probe::RootSpan => {
            let _span = recorder::root_span();
            shared.see(at, Seen::RootSpan(recorder::last()));
        }
        Probe::Child(parent) => {
            if let Some(parent) = shared.own_span(parent) {
                recorder::event(Some(&parent));
                shared.see(at, Seen::EventOfParent(recorder::last(), parent_of_event(shared)));
                let _span = recorder::child_span(&parent);
                shared.see(at, Seen::SpanOfParent(recorder::last()));
            }
        }
    }
}

fn parent_of_event(shared: &Shared) -> In {
    let Some(number) = recorder::last_parent() else { return In::Root };
    In::Span(shared.objects().numbers.get(&number).copied().unwrap_or(Name::MAX))
}

fn guard(name: Name, guard: Guard) {
    GUARDS.with_borrow_mut(|guards| guards.insert(name, guard));
}

fn operate(operation: &Operation, shared: &Arc<Shared>) {
    let (name, call) = (operation.name, operation.call());
    match &operation.what {
        What::Look => {}
        What::Attach(changes) => guard(name, Guard::Fields(attach(changes, call))),
        What::Replace(changes) => guard(name, Guard::Fields(bag(changes, call).replace())),
        What::AttachExtracted(of) => {
            if let Some(extracted) = shared.extracted(*of) {
                guard(name, Guard::Extracted(extracted.attach()));
            }
        }
        What::AttachContext(of) => {
            if let Some(context) = shared.context(*of) {
                guard(name, Guard::Context(context.attach()));
            }
        }
        What::EnterSpan(of) => {
            if let Some(span) = shared.span(*of) {
                guard(name, Guard::Span(span.entered()));
            }
        }
        What::EnterSnapshot(of) => {
            if let Some(snapshot) = shared.snapshot(*of) {
                guard(name, Guard::Snapshot(entered(snapshot)));
            }
        }
        What::Drop(of) => {
            let guard = GUARDS.with_borrow_mut(|guards| guards.remove(of));
            drop(guard);
        }
        What::Scope { scope, body, panics } => {
            let inner = || {
                run(body, shared);
                if *panics {
                    panic::resume_unwind(Box::new(OfTheProgram));
                }
            };
            caught(|| enter_scope(scope, call, shared, inner));
        }
        What::Span { parent, is_off } => {
            let explicit = match parent {
                Parent::Explicit(of) => match shared.own_span(*of) {
                    Some(parent) => Some(parent),
                    None => return,
                },
                _ => None,
            };
            let span = match (parent, &explicit) {
                (Parent::Current, _) if *is_off => recorder::span_off(None),
                (_, explicit) if *is_off => recorder::span_off(Some(explicit.as_ref())),
                (Parent::Current, _) => recorder::span(),
                (_, None) => recorder::root_span(),
                (_, Some(parent)) => recorder::child_span(parent),
            };
            if let Some(values) = recorder::last_if_any() {
                shared.see(name, Seen::Span(values));
            }
            let mut objects = shared.objects();
            if let Some(number) = recorder::number_of_span(&span) {
                objects.numbers.insert(number, name);
            }
            objects.spans.insert(name, span);
        }
        What::Close(of) => drop(take(shared, |objects| objects.spans.remove(of))),
        What::Extract { changes, has_parent } => {
            let mut message = HashMap::new();
            if !changes.is_empty() {
                let members = changes.iter().filter(|change| change.is_set);
                let members = members.map(|change| format!("{}={}", change.field.name(), change.field.text(call)));
                message.insert("baggage".to_owned(), members.collect::<Vec<_>>().join(","));
            }
            if *has_parent {
                let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
                message.insert("traceparent".to_owned(), parent.to_owned());
            }
            let extracted = propagation::extract(&message, Trust::internal());
            shared.objects().extracted.insert(name, extracted);
        }
        What::Snapshot(how) => {
            let snapshot = match how {
                Capture::Capture => Some(Snapshot::capture()),
                Capture::CaptureContext => Some(Snapshot::capture_context()),
                Capture::WithoutSpan => Some(Snapshot::capture().without_span()),
                Capture::WithSpan(of) => shared.span(*of).map(|span| Snapshot::capture().with_span(span)),
                Capture::WithField(field) => Some(Snapshot::capture().with_field(field.key(), field.text(call))),
                Capture::Isolated => Some(Snapshot::isolated()),
                Capture::Restored(of) => shared.context(*of).map(Snapshot::restored),
                Capture::Of(of) => shared.context(*of).map(Snapshot::from),
            };
            if let Some(snapshot) = snapshot {
                shared.objects().snapshots.insert(name, snapshot);
            }
        }
        What::Context(how) => {
            let context = match how {
                How::New => Context::new(),
                How::Current => Context::current(),
                How::CurrentWithFields(changes) => Context::current().with_fields(bag(changes, call)),
                How::CurrentWithValue => Context::current_with_value(Foreign),
                How::CurrentWithBaggage(fields) => {
                    let members = fields.iter().map(|field| KeyValue::new(field.name(), field.text(call)));
                    Context::current_with_baggage(members.collect::<Vec<_>>())
                }
                How::Extracted(of) => match shared.extracted(*of) {
                    Some(extracted) => extracted.into_context(),
                    None => return,
                },
            };
            shared.objects().contexts.insert(name, context);
        }
        What::Carried => {
            let carried = Carried::without_span(());
            shared.objects().carried.insert(name, carried);
        }
        What::Closure { is_isolated, body } => {
            let (body, shared_too, seen_when_dropped) = (body.clone(), shared.clone(), Dropped::new(name, shared));
            let closure = move || {
                seen_when_dropped.is_done();
                run(&body, &shared_too);
            };
            let closure: Box<dyn FnOnce() + Send> = match is_isolated {
                true => Box::new(task::isolated(closure)),
                false => Box::new(task::in_current_context(closure)),
            };
            shared.objects().closures.insert(name, closure);
        }
        What::Call(of) => {
            if let Some(closure) = take(shared, |objects| objects.closures.remove(of)) {
                closure();
            }
        }
        What::DropClosure(of) => drop(take(shared, |objects| objects.closures.remove(of))),
        What::Future { wrappers, polls } => {
            let mut work: Work = Box::pin(Worker {
                polls: polls.clone().into_iter(),
                shared: shared.clone(),
                dropped: Dropped::new(name, shared),
            });
            for (at, wrapper) in wrappers.iter().enumerate() {
                work = wrapped(work, wrapper, wrapper_call(operation, at), shared);
            }
            shared.objects().futures.insert(name, work);
        }
        What::Poll(of) => {
            if let Some(mut work) = take(shared, |objects| objects.futures.remove(of)) {
                let mut polled = Polled::Ready(());
                let panicked = caught(|| polled = work.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())));
                if polled.is_pending() && !panicked {
                    shared.objects().futures.insert(*of, work);
                }
            }
        }
        What::DropFuture(of) => drop(take(shared, |objects| objects.futures.remove(of))),
        What::Record(field) => {
            recorder::forget_record();
            let is_set = field.key().record(field.text(call));
            see_record(name, is_set, *field, call, shared);
        }
        What::RecordOn(of, field) => {
            if let Some(span) = shared.span(*of) {
                recorder::forget_record();
                let is_set = field.key().record_on(&span, field.text(call));
                see_record(name, is_set, *field, call, shared);
            }
        }
        What::OtherThread(body) => on_second(Job::Part(body.clone(), shared.clone())),
    }
}

/// A value that another library keeps in the context.
struct Foreign;

/// The payload of panics that belong to the program.
struct OfTheProgram;

/// Catches a panic of the program, and returns `true` if there was one. Others go on.
fn caught(f: impl FnOnce()) -> bool {
    let Err(panic) = catch_unwind(AssertUnwindSafe(f)) else { return false };
    if !panic.is::<OfTheProgram>() {
        panic::resume_unwind(panic);
    }
    true
}

fn see_record(name: Name, is_set: bool, field: Field, call: Call, shared: &Shared) {
    let on = recorder::record(field, call).and_then(|number| shared.objects().numbers.get(&number).copied());
    shared.see(name, Seen::Recorded(is_set, on));
}

fn attach(changes: &[Change], call: Call) -> FieldsGuard {
    match changes {
        [Change { field, is_set: true }] => field.key().attach(field.text(call)),
        [Change { field, is_set: false }] => field.key().unset(),
        _ => bag(changes, call).attach(),
    }
}

/// Enters a snapshot until the future is dropped.
fn entered(snapshot: Snapshot) -> Pin<Box<dyn Future<Output = ()>>> {
    let mut holder: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
        let _entered = snapshot.enter();
        std::future::pending::<()>().await;
    });
    let _ = holder.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
    holder
}

fn enter_scope(scope: &Scope, call: Call, shared: &Shared, inner: impl FnOnce()) {
    match scope {
        Scope::Set(changes) => match &changes[..] {
            [Change { field, is_set: true }] => field.key().in_scope(field.text(call), inner),
            [Change { field, is_set: false }] => {
                let _guard = field.key().unset();
                inner();
            }
            _ => bag(changes, call).in_scope(inner),
        },
        Scope::Replace(changes) => bag(changes, call).replace_in_scope(inner),
        Scope::Span(of) => {
            if let Some(span) = shared.span(*of) {
                span.in_scope(inner);
            }
        }
        Scope::Snapshot(of) => {
            if let Some(snapshot) = shared.snapshot(*of) {
                snapshot.in_scope(inner);
            }
        }
        Scope::Extracted(of) => {
            if let Some(extracted) = shared.extracted(*of) {
                extracted.in_scope(inner);
            }
        }
        Scope::Carried(of) => {
            if let Some(carried) = take(shared, |objects| objects.carried.remove(of)) {
                carried.in_scope(|()| inner());
            }
        }
        Scope::Isolated => task::isolated(inner)(),
        Scope::InCurrentContext => task::in_current_context(inner)(),
        Scope::OtherSubscriber => {
            let other = OTHER.with_borrow(Dispatch::clone);
            dispatcher::with_default(&other, inner);
        }
        Scope::Block => inner(),
    }
}

fn wrapped(work: Work, wrapper: &Wrapper, call: Call, shared: &Shared) -> Work {
    match wrapper {
        Wrapper::Set(changes) => match &changes[..] {
            [Change { field, is_set: true }] => Box::pin(work.with_field(field.key(), field.text(call))),
            _ => Box::pin(work.with_fields(bag(changes, call))),
        },
        Wrapper::Replace(changes) => Box::pin(work.replace_fields(bag(changes, call))),
        Wrapper::Span(of) => match shared.span(*of) {
            Some(span) => Box::pin(work.instrument(span)),
            None => work,
        },
        Wrapper::InCurrentContext => Box::pin(work.in_current_context()),
        Wrapper::Isolated => Box::pin(work.isolated()),
        Wrapper::InSnapshot(of) => match shared.snapshot(*of) {
            Some(snapshot) => Box::pin(work.in_context(snapshot)),
            None => work,
        },
        Wrapper::InContext(of) => match shared.context(*of) {
            Some(context) => Box::pin(work.in_context(context)),
            None => work,
        },
        Wrapper::Foreign(of) => match shared.context(*of) {
            Some(context) => Box::pin(work.with_context(context)),
            None => work,
        },
    }
}

/// A future whose polls are parts of the program.
struct Worker {
    polls: std::vec::IntoIter<Poll>,
    shared: Arc<Shared>,
    dropped: Dropped,
}

impl Future for Worker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Polled<()> {
        let shared = self.shared.clone();
        if let Some(poll) = self.polls.next() {
            run(&poll.body, &shared);
            if poll.panics {
                panic::resume_unwind(Box::new(OfTheProgram));
            }
        }
        if !self.polls.as_slice().is_empty() {
            return Polled::Pending;
        }
        self.dropped.is_done();
        Polled::Ready(())
    }
}

/// Observes what is current when it is dropped before its end.
struct Dropped {
    name: Name,
    shared: Arc<Shared>,
    is_done: Cell<bool>,
}

impl Dropped {
    fn new(name: Name, shared: &Arc<Shared>) -> Self {
        Dropped { name, shared: shared.clone(), is_done: Cell::new(false) }
    }

    fn is_done(&self) {
        self.is_done.set(true);
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if !self.is_done.get() {
            self.shared.see(self.name, Seen::Dropped(get()));
        }
    }
}
