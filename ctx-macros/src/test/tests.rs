//! Expansions, compared with snapshots.

use proc_macro2::TokenStream;
use quote::quote;

use super::expand;

fn snapshot(name: &str, arguments: TokenStream, item: TokenStream) {
    crate::snapshot::compare("test", name, expand, arguments, item);
}

#[test]
fn a_synchronous_test_is_captured() {
    snapshot(
        "synchronous",
        quote!(),
        quote!(
            fn orders_have_a_tenant(telemetry: Telemetry) {
                work();
            }
        ),
    );
}

#[test]
fn an_asynchronous_test_has_a_runtime_of_its_own() {
    snapshot(
        "asynchronous",
        quote!(schema = schema(), flavor = "multi_thread", worker_threads = 2),
        quote! {
            #[ignore]
            async fn orders_have_a_tenant(telemetry: &Capture) -> Result<(), Error> {
                work().await?;
                Ok(())
            }
        },
    );
}

#[test]
fn the_attribute_of_another_runtime_runs_the_test() {
    snapshot(
        "another",
        quote!(filter = "debug"),
        quote! {
            #[tokio::test]
            async fn orders_have_a_tenant(telemetry: Telemetry) {
                work().await;
            }
        },
    );
}
