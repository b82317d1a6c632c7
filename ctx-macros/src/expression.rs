//! Expressions in the arguments of attributes.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, Ident};

/// Returns `true` if a name is written like a constant.
pub(crate) fn is_constant_name(name: &Ident) -> bool {
    name.to_string().chars().all(|letter| !letter.is_lowercase())
}

/// Returns the first identifier of an expression: `order` in `order.items.len()`.
pub(crate) fn root(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Index(index) => root(&index.expr),
        Expr::Unary(unary) => root(&unary.expr),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::Paren(inner) => root(&inner.expr),
        Expr::Group(inner) => root(&inner.expr),
        Expr::Cast(cast) => root(&cast.expr),
        Expr::Try(tried) => root(&tried.expr),
        _ => None,
    }
}

/// Returns `true` if a name occurs in the tokens.
pub(crate) fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Ident(other) => other == *name,
        _ => false,
    })
}

/// Returns `true` if evaluating an expression may run code: it has more than names, members and literals.
pub(crate) fn is_evaluated(expression: &impl ToTokens) -> bool {
    expression.to_token_stream().into_iter().any(|token| match token {
        TokenTree::Group(_) => true,
        TokenTree::Punct(punct) => !matches!(punct.as_char(), '.' | '&' | ':'),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    })
}

/// Returns an expression as a receiver, in parentheses if a method call would bind to its end only.
pub(crate) fn receiver(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Reference(_) | Expr::Unary(_) => quote::quote!((#expression)),
        _ => referable(expression),
    }
}

/// Returns an expression as an operand of `&`, in parentheses if `&` would bind to its beginning only.
pub(crate) fn referable(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Path(_)
        | Expr::Field(_)
        | Expr::MethodCall(_)
        | Expr::Call(_)
        | Expr::Lit(_)
        | Expr::Index(_)
        | Expr::Macro(_)
        | Expr::Paren(_)
        | Expr::Reference(_)
        | Expr::Unary(_) => expression.to_token_stream(),
        _ => quote::quote!((#expression)),
    }
}
