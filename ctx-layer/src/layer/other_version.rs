//! Whether a stack has an OpenTelemetry layer of another version of `tracing-opentelemetry` than this crate uses.
//!
//! That is another crate, which cannot be named here. But the type of the stack has its name; and where it is there, what
//! `tracing-opentelemetry` asks a dispatcher for is not.

/// Returns `true` if a stack of this type has an OpenTelemetry layer for certain.
///
/// Not where the layer is in an `Option` or a `Vec`, which may be empty, in a `reload::Layer`, which hides it from everyone, or
/// boxed, which hides its type.
pub(super) fn names_opentelemetry_layer(stack: &str) -> bool {
    const LAYER: &str = "tracing_opentelemetry::layer::OpenTelemetryLayer<";
    const MAY_HIDE: [&str; 3] = ["core::option::Option", "alloc::vec::Vec", "tracing_subscriber::reload::Layer"];
    // For each open bracket, whether what is in it may not be there.
    let mut open: Vec<bool> = Vec::new();
    let mut start = 0;
    for (at, character) in stack.char_indices() {
        let is_name = character.is_alphanumeric() || matches!(character, '_' | ':');
        if is_name {
            continue;
        }
        let name = &stack[start..at];
        start = at + character.len_utf8();
        match character {
            '<' => {
                let is_layer = stack[..=at].ends_with(LAYER) && is_whole(name, &LAYER[..LAYER.len() - 1]);
                let is_hidden = open.last().copied().unwrap_or_default();
                if is_layer && !is_hidden {
                    return true;
                }
                open.push(is_hidden || MAY_HIDE.contains(&name));
            }
            // Not that of an arrow.
            '>' if !stack[..at].ends_with('-') => {
                open.pop();
            }
            _ => {}
        }
    }
    false
}

/// Returns `true` if a path ends with another, and not in the middle of a name.
fn is_whole(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

/// Returns `true` if a stack that has an OpenTelemetry layer has none of the version that this crate uses.
#[cfg(feature = "tracing-opentelemetry")]
pub(super) fn is_there(dispatch: &tracing_core::Dispatch) -> bool {
    // The answer is intercepted: the layer would look for the span, and panic.
    ASKING.set(Some(false));
    let _answered = Answered;
    let cx = tracing_opentelemetry::get_otel_context(&tracing_core::span::Id::from_u64(u64::MAX), dispatch);
    cx.is_none() && ASKING.get() == Some(false)
}

#[cfg(not(feature = "tracing-opentelemetry"))]
pub(super) fn is_there(_: &tracing_core::Dispatch) -> bool {
    false
}

thread_local! {
    /// Whether [`is_there`] asks on this thread, and what was asked for was found. Has no destructor, and so can always be read.
    static ASKING: std::cell::Cell<Option<bool>> = const { std::cell::Cell::new(None) };
}

#[cfg(feature = "tracing-opentelemetry")]
struct Answered;

#[cfg(feature = "tracing-opentelemetry")]
impl Drop for Answered {
    fn drop(&mut self) {
        ASKING.set(None);
    }
}

/// Notes whether what was asked for was found. Returns `true` if the answer has to be that it was not.
#[inline]
pub(super) fn intercept(is_found: bool) -> bool {
    match ASKING.get() {
        None => false,
        Some(before) => {
            ASKING.set(Some(before || is_found));
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names_opentelemetry_layer;

    #[test]
    fn a_layer_is_named_where_it_is_for_certain() {
        for (stack, is_named) in [
            ("a::Layered<tracing_opentelemetry::layer::OpenTelemetryLayer<a::Registry, b::Tracer>, a::Registry>", true),
            ("tracing_opentelemetry::layer::OpenTelemetryLayer<a::Registry, b::Tracer>", true),
            ("a::Filtered<vendored::tracing_opentelemetry::layer::OpenTelemetryLayer<a, b>, fn(&a) -> bool>", true),
            (
                "a::Layered<fn(core::option::Option<u8>) -> bool, tracing_opentelemetry::layer::OpenTelemetryLayer<a>>",
                true,
            ),
            ("a<core::option::Option<b>, tracing_opentelemetry::layer::OpenTelemetryLayer<a, b>>", true),
            (
                "a::Layered<core::option::Option<tracing_opentelemetry::layer::OpenTelemetryLayer<a, b>>, a::Registry>",
                false,
            ),
            ("a<core::option::Option<c<tracing_opentelemetry::layer::OpenTelemetryLayer<a, b>>>, d>", false),
            ("a<tracing_subscriber::reload::Layer<tracing_opentelemetry::layer::OpenTelemetryLayer<a>, d>>", false),
            ("a<alloc::vec::Vec<tracing_opentelemetry::layer::OpenTelemetryLayer<a>>>", false),
            ("a<my_tracing_opentelemetry::layer::OpenTelemetryLayer<a, b>>", false),
            ("a<tracing_opentelemetry::metrics::MetricsLayer<a>>", false),
            ("a<alloc::boxed::Box<dyn tracing_subscriber::Layer<a>>>", false),
            ("a<core::option::Option<fn(b) -> tracing_opentelemetry::layer::OpenTelemetryLayer<a, b>>>", false),
            ("é>>><", false),
            ("", false),
        ] {
            assert_eq!(names_opentelemetry_layer(stack), is_named, "{stack}");
        }
    }
}
