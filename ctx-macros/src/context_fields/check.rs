//! Checking the declarations. Invalid parts are reported and removed, so that the rest still compiles.

use std::collections::HashMap;

use syn::{Expr, ExprLit, Lit};

use super::syntax::{Declaration, Declarations, Policy};
use crate::errors::{Errors, did_you_mean};

/// The settings of `ctx_layer::Policy`, with an example of those that take an argument.
const POLICIES: &[(&str, Option<&str>)] = &[
    ("spans", Some("spans(false)")),
    ("events", Some("events(false)")),
    ("metrics", Some("metrics(true)")),
    ("propagated", None),
    ("propagated_in_plaintext", None),
    ("baggage_key", Some("baggage_key(\"key\")")),
    ("from_baggage", Some("from_baggage(false)")),
    ("masked", None),
    ("hashed", None),
    ("max_len", Some("max_len(64)")),
];

pub(super) fn check(declarations: &mut Declarations, errors: &mut Errors) {
    names(&declarations.fields, errors);
    for field in &mut declarations.fields {
        policies(&mut field.policies, errors);
    }
}

/// Checks that names are unique. The library checks that they are legal, including names that are not literals.
fn names(fields: &[Declaration], errors: &mut Errors) {
    let mut seen = HashMap::new();
    for field in fields {
        if let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = &field.name
            && let Some(earlier) = seen.insert(name.value(), &field.key)
        {
            errors.add(
                name,
                format_args!(
                    "the name {:?} is already used by `{earlier}`: give each field a unique name",
                    name.value()
                ),
            );
        }
    }
}

fn policies(policies: &mut Vec<Policy>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    policies.retain(|policy| {
        let word = policy.word.to_string();
        let error = policy_error(policy, &word, &seen);
        if let Some(error) = &error {
            errors.add(&policy.word, error);
        }
        seen.push(word);
        error.is_none()
    });
}

fn policy_error(policy: &Policy, word: &str, seen: &[String]) -> Option<String> {
    let Some((_, with_argument)) = POLICIES.iter().find(|(known, _)| *known == word) else {
        let known: Vec<&str> = POLICIES.iter().map(|(known, _)| *known).collect();
        let hint = did_you_mean(word, &known);
        return Some(format!("unknown policy `{word}`{hint}; expected one of: {}", known.join(", ")));
    };
    if seen.iter().any(|seen| seen == word) {
        return Some(format!("`{word}` is given twice: give it once"));
    }
    let other = match word {
        "masked" => "hashed",
        "hashed" => "masked",
        _ => "",
    };
    if seen.iter().any(|seen| seen == other) {
        return Some(format!("a field is either `masked` or `hashed`: `{other}` is already given"));
    }
    match (with_argument, policy.arguments.as_ref().map(|arguments| arguments.len())) {
        (None, None) | (Some(_), Some(1)) => None,
        (None, Some(_)) => Some(format!("`{word}` takes no argument: write `{word}`")),
        (Some(example), _) => Some(format!("`{word}` takes one argument: write `{example}`, for example")),
    }
}
