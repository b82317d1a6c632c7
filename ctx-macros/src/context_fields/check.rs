//! What is wrong with what was written. What is found wrong is taken out, so that the rest still compiles.

use std::collections::HashMap;

use syn::{Expr, ExprLit, Lit};

use super::syntax::{Declaration, Declarations, Policy};
use crate::mistakes::{Mistakes, did_you_mean};

/// The methods of `ctx_layer::Policy` that make one, and what they take.
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

pub(super) fn check(declarations: &mut Declarations, mistakes: &mut Mistakes) {
    names(&declarations.fields, mistakes);
    for field in &mut declarations.fields {
        policies(&mut field.policies, mistakes);
    }
}

/// One name, one field. Whether a name is legal, the library says: it knows names that are no literals, too.
fn names(fields: &[Declaration], mistakes: &mut Mistakes) {
    let mut seen = HashMap::new();
    for field in fields {
        if let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = &field.name
            && let Some(earlier) = seen.insert(name.value(), &field.key)
        {
            mistakes.add(
                name,
                format_args!("the name {:?} is `{earlier}`'s already: give each field a name of its own", name.value()),
            );
        }
    }
}

fn policies(policies: &mut Vec<Policy>, mistakes: &mut Mistakes) {
    let mut seen: Vec<String> = Vec::new();
    policies.retain(|policy| {
        let word = policy.word.to_string();
        let mistake = mistake_of(policy, &word, &seen);
        if let Some(mistake) = &mistake {
            mistakes.add(&policy.word, mistake);
        }
        seen.push(word);
        mistake.is_none()
    });
}

fn mistake_of(policy: &Policy, word: &str, seen: &[String]) -> Option<String> {
    let Some((_, with_argument)) = POLICIES.iter().find(|(known, _)| *known == word) else {
        let known: Vec<&str> = POLICIES.iter().map(|(known, _)| *known).collect();
        let hint = did_you_mean(word, &known);
        return Some(format!("there is no policy `{word}`{hint}; there are: {}", known.join(", ")));
    };
    if seen.iter().any(|seen| seen == word) {
        return Some(format!("`{word}` is said twice: say it once"));
    }
    let other = match word {
        "masked" => "hashed",
        "hashed" => "masked",
        _ => "",
    };
    if seen.iter().any(|seen| seen == other) {
        return Some(format!("a field is either `masked` or `hashed`: `{other}` was said before"));
    }
    match (with_argument, policy.arguments.as_ref().map(|arguments| arguments.len())) {
        (None, None) | (Some(_), Some(1)) => None,
        (None, Some(_)) => Some(format!("`{word}` takes no argument: write `{word}`")),
        (Some(example), _) => Some(format!("`{word}` takes one argument: write `{example}`, for example")),
    }
}
