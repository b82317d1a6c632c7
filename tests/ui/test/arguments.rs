//! Invalid arguments of `#[ctx_layer::test]`.

#[ctx_layer::test(shema = schema())]
fn an_unknown_argument() {}

#[ctx_layer::test(flavor = "threads")]
async fn an_unknown_flavor() {}

#[ctx_layer::test(worker_threads = 2)]
async fn worker_threads_of_one_thread() {}

#[ctx_layer::test(flavor = "multi_thread", start_paused = true)]
async fn paused_time_of_several_threads() {}

#[ctx_layer::test(flavor = "multi_thread", worker_threads = 0)]
async fn no_worker_thread() {}

#[ctx_layer::test(filter)]
fn an_argument_without_a_value() {}

#[ctx_layer::test(filter = "info", filter = "debug")]
fn an_argument_twice() {}

#[ctx_layer::test(flavor = "multi_thread")]
fn a_runtime_of_a_synchronous_test() {}

#[ctx_layer::test(start_paused = true)]
#[tokio::test]
async fn the_runtime_of_another_attribute() {}

fn main() {}
