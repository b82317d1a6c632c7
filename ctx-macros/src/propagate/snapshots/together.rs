// #[propagate(from = message, into = out, links = batch)]
// ///Documented.
// #[with_observability(kind = consumer)]
// async fn handle(message: Message, mut out: Headers, batch: &[Message]) {
//     work(message).await;
// }

#[with_observability(links = batch, kind = consumer)]
///Documented.
#[::ctx_layer::propagate(from = message)]
async fn handle(message: Message, mut out: Headers, batch: &[Message]) {
    {
        use ::ctx_layer::__private::forms::*;
        out.inject_here()
    }
    work(message).await;
}
