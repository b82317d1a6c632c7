//! The policies by which an output that encodes fields itself shows them.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{
    context::registered,
    field::{Declaration, Policy, Registered, Schema, Sensitivity},
};

/// The fields that are shown, and how. One for all layers with equal schemas, for the life of the process.
pub(crate) struct Policies {
    id: u32,
    fields: Fields,
    /// The last combination with others that these replace: only one is kept, since there is nearly always one stack.
    over: OnceLock<(u32, &'static Policies)>,
}

enum Fields {
    /// All fields, by the policy that each was declared with.
    Declared,
    /// Those of a schema.
    Registered(Box<[Registered]>),
}

static KNOWN: Mutex<Vec<&'static Policies>> = Mutex::new(Vec::new());

static DECLARED: Policies = Policies { id: 0, fields: Fields::Declared, over: OnceLock::new() };

impl Policies {
    /// Returns the policies of a program without a schema.
    #[inline]
    pub(super) fn declared() -> &'static Self {
        &DECLARED
    }

    pub(crate) fn of(schema: &Schema) -> &'static Self {
        Self::of_fields(schema.registered())
    }

    fn of_fields(fields: &[Registered]) -> &'static Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same =
            |policies: &&&'static Policies| matches!(&policies.fields, Fields::Registered(known) if **known == *fields);
        if let Some(policies) = known.iter().find(is_same) {
            return policies;
        }
        let id = u32::try_from(known.len() + 1).unwrap_or(u32::MAX);
        let policies =
            Box::leak(Box::new(Policies { id, fields: Fields::Registered(fields.into()), over: OnceLock::new() }));
        known.push(policies);
        policies
    }

    /// Returns these policies combined with others, which override them.
    pub(super) fn with(&'static self, others: &'static Policies) -> &'static Policies {
        match others.over.get() {
            Some((below, all)) if *below == self.id => all,
            _ => self.with_unknown(others),
        }
    }

    #[cold]
    fn with_unknown(&'static self, others: &'static Policies) -> &'static Policies {
        let Fields::Registered(others_fields) = &others.fields else { return self };
        let Fields::Registered(mine) = &self.fields else { return others };
        let is_in_others = |mine: &Registered| others_fields.iter().any(|other| other.declaration == mine.declaration);
        let mine = mine.iter().filter(|mine| !is_in_others(mine));
        let all: Vec<_> = mine.chain(others_fields).copied().collect();
        let all = Self::of_fields(&all);
        let _ = others.over.set((self.id, all));
        all
    }

    /// Returns a number that identifies these policies.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Returns how a field is shown on events, or on metric events. Returns `None` if it is not shown.
    pub(crate) fn sensitivity(&self, declaration: &'static Declaration, is_metric: bool) -> Option<Sensitivity> {
        let policy = match &self.fields {
            Fields::Declared => *declaration.policy(),
            Fields::Registered(fields) => {
                fields.iter().find(|field| std::ptr::eq(field.declaration.0, declaration))?.policy
            }
        };
        shows(&policy, is_metric).then(|| policy.sensitivity())
    }

    /// Returns `true` if a field that is registered under this name is shown on events.
    pub(crate) fn is_registered(&self, name: &str) -> bool {
        match &self.fields {
            Fields::Declared => registered().iter().any(|known| known.name() == name && known.policy().on_events()),
            Fields::Registered(fields) => {
                fields.iter().any(|field| field.declaration.0.name() == name && field.policy.on_events())
            }
        }
    }

    /// Returns the fields whose baggage is read.
    pub(crate) fn declarations(&self) -> Vec<&'static Declaration> {
        match &self.fields {
            Fields::Declared => registered(),
            Fields::Registered(fields) => fields.iter().map(|field| field.declaration.0).collect(),
        }
    }
}

fn shows(policy: &Policy, is_metric: bool) -> bool {
    if is_metric { policy.on_metrics() } else { policy.on_events() }
}
