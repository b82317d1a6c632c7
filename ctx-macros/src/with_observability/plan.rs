//! The plan of an expansion: the arguments, lowered for a function.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, GenericArgument, Ident, Lit, Path, PathArguments, ReturnType, Type, UnOp, ext::IdentExt};

use super::{
    arguments::{
        Attributes, EventArguments, Field, FieldName, Format, Level, LogErrors, ObservabilityArguments, Sigil,
    },
    redact::Redaction,
    values::{NamedValue, Shown},
};
use crate::{
    context_argument::ContextArgument,
    expression::{is_evaluated, mentions, referable, root},
    functions::{Binding, Function, Shape},
};

/// How the end of a call is logged.
pub(super) enum Ending {
    /// Not logged.
    Silent,
    /// With a message and the duration.
    Full { level: TokenStream, format: Option<Format> },
    /// As `#[tracing::instrument]` logs it.
    Plain { level: TokenStream, format: Format },
}

pub(super) struct Plan {
    pub(super) function: Function,
    pub(super) shape: Shape,
    /// `ctx_layer::__private`
    pub(super) call: TokenStream,
    /// `ctx_layer`
    pub(super) library: TokenStream,
    pub(super) name: TokenStream,
    pub(super) target: TokenStream,
    pub(super) level: TokenStream,
    pub(super) parent: Option<Expr>,
    pub(super) follows_from: Option<Expr>,
    /// The spans to link to.
    pub(super) links: Option<Expr>,
    /// The span's fields.
    pub(super) fields: Vec<NamedValue>,
    /// `true` if user code runs to compute the span's values or its parent.
    pub(super) evaluates: bool,
    /// The call's event: its level and arguments.
    pub(super) called: Option<(TokenStream, Vec<NamedValue>)>,
    pub(super) returned: Ending,
    /// The function is named like a secret, and returns one.
    pub(super) is_secret: bool,
    pub(super) failed: Ending,
    pub(super) fails_at_every_level: bool,
    pub(super) context: Vec<ContextArgument>,
    /// A call of `naming`, for values that are formatted.
    pub(super) naming: Option<TokenStream>,
}

impl Plan {
    /// Lowers the arguments. `owner` is the type of a method.
    pub(super) fn new(arguments: ObservabilityArguments, function: Function, owner: Option<&str>) -> Self {
        let library = match &arguments.library {
            Some(path) => path.to_token_stream(),
            None => quote!(::ctx_layer),
        };
        let call = quote!(#library::__private);
        let bindings = function.bindings();
        let redaction = Redaction::of(&arguments, &bindings);
        let context_fields = ContextFields { context: &arguments.context, reveal: &arguments.reveal };
        let own_name = function.signature.ident.unraw().to_string();
        let own_name = owner.map_or_else(|| own_name.clone(), |owner| format!("{owner}::{own_name}"));
        let (name, exported_name) = match &arguments.name {
            None => (own_name.to_token_stream(), None),
            Some(name) if is_constant(name, &bindings, &function) => (name.to_token_stream(), None),
            Some(name) => (own_name.to_token_stream(), Some(name)),
        };
        let mut fields = span_fields(&arguments, &bindings, &redaction, &context_fields, &call);
        if let Some(kind) = arguments.kind.and_then(|kind| kind.exported()) {
            fields.push(NamedValue::text("otel.kind", Shown::Itself(kind.to_token_stream())));
        }
        if let Some(name) = exported_name {
            fields.push(NamedValue::text("otel.name", Shown::Display(referable(name))));
        }
        let naming = redaction.naming(&call);
        for field in &mut fields {
            field.naming.clone_from(&naming);
        }
        let level = arguments.level.clone().unwrap_or(Level::known("info"));
        let log_level = arguments.log_level.clone().unwrap_or(Level::known("debug"));
        let log_args = arguments.log_args.unwrap_or(true);
        let log_errors = arguments.log_errors.unwrap_or(LogErrors::Once);
        Plan {
            name,
            target: arguments.target.as_ref().map_or_else(|| quote!(::core::module_path!()), ToTokens::to_token_stream),
            called: log_args.then(|| {
                let shown = bindings.iter().filter(|binding| !binding.is_self() && !is_skipped(&arguments, binding));
                let shown = shown.map(|binding| NamedValue {
                    naming: naming.clone(),
                    ..logged(binding, &redaction, &context_fields)
                });
                (log_level.tokens(&call), shown.collect())
            }),
            is_secret: arguments.ret.is_none()
                && redaction.hides(&function.signature.ident)
                && !is_harmless(&function.signature.output),
            returned: ending(
                arguments.log_result.unwrap_or(true),
                &arguments.ret,
                &log_level,
                &level,
                Format::Debug,
                &call,
            ),
            failed: ending(
                log_errors != LogErrors::Never,
                &arguments.err,
                &Level::known("error"),
                &Level::known("error"),
                Format::Display,
                &call,
            ),
            fails_at_every_level: log_errors == LogErrors::EveryLevel,
            level: level.tokens(&call),
            evaluates: fields.iter().any(NamedValue::is_evaluated)
                || arguments.parent.as_ref().is_some_and(is_evaluated),
            parent: arguments.parent,
            follows_from: arguments.follows_from,
            links: arguments.links,
            context: arguments.context,
            fields,
            naming,
            shape: function.shape(),
            function,
            call,
            library,
        }
    }
}

/// Returns `true` if the returned value cannot reveal a secret: `()` or `bool`, or a `Result` of one.
fn is_harmless(output: &ReturnType) -> bool {
    fn is_harmless_type(written: &Type) -> bool {
        match written {
            Type::Tuple(tuple) => tuple.elems.is_empty(),
            Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
                _ if last.ident == "bool" => true,
                PathArguments::AngleBracketed(arguments) if last.ident == "Result" => {
                    matches!(arguments.args.first(), Some(GenericArgument::Type(written)) if is_harmless_type(written))
                }
                _ => false,
            }),
            _ => false,
        }
    }
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, written) => is_harmless_type(written),
    }
}

