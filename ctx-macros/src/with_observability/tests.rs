//! Expansions of typical functions, compared with snapshots, and expansions of invalid functions.
//!
//! After an intended change, run `UPDATE_SNAPSHOTS=1 cargo test -p ctx-macros` and review the diff.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use super::expand;

fn snapshot(name: &str, arguments: TokenStream, item: TokenStream) {
    crate::snapshot::compare("with_observability", name, expand, arguments, item);
}

#[test]
fn a_function_without_arguments() {
    snapshot(
        "minimal",
        quote!(),
        quote!(
            pub fn load(user_id: u64, name: &str) {
                work(user_id, name);
            }
        ),
    );
}

#[test]
fn a_function_with_attributes_that_may_fail() {
    snapshot(
        "result",
        quote! {
            kind = server,
            attributes_from_args = { user_id: "user.id", order.items.len(): "order.items", ?order: "order" },
            static_attributes = { "component": "profile" }
        },
        quote! {
            fn load(&self, user_id: u64, order: Order, password: &str) -> Result<Profile, Error> {
                let profile = self.find(user_id)?;
                Ok(profile.with(order, password))
            }
        },
    );
}

#[test]
fn an_async_function() {
    snapshot(
        "async_fn",
        quote!(attributes_from_args = [user_id]),
        quote! {
            pub async fn load(user_id: u64) -> Result<Profile, Error> {
                find(user_id).await
            }
        },
    );
}

#[test]
fn a_function_with_the_arguments_of_instrument() {
    snapshot(
        "as_instrument",
        quote!(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, skip(db), err),
        quote! {
            fn load(db: &Db, user_id: u64, filter: Filter) -> Result<Profile, Error> {
                db.find(user_id, filter)
            }
        },
    );
}

#[test]
fn a_function_that_returns_a_future() {
    snapshot(
        "future",
        quote!(log_args = false),
        quote! {
            fn load(&self, user_id: u64) -> impl Future<Output = Profile> + '_ {
                self.find(user_id)
            }
        },
    );
}

#[test]
fn a_function_that_ends_in_an_async_block() {
    snapshot(
        "async_block",
        quote!(log_args = false, log_result = false),
        quote! {
            fn load(&self, user_id: u64) -> Pin<Box<dyn Future<Output = Profile> + Send + '_>> {
                let found = self.find(user_id);
                Box::pin(async move { found.await })
            }
        },
    );
}

#[test]
fn a_function_that_sets_context_fields() {
    snapshot(
        "context",
        quote!(context = { tenant: TENANT_ID }, log_args = false, log_result = false, log_errors = false),
        quote! {
            fn load(tenant: String) -> &'static str {
                name_of(&tenant)
            }
        },
    );
}

#[test]
fn the_methods_of_a_block() {
    snapshot(
        "methods",
        quote!(except(new), log_args = false, log_result = false, log_errors = false, skip(user)),
        quote! {
            impl Store<'_> {
                const LIMIT: usize = 3;
                pub fn new() -> Self { Store }
                #[with_observability(name = "add")]
                fn add(&mut self, user: User) { self.0.push(user); }
                fn clear(&mut self) { self.0.clear(); }
            }
        },
    );
}

/// Collects all tokens, including those in groups, in order.
fn flat(tokens: TokenStream, into: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => flat(group.stream(), into),
            other => into.push(other.to_string()),
        }
    }
}

/// Returns `true` if all tokens of a body are in an expansion, contiguous and in order.
fn keeps(expansion: &TokenStream, body: &str) -> bool {
    let (mut all, mut own) = (Vec::new(), Vec::new());
    flat(expansion.clone(), &mut all);
    flat(body.parse().unwrap(), &mut own);
    own.is_empty() || all.windows(own.len()).any(|window| window == own)
}

fn function_with(signature: &str, body: &str) -> TokenStream {
    let mut function: TokenStream = signature.parse().unwrap();
    function.extend([TokenTree::from(Group::new(Delimiter::Brace, body.parse().unwrap()))]);
    function
}

const HALF_WRITTEN: &[&str] = &[
    "",
    "user.",
    "user. ; user",
    "let",
    "let x =",
    "let x = user.name( ; x",
    "if user.is_",
    "match user { Some(x) => x. }",
    "return self::",
    "user.load().await.",
    "async move { user. }",
    "Box::pin(async move { user. })",
    "#[allow(",
    "println!(\"{user}\"",
    "fn inner( user",
    "a b c 1 + * ; ..",
];

#[test]
fn a_half_written_body_is_unchanged() {
    let signatures = [
        "pub fn load(&self, user: &User) -> Result<Profile, Error>",
        "async fn load<T: Clone>(user: T) -> T where T: Send",
        "fn load(user: User) -> impl Future<Output = u8>",
        "fn load(user: User) -> Pin<Box<dyn Future<Output = u8> + Send>>",
        "fn load(user: User) -> BoxStream<'static, u8>",
        "fn load(user: User) -> !",
        "unsafe extern \"C\" fn load(user: User)",
    ];
    for signature in signatures {
        // Unclosed delimiters cannot be in a token stream.
        for body in HALF_WRITTEN.iter().filter(|body| body.parse::<TokenStream>().is_ok()) {
            for arguments in [quote!(), quote!(levle = "info", skip(usr), log_args = 3)] {
                let expansion = expand(arguments, function_with(signature, body));
                assert!(keeps(&expansion, signature), "{signature} {{ {body} }}: {expansion}");
                assert!(keeps(&expansion, body), "{signature} {{ {body} }}: {expansion}");
            }
        }
    }
}

#[test]
fn a_half_written_method_does_not_affect_the_others() {
    for body in HALF_WRITTEN.iter().filter(|body| body.parse::<TokenStream>().is_ok()) {
        let half = function_with("fn half(&self) -> u8", body);
        let whole = quote!(
            fn whole(&self) -> u8 {
                1
            }
        );
        let expansion = expand(quote!(), quote!(impl Users { #half #whole }));
        assert!(keeps(&expansion, body), "{body}: {expansion}");
        assert!(expansion.to_string().contains("Users::whole"), "{body}: {expansion}");
        assert!(!expansion.to_string().contains("compile_error"), "{body}: {expansion}");
    }
}

#[test]
fn an_item_that_cannot_be_observed_is_unchanged() {
    for item in [
        "pub struct User { name: String }",
        "pub const fn load(a: u8) -> u8 { a. }",
        "fn load(&self) -> u8;",
        "unsafe extern \"C\" fn load(a: u8, mut rest: ...) {}",
        "pub(crate) trait Load { fn load(&self); }",
        "macro_rules! load { () => {} }",
        "fn load(user) {}",
        "impl User { fn load(user) {} }",
        "impl User { fn }",
        "",
    ] {
        let expansion = expand(quote!(level = "info"), item.parse().unwrap());
        assert!(keeps(&expansion, item), "{item}: {expansion}");
        let errors = expansion.to_string().matches("compile_error").count();
        assert_eq!(errors, 1, "{item}: {expansion}");
    }
}
