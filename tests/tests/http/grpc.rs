//! gRPC, through the same layers: a service and a client of `tonic`, written by hand.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, BufMut};
use ctx_layer::{
    field::well_known::{REQUEST_ID, TENANT_ID},
    http::{ClientLayer, ClientService, ServerLayer},
};
use opentelemetry::trace::Status as SpanStatus;
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, NamedService, ServerStreamingService, UnaryService},
    transport::{Channel, Server},
};
use tower::ServiceBuilder;
use tracing::info;

use crate::shared::*;

const PATH: &str = "/shop.Orders/Get";
const LIST: &str = "/shop.Orders/List";

/// A codec with strings as messages.
#[derive(Clone, Copy, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Text
    }
    fn decoder(&mut self) -> Self {
        Text
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;
    fn encode(&mut self, text: String, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        String::from_utf8(bytes.to_vec()).map(Some).map_err(|_| Status::invalid_argument("no text"))
    }
}

/// Returns the tenant of the call; fails with the code in the message.
#[derive(Clone)]
pub(crate) struct Orders;

impl UnaryService<String> for Orders {
    type Response = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Status>> + Send>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async move {
            info!(service = "grpc", "called");
            match request.into_inner().strip_prefix("fail ").map(str::parse::<i32>) {
                Some(code) => Err(Status::new(Code::from(code.unwrap_or(2)), "as you wish")),
                None => Ok(Response::new(format!("{:?} {:?}", TENANT_ID.get(), REQUEST_ID.get().is_some()))),
            }
        })
    }
}

impl tower::Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(Text);
            Ok(match request.uri().path() {
                LIST => grpc.server_streaming(Orders, request).await,
                _ => grpc.unary(Orders, request).await,
            })
        })
    }
}

/// Answers `count code` with that many messages, one after the other, and then that code.
impl ServerStreamingService<String> for Orders {
    type Response = String;
    type ResponseStream = Pin<Box<dyn tokio_stream::Stream<Item = Result<String, Status>> + Send>>;
    type Future = std::future::Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let asked = request.into_inner();
        let (count, code) = asked.split_once(' ').unwrap_or((&asked, "0"));
        let (count, code) = (count.parse::<usize>().unwrap_or(0), Code::from(code.parse::<i32>().unwrap_or(0)));
        let messages = futures_util::stream::unfold(0, move |answer| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            info!("saying");
            match answer {
                answer if answer < count => Some((Ok(format!("{:?}", TENANT_ID.get())), answer + 1)),
                answer if answer == count && code != Code::Ok => Some((Err(Status::new(code, "at last")), answer + 1)),
                _ => None,
            }
        });
        std::future::ready(Ok(Response::new(Box::pin(messages))))
    }
}

impl NamedService for Orders {
    const NAME: &'static str = "shop.Orders";
}

pub(crate) async fn serve_grpc(layer: ServerLayer) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(async move {
        Server::builder().layer(layer).add_service(Orders).serve_with_incoming(incoming).await.expect("it serves");
    });
    address
}

pub(crate) type Client = tonic::client::Grpc<ClientService<Channel>>;

pub(crate) fn connect(address: SocketAddr) -> Client {
    let uri: http::Uri = format!("http://{address}").parse().expect("it is a URI");
    let channel = Channel::builder(uri.clone()).connect_lazy();
    let layer = ClientLayer::new().destinations(loopback()).default_origin(uri);
    tonic::client::Grpc::new(ServiceBuilder::new().layer(layer).service(channel))
}

pub(crate) async fn call(client: &mut Client, path: &'static str, message: &str) -> Result<String, Status> {
    client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(path);
    client.unary(Request::new(message.to_owned()), path, Text).await.map(Response::into_inner)
}

