//! Values that are recorded during a request are on the whole request.

use axum::{Router, body::Body, routing::get};
use ctx_layer::{field::well_known::USER_ID, http::ServerLayer, propagation, task};
use http::Request;
use tower::ServiceExt;
use tracing::{info, instrument};

use crate::shared::*;

#[instrument]
async fn authenticate() {
    tokio::task::yield_now().await;
    assert!(USER_ID.record_on_request("ada"));
    info!("authenticated");
}

#[instrument]
async fn order() -> String {
    authenticate().await;
    info!("in the handler");
    task::spawn(async { info!("in the background") }).await.expect("it does not panic");
    propagation::capture().get("baggage").unwrap_or_default().to_owned()
}

#[test]
fn a_user_recorded_by_authentication_is_on_the_whole_request() {
    let stack = Stack::new();
    let app = Router::new().route("/", get(order)).layer(ServerLayer::new());
    let sent = stack.run(async {
        let response = app.oneshot(Request::get("/").body(Body::empty()).expect("it is one")).await;
        let body = axum::body::to_bytes(response.expect("it is infallible").into_body(), 1000).await;
        String::from_utf8(body.expect("it is whole").to_vec()).expect("it is text")
    });
    assert_eq!(sent, "user_id=ada");
    for message in ["authenticated", "in the handler", "in the background"] {
        let lines = stack.lines();
        let line = lines.iter().find(|line| line["fields"]["message"] == message).expect("it was logged");
        assert_eq!(line["fields"]["user_id"], "ada", "{line}");
    }
    assert_eq!(text(&stack.server_span(), "user_id").as_deref(), Some("ada"));
}
