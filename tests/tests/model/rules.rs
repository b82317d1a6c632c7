//! The rules of `docs/semantics.md`, each by a small program.

use super::{
    operation::{Context, Parent, Poll as OnePoll, Scope as Within, Snapshot, What::*, Wrapper},
    program::{body, fields, looking, op, says, set, span, with, within},
    value::Field,
};

#[test]
fn equal_values_do_not_make_two_requests_one() {
    // The second scope has all fields of the first, and more; it is another request nevertheless.
    let program = [within(1, set("t"), [span(2)]), within(3, set("t u"), [within(4, Within::Span(2), [op(5, Look)])])];
    says(program.into(), [(5, "t1")]);
}

#[test]
fn setting_several_fields_is_setting_each() {
    let program = [op(1, Attach(fields("r"))), op(2, Attach(fields("t u"))), op(3, Attach(fields("-t r")))];
    says(program.into(), [(1, "r1"), (2, "t2 u2 r1"), (3, "u2 r3")]);
}

#[test]
fn replacing_keeps_nothing_of_what_is_below() {
    let program = [
        op(1, Context(Context::CurrentWithBaggage(vec![Field::Tenant, Field::User]))),
        op(2, AttachContext(1)),
        op(3, Attach(fields("t"))),
        op(4, Replace(fields("r"))),
        op(5, Drop(4)),
    ];
    says(program.into(), [(2, "t1 u1"), (3, "t3 u1"), (4, "r4"), (5, "t3 u1")]);
}

#[test]
fn a_future_changes_the_fields_around_it_if_polled_in_its_request() {
    let program = [
        op(1, Attach(fields("t"))),
        looking(2, [with("r")], 3),
        op(4, Attach(fields("u"))),
        op(5, Poll(2)),
        looking(6, [with("r")], 7),
        op(8, OtherThread(body([op(9, Attach(fields("t u"))), op(10, Poll(6))]))),
    ];
    says(program.into(), [(3, "t1 u4 r2"), (7, "t1 u4 r6"), (10, "t9 u9")]);
}

#[test]
fn a_span_keeps_what_is_current_inside_the_same_request() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, Attach(fields("u"))),
        within(4, Within::Span(2), [op(5, Look)]),
        op(6, OtherThread(body([within(7, Within::Span(2), [op(8, Look)])]))),
        within(9, Within::Replace(fields("r")), [within(10, Within::Span(2), [op(11, Look)])]),
    ];
    says(program.into(), [(5, "t1 u3"), (8, "t1"), (11, "t1")]);
}

#[test]
fn a_span_created_without_fields_joins_the_request_it_is_entered_in() {
    let program = [span(1), within(2, set("t"), [within(3, Within::Span(1), [op(4, Look)])])];
    says(program.into(), [(4, "t2")]);
}

#[test]
fn a_recorded_value_is_on_the_span_and_everything_inside_it() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, EnterSpan(2)),
        op(4, Attach(fields("r"))),
        op(5, Record(Field::User)),
        op(6, Drop(4)),
        op(7, Record(Field::User)),
        op(8, Drop(3)),
        op(9, OtherThread(body([op(10, EnterSpan(2)), op(11, Record(Field::Tenant)), op(12, Drop(10))]))),
        op(13, EnterSpan(2)),
    ];
    let lines = [(5, "t1 u5 r4"), (6, "t1 u5"), (7, "t1 u7"), (8, "t1"), (10, "t1 u7"), (11, "t11 u7"), (13, "t11 u7")];
    says(program.into(), lines);
}

#[test]
fn a_value_recorded_in_a_replacing_frame_stays_in_it() {
    let replaced = |scope: Within| {
        vec![
            op(1, Attach(fields("t"))),
            span(2),
            op(3, EnterSpan(2)),
            op(4, Extract { changes: fields("t"), has_parent: false }),
            within(5, scope, [op(6, Record(Field::User)), op(7, Attach(fields("r"))), op(8, Drop(7))]),
            op(9, Look),
        ]
    };
    says(replaced(Within::Replace(fields("t"))), [(6, "t5 u6"), (7, "t5 u6 r7"), (9, "t1")]);
    says(replaced(Within::Extracted(4)), [(6, "t4 u6"), (7, "t4 u6 r7"), (9, "t1")]);
    says(replaced(Within::Isolated), [(6, ""), (7, "r7"), (9, "t1")]);
}

