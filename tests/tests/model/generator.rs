//! Random programs.

use std::sync::Arc;

use super::{
    operation::{Context, Name, Operation, Parent, Poll, Probe, Scope, Snapshot, What, Wrapper},
    random::Random,
    value::{Change, FIELDS, Field},
};

/// Kinds of operations. Each program uses some of them, so that rare ones meet often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Set,
    Replace,
    Span,
    EnterSpan,
    Close,
    Drop,
    Extract,
    Snapshot,
    Context,
    Carried,
    Closure,
    Future,
    Record,
    RecordOn,
    Scope,
    OtherThread,
}

/// Each kind, how often it is chosen, and in how many of four programs it appears.
const KINDS: [(Kind, usize, usize); 16] = [
    (Kind::Set, 4, 4),
    (Kind::Replace, 1, 1),
    (Kind::Span, 3, 4),
    (Kind::EnterSpan, 5, 4),
    (Kind::Close, 1, 2),
    (Kind::Drop, 5, 3),
    (Kind::Extract, 2, 2),
    (Kind::Snapshot, 4, 2),
    (Kind::Context, 4, 2),
    (Kind::Carried, 2, 1),
    (Kind::Closure, 2, 2),
    (Kind::Future, 5, 3),
    (Kind::Record, 6, 3),
    (Kind::RecordOn, 2, 1),
    (Kind::Scope, 5, 3),
    (Kind::OtherThread, 2, 2),
];

/// The depth of nested scopes, futures, and other bodies.
const DEPTH_MOST: usize = 4;

/// Generates a random program of 5 to 40 operations.
pub(crate) fn program(seed: u64) -> Arc<Vec<Operation>> {
    let mut random = Random::new(seed);
    let len = 5 + if random.happens(1, 4) { random.below(36) } else { random.below(16) };
    let kinds = KINDS.into_iter().filter(|(_, _, of_four)| random.happens(*of_four, 4));
    let kinds = kinds.flat_map(|(kind, weight, _)| std::iter::repeat_n(kind, weight)).collect();
    let mut generator = Generator { random, kinds, left: len, ..Generator::default() };
    if generator.kinds.is_empty() {
        generator.kinds.push(Kind::Record);
    }
    let mut operations = Vec::new();
    // Most requests have a span, and many of those some fields.
    if generator.random.happens(3, 4) {
        let kinds = std::mem::take(&mut generator.kinds);
        if generator.random.happens(1, 2) {
            generator.kinds = vec![Kind::Set];
            operations.push(generator.operation(0));
        }
        generator.kinds = vec![Kind::Span];
        operations.push(generator.operation(0));
        generator.kinds = vec![Kind::EnterSpan];
        operations.push(generator.operation(0));
        generator.kinds = kinds;
    }
    while generator.left > 0 {
        operations.push(generator.operation(0));
    }
    Arc::new(operations)
}

struct Generator {
    random: Random,
    kinds: Vec<Kind>,
    /// The number of operations that may follow.
    left: usize,
    last: Name,
    // The objects that exist by now, as far as is known.
    spans: Vec<Name>,
    guards: [Vec<Name>; 2],
    snapshots: Vec<Name>,
    contexts: Vec<Name>,
    extracted: Vec<Name>,
    carried: Vec<Name>,
    closures: Vec<Name>,
    futures: Vec<Name>,
    thread: usize,
}

impl Default for Generator {
    fn default() -> Self {
        Generator {
            random: Random::new(0),
            kinds: Vec::new(),
            left: 0,
            last: 0,
            spans: Vec::new(),
            guards: [Vec::new(), Vec::new()],
            snapshots: Vec::new(),
            contexts: Vec::new(),
            extracted: Vec::new(),
            carried: Vec::new(),
            closures: Vec::new(),
            futures: Vec::new(),
            thread: 0,
        }
    }
}

impl Generator {
    fn operation(&mut self, depth: usize) -> Operation {
        self.last += 1;
        self.left = self.left.saturating_sub(1);
        let name = self.last;
        let what = self.what(name, depth);
        let probe = match self.random.below(8) {
            0 | 1 => Probe::Span,
            2 => Probe::RootSpan,
            3 | 4 => self.of(|all| &all.spans).map_or(Probe::Nothing, Probe::Child),
            _ => Probe::Nothing,
        };
        Operation { name, what, probe }
    }

