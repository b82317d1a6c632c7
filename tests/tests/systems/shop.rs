//! HTTP services as in `examples/http_services.rs`: a gateway whose callers are external, and services behind it.

use std::{collections::HashMap, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
    routing::get,
};
use ctx_layer::{
    field::well_known::TENANT_ID,
    http::{ClientLayer, ClientMiddleware, HeaderRule, ServerLayer},
    propagation::{DestinationPolicy, Trust},
};
use http::StatusCode;
use reqwest_middleware::ClientWithMiddleware;
use tower_http::trace::TraceLayer;
use tracing::{Instrument, Span, info, info_span};

use crate::system::{System, edges, found};

/// The part that is taken out of the system.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Removed {
    Nothing,
    /// `shop` calls `billing` with a client that has a span, and sends no headers.
    Injection,
    /// `stock` has a span for each request, and does not read the headers.
    Extraction,
    /// A proxy between `gateway` and `billing` passes on no header of the context.
    Headers,
    /// `billing` takes `stock` for an external destination, so the tenant is not sent.
    Fields,
}

/// The services behind the names that the others use, as a DNS would know them.
#[derive(Clone, Default)]
pub(crate) struct Names(HashMap<&'static str, SocketAddr>);

impl Names {
    fn client(&self) -> reqwest::Client {
        let known = reqwest::Client::builder().no_proxy();
        self.0.iter().fold(known, |client, (name, address)| client.resolve(name, *address)).build().expect("it is one")
    }

    fn url(&self, name: &str) -> String {
        format!("http://{name}:{}/work", self.0[name].port())
    }
}

pub(crate) fn instrumented(names: &Names, internal: &[&str]) -> ClientWithMiddleware {
    let destinations = DestinationPolicy::internal(internal).expect("they are names");
    reqwest_middleware::ClientBuilder::new(names.client())
        .with(ClientMiddleware::new(ClientLayer::new().destinations(destinations)))
        .build()
}

/// A client as a program writes it that knows of spans, and not of propagation.
async fn call_without_injection(client: reqwest::Client, url: String) -> StatusCode {
    let parsed = reqwest::Url::parse(&url).expect("it is a URL");
    let span = info_span!(
        "GET",
        otel.kind = "client",
        server.address = parsed.host_str(),
        server.port = parsed.port(),
        http.request.method = "GET",
        http.response.status_code = tracing::field::Empty,
    );
    async {
        let status = client.get(url).send().await.expect("it answers").status();
        Span::current().record("http.response.status_code", status.as_u16());
        status
    }
    .instrument(span)
    .await
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A service that calls others, one after the other, when it is called.
fn calling(names: Names, others: &'static [&'static str], internal: &'static [&'static str], injects: bool) -> Router {
    let client = instrumented(&names, internal);
    let work = move || async move {
        for other in others {
            let status = match injects {
                true => client.get(names.url(other)).send().await.expect("it answers").status(),
                false => call_without_injection(names.client(), names.url(other)).await,
            };
            info!(other, status = status.as_u16(), "called");
        }
        "done"
    };
    Router::new().route("/work", get(work))
}

/// A proxy that passes on a request without the headers of the context.
async fn proxy(target: SocketAddr) -> SocketAddr {
    let client = reqwest::Client::new();
    let pass = move |request: Request| async move {
        let url = format!("http://{target}{}", request.uri().path());
        let mut headers = request.headers().clone();
        for name in ["traceparent", "tracestate", "baggage", "host"] {
            headers.remove(name);
        }
        match client.get(url).headers(headers).send().await {
            Ok(answer) => (answer.status(), answer.text().await.unwrap_or_default()).into_response(),
            Err(_) => Response::builder().status(502).body(Body::empty()).expect("it is one"),
        }
    };
    serve(Router::new().fallback(pass)).await
}