#[test]
fn a_value_recorded_on_a_given_span_is_on_that_span() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, EnterSpan(2)),
        span(4),
        op(5, EnterSpan(4)),
        op(6, RecordOn(2, Field::User)),
        op(7, Drop(5)),
    ];
    says(program.into(), [(6, "t1 u6"), (7, "t1 u6")]);
}

#[test]
fn frames_end_in_any_order_and_change_no_other() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, Attach(fields("u"))),
        op(4, EnterSpan(2)),
        op(5, Attach(fields("r"))),
        op(6, Drop(1)),
        op(7, Drop(4)),
        op(8, Drop(3)),
        op(9, Drop(5)),
    ];
    says(program.into(), [(5, "t1 u3 r5"), (6, "t1 u3 r5"), (7, "t1 u3 r5"), (8, "t1 u3 r5"), (9, "")]);
}

#[test]
fn baggage_counts_where_the_program_set_nothing() {
    let program = [
        op(1, Attach(fields("t -r"))),
        op(2, Context(Context::CurrentWithBaggage(vec![Field::Tenant, Field::User, Field::Role]))),
        op(3, AttachContext(2)),
        span(4),
        op(5, Drop(3)),
        op(6, OtherThread(body([op(7, EnterSpan(4))]))),
    ];
    says(program.into(), [(3, "t1 u2"), (5, "t1"), (7, "t1 u2")]);
}

#[test]
fn a_foreign_context_brings_the_fields_of_its_frame() {
    let program = [
        op(1, Attach(fields("t"))),
        op(2, Context(Context::Current)),
        op(3, Attach(fields("t u"))),
        op(4, AttachContext(2)),
        op(5, Context(Context::New)),
        op(6, AttachContext(5)),
        op(7, Drop(6)),
        op(8, OtherThread(body([op(9, Attach(fields("r"))), op(10, AttachContext(2)), op(11, Drop(10))]))),
    ];
    says(program.into(), [(4, "t1"), (6, ""), (7, "t1"), (10, "t1"), (11, "r9")]);
}

#[test]
fn an_explicit_parent_gives_the_fields_that_entering_it_would() {
    let child = |parent| op(3, Span { parent: Parent::Explicit(parent), is_off: false });
    let program = [within(1, set("t"), [span(2)]), op(4, Attach(fields("u"))), child(2), op(5, EnterSpan(3))];
    says(program.into(), [(4, "u4"), (5, "t1")]);
}

#[test]
fn a_snapshot_is_one_frame_with_its_span() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, EnterSpan(2)),
        op(4, Snapshot(Snapshot::Capture)),
        op(5, Attach(fields("r"))),
        op(6, Record(Field::User)),
        op(7, EnterSnapshot(4)),
        op(8, Record(Field::Tenant)),
        op(9, Drop(7)),
        op(10, OtherThread(body([op(11, EnterSnapshot(4)), op(12, Drop(11))]))),
    ];
    says(program.into(), [(7, "t1 u6"), (8, "t8 u6"), (9, "t8 u6 r5"), (11, "t8 u6"), (12, "")]);
}

#[test]
fn a_panic_leaves_the_spans_and_scopes_that_were_entered() {
    let panics = |name, scope, operations: [_; 1]| op(name, Scope { scope, body: body(operations), panics: true });
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        panics(3, Within::Span(2), [panics(4, set("u"), [panics(5, Within::Isolated, [op(6, Attach(fields("r")))])])]),
        op(7, Drop(6)),
    ];
    says(program.into(), [(6, "r6"), (5, "r6"), (7, "t1")]);
}

#[test]
fn wrappers_that_replace_cover_spans_inside_them() {
    let polls = || vec![OnePoll { body: body([op(3, Look)]), panics: false }];
    let program = |around: Vec<Wrapper>| {
        let wrappers = [vec![Wrapper::Span(2)], around].concat();
        vec![op(1, Attach(fields("t"))), span(2), op(4, Future { wrappers, polls: polls() }), op(5, Poll(4))]
    };
    says(program(vec![Wrapper::Isolated]), [(3, "")]);
    says(program(vec![Wrapper::Replace(fields("u"))]), [(3, "u4")]);
    says(program(vec![with("r"), Wrapper::Isolated]), [(3, "r4")]);
}

#[test]
fn a_span_belongs_to_its_subscriber() {
    let other = [span(5), within(6, Within::Span(5), [op(7, Record(Field::User))]), op(8, Record(Field::Role))];
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, EnterSpan(2)),
        within(4, Within::OtherSubscriber, other),
        op(9, Record(Field::Role)),
    ];
    says(program.into(), [(7, "t1 u7"), (8, "t1"), (9, "t1 r9")]);
}
