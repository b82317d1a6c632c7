//! What was written between the parentheses.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Expr, Ident, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    context_argument::{ContextArgument, error_of_set},
    expression::is_constant_name,
    function::Parameters,
    input::{after_equals, alone, library, skip_to_comma},
    mistakes::{Mistakes, did_you_mean},
};

const KNOWN: &[&str] = &["context", "from", "trust", "into", "isolated", "links", "crate"];

/// How far what is restored is believed.
pub(super) enum Trust {
    /// `internal`, `external`
    Word(Ident),
    /// Any expression that is one.
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
    /// Reads the arguments. One that cannot be read costs none of the others.
    pub(super) fn parse(written: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut arguments = PropagateArguments::default();
        let result = (|input: ParseStream<'_>| arguments.parse_all(input, mistakes)).parse2(written);
        if let Err(error) = result {
            mistakes.add_error(error);
        }
        arguments
    }

    fn parse_all(&mut self, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<()> {
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            if input.parse::<Option<Token![,]>>()?.is_some() {
                continue;
            }
            let result = input.call(Ident::parse_any).map_err(|error| {
                syn::Error::new(error.span(), format_args!("expected an argument: {}", KNOWN.join(", ")))
            });
            let result = result.and_then(|word| {
                let name = word.to_string();
                if name == "set" {
                    return Err(error_of_set(input, &word));
                }
                if !KNOWN.contains(&name.as_str()) {
                    let hint = did_you_mean(&name, KNOWN);
                    let message = format!("there is no argument `{name}`{hint}; there are: {}", KNOWN.join(", "));
                    return Err(syn::Error::new(word.span(), message));
                }
                if seen.contains(&name) {
                    return Err(syn::Error::new(word.span(), format_args!("`{name}` is given twice: give it once")));
                }
                seen.push(name.clone());
                self.parse_one(&name, word, input, mistakes)?;
                match input.is_empty() || input.peek(Token![,]) {
                    true => Ok(()),
                    false => Err(input.error("expected `,`")),
                }
            });
            if let Err(error) = result {
                mistakes.add_error(error);
                skip_to_comma(input)?;
            }
        }
        Ok(())
    }

    fn parse_one(
        &mut self,
        name: &str,
        word: Ident,
        input: ParseStream<'_>,
        mistakes: &mut Mistakes,
    ) -> syn::Result<()> {
        match name {
            "context" => self.context = ContextArgument::parse_all(input, &word, mistakes)?,
            "from" => self.from = Some(after_equals(input, &word, "from = headers")?.parse()?),
            "into" => self.into = Some(after_equals(input, &word, "into = headers")?.parse()?),
            "links" => self.links = Some(after_equals(input, &word, "links = messages")?.parse()?),
            "trust" => {
                let trust = trust(after_equals(input, &word, "trust = internal")?)?;
                self.trust = Some((word, trust));
            }
            "isolated" => {
                alone(input, &word)?;
                self.isolated = Some(word);
            }
            _ => self.library = Some(library(input, &word)?),
        }
        Ok(())
    }

    /// Where the library is.
    pub(super) fn library(&self) -> TokenStream {
        self.library.as_ref().map_or_else(|| quote!(::ctx_layer), ToTokens::to_token_stream)
    }

    /// Whether there is nothing that a function that runs at once could do.
    pub(super) fn is_capture_alone(&self) -> bool {
        self.context.is_empty()
            && self.from.is_none()
            && self.into.is_none()
            && self.isolated.is_none()
            && self.links.is_none()
    }
}

impl ToTokens for PropagateArguments {
    /// As they were written.
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
    /// The word that is neither trust nor a parameter.
    pub(super) fn unknown_word(&self, parameters: &Parameters) -> Option<(&Ident, String)> {
        let Trust::Value(Expr::Path(path)) = self else { return None };
        let word = path.path.get_ident().filter(|word| !parameters.has(word) && !is_constant_name(word))?;
        let hint = did_you_mean(&word.to_string(), &["internal", "external"]);
        Some((word, format!("there is no trust `{word}`{hint}: {EXPECTED_TRUST}")))
    }
}

const EXPECTED_TRUST: &str = "expected `internal`, `external` or a `ctx_layer::propagation::Trust`";
