//! What was written.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Expr, Ident, Path, Token, Type, Visibility, bracketed, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token,
};

use crate::mistakes::Mistakes;

/// All that stands between the braces.
pub(super) struct Declarations {
    /// `ctx_layer`, however the caller knows it.
    pub(super) library: Path,
    pub(super) fields: Vec<Declaration>,
}

/// `/// What it is.` `pub static NAME: Type = "name" => policy, policy(argument);`
pub(super) struct Declaration {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) key: Ident,
    pub(super) value_type: Type,
    pub(super) name: Expr,
    pub(super) policies: Vec<Policy>,
}

/// `masked`, `max_len(64)`
pub(super) struct Policy {
    pub(super) word: Ident,
    /// `None` without parentheses.
    pub(super) arguments: Option<Punctuated<Expr, Token![,]>>,
}

/// Reads all declarations; one that cannot be read costs none of the others.
pub(super) fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Declarations> {
    let library;
    bracketed!(library in input);
    let library = library.parse()?;
    let mut fields = Vec::new();
    while !input.is_empty() {
        let declaration = up_to_semicolon(input, mistakes)?;
        match syn::parse2(declaration) {
            Ok(field) => fields.push(field),
            Err(error) => mistakes.add_error(error),
        }
    }
    Ok(Declarations { library, fields })
}

fn up_to_semicolon(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    loop {
        let token: TokenTree = input.parse()?;
        let is_semicolon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
        tokens.extend([token.clone()]);
        if is_semicolon {
            return Ok(tokens);
        }
        if input.is_empty() {
            mistakes.add(token, "expected `;` after this declaration");
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

/// At least one, separated by commas.
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
