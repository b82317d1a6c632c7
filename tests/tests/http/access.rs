//! The line about each request: when it comes, at which level, and what is on it.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use ctx_layer::{
    FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::well_known::{TENANT_ID, USER_ID},
    http::{ClientLayer, ClientMiddleware, ServerLayer, UrlTemplate},
    output::json,
    task,
};
use ctx_tests::Captured;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt, service_fn};
use tracing::{Level, info};
use tracing_subscriber::{Layer, filter::Targets, prelude::*};

use crate::shared::{loopback, serve};

/// Runs a future under a JSON output with this filter, and returns the lines about requests.
fn lines_under<F: Future>(filter: &str, run: impl FnOnce() -> F) -> Vec<Value> {
    let lines = Captured::default();
    let output = json::layer().without_time().with_writer(lines.clone());
    let filter: Targets = filter.parse().expect("it is a filter");
    let stack = tracing_subscriber::registry().with(output.with_filter(filter));
    let dispatch = tracing::Dispatch::new(stack.with_context_fields(Schema::well_known()));
    let _default = tracing::dispatcher::set_default(&dispatch);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
    runtime.block_on(async {
        run().await;
        // Lets connections and servers finish their work.
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    });
    drop(runtime);
    let mut lines = lines.json();
    lines.retain(|line| line["message"].as_str().is_some_and(|message| message.starts_with("request ")));
    for line in &mut lines {
        for side in ["server", "client"] {
            if let Some(duration) = line.as_object_mut().unwrap().remove(&format!("http.{side}.request.duration")) {
                assert!(duration.as_f64().is_some_and(|duration| duration > 0.0 && duration < 60.0), "{duration}");
                assert_eq!(line["target"], format!("ctx_layer::http::{side}"));
                line.as_object_mut().unwrap().remove("target");
            }
        }
        assert!(line.get("target").is_none(), "without a duration: {line}");
    }
    lines
}

fn lines<F: Future>(run: impl FnOnce() -> F) -> Vec<Value> {
    lines_under("trace", run)
}

fn one(mut lines: Vec<Value>) -> Value {
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

fn layer() -> ServerLayer {
    ServerLayer::new().fields(|_, fields| fields.with(&TENANT_ID, "acme")).log_requests(Level::INFO)
}

fn get_request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("it is a request")
}

/// Serves a request in process, and reads the whole body.
async fn served<B>(layer: ServerLayer, request: Request<Body>, response: Response<B>)
where
    B: http_body::Body<Error: std::fmt::Display> + Unpin + 'static,
{
    let mut response = Some(response);
    let handler = move |_: Request<Body>| {
        let response = response.take().expect("there is one request");
        async { Ok::<_, Infallible>(response) }
    };
    let service = layer.layer(CloneOnce(std::sync::Arc::new(std::sync::Mutex::new(handler))));
    let Ok(response) = service.oneshot(request).await;
    let _ = response.into_body().collect().await;
}

/// A service whose clones share its state.
struct CloneOnce<F>(std::sync::Arc<std::sync::Mutex<F>>);

impl<F> Clone for CloneOnce<F> {
    fn clone(&self) -> Self {
        CloneOnce(self.0.clone())
    }
}

impl<F, T, R> tower::Service<Request<Body>> for CloneOnce<F>
where
    F: FnMut(Request<Body>) -> T,
    T: Future<Output = Result<R, Infallible>>,
{
    type Response = R;
    type Error = Infallible;
    type Future = T;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> T {
        (self.0.lock().unwrap())(request)
    }
}

fn status(code: u16) -> Response<Body> {
    Response::builder().status(code).body(Body::from("seven")).expect("it is a response")
}

#[test]
fn a_line_has_method_route_status_sizes_and_the_fields_at_the_end() {
    async fn order(body: String) -> String {
        assert!(USER_ID.record_on_request("ada"));
        body
    }
    let line = one(lines(|| async {
        let address = serve(Router::new().route("/orders/{id}", get(order).post(order)).layer(layer())).await;
        let client = reqwest::Client::new();
        let request = client.post(format!("http://{address}/orders/7?token=s3cret")).body("hello");
        request.send().await.expect("it is there").bytes().await.expect("it is whole");
    }));
    assert_eq!(
        line,
        json!({
            "level": "INFO",
            "message": "request finished",
            "http.request.method": "POST",
            "http.route": "/orders/{id}",
            "url.path": "/orders/7",
            "http.response.status_code": 200,
            "http.request.body.size": 5,
            "http.response.body.size": 5,
            "tenant_id": "acme",
            "user_id": "ada",
            "span": {"name": "request"},
        })
    );
}

