//! Inserts operations that change nothing into programs.

use std::sync::Arc;

use super::{
    observation::{Observation, Seen},
    operation::{Body, Context, Name, Operation, Parent, Poll, Probe, Scope, Snapshot, What, Wrapper},
    random::Random,
    value::{Change, FIELDS},
};

/// Inserted operations have names from here on.
const FIRST: Name = 1000;

pub(crate) fn is_inert(name: Name) -> bool {
    name >= FIRST
}

/// Returns the program with operations that change nothing inserted at some places.
pub(crate) fn with_inert(program: &Body, seed: u64) -> Body {
    let mut inserter = Inserter { random: Random::new(seed ^ 0xABCD), last: FIRST, spans: Vec::new() };
    let mut program = program.clone();
    for _ in 0..1 + inserter.random.below(3) {
        let places = places(&program);
        let place = inserter.random.below(places);
        inserter.spans.clear();
        program = inserter.put(&program, &mut (place as isize));
    }
    program
}

/// Returns the program without them.
pub(crate) fn without_inert(program: &Body) -> Body {
    let operations = program.iter().filter(|operation| !is_inert(operation.name));
    Arc::new(operations.map(|operation| in_bodies(operation, &mut without_inert)).collect())
}

/// Returns what was observed outside of them.
pub(crate) fn seen_outside(seen: Vec<Observation>) -> Vec<Observation> {
    seen.into_iter().filter(|seen| !is_inert(seen.at) || seen.seen == Seen::Open).collect()
}

/// Counts the operations, in bodies too.
pub(crate) fn count(program: &Body) -> usize {
    program.iter().map(|operation| 1 + bodies(operation).into_iter().map(count).sum::<usize>()).sum()
}

/// Counts the places for an insertion: before each operation, and at the end of each body.
fn places(program: &Body) -> usize {
    program.iter().map(|operation| 1 + bodies(operation).into_iter().map(places).sum::<usize>()).sum::<usize>() + 1
}

fn bodies(operation: &Operation) -> Vec<&Body> {
    match &operation.what {
        What::Scope { body, .. } | What::Closure { body, .. } | What::OtherThread(body) => vec![body],
        What::Future { polls, .. } => polls.iter().map(|poll| &poll.body).collect(),
        _ => Vec::new(),
    }
}

fn in_bodies(operation: &Operation, change: &mut dyn FnMut(&Body) -> Body) -> Operation {
    let mut operation = operation.clone();
    match &mut operation.what {
        What::Scope { body, .. } | What::Closure { body, .. } | What::OtherThread(body) => *body = change(body),
        What::Future { polls, .. } => polls.iter_mut().for_each(|poll| poll.body = change(&poll.body)),
        _ => {}
    }
    operation
}

struct Inserter {
    random: Random,
    last: Name,
    /// The spans that were created before the place, in the order of the text.
    spans: Vec<Name>,
}

impl Inserter {
    fn put(&mut self, program: &Body, place: &mut isize) -> Body {
        let mut operations = Vec::new();
        for operation in program.iter() {
            self.put_here(place, &mut operations);
            if let What::Span { .. } = operation.what {
                self.spans.push(operation.name);
            }
            operations.push(in_bodies(operation, &mut |body| self.put(body, place)));
        }
        self.put_here(place, &mut operations);
        Arc::new(operations)
    }

    fn put_here(&mut self, place: &mut isize, operations: &mut Vec<Operation>) {
        if *place == 0 {
            operations.push(self.group(0));
        }
        *place -= 1;
    }

    fn operation(&mut self, what: What) -> Operation {
        self.last += 1;
        Operation { name: self.last, what, probe: Probe::Nothing }
    }

    /// Creates an object, and passes its name to the operations that use it.
    fn then(&mut self, what: What, after: impl FnOnce(Name) -> Vec<What>) -> Vec<Operation> {
        let first = self.operation(what);
        let others: Vec<_> = after(first.name).into_iter().map(|what| self.operation(what)).collect();
        [vec![first], others].concat()
    }

