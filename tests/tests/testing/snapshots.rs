//! Snapshots, which are the same in each run.

use std::thread;

use ctx_layer::{field::well_known::TENANT_ID, testing};
use tracing::{info, info_span};

fn run() -> testing::Capture {
    let telemetry = testing::capture();
    TENANT_ID.in_scope("acme", || {
        info_span!("GET /orders", otel.kind = "server", server.port = 49152 + u64::from(std::process::id() % 1000))
            .in_scope(|| {
                let id = uuid();
                info_span!("publish", messaging.message.id = id).in_scope(|| info!(id, "sent"));
                info_span!("load").in_scope(|| {});
            });
    });
    info!("outside");
    telemetry
}

/// Returns another UUID each time.
fn uuid() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("01890a5d-ac96-774b-bcce-{:012x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn a_snapshot_is_the_same_in_each_run() {
    let expected = r#"trace 1
└─ GET /orders (server) server.port=<port> tenant_id="acme"
   ├─ publish messaging.message.id=<id 1> tenant_id="acme"
   │  · INFO sent id=<id 1> tenant_id="acme"
   └─ load tenant_id="acme"
outside of all spans
· INFO outside
"#;
    for _ in 0..3 {
        assert_eq!(run().snapshot(), expected);
    }
}

#[test]
fn a_sorted_snapshot_is_the_same_whatever_came_first() {
    let run = |order: [&'static str; 3]| {
        let telemetry = testing::capture();
        info_span!("batch").in_scope(|| {
            for name in order {
                info_span!("item", name).in_scope(|| info!("handled"));
            }
        });
        telemetry.snapshot_sorted()
    };
    let first = run(["a", "b", "c"]);
    assert_eq!(first, run(["c", "a", "b"]));
    assert_eq!(first.matches("item").count(), 3, "{first}");
}

#[test]
fn snapshots_of_tests_at_the_same_time_do_not_mix() {
    let expected = run().snapshot();
    thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| run().snapshot())).collect();
        for snapshot in all {
            assert_eq!(snapshot.join().expect("it does not panic"), expected);
        }
    });
}
