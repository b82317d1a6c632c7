//! Values that are hidden because of their names.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, Ident, Lit, Member, ext::IdentExt};

use super::arguments::ObservabilityArguments;
use crate::{
    functions::Binding,
    secret_name::{is_same, is_secret},
};

/// The arguments that are shown as `[redacted]`.
#[derive(Clone)]
pub(super) struct Redaction {
    redact: Vec<Ident>,
    reveal: Vec<Ident>,
    /// `true` if secret names are hidden as well.
    by_name: bool,
}

impl Redaction {
    /// Hides names in `redact`, secret names, and bindings of a pattern to a part of either.
    pub(super) fn of(arguments: &ObservabilityArguments, bindings: &[Binding]) -> Self {
        let mut redaction =
            Redaction { redact: arguments.redact.clone(), reveal: arguments.reveal.clone(), by_name: true };
        for binding in bindings {
            if !redaction.reveals(&binding.field()) && binding.parts_of.iter().any(|part| redaction.hides(part)) {
                redaction.redact.push(binding.name.clone());
            }
        }
        redaction
    }

    /// Hides this name only.
    pub(super) fn only(name: &Ident) -> Self {
        Redaction { redact: vec![name.clone()], reveal: Vec::new(), by_name: false }
    }

    /// Hides the names in `redact` only.
    pub(super) fn named(arguments: &ObservabilityArguments) -> Self {
        Redaction { redact: arguments.redact.clone(), reveal: arguments.reveal.clone(), by_name: false }
    }

    pub(super) fn hides(&self, name: &Ident) -> bool {
        self.hides_name(&name.unraw().to_string())
    }

    /// Returns `true` if a name is hidden. It may be a key, not an identifier.
    fn hides_name(&self, name: &str) -> bool {
        is_among(name, &self.redact) || self.by_name && is_secret(name) && !self.reveals(name)
    }

    fn reveals(&self, name: &str) -> bool {
        is_among(name, &self.reveal)
    }

    /// Returns a call that passes the names to the library, for `Debug` output. `None` if there are none.
    pub(super) fn naming(&self, call: &TokenStream) -> Option<TokenStream> {
        let names = |given: &[Ident]| given.iter().map(|name| name.unraw().to_string()).collect::<Vec<_>>();
        let (redact, reveal) = (names(&self.redact), names(&self.reveal));
        let is_any = !redact.is_empty() || !reveal.is_empty();
        is_any.then(|| quote!(.naming(&#call::Names { redact: &[#(#redact),*], reveal: &[#(#reveal),*] })))
    }

    /// Returns `true` if any part of an expression is hidden, as in `request.password`.
    pub(super) fn hides_any_of(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Path(path) => path.path.segments.last().is_some_and(|last| self.hides(&last.ident)),
            Expr::Lit(literal) => match &literal.lit {
                _ if !self.by_name => false,
                Lit::Str(text) => self.hides_name(&text.value()),
                Lit::ByteStr(bytes) => self.hides_name(&String::from_utf8_lossy(&bytes.value())),
                Lit::CStr(text) => self.hides_name(&text.value().to_string_lossy()),
                _ => false,
            },
            Expr::Field(field) => {
                matches!(&field.member, Member::Named(name) if self.hides(name)) || self.hides_any_of(&field.base)
            }
            Expr::MethodCall(call) => {
                let is_harmless = call.args.is_empty() && HARMLESS_METHODS.iter().any(|method| call.method == method);
                self.hides(&call.method)
                    || self.hides_any_of(&call.receiver) && !is_harmless
                    || call.args.iter().any(|argument| self.hides_any_of(argument))
            }
            Expr::Call(call) => {
                self.hides_any_of(&call.func) || call.args.iter().any(|argument| self.hides_any_of(argument))
            }
            Expr::Index(index) => self.hides_any_of(&index.expr) || self.hides_any_of(&index.index),
            Expr::Unary(unary) => self.hides_any_of(&unary.expr),
            Expr::Reference(reference) => self.hides_any_of(&reference.expr),
            Expr::Paren(inner) => self.hides_any_of(&inner.expr),
            Expr::Group(inner) => self.hides_any_of(&inner.expr),
            Expr::Cast(cast) => self.hides_any_of(&cast.expr),
            Expr::Try(tried) => self.hides_any_of(&tried.expr),
            Expr::Binary(binary) => self.hides_any_of(&binary.left) || self.hides_any_of(&binary.right),
            Expr::Tuple(tuple) => tuple.elems.iter().any(|element| self.hides_any_of(element)),
            // Macros, blocks, closures: every name in them may be shown.
            other => self.hides_any_token_of(other.to_token_stream()),
        }
    }

    fn hides_any_token_of(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => self.hides_any_token_of(group.stream()),
            TokenTree::Ident(name) => self.hides(&name),
            TokenTree::Literal(literal) => self.hides_any_captured_by(&literal.to_string()),
            TokenTree::Punct(_) => false,
        })
    }