#[test]
fn the_level_is_that_of_the_log_and_error_for_failures() {
    for (code, level, error_type) in [
        (101, "INFO", None),
        (200, "INFO", None),
        (304, "INFO", None),
        (404, "INFO", None),
        (500, "ERROR", Some("500")),
        (503, "ERROR", Some("503")),
        (799, "ERROR", Some("799")),
    ] {
        let line = one(lines(|| served(layer(), get_request("/orders"), status(code))));
        assert_eq!((&line["level"], &line["http.response.status_code"]), (&json!(level), &json!(code)));
        assert_eq!(line.get("error.type"), error_type.map(Value::from).as_ref(), "{line}");
        assert_eq!(line["message"], "request finished");
    }
    let line = one(lines(|| served(layer().log_requests(Level::DEBUG), get_request("/"), status(200))));
    assert_eq!(line["level"], "DEBUG");
    let line = one(lines(|| served(layer().log_requests(Level::ERROR), get_request("/"), status(200))));
    assert_eq!((&line["level"], line.get("error.type")), (&json!("ERROR"), None));
}

#[test]
fn no_request_is_logged_unless_asked_for() {
    let nothing = lines(|| served(ServerLayer::new(), get_request("/"), status(500)));
    assert_eq!(nothing, [Value::Null; 0]);
    let left_out = ServerLayer::new().leave_paths_out_of_log(["/"]);
    assert_eq!(lines(|| served(left_out, get_request("/"), status(500))), [Value::Null; 0]);
}

#[test]
fn health_checks_are_left_out_unless_they_fail() {
    let layer = || {
        layer()
            .leave_paths_out_of_log(["/health", "/ready"])
            .leave_out_of_log(|request| request.header("x-probe").is_some())
    };
    let probe = || Request::get("/orders").header("x-probe", "1").body(Body::empty()).expect("it is a request");
    for request in [get_request("/health?deep=1"), get_request("/ready"), probe()] {
        assert_eq!(lines(|| served(layer(), request, status(200))), [Value::Null; 0]);
    }
    assert_eq!(one(lines(|| served(layer(), get_request("/healthy"), status(200))))["level"], "INFO");
    assert_eq!(one(lines(|| served(layer(), get_request("/health"), status(503))))["level"], "ERROR");
}

#[test]
fn a_nested_router_logs_and_leaves_out_the_whole_path() {
    let app = || {
        let inner = Router::new().route("/health", get(|| async {})).route("/a", get(|| async {}));
        Router::new().nest("/api", inner.layer(layer().leave_paths_out_of_log(["/api/health"])))
    };
    let line = one(lines(|| async {
        for path in ["/api/health", "/api/a"] {
            let response = app().oneshot(get_request(path)).await.expect("it is infallible");
            response.into_body().collect().await.expect("it is whole");
        }
    }));
    assert_eq!((&line["url.path"], &line["http.route"]), (&json!("/api/a"), &json!("/api/a")));
}

#[test]
fn filters_decide_as_for_any_event() {
    let of = |filter: &str, code: u16| {
        let lines = lines_under(filter, || served(layer(), get_request("/"), status(code)));
        lines.iter().map(|line| line["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("warn", 200), [""; 0]);
    assert_eq!(of("warn", 500), ["ERROR"]);
    assert_eq!(of("off", 500), [""; 0]);
    assert_eq!(of("info,ctx_layer::http=off", 500), [""; 0]);
    assert_eq!(of("off,ctx_layer::http=info", 200), ["INFO"]);
}

/// A body of parts that may fail or panic at its end.
struct Parts {
    left: u32,
    end: fn() -> Option<io::Error>,
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready((self.end)().map(Err));
        }
        self.left -= 1;
        info!("sending");
        assert!(TENANT_ID.get().is_some() && USER_ID.record_on_request(format!("user {}", self.left)));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"part")))))
    }
}

#[test]
fn a_streamed_body_is_counted_and_the_line_comes_with_its_end() {
    let line = one(lines(|| served(layer(), get_request("/"), Response::new(Parts { left: 3, end: || None }))));
    assert_eq!((&line["http.response.body.size"], &line["user_id"]), (&json!(12), &json!("user 0")));
}

#[test]
fn a_body_that_fails_is_an_error_with_its_status() {
    let end = || Some(io::Error::other("the disk\nis on fire"));
    let line = one(lines(|| served(layer(), get_request("/"), Response::new(Parts { left: 1, end }))));
    assert_eq!(
        line,
        json!({
            "level": "ERROR",
            "message": "request failed",
            "http.request.method": "GET",
            "url.path": "/",
            "http.response.status_code": 200,
            "http.response.body.size": 4,
            "error.type": "std::io::error::Error",
            "error.message": "the disk\nis on fire",
            "tenant_id": "acme",
            "user_id": "user 0",
            "span": {"name": "request"},
        })
    );
}

