//! The syntax of `context_fields!`.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Expr, Ident, Path, Token, Type, Visibility, bracketed, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token,
};

use crate::errors::Errors;

/// The declarations in the braces.
pub(super) struct Declarations {
    /// The path of `ctx_layer` in the caller's crate.
    pub(super) library: Path,
    pub(super) fields: Vec<Declaration>,
}

/// A declaration, such as `/// Doc.` `pub static NAME: Type = "name" => policy, policy(argument);`.
pub(super) struct Declaration {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) key: Ident,
    pub(super) value_type: Type,
    pub(super) name: Expr,
    pub(super) policies: Vec<Policy>,
}

/// A policy setting, such as `masked` or `max_len(64)`.
pub(super) struct Policy {
    pub(super) word: Ident,
    /// `None` without parentheses.
    pub(super) arguments: Option<Punctuated<Expr, Token![,]>>,
}

/// Parses all declarations. Reports invalid ones and continues with the next.
pub(super) fn parse(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Declarations> {
    let library;
    bracketed!(library in input);
    let library = library.parse()?;
    let mut fields = Vec::new();
    while !input.is_empty() {
        let declaration = up_to_semicolon(input, errors)?;
        match syn::parse2(declaration) {
            Ok(field) => fields.push(field),
            Err(error) => errors.add_error(error),
        }
    }
    Ok(Declarations { library, fields })
}

fn up_to_semicolon(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    loop {
        let token: TokenTree = input.parse()?;
        let is_semicolon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
        tokens.extend([token.clone()]);
        if is_semicolon {
            return Ok(tokens);
        }
        if input.is_empty() {
            errors.add(token, "expected `;` after this declaration");
            tokens.extend(quote::quote!(;));
            return Ok(tokens);
        }
    }
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![static]>()?;
        let key = input.parse()?;
        input.parse::<Token![:]>()?;
        let value_type = input.parse()?;
        input.parse::<Token![=]>()?;
        let name = input.parse()?;
        let policies = if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
            policies(input)?
        } else {
            Vec::new()
        };
        input.parse::<Token![;]>()?;
        Ok(Declaration { attributes, visibility, key, value_type, name, policies })
    }
}

/// Parses at least one policy setting, separated by commas.
fn policies(input: ParseStream<'_>) -> syn::Result<Vec<Policy>> {
    let mut policies = vec![input.parse()?];
    while !input.peek(Token![;]) {
        input.parse::<Token![,]>()?;
        if input.peek(Token![;]) {
            break;
        }
        policies.push(input.parse()?);
    }
    Ok(policies)
}

impl Parse for Policy {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = input.parse()?;
        let arguments = if input.peek(token::Paren) {
            let arguments;
            parenthesized!(arguments in input);
            Some(Punctuated::parse_terminated(&arguments)?)
        } else {
            None
        };
        Ok(Policy { word, arguments })
    }
}