    /// Returns `true` if a format string captures a hidden name: `"{token}"`.
    fn hides_any_captured_by(&self, format: &str) -> bool {
        format.split('{').skip(1).any(|rest| {
            let name = rest.split(['}', ':']).next().unwrap_or_default().trim();
            syn::parse_str(name).is_ok_and(|name: Ident| self.hides(&name))
        })
    }
}

fn is_among(name: &str, given: &[Ident]) -> bool {
    given.iter().any(|given| is_same(&given.unraw().to_string(), name))
}

/// Methods that do not reveal a secret. They return a number or a boolean. All other methods may reveal it.
const HARMLESS_METHODS: &[&str] = &["len", "is_empty", "is_some", "is_none"];

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        let mut arguments = ObservabilityArguments::default();
        arguments.redact.push(syn::parse_quote!(card));
        arguments.reveal.push(syn::parse_quote!(page_token));
        Redaction::of(&arguments, &[])
    }

    #[track_caller]
    fn check(redaction: &Redaction, hidden: &[&str], shown: &[&str]) {
        let hides = |text: &str| redaction.hides_any_of(&syn::parse_str(text).unwrap());
        for text in hidden {
            assert!(hides(text), "{text} should be hidden");
        }
        for text in shown {
            assert!(!hides(text), "{text} should be shown");
        }
    }

    #[test]
    fn secrets_and_parts_of_them_are_hidden() {
        check(
            &redaction(),
            &["card", "&card.number", "req.password", "*token", "(a, token).0", "card[0]", "token as u8", "-card"],
            &["order.items.len()", "tokenizer.model", "order.0", "self.name", "1", "\"text\""],
        );
    }

    #[test]
    fn revealed_names_are_shown_everywhere_and_nothing_else_is() {
        check(
            &redaction(),
            &["page_token.secret", "token.page_token", "next_page_token", "page_token + token"],
            &["page_token", "req.page_token", "page_token.as_str()", "req.page_token()", "format!(\"{page_token}\")"],
        );
    }

    #[test]
    fn only_the_length_of_a_secret_is_shown() {
        check(
            &redaction(),
            &[
                "token.as_str()",
                "token.get(1)",
                "token.len(1)",
                "mask(token)",
                "a.max(token)",
                "token.to_owned().trim()",
            ],
            &["token.len()", "card.is_empty()", "req.password.is_some()", "token.as_str().len()"],
        );
    }

    #[test]
    fn methods_functions_and_keys_that_give_a_secret_are_hidden() {
        check(
            &redaction(),
            &[
                "login.password()",
                "Login::password(login)",
                "headers[\"authorization\"]",
                "headers.get(\"api-key\")",
                "self.session_cookie().len",
                "headers[\"X-CSRFToken\"]",
                "headers.get(b\"api-keys\")",
                "headers[header::SET_COOKIE]",
                "headers[\"card\"]",
            ],
            &[
                "headers[\"accept\"]",
                "headers.get(\"host\")",
                "Login::name(login)",
                "items.join(\", \")",
                "query[\"pageToken\"]",
            ],
        );
    }

    #[test]
    fn secret_names_in_a_macro_or_a_block_are_hidden() {
        check(
            &redaction(),
            &[
                "format!(\"{}\", token)",
                "format!(\"{token:?}\")",
                "format!(\"{a}: {card}\")",
                "{ let a = req.password; a }",
                "if a { card } else { b }",
                "[a, token]",
                "a.map(|a| a.secret)",
            ],
            &["format!(\"{name} {{}} {} {0}\", order.id)", "format!(\"a token\")", "if a { b } else { c }"],
        );
    }

    #[test]
    fn secret_names_are_shown_if_only_given_names_are_hidden() {
        let mut arguments = ObservabilityArguments::default();
        arguments.redact.push(syn::parse_quote!(card));
        check(
            &Redaction::named(&arguments),
            &["card", "format!(\"{card}\")", "req.card"],
            &["token", "req.password", "headers[\"authorization\"]", "card.len()"],
        );
    }
}
