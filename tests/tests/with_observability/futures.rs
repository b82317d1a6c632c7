//! Asynchronous functions in all their forms.

use std::{
    future::{Future, ready},
    pin::Pin,
};

use async_trait::async_trait;
use ctx_layer::with_observability;
use ctx_tests::Yield;
use futures_util::{FutureExt, future::BoxFuture, future::LocalBoxFuture};
use opentelemetry::trace::Status;
use tracing::info;

use crate::setup::with_and_without_context;

#[with_observability]
async fn leaf() {
    Yield::default().await;
    info!("inside");
}

#[with_observability]
fn block(value: u8) -> impl Future<Output = Result<u8, String>> {
    let doubled = value * 2;
    async move {
        leaf().await;
        if doubled > 100 { Err("too much".to_owned()) } else { Ok(doubled) }
    }
}

#[with_observability]
fn combined(value: u8) -> impl Future<Output = Result<u8, String>> + Send {
    leaf().map(move |()| if value > 50 { Err("too much".to_owned()) } else { Ok(value * 2) })
}

#[with_observability]
fn immediate(value: u8) -> impl Future<Output = Result<u8, String>> {
    ready(if value > 50 { Err("too much".to_owned()) } else { Ok(value * 2) })
}

#[with_observability]
fn pinned<'a>(value: &'a u8) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send + 'a>> {
    Box::pin(async move {
        leaf().await;
        if *value > 50 { Err("too much".to_owned()) } else { Ok(*value * 2) }
    })
}

#[with_observability]
fn boxed(value: u8) -> BoxFuture<'static, Result<u8, String>> {
    combined_quietly(value).boxed()
}

#[with_observability]
fn boxed_unnamed(value: u8) -> Pin<Box<impl Future<Output = Result<u8, String>>>> {
    Box::pin(combined_quietly(value))
}

async fn combined_quietly(value: u8) -> Result<u8, String> {
    leaf().await;
    if value > 50 { Err("too much".to_owned()) } else { Ok(value * 2) }
}

#[with_observability]
fn local(value: &u8) -> LocalBoxFuture<'_, Result<u8, String>> {
    combined_quietly(*value).boxed_local()
}

#[with_observability]
async fn written(value: u8) -> Result<u8, String> {
    combined_quietly(value).await
}

#[test]
fn a_future_of_any_form_is_observed_to_its_end() {
    with_and_without_context(|out| {
        out.block_on(async {
            assert_eq!(block(2).await, Ok(4));
            assert_eq!(combined(2).await, Ok(4));
            assert_eq!(immediate(2).await, Ok(4));
            assert_eq!(pinned(&2).await, Ok(4));
            assert_eq!(boxed(2).await, Ok(4));
            assert_eq!(boxed_unnamed(2).await, Ok(4));
            assert_eq!(local(&2).await, Ok(4));
            assert_eq!(written(2).await, Ok(4));
            assert!(tracing::Span::current().is_none());
        });
        for name in ["block", "combined", "immediate", "pinned", "boxed", "boxed_unnamed", "local", "written"] {
            assert_eq!(out.span(name).status, Status::Ok, "{name}");
            let of_it = |event: &&serde_json::Value| event["span"]["name"] == name;
            let events = out.events();
            let returned = events.iter().rfind(of_it).unwrap();
            assert_eq!(returned["fields"]["return"], 4, "{name}");
            assert!(returned["fields"]["busy_ms"].is_f64(), "{name}");
        }
        // The called functions are inside.
        let parents: Vec<_> = out.spans().into_iter().filter(|span| span.name == "leaf").collect();
        assert_eq!(parents.len(), 7);
    });
}

#[test]
fn the_futures_error_is_the_calls_error() {
    with_and_without_context(|out| {
        out.block_on(async {
            assert!(block(60).await.is_err());
            assert!(combined(60).await.is_err());
            assert!(immediate(60).await.is_err());
            assert!(pinned(&60).await.is_err());
            assert!(boxed(60).await.is_err());
            assert!(local(&60).await.is_err());
            assert!(written(60).await.is_err());
        });
        for name in ["block", "combined", "immediate", "pinned", "boxed", "local", "written"] {
            assert_eq!(out.span(name).status, Status::error("too much"), "{name}");
        }
        assert_eq!(out.events_named("failed").len(), 7);
    });
}

#[test]
fn a_futures_span_is_not_current_between_two_polls() {
    with_and_without_context(|out| {
        out.block_on(async {
            let mut future = Box::pin(leaf());
            assert!(futures_util::poll!(future.as_mut()).is_pending());
            assert!(tracing::Span::current().is_none());
            info!("between");
            future.await;
        });
        assert_eq!(out.event("between").get("span"), None);
        assert_eq!(out.event("inside")["span"]["name"], "leaf");
    });
}

