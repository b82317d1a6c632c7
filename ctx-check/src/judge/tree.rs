//! The spans of a trace as a tree.

use crate::{
    model::{Kind, SpanId},
    store::{Flags, StoredSpan},
};

/// The parent of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// It has none.
    Root,
    /// It has one that is not in the trace.
    Missing,
    /// The number of the span that is its parent.
    Span(u32),
}

/// The spans of a trace, each once, with their relations.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// In the order of their ids.
    pub(super) spans: Vec<StoredSpan>,
    pub(super) parents: Vec<Parent>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    /// Parents before children. Spans in a circle are not in it.
    pub(super) order: Vec<u32>,
    /// Spans that came more than once, the same.
    pub(super) repeated: u64,
    /// Different spans with the id of another one.
    pub(super) same_id: Vec<StoredSpan>,
}

const NONE: u32 = u32::MAX;
/// The mask that makes the id of the server's half of a shared span. Only its difference matters.
const SERVER_HALF: u64 = 0x9e37_79b9_7f4a_7c15;

impl Tree {
    /// Builds the tree of spans that are sorted by their ids.
    pub(super) fn build(&mut self, spans: &[StoredSpan]) {
        self.spans.clear();
        self.same_id.clear();
        self.repeated = 0;
        let mut shared: Vec<StoredSpan> = Vec::new();
        for span in spans {
            let twin = self.spans.last().filter(|last| last.span_id == span.span_id);
            match twin {
                None => self.spans.push(*span),
                // The part that has a time is the one to judge by; it comes after those without.
                Some(twin) if is_part(twin, span) || shared.iter().any(|half| is_part_of_half(half, span)) => {
                    if twin.start == 0
                        && let Some(last) = self.spans.last_mut()
                    {
                        *last = *span;
                    }
                }
                Some(twin) if is_repeated(twin, span) => self.repeated += 1,
                Some(twin) if is_shared(twin, span) => {
                    // The client's half is the parent of the server's.
                    let is_server = span.kind == Kind::Server;
                    let (client, server) = if is_server { (*twin, *span) } else { (*span, *twin) };
                    if let Some(last) = self.spans.last_mut() {
                        *last = client;
                    }
                    let id = SpanId(server.span_id.0 ^ SERVER_HALF);
                    if !shared.iter().any(|known| known.span_id == id) {
                        shared.push(StoredSpan { span_id: id, parent_id: client.span_id, ..server });
                    }
                }
                Some(_) => self.same_id.push(*span),
            }
        }
        if !shared.is_empty() {
            // What the server's half caused names the shared id as its parent.
            for span in &mut self.spans {
                let server = shared.iter().find(|server| server.span_id.0 ^ SERVER_HALF == span.parent_id.0);
                if let Some(server) = server.filter(|server| server.service == span.service) {
                    span.parent_id = server.span_id;
                }
            }
            self.spans.extend(shared);
            self.spans.sort_unstable_by_key(|span| span.span_id);
        }
        self.relate();
    }

    fn relate(&mut self) {
        let count = self.spans.len();
        self.parents.clear();
        self.first_child.clear();
        self.first_child.resize(count, NONE);
        self.next_sibling.clear();
        self.next_sibling.resize(count, NONE);
        for span in &self.spans {
            self.parents.push(if span.parent_id.is_none() {
                Parent::Root
            } else {
                self.find(span.parent_id).map_or(Parent::Missing, Parent::Span)
            });
        }
        self.order.clear();
        for (number, parent) in self.parents.iter().enumerate() {
            match parent {
                Parent::Span(parent) => {
                    self.next_sibling[number] = self.first_child[*parent as usize];
                    self.first_child[*parent as usize] = number as u32;
                }
                Parent::Root | Parent::Missing => self.order.push(number as u32),
            }
        }
        let mut at = 0;
        while let Some(number) = self.order.get(at) {
            let mut child = self.first_child[*number as usize];
            while child != NONE {
                self.order.push(child);
                child = self.next_sibling[child as usize];
            }
            at += 1;
        }
    }

    /// Returns the number of a span.
    pub(super) fn find(&self, id: SpanId) -> Option<u32> {
        self.spans.binary_search_by_key(&id, |span| span.span_id).ok().map(|number| number as u32)
    }

    /// Returns the spans whose parent a span is.
    pub(super) fn children(&self, number: u32) -> impl Iterator<Item = &StoredSpan> {
        self.child_numbers(number).map(|child| &self.spans[child as usize])
    }

    /// Returns the numbers of the spans whose parent a span is.
    pub(super) fn child_numbers(&self, number: u32) -> impl Iterator<Item = u32> {
        let mut next = self.first_child[number as usize];
        std::iter::from_fn(move || {
            let child = next;
            next = *self.next_sibling.get(child as usize)?;
            Some(child)
        })
    }

    /// Returns the parent of a span, if it is there.
    pub(super) fn parent(&self, number: u32) -> Option<(u32, &StoredSpan)> {
        match self.parents[number as usize] {
            Parent::Span(parent) => Some((parent, &self.spans[parent as usize])),
            Parent::Root | Parent::Missing => None,
        }
    }

    /// Returns spans that are their own ancestors.
    pub(super) fn circles(&self) -> impl Iterator<Item = &StoredSpan> {
        let mut is_reached = vec![self.order.len() == self.spans.len(); self.spans.len()];
        if self.order.len() < self.spans.len() {
            self.order.iter().for_each(|number| is_reached[*number as usize] = true);
        }
        self.spans.iter().zip(is_reached).filter(|(_, is_reached)| !is_reached).map(|(span, _)| span)
    }
}

/// A delivery that came twice: the same times, the same service, the same parent.
fn is_repeated(first: &StoredSpan, second: &StoredSpan) -> bool {
    (first.start, first.end, first.service, first.parent_id, first.kind, first.name)
        == (second.start, second.end, second.service, second.parent_id, second.kind, second.name)
}

/// Two reports of one span, as Zipkin's tracers send it in parts: of the same service, on the same side. A part without a time, which
/// only adds annotations, has no side.
fn is_part(first: &StoredSpan, second: &StoredSpan) -> bool {
    let is_same_side = first.kind == second.kind && first.flags.has(Flags::SHARED) == second.flags.has(Flags::SHARED);
    first.flags.has(Flags::NO_LINKS)
        && second.flags.has(Flags::NO_LINKS)
        && (first.start == 0 || first.service == second.service && is_same_side)
}

/// A further report of the server's half.
fn is_part_of_half(half: &StoredSpan, span: &StoredSpan) -> bool {
    SpanId(half.span_id.0 ^ SERVER_HALF) == span.span_id
        && half.service == span.service
        && half.kind == span.kind
        && span.flags.has(Flags::NO_LINKS)
}

/// The two halves of a span with one id, as Zipkin's tracers share it.
fn is_shared(first: &StoredSpan, second: &StoredSpan) -> bool {
    first.flags.has(Flags::SHARED) != second.flags.has(Flags::SHARED)
        || matches!((first.kind, second.kind), (Kind::Client, Kind::Server) | (Kind::Server, Kind::Client))
            && first.service != second.service
}