fn ending(
    is_logged: bool,
    asked: &Option<EventArguments>,
    log_level: &Level,
    asked_level: &Level,
    plain: fn(Span) -> Format,
    call: &TokenStream,
) -> Ending {
    match (is_logged, asked) {
        (false, None) => Ending::Silent,
        (true, None) => Ending::Full { level: log_level.tokens(call), format: None },
        (true, Some(asked)) => {
            Ending::Full { level: asked.level.as_ref().unwrap_or(asked_level).tokens(call), format: asked.format }
        }
        (false, Some(asked)) => Ending::Plain {
            level: asked.level.as_ref().unwrap_or(asked_level).tokens(call),
            format: asked.format.unwrap_or_else(|| plain(asked.word)),
        },
    }
}

fn is_skipped(arguments: &ObservabilityArguments, binding: &Binding) -> bool {
    arguments.skip_all || arguments.skip.contains(&binding.name)
}

/// The context fields that are set from arguments.
struct ContextFields<'a> {
    context: &'a [ContextArgument],
    reveal: &'a [Ident],
}

impl ContextFields<'_> {
    /// Returns the fields that are set from an argument or a part of it.
    fn of_argument(&self, name: &Ident) -> Vec<Expr> {
        self.found(|value| !self.reveal.contains(name) && mentions(value.to_token_stream(), name))
    }

    /// Returns the fields that are set from an expression.
    fn of_value(&self, shown: &Expr) -> Vec<Expr> {
        if root(shown).is_some_and(|root| self.reveal.contains(root)) {
            return Vec::new();
        }
        self.found(|value| match bare(value) {
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| Redaction::only(name).hides_any_of(shown)),
            value => bare(shown).to_token_stream().to_string().starts_with(&value.to_token_stream().to_string()),
        })
    }

    fn found(&self, is_it: impl Fn(&Expr) -> bool) -> Vec<Expr> {
        self.context.iter().filter(|context| is_it(&context.value)).map(|context| context.field.clone()).collect()
    }
}

