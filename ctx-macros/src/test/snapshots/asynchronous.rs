// #[test(schema = schema (), flavor = "multi_thread", worker_threads = 2)]
// #[ignore]
// async fn orders_have_a_tenant(telemetry: &Capture) -> Result<(), Error> {
//     work().await?;
//     Ok(())
// }

#[::core::prelude::v1::test]
#[ignore]
fn orders_have_a_tenant() -> Result<(), Error> {
    let __capture = ::ctx_layer::testing::builder().schema(schema()).capture();
    ::ctx_layer::testing::TestRuntime::new()
        .worker_threads(2)
        .run::<
            Result<(), Error>,
        >(
            &__capture,
            async {
                let telemetry: &Capture = ::ctx_layer::testing::TestParameter::of(
                    &__capture,
                );
                work().await?;
                Ok(())
            },
        )
}
