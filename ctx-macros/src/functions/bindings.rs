//! The names that parameters bind in a function's body.

use syn::{Attribute, FnArg, Ident, Member, Pat, Path, Signature, Type, ext::IdentExt, spanned::Spanned};

/// A name that a parameter's pattern binds.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) name: Ident,
    /// `true` if the type, as written, is one that fields record without formatting.
    pub(crate) is_value: bool,
    /// `true` if `#[tracing::instrument]` records it, which leaves out bindings after `@`, in slices and in
    /// parentheses.
    pub(crate) is_recorded_by_instrument: bool,
    /// The `#[cfg(...)]` attributes of the parameter.
    pub(crate) conditions: Vec<Attribute>,
    /// The names of the fields and types in its pattern that it is a part of, as `password` and `Login` in `Login {
    /// password: plain }`.
    pub(crate) parts_of: Vec<Ident>,
}

impl Binding {
    pub(crate) fn is_self(&self) -> bool {
        self.name == "self"
    }

    /// Returns its name as a field's, without `r#`.
    pub(crate) fn field(&self) -> String {
        self.name.unraw().to_string()
    }
}

/// Returns the bindings of all parameters, in order.
pub(super) fn of(signature: &Signature) -> Vec<Binding> {
    let mut found = Vec::new();
    for parameter in &signature.inputs {
        match parameter {
            FnArg::Receiver(receiver) => {
                let name = Ident::new("self", receiver.self_token.span());
                found.push(Binding {
                    name,
                    is_value: false,
                    is_recorded_by_instrument: true,
                    conditions: Vec::new(),
                    parts_of: Vec::new(),
                });
            }
            FnArg::Typed(typed) => {
                let first = found.len();
                collect(&typed.pat, is_value(&typed.ty), true, &[], &mut found);
                for binding in &mut found[first..] {
                    binding.conditions = conditions(&typed.attrs);
                }
            }
        }
    }
    found
}

/// Returns the `#[cfg(...)]` attributes.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    let is_condition = |it: &&Attribute| it.path().is_ident("cfg") || it.path().is_ident("cfg_attr");
    attributes.iter().filter(is_condition).cloned().collect()
}

/// Collects the bindings of an irrefutable pattern. As in `#[tracing::instrument]`, a binding in a struct has no known
/// type.
fn collect(
    pattern: &Pat,
    is_value: bool,
    is_recorded_by_instrument: bool,
    parts_of: &[Ident],
    found: &mut Vec<Binding>,
) {
    // (tracing-attributes 0.1.31, `expand.rs`, `param_names`)
    let is_recorded_by_instrument =
        is_recorded_by_instrument && !matches!(pattern, Pat::Paren(_) | Pat::Slice(_) | Pat::Type(_));
    let within = |part: Option<&Ident>| parts_of.iter().chain(part).cloned().collect::<Vec<_>>();
    let within_type = |path: &Path| within(path.segments.last().map(|last| &last.ident));
    match pattern {
        Pat::Ident(bound) => {
            let (name, parts_of) = (bound.ident.clone(), parts_of.to_vec());
            found.push(Binding { name, is_value, is_recorded_by_instrument, conditions: Vec::new(), parts_of });
            if let Some((_, inner)) = &bound.subpat {
                collect(inner, false, false, &within(Some(&bound.ident)), found);
            }
        }
        Pat::Reference(reference) => collect(&reference.pat, is_value, is_recorded_by_instrument, parts_of, found),
        Pat::Paren(inner) => collect(&inner.pat, is_value, is_recorded_by_instrument, parts_of, found),
        Pat::Type(typed) => collect(&typed.pat, is_value, is_recorded_by_instrument, parts_of, found),
        Pat::Struct(pattern) => {
            for field in &pattern.fields {
                let mut parts_of = within_type(&pattern.path);
                if let Member::Named(name) = &field.member {
                    parts_of.push(name.clone());
                }
                collect(&field.pat, false, is_recorded_by_instrument, &parts_of, found);
            }
        }
        Pat::Tuple(pattern) => {
            pattern
                .elems
                .iter()
                .for_each(|element| collect(element, false, is_recorded_by_instrument, parts_of, found));
        }
        Pat::TupleStruct(pattern) => {
            let parts_of = within_type(&pattern.path);
            pattern
                .elems
                .iter()
                .for_each(|element| collect(element, false, is_recorded_by_instrument, &parts_of, found));
        }
        Pat::Slice(pattern) => {
            pattern
                .elems
                .iter()
                .for_each(|element| collect(element, false, is_recorded_by_instrument, parts_of, found));
        }
        _ => {}
    }
}

/// The types that `#[tracing::instrument]` records without formatting, by their names.
/// (tracing-attributes 0.1.31, `expand.rs`, `RecordType::TYPES_FOR_VALUE`)
const VALUES: &[&str] = &[
    "bool",
    "str",
    "u8",
    "i8",
    "u16",
    "i16",
    "u32",
    "i32",
    "u64",
    "i64",
    "u128",
    "i128",
    "f32",
    "f64",
    "usize",
    "isize",
    "String",
    "NonZeroU8",
    "NonZeroI8",
    "NonZeroU16",
    "NonZeroI16",
    "NonZeroU32",
    "NonZeroI32",
    "NonZeroU64",
    "NonZeroI64",
    "NonZeroU128",
    "NonZeroI128",
    "NonZeroUsize",
    "NonZeroIsize",
    "Wrapping",
];

fn is_value(written: &Type) -> bool {
    match written {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| VALUES.iter().any(|value| last.ident == value))
        }
        Type::Reference(reference) => is_value(&reference.elem),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(signature: &str) -> Vec<(String, bool)> {
        let signature: Signature = syn::parse_str(signature).unwrap();
        of(&signature).iter().map(|binding| (binding.field(), binding.is_value)).collect()
    }

    #[test]
    fn every_name_that_a_pattern_binds_is_found() {
        let found =
            names("fn f(&mut self, (a, b): (u8, u8), Foo { x, y: Bar(z), .. }: Foo, &[m, ..]: &[u8; 3], _: u8)");
        let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, ["self", "a", "b", "x", "z", "m"]);
    }

    #[test]
    fn a_binding_has_the_fields_and_types_that_it_is_a_part_of() {
        let signature = syn::parse_str::<Signature>(
            "fn f(Login { user, password: plain }: Login, a @ Token(b): Token, (c, [d]): X, crate::E::K { k: (e,) }: E)",
        );
        let found = of(&signature.unwrap());
        let parts_of = |at: usize| found[at].parts_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let found: Vec<_> = (0..found.len()).map(|at| (found[at].field(), parts_of(at))).collect();
        let expected = [
            ("user", "Login.user"),
            ("plain", "Login.password"),
            ("a", ""),
            ("b", "a.Token"),
            ("c", ""),
            ("d", ""),
            ("e", "K.k"),
        ];
        assert_eq!(found, expected.map(|(name, parts)| (name.to_owned(), parts.to_owned())));
    }

    #[test]
    fn types_that_fields_record_are_recognized_by_name() {
        let found = names("fn f(a: u8, b: &str, c: std::num::NonZeroU8, r#type: Option<u8>, mut e: String)");
        let found: Vec<_> = found.iter().map(|(name, is_value)| (name.as_str(), *is_value)).collect();
        assert_eq!(found, [("a", true), ("b", true), ("c", true), ("type", false), ("e", true)]);
    }
}
