//! Programs that failed once, and what their lines must show: in the model, and in the library.

use super::{
    operation::{Context, Poll as OnePoll, Scope as Within, Snapshot, What::*, Wrapper},
    program::{body, fields, looking, op, says, set, span, with, within},
    value::Field,
};

#[test]
fn isolated_work_leaves_what_is_current_around_it_f00() {
    let request = || within(1, set("t u"), [span(2)]);
    let isolated = || within(50, Within::Isolated, []);
    let in_request = |operations| within(51, Within::Span(2), operations);
    let attached = |text: &str| op(3, Attach(fields(text)));
    says(vec![request(), in_request([attached("t u"), isolated(), op(4, Look), op(5, Drop(3))])], [(4, "t3 u3")]);
    let message = || op(6, Extract { changes: Vec::new(), has_parent: true });
    let handled = || within(7, Within::Extracted(6), []);
    let job =
        [request(), message(), within(51, Within::Span(2), [attached("t"), handled(), op(4, Look), op(5, Drop(3))])];
    says(job.into(), [(4, "t3 u1")]);
    let polls = vec![OnePoll { body: body([isolated(), op(4, Look)]), panics: false }];
    let future = op(3, Future { wrappers: vec![with("t u"), Wrapper::Span(2)], polls });
    says(vec![request(), future, op(5, Poll(3))], [(4, "t3 u3")]);
    let job = within(6, set("t"), [looking(7, [Wrapper::InCurrentContext], 8)]);
    let polled = [attached("t u"), op(9, Poll(7)), op(4, Look), op(5, Drop(3))];
    says(vec![request(), job, within(51, Within::Span(2), polled)], [(8, "t6"), (4, "t3 u3")]);
    says(vec![request(), in_request([attached("-u"), isolated(), op(4, Look), op(5, Drop(3))])], [(4, "t1")]);
    says(vec![request(), in_request([attached("r"), isolated(), op(5, Drop(3)), op(4, Look)])], [(4, "t1 u1")]);
}

#[test]
fn a_replacing_frame_hides_recorded_values_f01() {
    let program = [
        span(1),
        op(2, EnterSpan(1)),
        op(3, Record(Field::Tenant)),
        within(4, Within::Replace(Vec::new()), [op(5, Look)]),
        looking(6, [Wrapper::Replace(Vec::new())], 7),
        op(8, Poll(6)),
        op(9, Extract { changes: Vec::new(), has_parent: false }),
        op(10, AttachExtracted(9)),
        op(11, Drop(10)),
        op(12, Context(Context::New)),
        op(13, AttachContext(12)),
        op(14, Drop(13)),
    ];
    let lines = [(3, "t3"), (5, ""), (7, ""), (10, ""), (11, "t3"), (13, ""), (14, "t3")];
    says(program.into(), lines);
}

#[test]
fn two_sets_are_never_mixed_in_a_future_f08() {
    let program = [
        looking(1, [Wrapper::Replace(fields("t"))], 2),
        within(3, set("t u r"), [op(4, Poll(1))]),
        looking(5, [with("u")], 6),
        within(7, set("t"), [op(8, Poll(5))]),
        // Created in another request, it brings that along.
        within(9, set("t"), [looking(10, [with("u")], 11)]),
        within(12, set("t u r"), [op(13, Poll(10))]),
    ];
    says(program.into(), [(2, "t1"), (6, "t7 u5"), (11, "t9 u10")]);
}

#[test]
fn an_entered_span_or_snapshot_holds_its_fields_f09() {
    let begin = [op(2, Attach(fields("t"))), span(3), op(4, EnterSpan(3)), op(5, Drop(2))];
    let outer = op(1, Attach(fields("t")));
    says([vec![outer.clone()], begin.to_vec()].concat(), [(5, "t2")]);
    says(begin.to_vec(), [(5, "t2")]);
    let entered =
        [op(2, Attach(fields("t"))), op(3, Snapshot(Snapshot::Capture)), op(4, EnterSnapshot(3)), op(5, Drop(2))];
    says([vec![outer], entered.to_vec()].concat(), [(5, "t2")]);
}

