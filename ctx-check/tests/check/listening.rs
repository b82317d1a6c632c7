//! Receiving OTLP by gRPC.

use std::{convert::Infallible, time::Duration};

use ctx_check::{Check, Settings, listen::Listener};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::scenario::{SERVER, Scenario};

/// Sends messages as a gRPC client does, and returns the statuses.
async fn export(address: std::net::SocketAddr, messages: Vec<Vec<u8>>) -> Vec<String> {
    let stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let connection = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = connection.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    let mut statuses = Vec::new();
    for message in messages {
        let mut frame = vec![0];
        frame.extend_from_slice(&(message.len() as u32).to_be_bytes());
        frame.extend_from_slice(&message);
        let request =
            Request::post(format!("http://{address}/opentelemetry.proto.collector.trace.v1.TraceService/Export"))
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .body(Full::<Bytes>::from(frame))
                .expect("it is a request");
        let answer = sender.send_request(request).await.expect("it answers");
        let body = answer.into_body().collect().await.expect("it answers");
        let status = body.trailers().and_then(|trailers| trailers.get("grpc-status")).cloned();
        statuses.push(status.map_or_else(String::new, |status| status.to_str().unwrap_or_default().to_owned()));
    }
    statuses
}

#[test]
fn messages_of_grpc_are_judged() {
    let mut system = Scenario::default();
    let web = system.add(None, "web", "GET /", SERVER);
    let (_, orders) = system.reach(web, "orders");
    system.tear_off(orders);
    let messages: Vec<Vec<u8>> = crate::reading::messages(&system).iter().map(prost::Message::encode_to_vec).collect();
    let listener = Listener::bind(&["127.0.0.1:0".parse().expect("it is one")], 1 << 20).expect("it can be bound");
    let address = listener.addresses()[0];
    let client = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is room");
        Ok::<_, Infallible>(runtime.block_on(export(address, messages)))
    });
    let settings = Settings::default();
    let mut check = Check::new(&settings).expect("the settings are right");
    listener.receive(Some(Duration::from_secs(3)), |message, number| check.read_message("listen", message, number));
    let Ok(statuses) = client.join().expect("it does not panic");
    assert_eq!(statuses, ["0"; 3]);
    let report = check.finish().expect("there is room");
    assert_eq!(crate::scenario::found(&report), ["ctx/broken-edge | web -> orders | no_propagator"]);
}
