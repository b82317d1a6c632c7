//! Context that is extracted from an argument, and injected into one.

use std::collections::HashMap;

use ctx_layer::{
    field::well_known::TENANT_ID,
    propagate,
    propagation::{self, Boundary, Captured, Carrier, Trust},
    task::Carried,
};
use tracing::{info, info_span};

use crate::stack::{ACCOUNT, Stack};

type Headers = HashMap<String, String>;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn headers() -> Headers {
    HashMap::from([
        ("traceparent".to_owned(), format!("00-{TRACE}-b7ad6b7169203331-01")),
        ("baggage".to_owned(), "account=a%20b,other=1".to_owned()),
    ])
}

#[propagate(from = headers, trust = internal)]
fn handle(headers: &Headers) -> Option<String> {
    assert_eq!(headers.len(), 2);
    let _span = info_span!("handled").entered();
    info!("handling");
    ACCOUNT.get()
}

#[propagate(from = headers)]
fn handle_external(headers: &Headers) -> Option<String> {
    let _ = headers;
    let _span = info_span!("handled for an external caller").entered();
    ACCOUNT.get()
}

struct Message {
    headers: Headers,
}

impl Message {
    fn headers(&self) -> &Headers {
        &self.headers
    }
}

#[propagate(from = message.headers(), trust = Trust::internal().drop_unregistered())]
async fn consume(message: Message) -> (Option<String>, Option<String>, usize) {
    tokio::task::yield_now().await;
    let _span = info_span!("consumed").entered();
    (ACCOUNT.get(), TENANT_ID.get().map(String::from), message.headers.len())
}

#[test]
fn the_body_runs_in_the_carriers_context_and_no_other() {
    let stack = Stack::new();
    stack.block_on(async {
        let _tenant = TENANT_ID.attach("of the loop");
        let _loop = info_span!("loop").entered();
        assert_eq!(handle(&headers()).as_deref(), Some("a b"));
        assert_eq!(handle_external(&headers()), None);
        let (account, tenant, _) = futures_lite(consume(Message { headers: headers() }));
        assert_eq!((account.as_deref(), tenant), (Some("a b"), None), "the loop's tenant is not the message's");
    });
    for name in ["handled", "handled for an external caller", "consumed"] {
        let span = stack.exported.span(name);
        assert_eq!(span.span_context.trace_id().to_string(), TRACE, "{name}");
        assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331", "{name}");
        assert!(span.parent_span_is_remote, "{name}");
    }
    assert_eq!(stack.on_line("handling", "account").as_deref(), Some("a b"));
    assert_eq!(stack.on_line("handling", "tenant_id"), None);
}

fn futures_lite<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
}

#[test]
fn context_is_restored_from_captured_extracted_and_missing_values() {
    #[propagate(from = captured, trust = internal)]
    fn from_captured(captured: &Captured) -> Option<String> {
        let _ = captured;
        ACCOUNT.get()
    }

    #[propagate(from = extracted)]
    fn from_extracted(extracted: &propagation::Extracted) -> Option<String> {
        let _ = extracted;
        ACCOUNT.get()
    }

    #[propagate(from = cx)]
    fn from_context(cx: opentelemetry::Context) -> Option<String> {
        let _ = cx;
        ACCOUNT.get()
    }

    #[propagate(from = carried)]
    fn from_carried(carried: &Carried<u8>) -> Option<String> {
        let _ = carried;
        ACCOUNT.get()
    }

    #[propagate(from = maybe, trust = internal)]
    fn from_option(maybe: Option<&Headers>) -> Option<String> {
        let _ = maybe;
        ACCOUNT.get()
    }

    #[propagate(from = headers, trust = internal)]
    fn from_lent(headers: &mut Headers) -> Option<String> {
        headers.clear();
        ACCOUNT.get()
    }

    #[propagate(from = shared, trust = internal)]
    fn from_shared(shared: std::sync::Arc<Headers>) -> Option<String> {
        drop(shared);
        ACCOUNT.get()
    }

    #[propagate(from = boxed, trust = internal)]
    async fn from_boxed(boxed: Box<dyn propagation::Carrier>) -> Option<String> {
        drop(boxed);
        ACCOUNT.get()
    }

    #[propagate(from = maybe)]
    fn from_optional_context(maybe: Option<&opentelemetry::Context>) -> Option<String> {
        let _ = maybe;
        ACCOUNT.get()
    }

    #[propagate(from = maybe)]
    async fn from_optional_snapshot(maybe: Option<ctx_layer::task::Snapshot>) -> Option<String> {
        drop(maybe);
        ACCOUNT.get()
    }

    let stack = Stack::new();
    stack.in_scope(|| {
        let captured = ACCOUNT.in_scope("acme", propagation::capture);
        assert_eq!(from_captured(&captured).as_deref(), Some("acme"));
        let carried = ACCOUNT.in_scope("globex", || Carried::new(7));
        assert_eq!(from_carried(&carried).as_deref(), Some("globex"));
        let extracted = propagation::extract(&headers(), Trust::internal());
        assert_eq!(from_extracted(&extracted).as_deref(), Some("a b"));
        assert_eq!(from_context(extracted.into_context()).as_deref(), Some("a b"));
        let snapshot = ACCOUNT.in_scope("initech", ctx_layer::task::Snapshot::capture);
        let _account = ACCOUNT.attach("of the caller");
        assert_eq!(from_shared(headers().into()).as_deref(), Some("a b"));
        assert_eq!(futures_lite(from_boxed(Box::new(headers()))).as_deref(), Some("a b"));
        assert_eq!(from_optional_context(Some(snapshot.context())).as_deref(), Some("initech"));
        assert_eq!(from_optional_context(None), None);
        assert_eq!(futures_lite(from_optional_snapshot(Some(snapshot))).as_deref(), Some("initech"));
        assert_eq!(futures_lite(from_optional_snapshot(None)), None);
        assert_eq!(from_option(Some(&headers())).as_deref(), Some("a b"));
        assert_eq!(from_option(None), None, "nothing to restore is nothing, and not the caller's");
        assert_eq!(from_lent(&mut headers()).as_deref(), Some("a b"));
    });
}