    /// A guard, and its drop.
    fn guarded(&mut self, what: What) -> Vec<Operation> {
        self.then(what, |guard| vec![What::Drop(guard)])
    }

    fn changes(&mut self) -> Vec<Change> {
        let field = FIELDS[self.random.below(3)];
        vec![Change { field, is_set: self.random.happens(3, 4) }]
    }

    fn body(&mut self, depth: usize) -> Body {
        let mut body = Vec::new();
        if depth < 2 && self.random.happens(1, 3) {
            body.push(self.group(depth + 1));
        }
        if self.random.happens(1, 2) {
            body.push(self.operation(What::Look));
        }
        Arc::new(body)
    }

    fn scope(&mut self, scope: Scope, depth: usize) -> Vec<Operation> {
        let body = self.body(depth);
        let panics = self.random.happens(1, 4);
        vec![self.operation(What::Scope { scope, body, panics })]
    }

    fn one_span(&mut self) -> Option<Name> {
        let len = self.spans.len();
        (len > 0).then(|| self.spans[self.random.below(len)])
    }

    /// Wraps operations that change nothing only together, so that none of them is removed alone.
    fn group(&mut self, depth: usize) -> Operation {
        let body = Arc::new(self.inert(depth));
        self.operation(What::Scope { scope: Scope::Block, body, panics: false })
    }

    /// Generates operations that change nothing together.
    fn inert(&mut self, depth: usize) -> Vec<Operation> {
        let span = self.one_span();
        match (self.random.below(17), span) {
            (0, _) => {
                let changes = self.changes();
                self.guarded(What::Attach(changes))
            }
            (1, _) => {
                let changes = self.changes();
                self.guarded(What::Replace(changes))
            }
            (2, _) => {
                let changes = self.changes();
                self.scope(Scope::Set(changes), depth)
            }
            (3, _) => self.scope(Scope::Set(Vec::new()), depth),
            (4, _) => self.scope(Scope::Isolated, depth),
            (5, _) => self.scope(Scope::InCurrentContext, depth),
            (6, _) => self.scope(Scope::Block, depth),
            (7, Some(span)) => self.guarded(What::EnterSpan(span)),
            (8, Some(span)) => self.scope(Scope::Span(span), depth),
            (9, _) => vec![self.operation(What::Snapshot(Snapshot::Capture))],
            (10, _) => {
                let capture = self.operation(What::Snapshot(Snapshot::Capture));
                let entered = self.guarded(What::EnterSnapshot(capture.name));
                [vec![capture], entered].concat()
            }
            (11, _) => {
                let wrapper = match self.random.below(4) {
                    0 => Wrapper::Set(self.changes()),
                    1 => Wrapper::Isolated,
                    2 => span.map_or(Wrapper::InCurrentContext, Wrapper::Span),
                    _ => Wrapper::InCurrentContext,
                };
                let polls = vec![Poll { body: self.body(depth), panics: self.random.happens(1, 4) }];
                self.then(What::Future { wrappers: vec![wrapper], polls }, |future| vec![What::Poll(future)])
            }
            (12, _) => {
                let extract = What::Extract { changes: Vec::new(), has_parent: true };
                let extract = self.operation(extract);
                let attached = self.guarded(What::AttachExtracted(extract.name));
                [vec![extract], attached].concat()
            }
            (13, _) => {
                let how = match self.random.below(4) {
                    0 => Context::New,
                    1 => Context::CurrentWithValue,
                    2 => Context::CurrentWithBaggage(vec![FIELDS[0]]),
                    _ => Context::Current,
                };
                let context = self.operation(What::Context(how));
                let attached = self.guarded(What::AttachContext(context.name));
                [vec![context], attached].concat()
            }
            (14, _) => self.then(What::Span { parent: Parent::Current, is_off: false }, |span| vec![What::Close(span)]),
            (15, _) => {
                let body = self.body(depth);
                self.then(What::Closure { is_isolated: false, body }, |closure| vec![What::Call(closure)])
            }
            _ => {
                let body = self.body(depth);
                vec![self.operation(What::OtherThread(body))]
            }
        }
    }
}