#[test]
fn a_recorded_value_stays_until_the_span_is_left_f17() {
    let program = [
        span(1),
        op(2, EnterSpan(1)),
        op(3, Record(Field::Tenant)),
        op(4, Attach(fields("r"))),
        within(5, Within::Isolated, []),
        op(6, Drop(4)),
    ];
    says(program.into(), [(6, "t3")]);
    let program = [
        span(1),
        op(2, EnterSpan(1)),
        span(3),
        within(4, Within::Span(3), [within(5, Within::Span(1), [op(6, Record(Field::Tenant))])]),
    ];
    says(program.into(), [(4, "t6")]);
}

#[test]
fn wrappers_of_a_future_nest_in_any_order_r1() {
    let program = [
        op(1, Attach(fields("t"))),
        looking(2, [with("t"), with("r")], 3),
        op(4, Poll(2)),
        looking(5, [with("r"), with("t")], 6),
        op(7, Poll(5)),
        looking(8, [with("r")], 9),
        within(10, set("t"), [op(11, Poll(8))]),
        looking(12, [with("r"), Wrapper::Replace(fields("t"))], 13),
        op(14, Poll(12)),
        looking(15, [with("r"), Wrapper::Isolated], 16),
        op(17, Poll(15)),
        op(18, Extract { changes: fields("t"), has_parent: true }),
        op(19, Context(Context::Extracted(18))),
        looking(20, [with("r"), Wrapper::InContext(19)], 21),
        op(22, Poll(20)),
    ];
    let lines = [(3, "t2 r2"), (6, "t5 r5"), (9, "t10 r8"), (13, "t12 r12"), (16, "r15"), (21, "t18 r20")];
    says(program.into(), lines);
}

#[test]
fn a_future_created_before_has_the_recorded_value_r2() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, EnterSpan(2)),
        looking(4, [with("r")], 5),
        span(6),
        looking(7, [Wrapper::Span(6)], 8),
        op(9, Record(Field::Tenant)),
        op(10, Poll(4)),
        op(11, Poll(7)),
    ];
    says(program.into(), [(5, "t9 r4"), (8, "t9")]);
}

#[test]
fn a_span_that_is_left_in_isolated_work_is_left_r4() {
    let program = [
        within(1, set("t"), [span(2)]),
        op(3, OtherThread(body([op(4, EnterSpan(2)), within(5, Within::Isolated, [op(6, Drop(4))]), op(7, Look)]))),
    ];
    says(program.into(), [(4, "t1"), (7, "")]);
}

#[test]
fn baggage_has_the_lowest_priority_in_a_set_r5() {
    let program = [
        op(1, Context(Context::CurrentWithBaggage(vec![Field::Tenant]))),
        op(2, AttachContext(1)),
        within(3, Within::Replace(Vec::new()), [op(4, Look)]),
        op(5, Attach(fields("t"))),
        op(6, Attach(fields("-t"))),
    ];
    says(program.into(), [(2, "t1"), (4, ""), (5, "t5"), (6, "")]);
}

#[test]
fn a_snapshot_has_the_values_recorded_since_r7() {
    let program = [
        op(1, Attach(fields("t"))),
        span(2),
        op(3, EnterSpan(2)),
        looking(4, [Wrapper::InCurrentContext], 5),
        op(6, Record(Field::User)),
        op(7, Record(Field::Tenant)),
        op(8, OtherThread(body([op(9, Poll(4))]))),
    ];
    says(program.into(), [(5, "t7 u6")]);
}

#[test]
fn a_value_recorded_for_a_message_is_not_the_receivers_r8() {
    let program = [
        within(1, set("t"), [op(2, Carried)]),
        span(3),
        within(4, Within::Span(3), [within(5, Within::Carried(2), [op(6, Record(Field::User))])]),
        within(7, Within::Span(3), [op(8, Look)]),
        op(9, Extract { changes: fields("t"), has_parent: true }),
        within(10, Within::Span(3), [within(11, Within::Extracted(9), [op(12, Record(Field::User))])]),
        within(13, Within::Span(3), [op(14, Look)]),
    ];
    says(program.into(), [(6, "t1 u6"), (8, ""), (12, "t9 u12"), (14, "")]);
}
