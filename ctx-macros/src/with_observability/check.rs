//! Checking the arguments. Invalid ones are reported and removed, so that the rest still compiles.

use std::collections::HashSet;

use quote::ToTokens;
use syn::{Expr, Ident, ext::IdentExt};

use super::{
    arguments::{Attributes, FieldName, Key, ObservabilityArguments, Sigil},
    redact::Redaction,
};
use crate::{
    context_argument::ContextArgument,
    errors::Errors,
    expression::mentions,
    functions::{Function, Parameters},
    secret_name::is_secret,
};

/// Reports functions that cannot be observed. Returns `true` for all others.
pub(super) fn function(function: &Function, errors: &mut Errors) -> bool {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.add(
            constness,
            "a `const fn` cannot be observed, since it may run at compile time: remove `const` or the attribute (in an \
             `impl` block, add it to `except(...)`)",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.add(variadic, "a variadic function cannot be observed: its arguments cannot be forwarded");
    }
    if let Some(attribute) = function.track_caller() {
        if signature.asyncness.is_some() {
            errors.add(
                attribute,
                "`#[track_caller]` has no effect on an `async fn`, which runs where it is polled: remove it, or add it to a \
                 synchronous function",
            );
        } else if function.returns_closures() {
            errors.add(
                attribute,
                "`#[track_caller]` and `#[with_observability]` cannot be combined on a function that returns \
                 `impl Fn(..)`: remove one of them",
            );
        } else {
            function.check_in_place(errors);
        }
    }
    signature.constness.is_none() && signature.variadic.is_none()
}

pub(super) fn arguments(arguments: &mut ObservabilityArguments, parameters: &Parameters, errors: &mut Errors) {
    let ObservabilityArguments { skip, redact, reveal, attributes: read, .. } = &mut *arguments;
    keep_known(parameters, skip, "skip", errors, |_| false);
    keep_known(parameters, redact, "redact", errors, |_| false);
    // A secret name may be that of a field in an argument's `Debug` output.
    keep_known(parameters, reveal, "reveal", errors, |name| {
        is_read(read, name) || is_secret(&name.unraw().to_string())
    });
    for name in arguments.reveal.iter().filter(|name| arguments.redact.contains(name)) {
        errors.add(name, format_args!("`{name}` is in `redact` and in `reveal`: remove it from one"));
    }
    if arguments.links.as_ref().is_some_and(|links| !parameters.has_root(links, errors)) {
        arguments.links = None;
    }
    attributes(arguments, parameters, errors);
    keys(arguments, errors);
    shown(arguments, errors);
    ContextArgument::keep_valid(&mut arguments.context, parameters, errors);
}

/// Removes arguments of a block that refer to parameters of other methods only.
pub(super) fn keep_own(parameters: &Parameters, arguments: &mut ObservabilityArguments) {
    let ObservabilityArguments { skip, redact, reveal, attributes, .. } = &mut *arguments;
    if let Attributes::List(list) = attributes {
        list.retain(|attribute| parameters.missing(&attribute.value).is_none());
    }
    skip.retain(|name| parameters.has(name));
    redact.retain(|name| parameters.has(name));
    reveal.retain(|name| parameters.has(name) || is_read(attributes, name) || is_secret(&name.unraw().to_string()));
    arguments.context.retain(|context| parameters.missing(&context.value).is_none());
}

/// Reports unknown and duplicate parameters and removes them from a list.
fn keep_known(
    parameters: &Parameters,
    list: &mut Vec<Ident>,
    word: &str,
    errors: &mut Errors,
    is_known: impl Fn(&Ident) -> bool,
) {
    let mut seen = HashSet::new();
    list.retain(|name| {
        if !parameters.has(name) && !is_known(name) {
            errors.add(name, parameters.no_parameter(name));
            return false;
        }
        let is_new = seen.insert(name.clone());
        if !is_new {
            errors.add(name, format_args!("`{name}` is in `{word}` twice"));
        }
        is_new
    });
}

/// Returns `true` if attributes read a member or a method of this name.
fn is_read(attributes: &Attributes, name: &Ident) -> bool {
    matches!(attributes, Attributes::List(list) if list.iter().any(|one| mentions(one.value.to_token_stream(), name)))
}

