//! An axum hello-world: bare, with ours, with `tower-http`'s `TraceLayer`, with `axum-tracing-opentelemetry`.
//!
//! Repeat with `cargo bench -p ctx-benches --bench http` (about a minute); after `--`, `--quick`. Requests come with a
//! `traceparent`. All but the bare one export a span for each request, by `tracing-opentelemetry`, to an exporter that
//! drops it. Ours carries five fields.
//!
//! First in process: the service is called, its body read, on one thread. The arms take turns in batches; the lower
//! quartile of an arm's batches counts. Allocations are those of one request. Then on loopback: a server of one thread,
//! a client on another with 16 connections that are kept, in turns of 2 000 requests.
//!
//! The goal: to cost no more than the cheaper of the two peers while carrying five fields. Without fields ours costs less
//! than either. With five it costs less than `TraceLayer` as it comes, with its two lines, and than `TraceLayer` with the same
//! attributes and fields by hand; the goal is **missed** by 7 % of a request beside `axum-tracing-opentelemetry`, and by 17 %
//! beside a silent `TraceLayer`, whose span has three attributes and no parent. Of the 570 ns that five
//! fields cost, 320 are what the span's outputs do with five more attributes, whose strings the OpenTelemetry layer copies;
//! 250 are creating and dropping them (five strings and the set). On a virtual machine of two cores (Intel Xeon), nothing else
//! running, rustc 1.95; ns over the bare one, which takes 895, instructions of a whole request (callgrind), and requests per
//! second on loopback, the best of three runs, which differ by 5 %:
//!
//! | | ns | allocations | instructions | per second |
//! |---|--:|--:|--:|--:|
//! | bare | | | 11 500 | 171 800 |
//! | ours, five fields set by a closure | 3044 | 41 | 39 500 | 95 400 |
//! | ours, five fields built before | 2800 | 35 | 37 100 | 91 400 |
//! | ours, five fields from baggage, whose header counts too | 3233 | 43 | 43 300 | 90 400 |
//! | ours, no field | 2477 | 29 | 33 700 | 104 800 |
//! | tower-http's TraceLayer, its span only: three attributes, no parent | 2484 | 20 | 29 500 | 118 700 |
//! | tower-http's TraceLayer, its lines too | 3123 | 31 | 35 600 | 102 300 |
//! | tower-http's TraceLayer, our attributes and five fields by hand, no parent | 3138 | 33 | 36 900 | 98 300 |
//! | axum-tracing-opentelemetry: our attributes, no field | 2795 | 34 | 38 000 | 98 800 |
//! | ours, switched off, the trace passed on | 875 | 9 | 17 700 | 148 300 |
//! | tower-http's TraceLayer, switched off | 373 | 5 | 14 300 | 154 300 |
//!
//! Where the time goes besides instructions: the OpenTelemetry layer reads the clock three times whenever the span is entered and
//! left. Ours does so once for this request, `axum-tracing-opentelemetry` twice, `TraceLayer` three times. Switched off, ours
//! is the cost of reading the trace's headers and keeping it current.

use std::{
    convert::Infallible,
    env,
    hint::black_box,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, response::Response, routing::get};
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use ctx_benches::{
    measure::{Arm, Effort, Place, interleaved},
    request,
};
use ctx_counting_allocator::{self as counting, Counting};
use ctx_layer::{
    Fields, SubscriberFieldsExt,
    field::well_known::{CORRELATION_ID, LOCALE, REQUEST_ID, TENANT_ID, USER_ID},
    http::ServerLayer,
    propagation::Trust,
};
use http::Request;
use http_body_util::BodyExt;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::Service;
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::Level;
use tracing_core::{Dispatch, dispatcher};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const BAGGAGE: &str = "request_id=0191d8a4-77f2-7c3e-9a55-0f1c2b3d4e5f,tenant_id=acme-industries,user_id=u-81723,\
                       locale=nl-NL,correlation_id=order-2024-118-27";

/// An exporter that drops every span.
#[derive(Debug)]
struct Drops;

impl SpanExporter for Drops {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(black_box(batch));
        Ok(())
    }
}

fn provider() -> SdkTracerProvider {
    SdkTracerProvider::builder().with_simple_exporter(Drops).build()
}

/// Creates a stack that exports spans, without this crate.
fn stock(level: LevelFilter) -> Dispatch {
    let layer = tracing_opentelemetry::layer().with_tracer(provider().tracer("bench"));
    Dispatch::new(tracing_subscriber::registry().with(level).with(layer))
}

/// Creates a stack that exports spans, with this crate.
fn ours() -> Dispatch {
    let layer = tracing_opentelemetry::layer().with_tracer(provider().tracer("bench"));
    let schema = ctx_layer::Schema::builder().field(&REQUEST_ID).field(&TENANT_ID).field(&USER_ID).field(&LOCALE);
    let schema = schema.field(&CORRELATION_ID).build().expect("five fields of different names");
    Dispatch::new(tracing_subscriber::registry().with(LevelFilter::INFO).with(layer).with_context_fields(schema))
}

