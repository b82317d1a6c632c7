//! `#[propagate]` beside `#[with_observability]`, in all forms of functions.

use std::{collections::HashMap, pin::Pin};

use ctx_layer::{field::well_known::TENANT_ID, propagate, propagate as carry, with_observability};
use ctx_tests::block_on;
use futures_util::{Stream, StreamExt};
use opentelemetry::SpanId;
use tracing::info_span;

use crate::stack::{ACCOUNT, ATTEMPT, Stack};

type Headers = HashMap<String, String>;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn numbered(number: u8) -> Headers {
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{TRACE}-00000000000000{number:02x}-01")),
        ("baggage".to_owned(), "account=acme".to_owned()),
    ])
}

fn parent_of(headers: &Headers) -> String {
    headers["traceparent"].clone()
}

#[async_trait::async_trait]
trait Sends {
    async fn lent(&self, headers: &mut Headers) -> String;
    async fn owned(&self, headers: Headers) -> String;
    async fn restored(&self, headers: Headers, name: &str) -> (Option<String>, Option<String>);
}

struct Service {
    sent: Headers,
}

#[async_trait::async_trait]
impl Sends for Service {
    #[propagate(into = headers)]
    #[with_observability(name = "lent", log_args = false)]
    async fn lent(&self, headers: &mut Headers) -> String {
        parent_of(headers)
    }

    #[with_observability(name = "owned", log_args = false)]
    #[propagate(into = headers)]
    async fn owned(&self, headers: Headers) -> String {
        parent_of(&headers)
    }

    #[propagate(from = headers, trust = internal, context = { name: TENANT_ID })]
    #[with_observability(name = "restored", log_args = false)]
    async fn restored(&self, headers: Headers, name: &str) -> (Option<String>, Option<String>) {
        let _ = (headers, name);
        tokio::task::yield_now().await;
        (ACCOUNT.get(), TENANT_ID.get().map(String::from))
    }
}

#[with_observability(log_args = false)]
impl Service {
    #[propagate(into = self.sent)]
    fn of_self(&mut self) -> String {
        parent_of(&self.sent)
    }

    #[propagate(into = headers)]
    async fn in_block(&self, headers: &mut Headers) -> String {
        parent_of(headers)
    }

    #[propagate(from = headers, trust = internal)]
    fn restored_block(&self, headers: &Headers) -> Option<String> {
        let _ = headers;
        ACCOUNT.get()
    }

    #[propagate(links = batch)]
    async fn links_block(&self, batch: &[Headers; 2]) -> usize {
        batch.len()
    }
}

#[propagate(into = headers)]
#[with_observability(log_args = false)]
fn block(mut headers: Headers) -> impl Future<Output = String> {
    headers.insert("more".to_owned(), String::new());
    async move { parent_of(&headers) }
}

#[propagate(into = headers)]
#[with_observability(log_args = false)]
fn boxed<'a>(headers: &'a mut Headers) -> Pin<Box<dyn Future<Output = String> + Send + 'a>> {
    Box::pin(async move { parent_of(headers) })
}

#[propagate(into = headers)]
#[with_observability(log_args = false)]
fn made(headers: &mut Headers) -> impl Future<Output = String> + use<> {
    let parent = parent_of(headers);
    std::future::ready(parent)
}

#[with_observability(log_args = false)]
#[propagate(into = headers)]
fn stream(headers: &mut Headers) -> impl Stream<Item = String> + Unpin + use<> {
    futures_util::stream::iter([parent_of(headers)])
}

#[carry(into = headers)]
#[with_observability(log_args = false)]
fn renamed(headers: &mut Headers) -> String {
    parent_of(headers)
}

