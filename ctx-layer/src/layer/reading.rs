//! Detecting that the layers of a stack read the current fields themselves.
//!
//! `output::json` and `output::text` do. If nothing else in a stack reads an event's fields, adding them is not necessary. Layers do not declare
//! what they read, but the type of a stack has the names of its layers, and some are known. An unknown layer or filter is assumed
//! to read the fields.

/// Returns `true` if a stack of this type consists of a registry, of outputs of this crate that read the fields, and of filters that do not look
/// at the fields of events.
pub(crate) fn reads_fields_itself(stack: &str) -> bool {
    const REGISTRY: &str = "tracing_subscriber::registry::sharded::Registry";
    let mut inner = stack;
    let mut is_any = false;
    while let Some(arguments) = arguments_of(inner, "tracing_subscriber::layer::layered::Layered") {
        // There may be a third argument: the subscriber that the layers are for.
        let Some((layer, rest)) = split_first(arguments) else { return false };
        let Some(known) = known_layer(layer) else { return false };
        is_any |= known == Known::Output;
        inner = split_first(rest).map_or(rest, |(next, _)| next);
    }
    is_any && inner == REGISTRY
}

/// Returns `true` if a stack of this type [reads the fields itself](reads_fields_itself), and has no filter that looks at those of
/// spans, as the directives of an `EnvFilter` may.
pub(crate) fn ignores_fields_of_spans(stack: &str) -> bool {
    reads_fields_itself(stack) && !stack.contains("tracing_subscriber::filter::env::EnvFilter")
}

#[derive(PartialEq)]
enum Known {
    Output,
    Filter,
}

fn known_layer(layer: &str) -> Option<Known> {
    const OUTPUTS: [&str; 3] = [
        "ctx_layer::output::json::json_layer::JsonLayer",
        "ctx_layer::output::text::text_layer::TextLayer",
        "ctx_layer::output::auto::AutoLayer",
    ];
    if OUTPUTS.iter().any(|output| arguments_of(layer, output).is_some() || layer == *output) {
        return Some(Known::Output);
    }
    if ignores_fields(layer) {
        return Some(Known::Filter);
    }
    // The value inside these may change, but not its type.
    for holder in ["core::option::Option", "alloc::vec::Vec", "tracing_subscriber::reload::Layer"] {
        if let Some(arguments) = arguments_of(layer, holder) {
            return known_layer(split_first(arguments).map_or(arguments, |(held, _)| held));
        }
    }
    if let Some(arguments) = arguments_of(layer, "tracing_subscriber::filter::layer_filters::Filtered") {
        let (inner, rest) = split_first(arguments)?;
        let filter = split_first(rest).map_or(rest, |(filter, _)| filter);
        return known_layer(inner).filter(|_| ignores_fields(filter));
    }
    None
}

/// Returns `true` for filters that use only metadata and spans.
fn ignores_fields(filter: &str) -> bool {
    const FILTERS: [&str; 3] = [
        "tracing_core::metadata::LevelFilter",
        "tracing_subscriber::filter::targets::Targets",
        "tracing_subscriber::filter::env::EnvFilter",
    ];
    FILTERS.contains(&filter) || arguments_of(filter, "tracing_subscriber::filter::filter_fn::FilterFn").is_some()
}

/// Returns the arguments of a generic type, if it has this name.
fn arguments_of<'a>(of: &'a str, name: &str) -> Option<&'a str> {
    of.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')
}

/// Returns the first of several arguments, and the rest.
fn split_first(arguments: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    for (at, character) in arguments.char_indices() {
        match character {
            '<' | '(' | '[' => depth += 1,
            // Not the `>` of an arrow.
            '>' if arguments[..at].ends_with('-') => {}
            '>' | ')' | ']' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => return Some((&arguments[..at], arguments[at + 1..].trim_start())),
            _ => {}
        }
    }
    None
}
