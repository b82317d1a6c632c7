//! Runs programs on the rules alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    frame::{Carried, Kind, Number},
    observation::{In, Observation, Seen},
    operation::{
        Body, Context, Name, Operation, Parent, Poll, Probe, Scope, Snapshot as Capture, What, Wrapper, wrapper_call,
    },
    set::{Baggage, Set},
    span::Span,
    thread::{IsEnteredAgain, Spans, Thread},
    value::{Call, Change},
};

/// Returns what a program must observe, without or with a filter that switches some spans off.
pub(crate) fn expected(program: &[Operation], is_filtered: bool) -> Vec<Observation> {
    let mut model = Model { is_filtered, ..Model::default() };
    model.run(program);
    model.end();
    model.log
}

#[derive(Default)]
struct Model {
    is_filtered: bool,
    threads: [Thread; 2],
    /// The thread that runs.
    active: usize,
    /// The default subscriber of each thread.
    subscribers: [usize; 2],
    subscriber_of: HashMap<Name, usize>,
    frames: u32,
    spans: Spans,
    /// The nearest enabled span around each, or the span itself.
    shown: HashMap<Name, In>,
    /// The spans to which the program has a handle.
    handles: BTreeSet<Name>,
    snapshots: HashMap<Name, Snapshot>,
    contexts: HashMap<Name, Carried>,
    extracted: HashMap<Name, Set>,
    carried: HashMap<Name, Snapshot>,
    closures: BTreeMap<Name, (Snapshot, Body)>,
    futures: BTreeMap<Name, Future>,
    guards: [BTreeMap<Name, Guard>; 2],
    log: Vec<Observation>,
    /// From here on the rules leave open what is observed.
    is_open: bool,
}

/// A captured snapshot or context.
#[derive(Clone)]
struct Snapshot {
    set: Set,
    within: Within,
    /// The rules leave open which span it has.
    is_open: bool,
}

#[derive(Clone, Copy)]
enum Within {
    Span(Name),
    /// A span around what replaced something unrelated.
    SpanApart(Name),
    NoSpan,
    AnySpan,
}

impl Snapshot {
    fn kind(&self) -> Kind {
        match self.within {
            Within::Span(span) => Kind::SnapshotOf(span),
            Within::SpanApart(span) => Kind::SnapshotApart(span),
            Within::NoSpan => Kind::HidesSpans,
            Within::AnySpan => Kind::Replaces,
        }
    }
}

#[derive(Clone)]
struct Future {
    /// The innermost first.
    wrappers: Vec<Around>,
    polls: Vec<Poll>,
    polled: usize,
}

/// The environment of a future, and what was current where that was written.
#[derive(Clone)]
enum Around {
    Sets { changes: Vec<Change>, call: Call, remembered: Set },
    Replaces { set: Set, written_in: Set },
    Span(Name),
    Snapshot { snapshot: Snapshot, written_in: Set },
    Foreign(Carried),
}

enum Guard {
    Frame(Number),
    Span(Name),
}

impl Model {
    fn thread(&mut self) -> &mut Thread {
        &mut self.threads[self.active]
    }

    fn current(&self) -> Set {
        self.threads[self.active].current()
    }

    fn see(&mut self, at: Name, seen: Seen) {
        self.is_open |= self.threads.iter().any(|thread| thread.is_open || thread.is_unsettled());
        let is_over = self.log.last().is_some_and(|last| last.seen == Seen::Open);
        if self.is_open && !is_over {
            self.log.push(Observation { at, seen: Seen::Open });
        } else if !is_over {
            self.log.push(Observation { at, seen });
        }
    }

    fn run(&mut self, operations: &[Operation]) {
        for operation in operations {
            self.operate(operation);
            self.look(operation.name, operation.probe);
        }
    }

    fn look(&mut self, at: Name, probe: Probe) {
        let current = self.current().read();
        self.see(at, Seen::Get(current));
        let parent = self.parent_of_event();
        self.see(at, Seen::Event(current, parent));
        match probe {
            Probe::Nothing => {}
            Probe::Span => self.see(at, Seen::Span(current)),
            // `parent: None` changes nothing.
            Probe::RootSpan => self.see(at, Seen::RootSpan(current)),
            Probe::Child(parent) => {
                if self.is_own(parent) {
                    let values = self.threads[self.active].entering(&self.spans[&parent]).read();
                    let shown = self.shown[&parent];
                    self.see(at, Seen::EventOfParent(values, shown));
                    self.see(at, Seen::SpanOfParent(values));
                }
            }
        }
    }

