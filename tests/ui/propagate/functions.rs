use ctx_layer::propagate;

#[propagate]
fn nothing_to_do() {}

#[propagate(isolated)]
const fn constant() {}

#[propagate]
struct NoFunction;

trait Trait {
    #[propagate]
    async fn no_body(&self);
}

#[propagate(links = batch)]
#[tracing::instrument(skip_all)]
fn links_of_instrument(batch: &[std::collections::HashMap<String, String>]) {
    let _ = batch;
}

mod one_error {
    #![deny(warnings)]

    use std::collections::HashMap;

    use ctx_layer::propagate;

    #[propagate(context = { name: tenant })]
    pub fn of_a_function_that_runs_at_once(name: &str) {}

    #[propagate(from headers)]
    pub async fn leaves_no_unused_argument(headers: HashMap<String, String>) {}
}

#[tokio::main]
#[propagate]
async fn main() {
    nothing_to_do();
    constant();
}

mod renamed {
    use std::collections::HashMap;

    use ctx_layer::{propagate, propagate as carry, with_observability, with_observability as observed};

    #[with_observability]
    #[carry(into = headers)]
    fn into_before_the_span(headers: &mut HashMap<String, String>) {}

    #[with_observability(links = batch)]
    #[propagate(links = others)]
    fn linked_twice(batch: &[HashMap<String, String>], others: &[HashMap<String, String>]) {}

    #[propagate(from = headers)]
    #[observed]
    async fn span_before_the_context(headers: HashMap<String, String>) {}
}
