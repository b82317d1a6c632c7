//! What was written between the parentheses.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Expr, Ident, Path, Token,
    ext::IdentExt,
    parenthesized,
    parse::{ParseStream, Parser},
    token,
};

use crate::{
    expression::is_constant_name,
    function::Parameters,
    input::{after_equals, alone, entries, is_path, library, skip_to_comma, takes},
    mistakes::{Mistakes, did_you_mean},
};

const KNOWN: &[&str] = &["set", "from", "trust", "into", "isolated", "links", "crate"];

/// The fields that are there without being declared, and can be set.
const WELL_KNOWN: &[&str] =
    &["request_id", "tenant_id", "user_id", "role", "locale", "correlation_id", "feature_flags"];

/// `tenant_id = tenant`
pub(super) struct Set {
    pub(super) field: Key,
    pub(super) value: Expr,
}

/// The key of a field.
pub(super) enum Key {
    /// One that is there already, by its name: `tenant_id`.
    WellKnown(Ident),
    Path(Path),
}

/// How far what is restored is believed.
pub(super) enum Trust {
    /// `internal`, `external`
    Word(Ident),
    /// Any expression that is one.
    Value(Expr),
}

#[derive(Default)]
pub(super) struct Arguments {
    pub(super) set: Vec<Set>,
    pub(super) from: Option<Expr>,
    pub(super) trust: Option<(Ident, Trust)>,
    pub(super) into: Option<Expr>,
    pub(super) isolated: Option<Ident>,
    pub(super) links: Option<Expr>,
    pub(super) library: Option<Path>,
}

impl Arguments {
    /// Reads the arguments. One that cannot be read costs none of the others.
    pub(super) fn parse(written: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut arguments = Arguments::default();
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
            "set" => {
                let example = "set(tenant_id = tenant)";
                if !input.peek(token::Paren) {
                    return Err(takes(&word, "fields in parentheses", example));
                }
                let content;
                parenthesized!(content in input);
                self.set = entries(&content, mistakes, set)?;
            }
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
        self.set.is_empty()
            && self.from.is_none()
            && self.into.is_none()
            && self.isolated.is_none()
            && self.links.is_none()
    }
}

impl ToTokens for Arguments {
    /// As they were written.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Arguments { set, from, trust, into, isolated, links, library } = self;
        if !set.is_empty() {
            let set = set.iter().map(|Set { field, value }| match field {
                Key::WellKnown(name) => quote!(#name = #value),
                Key::Path(path) => quote!(#path = #value),
            });
            tokens.extend(quote!(set(#(#set),*),));
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

fn set(input: ParseStream<'_>) -> syn::Result<Set> {
    let example = "write `tenant_id = tenant`, for example";
    if !is_path(input) {
        return Err(input.error(format_args!("expected a well-known field or a key such as `TENANT_ID`: {example}")));
    }
    let path = input.call(Path::parse_mod_style)?;
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Err(syn::Error::new_spanned(path, format_args!("expected `= value` after this: {example}")));
    }
    let value = input.parse()?;
    let name = path.get_ident().filter(|name| name.to_string().chars().any(char::is_lowercase));
    let field = match name {
        None => Key::Path(path),
        Some(name) if WELL_KNOWN.iter().any(|known| name == known) => Key::WellKnown(name.clone()),
        Some(name) => {
            let hint = did_you_mean(&name.to_string(), WELL_KNOWN);
            let message = format!(
                "there is no well-known field `{name}`{hint}; there are: {}; one of your own is named by its key, such as \
                 `SHARD = {}`",
                WELL_KNOWN.join(", "),
                value_text(&value),
            );
            return Err(syn::Error::new(name.span(), message));
        }
    };
    Ok(Set { field, value })
}

fn value_text(value: &Expr) -> String {
    value.to_token_stream().to_string()
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
