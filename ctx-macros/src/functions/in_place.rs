//! Bodies that run in place, not in a closure: for `#[track_caller]`, which has no effect on closures.
//!
//! To observe the returned value, `return` and `?` leave a labelled block instead of the function:
//!
//! ```text
//! let returned: Result<u8, Error> = '__ctx_layer_body: {
//!     let value = match Exit::branch(find()) { Continue(value) => value, Break(exit) => break '__ctx_layer_body FromExit::from_exit(exit) };
//!     break '__ctx_layer_body Ok(value)
//! };
//! ```

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprClosure, ExprConst, ExprMacro, Item, Lifetime, Macro, Meta, StmtMacro,
    parse::Parser,
    visit_mut::{self, VisitMut},
};

use super::function::Function;
use crate::{errors::Errors, location::located_at};

impl Function {
    /// Returns the function's `#[track_caller]`, including a conditional one.
    pub(crate) fn track_caller(&self) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| match &attribute.meta {
            Meta::Path(path) => path.is_ident("track_caller"),
            Meta::List(list) => list.path.is_ident("cfg_attr") && mentions_track_caller(list.tokens.clone()),
            Meta::NameValue(_) => false,
        })
    }

    /// Reports macros that might return from the function unobserved.
    pub(crate) fn check_in_place(&self, errors: &mut Errors) {
        let (_, exits) = self.with_exits(&TokenStream::new());
        for hidden in exits.hidden {
            errors.add(
                &hidden,
                format_args!(
                    "`{}!` may return from the function unobserved, since a function with `#[track_caller]` \
                     cannot run as a closure: put it in a closure or another function, or remove `#[track_caller]` \
                     or the attribute",
                    hidden.to_token_stream().to_string().replace(' ', "")
                ),
            );
        }
    }

    /// Returns the body as an expression of the function's return type. `call` is the path of the runtime.
    pub(crate) fn in_place(&self, call: &TokenStream) -> TokenStream {
        let (body, exits) = self.with_exits(call);
        let block = self.block(&super::Shape::Sync, body);
        if !exits.any {
            return block;
        }
        let label = label();
        quote!(#label: #block)
    }

    fn with_exits(&self, call: &TokenStream) -> (TokenStream, Exits) {
        let mut exits = Exits { call: call.clone(), any: false, hidden: Vec::new() };
        // An invalid body stays unchanged, so that the compiler reports its errors.
        let Ok(mut statements) = Parser::parse2(Block::parse_within, self.body.clone()) else {
            return (self.body.clone(), exits);
        };
        statements.iter_mut().for_each(|statement| exits.visit_stmt_mut(statement));
        (statements.iter().map(ToTokens::to_token_stream).collect(), exits)
    }
}

fn mentions_track_caller(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == "track_caller",
        TokenTree::Group(group) => mentions_track_caller(group.stream()),
        _ => false,
    })
}

fn label() -> Lifetime {
    Lifetime::new("'__ctx_layer_body", Span::mixed_site())
}

/// The exits of a body before its end.
struct Exits {
    call: TokenStream,
    any: bool,
    /// The macros that may contain an exit.
    hidden: Vec<syn::Path>,
}

impl Exits {
    fn search(&mut self, called: &Macro) {
        let is_known = called.path.segments.last().is_some_and(|last| {
            MACROS.iter().any(|known| last.ident == known) || last.ident.to_string().ends_with("_span")
        });
        if !is_known || exits(called.tokens.clone()) {
            self.hidden.push(called.path.clone());
        }
    }
}

/// The macros of the standard library, `tracing` and `log`, which never return by themselves.
const MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "concat",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "enabled",
    "env",
    "eprint",
    "eprintln",
    "error",
    "event",
    "file",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "info",
    "json",
    "line",
    "log",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "span",
    "stringify",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "vec",
    "warn",
    "write",
    "writeln",
];

