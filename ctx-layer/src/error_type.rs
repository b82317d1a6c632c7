//! The class of an error, as it is recorded on spans.

/// Returns the value of `error.type`: the name of the type, unless it is uninformative.
pub(crate) fn error_type_of<E>() -> &'static str {
    let name = std::any::type_name::<E>();
    if name.contains("dyn ") || name.contains('<') { "_OTHER" } else { name }
}