    /// Chooses an object, mostly one of the last few.
    fn of(&mut self, all: impl Fn(&Self) -> &Vec<Name>) -> Option<Name> {
        let len = all(self).len();
        if len == 0 {
            return None;
        }
        let back = if self.random.happens(1, 2) { self.random.below(len.min(2)) } else { self.random.below(len) };
        Some(all(self)[len - 1 - back])
    }

    fn body(&mut self, most: usize, depth: usize) -> Arc<Vec<Operation>> {
        let len = self.random.below(most + 1).min(self.left);
        let mut operations = Vec::new();
        let end = self.left - len;
        while self.left > end {
            operations.push(self.operation(depth + 1));
        }
        Arc::new(operations)
    }

    fn changes(&mut self) -> Vec<Change> {
        let count = if self.random.happens(1, 4) { 2 } else { 1 };
        let first = self.random.below(3);
        (0..count).map(|at| Change { field: FIELDS[(first + at) % 3], is_set: self.random.happens(4, 5) }).collect()
    }

    fn message(&mut self) -> Vec<Change> {
        let fields = self.baggage();
        fields.into_iter().map(|field| Change { field, is_set: true }).collect()
    }

    fn baggage(&mut self) -> Vec<Field> {
        let some: [&[Field]; 4] = [&[Field::Tenant], &[Field::User], &[Field::Tenant, Field::User], &[]];
        some[self.random.below(4)].to_vec()
    }

    fn guarded(&mut self, name: Name, what: What) -> What {
        self.guards[self.thread].push(name);
        what
    }

    fn what(&mut self, name: Name, depth: usize) -> What {
        let kind = self.kinds[self.random.below(self.kinds.len())];
        match kind {
            Kind::Set => {
                let changes = self.changes();
                self.guarded(name, What::Attach(changes))
            }
            Kind::Replace => {
                let changes = if self.random.happens(1, 3) { Vec::new() } else { self.changes() };
                self.guarded(name, What::Replace(changes))
            }
            Kind::Span => self.span(name),
            Kind::EnterSpan => match self.of(|all| &all.spans) {
                Some(span) => self.guarded(name, What::EnterSpan(span)),
                None => self.span(name),
            },
            Kind::Close => match self.of(|all| &all.spans) {
                Some(span) => What::Close(span),
                None => self.span(name),
            },
            Kind::Drop => {
                let thread = self.thread;
                match self.of(|all| &all.guards[thread]) {
                    Some(guard) => {
                        self.guards[thread].retain(|known| *known != guard);
                        What::Drop(guard)
                    }
                    None => {
                        let changes = self.changes();
                        self.guarded(name, What::Attach(changes))
                    }
                }
            }
            Kind::Extract => match self.of(|all| &all.extracted) {
                Some(extracted) if self.random.happens(2, 3) => self.guarded(name, What::AttachExtracted(extracted)),
                _ => {
                    self.extracted.push(name);
                    What::Extract { changes: self.message(), has_parent: self.random.happens(1, 2) }
                }
            },
            Kind::Snapshot => match self.of(|all| &all.snapshots) {
                Some(snapshot) if self.random.happens(1, 2) => self.guarded(name, What::EnterSnapshot(snapshot)),
                _ => {
                    self.snapshots.push(name);
                    let context = self.of(|all| &all.contexts);
                    What::Snapshot(match (self.random.below(12), context) {
                        (0, _) => Snapshot::Isolated,
                        (1, _) => Snapshot::CaptureContext,
                        (2, _) => Snapshot::WithoutSpan,
                        (5, _) => Snapshot::WithField(FIELDS[self.random.below(3)]),
                        (6, _) => self.of(|all| &all.spans).map_or(Snapshot::Capture, Snapshot::WithSpan),
                        (3, Some(context)) => Snapshot::Restored(context),
                        (4, Some(context)) => Snapshot::Of(context),
                        _ => Snapshot::Capture,
                    })
                }
            },
            Kind::Context => match self.of(|all| &all.contexts) {
                Some(context) if self.random.happens(1, 2) => self.guarded(name, What::AttachContext(context)),
                _ => {
                    self.contexts.push(name);
                    let extracted = self.of(|all| &all.extracted);
                    What::Context(match (self.random.below(9), extracted) {
                        (0 | 1, _) => Context::New,
                        (2 | 3, _) => Context::CurrentWithBaggage(self.baggage()),
                        (4, _) => Context::CurrentWithValue,
                        (6, _) => Context::CurrentWithFields(self.changes()),
                        (5, Some(extracted)) => Context::Extracted(extracted),
                        _ => Context::Current,
                    })
                }
            },
            Kind::Carried => {
                self.carried.push(name);
                What::Carried
            }
            Kind::Closure => match self.of(|all| &all.closures) {
                Some(closure) if self.random.happens(2, 3) => {
                    self.closures.retain(|known| *known != closure);
                    if self.random.happens(1, 5) { What::DropClosure(closure) } else { What::Call(closure) }
                }
                _ => {
                    let body = if depth < DEPTH_MOST { self.body(3, depth) } else { Arc::default() };
                    self.closures.push(name);
                    What::Closure { is_isolated: self.random.happens(1, 3), body }
                }
            },
            Kind::Future => match self.of(|all| &all.futures) {
                Some(future) if self.random.happens(3, 4) => {
                    if self.random.happens(1, 6) {
                        self.futures.retain(|known| *known != future);
                        What::DropFuture(future)
                    } else {
                        What::Poll(future)
                    }
                }
                _ => self.future(name, depth),
            },
            Kind::Record => What::Record(FIELDS[self.random.below(3)]),
            Kind::RecordOn => match self.of(|all| &all.spans) {
                Some(span) => What::RecordOn(span, FIELDS[self.random.below(3)]),
                None => self.span(name),
            },
            Kind::Scope if depth < DEPTH_MOST => {
                let scope = self.scope();
                let body = self.body(4, depth);
                What::Scope { scope, body, panics: self.random.happens(1, 8) }
            }
            Kind::OtherThread if depth < DEPTH_MOST && self.thread == 0 => {
                self.thread = 1;
                let body = self.body(4, depth);
                self.thread = 0;
                What::OtherThread(body)
            }
            Kind::Scope | Kind::OtherThread => {
                let changes = self.changes();
                self.guarded(name, What::Attach(changes))
            }
        }
    }

