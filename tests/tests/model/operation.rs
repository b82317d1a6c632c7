//! The operations of programs.

use std::{
    fmt::{self, Write},
    sync::Arc,
};

use super::value::{Call, Change, Field};

/// Names an operation, and what it creates: a span, a guard, a future, ...
pub(crate) type Name = u32;

/// Operations that run one after the other.
pub(crate) type Body = Arc<Vec<Operation>>;

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: Name,
    pub(crate) what: What,
    /// An extra check afterwards, besides the current values and those on an event.
    pub(crate) probe: Probe,
}

impl Operation {
    /// The call of the operation. Each operation runs at most once.
    pub(crate) fn call(&self) -> Call {
        Call(self.name * WRAPPERS_MOST)
    }
}

/// A future has fewer wrappers than this.
pub(crate) const WRAPPERS_MOST: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Nothing,
    /// A new span.
    Span,
    /// A new root.
    RootSpan,
    /// An event, and a new span, with an explicit parent.
    Child(Name),
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Nothing: the current fields are observed, as after all others.
    Look,
    /// `attach`, `unset`, `Fields::attach`.
    Attach(Vec<Change>),
    /// `Fields::replace`.
    Replace(Vec<Change>),
    AttachExtracted(Name),
    AttachContext(Name),
    EnterSpan(Name),
    EnterSnapshot(Name),
    /// Drops a guard of this thread.
    Drop(Name),
    Scope {
        scope: Scope,
        body: Body,
        panics: bool,
    },
    /// A span. A disabled one is switched off by the stack's filter, if it has one.
    Span {
        parent: Parent,
        is_off: bool,
    },
    /// Drops the program's handle of a span.
    Close(Name),
    Extract {
        changes: Vec<Change>,
        has_parent: bool,
    },
    Snapshot(Snapshot),
    Context(Context),
    Carried,
    Closure {
        is_isolated: bool,
        body: Body,
    },
    Call(Name),
    DropClosure(Name),
    Future {
        wrappers: Vec<Wrapper>,
        polls: Vec<Poll>,
    },
    Poll(Name),
    DropFuture(Name),
    Record(Field),
    RecordOn(Name, Field),
    OtherThread(Body),
}

#[derive(Clone, Debug)]
pub(crate) enum Scope {
    Set(Vec<Change>),
    Replace(Vec<Change>),
    Span(Name),
    Snapshot(Name),
    Extracted(Name),
    Carried(Name),
    /// `isolated(f)()`.
    Isolated,
    /// `in_current_context(f)()`.
    InCurrentContext,
    /// `with_default` of another subscriber.
    OtherSubscriber,
    /// Nothing but a body.
    Block,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Parent {
    Current,
    Root,
    Explicit(Name),
}

#[derive(Clone, Debug)]
pub(crate) enum Snapshot {
    Capture,
    CaptureContext,
    Isolated,
    Restored(Name),
    Of(Name),
    WithoutSpan,
    WithSpan(Name),
    WithField(Field),
}

#[derive(Clone, Debug)]
pub(crate) enum Context {
    New,
    Current,
    CurrentWithBaggage(Vec<Field>),
    CurrentWithValue,
    /// `Context::current().with_fields(..)`.
    CurrentWithFields(Vec<Change>),
    Extracted(Name),
}

#[derive(Clone, Debug)]
pub(crate) enum Wrapper {
    Set(Vec<Change>),
    Replace(Vec<Change>),
    Span(Name),
    InCurrentContext,
    Isolated,
    InSnapshot(Name),
    InContext(Name),
    /// OpenTelemetry's own `with_context`.
    Foreign(Name),
}

#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) body: Body,
    pub(crate) panics: bool,
}

/// Formats operations as lines.
pub(crate) struct Lines<'a>(pub(crate) &'a [Operation]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(f, self.0, 0)
    }
}

fn lines(f: &mut fmt::Formatter<'_>, operations: &[Operation], depth: usize) -> fmt::Result {
    operations.iter().try_for_each(|operation| line(f, operation, depth))
}

