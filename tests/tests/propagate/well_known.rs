//! The macro knows the well-known fields by name, and cannot ask the library which there are.

use ctx_layer::{Fields, Schema, propagate};

#[propagate(set(
    request_id = value,
    tenant_id = value,
    user_id = value,
    role = value,
    locale = value,
    correlation_id = value,
    feature_flags = value
))]
fn fields_set_by_name(value: &str) -> Fields {
    let _ = value;
    Fields::current()
}

#[test]
fn every_well_known_field_can_be_set_by_its_name() {
    let fields = fields_set_by_name("it");
    let mut set: Vec<_> = fields.iter().map(|(declaration, value)| (declaration.name(), value.to_string())).collect();
    set.sort();
    let mut expected: Vec<_> = Schema::well_known().names().map(|name| (name, "it".to_owned())).collect();
    expected.sort();
    assert_eq!(set, expected);
}
