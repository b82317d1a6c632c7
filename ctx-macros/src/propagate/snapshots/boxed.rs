// #[propagate(isolated)]
// fn job(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
//     Box::pin(work(id))
// }

fn job(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    let __ctx_layer_restored = ::ctx_layer::task::Snapshot::isolated();
    let made = __ctx_layer_restored
        .in_scope(move || -> Pin<Box<dyn Future<Output = u64> + Send>> {
            { Box::pin(work(id)) }
        });
    return ::std::boxed::Box::pin(
        ::ctx_layer::task::InContextExt::in_context(made, __ctx_layer_restored),
    );
}
