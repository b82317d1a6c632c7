//! What was written between the parentheses.

mod attributes;
mod events;
mod fields;
mod level;
mod span_kind;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Expr, Ident, Lit, LitStr, Path, Token,
    ext::IdentExt,
    parenthesized,
    parse::{ParseStream, Parser},
    token,
};

pub(super) use attributes::{Attributes, Key, StaticAttribute};
pub(super) use events::{EventArguments, Format, LogErrors};
pub(super) use fields::{Field, FieldName, Sigil};
pub(super) use level::Level;
pub(super) use span_kind::SpanKind;

use crate::{
    context_argument::{ContextArgument, error_of_set},
    input::{after_equals, alone, boolean, entries, library, skip_to_comma, takes, without_value},
    mistakes::{Mistakes, did_you_mean},
};

/// All arguments, by their names: first those of `#[tracing::instrument]`, then our own.
const KNOWN: &[&str] = &[
    "name",
    "level",
    "target",
    "parent",
    "follows_from",
    "links",
    "skip",
    "skip_all",
    "fields",
    "err",
    "ret",
    "kind",
    "attributes_from_args",
    "static_attributes",
    "log_args",
    "log_result",
    "log_errors",
    "log_level",
    "redact",
    "reveal",
    "context",
    "except",
    "crate",
];

#[derive(Clone, Default)]
pub(super) struct ObservabilityArguments {
    pub(super) name: Option<Expr>,
    pub(super) level: Option<Level>,
    pub(super) target: Option<Expr>,
    pub(super) parent: Option<Expr>,
    pub(super) follows_from: Option<Expr>,
    pub(super) links: Option<Expr>,
    pub(super) skip: Vec<Ident>,
    pub(super) skip_all: bool,
    pub(super) fields: Vec<Field>,
    pub(super) err: Option<EventArguments>,
    pub(super) ret: Option<EventArguments>,
    pub(super) kind: Option<SpanKind>,
    pub(super) attributes: Attributes,
    pub(super) static_attributes: Vec<StaticAttribute>,
    pub(super) log_args: Option<bool>,
    pub(super) log_result: Option<bool>,
    pub(super) log_errors: Option<LogErrors>,
    pub(super) log_level: Option<Level>,
    pub(super) redact: Vec<Ident>,
    pub(super) reveal: Vec<Ident>,
    pub(super) context: Vec<ContextArgument>,
    pub(super) except: Vec<Ident>,
    pub(super) library: Option<Path>,
}

