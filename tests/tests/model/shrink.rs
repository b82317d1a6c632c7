//! Shrinks a failing program: operations are removed as long as it fails.

use std::sync::Arc;

use super::{
    inert::is_inert,
    operation::{Body, Operation, Poll, Probe, What},
};

/// Returns the smallest program that still fails, found by removing one thing after the other.
pub(crate) fn shrink(program: &Body, fails: impl Fn(&Body) -> bool) -> Body {
    let mut smallest = program.clone();
    loop {
        let smaller = candidates(&smallest).into_iter().map(Arc::new).find(&fails);
        match smaller {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

/// Returns every program that has one thing less.
fn candidates(operations: &[Operation]) -> Vec<Vec<Operation>> {
    let mut all = Vec::new();
    let mut half = operations.len() / 2;
    while half > 1 {
        for start in (0..operations.len()).step_by(half) {
            let end = (start + half).min(operations.len());
            all.push([&operations[..start], &operations[end..]].concat());
        }
        half /= 2;
    }
    for (at, operation) in operations.iter().enumerate() {
        let with = |others: Vec<Operation>| [&operations[..at], &others, &operations[at + 1..]].concat();
        all.push(with(Vec::new()));
        if is_inert(operation.name) {
            continue;
        }
        // A body in place of its operation.
        if let What::Scope { body, .. } | What::OtherThread(body) = &operation.what {
            all.push(with(body.to_vec()));
        }
        if operation.probe != Probe::Nothing {
            all.push(with(vec![Operation { probe: Probe::Nothing, ..operation.clone() }]));
        }
        all.extend(less(&operation.what).into_iter().map(|what| with(vec![Operation { what, ..operation.clone() }])));
    }
    all
}

/// Returns the operation with less in it.
fn less(what: &What) -> Vec<What> {
    let bodies = |body: &Body| candidates(body).into_iter().map(Arc::new);
    match what {
        What::Scope { scope, body, panics } => {
            let mut all: Vec<_> =
                bodies(body).map(|body| What::Scope { scope: scope.clone(), body, panics: *panics }).collect();
            if *panics {
                all.push(What::Scope { scope: scope.clone(), body: body.clone(), panics: false });
            }
            all
        }
        What::OtherThread(body) => bodies(body).map(What::OtherThread).collect(),
        What::Closure { is_isolated, body } => {
            bodies(body).map(|body| What::Closure { is_isolated: *is_isolated, body }).collect()
        }
        What::Future { wrappers, polls } => {
            let mut all = Vec::new();
            // From the end, because a wrapper's index identifies its call.
            if let Some((_, others)) = wrappers.split_last() {
                all.push(What::Future { wrappers: others.to_vec(), polls: polls.clone() });
            }
            if let Some((_, others)) = wrappers.split_first() {
                all.push(What::Future { wrappers: others.to_vec(), polls: polls.clone() });
            }
            for at in 0..polls.len() {
                let mut others = polls.clone();
                others.remove(at);
                if !others.is_empty() {
                    all.push(What::Future { wrappers: wrappers.clone(), polls: others });
                }
                let with = |poll| {
                    let mut others = polls.clone();
                    others[at] = poll;
                    What::Future { wrappers: wrappers.clone(), polls: others }
                };
                all.extend(bodies(&polls[at].body).map(|body| with(Poll { body, ..polls[at].clone() })));
                if polls[at].panics {
                    all.push(with(Poll { panics: false, ..polls[at].clone() }));
                }
            }
            all
        }
        What::Attach(changes) if changes.len() > 1 => {
            changes.iter().map(|change| What::Attach(vec![*change])).collect()
        }
        What::Replace(changes) if !changes.is_empty() => vec![What::Replace(changes[1..].to_vec())],
        _ => Vec::new(),
    }
}