fn line(f: &mut fmt::Formatter<'_>, operation: &Operation, depth: usize) -> fmt::Result {
    let Operation { name, what, probe } = operation;
    let call = operation.call();
    write!(f, "{:1$}{name:>3}: ", "", depth * 4)?;
    let mut bodies: Vec<(String, &Body)> = Vec::new();
    match what {
        What::Look => write!(f, "look")?,
        What::Attach(changes) => write!(f, "let g{name} = {}.attach()", shown(changes, call))?,
        What::Replace(changes) => write!(f, "let g{name} = {}.replace()", shown(changes, call))?,
        What::AttachExtracted(of) => write!(f, "let g{name} = extracted{of}.attach()")?,
        What::AttachContext(of) => write!(f, "let g{name} = context{of}.attach()")?,
        What::EnterSpan(of) => write!(f, "let g{name} = span{of}.entered()")?,
        What::EnterSnapshot(of) => write!(f, "let g{name} = snapshot{of}.enter()")?,
        What::Drop(of) => write!(f, "drop(g{of})")?,
        What::Scope { scope, body, panics } => {
            match scope {
                Scope::Set(changes) => write!(f, "{}.in_scope", shown(changes, call))?,
                Scope::Replace(changes) => write!(f, "{}.replace_in_scope", shown(changes, call))?,
                Scope::Span(of) => write!(f, "span{of}.in_scope")?,
                Scope::Snapshot(of) => write!(f, "snapshot{of}.in_scope")?,
                Scope::Extracted(of) => write!(f, "extracted{of}.in_scope")?,
                Scope::Carried(of) => write!(f, "carried{of}.in_scope")?,
                Scope::Isolated => write!(f, "isolated")?,
                Scope::InCurrentContext => write!(f, "in_current_context")?,
                Scope::OtherSubscriber => write!(f, "with_default(another subscriber)")?,
                Scope::Block => write!(f, "block")?,
            }
            bodies.push((if *panics { "then panics, is caught".into() } else { String::new() }, body));
        }
        What::Span { parent, is_off } => {
            let off = if *is_off { ", below the filter's level" } else { "" };
            match parent {
                Parent::Current => write!(f, "let span{name} = span!(){off}")?,
                Parent::Root => write!(f, "let span{name} = span!(parent: None){off}")?,
                Parent::Explicit(of) => write!(f, "let span{name} = span!(parent: span{of}){off}")?,
            }
        }
        What::Close(of) => write!(f, "drop(span{of})")?,
        What::Extract { changes, has_parent } => write!(
            f,
            "let extracted{name} = extract({}{})",
            shown(changes, call),
            if *has_parent { ", traceparent" } else { "" }
        )?,
        What::Snapshot(snapshot) => match snapshot {
            Snapshot::Capture => write!(f, "let snapshot{name} = Snapshot::capture()")?,
            Snapshot::CaptureContext => write!(f, "let snapshot{name} = Snapshot::capture_context()")?,
            Snapshot::Isolated => write!(f, "let snapshot{name} = Snapshot::isolated()")?,
            Snapshot::Restored(of) => write!(f, "let snapshot{name} = Snapshot::restored(context{of})")?,
            Snapshot::Of(of) => write!(f, "let snapshot{name} = Snapshot::from(context{of})")?,
            Snapshot::WithSpan(of) => write!(f, "let snapshot{name} = Snapshot::capture().with_span(span{of})")?,
            Snapshot::WithField(field) => {
                write!(f, "let snapshot{name} = Snapshot::capture().with_field({})", field.text(call))?
            }
            Snapshot::WithoutSpan => write!(f, "let snapshot{name} = Snapshot::capture().without_span()")?,
        },
        What::Context(context) => match context {
            Context::New => write!(f, "let context{name} = Context::new()")?,
            Context::Current => write!(f, "let context{name} = Context::current()")?,
            Context::CurrentWithBaggage(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| field.text(call)).collect();
                write!(f, "let context{name} = Context::current_with_baggage({fields:?})")?;
            }
            Context::CurrentWithFields(changes) => {
                write!(f, "let context{name} = Context::current().with_fields({})", shown(changes, call))?
            }
            Context::CurrentWithValue => write!(f, "let context{name} = Context::current_with_value(..)")?,
            Context::Extracted(of) => write!(f, "let context{name} = extracted{of}.into_context()")?,
        },
        What::Carried => write!(f, "let carried{name} = Carried::without_span(())")?,
        What::Closure { is_isolated, body } => {
            let of = if *is_isolated { "isolated" } else { "in_current_context" };
            write!(f, "let closure{name} = {of}")?;
            bodies.push((String::new(), body));
        }
        What::Call(of) => write!(f, "closure{of}()")?,
        What::DropClosure(of) => write!(f, "drop(closure{of})")?,
        What::Future { wrappers, polls } => {
            write!(f, "let future{name} = async")?;
            for poll in polls {
                bodies.push((if poll.panics { "poll that panics".into() } else { "poll".into() }, &poll.body));
            }
            let mut after = String::new();
            for (at, wrapper) in wrappers.iter().enumerate() {
                let call = wrapper_call(operation, at);
                match wrapper {
                    Wrapper::Set(changes) => write!(after, ".with_fields({})", shown(changes, call))?,
                    Wrapper::Replace(changes) => write!(after, ".replace_fields({})", shown(changes, call))?,
                    Wrapper::Span(of) => write!(after, ".instrument(span{of})")?,
                    Wrapper::InCurrentContext => write!(after, ".in_current_context()")?,
                    Wrapper::Isolated => write!(after, ".isolated()")?,
                    Wrapper::InSnapshot(of) => write!(after, ".in_context(snapshot{of})")?,
                    Wrapper::InContext(of) => write!(after, ".in_context(context{of})")?,
                    Wrapper::Foreign(of) => write!(after, ".with_context(context{of})")?,
                }
            }
            write!(f, "{after}")?;
        }
        What::Poll(of) => write!(f, "future{of}.poll()")?,
        What::DropFuture(of) => write!(f, "drop(future{of})")?,
        What::Record(field) => write!(f, "{}.record({})", field.name(), field.text(call))?,
        What::RecordOn(of, field) => write!(f, "{}.record_on(span{of}, {})", field.name(), field.text(call))?,
        What::OtherThread(body) => {
            write!(f, "on the other thread")?;
            bodies.push((String::new(), body));
        }
    }
    match probe {
        Probe::Nothing => {}
        Probe::Span => write!(f, "    // then a new span")?,
        Probe::RootSpan => write!(f, "    // then a new root span")?,
        Probe::Child(of) => write!(f, "    // then an event and a span with parent: span{of}")?,
    }
    writeln!(f)?;
    for (title, body) in bodies {
        if !title.is_empty() {
            writeln!(f, "{:1$}     ({title})", "", depth * 4)?;
        }
        lines(f, body, depth + 1)?;
    }
    Ok(())
}

/// Returns the call of a future's wrapper.
pub(crate) fn wrapper_call(operation: &Operation, at: usize) -> Call {
    Call(operation.call().0 + 1 + at as u32)
}

fn shown(changes: &[Change], call: Call) -> String {
    let changes: Vec<_> = changes
        .iter()
        .map(|change| match change.is_set {
            true => change.field.text(call),
            false => format!("no {}", change.field.name()),
        })
        .collect();
    format!("({})", changes.join(", "))
}