fn attributes(arguments: &mut ObservabilityArguments, parameters: &Parameters, errors: &mut Errors) {
    let skip = &arguments.skip;
    let Attributes::List(list) = &mut arguments.attributes else { return };
    list.retain(|attribute| {
        if !parameters.has_root(&attribute.value, errors) {
            return false;
        }
        let skipped = match &attribute.value {
            Expr::Path(path) => path.path.get_ident().filter(|name| skip.contains(name)),
            _ => None,
        };
        if let Some(name) = skipped {
            errors.add(name, format_args!("`{name}` is in `skip` and in `attributes_from_args`: remove it from one"));
        }
        skipped.is_none()
    });
}

/// Reports attributes with illegal or duplicate names and removes them.
fn keys(arguments: &mut ObservabilityArguments, errors: &mut Errors) {
    let mut seen: HashSet<String> = HashSet::new();
    let mut is_good = |key: &Key, errors: &mut Errors| {
        let Key::Text(text) = key else { return true };
        let name = text.value();
        if let Some(problem) = problem(&name) {
            errors.add(text, problem);
            return false;
        }
        let is_new = seen.insert(name.clone());
        if !is_new {
            errors.add(text, format_args!("the attribute {name:?} is already defined: give each a unique name"));
        }
        is_new
    };
    if let Attributes::List(list) = &mut arguments.attributes {
        list.retain(|attribute| is_good(&attribute.key, errors));
    }
    arguments.static_attributes.retain(|attribute| is_good(&attribute.key, errors));
    if arguments.kind.is_some() {
        seen.insert("otel.kind".to_owned());
    }
    arguments.fields.retain(|field| {
        let FieldName::Dotted(parts) = &field.name else { return true };
        let name = parts.iter().map(|part| part.unraw().to_string()).collect::<Vec<_>>().join(".");
        let is_taken = seen.contains(&name);
        if is_taken {
            errors.add(parts, format_args!("the attribute {name:?} is already defined: give each a unique name"));
        }
        !is_taken
    });
}

/// Returns why a string cannot be the name of an attribute.
fn problem(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("an attribute needs a name".to_owned());
    }
    if name.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Some(format!("{name:?} cannot be the name of an attribute: it has a space or a control character"));
    }
    let instead = match name {
        "message" => "it is the message of events",
        "otel.kind" => "write `kind = ...`",
        "otel.name" => "write `name = ...`",
        name if name.starts_with("otel.status") => "the status is set from the result",
        name if name.starts_with("otel.") => "such names belong to the OpenTelemetry layer",
        name if ["log.target", "log.module_path", "log.file", "log.line"].contains(&name) => {
            "it belongs to the `log` bridge"
        }
        _ => return None,
    };
    Some(format!("the name {name:?} is reserved: {instead}"))
}