#[test]
fn the_current_context_is_injected_before_the_body() {
    #[propagate(into = headers)]
    fn send(headers: &mut Headers) -> Option<String> {
        headers.get("baggage").cloned()
    }

    #[propagate(into = headers, context = { account: ACCOUNT })]
    async fn send_later(mut headers: Headers, account: &str) -> (Headers, usize) {
        tokio::task::yield_now().await;
        let len = headers.len();
        headers.insert("more".to_owned(), account.to_owned());
        (headers, len)
    }

    #[propagate(from = incoming, trust = internal, into = outgoing)]
    fn relay(incoming: &Headers, outgoing: &mut Headers) {
        let _ = incoming;
        assert!(outgoing["traceparent"].contains(TRACE));
    }

    struct Request {
        headers: Headers,
    }

    #[propagate(into = &mut request.headers)]
    async fn send_a_part(request: &mut Request) -> Option<String> {
        request.headers.get("baggage").cloned()
    }

    #[propagate(into = headers)]
    fn send_if_asked(mut headers: Option<&mut Headers>) -> Option<usize> {
        headers.take().map(|headers| headers.len())
    }

    let stack = Stack::new();
    stack.in_scope(|| {
        let _account = ACCOUNT.attach("acme");
        let mut request = Request { headers: Headers::new() };
        assert_eq!(futures_lite(send_a_part(&mut request)).as_deref(), Some("account=acme"));
        assert_eq!(send_if_asked(Some(&mut Headers::new())), Some(1));
        assert_eq!(send_if_asked(None), None);
        assert_eq!(send(&mut Headers::new()).as_deref(), Some("account=acme"));
        let (headers, len) = futures_lite(send_later(Headers::new(), "globex"));
        assert_eq!((headers["baggage"].as_str(), len), ("account=globex", 1));
        relay(&self::headers(), &mut Headers::new());
    });
}

/// Headers with a boundary of their own, under which they are counted.
struct Counted(Headers);

static COUNTED: Boundary = Boundary::new("counted");

impl Carrier for Counted {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.0.lines(key, line);
    }

    fn boundary(&self) -> &'static Boundary {
        &COUNTED
    }
}

#[propagate(links = batch)]
async fn handle_counted(batch: Vec<Counted>) -> usize {
    batch.len()
}

#[propagate(from = message, trust = internal)]
fn handle_one_counted(message: Option<&Counted>) -> Option<String> {
    let _ = message;
    ACCOUNT.get()
}

#[test]
fn linked_messages_refuse_no_baggage_and_count_under_their_own_boundary() {
    let stack = Stack::new();
    assert_eq!(stack.block_on(async { handle_counted(vec![Counted(headers()), Counted(headers())]).await }), 2);
    let counts = COUNTED.counts();
    assert_eq!((counts.linked, counts.dropped), (2, 0), "{counts:?}");

    assert_eq!(handle_one_counted(Some(&Counted(headers()))).as_deref(), Some("a b"));
    assert_eq!(COUNTED.counts().continued, 1);
    assert_eq!(Captured::new().boundary().name(), "captured");
}