/// Returns `true` if the tokens contain a `return`, or a `?` after an expression.
fn exits(tokens: TokenStream) -> bool {
    let mut follows_expression = false;
    tokens.into_iter().any(|token| {
        let is_exit = match &token {
            TokenTree::Ident(name) => name == "return",
            TokenTree::Punct(punct) => punct.as_char() == '?' && follows_expression,
            TokenTree::Group(group) => exits(group.stream()),
            TokenTree::Literal(_) => false,
        };
        follows_expression = !matches!(token, TokenTree::Punct(_));
        is_exit
    })
}

impl VisitMut for Exits {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        let place = located_at(expression);
        let (label, call) = (label(), &self.call);
        match expression {
            Expr::Return(returned) => {
                self.any = true;
                let attributes = &returned.attrs;
                let value = match &returned.expr {
                    Some(value) => value.to_token_stream(),
                    None => quote_spanned!(place=> ()),
                };
                *expression = Expr::Verbatim(quote_spanned!(place=> #(#attributes)* break #label #value));
            }
            Expr::Try(tried) => {
                self.any = true;
                let (attributes, value) = (&tried.attrs, &tried.expr);
                // Hidden names, so that lints ignore them.
                let [passed, exit] =
                    ["passed", "exit"].map(|name| Ident::new(name, Span::mixed_site().located_at(place)));
                *expression = Expr::Verbatim(quote_spanned! {place=>
                    #(#attributes)*
                    match #call::Exit::branch(#value) {
                        ::core::ops::ControlFlow::Continue(#passed) => #passed,
                        ::core::ops::ControlFlow::Break(#exit) => break #label #call::FromExit::from_exit(#exit),
                    }
                });
            }
            _ => {}
        }
    }

    fn visit_expr_macro_mut(&mut self, called: &mut ExprMacro) {
        self.search(&called.mac);
    }

    fn visit_stmt_macro_mut(&mut self, called: &mut StmtMacro) {
        self.search(&called.mac);
    }

    // Exits in these leave something else.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_expr_const_mut(&mut self, _: &mut ExprConst) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> String {
        text.split_whitespace().collect()
    }

    fn in_place(body: &str) -> (String, usize) {
        let function: Function = syn::parse_str(&format!("#[track_caller] fn f() -> R {{ {body} }}")).unwrap();
        assert!(function.track_caller().is_some());
        let mut errors = Errors::default();
        function.check_in_place(&mut errors);
        let errors = errors.into_compile_errors().to_string().matches("compile_error").count();
        (flat(&function.in_place(&quote!(c)).to_string()), errors)
    }

    #[test]
    fn a_body_without_exits_is_unchanged() {
        for body in ["", "a.unwrap()", "vec![1].iter().map(|a| { return a?; })", "fn g() { return; } g()", "info!(?a)"]
        {
            assert_eq!(in_place(body), (flat(&format!("{{{body}}}")), 0), "{body}");
        }
    }

    #[test]
    fn every_exit_leaves_the_block() {
        for (body, expected) in [
            ("return;", "{break'__ctx_layer_body();}"),
            ("if a { return g(1) } loop { return }", "{ifa{break'__ctx_layer_bodyg(1)}loop{break'__ctx_layer_body()}}"),
            (
                "g(a?)",
                "{g(matchc::Exit::branch(a){::core::ops::ControlFlow::Continue(passed)=>passed,\
                 ::core::ops::ControlFlow::Break(exit)=>break'__ctx_layer_bodyc::FromExit::from_exit(exit),})}",
            ),
        ] {
            assert_eq!(in_place(body), (format!("'__ctx_layer_body:{expected}"), 0), "{body}");
        }
    }

    #[test]
    fn macros_that_may_return_are_errors() {
        for (body, errors) in [
            ("bail!(\"no\")", 1),
            ("anyhow::ensure!(a); g()", 1),
            ("println!(\"{}\", a?)", 1),
            ("vec![if a { return } else { 1 }]", 1),
            ("let a = mine!(1); other! { 2 }", 2),
            ("format!(\"{a:?}\")", 0),
            ("tracing::info!(?a, b = ?c, \"why?\"); a", 0),
            ("let a = || bail!(\"no\"); a()", 0),
        ] {
            assert_eq!(in_place(body).1, errors, "{body}");
        }
    }
}