/// Returns an expression without borrows and without methods that only convert.
fn bare(value: &Expr) -> &Expr {
    match value {
        Expr::Reference(reference) => bare(&reference.expr),
        Expr::Paren(inner) => bare(&inner.expr),
        Expr::Group(inner) => bare(&inner.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => bare(&unary.expr),
        Expr::MethodCall(call)
            if call.args.is_empty()
                && ["as_ref", "as_str", "clone", "to_owned", "to_string", "into", "as_deref"]
                    .iter()
                    .any(|method| call.method == method) =>
        {
            bare(&call.receiver)
        }
        other => other,
    }
}

/// Returns an argument on the event of the call.
fn logged(binding: &Binding, redaction: &Redaction, context_fields: &ContextFields<'_>) -> NamedValue {
    let name = &binding.name;
    // `message` is the event's own field.
    let field = match binding.field() {
        message if message == "message" => "args.message".to_owned(),
        field => field,
    };
    let value = if redaction.hides(name) {
        Shown::Redacted
    } else if binding.is_value {
        Shown::Itself(name.to_token_stream())
    } else {
        Shown::Best(name.to_token_stream())
    };
    NamedValue::text(&field, value.unless_sensitive(context_fields.of_argument(name))).under(binding)
}

fn span_fields(
    arguments: &ObservabilityArguments,
    bindings: &[Binding],
    redaction: &Redaction,
    context_fields: &ContextFields<'_>,
    call: &TokenStream,
) -> Vec<NamedValue> {
    let mut fields = Vec::new();
    match &arguments.attributes {
        Attributes::None => {}
        Attributes::All => fields.extend(
            bindings
                .iter()
                .filter(|binding| binding.is_recorded_by_instrument && !is_skipped(arguments, binding))
                .filter(|binding| !is_replaced(&arguments.fields, binding))
                .map(|binding| {
                    let name = binding.name.to_token_stream();
                    let value = if redaction.hides(&binding.name) {
                        Shown::Redacted
                    } else if binding.is_value {
                        Shown::Itself(name)
                    } else {
                        Shown::DebugOrType(name)
                    };
                    let value = value.unless_sensitive(context_fields.of_argument(&binding.name));
                    NamedValue::text(&binding.field(), value).under(binding)
                }),
        ),
        Attributes::List(list) => fields.extend(list.iter().map(|attribute| {
            let hidden = redaction.hides_any_of(&attribute.value);
            let value = if hidden { Shown::Redacted } else { Shown::asked(attribute.sigil, &attribute.value) };
            let value = value.unless_sensitive(context_fields.of_value(&attribute.value));
            let value = NamedValue::new(attribute.key.to_token_stream(), value);
            match root(&attribute.value).and_then(|root| bindings.iter().find(|binding| binding.name == *root)) {
                Some(binding) => value.under(binding),
                None => value,
            }
        })),
    }
    fields.extend(arguments.static_attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            Expr::Lit(literal) if !has_suffix(&literal.lit) => Shown::Itself(literal.to_token_stream()),
            // Its type is unknown, or not one that OpenTelemetry has.
            constant => Shown::asked(Sigil::None, constant),
        };
        NamedValue::new(attribute.key.to_token_stream(), value)
    }));
    fields.extend(arguments.fields.iter().map(|field| NamedValue::custom(field, call)));
    fields
}

/// Returns `true` for a literal such as `3_u64`.
fn has_suffix(literal: &Lit) -> bool {
    matches!(literal, Lit::Int(number) if !number.suffix().is_empty())
}

/// Returns `true` if a field in `fields(...)` has the argument's name, and replaces it.
fn is_replaced(fields: &[Field], binding: &Binding) -> bool {
    fields.iter().any(|field| match &field.name {
        FieldName::Constant(_) => false,
        FieldName::Dotted(parts) => parts.len() == 1 && parts.first() == Some(&binding.name),
    })
}

/// Returns `true` if a name is constant: it uses no argument.
fn is_constant(name: &Expr, bindings: &[Binding], function: &Function) -> bool {
    match name {
        Expr::Lit(literal) => matches!(literal.lit, Lit::Str(_)),
        // A `static` can refer neither to `Self` nor to the function's type parameters.
        Expr::Path(path) => {
            path.qself.is_none()
                && path.path.segments.first().is_some_and(|first| {
                    first.ident != "Self"
                        && !function.is_type_parameter(&first.ident)
                        && !bindings.iter().any(|binding| binding.name == first.ident)
                })
        }
        Expr::Macro(call) => is_constant_macro(&call.mac.path),
        Expr::Const(_) => true,
        Expr::Paren(inner) => is_constant(&inner.expr, bindings, function),
        Expr::Group(inner) => is_constant(&inner.expr, bindings, function),
        _ => false,
    }
}

