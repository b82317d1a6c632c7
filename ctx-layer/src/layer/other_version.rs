//! Detecting an OpenTelemetry layer of another version of `tracing-opentelemetry` than this crate uses.
//!
//! That version is another crate, which cannot be named here. But the name of the stack's type contains its name, and the
//! dispatcher does not find the type that this crate's version of `tracing-opentelemetry` looks up.

pub(super) use super::opentelemetry_layer::{intercept, is_there};

/// Returns `true` if a stack of this type certainly has an OpenTelemetry layer.
///
/// Returns `false` if the layer is in an `Option` or a `Vec`, which may be empty, in a `reload::Layer`, which hides it, or in a
/// box, which hides its type.
pub(super) fn names_opentelemetry_layer(stack: &str) -> bool {
    const LAYER: &str = "tracing_opentelemetry::layer::OpenTelemetryLayer<";
    const MAY_HIDE: [&str; 3] = ["core::option::Option", "alloc::vec::Vec", "tracing_subscriber::reload::Layer"];
    // For each open bracket, whether its content may be missing.
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
            // Not the `>` of an arrow.
            '>' if !stack[..at].ends_with('-') => {
                open.pop();
            }
            _ => {}
        }
    }
    false
}

/// Returns `true` if a path ends with `end`, and `end` starts with a whole name.
fn is_whole(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

/// Returns `true` if a stack under a [`ContextSubscriber`](super::ContextSubscriber) has an OpenTelemetry layer of the version
/// that this crate uses.
#[cfg(feature = "_output")]
pub(super) fn has_layer(dispatch: &tracing_core::Dispatch) -> bool {
    !is_there(dispatch)
}

#[cfg(test)]
mod tests {
    use super::names_opentelemetry_layer;

    #[test]
    fn a_layer_is_found_if_its_presence_is_certain() {
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