impl ObservabilityArguments {
    /// Reads the arguments, over those of the `impl` block that the function stands in. One that cannot be read costs
    /// none of the others.
    pub(super) fn parse(
        written: TokenStream,
        of_block: ObservabilityArguments,
        mistakes: &mut Mistakes,
    ) -> ObservabilityArguments {
        let mut arguments = of_block;
        // What ends too early is wrong at its last token, not at the whole attribute.
        let last = written.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
        let mut written = Group::new(Delimiter::Parenthesis, written);
        written.set_span(last);
        let parser = |input: ParseStream<'_>| {
            let content;
            parenthesized!(content in input);
            arguments.parse_all(&content, mistakes)
        };
        if let Err(error) = parser.parse2(TokenTree::from(written).into()) {
            mistakes.add_error(error);
        }
        arguments
    }

    /// Whether any of these methods or functions is called for the value of an attribute, a field or a context field.
    pub(super) fn call_any(&self, names: &[Ident]) -> bool {
        let mut left = self.clone();
        left.keep_without_calls_of(names);
        let count =
            |arguments: &Self| arguments.attributes.list().len() + arguments.fields.len() + arguments.context.len();
        count(&left) < count(self)
    }

    /// Takes out the attributes, fields and context fields for whose values any of these is called.
    pub(super) fn keep_without_calls_of(&mut self, names: &[Ident]) {
        if let Attributes::List(list) = &mut self.attributes {
            list.retain(|attribute| !calls(attribute.value.to_token_stream(), names));
        }
        self.fields.retain(|field| !calls(field.value.to_token_stream(), names));
        self.context.retain(|context| !calls(context.value.to_token_stream(), names));
    }

    fn parse_all(&mut self, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<()> {
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            // As with `#[tracing::instrument]`, commas may be left out or doubled.
            if input.parse::<Option<Token![,]>>()?.is_some() {
                continue;
            }
            let word = if input.peek(LitStr) {
                // `#[instrument("name")]` is `name = "name"`.
                Ident::new("name", input.span())
            } else if input.peek(Ident::peek_any) {
                input.call(Ident::parse_any)?
            } else {
                mistakes.add_error(input.error("expected the name of an argument, such as `level`"));
                skip_to_comma(input)?;
                continue;
            };
            let name = word.unraw().to_string();
            if name == "set" {
                mistakes.add_error(error_of_set(input, &word));
                skip_to_comma(input)?;
                continue;
            }
            if !KNOWN.contains(&name.as_str()) {
                let hint = match did_you_mean(&name, KNOWN) {
                    hint if hint.is_empty() => format!("; there are: {}", KNOWN.join(", ")),
                    hint => hint,
                };
                mistakes.add(&word, format_args!("there is no argument `{name}`{hint}"));
                skip_to_comma(input)?;
                continue;
            }
            if seen.contains(&name) {
                mistakes.add(&word, format_args!("`{name}` is given twice: give it once"));
                skip_to_comma(input)?;
                continue;
            }
            if let Err(error) = self.parse_one(&name, &word, input, mistakes) {
                mistakes.add_error(error);
                skip_to_comma(input)?;
            }
            seen.push(name);
        }
        Ok(())
    }

    fn parse_one(
        &mut self,
        name: &str,
        word: &Ident,
        input: ParseStream<'_>,
        mistakes: &mut Mistakes,
    ) -> syn::Result<()> {
        match name {
            "name" if input.peek(LitStr) => self.name = Some(input.parse()?),
            "name" => self.name = Some(text(input, word, "name = \"load\"")?),
            "target" => self.target = Some(text(input, word, "target = \"my_crate::db\"")?),
            "parent" => self.parent = Some(value(input, word, "parent = &span")?),
            "links" => self.links = Some(value(input, word, "links = messages")?),
            "follows_from" => self.follows_from = Some(value(input, word, "follows_from = causes")?),
            "level" => self.level = Some(Level::parse(after_equals(input, word, "level = \"info\"")?)?),
            "log_level" => self.log_level = Some(Level::parse(after_equals(input, word, "log_level = \"debug\"")?)?),
            "skip" => self.skip = parenthesised(input, word, "skip(a, b)", mistakes, parameter)?,
            "skip_all" => {
                alone(input, word)?;
                self.skip_all = true;
            }
            "fields" => self.fields = parenthesised(input, word, "fields(rows = 3)", mistakes, fields::field)?,
            "err" => {
                without_value(input, word, "err` or `err(level = \"warn\")")?;
                self.err = Some(EventArguments::parse(input, word, mistakes)?);
            }
            "ret" => {
                without_value(input, word, "ret` or `ret(level = \"info\")")?;
                self.ret = Some(EventArguments::parse(input, word, mistakes)?);
            }
            "kind" => self.kind = Some(SpanKind::parse(after_equals(input, word, "kind = server")?)?),
            "attributes_from_args" => {
                let example = "attributes_from_args = { user_id: \"user.id\" }";
                self.attributes = Attributes::parse(after_equals(input, word, example)?, mistakes)?;
            }
            "static_attributes" => {
                let example = "static_attributes = { \"component\": \"profile\" }";
                self.static_attributes = attributes::parse_static(after_equals(input, word, example)?, mistakes)?;
            }
            "log_args" => self.log_args = Some(boolean(input, word)?),
            "log_result" => self.log_result = Some(boolean(input, word)?),
            "log_errors" => self.log_errors = Some(LogErrors::parse(after_equals(input, word, "log_errors = false")?)?),
            "redact" => self.redact = listed(input, word, "redact = [card]", mistakes, parameter)?,
            "reveal" => self.reveal = listed(input, word, "reveal = [page_token]", mistakes, parameter)?,
            "context" => self.context = ContextArgument::parse_all(input, word, mistakes)?,
            "except" => self.except = listed(input, word, "except(new, len)", mistakes, method)?,
            "crate" => self.library = Some(library(input, word)?),
            _ => return Err(syn::Error::new(word.span(), "this argument is known but not read")),
        }
        Ok(())
    }
}

/// Whether one of these names stands in front of parentheses.
fn calls(tokens: TokenStream, names: &[Ident]) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_call = tokens.windows(2).any(|pair| match pair {
        [TokenTree::Ident(name), TokenTree::Group(group)] => {
            group.delimiter() == Delimiter::Parenthesis && names.contains(name)
        }
        _ => false,
    });
    is_call || tokens.into_iter().any(|token| matches!(token, TokenTree::Group(group) if calls(group.stream(), names)))
}

/// `= value`
fn value(input: ParseStream<'_>, word: &Ident, example: &str) -> syn::Result<Expr> {
    after_equals(input, word, example)?.parse()
}

/// `= "text"`, or any expression that may be one.
fn text(input: ParseStream<'_>, word: &Ident, example: &str) -> syn::Result<Expr> {
    let value = value(input, word, example)?;
    match &value {
        Expr::Lit(literal) if !matches!(literal.lit, Lit::Str(_)) => {
            Err(syn::Error::new_spanned(value, format_args!("`{word}` is a text: write `{example}`, for example")))
        }
        _ => Ok(value),
    }
}

/// `(a, b)`
fn parenthesised<T>(
    input: ParseStream<'_>,
    word: &Ident,
    example: &str,
    mistakes: &mut Mistakes,
    parse: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    if !input.peek(token::Paren) {
        return Err(takes(word, "a list in parentheses", example));
    }
    let content;
    parenthesized!(content in input);
    entries(&content, mistakes, parse)
}

/// `= [a, b]` or `(a, b)`
fn listed(
    input: ParseStream<'_>,
    word: &Ident,
    example: &str,
    mistakes: &mut Mistakes,
    parse: impl FnMut(ParseStream<'_>) -> syn::Result<Ident>,
) -> syn::Result<Vec<Ident>> {
    if input.peek(token::Paren) {
        return parenthesised(input, word, example, mistakes, parse);
    }
    let input = after_equals(input, word, example)?;
    if !input.peek(token::Bracket) {
        return Err(input.error(format_args!("expected a list: write `{example}`, for example")));
    }
    let content;
    syn::bracketed!(content in input);
    entries(&content, mistakes, parse)
}

fn parameter(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), "expected the name of a parameter"))
}

fn method(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), "expected the name of a method"))
}