#[test]
fn a_call_has_a_span_at_both_ends_and_carries_its_fields() {
    let stack = Stack::new();
    stack.run(async {
        let peer = |request: &ctx_layer::http::RequestHead<'_>| {
            let info = request.extensions().get::<tonic::transport::server::TcpConnectInfo>()?;
            info.remote_addr().map(|address| address.ip())
        };
        let address = serve_grpc(ServerLayer::new().trust(internal()).peer_address(peer)).await;
        let mut client = connect(address);
        let fields = ctx_layer::Fields::new().with(&TENANT_ID, "acme").with(&REQUEST_ID, "r-1");
        use ctx_layer::FutureFieldsExt;
        let answer = call(&mut client, PATH, "hello").with_fields(fields).await.expect("it is there");
        assert_eq!(answer, "Some(\"acme\") true");
    });
    let (server, client) = (stack.server_span(), stack.client_span());
    for span in [&server, &client] {
        assert_eq!(span.name, "shop.Orders/Get");
        assert_eq!(span.status, SpanStatus::Unset);
        for (key, value) in [
            ("rpc.system.name", "grpc"),
            ("rpc.method", "shop.Orders/Get"),
            ("rpc.response.status_code", "OK"),
            ("server.address", "127.0.0.1"),
            ("tenant_id", "acme"),
        ] {
            assert_eq!(text(span, key).as_deref(), Some(value), "{key}");
        }
        assert_eq!(text(span, "cancelled"), None);
        assert_eq!(text(span, "http.request.method"), None);
    }
    assert_eq!(text(&server, "client.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(text(&server, "network.peer.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(server.parent_span_id, client.span_context.span_id());
    assert_eq!(trace_of(&server), trace_of(&client));
}

#[test]
fn every_status_is_recorded_and_is_an_error_depending_on_the_side() {
    let stack = Stack::new();
    stack.run(async {
        let mut client = connect(serve_grpc(ServerLayer::new()).await);
        for code in 1..=16 {
            let status = call(&mut client, PATH, &format!("fail {code}")).await.expect_err("it was asked to");
            assert_eq!(status.code(), Code::from(code));
        }
    });
    // As the conventions name them.
    let of_server = ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];
    let (servers, clients) = (stack.server_spans(), stack.client_spans());
    assert_eq!((servers.len(), clients.len()), (16, 16));
    for span in &servers {
        let code = text(span, "rpc.response.status_code").expect("it is there");
        assert_eq!(is_error(span), of_server.contains(&code.as_str()), "{code}");
        assert_eq!(text(span, "error.type"), is_error(span).then_some(code));
    }
    for span in &clients {
        assert_eq!(span.status, SpanStatus::error("as you wish"));
        assert_eq!(text(span, "error.type"), text(span, "rpc.response.status_code"));
    }
}

#[test]
fn a_missing_method_is_unimplemented() {
    let stack = Stack::new();
    stack.run(async {
        let mut client = connect(serve_grpc(ServerLayer::new()).await);
        assert!(call(&mut client, "/shop.Nothing/Get", "hello").await.is_err());
    });
    for span in [stack.server_span(), stack.client_span()] {
        assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some("UNIMPLEMENTED"));
        assert!(is_error(&span));
    }
}

/// Reads that many messages of a stream. Returns their tenants, and the status if the stream ended.
async fn list(client: &mut Client, asked: &str, take: usize) -> (Vec<String>, Option<Code>) {
    client.ready().await.expect("it is there");
    let path = http::uri::PathAndQuery::from_static(LIST);
    let response = client.server_streaming(Request::new(asked.to_owned()), path, Text).await.expect("it has begun");
    let mut messages = response.into_inner();
    let mut answer = Vec::new();
    while answer.len() < take {
        match messages.message().await {
            Ok(Some(message)) => answer.push(message),
            Ok(None) => return (answer, Some(Code::Ok)),
            Err(status) => return (answer, Some(status.code())),
        }
    }
    (answer, None)
}

#[test]
fn a_stream_is_in_the_context_to_its_end_and_its_trailers_set_the_status() {
    use ctx_layer::FutureFieldsExt;
    for (asked, take, ended, code, is_wrong) in [
        ("3 0", 9, Some(Code::Ok), "OK", false),
        ("2 15", 9, Some(Code::DataLoss), "DATA_LOSS", true),
        ("0 0", 9, Some(Code::Ok), "OK", false),
        // The client hangs up.
        ("10000 0", 2, None, "CANCELLED", false),
    ] {
        let stack = Stack::new();
        stack.run(async {
            let mut client = connect(serve_grpc(ServerLayer::new().trust(internal())).await);
            let (answer, how) = list(&mut client, asked, take).with_field(&TENANT_ID, "acme").await;
            assert_eq!(how, ended, "{asked}");
            assert!(answer.iter().all(|whose| whose == r#"Some("acme")"#), "{asked}: {answer:?}");
            while stack.server_spans().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        for span in [stack.server_span(), stack.client_span()] {
            assert_eq!(text(&span, "rpc.response.status_code").as_deref(), Some(code), "{asked}");
            assert_eq!(is_error(&span), is_wrong, "{asked}");
            let is_cancelled = text(&span, "cancelled").as_deref() == Some("true");
            assert_eq!(is_cancelled, ended.is_none(), "{asked}");
        }
        let lines = stack.lines();
        assert!(lines.iter().all(|line| line["fields"]["tenant_id"] == "acme"), "{asked}");
    }
}

#[test]
fn an_unreachable_server_is_an_error_of_the_client() {
    let stack = Stack::new();
    stack.run(async {
        let mut client = connect("127.0.0.1:1".parse().expect("it is an address"));
        assert!(call(&mut client, PATH, "hello").await.is_err());
    });
    assert!(is_error(&stack.client_span()));
    assert!(text(&stack.client_span(), "error.type").is_some());
}