#[with_observability]
fn counts_down(left: u8) -> BoxFuture<'static, u8> {
    Box::pin(async move { if left == 0 { 0 } else { counts_down(left - 1).await + 1 } })
}

#[with_observability]
async fn counts_down_too(left: u8) -> u8 {
    if left == 0 { 0 } else { Box::pin(counts_down_too(left - 1)).await + 1 }
}

#[test]
fn a_recursive_async_function_has_a_span_for_each_of_its_calls() {
    with_and_without_context(|out| {
        assert_eq!(out.block_on(counts_down(3)), 3);
        assert_eq!(out.block_on(counts_down_too(3)), 3);
        for name in ["counts_down", "counts_down_too"] {
            let spans: Vec<_> = out.spans().into_iter().filter(|span| span.name == name).collect();
            assert_eq!(spans.len(), 4);
            for pair in spans.windows(2) {
                assert_eq!(pair[0].parent_span_id, pair[1].span_context.span_id());
            }
        }
    });
}

#[async_trait]
trait Store {
    async fn save(&mut self, value: String) -> Result<usize, String>;

    #[with_observability(attributes_from_args = [value])]
    async fn by_default(&self, value: &str) -> usize {
        Yield::default().await;
        value.len()
    }
}

struct Memory(Vec<String>);

#[async_trait]
impl Store for Memory {
    #[with_observability(attributes_from_args = { self.0.len(): "stored", value: "value" })]
    async fn save(&mut self, value: String) -> Result<usize, String> {
        leaf().await;
        if value.is_empty() {
            return Err("nothing to save".into());
        }
        self.0.push(value);
        Ok(self.0.len())
    }
}

struct Other(usize);

#[with_observability]
#[async_trait]
impl Store for Other {
    async fn save(&mut self, value: String) -> Result<usize, String> {
        leaf().await;
        self.0 += value.len();
        Ok(self.0)
    }
}

#[test]
fn methods_of_async_trait_are_observed() {
    with_and_without_context(|out| {
        out.block_on(async {
            let mut memory = Memory(Vec::new());
            assert_eq!(memory.save("a".into()).await, Ok(1));
            assert!(memory.save(String::new()).await.is_err());
            assert_eq!(memory.by_default("four").await, 4);
        });
        let [saved, failed] =
            [0, 1].map(|index| out.spans().into_iter().filter(|span| span.name == "save").nth(index).unwrap());
        assert_eq!(saved.status, Status::Ok);
        assert_eq!(failed.status, Status::error("nothing to save"));
        assert_eq!(ctx_tests::attribute(&failed.attributes, "stored"), Some(1_i64.into()));
        assert_eq!(ctx_tests::attribute(&saved.attributes, "value"), Some("a".into()));
        assert_eq!(out.attribute("by_default", "value"), Some("four".into()));
        assert_eq!(out.events_named("failed").len(), 1);
    });
}

#[test]
fn an_impl_block_under_async_trait_is_observed() {
    with_and_without_context(|out| {
        assert_eq!(out.block_on(async { Other(1).save("ab".into()).await }), Ok(3));
        assert_eq!(out.span("Other::save").status, Status::Ok);
        assert_eq!(out.events_named("called")[0]["fields"]["value"], "ab");
    });
}

trait Native {
    async fn load(&self, id: u8) -> Result<u8, String>;
    fn load_boxed(&self, id: u8) -> impl Future<Output = u8> + Send;
}

impl Native for Memory {
    #[with_observability]
    async fn load(&self, id: u8) -> Result<u8, String> {
        leaf().await;
        Ok(id)
    }

    #[with_observability]
    fn load_boxed(&self, id: u8) -> impl Future<Output = u8> + Send {
        async move { id }
    }
}

#[test]
fn async_methods_of_traits_are_observed() {
    with_and_without_context(|out| {
        out.block_on(async {
            assert_eq!(Memory(Vec::new()).load(3).await, Ok(3));
            assert_eq!(Memory(Vec::new()).load_boxed(3).await, 3);
        });
        assert_eq!(out.span("load").status, Status::Ok);
        assert_eq!(out.span("load_boxed").status, Status::Ok);
    });
}

#[with_observability]
async fn borrows<'a>(text: &'a str, count: &mut usize) -> &'a str {
    Yield::default().await;
    *count += 1;
    &text[..1]
}

#[with_observability]
async fn forever() -> ! {
    loop {
        leaf().await;
    }
}

#[test]
fn async_functions_may_borrow_and_may_never_return() {
    with_and_without_context(|out| {
        let mut count = 0;
        assert_eq!(out.block_on(borrows("text", &mut count)), "t");
        assert_eq!(count, 1);
        out.run(|| {
            let mut future = Box::pin(forever());
            let mut task = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut task).is_pending());
        });
        assert_eq!(out.attribute("forever", "cancelled"), Some(true.into()));
    });
}