/// Runs the system: requests of two tenants, to `/work` of the gateway.
fn run(removed: Removed) -> ctx_check::Report {
    let mut system = System::new(&["http/protobuf", "grpc", "http/json"]);
    let mut names = Names::default();
    let internal = || ServerLayer::new().trust(Trust::internal());
    let leaf = |name: &'static str| {
        move || async move {
            info!("{name} works");
            "done"
        }
    };
    let ledger =
        system.start("ledger", move || serve(Router::new().route("/work", get(leaf("ledger"))).layer(internal())));
    names.0.insert("ledger", ledger);
    let stock = system.start("stock", move || {
        let app = Router::new().route("/work", get(leaf("stock")));
        let own_span = TraceLayer::new_for_http().make_span_with(|_: &Request| {
            info_span!("GET /work", otel.kind = "server", http.route = "/work", http.request.method = "GET")
        });
        serve(if removed == Removed::Extraction { app.layer(own_span) } else { app.layer(internal()) })
    });
    names.0.insert("stock", stock);
    let known = names.clone();
    let billing = system.start("billing", move || {
        let own: &'static [&'static str] = if removed == Removed::Fields { &["ledger"] } else { &["ledger", "stock"] };
        serve(calling(known, &["stock", "ledger"], own, true).layer(internal()))
    });
    names.0.insert("billing", billing);
    let known = names.clone();
    let shop = system.start("shop", move || {
        serve(calling(known, &["billing"], &["billing"], removed != Removed::Injection).layer(internal()))
    });
    names.0.insert("shop", shop);
    let mut known = names.clone();
    let gateway = system.start("gateway", move || async move {
        if removed == Removed::Headers {
            known.0.insert("billing", proxy(billing).await);
        }
        let tenant = HeaderRule::new("x-tenant", &TENANT_ID);
        let app = calling(known, &["shop", "billing"], &["shop", "billing"], true);
        serve(app.layer(ServerLayer::new().header(tenant))).await
    });

    // The callers are outside of the system.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
    runtime.block_on(async {
        let client = reqwest::Client::new();
        for tenant in ["acme", "globex", "acme"] {
            let request = client.get(format!("http://{gateway}/work")).header("x-tenant", tenant);
            let status = request.send().await.expect("it answers").status();
            assert_eq!(status, StatusCode::OK);
        }
    });
    system.judge("require = [\"tenant_id\"]\n[services]\nentry = [\"gateway\"]")
}

#[test]
fn services_that_propagate_are_healthy() {
    let report = run(Removed::Nothing);
    assert_eq!(found(&report), [""; 0]);
    assert!(report.summary.is_healthy);
    // A server span for each of the requests, and a client span for each of the calls.
    assert_eq!((report.summary.traces, report.summary.spans), (3, 3 * (1 + 2 * (2 + 1 + 4))));
    assert!(report.summary.logs > 0, "log records are exported, too");
    let connected =
        ["billing -> ledger", "billing -> stock", "gateway -> billing", "gateway -> shop", "shop -> billing"];
    assert_eq!(edges(&report), connected.map(|edge| format!("{edge}: connected")));
}

#[test]
fn a_client_that_does_not_inject_is_that_edge_and_cause() {
    let report = run(Removed::Injection);
    assert_eq!(found(&report), ["ctx/broken-edge | shop -> billing | no_propagator_in_caller"]);
}

#[test]
fn a_server_that_does_not_extract_is_that_edge_and_cause() {
    let report = run(Removed::Extraction);
    assert_eq!(found(&report), ["ctx/broken-edge | billing -> stock | no_propagator_in_callee"]);
}

#[test]
fn a_proxy_that_removes_headers_is_that_edge_and_cause() {
    let report = run(Removed::Headers);
    assert_eq!(found(&report), ["ctx/broken-edge | gateway -> billing | header_stripped"]);
}

#[test]
fn fields_that_are_not_sent_are_lost_at_that_edge() {
    let report = run(Removed::Fields);
    assert_eq!(found(&report), ["ctx/missing-field | billing -> stock | not_propagated"]);
}