    /// Returns `true` if there is a handle of the span, and it belongs to the default subscriber.
    fn is_own(&self, span: Name) -> bool {
        self.handles.contains(&span) && self.subscriber_of[&span] == self.subscribers[self.active]
    }

    /// Returns the span, if it is enabled.
    fn if_shown(&self, span: Name) -> Option<Name> {
        matches!(self.shown[&span], In::Span(shown) if shown == span).then_some(span)
    }

    /// Returns the span that layers take for current: the innermost enabled one.
    fn parent_of_event(&mut self) -> In {
        let (subscriber, of, shown) = (self.subscribers[self.active], &self.subscriber_of, &self.shown);
        let is_known = |span| of[&span] == subscriber && matches!(shown[&span], In::Span(shown) if shown == span);
        match self.threads[self.active].current_span(is_known) {
            Ok(None) => In::Root,
            Ok(Some(span)) => In::Span(span),
            Err(IsEnteredAgain) => In::Any,
        }
    }

    /// Returns the nearest enabled span around a span that is created here.
    fn parent_of_span(&mut self) -> In {
        let (subscriber, of) = (self.subscribers[self.active], &self.subscriber_of);
        match self.threads[self.active].current_span(|span| of[&span] == subscriber) {
            Ok(None) => In::Root,
            Ok(Some(span)) => self.shown[&span],
            Err(IsEnteredAgain) => In::Any,
        }
    }

    fn number(&mut self) -> Number {
        self.frames += 1;
        Number(self.frames)
    }

    fn push(&mut self, kind: Kind, set: Set, written_in: Option<Set>) -> Number {
        let number = self.number();
        self.thread().push(number, kind, set, written_in);
        number
    }

    fn attach(&mut self, context: &Carried) -> Number {
        // The rules leave open whether a context carries what was recorded on a frame to a place without that frame.
        self.is_open |= self.thread().is_unclear(context);
        let number = self.number();
        self.thread().attach(number, context);
        number
    }

    fn enter_span(&mut self, span: Name) {
        let number = self.number();
        self.threads[self.active].enter(number, span, &self.spans[&span]);
    }

    /// Rule 7: a snapshot has what is recorded on its span, if it is related.
    fn enter_snapshot(&mut self, snapshot: &Snapshot, written_in: Option<Set>) -> Number {
        self.is_open |= snapshot.is_open;
        let set = match snapshot.within {
            Within::Span(span) => self.spans[&span].over_related(snapshot.set.clone()),
            _ => snapshot.set.clone(),
        };
        self.push(snapshot.kind(), set, written_in)
    }

    fn set(&mut self, changes: &[Change], call: Call) -> Number {
        let set = self.current().set(changes, call);
        self.push(Kind::Sets, set, None)
    }

    fn replace(&mut self, changes: &[Change], call: Call) -> Number {
        self.push(Kind::Replaces, Set::exactly(changes, call), None)
    }

    /// Returns the context that a replacing operation is given.
    fn given(&mut self, context: Name) -> Option<Set> {
        let context = self.contexts.get(&context)?.clone();
        Some(self.thread().given(&context))
    }

    fn capture(&mut self) -> Snapshot {
        let (subscriber, of) = (self.subscribers[self.active], &self.subscriber_of);
        let is_own = |span| of[&span] == subscriber;
        let thread = &mut self.threads[self.active];
        let within = match (thread.span(is_own), thread.cut(is_own)) {
            (None, _) => Within::NoSpan,
            (Some(span), None) => Within::Span(span),
            (Some(span), Some(_)) => Within::SpanApart(span),
        };
        let is_open = thread.current_span(is_own).is_err();
        Snapshot { set: self.current(), within, is_open }
    }

    fn capture_context(&self) -> Snapshot {
        Snapshot { set: self.current(), within: Within::AnySpan, is_open: false }
    }

    /// An isolation counts as a call.
    fn isolated(call: Call) -> Snapshot {
        Snapshot { set: Set::exactly(&[], call), within: Within::NoSpan, is_open: false }
    }

