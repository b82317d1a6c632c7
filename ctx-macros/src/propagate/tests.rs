//! Expansions of typical functions, compared with snapshots.

use proc_macro2::TokenStream;
use quote::quote;

use super::expand;

fn snapshot(name: &str, arguments: TokenStream, item: TokenStream) {
    crate::snapshot::compare("propagate", name, expand, arguments, item);
}

#[test]
fn an_async_function_captures_where_it_is_called() {
    snapshot(
        "async_fn",
        quote!(),
        quote! {
            pub async fn worker(&self, mut id: u64, Pair { left, .. }: Pair, _: Permit) -> Result<(), Error> {
                id += left;
                work(id).await
            }
        },
    );
}

#[test]
fn a_synchronous_function_sets_and_restores() {
    snapshot(
        "at_once",
        quote!(from = message.headers(), trust = internal, context = { tenant: TENANT_ID, user.id(): USER_ID }, into = out),
        quote! {
            fn handle(message: &Message, tenant: &str, user: &User, out: &mut Headers) {
                work(message);
            }
        },
    );
}

#[test]
fn a_boxed_future_is_created_and_polled_in_the_context() {
    snapshot(
        "boxed",
        quote!(isolated),
        quote! {
            fn job(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
                Box::pin(work(id))
            }
        },
    );
}

#[test]
fn the_attribute_that_creates_a_span_comes_first() {
    snapshot(
        "together",
        quote!(from = message, into = out, links = batch),
        quote! {
            #[doc = "Documented."]
            #[with_observability(kind = consumer)]
            async fn handle(message: Message, mut out: Headers, batch: &[Message]) {
                work(message).await;
            }
        },
    );
}

#[test]
fn an_invalid_body_keeps_all_of_its_tokens() {
    let expansion = expand(quote!(), quote!(async fn f() { let x = self.; })).to_string();
    assert!(expansion.contains("let x = self . ;"), "{expansion}");
    assert!(!expansion.contains("compile_error"), "{expansion}");
}