fn app() -> Router {
    Router::new().route("/hello/{name}", get(|| async { "Hello, world!" }))
}

fn five() -> Fields {
    let request = &*request::REQUEST;
    Fields::new()
        .with(&REQUEST_ID, request.id.as_str())
        .with(&TENANT_ID, request.tenant.as_str())
        .with(&USER_ID, request.user.as_str())
        .with(&LOCALE, request.locale.as_str())
        .with(&CORRELATION_ID, "order-2024-118-27")
}

/// A server to compare.
struct Server {
    name: &'static str,
    dispatch: Dispatch,
    app: fn() -> Router,
    has_baggage: bool,
}

fn servers() -> Vec<Server> {
    let server = |name, dispatch, app, has_baggage| Server { name, dispatch, app, has_baggage };
    vec![
        server("bare", Dispatch::none(), app, false),
        server(
            "ours, five fields set by a closure",
            ours(),
            || app().layer(ServerLayer::new().fields(|_, _| five())),
            false,
        ),
        server(
            "ours, five fields built before",
            ours(),
            || {
                let five = five();
                app().layer(ServerLayer::new().fields(move |_, _| five.clone()))
            },
            false,
        ),
        server(
            "ours, five fields from baggage",
            ours(),
            || app().layer(ServerLayer::new().trust(Trust::internal())),
            true,
        ),
        server("ours, no field", ours(), || app().layer(ServerLayer::new()), false),
        server(
            "ours, no field, each request logged",
            ours(),
            || app().layer(ServerLayer::new().log_requests(Level::INFO)),
            false,
        ),
        server(
            "tower-http's TraceLayer, its span only",
            stock(LevelFilter::INFO),
            || app().layer(TraceLayer::new_for_http().make_span_with(DefaultMakeSpan::new().level(Level::INFO))),
            false,
        ),
        server(
            "tower-http's TraceLayer, its lines too",
            stock(LevelFilter::INFO),
            || {
                let layer = TraceLayer::new_for_http()
                    .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
                    .on_request(DefaultOnRequest::new().level(Level::INFO))
                    .on_response(DefaultOnResponse::new().level(Level::INFO));
                app().layer(layer)
            },
            false,
        ),
        server(
            "tower-http's TraceLayer, our attributes and five fields by hand",
            stock(LevelFilter::INFO),
            || {
                let layer = TraceLayer::new_for_http().make_span_with(by_hand).on_response(
                    |response: &http::Response<_>, _: Duration, span: &tracing::Span| {
                        span.record("http.response.status_code", i64::from(response.status().as_u16()));
                    },
                );
                app().layer(layer)
            },
            false,
        ),
        server("axum-tracing-opentelemetry", stock(LevelFilter::INFO), || app().layer(OtelAxumLayer::default()), false),
        server("ours, switched off", Dispatch::none(), || app().layer(ServerLayer::new()), false),
        server(
            "ours, a log of requests, switched off",
            Dispatch::none(),
            || app().layer(ServerLayer::new().log_requests(Level::INFO)),
            false,
        ),
        server(
            "tower-http's TraceLayer, switched off",
            Dispatch::none(),
            || app().layer(TraceLayer::new_for_http()),
            false,
        ),
    ]
}

/// Opens the span that `ServerLayer` opens, written by hand, without a parent, and with the fields on this span only.
fn by_hand(request: &Request<Body>) -> tracing::Span {
    let header = |name| request.headers().get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let route = request.extensions().get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str);
    let facts = &*request::REQUEST;
    tracing::info_span!(
        "request",
        otel.name = format!("{} {}", request.method(), route.unwrap_or_default()),
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = route,
        url.scheme = "http",
        url.path = request.uri().path(),
        url.query = request.uri().query(),
        server.address = header(http::header::HOST).and_then(|host| host.split(':').next()),
        server.port = 8080,
        network.protocol.version = "1.1",
        user_agent.original = header(http::header::USER_AGENT),
        http.response.status_code = tracing::field::Empty,
        error.type = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
        request_id = facts.id.as_str(),
        tenant_id = facts.tenant.as_str(),
        user_id = facts.user.as_str(),
        locale = facts.locale.as_str(),
        correlation_id = "order-2024-118-27",
    )
}

fn hello(has_baggage: bool) -> Request<Body> {
    let request = Request::get("/hello/world")
        .header("host", "shop.example:8080")
        .header("user-agent", "bench/1")
        .header("traceparent", PARENT);
    let request = if has_baggage { request.header("baggage", BAGGAGE) } else { request };
    request.body(Body::empty()).expect("it is a request")
}

/// Polls a future that is never pending.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => ready,
        Poll::Pending => panic!("it waits for nothing"),
    }
}

fn call(app: &Router, has_baggage: bool) {
    let mut app = app.clone();
    let response: Result<Response, Infallible> = now(app.call(hello(has_baggage)));
    let Ok(response) = response;
    let body = now(response.into_body().collect());
    black_box(body.is_ok());
}