    fn guard(&mut self, name: Name, guard: Guard) {
        self.guards[self.active].insert(name, guard);
    }

    fn drop_guard(&mut self, guard: Guard) {
        match guard {
            Guard::Frame(number) => self.thread().pop(number),
            Guard::Span(span) => self.thread().leave(span),
        }
    }

    fn operate(&mut self, operation: &Operation) {
        let (name, call) = (operation.name, operation.call());
        match &operation.what {
            What::Look => {}
            What::Attach(changes) => {
                let number = self.set(changes, call);
                self.guard(name, Guard::Frame(number));
            }
            What::Replace(changes) => {
                let number = self.replace(changes, call);
                self.guard(name, Guard::Frame(number));
            }
            What::AttachExtracted(of) => {
                if let Some(set) = self.extracted.get(of).cloned() {
                    let number = self.push(Kind::Replaces, set, None);
                    self.guard(name, Guard::Frame(number));
                }
            }
            What::AttachContext(of) => {
                if let Some(context) = self.contexts.get(of).cloned() {
                    let number = self.attach(&context);
                    self.guard(name, Guard::Frame(number));
                }
            }
            What::EnterSpan(of) => {
                if self.handles.contains(of) {
                    self.enter_span(*of);
                    self.guard(name, Guard::Span(*of));
                }
            }
            What::EnterSnapshot(of) => {
                if let Some(snapshot) = self.snapshots.get(of).cloned() {
                    let number = self.enter_snapshot(&snapshot, None);
                    self.guard(name, Guard::Frame(number));
                }
            }
            What::Drop(of) => {
                if let Some(guard) = self.guards[self.active].remove(of) {
                    self.drop_guard(guard);
                }
            }
            // Whether it ends by a panic makes no difference.
            What::Scope { scope, body, panics: _ } => self.scope(scope, call, body),
            What::Span { parent, is_off } => {
                let set = match parent {
                    Parent::Current | Parent::Root => self.current(),
                    Parent::Explicit(of) if self.is_own(*of) => self.threads[self.active].entering(&self.spans[of]),
                    Parent::Explicit(_) => return,
                };
                let is_off = *is_off && self.is_filtered;
                let shown = match parent {
                    _ if !is_off => In::Span(name),
                    Parent::Current => self.parent_of_span(),
                    Parent::Root => In::Root,
                    Parent::Explicit(of) => self.shown[of],
                };
                self.shown.insert(name, shown);
                self.subscriber_of.insert(name, self.subscribers[self.active]);
                self.spans.insert(name, Span::created_in(&set));
                self.handles.insert(name);
                if !is_off {
                    self.see(name, Seen::Span(set.read()));
                }
            }
            What::Close(of) => {
                self.handles.remove(of);
            }
            What::Extract { changes, .. } => {
                self.extracted.insert(name, Set::exactly(changes, call));
            }
            What::Snapshot(how) => {
                let restored = |model: &mut Self, of: &Name, within| {
                    let set = model.given(*of)?;
                    Some(Snapshot { set, within, is_open: false })
                };
                let snapshot = match how {
                    Capture::Capture => Some(self.capture()),
                    Capture::CaptureContext => Some(self.capture_context()),
                    Capture::WithoutSpan => {
                        let (subscriber, of) = (self.subscribers[self.active], &self.subscriber_of);
                        let is_open = self.threads[self.active].cut(|span| of[&span] == subscriber).is_some();
                        Some(Snapshot { is_open, ..self.capture_context() })
                    }
                    Capture::WithSpan(of) => self.handles.contains(of).then(|| Snapshot {
                        set: self.current(),
                        within: Within::Span(*of),
                        is_open: false,
                    }),
                    Capture::WithField(field) => {
                        let snapshot = self.capture();
                        let set = snapshot.set.changed(&[Change { field: *field, is_set: true }], call);
                        Some(Snapshot { set, ..snapshot })
                    }
                    Capture::Isolated => Some(Self::isolated(call)),
                    Capture::Restored(of) => restored(self, of, Within::NoSpan),
                    Capture::Of(of) => restored(self, of, Within::AnySpan),
                };
                if let Some(snapshot) = snapshot {
                    self.snapshots.insert(name, snapshot);
                }
            }
            What::Context(how) => {
                let context = match how {
                    Context::New => Carried::default(),
                    Context::Current | Context::CurrentWithValue => self.thread().context(),
                    // It has fields of its own, and so those of no frame.
                    Context::CurrentWithFields(changes) => {
                        let context = self.thread().context();
                        let set = self.thread().given(&context).set(changes, call);
                        Carried { set, ..Carried::default() }
                    }
                    Context::CurrentWithBaggage(fields) => {
                        let context = self.thread().context();
                        // Baggage without members is none.
                        let baggage = (!fields.is_empty()).then(|| Baggage { call, fields: fields.clone() });
                        let set = context.set.with_baggage(baggage);
                        Carried { set, ..context }
                    }
                    Context::Extracted(of) => match self.extracted.get(of) {
                        Some(set) => Carried { set: set.clone(), ..Carried::default() },
                        None => return,
                    },
                };
                self.contexts.insert(name, context);
            }
            What::Carried => {
                let snapshot = self.capture_context();
                self.carried.insert(name, snapshot);
            }
            What::Closure { is_isolated, body } => {
                let snapshot = if *is_isolated { Self::isolated(call) } else { self.capture() };
                self.closures.insert(name, (snapshot, body.clone()));
            }
            What::Call(of) => {
                if let Some((snapshot, body)) = self.closures.remove(of) {
                    let number = self.enter_snapshot(&snapshot, None);
                    self.run(&body);
                    self.thread().pop(number);
                }
            }
            What::DropClosure(of) => self.drop_closure(*of),
            What::Future { wrappers, polls } => {
                let wrappers = wrappers.iter().enumerate();
                let wrappers =
                    wrappers.filter_map(|(at, wrapper)| self.around(wrapper, wrapper_call(operation, at))).collect();
                self.futures.insert(name, Future { wrappers, polls: polls.clone(), polled: 0 });
            }
            What::Poll(of) => {
                if let Some(future) = self.futures.remove(of) {
                    self.poll(*of, future);
                }
            }
            What::DropFuture(of) => {
                if let Some(future) = self.futures.remove(of) {
                    self.drop_future(*of, &future);
                }
            }
            What::Record(field) => {
                let (subscriber, of) = (self.subscribers[self.active], &self.subscriber_of);
                let is_own = |span| of[&span] == subscriber;
                let span = self.threads[self.active].record(&mut self.spans, is_own, *field, call);
                self.see(name, Seen::Recorded(span.is_some(), span.and_then(|span| self.if_shown(span))));
            }
            What::RecordOn(of, field) => {
                if self.handles.contains(of) {
                    self.threads[self.active].record_on(&mut self.spans, *of, *field, call);
                    let shown = self.if_shown(*of);
                    self.see(name, Seen::Recorded(true, shown));
                }
            }
            What::OtherThread(body) => {
                // The second thread does not wait for the first.
                if self.active == 0 {
                    self.active = 1;
                    self.run(body);
                    self.active = 0;
                }
            }
        }
    }

