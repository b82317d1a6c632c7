//! The argument `kind = server`.

use syn::{Ident, LitStr, parse::ParseStream};

use crate::errors::did_you_mean;

const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];

/// The kind of a span in OpenTelemetry.
#[derive(Clone, Copy)]
pub(in super::super) struct SpanKind(&'static str);

impl SpanKind {
    pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (word, span) = if let Some(text) = input.parse::<Option<LitStr>>()? {
            (text.value(), text.span())
        } else if let Some(word) = input.parse::<Option<Ident>>()? {
            (word.to_string(), word.span())
        } else {
            return Err(input.error(format_args!("expected a kind: {}", KINDS.join(", "))));
        };
        let kind = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(&word));
        kind.map(|kind| SpanKind(kind)).ok_or_else(|| {
            let hint = did_you_mean(&word, &KINDS);
            syn::Error::new(span, format_args!("unknown kind `{word}`{hint}; expected one of: {}", KINDS.join(", ")))
        })
    }

    /// Returns the value for the OpenTelemetry layer; `None` for its default.
    pub(in super::super) fn exported(self) -> Option<&'static str> {
        (self.0 != "internal").then_some(self.0)
    }
}