fn allocations(server: &Server) -> u64 {
    let (app, has_baggage) = ((server.app)(), server.has_baggage);
    dispatcher::with_default(&server.dispatch, || {
        (0..1000).for_each(|_| call(&app, has_baggage));
        let before = counting::allocations();
        (0..100).for_each(|_| call(&app, has_baggage));
        (counting::allocations() - before).div_ceil(100)
    })
}

fn in_process(effort: Effort) {
    let servers = servers();
    let counts: Vec<u64> = servers.iter().map(allocations).collect();
    let arms: Vec<Arm> = servers
        .into_iter()
        .map(|server| {
            let has_baggage = server.has_baggage;
            Arm::prepared(server.name, Place::new(server.dispatch), server.app, move |app: &Router| {
                call(app, has_baggage)
            })
        })
        .collect();
    let times = interleaved(&arms, effort);
    println!("| in process | ns | over bare | allocations over bare |\n|---|--:|--:|--:|");
    for ((arm, time), count) in arms.iter().zip(&times).zip(&counts) {
        println!("| {} | {time:.0} | {:+.0} | {:+} |", arm.name(), time - times[0], *count as i64 - counts[0] as i64);
    }
}

/// Serves on a thread of its own.
fn serve(server: &Server) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    listener.set_nonblocking(true).expect("it can be");
    let address = listener.local_addr().expect("it is bound");
    let (dispatch, app) = (server.dispatch.clone(), server.app);
    std::thread::spawn(move || {
        let _default = dispatcher::set_default(&dispatch);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it is one");
            axum::serve(listener, app()).await.expect("it serves");
        });
    });
    address
}

const CONNECTIONS: usize = 16;

/// Sends `count` requests over one connection.
async fn ask(stream: &mut tokio::net::TcpStream, request: &[u8], count: usize) -> std::io::Result<()> {
    let mut buffer = [0; 1024];
    for _ in 0..count {
        stream.write_all(request).await?;
        let mut read = 0;
        // All responses have the same end.
        while !buffer[..read].ends_with(b"Hello, world!") {
            read += stream.read(&mut buffer[read..]).await?;
        }
    }
    Ok(())
}

fn on_loopback(turns: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
    let servers = servers();
    let mut clients: Vec<_> = servers
        .iter()
        .map(|server| {
            let address = serve(server);
            let connect = async {
                let mut streams = Vec::new();
                for _ in 0..CONNECTIONS {
                    let stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
                    stream.set_nodelay(true).expect("it can be");
                    streams.push(stream);
                }
                streams
            };
            let baggage = if server.has_baggage { format!("baggage: {BAGGAGE}\r\n") } else { String::new() };
            let request = format!(
                "GET /hello/world HTTP/1.1\r\nhost: shop.example:8080\r\nuser-agent: bench/1\r\ntraceparent: {PARENT}\r\n{baggage}\r\n"
            );
            (runtime.block_on(connect), request)
        })
        .collect();
    let mut times = vec![Vec::new(); servers.len()];
    for turn in 0..turns {
        for i in 0..servers.len() {
            let at = (turn + i) % servers.len();
            let (streams, request) = &mut clients[at];
            let start = Instant::now();
            let local = tokio::task::LocalSet::new();
            let all = std::mem::take(streams);
            *streams = local.block_on(&runtime, async {
                let tasks: Vec<_> = all
                    .into_iter()
                    .map(|mut stream| {
                        let request = request.clone();
                        tokio::task::spawn_local(async move {
                            ask(&mut stream, request.as_bytes(), 2000 / CONNECTIONS).await.expect("it answers");
                            stream
                        })
                    })
                    .collect();
                let mut streams = Vec::new();
                for task in tasks {
                    streams.push(task.await.expect("it does not panic"));
                }
                streams
            });
            times[at].push(start.elapsed());
        }
    }
    println!("\n| on loopback | requests per second | of bare |\n|---|--:|--:|");
    let rates: Vec<f64> = times.into_iter().map(rate).collect();
    for (server, rate) in servers.iter().zip(&rates) {
        println!("| {} | {rate:.0} | {:.2} |", server.name, rate / rates[0]);
    }
}

fn rate(mut times: Vec<Duration>) -> f64 {
    times.sort();
    2000.0 / times[times.len() / 4].as_secs_f64()
}

fn main() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    // For a profiler: `--run <arm> <count>`.
    let one = env::args().skip_while(|argument| argument != "--run").skip(1).collect::<Vec<_>>();
    if let [name, count, ..] = &one[..] {
        for server in servers().into_iter().filter(|server| server.name == name) {
            let (app, count) = ((server.app)(), count.parse().unwrap_or(1000));
            dispatcher::with_default(&server.dispatch, || (0..count).for_each(|_: u64| call(&app, server.has_baggage)));
        }
        return;
    }
    let is_quick = env::args().any(|argument| argument == "--quick");
    let effort = if is_quick { Effort::QUICK } else { Effort::FULL };
    if !env::args().any(|argument| argument == "--loopback") {
        in_process(Effort { batch: effort.batch * 5, turns: effort.turns / 4 });
    }
    if !env::args().any(|argument| argument == "--in-process") {
        on_loopback(if is_quick { 8 } else { 40 });
    }
}