    fn scope(&mut self, scope: &Scope, call: Call, body: &Body) {
        let number = match scope {
            Scope::Set(changes) => Some(self.set(changes, call)),
            Scope::Replace(changes) => Some(self.replace(changes, call)),
            Scope::Span(of) => {
                if !self.handles.contains(of) {
                    return;
                }
                self.enter_span(*of);
                self.run(body);
                return self.thread().leave(*of);
            }
            Scope::Snapshot(of) => match self.snapshots.get(of).cloned() {
                Some(snapshot) => Some(self.enter_snapshot(&snapshot, None)),
                None => return,
            },
            Scope::Extracted(of) => match self.extracted.get(of).cloned() {
                Some(set) => Some(self.push(Kind::Replaces, set, None)),
                None => return,
            },
            Scope::Carried(of) => match self.carried.remove(of) {
                Some(snapshot) => Some(self.enter_snapshot(&snapshot, None)),
                None => return,
            },
            Scope::Isolated => Some(self.enter_snapshot(&Self::isolated(call), None)),
            Scope::InCurrentContext => {
                let snapshot = self.capture();
                Some(self.enter_snapshot(&snapshot, None))
            }
            Scope::OtherSubscriber => {
                let before = std::mem::replace(&mut self.subscribers[self.active], 1);
                self.run(body);
                self.subscribers[self.active] = before;
                return;
            }
            Scope::Block => None,
        };
        self.run(body);
        if let Some(number) = number {
            self.thread().pop(number);
        }
    }