/// Reports values in `fields` or `name` that are in `redact`. Values that are only named like a secret are accepted,
/// since they are shown explicitly.
fn shown(arguments: &mut ObservabilityArguments, errors: &mut Errors) {
    let redaction = Redaction::named(arguments);
    let is_shown = |value: &Expr, by: &str, errors: &mut Errors| {
        let is_shown = redaction.hides_any_of(value);
        if is_shown {
            errors.add(value, format_args!("`redact` hides this, and `{by}` would show it: remove it from one"));
        }
        is_shown
    };
    arguments.name.take_if(|name| is_shown(name, "name", errors));
    arguments.fields.retain(|field| match (&field.value, &field.name) {
        (Some(value), _) => !is_shown(value, "fields", errors),
        (None, FieldName::Dotted(parts)) if field.sigil != Sigil::None => {
            !syn::parse2(parts.to_token_stream()).is_ok_and(|value| is_shown(&value, "fields", errors))
        }
        (None, _) => true,
    });
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;

    /// Returns the remaining arguments on a function, and the number of errors.
    #[track_caller]
    fn checked(written: TokenStream, signature: TokenStream) -> (ObservabilityArguments, usize) {
        let mut errors = Errors::default();
        let mut arguments = ObservabilityArguments::parse(written, ObservabilityArguments::default(), &mut errors);
        let function: Function = syn::parse2(quote!(#signature {})).unwrap();
        super::arguments(&mut arguments, &Parameters::of_function(&function), &mut errors);
        (arguments, errors.into_compile_errors().to_string().matches("compile_error").count())
    }

    #[test]
    fn invalid_arguments_are_removed_and_the_rest_is_kept() {
        let (left, errors) = checked(
            quote!(
                skip(a, nobody),
                redact = [b, b],
                attributes_from_args = { b: "b", nobody.name: "name", a: "a", c: "", c: "c" },
                static_attributes = { "c": 1, "d": 2 },
                fields(d = 3, e = 4),
                context = { nobody: TENANT_ID, c: TENANT_ID }
            ),
            quote!(fn f(a: u8, b: u8, c: u8)),
        );
        assert_eq!(errors, 8);
        let Attributes::List(attributes) = left.attributes else { panic!("a list") };
        let attributes: Vec<_> =
            attributes.iter().map(|attribute| attribute.key.to_token_stream().to_string()).collect();
        assert_eq!(attributes, ["\"b\"", "\"c\""]);
        assert_eq!((left.skip.len(), left.redact.len(), left.static_attributes.len()), (1, 1, 1));
        assert_eq!((left.fields.len(), left.context.len()), (1, 1));
    }

    #[test]
    fn members_and_methods_that_are_read_can_be_revealed() {
        let attributes = quote!(attributes_from_args = { page.page_token: "page", page.token_count(): "tokens" });
        let reveal = quote!(reveal = [page_token, token_count]);
        assert_eq!(checked(quote!(#attributes, #reveal), quote!(fn f(page: Page))).1, 0);
        let fields_of_debug = checked(reveal, quote!(fn f(page: Page)));
        assert_eq!((fields_of_debug.0.reveal.len(), fields_of_debug.1), (2, 0));
        assert_eq!(checked(quote!(reveal = [page_count, total]), quote!(fn f(page: Page))).1, 2);
    }

    #[test]
    fn a_redacted_value_is_not_shown_elsewhere() {
        let signature = quote!(fn f(card: Card, token: Token));
        for wrong in [
            quote!(fields(number = %card)),
            quote!(fields(%card)),
            quote!(fields(%card.number)),
            quote!(fields(number = format!("{card}"))),
            quote!(name = format!("pay with {card}")),
        ] {
            assert_eq!(checked(quote!(redact = [card], #wrong), signature.clone()).1, 1, "{wrong}");
        }
        for right in [
            quote!(fields(length = card.len())),
            quote!(fields(card)),
            quote!(fields(%r#type, ?token)),
            quote!(name = "card"),
            quote!(attributes_from_args = { card: "card" }),
        ] {
            assert_eq!(checked(quote!(redact = [card], #right), signature.clone()).1, 0, "{right}");
        }
    }

    #[test]
    fn an_expression_may_begin_with_a_parameter_a_constant_or_a_path() {
        let signature = quote!(fn f(&self, order: &Order));
        for (value, errors) in [
            (quote!(order.id), 0),
            (quote!(&*order), 0),
            (quote!(self.name.len()), 0),
            (quote!(LIMIT), 0),
            (quote!(Self::LIMIT), 0),
            (quote!(limits::of(order)), 0),
            (quote!(odrer.id), 1),
            (quote!(-limit), 1),
        ] {
            assert_eq!(checked(quote!(attributes_from_args = { #value: "x" }), signature.clone()).1, errors, "{value}");
        }
    }

    #[test]
    fn a_blocks_arguments_are_for_the_methods_that_have_the_parameters() {
        let mut errors = Errors::default();
        let written = quote!(skip(a), redact = [b], attributes_from_args = { a.token: "a", b: "b" }, reveal = [token]);
        let mut left = ObservabilityArguments::parse(written, ObservabilityArguments::default(), &mut errors);
        let function = syn::parse_str("fn f(b: u8) {}").unwrap();
        keep_own(&Parameters::of_function(&function), &mut left);
        assert_eq!((left.skip.len(), left.redact.len(), left.reveal.len()), (0, 1, 1));
        assert!(matches!(left.attributes, Attributes::List(list) if list.len() == 1));
        assert!(errors.into_compile_errors().is_empty());
    }
}
