//! Values for a whole request, and on a given span.

use ctx_layer::{declare_request, field::well_known::*, propagation, propagation::Trust, task};
use ctx_tests::{Parent, each_poll_on_a_new_thread};
use tracing::{Id, Instrument, info, info_span};

use crate::stacks::{self, Stack};

/// Returns the spans on which outputs saw a recorded value.
fn recorded_on(stack: &Stack) -> Vec<Id> {
    let parents = stack.recorder.records().into_iter().map(|record| record.parent);
    parents.filter_map(|parent| if let Parent::Explicit(id) = parent { Some(id) } else { None }).collect()
}

#[test]
fn a_value_recorded_on_the_request_is_on_all_of_it() {
    for stack in stacks::all() {
        let name = stack.name;
        let request = stack.in_scope(|| {
            let request = info_span!("request");
            assert!(declare_request(&request));
            request.in_scope(|| {
                let handler = info_span!("handler").entered();
                info_span!("authenticate").in_scope(|| {
                    let _step = ROLE.attach("admin");
                    assert!(USER_ID.record_on_request("ada"), "{name}");
                    assert_eq!(USER_ID.get().as_deref(), Some("ada"), "{name}");
                });
                info!("in the handler");
                let background = task::in_current_context(|| info!("in the background"));
                std::thread::scope(|scope| {
                    let dispatch = &stack.dispatch;
                    scope.spawn(move || tracing::dispatcher::with_default(dispatch, background));
                });
                drop(handler);
                info!("in the request");
            });
            request.in_scope(|| info!("later"));
            assert_eq!(USER_ID.get(), None, "{name}");
            request.id().unwrap()
        });
        for event in ["in the handler", "in the background", "in the request", "later"] {
            assert_eq!(stack.recorder.event(event).text("user_id"), Some("ada"), "{name}: {event}");
        }
        assert_eq!(recorded_on(&stack), [request], "{name}");
    }
}

#[test]
fn a_task_of_the_request_records_on_it_wherever_it_runs() {
    for stack in stacks::all() {
        let (request, work) = stack.in_scope(|| {
            let request = info_span!("request");
            assert!(declare_request(&request));
            let work = request.in_scope(|| async { USER_ID.record_on_request("ada") }.instrument(info_span!("work")));
            (request, work)
        });
        assert!(each_poll_on_a_new_thread(&stack.dispatch, work), "{}", stack.name);
        stack.in_scope(|| request.in_scope(|| assert_eq!(USER_ID.get().as_deref(), Some("ada"), "{}", stack.name)));
    }
}

#[test]
fn isolated_and_extracted_work_does_not_find_the_request_around_it() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            assert!(!USER_ID.record_on_request("nobody"));
            let request = info_span!("request");
            assert!(declare_request(&request));
            let _request = request.enter();
            let message = std::collections::HashMap::from([("baggage".to_owned(), "tenant_id=acme".to_owned())]);
            let message = propagation::extract(&message, Trust::internal());
            message.in_scope(|| assert!(!USER_ID.record_on_request("of the message"), "{}", stack.name));
            task::isolated(|| assert!(!USER_ID.record_on_request("of nobody"), "{}", stack.name))();
            assert_eq!(USER_ID.get(), None, "{}", stack.name);
        });
        assert!(stack.recorder.records().is_empty(), "{}", stack.name);
    }
}

#[test]
fn a_value_recorded_on_a_given_span_is_on_that_span() {
    for stack in stacks::all() {
        let spans = stack.in_scope(|| {
            let (connection, other) = (info_span!("connection"), info_span!("other"));
            let _connection = connection.enter();
            other.in_scope(|| {
                assert!(TENANT_ID.record_on(&connection, "acme"));
                info!("inside");
            });
            assert!(TENANT_ID.record_on(&other, "globex"));
            info!("in the connection");
            [connection.id().unwrap(), other.id().unwrap()]
        });
        let recorder = &stack.recorder;
        assert_eq!(recorder.event("inside").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(recorder.event("in the connection").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(recorded_on(&stack), spans, "{}", stack.name);
    }
}

#[test]
fn a_value_recorded_inside_a_connections_span_is_on_the_requests_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request");
            assert!(declare_request(&request));
            let _request = request.entered();
            // Shows no fields itself.
            let _connection = info_span!(target: "h2::client", "connection").entered();
            assert!(USER_ID.record_on_request("ada"));
        });
        let records = stack.recorder.records();
        assert_eq!(
            records.iter().map(|record| record.text("user_id")).collect::<Vec<_>>(),
            [Some("ada")],
            "{}",
            stack.name
        );
    }
}
