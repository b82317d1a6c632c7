//! The arguments of `#[with_observability(...)]`.

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
    errors::{Errors, did_you_mean},
    input::{after_equals, boolean, entries, library, skip_to_comma, takes, without_arguments, without_value},
};

/// All arguments: first those of `#[tracing::instrument]`, then the additional ones.
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
    /// Parses the arguments, which override those of the surrounding `impl` block. Reports invalid ones and continues
    /// with the next.
    pub(super) fn parse(
        written: TokenStream,
        of_block: ObservabilityArguments,
        errors: &mut Errors,
    ) -> ObservabilityArguments {
        let mut arguments = of_block;
        // Input that ends too early is reported at its last token, not at the whole attribute.
        let last = written.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
        let mut written = Group::new(Delimiter::Parenthesis, written);
        written.set_span(last);
        let parser = |input: ParseStream<'_>| {
            let content;
            parenthesized!(content in input);
            arguments.parse_all(&content, errors)
        };
        if let Err(error) = parser.parse2(TokenTree::from(written).into()) {
            errors.add_error(error);
        }
        arguments
    }

    /// Returns `true` if any of these functions is called for the value of an attribute, a field or a context field.
    pub(super) fn call_any(&self, names: &[Ident]) -> bool {
        let mut left = self.clone();
        left.keep_without_calls_of(names);
        let count =
            |arguments: &Self| arguments.attributes.list().len() + arguments.fields.len() + arguments.context.len();
        count(&left) < count(self)
    }

    /// Removes the attributes, fields and context fields whose values call any of these functions.
    pub(super) fn keep_without_calls_of(&mut self, names: &[Ident]) {
        if let Attributes::List(list) = &mut self.attributes {
            list.retain(|attribute| !calls(attribute.value.to_token_stream(), names));
        }
        self.fields.retain(|field| !calls(field.value.to_token_stream(), names));
        self.context.retain(|context| !calls(context.value.to_token_stream(), names));
    }

    fn parse_all(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            // As with `#[tracing::instrument]`, commas are optional and may be doubled.
            if input.parse::<Option<Token![,]>>()?.is_some() {
                continue;
            }
            let word = if input.peek(LitStr) {
                // `#[instrument("name")]` is `name = "name"`.
                Ident::new("name", input.span())
            } else if input.peek(Ident::peek_any) {
                input.call(Ident::parse_any)?
            } else {
                errors.add_error(input.error("expected the name of an argument, such as `level`"));
                skip_to_comma(input)?;
                continue;
            };
            let name = word.unraw().to_string();
            if name == "set" {
                errors.add_error(error_of_set(input, &word));
                skip_to_comma(input)?;
                continue;
            }
            if !KNOWN.contains(&name.as_str()) {
                let hint = match did_you_mean(&name, KNOWN) {
                    hint if hint.is_empty() => format!("; expected one of: {}", KNOWN.join(", ")),
                    hint => hint,
                };
                errors.add(&word, format_args!("unknown argument `{name}`{hint}"));
                skip_to_comma(input)?;
                continue;
            }
            if seen.contains(&name) {
                errors.add(&word, format_args!("`{name}` is given twice: give it once"));
                skip_to_comma(input)?;
                continue;
            }
            if let Err(error) = self.parse_one(&name, &word, input, errors) {
                errors.add_error(error);
                skip_to_comma(input)?;
            }
            seen.push(name);
        }
        Ok(())
    }

    fn parse_one(&mut self, name: &str, word: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        match name {
            "name" if input.peek(LitStr) => self.name = Some(input.parse()?),
            "name" => self.name = Some(text(input, word, "name = \"load\"")?),
            "target" => self.target = Some(text(input, word, "target = \"my_crate::db\"")?),
            "parent" => self.parent = Some(value(input, word, "parent = &span")?),
            "links" => self.links = Some(value(input, word, "links = messages")?),
            "follows_from" => self.follows_from = Some(value(input, word, "follows_from = causes")?),
            "level" => self.level = Some(Level::parse(after_equals(input, word, "level = \"info\"")?)?),
            "log_level" => self.log_level = Some(Level::parse(after_equals(input, word, "log_level = \"debug\"")?)?),
            "skip" => self.skip = parenthesised(input, word, "skip(a, b)", errors, parameter)?,
            "skip_all" => {
                without_arguments(input, word)?;
                self.skip_all = true;
            }
            "fields" => self.fields = parenthesised(input, word, "fields(rows = 3)", errors, fields::field)?,
            "err" => {
                without_value(input, word, "err` or `err(level = \"warn\")")?;
                self.err = Some(EventArguments::parse(input, word, errors)?);
            }
            "ret" => {
                without_value(input, word, "ret` or `ret(level = \"info\")")?;
                self.ret = Some(EventArguments::parse(input, word, errors)?);
            }
            "kind" => self.kind = Some(SpanKind::parse(after_equals(input, word, "kind = server")?)?),
            "attributes_from_args" => {
                let example = "attributes_from_args = { user_id: \"user.id\" }";
                self.attributes = Attributes::parse(after_equals(input, word, example)?, errors)?;
            }
            "static_attributes" => {
                let example = "static_attributes = { \"component\": \"profile\" }";
                self.static_attributes = attributes::parse_static(after_equals(input, word, example)?, errors)?;
            }
            "log_args" => self.log_args = Some(boolean(input, word)?),
            "log_result" => self.log_result = Some(boolean(input, word)?),
            "log_errors" => self.log_errors = Some(LogErrors::parse(after_equals(input, word, "log_errors = false")?)?),
            "redact" => self.redact = listed(input, word, "redact = [card]", errors, parameter)?,
            "reveal" => self.reveal = listed(input, word, "reveal = [page_token]", errors, parameter)?,
            "context" => self.context = ContextArgument::parse_all(input, word, errors)?,
            "except" => self.except = listed(input, word, "except(new, len)", errors, method)?,
            "crate" => self.library = Some(library(input, word)?),
            _ => return Err(syn::Error::new(word.span(), "this argument is not implemented")),
        }
        Ok(())
    }
}