fn is_constant_macro(path: &Path) -> bool {
    let constant = ["concat", "stringify", "module_path", "env", "file", "include_str"];
    path.segments.last().is_some_and(|last| constant.iter().any(|name| last.ident == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;

    #[track_caller]
    fn plan(written: TokenStream, function: TokenStream) -> Plan {
        let mut errors = Errors::default();
        let arguments = ObservabilityArguments::parse(written, ObservabilityArguments::default(), &mut errors);
        assert!(errors.into_compile_errors().is_empty());
        Plan::new(arguments, syn::parse2(function).unwrap(), None)
    }

    /// Returns the names of the span's fields, and of those of the call's event.
    fn fields(plan: &Plan) -> (Vec<String>, Vec<String>) {
        let names = |values: &[NamedValue]| values.iter().map(|value| value.name.to_string()).collect();
        (names(&plan.fields), plan.called.as_ref().map(|(_, values)| names(values)).unwrap_or_default())
    }

    #[test]
    fn a_name_with_arguments_is_the_exported_name() {
        for (name, is_constant) in [
            (quote!("load"), true),
            (quote!(NAME), true),
            (quote!(names::LOAD), true),
            (quote!(concat!("a", "b")), true),
            (quote!((NAME)), true),
            (quote!(path), false),
            (quote!(format!("GET {path}")), false),
            (quote!(path.trim()), false),
        ] {
            let plan = plan(
                quote!(name = #name),
                quote!(
                    fn load(path: &str) {}
                ),
            );
            let exported = plan.fields.iter().any(|field| field.name.to_string() == "\"otel.name\"");
            assert_eq!(exported, !is_constant, "{name}");
            assert_eq!(plan.name.to_string() == "\"load\"", !is_constant || name.to_string() == "\"load\"", "{name}");
        }
    }

    #[test]
    fn attributes_come_before_static_ones_and_those_before_fields() {
        let plan = plan(
            quote!(fields(c, KEY), static_attributes = { "b": 1 }, attributes_from_args = [a], kind = client),
            quote!(
                fn load(a: u8) {}
            ),
        );
        assert_eq!(fields(&plan).0, ["\"a\"", "\"b\"", "\"c\"", "\"KEY\"", "\"otel.kind\""]);
    }

    #[test]
    fn the_event_has_each_argument_except_self_and_skipped_ones() {
        let function = quote!(
            fn load(&self, message: &str, (a, b): (u8, u8), r#type: u8, skipped: u8, token: &str) {}
        );
        let plan = plan(quote!(skip(skipped), attributes_from_args = all, fields(a = 1)), function);
        let (span, event) = fields(&plan);
        assert_eq!(span, ["\"self\"", "\"message\"", "\"b\"", "\"type\"", "\"token\"", "\"a\""]);
        assert_eq!(event, ["\"args.message\"", "\"a\"", "\"b\"", "\"type\"", "\"token\""]);
        let (_, values) = plan.called.unwrap();
        assert!(matches!(values.last().unwrap().value, Shown::Redacted));
    }

    #[test]
    fn err_and_ret_have_their_levels_with_and_without_logging() {
        let function = quote!(
            fn load() -> Result<u8, Error> {
                Ok(1)
            }
        );
        let logged = plan(quote!(ret, err(level = "warn"), log_level = "trace", level = "error"), function.clone());
        assert!(matches!(&logged.returned, Ending::Full { level, .. } if level.to_string().ends_with("ERROR")));
        assert!(matches!(&logged.failed, Ending::Full { level, .. } if level.to_string().ends_with("WARN")));
        let written = quote!(ret, err, log_result = false, log_errors = false);
        let plain = plan(written, function.clone());
        assert!(matches!(&plain.returned, Ending::Plain { format: Format::Debug(_), .. }));
        assert!(matches!(&plain.failed, Ending::Plain { format: Format::Display(_), .. }));
        let silent = plan(quote!(log_result = false, log_errors = false), function);
        assert!(matches!((silent.returned, silent.failed), (Ending::Silent, Ending::Silent)));
    }
}
