//! Strategies of `proptest`.

use proptest::{collection::vec, option, prelude::*};

/// Returns valid values of `traceparent`, of this version and of later ones.
pub fn traceparent() -> impl Strategy<Value = String> {
    ("[0-9a-f]{32}", "[0-9a-f]{16}", "[0-9a-f]{2}", prop_oneof![4 => Just("00"), 1 => Just("01")])
        .prop_filter("ids are not zero", |(trace, span, ..)| {
            [trace, span].iter().all(|id| id.bytes().any(|b| b != b'0'))
        })
        .prop_map(|(trace, span, flags, version)| format!("{version}-{trace}-{span}-{flags}"))
}

/// Returns values of fields that may be sent: without control characters, and not empty.
pub fn field_value() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 _.%,;=+\"\\\\äß€-]{1,24}".prop_filter("not blank", |value| !value.trim().is_empty())
}

/// Returns valid values of `baggage`, with and without properties and blanks.
pub fn baggage() -> impl Strategy<Value = String> {
    let member =
        ("[a-z][a-z0-9_.-]{0,15}", "[a-zA-Z0-9_.-]{0,16}(%[2-7][0-9A-E])?", option::of("[a-z]{1,5}(=[a-z]{1,5})?"));
    let member = member.prop_map(|(key, value, property)| match property {
        Some(property) => format!("{key}={value};{property}"),
        None => format!("{key}={value}"),
    });
    vec(member, 1..8).prop_map(|members| members.join(", "))
}

/// Returns headers that nobody should send: [hostile](super::hostile_headers) ones, random text, and valid ones with a change.
pub fn hostile_headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let known = proptest::sample::select(super::hostile_headers()).prop_map(|(_, headers)| headers);
    let name = || prop_oneof![Just("traceparent"), Just("tracestate"), Just("baggage")];
    let random = vec((name(), "\\PC{0,64}"), 0..4)
        .prop_map(|headers| headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let changed = (traceparent(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(valid, at, other)| {
        let mut changed: Vec<char> = valid.chars().collect();
        let at = at.index(changed.len());
        changed[at] = other;
        vec![("traceparent".to_owned(), changed.into_iter().collect())]
    });
    prop_oneof![known, random, changed]
}
