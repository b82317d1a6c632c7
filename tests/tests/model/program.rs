//! Programs that are written by hand, with their expected results.

use std::sync::Arc;

use super::{
    model::expected,
    observation::{Observation, Seen, agree},
    operation::{Body, Name, Operation, Parent, Poll as OnePoll, Probe, Scope as Within, What, Wrapper},
    runner::Threads,
    stack::Stack,
    value::{Change, FIELDS, Values},
};
use What::*;

/// Runs a program, and compares the current values after some of its operations. A value is shown as the first letter
/// of its field and the operation that set it.
pub(crate) fn says<const N: usize>(program: Vec<Operation>, lines: [(Name, &str); N]) {
    let program = Arc::new(program);
    let wanted = expected(&program, false);
    for (at, line) in lines {
        assert_eq!(shown(&wanted, at), line, "in the model, after {at}");
    }
    for stack in [Stack::Plain, Stack::OpenTelemetry] {
        let seen = Threads::new(stack.dispatches()).run(&program);
        for (at, line) in lines {
            assert_eq!(shown(&seen, at), line, "after {at}, {stack:?}");
        }
        assert!(agree(&seen, &wanted), "{stack:?}: {seen:#?}, by the rules {wanted:#?}");
    }
}

pub(crate) fn shown(seen: &[Observation], at: Name) -> String {
    let found = seen.iter().find_map(|seen| match seen {
        Observation { at: here, seen: Seen::Get(values) } if *here == at => Some(*values),
        _ => None,
    });
    let Values(values) = found.expect("the operation was run");
    let values = FIELDS.iter().zip(values).filter_map(|(field, value)| Some((field, value?)));
    values.map(|(field, value)| format!("{}{}", &field.name()[..1], value.0 / 8)).collect::<Vec<_>>().join(" ")
}

pub(crate) fn op(name: Name, what: What) -> Operation {
    Operation { name, what, probe: Probe::Nothing }
}

pub(crate) fn body(operations: impl IntoIterator<Item = Operation>) -> Body {
    Arc::new(operations.into_iter().collect())
}

/// A scope. Operations in it observe its fields.
pub(crate) fn within<const N: usize>(name: Name, scope: Within, operations: [Operation; N]) -> Operation {
    op(name, Scope { scope, body: body(operations), panics: false })
}

/// A future with one poll, which observes its fields.
pub(crate) fn looking(name: Name, wrappers: impl Into<Vec<Wrapper>>, look: Name) -> Operation {
    let polls = vec![OnePoll { body: body([op(look, Look)]), panics: false }];
    op(name, Future { wrappers: wrappers.into(), polls })
}

pub(crate) fn span(name: Name) -> Operation {
    op(name, Span { parent: Parent::Current, is_off: false })
}

/// `"t u"` sets the tenant and the user, `"-r"` unsets the role.
pub(crate) fn fields(text: &str) -> Vec<Change> {
    let change = |word: &str| {
        let name = word.trim_start_matches('-');
        let field = FIELDS.into_iter().find(|field| field.name().starts_with(name)).expect("it is a field");
        Change { field, is_set: name == word }
    };
    text.split_whitespace().map(change).collect()
}

pub(crate) fn set(text: &str) -> Within {
    Within::Set(fields(text))
}

pub(crate) fn with(text: &str) -> Wrapper {
    Wrapper::Set(fields(text))
}