    fn around(&mut self, wrapper: &Wrapper, call: Call) -> Option<Around> {
        let written_in = self.current();
        Some(match wrapper {
            Wrapper::Set(changes) => Around::Sets { changes: changes.clone(), call, remembered: written_in },
            Wrapper::Replace(changes) => Around::Replaces { set: Set::exactly(changes, call), written_in },
            Wrapper::Span(of) => Around::Span(self.handles.get(of).copied()?),
            Wrapper::InCurrentContext => Around::Snapshot { snapshot: self.capture(), written_in },
            Wrapper::Isolated => Around::Snapshot { snapshot: Self::isolated(call), written_in },
            Wrapper::InSnapshot(of) => Around::Snapshot { snapshot: self.snapshots.get(of)?.clone(), written_in },
            Wrapper::InContext(of) => {
                let snapshot = Snapshot { set: self.given(*of)?, within: Within::AnySpan, is_open: false };
                Around::Snapshot { snapshot, written_in }
            }
            Wrapper::Foreign(of) => Around::Foreign(self.contexts.get(of)?.clone()),
        })
    }

    /// Enters a future's wrappers, the outermost first.
    fn enter_wrappers(&mut self, future: &Future) -> Vec<Guard> {
        let mut guards = Vec::new();
        for around in future.wrappers.iter().rev() {
            guards.push(Guard::Frame(match around {
                Around::Sets { changes, call, remembered } => {
                    let (kind, set) = self.threads[self.active].setting(remembered);
                    self.push(kind, set.set(changes, *call), None)
                }
                Around::Replaces { set, written_in } => {
                    self.push(Kind::Replaces, set.clone(), Some(written_in.clone()))
                }
                Around::Span(span) => {
                    self.enter_span(*span);
                    guards.push(Guard::Span(*span));
                    continue;
                }
                Around::Snapshot { snapshot, written_in } => self.enter_snapshot(snapshot, Some(written_in.clone())),
                Around::Foreign(context) => self.attach(context),
            }));
        }
        guards
    }

    fn leave_wrappers(&mut self, guards: Vec<Guard>) {
        guards.into_iter().rev().for_each(|guard| self.drop_guard(guard));
    }

    fn poll(&mut self, name: Name, mut future: Future) {
        let Some(poll) = future.polls.get(future.polled).cloned() else { return };
        future.polled += 1;
        let guards = self.enter_wrappers(&future);
        self.run(&poll.body);
        self.leave_wrappers(guards);
        if poll.panics {
            self.drop_future(name, &future);
        } else if future.polled < future.polls.len() {
            self.futures.insert(name, future);
        }
    }

    fn drop_future(&mut self, name: Name, future: &Future) {
        // OpenTelemetry's wrapper is gone when a future is dropped.
        let mut at_drop = future.clone();
        at_drop.wrappers.retain(|around| !matches!(around, Around::Foreign(_)));
        let guards = self.enter_wrappers(&at_drop);
        let values = self.current().read();
        self.see(name, Seen::Dropped(values));
        self.leave_wrappers(guards);
    }

    fn drop_closure(&mut self, name: Name) {
        if let Some((snapshot, _)) = self.closures.remove(&name) {
            let number = self.enter_snapshot(&snapshot, None);
            let values = self.current().read();
            self.see(name, Seen::Dropped(values));
            self.thread().pop(number);
        }
    }

    /// Drops everything that a program left.
    fn end(&mut self) {
        for thread in [1, 0] {
            self.active = thread;
            while let Some((_, guard)) = self.guards[thread].pop_first() {
                self.drop_guard(guard);
            }
        }
        while let Some((name, future)) = self.futures.pop_first() {
            self.drop_future(name, &future);
        }
        while let Some(name) = self.closures.first_key_value().map(|(name, _)| *name) {
            self.drop_closure(name);
        }
        for thread in [1, 0] {
            self.active = thread;
            let values = self.current().read();
            self.see(0, Seen::Left(values));
        }
    }
}
