//! Traces as a test expects them.

mod compare;
mod expected_trace;

pub(super) use compare::compare;
pub use expected_trace::{ExpectedEvent, ExpectedSpan, ExpectedTrace};

/// Writes the traces that a test expects, for [`assert_trace`](crate::testing::Telemetry::assert_trace).
///
/// | written | expects |
/// |---|---|
/// | `"load"` | a span of that name, with anything in it |
/// | `"load" {}` | a span without children |
/// | `"load" { "read" "parse" }` | a span with these children, in any order, and no others |
/// | `"load" { "read" .. }` | a span with this child, and maybe others |
/// | `"load" tenant_id="acme" rows=3 http.route="/"` | fields, among others; a value is one token: `(-1)`, `(format!("..."))` |
/// | `"load" { event "loaded" rows=3 }` | an event in the span, among others |
/// | `"publish" -> "consume" {}` | a span that links to it, in any trace |
///
/// ```
/// use ctx_layer::testing::trace;
///
/// let expected = trace! {
///     "GET /orders/{id}" tenant_id="acme" { "load" {} "publish" -> "consume" {} }
/// };
/// assert_eq!(
///     expected.to_string(),
///     r#"  "GET /orders/{id}" tenant_id="acme" {
///     "load" {}
///     "publish" -> "consume" {}
///   }
/// "#,
/// );
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __expected_trace {
    (@nodes ($trace:expr)) => { $trace };
    (@nodes ($trace:expr) ..) => { $trace.and_others() };
    (@nodes ($trace:expr) event $message:literal $($rest:tt)*) => {
        $crate::__expected_trace!(@event ($trace) ($crate::testing::ExpectedEvent::new($message)) $($rest)*)
    };
    (@nodes ($trace:expr) $name:literal $($rest:tt)*) => {
        $crate::__expected_trace!(@span ($trace) ($crate::testing::ExpectedSpan::new($name)) $($rest)*)
    };
    (@event ($trace:expr) ($event:expr) $first:ident $(. $more:ident)* = $value:tt $($rest:tt)*) => {
        $crate::__expected_trace!(
            @event ($trace)
            ($event.field(concat!(stringify!($first) $(, ".", stringify!($more))*), $value)) $($rest)*
        )
    };
    (@event ($trace:expr) ($event:expr) $($rest:tt)*) => {
        $crate::__expected_trace!(@nodes ($trace.event($event)) $($rest)*)
    };
    (@span ($trace:expr) ($span:expr) $first:ident $(. $more:ident)* = $value:tt $($rest:tt)*) => {
        $crate::__expected_trace!(
            @span ($trace)
            ($span.field(concat!(stringify!($first) $(, ".", stringify!($more))*), $value)) $($rest)*
        )
    };
    (@span ($trace:expr) ($span:expr) -> $name:literal $($rest:tt)*) => {
        $crate::__expected_trace!(@linked ($trace) ($span) ($crate::testing::ExpectedSpan::new($name)) $($rest)*)
    };
    (@span ($trace:expr) ($span:expr) { $($inner:tt)* } $($rest:tt)*) => {
        $crate::__expected_trace!(
            @nodes ($trace.span($span.containing(
                $crate::__expected_trace!(@nodes ($crate::testing::ExpectedTrace::new()) $($inner)*)
            ))) $($rest)*
        )
    };
    (@span ($trace:expr) ($span:expr) $($rest:tt)*) => {
        $crate::__expected_trace!(@nodes ($trace.span($span)) $($rest)*)
    };
    (@linked ($trace:expr) ($span:expr) ($linked:expr) $first:ident $(. $more:ident)* = $value:tt $($rest:tt)*) => {
        $crate::__expected_trace!(
            @linked ($trace) ($span)
            ($linked.field(concat!(stringify!($first) $(, ".", stringify!($more))*), $value)) $($rest)*
        )
    };
    (@linked ($trace:expr) ($span:expr) ($linked:expr) { $($inner:tt)* } $($rest:tt)*) => {
        $crate::__expected_trace!(
            @span ($trace) ($span.linked_by($linked.containing(
                $crate::__expected_trace!(@nodes ($crate::testing::ExpectedTrace::new()) $($inner)*)
            ))) $($rest)*
        )
    };
    (@linked ($trace:expr) ($span:expr) ($linked:expr) $($rest:tt)*) => {
        $crate::__expected_trace!(@span ($trace) ($span.linked_by($linked)) $($rest)*)
    };
    (@ $($rest:tt)*) => {
        compile_error!(concat!(
            "expected a span such as `\"load\" rows=3 {}`, an event such as `event \"loaded\"`, or `..` at the end: ",
            stringify!($($rest)*)
        ))
    };
    ($($tokens:tt)*) => {
        $crate::__expected_trace!(@nodes ($crate::testing::ExpectedTrace::new()) $($tokens)*)
    };
}