#[test]
fn a_client_that_leaves_is_cancelled_at_the_level_of_the_log() {
    let line = one(lines(|| async {
        let handler = service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(Parts { left: 9, end: || None }))
        });
        let Ok(response) = layer().layer(handler).oneshot(get_request("/")).await;
        let mut body = response.into_body();
        drop(body.frame().await);
    }));
    assert_eq!(
        (&line["level"], &line["message"], &line["cancelled"]),
        (&json!("INFO"), &json!("request cancelled"), &json!(true))
    );
    assert_eq!((&line["http.response.status_code"], &line["http.response.body.size"]), (&json!(200), &json!(4)));

    let line = one(lines(|| async {
        let handler = service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, Infallible>>());
        let request = layer().layer(handler).oneshot(get_request("/slow"));
        let _ = tokio::time::timeout(std::time::Duration::from_millis(5), request).await;
    }));
    assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("request cancelled")));
    assert!(line.get("http.response.status_code").is_none() && line.get("http.response.body.size").is_none(), "{line}");
}

#[test]
fn a_panic_is_logged_once_as_a_failed_request() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>().is_none_or(|message| !message.starts_with("planned")) {
            default(info);
        }
    }));
    let all = lines(|| async {
        let handler = service_fn(|_: Request<Body>| async {
            assert!(TENANT_ID.get().is_none(), "planned panic");
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let service = layer().layer(handler);
        assert!(tokio::spawn(service.oneshot(get_request("/"))).await.is_err());
        let end = || panic!("planned in the body");
        let body = served(layer(), get_request("/"), Response::new(Parts { left: 1, end }));
        assert!(task::spawn(body).await.is_err());
    });
    let messages: Vec<_> = all.iter().map(|line| line["error.message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["panic: planned panic", "panic: planned in the body"]);
    for line in all {
        assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!("request failed")));
        assert_eq!((&line["error.type"], &line["tenant_id"]), (&json!("panic"), &json!("acme")));
    }
}

#[test]
fn a_line_belongs_to_its_request_wherever_that_ends() {
    let line = one(lines(|| async {
        let handler = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("seven"))) });
        let Ok(response) = layer().layer(handler).oneshot(get_request("/")).await;
        // Inside another tenant's request.
        async { drop(response) }.with_field(&TENANT_ID, "globex").await;
    }));
    assert_eq!((&line["tenant_id"], &line["span"]["name"]), (&json!("acme"), &json!("request")));
}

#[test]
fn an_upgrade_is_logged_after_the_handshake() {
    let line = one(lines(|| {
        served(layer(), get_request("/socket"), Response::builder().status(101).body(Body::empty()).unwrap())
    }));
    assert_eq!((&line["http.response.status_code"], &line["message"]), (&json!(101), &json!("request finished")));
}

#[test]
fn what_a_caller_sends_is_cut_and_escaped() {
    let path = format!("/{}", "a".repeat(3000));
    let request =
        Request::builder().method("BREW").uri(path).header("content-length", "-5").body(Body::empty()).unwrap();
    let line = one(lines(|| served(layer(), request, status(200))));
    assert_eq!(
        (&line["http.request.method"], &line["http.request.method_original"]),
        (&json!("_OTHER"), &json!("BREW"))
    );
    assert_eq!(line["url.path"].as_str().unwrap().len(), 1024);
    assert_eq!(line.get("http.request.body.size"), None);
}

/// A gRPC response with this status: in its trailers, in its headers, or none.
fn grpc(in_trailers: Option<&'static str>, in_headers: Option<&'static str>) -> Response<Body> {
    let code = |code: &'static str| HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())]);
    let frames = [Some(Frame::data(Bytes::from_static(b"part"))), in_trailers.map(|of| Frame::trailers(code(of)))];
    let stream = tokio_stream::iter(frames.into_iter().flatten().map(Ok::<_, Infallible>));
    let mut response = Response::new(Body::new(http_body_util::StreamBody::new(stream)));
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response.headers_mut().extend(in_headers.map(code).unwrap_or_default());
    response
}

fn call() -> Request<Body> {
    Request::post("/shop.Orders/Get").header("content-type", "application/grpc").body(Body::empty()).unwrap()
}

