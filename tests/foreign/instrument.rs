//! `#[instrument]`, made of `#[with_observability]`: what `ctx-layer/src/with_observability.md` says under "Migrating".

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Observes a function with what `#[tracing::instrument]` has by default: all arguments on the span, no events but those of `err`
/// and `ret`, and results by their `Debug`.
#[proc_macro_attribute]
pub fn instrument(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let has = |name: &str| {
        arguments.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == name))
    };
    let mut defaults = String::from("log_args = false");
    // `err` and `ret` select their event alone.
    defaults.push_str(if has("ret") { "" } else { ", log_result = false" });
    defaults.push_str(if has("err") { ", log_errors = every_level" } else { ", log_errors = false" });
    defaults.push_str(if has("skip_all") { "" } else { ", attributes_from_args = all" });

    let is_blank = arguments.is_empty();
    let mut all = with_debug(arguments);
    if !is_blank {
        all.extend(parsed(","));
    }
    all.extend(parsed(&defaults));

    let mut attribute = parsed("::ctx_layer::with_observability");
    attribute.extend([TokenTree::Group(Group::new(Delimiter::Parenthesis, all))]);
    let mut annotated = parsed("#");
    annotated.extend([TokenTree::Group(Group::new(Delimiter::Bracket, attribute))]);
    annotated.extend(item);
    annotated
}

/// Returns the arguments with `ret(Debug)` for `ret`, where no other form is given: by default numbers and strings are shown as such.
fn with_debug(arguments: TokenStream) -> TokenStream {
    let mut tokens = arguments.into_iter().peekable();
    let mut all = TokenStream::new();
    while let Some(token) = tokens.next() {
        let is_ret = matches!(&token, TokenTree::Ident(word) if word.to_string() == "ret");
        all.extend([token]);
        if !is_ret {
            continue;
        }
        let mut given = match tokens.peek() {
            Some(TokenTree::Group(group)) => group.stream(),
            _ => TokenStream::new(),
        };
        let is_form = |token: TokenTree| matches!(token.to_string().as_str(), "Debug" | "Display");
        if !given.clone().into_iter().any(is_form) {
            given.extend(parsed(if given.is_empty() { "Debug" } else { ", Debug" }));
        }
        if matches!(tokens.peek(), Some(TokenTree::Group(_))) {
            tokens.next();
        }
        all.extend([TokenTree::Group(Group::new(Delimiter::Parenthesis, given))]);
    }
    all
}

fn parsed(text: &str) -> TokenStream {
    let tokens: TokenStream = text.parse().expect("it is Rust");
    // A path begins where the attribute is.
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(word) => Ident::new(&word.to_string(), Span::call_site()).into(),
            other => other,
        })
        .collect()
}
