// #[test(filter = "debug")]
// #[tokio::test]
// async fn orders_have_a_tenant(telemetry: Telemetry) {
//     work().await;
// }

#[tokio::test]
async fn orders_have_a_tenant() {
    let __capture = ::ctx_layer::testing::builder().filter("debug").capture();
    let telemetry: Telemetry = ::ctx_layer::testing::TestParameter::of(&__capture);
    work().await;
}