/// Returns `true` if one of these names is followed by parentheses.
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

/// Parses `= value`.
fn value(input: ParseStream<'_>, word: &Ident, example: &str) -> syn::Result<Expr> {
    after_equals(input, word, example)?.parse()
}

/// Parses `= "text"`, or an expression that may be a string.
fn text(input: ParseStream<'_>, word: &Ident, example: &str) -> syn::Result<Expr> {
    let value = value(input, word, example)?;
    match &value {
        Expr::Lit(literal) if !matches!(literal.lit, Lit::Str(_)) => {
            Err(syn::Error::new_spanned(value, format_args!("`{word}` is a string: write `{example}`, for example")))
        }
        _ => Ok(value),
    }
}

/// Parses `(a, b)`.
fn parenthesised<T>(
    input: ParseStream<'_>,
    word: &Ident,
    example: &str,
    errors: &mut Errors,
    parse: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    if !input.peek(token::Paren) {
        return Err(takes(word, "a list in parentheses", example));
    }
    let content;
    parenthesized!(content in input);
    entries(&content, errors, parse)
}

/// Parses `= [a, b]` or `(a, b)`.
fn listed(
    input: ParseStream<'_>,
    word: &Ident,
    example: &str,
    errors: &mut Errors,
    parse: impl FnMut(ParseStream<'_>) -> syn::Result<Ident>,
) -> syn::Result<Vec<Ident>> {
    if input.peek(token::Paren) {
        return parenthesised(input, word, example, errors, parse);
    }
    let input = after_equals(input, word, example)?;
    if !input.peek(token::Bracket) {
        return Err(input.error(format_args!("expected a list: write `{example}`, for example")));
    }
    let content;
    syn::bracketed!(content in input);
    entries(&content, errors, parse)
}

fn parameter(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), "expected the name of a parameter"))
}

fn method(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), "expected the name of a method"))
}