#[test]
fn a_grpc_call_is_judged_by_its_status() {
    for (response, name, level, error_type) in [
        (grpc(Some("0"), None), "OK", "INFO", None),
        (grpc(Some("5"), None), "NOT_FOUND", "INFO", None),
        (grpc(Some("14"), None), "UNAVAILABLE", "ERROR", Some("UNAVAILABLE")),
        (grpc(None, Some("13")), "INTERNAL", "ERROR", Some("INTERNAL")),
        // An unknown outcome.
        (grpc(None, None), "UNKNOWN", "ERROR", Some("UNKNOWN")),
    ] {
        let line = one(lines(|| served(layer(), call(), response)));
        assert_eq!((&line["rpc.response.status_code"], &line["level"]), (&json!(name), &json!(level)));
        assert_eq!(line.get("error.type"), error_type.map(Value::from).as_ref(), "{line}");
        assert_eq!((&line["rpc.method"], line.get("url.path")), (&json!("shop.Orders/Get"), None));
        assert_eq!(line["span"]["name"], "call");
    }
    // Any client can send the content type; the response decides.
    let line = one(lines(|| served(layer(), call(), status(200))));
    assert_eq!((&line["url.path"], line.get("rpc.method")), (&json!("/shop.Orders/Get"), None));
    let line = one(lines(|| async {
        let handler = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(grpc(Some("0"), None)) });
        let Ok(response) = layer().layer(handler).oneshot(call()).await;
        drop(response.into_body().frame().await);
    }));
    assert_eq!(
        (&line["level"], &line["rpc.response.status_code"], &line["message"]),
        (&json!("INFO"), &json!("CANCELLED"), &json!("request cancelled"))
    );
}

fn client() -> ClientLayer {
    ClientLayer::new().destinations(loopback()).log_requests(Level::INFO)
}

/// Sends a request to a service in process, and reads the whole body.
async fn sent(layer: ClientLayer, mut request: Request<Body>, answer: Result<Response<Body>, io::Error>) {
    request.extensions_mut().insert(UrlTemplate::new("/orders/{id}"));
    let service = layer.layer(service_fn(move |_: Request<Body>| {
        let answer = answer.as_ref().map(Response::status).map_err(|error| io::Error::other(error.to_string()));
        async move { answer.map(|code| status(code.as_u16())) }
    }));
    if let Ok(response) = service.oneshot(request).with_field(&TENANT_ID, "acme").await {
        let _ = response.into_body().collect().await;
    }
}

#[test]
fn an_attempt_of_a_client_is_logged_with_its_template() {
    let line = one(lines(|| sent(client(), get_request("http://orders.example:81/orders/7?a=b"), Ok(status(200)))));
    assert_eq!(
        line,
        json!({
            "level": "INFO",
            "message": "request finished",
            "http.request.method": "GET",
            "url.template": "/orders/{id}",
            "server.address": "orders.example",
            "url.path": "/orders/7",
            "http.response.status_code": 200,
            "http.response.body.size": 5,
            "tenant_id": "acme",
            "span": {"name": "request"},
        })
    );
}

#[test]
fn failures_of_a_clients_attempt_are_warnings_and_errors() {
    for (answer, level, error_type) in [
        (Ok(status(302)), "INFO", None),
        (Ok(status(404)), "WARN", Some("404")),
        (Ok(status(500)), "WARN", Some("500")),
        (Err(io::Error::other("refused")), "ERROR", Some("std::io::error::Error")),
    ] {
        let line = one(lines(|| sent(client(), get_request("http://orders.example/"), answer)));
        assert_eq!(line["level"], level);
        assert_eq!(line.get("error.type"), error_type.map(Value::from).as_ref(), "{line}");
    }
    let left_out = || client().leave_out_of_log(|host, path| host == "orders.example" && path == "/health");
    let health = || get_request("http://orders.example/health");
    assert_eq!(lines(|| sent(left_out(), health(), Ok(status(404)))), [Value::Null; 0]);
    assert_eq!(one(lines(|| sent(left_out(), health(), Err(io::Error::other("refused")))))["level"], "ERROR");
    assert_eq!(lines(|| sent(ClientLayer::new(), health(), Ok(status(500)))), [Value::Null; 0]);
}

#[test]
fn an_attempt_of_reqwest_is_logged_when_the_headers_have_arrived() {
    let line = one(lines(|| async {
        let address = serve(Router::new().route("/orders", get(|| async { (StatusCode::NOT_FOUND, "seven") }))).await;
        let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
            .with(ClientMiddleware::new(client()))
            .build();
        client
            .get(format!("http://{address}/orders"))
            .send()
            .with_field(&TENANT_ID, "acme")
            .await
            .expect("it is there");
    }));
    assert_eq!((&line["level"], &line["http.response.body.size"]), (&json!("WARN"), &json!(5)));
    assert_eq!((&line["server.address"], &line["tenant_id"]), (&json!("127.0.0.1"), &json!("acme")));

    let line = one(lines(|| async {
        let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
            .with(ClientMiddleware::new(client()))
            .build();
        // Nothing listens there.
        assert!(client.get("http://127.0.0.1:1/orders").send().await.is_err());
    }));
    assert_eq!((&line["level"], &line["error.type"]), (&json!("ERROR"), &json!("connect")));
}
