//! What is wrong with what was written. What is found wrong is taken out, so that the rest still compiles.

use std::collections::HashSet;

use quote::ToTokens;
use syn::{Expr, Ident, ext::IdentExt};

use super::{
    arguments::{Attributes, FieldName, Key, ObservabilityArguments, Sigil},
    redact::Redaction,
    secret_name::is_secret,
};
use crate::{
    context_argument::ContextArgument,
    expression::mentions,
    function::{Function, Parameters},
    mistakes::Mistakes,
};

/// Whether the function can be observed at all.
pub(super) fn function(function: &Function, mistakes: &mut Mistakes) -> bool {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        mistakes.add(
            constness,
            "a `const fn` cannot be observed: at compile time there is nobody to observe it; leave `const` out, or the \
             attribute (in an `impl` block by `except(...)`)",
        );
    }
    if let Some(variadic) = &signature.variadic {
        mistakes.add(variadic, "a variadic function cannot be observed: its arguments cannot be passed on");
    }
    if let Some(attribute) = function.track_caller() {
        if signature.asyncness.is_some() {
            mistakes.add(
                attribute,
                "`#[track_caller]` has no effect on an `async fn`, which runs where it is polled: leave it out, or put it on a \
                 function that runs at once",
            );
        } else if function.gives_closures() {
            mistakes.add(
                attribute,
                "`#[track_caller]` and `#[with_observability]` do not go together on a function that returns \
                 `impl Fn(..)`: leave one of them out",
            );
        } else {
            function.check_in_place(mistakes);
        }
    }
    signature.constness.is_none() && signature.variadic.is_none()
}

pub(super) fn arguments(arguments: &mut ObservabilityArguments, parameters: &Parameters, mistakes: &mut Mistakes) {
    let ObservabilityArguments { skip, redact, reveal, attributes: read, .. } = &mut *arguments;
    keep_known(parameters, skip, "skip", mistakes, |_| false);
    keep_known(parameters, redact, "redact", mistakes, |_| false);
    // What has the name of a secret may be a field that the `Debug` of an argument shows.
    keep_known(parameters, reveal, "reveal", mistakes, |name| {
        is_read(read, name) || is_secret(&name.unraw().to_string())
    });
    for name in arguments.reveal.iter().filter(|name| arguments.redact.contains(name)) {
        mistakes.add(name, format_args!("`{name}` is in `redact` and in `reveal`: leave it out of one"));
    }
    if arguments.links.as_ref().is_some_and(|links| !parameters.has_root(links, mistakes)) {
        arguments.links = None;
    }
    attributes(arguments, parameters, mistakes);
    keys(arguments, mistakes);
    shown(arguments, mistakes);
    ContextArgument::keep_valid(&mut arguments.context, parameters, mistakes);
}

/// Takes out of a block's arguments what another method has and this one does not.
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

/// Takes out of a list what is no parameter, or stands there twice.
fn keep_known(
    parameters: &Parameters,
    list: &mut Vec<Ident>,
    word: &str,
    mistakes: &mut Mistakes,
    is_known: impl Fn(&Ident) -> bool,
) {
    let mut seen = HashSet::new();
    list.retain(|name| {
        if !parameters.has(name) && !is_known(name) {
            mistakes.add(name, parameters.no_parameter(name));
            return false;
        }
        let is_new = seen.insert(name.clone());
        if !is_new {
            mistakes.add(name, format_args!("`{name}` stands in `{word}` twice"));
        }
        is_new
    });
}

/// Whether a name stands in what attributes are read off, as that of a member or a method.
fn is_read(attributes: &Attributes, name: &Ident) -> bool {
    matches!(attributes, Attributes::List(list) if list.iter().any(|one| mentions(one.value.to_token_stream(), name)))
}

fn attributes(arguments: &mut ObservabilityArguments, parameters: &Parameters, mistakes: &mut Mistakes) {
    let skip = &arguments.skip;
    let Attributes::List(list) = &mut arguments.attributes else { return };
    list.retain(|attribute| {
        if !parameters.has_root(&attribute.value, mistakes) {
            return false;
        }
        let skipped = match &attribute.value {
            Expr::Path(path) => path.path.get_ident().filter(|name| skip.contains(name)),
            _ => None,
        };
        if let Some(name) = skipped {
            mistakes
                .add(name, format_args!("`{name}` is in `skip` and in `attributes_from_args`: leave it out of one"));
        }
        skipped.is_none()
    });
}

