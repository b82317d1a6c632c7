//! The arguments `err(level = "warn", Debug)`, `ret(Display)` and `log_errors = every_level`.

use proc_macro2::Span;
use syn::{Ident, LitBool, parenthesized, parse::ParseStream, token};

use super::Level;
use crate::errors::{Errors, did_you_mean};
use crate::input::{after_equals, entries};

/// The format of a value on an event, and the span where it was requested.
#[derive(Clone, Copy)]
pub(in super::super) enum Format {
    Display(Span),
    Debug(Span),
}

/// The arguments of `err` and `ret`.
#[derive(Clone)]
pub(in super::super) struct EventArguments {
    pub(in super::super) level: Option<Level>,
    pub(in super::super) format: Option<Format>,
    /// The span of `err` or `ret`.
    pub(in super::super) word: Span,
}

enum EventArgument {
    Level(Ident, Level),
    Format(Format),
}

impl EventArguments {
    pub(super) fn parse(input: ParseStream<'_>, word: &Ident, errors: &mut Errors) -> syn::Result<Self> {
        let mut arguments = EventArguments { level: None, format: None, word: word.span() };
        if !input.peek(token::Paren) {
            return Ok(arguments);
        }
        let content;
        parenthesized!(content in input);
        for argument in entries(&content, errors, argument)? {
            match argument {
                EventArgument::Level(word, _) if arguments.level.is_some() => {
                    errors.add(word, "`level` is given twice: give it once");
                }
                EventArgument::Level(_, level) => arguments.level = Some(level),
                EventArgument::Format(Format::Display(span) | Format::Debug(span)) if arguments.format.is_some() => {
                    errors.add_error(syn::Error::new(span, "the format is given twice: give it once"));
                }
                EventArgument::Format(format) => arguments.format = Some(format),
            }
        }
        Ok(arguments)
    }
}

fn argument(input: ParseStream<'_>) -> syn::Result<EventArgument> {
    let Some(word) = input.parse::<Option<Ident>>()? else {
        return Err(input.error("expected `level = ...`, `Debug` or `Display`"));
    };
    match word.to_string().as_str() {
        "level" => {
            let input = after_equals(input, &word, "level = \"warn\"")?;
            Ok(EventArgument::Level(word, Level::parse(input)?))
        }
        "Debug" => Ok(EventArgument::Format(Format::Debug(word.span()))),
        "Display" => Ok(EventArgument::Format(Format::Display(word.span()))),
        other => {
            let hint = did_you_mean(other, &["level", "Debug", "Display"]);
            let message = format!("unknown option `{other}`{hint}: expected `level = ...`, `Debug` or `Display`");
            Err(syn::Error::new(word.span(), message))
        }
    }
}

/// Which of the functions that an error passes through log it.
#[derive(Clone, Copy, PartialEq)]
pub(in super::super) enum LogErrors {
    Never,
    /// The first function only.
    Once,
    EveryLevel,
}

impl LogErrors {
    pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if let Some(value) = input.parse::<Option<LitBool>>()? {
            return Ok(if value.value { LogErrors::Once } else { LogErrors::Never });
        }
        match input.parse::<Option<Ident>>()? {
            Some(word) if word == "every_level" => Ok(LogErrors::EveryLevel),
            Some(word) => Err(syn::Error::new(word.span(), "`log_errors` is `true`, `false` or `every_level`")),
            None => Err(input.error("`log_errors` is `true`, `false` or `every_level`")),
        }
    }
}