    fn span(&mut self, name: Name) -> What {
        let parent = match self.random.below(6) {
            0 => Parent::Root,
            1 => self.of(|all| &all.spans).map_or(Parent::Current, Parent::Explicit),
            _ => Parent::Current,
        };
        self.spans.push(name);
        What::Span { parent, is_off: self.random.happens(1, 4) }
    }

    fn scope(&mut self) -> Scope {
        let has = |generator: &Self, kind| generator.kinds.contains(&kind);
        for _ in 0..8 {
            let scope = match self.random.below(10) {
                0 if has(self, Kind::Replace) => Some(Scope::Replace(self.changes())),
                1 | 2 | 9 => self.of(|all| &all.spans).map(Scope::Span),
                3 => self.of(|all| &all.snapshots).map(Scope::Snapshot),
                4 => self.of(|all| &all.extracted).map(Scope::Extracted),
                5 => self.of(|all| &all.carried).map(Scope::Carried),
                6 if has(self, Kind::Closure) => Some(Scope::Isolated),
                7 if has(self, Kind::Closure) => Some(Scope::InCurrentContext),
                8 => Some(Scope::Block),
                _ => None,
            };
            if let Some(scope) = scope {
                return scope;
            }
        }
        Scope::Set(self.changes())
    }

    fn future(&mut self, name: Name, depth: usize) -> What {
        let wrappers = (0..self.random.below(5)).map(|_| self.wrapper()).collect();
        let polls = (0..1 + self.random.below(3))
            .map(|_| Poll {
                body: if depth < DEPTH_MOST { self.body(3, depth) } else { Arc::default() },
                panics: self.random.happens(1, 16),
            })
            .collect();
        self.futures.push(name);
        What::Future { wrappers, polls }
    }

    fn wrapper(&mut self) -> Wrapper {
        let has = |generator: &Self, kind| generator.kinds.contains(&kind);
        let wrapper = match self.random.below(14) {
            0..=3 => self.of(|all| &all.spans).map(Wrapper::Span),
            4 | 5 => Some(Wrapper::InCurrentContext),
            6 | 7 if has(self, Kind::Closure) => Some(Wrapper::Isolated),
            8 if has(self, Kind::Replace) => Some(Wrapper::Replace(self.changes())),
            9 => self.of(|all| &all.snapshots).map(Wrapper::InSnapshot),
            10 => self.of(|all| &all.contexts).map(Wrapper::InContext),
            11 => self.of(|all| &all.contexts).map(Wrapper::Foreign),
            _ => None,
        };
        wrapper.unwrap_or_else(|| Wrapper::Set(self.changes()))
    }
}