/// Takes out attributes whose names are not legal, or are taken.
fn keys(arguments: &mut ObservabilityArguments, mistakes: &mut Mistakes) {
    let mut seen: HashSet<String> = HashSet::new();
    let mut is_good = |key: &Key, mistakes: &mut Mistakes| {
        let Key::Text(text) = key else { return true };
        let name = text.value();
        if let Some(problem) = problem(&name) {
            mistakes.add(text, problem);
            return false;
        }
        let is_new = seen.insert(name.clone());
        if !is_new {
            mistakes.add(text, format_args!("there is an attribute {name:?} already: give each a name of its own"));
        }
        is_new
    };
    if let Attributes::List(list) = &mut arguments.attributes {
        list.retain(|attribute| is_good(&attribute.key, mistakes));
    }
    arguments.static_attributes.retain(|attribute| is_good(&attribute.key, mistakes));
    if arguments.kind.is_some() {
        seen.insert("otel.kind".to_owned());
    }
    arguments.fields.retain(|field| {
        let FieldName::Dotted(parts) = &field.name else { return true };
        let name = parts.iter().map(|part| part.unraw().to_string()).collect::<Vec<_>>().join(".");
        let is_taken = seen.contains(&name);
        if is_taken {
            mistakes.add(parts, format_args!("there is an attribute {name:?} already: give each a name of its own"));
        }
        !is_taken
    });
}

/// Why a text cannot be the name of an attribute.
fn problem(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("an attribute needs a name".to_owned());
    }
    if name.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Some(format!("{name:?} cannot be the name of an attribute: it has a blank or a control character"));
    }
    let instead = match name {
        "message" => "it is the text of events",
        "otel.kind" => "write `kind = ...`",
        "otel.name" => "write `name = ...`",
        name if name.starts_with("otel.status") => "the status is that of the result",
        name if name.starts_with("otel.") => "such names are the OpenTelemetry layer's",
        name if ["log.target", "log.module_path", "log.file", "log.line"].contains(&name) => "it is the `log` bridge's",
        _ => return None,
    };
    Some(format!("the name {name:?} is reserved: {instead}"))
}

/// What is to be redacted must not stand in `fields` or in the name in plain. Only what was named: they say of all else
/// that it is to be shown.
fn shown(arguments: &mut ObservabilityArguments, mistakes: &mut Mistakes) {
    let redaction = Redaction::named(arguments);
    let is_shown = |value: &Expr, by: &str, mistakes: &mut Mistakes| {
        let is_shown = redaction.hides_any_of(value);
        if is_shown {
            mistakes.add(value, format_args!("`redact` hides this, and `{by}` would show it: leave it out of one"));
        }
        is_shown
    };
    arguments.name.take_if(|name| is_shown(name, "name", mistakes));
    arguments.fields.retain(|field| match (&field.value, &field.name) {
        (Some(value), _) => !is_shown(value, "fields", mistakes),
        (None, FieldName::Dotted(parts)) if field.sigil != Sigil::None => {
            !syn::parse2(parts.to_token_stream()).is_ok_and(|value| is_shown(&value, "fields", mistakes))
        }
        (None, _) => true,
    });
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;

    /// What is left of arguments on a function, and how many mistakes were found.
    #[track_caller]
    fn checked(written: TokenStream, signature: TokenStream) -> (ObservabilityArguments, usize) {
        let mut mistakes = Mistakes::default();
        let mut arguments = ObservabilityArguments::parse(written, ObservabilityArguments::default(), &mut mistakes);
        let function: Function = syn::parse2(quote!(#signature {})).unwrap();
        super::arguments(&mut arguments, &Parameters::of_function(&function), &mut mistakes);
        (arguments, mistakes.into_compile_errors().to_string().matches("compile_error").count())
    }

    #[test]
    fn what_is_wrong_is_taken_out_and_the_rest_is_kept() {
        let (left, mistakes) = checked(
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
        assert_eq!(mistakes, 8);
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
    fn what_is_to_be_hidden_is_not_shown_elsewhere() {
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
        for (value, mistakes) in [
            (quote!(order.id), 0),
            (quote!(&*order), 0),
            (quote!(self.name.len()), 0),
            (quote!(LIMIT), 0),
            (quote!(Self::LIMIT), 0),
            (quote!(limits::of(order)), 0),
            (quote!(odrer.id), 1),
            (quote!(-limit), 1),
        ] {
            assert_eq!(
                checked(quote!(attributes_from_args = { #value: "x" }), signature.clone()).1,
                mistakes,
                "{value}"
            );
        }
    }

    #[test]
    fn a_blocks_arguments_are_for_the_methods_that_have_the_parameters() {
        let mut mistakes = Mistakes::default();
        let written = quote!(skip(a), redact = [b], attributes_from_args = { a.token: "a", b: "b" }, reveal = [token]);
        let mut left = ObservabilityArguments::parse(written, ObservabilityArguments::default(), &mut mistakes);
        let function = syn::parse_str("fn f(b: u8) {}").unwrap();
        keep_own(&Parameters::of_function(&function), &mut left);
        assert_eq!((left.skip.len(), left.redact.len(), left.reveal.len()), (0, 1, 1));
        assert!(matches!(left.attributes, Attributes::List(list) if list.len() == 1));
        assert!(mistakes.into_compile_errors().is_empty());
    }
}
