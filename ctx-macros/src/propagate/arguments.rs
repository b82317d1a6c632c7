//! The arguments of `#[propagate(...)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Expr, Ident, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    context_argument::{ContextArgument, error_of_set},
    errors::{Errors, did_you_mean},
    expression::is_constant_name,
    functions::Parameters,
    input::{after_equals, check_known, library, skip_to_comma, without_arguments},
};

const KNOWN: &[&str] = &["context", "from", "trust", "into", "isolated", "links", "crate"];

/// How far restored context is trusted.
pub(super) enum Trust {
    /// `internal` or `external`.
    Word(Ident),
    /// Any expression of type `Trust`.
    Value(Expr),
}

#[derive(Default)]
pub(super) struct PropagateArguments {
    pub(super) context: Vec<ContextArgument>,
    pub(super) from: Option<Expr>,
    pub(super) trust: Option<(Ident, Trust)>,
    pub(super) into: Option<Expr>,
    pub(super) isolated: Option<Ident>,
    pub(super) links: Option<Expr>,
    pub(super) library: Option<Path>,
}

impl PropagateArguments {
    /// Parses the arguments. Reports invalid ones and continues with the next.
    pub(super) fn parse(written: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = PropagateArguments::default();
        let result = (|input: ParseStream<'_>| arguments.parse_all(input, errors)).parse2(written);
        if let Err(error) = result {
            errors.add_error(error);
        }
        arguments
    }

    fn parse_all(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            if input.parse::<Option<Token![,]>>()?.is_some() {
                continue;
            }
            let result = input
                .call(Ident::parse_any)
                .map_err(|error| syn::Error::new(error.span(), format_args!("expected one of: {}", KNOWN.join(", "))));
            let result = result.and_then(|word| {
                if word == "set" {
                    return Err(error_of_set(input, &word));
                }
                let name = check_known(&word, KNOWN, &mut seen)?;
                self.parse_one(&name, word, input, errors)?;
                match input.is_empty() || input.peek(Token![,]) {
                    true => Ok(()),
                    false => Err(input.error("expected `,`")),
                }
            });
            if let Err(error) = result {
                errors.add_error(error);
                skip_to_comma(input)?;
            }
        }
        Ok(())
    }

    fn parse_one(&mut self, name: &str, word: Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        match name {
            "context" => self.context = ContextArgument::parse_all(input, &word, errors)?,
            "from" => self.from = Some(after_equals(input, &word, "from = headers")?.parse()?),
            "into" => self.into = Some(after_equals(input, &word, "into = headers")?.parse()?),
            "links" => self.links = Some(after_equals(input, &word, "links = messages")?.parse()?),
            "trust" => {
                let trust = trust(after_equals(input, &word, "trust = internal")?)?;
                self.trust = Some((word, trust));
            }
            "isolated" => {
                without_arguments(input, &word)?;
                self.isolated = Some(word);
            }
            _ => self.library = Some(library(input, &word)?),
        }
        Ok(())
    }

    /// Returns the path of the library.
    pub(super) fn library(&self) -> TokenStream {
        self.library.as_ref().map_or_else(|| quote!(::ctx_layer), ToTokens::to_token_stream)
    }

    /// Returns `true` if the arguments only capture, which has no effect on a synchronous function.
    pub(super) fn only_captures(&self) -> bool {
        self.context.is_empty()
            && self.from.is_none()
            && self.into.is_none()
            && self.isolated.is_none()
            && self.links.is_none()
    }
}

impl ToTokens for PropagateArguments {
    /// Writes the arguments as they were parsed.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let PropagateArguments { context, from, trust, into, isolated, links, library } = self;
        if !context.is_empty() {
            let context = context.iter().map(|ContextArgument { value, field }| quote!(#value: #field));
            tokens.extend(quote!(context = { #(#context),* },));
        }
        let from = from.iter();
        let into = into.iter();
        let links = links.iter();
        let isolated = isolated.iter();
        let library = library.iter();
        let trust = trust.iter().map(|(_, trust)| match trust {
            Trust::Word(word) => word.to_token_stream(),
            Trust::Value(value) => value.to_token_stream(),
        });
        tokens.extend(quote! {
            #(from = #from,)* #(trust = #trust,)* #(into = #into,)* #(#isolated,)* #(links = #links,)* #(crate = #library,)*
        });
    }
}

fn trust(input: ParseStream<'_>) -> syn::Result<Trust> {
    let value: Expr = input.parse()?;
    let word = match &value {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Lit(_) => return Err(syn::Error::new_spanned(value, EXPECTED_TRUST)),
        _ => None,
    };
    match word {
        Some(word) if word == "internal" || word == "external" => Ok(Trust::Word(word.clone())),
        _ => Ok(Trust::Value(value)),
    }
}

impl Trust {
    /// Returns a word that is neither a trust nor a parameter, with the error.
    pub(super) fn unknown_word(&self, parameters: &Parameters) -> Option<(&Ident, String)> {
        let Trust::Value(Expr::Path(path)) = self else { return None };
        let word = path.path.get_ident().filter(|word| !parameters.has(word) && !is_constant_name(word))?;
        let hint = did_you_mean(&word.to_string(), &["internal", "external"]);
        Some((word, format!("unknown trust `{word}`{hint}: {EXPECTED_TRUST}")))
    }
}

const EXPECTED_TRUST: &str = "expected `internal`, `external` or a `ctx_layer::propagation::Trust`";
