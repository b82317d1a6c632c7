// #[test]
// fn orders_have_a_tenant(telemetry: Telemetry) {
//     work();
// }

#[::core::prelude::v1::test]
fn orders_have_a_tenant() {
    let __capture = ::ctx_layer::testing::builder().capture();
    let telemetry: Telemetry = ::ctx_layer::testing::TestParameter::of(&__capture);
    work();
}