#[test]
fn injected_context_has_the_functions_span_as_parent_in_every_form() {
    let stack = Stack::new();
    let sent = stack.in_scope(|| {
        let _request = info_span!("request").entered();
        let mut service = Service { sent: Headers::new() };
        [
            ("lent", block_on(service.lent(&mut Headers::new()))),
            ("owned", block_on(service.owned(Headers::new()))),
            ("Service::of_self", service.of_self()),
            ("Service::in_block", block_on(service.in_block(&mut Headers::new()))),
            ("block", block_on(block(Headers::new()))),
            ("boxed", block_on(boxed(&mut Headers::new()))),
            ("made", block_on(made(&mut Headers::new()))),
            ("stream", block_on(stream(&mut Headers::new()).next()).unwrap()),
            ("renamed", renamed(&mut Headers::new())),
        ]
    });
    let wrong: Vec<_> = sent
        .iter()
        .filter(|(name, sent)| {
            let context = stack.exported.span(name).span_context;
            !sent.starts_with(&format!("00-{}-{}", context.trace_id(), context.span_id()))
        })
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_block_of_methods_with_spans_restores_and_links() {
    let stack = Stack::new();
    stack.in_scope(|| {
        let _request = info_span!("request").entered();
        let service = Service { sent: Headers::new() };
        assert_eq!(service.restored_block(&numbered(1)).as_deref(), Some("acme"));
        assert_eq!(block_on(service.links_block(&[numbered(1), numbered(2)])), 2);
        let restored = block_on(service.restored(numbered(3), "globex"));
        assert_eq!(restored, (Some("acme".to_owned()), Some("globex".to_owned())));
    });
    let span = |name| stack.exported.span(name);
    assert_eq!(span("Service::restored_block").parent_span_id.to_string(), "0000000000000001");
    assert_eq!(span("restored").parent_span_id.to_string(), "0000000000000003");
    let links: Vec<_> =
        span("Service::links_block").links.iter().map(|link| link.span_context.span_id().to_string()).collect();
    assert_eq!(links, ["0000000000000001", "0000000000000002"]);
    assert_eq!(span("Service::links_block").parent_span_id, span("request").span_context.span_id());
}

#[test]
fn links_are_added_for_every_item_of_any_iterable() {
    #[propagate(links = batch)]
    fn array(batch: [Headers; 2]) {
        drop(batch);
    }
    #[propagate(links = batch)]
    fn option(batch: Option<Headers>) {
        drop(batch);
    }
    #[propagate(links = batch)]
    async fn references(batch: Vec<&Headers>) -> usize {
        batch.len()
    }
    #[propagate(links = [&message])]
    async fn single(message: Headers) -> usize {
        message.len()
    }
    #[propagate(links = batch.iter().map(|(_, headers)| headers))]
    fn mapped(batch: &[(u8, Headers)]) {
        let _ = batch;
    }
    #[propagate(links = &batch.0)]
    fn field(batch: (Vec<Headers>,)) {
        drop(batch);
    }
    #[propagate(links = batch)]
    fn ticks(batch: &[Headers]) -> impl Stream<Item = u8> + Unpin + use<> {
        let _ = batch;
        futures_util::stream::iter([1])
    }
    #[propagate(links = batch)]
    fn carried(batch: &[ctx_layer::task::Snapshot]) {
        let _ = batch;
    }

    #[propagate(links = batch)]
    fn spans(batch: Vec<opentelemetry::trace::SpanContext>) {
        drop(batch);
    }
    #[propagate(links = batch)]
    async fn perhaps(batch: &[Option<ctx_layer::task::Snapshot>]) {
        let _ = batch;
    }
    #[propagate(links = batch)]
    fn shared(batch: &[std::sync::Arc<Headers>]) {
        let _ = batch;
    }

    let stack = Stack::new();
    stack.in_scope(|| {
        array([numbered(1), numbered(2)]);
        option(Some(numbered(1)));
        option(None);
        assert_eq!(block_on(references(vec![&numbered(1)])), 1);
        assert_eq!(block_on(single(numbered(1))), 2);
        mapped(&[(1, numbered(1))]);
        field((vec![numbered(1)],));
        block_on(ticks(&[numbered(1)]).next());
        let one = info_span!("one").in_scope(ctx_layer::task::Snapshot::capture);
        let span = opentelemetry::trace::TraceContextExt::span(one.context()).span_context().clone();
        spans(vec![span, opentelemetry::trace::SpanContext::NONE]);
        block_on(perhaps(&[Some(one.clone()), None]));
        shared(&[numbered(1).into()]);
        carried(&[one]);
    });
    let links =
        |name| stack.exported.spans().iter().filter(|span| span.name == name).map(|it| it.links.len()).sum::<usize>();
    for (name, expected) in [
        ("array", 2),
        ("option", 1),
        ("references", 1),
        ("single", 1),
        ("mapped", 1),
        ("field", 1),
        ("ticks", 1),
        ("carried", 1),
        ("spans", 1),
        ("perhaps", 1),
        ("shared", 1),
    ] {
        assert_eq!(links(name), expected, "{name}");
    }
}

#[test]
fn set_fields_win_over_restored_ones_and_the_spans_own_over_both() {
    #[propagate(from = headers, trust = internal, context = { name: ACCOUNT, name: TENANT_ID })]
    fn both(headers: &Headers, name: &str) -> (Option<String>, Option<String>) {
        let _ = (headers, name);
        (ACCOUNT.get(), TENANT_ID.get().map(String::from))
    }

    #[propagate(isolated, context = { name: ACCOUNT })]
    async fn alone(name: String) -> (Option<String>, Option<String>) {
        let _ = name;
        tokio::task::yield_now().await;
        (ACCOUNT.get(), TENANT_ID.get().map(String::from))
    }

    #[with_observability(context = { attempt: ATTEMPT, inner: TENANT_ID }, log_args = false)]
    #[propagate(from = headers, trust = internal, context = { outer: TENANT_ID })]
    async fn three(
        headers: Headers,
        outer: &str,
        inner: &str,
        attempt: u64,
    ) -> (Option<String>, Option<String>, Option<u64>) {
        let _ = (headers, outer, inner, attempt);
        tokio::task::yield_now().await;
        (ACCOUNT.get(), TENANT_ID.get().map(String::from), ATTEMPT.get())
    }

    let text = |text: &str| Some(text.to_owned());
    let stack = Stack::new();
    stack.in_scope(|| {
        let _tenant = TENANT_ID.attach("of the loop");
        assert_eq!(both(&numbered(1), "globex"), (text("globex"), text("globex")));
        assert_eq!(block_on(alone("globex".to_owned())), (text("globex"), None));
        assert_eq!(block_on(three(numbered(1), "outer", "inner", 3)), (text("acme"), text("inner"), Some(3)));
    });
    let span = stack.exported.span("three");
    assert_eq!(span.parent_span_id.to_string(), "0000000000000001");
    let attribute = |key| ctx_tests::attribute(&span.attributes, key).map(|value| value.to_string());
    assert_eq!(
        (attribute("account"), attribute("tenant_id"), attribute("attempt")),
        (text("acme"), text("inner"), text("3"))
    );
}

#[test]
fn streams_restore_and_set() {
    #[propagate(from = headers, trust = internal, context = { name: TENANT_ID })]
    fn ticks(headers: Headers, name: String) -> impl Stream<Item = (Option<String>, Option<String>)> + Unpin {
        drop((headers, name));
        futures_util::stream::iter(0..2).map(|_| (ACCOUNT.get(), TENANT_ID.get().map(String::from)))
    }

    let stack = Stack::new();
    let seen = stack.in_scope(|| block_on(ticks(numbered(1), "globex".to_owned()).collect::<Vec<_>>()));
    assert_eq!(seen, vec![(Some("acme".to_owned()), Some("globex".to_owned())); 2]);
}

#[test]
fn the_attribute_works_under_cfg_attr() {
    #[propagate(from = headers, trust = internal)]
    #[cfg_attr(all(), with_observability(log_args = false))]
    async fn above(headers: Headers) {
        let _ = headers;
    }

    #[cfg_attr(all(), with_observability(log_args = false))]
    #[cfg_attr(all(), propagate(from = headers, trust = internal))]
    async fn below(headers: Headers) {
        let _ = headers;
    }

    #[propagate(from = headers, trust = internal)]
    #[cfg_attr(any(), with_observability(log_args = false))]
    async fn without(headers: Headers) -> Option<String> {
        let _ = headers;
        ACCOUNT.get()
    }

    let stack = Stack::new();
    stack.in_scope(|| {
        let _loop = info_span!("loop").entered();
        block_on(above(numbered(1)));
        block_on(below(numbered(1)));
        assert_eq!(block_on(without(numbered(1))).as_deref(), Some("acme"));
    });
    for name in ["above", "below"] {
        let span = stack.exported.span(name);
        assert_eq!(span.parent_span_id.to_string(), "0000000000000001", "{name}");
        assert_ne!(span.parent_span_id, SpanId::INVALID);
    }
}

#[test]
fn trust_takes_any_expression() {
    use ctx_layer::propagation::Trust;

    #[propagate(from = headers, trust = trust)]
    fn argument(headers: &Headers, trust: Trust) -> Option<String> {
        let _ = headers;
        ACCOUNT.get()
    }

    #[propagate(from = headers, trust = if is_ours { Trust::internal() } else { Trust::external() })]
    async fn chosen(headers: Headers, is_ours: bool) -> Option<String> {
        let _ = (headers, is_ours);
        ACCOUNT.get()
    }

    let stack = Stack::new();
    stack.in_scope(|| {
        assert_eq!(argument(&numbered(1), Trust::internal()).as_deref(), Some("acme"));
        assert_eq!(argument(&numbered(1), Trust::external()), None);
        assert_eq!(block_on(chosen(numbered(1), true)).as_deref(), Some("acme"));
        assert_eq!(block_on(chosen(numbered(1), false)), None);
    });
}
