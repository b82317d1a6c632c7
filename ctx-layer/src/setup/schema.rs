//! The schema of the context fields that the settings name.

use super::settings::{FieldKind, FieldSetting, Settings, SettingsProblem, Shown, WELL_KNOWN, suggest::nearest};
use crate::field::{
    ContextField, Declaration, Policy, Schema, SchemaBuilder,
    well_known::{CORRELATION_ID, FEATURE_FLAGS, LOCALE, REQUEST_ID, ROLE, SPAN_ID, TENANT_ID, TRACE_ID, USER_ID},
};

/// The schemas of a stack.
pub(crate) struct Schemas {
    /// The fields on spans and events.
    pub(crate) stack: Schema,
    /// The ids, for log lines only.
    pub(crate) ids: Schema,
}

/// Creates the schemas. `declared` are the program's own fields, which are on spans and events whether the settings name them
/// or not.
pub(crate) fn schemas(settings: &Settings, declared: &[&'static Declaration]) -> Result<Schemas, Vec<SettingsProblem>> {
    let origin = settings.origin("context.fields");
    let mut problems = Vec::new();
    let (mut stack, mut ids) = (Schema::builder(), Schema::builder());
    for field in &settings.context.fields.0 {
        let name = field.name.as_str();
        let mut problem = |found: String, expected: String| {
            problems.push(SettingsProblem::new(origin.clone(), found, expected));
        };
        if field.shown == Some(Shown::Hashed) && !cfg!(feature = "hashed") {
            problem(
                format!("`shown = \"hashed\"` of the field {name:?}"),
                "the feature `hashed` of `ctx-layer` for it, or another value".to_owned(),
            );
            continue;
        }
        match name {
            "trace_id" => ids = ids.field(&TRACE_ID),
            "span_id" => ids = ids.field(&SPAN_ID),
            _ => {
                let known = declared.iter().find(|declared| declared.name() == name).copied();
                if let Some(known) = known.or_else(|| well_known(name)) {
                    stack = stack.field_with(known, |policy| changed(policy, field));
                } else if let Some(kind) = field.kind {
                    match declare(name, kind, declaration_policy(field)) {
                        Ok(declare) => stack = declare(stack, field),
                        Err(error) => problem(
                            format!("the field {name:?}: {error}"),
                            "another name, or the same type and policy".to_owned(),
                        ),
                    }
                } else {
                    let names = WELL_KNOWN.into_iter().chain(declared.iter().map(|declared| declared.name()));
                    let suggestion = nearest(name, names).map(str::to_owned);
                    let expected = "the name of a field of the library or of `setup::builder(..).field(..)`, or a table \
                                    with `name` and `type`, which declares it";
                    problems.push(
                        SettingsProblem::new(origin.clone(), format!("the unknown field {name:?}"), expected)
                            .with_suggestion(suggestion),
                    );
                }
            }
        }
    }
    for declared in declared {
        if !settings.context.fields.0.iter().any(|field| field.name == declared.name()) {
            stack = stack.field(*declared);
        }
    }
    let (stack, ids) = (stack.build(), ids.build());
    for error in [stack.as_ref().err(), ids.as_ref().err()].into_iter().flatten() {
        problems.push(SettingsProblem::new(origin.clone(), error.to_string(), "fields that fit together"));
    }
    match (stack, ids) {
        (Ok(stack), Ok(ids)) if problems.is_empty() => Ok(Schemas { stack, ids }),
        _ => Err(problems),
    }
}

fn well_known(name: &str) -> Option<&'static Declaration> {
    let fields = [&REQUEST_ID, &TENANT_ID, &USER_ID, &ROLE, &LOCALE, &CORRELATION_ID, &FEATURE_FLAGS];
    fields.into_iter().map(ContextField::declaration).find(|field| field.name() == name)
}

/// Returns a policy with what the settings say about where a field appears and how it is shown.
fn changed(mut policy: Policy, field: &FieldSetting) -> Policy {
    if let Some(yes) = field.spans {
        policy = policy.spans(yes);
    }
    if let Some(yes) = field.events {
        policy = policy.events(yes);
    }
    if let Some(yes) = field.metrics {
        policy = policy.metrics(yes);
    }
    match field.shown {
        None => policy,
        Some(Shown::Plain) => {
            // `reveal` hides the field on spans, for one output among others. This is the policy of the whole stack.
            let on_spans = policy.on_spans();
            policy.reveal().spans(on_spans)
        }
        Some(Shown::Masked) => policy.masked(),
        Some(Shown::Hashed) => policy.__hashed(),
    }
}

/// Returns the policy of a field that the settings declare.
fn declaration_policy(field: &FieldSetting) -> Policy {
    let mut policy = changed(Policy::new(), field);
    if field.propagated == Some(true) {
        policy = policy.propagated();
    }
    if let Some(yes) = field.from_baggage {
        policy = policy.from_baggage(yes);
    }
    if let Some(bytes) = field.max_len {
        policy = policy.max_len(bytes);
    }
    policy
}

type Add = Box<dyn Fn(SchemaBuilder, &FieldSetting) -> SchemaBuilder>;

fn declare(name: &str, kind: FieldKind, policy: Policy) -> Result<Add, crate::field::DeclareError> {
    fn of<T>(name: &str, policy: Policy) -> Result<Add, crate::field::DeclareError>
    where
        T: crate::field::FieldType + std::str::FromStr,
    {
        let field = ContextField::<T>::declare(name, policy)?;
        Ok(Box::new(move |builder, _| builder.field(field)))
    }
    match kind {
        FieldKind::String => of::<String>(name, policy),
        FieldKind::Integer => of::<i64>(name, policy),
        FieldKind::Float => of::<f64>(name, policy),
        FieldKind::Bool => of::<bool>(name, policy),
    }
}
