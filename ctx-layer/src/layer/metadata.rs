//! Metadata with the registered names added: built once per call site and schema, and found without a lock.
//!
//! A layer may identify metadata by its address (`console-subscriber` does), so it always has to see the one it registered.
//! Spans always have the registered names, since a value may be recorded on any of them later: layers register this metadata.
//! Events always have the call site's own metadata, whether fields are current or not. Their added fields are in the set of
//! values alone, so a filter that checks whether an event *has* a field sees the call site's.

use std::{
    borrow::Cow,
    sync::{LazyLock, Mutex, PoisonError},
};

use tracing_core::{Kind, Metadata, callsite::Identifier, field::FieldSet};

#[cfg(feature = "_output")]
use super::policies::Policies;
use super::{address_map::AddressMap, filled::Filled, parent::Parentage, shared_targets::SharedTargets};
use crate::context::{CurrentFields, current_fields};
use crate::field::{Derived, METRIC_PREFIXES, Origin, Registered, Schema, Sensitivity};

/// A call site's metadata with the fields of a schema.
pub(super) struct Augmented {
    /// Metadata with the same name, target, level, file, line, kind and call site, and more fields. Layers see it on spans; on
    /// events they see only its fields.
    pub(super) metadata: &'static Metadata<'static>,
    /// The names of all fields.
    names: &'static [&'static str],
    /// The number of fields that the call site itself has.
    pub(super) own: usize,
    /// The position of each registered field's value, by [`Declaration::id`](crate::field::Declaration).
    targets: Box<[Option<Target>]>,
    /// `true` if any registered field may appear here.
    pub(super) takes_fields: bool,
    /// `true` if it is a span that serves many requests, and so belongs to none.
    pub(super) is_shared: bool,
    /// The registered fields that the call site declares itself.
    pub(super) declared: Filled,
}

/// The position of a registered field's value, and how it is shown there.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// The index among the metadata's fields.
    index: u16,
    pub(super) sensitivity: Sensitivity,
    /// Another layer of this crate added the field: this layer's value replaces that one's. An output's own schema decides
    /// how a field is shown there.
    pub(super) overrides: bool,
}

impl Target {
    #[inline]
    pub(super) fn index(self) -> usize {
        usize::from(self.index)
    }
}

impl Augmented {
    /// Returns the position of a registered field's value, if the field may appear on this span or event.
    #[inline]
    pub(super) fn target(&self, id: usize) -> Option<Target> {
        self.targets.get(id).copied().flatten()
    }
}

/// A schema, and its augmented metadata of each call site.
pub(super) struct Augmentation {
    pub(super) schema: Schema,
    shared: SharedTargets,
    table: &'static AddressMap<Augmented>,
    /// The fields that are read from the active OpenTelemetry span, by [`Declaration::id`](crate::field::Declaration).
    pub(super) derived: Box<[(usize, Derived)]>,
    /// The policies for outputs that encode fields themselves.
    #[cfg(feature = "_output")]
    pub(super) policies: &'static Policies,
}

/// Augmented metadata is leaked, so all layers with equal schemas share one table.
static TABLES: Mutex<Vec<KnownTable>> = Mutex::new(Vec::new());

type KnownTable = (Box<[Registered]>, SharedTargets, &'static AddressMap<Augmented>);

/// Maps augmented metadata to the call site's own.
static ORIGINALS: LazyLock<AddressMap<&'static Metadata<'static>>> = LazyLock::new(AddressMap::new);

impl Augmentation {
    /// Creates an augmentation with the targets that are known to share their spans.
    pub(super) fn new(schema: Schema) -> Self {
        Self::with_shared(schema, SharedTargets::default())
    }

    /// Creates an augmentation with targets whose spans carry no fields.
    pub(super) fn with_shared(schema: Schema, shared: SharedTargets) -> Self {
        let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |(fields, targets, _): &&KnownTable| **fields == *schema.registered() && *targets == shared;
        let known = tables.iter().find(is_known).map(|(_, _, table)| *table);
        let table = known.unwrap_or_else(|| {
            let table = Box::leak(Box::new(AddressMap::new()));
            tables.push((schema.registered().into(), shared.clone(), table));
            table
        });
        let derived = schema
            .registered()
            .iter()
            .map(|field| field.declaration.0)
            .filter_map(|declaration| match declaration.origin() {
                Origin::Derived(derived) => Some((declaration.id(), derived)),
                Origin::Stored => None,
            })
            .collect();
        Augmentation {
            #[cfg(feature = "_output")]
            policies: Policies::of(&schema),
            schema,
            shared,
            table,
            derived,
        }
    }

    /// Returns a copy with more targets whose spans carry no fields.
    pub(super) fn and_shared(&self, targets: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Self::with_shared(self.schema.clone(), self.shared.and(targets))
    }

    /// Returns a copy with the shared targets of another, if those are others.
    pub(super) fn with_shared_of(&self, other: &Augmentation) -> Option<Self> {
        (self.shared != other.shared).then(|| Self::with_shared(self.schema.clone(), other.shared.clone()))
    }

    /// Returns the current fields, if nothing else is needed for a span with the given parent.
    #[inline]
    pub(super) fn fields_for_span(&self, parent: Parentage<'_>) -> CurrentFields {
        if matches!(parent, Parentage::Explicit(_)) { CurrentFields::More } else { current_fields() }
    }

    /// Returns the current fields, if nothing else is needed for an event with the given parent.
    #[inline]
    pub(super) fn fields_for_event(&self, parent: Parentage<'_>) -> CurrentFields {
        if self.derived.is_empty() { self.fields_for_span(parent) } else { CurrentFields::More }
    }

    #[inline]
    pub(super) fn of(&self, metadata: &'static Metadata<'static>) -> &'static Augmented {
        self.table.get_or_insert_with(metadata, || augment(&self.schema, &self.shared, metadata))
    }

    /// Returns the metadata that layers register for a call site, and that its spans and events have.
    pub(super) fn to_register(&self, metadata: &'static Metadata<'static>) -> &'static Metadata<'static> {
        if metadata.is_span() { self.of(metadata).metadata } else { metadata }
    }

    /// Calls `f` with the metadata that layers have registered for `metadata`.
    pub(super) fn with<R>(&self, metadata: &Metadata<'_>, f: impl FnOnce(&Metadata<'_>) -> R) -> R {
        if !metadata.is_span() {
            return f(metadata);
        }
        if let Some(augmented) = self.table.get(metadata) {
            return f(augmented.metadata);
        }
        // A copy of a call site's metadata may be temporary.
        let of_call_site = self.of(call_site_of(metadata.callsite()));
        if metadata.fields().len() != of_call_site.own {
            return f(metadata);
        }
        f(&Metadata::new(
            metadata.name(),
            metadata.target(),
            *metadata.level(),
            metadata.file(),
            metadata.line(),
            metadata.module_path(),
            FieldSet::new(of_call_site.names, metadata.callsite()),
            Kind::SPAN,
        ))
    }
}

/// Returns the call site's own metadata for `metadata`, which any layer of this crate may have augmented.
pub(crate) fn original_of(metadata: &'static Metadata<'static>) -> &'static Metadata<'static> {
    ORIGINALS.get(metadata).map_or(metadata, |augmented| augmented)
}

/// Returns the metadata of a call site. `Identifier`'s field is public and hidden: a test pins what is used here.
pub(super) fn call_site_of(identifier: Identifier) -> &'static Metadata<'static> {
    identifier.0.metadata()
}

fn augment(schema: &Schema, shared: &SharedTargets, metadata: &'static Metadata<'static>) -> Augmented {
    let is_shared = metadata.is_span() && shared.contain(metadata.target());
    let own = metadata.fields();
    let of_call_site = original_of(metadata).fields().len();
    let is_metric = metadata.is_event()
        && own.iter().any(|field| METRIC_PREFIXES.iter().any(|prefix| field.name().starts_with(prefix)));
    let mut names: Vec<&'static str> = own.iter().map(|field| field.name()).collect();
    let mut targets = Vec::new();
    let mut declared = Filled::default();
    for field in schema.registered() {
        let applies = if is_shared {
            false
        } else if metadata.is_span() {
            field.policy.on_spans()
        } else if is_metric {
            field.policy.on_metrics()
        } else {
            field.policy.on_events()
        };
        if !applies {
            continue;
        }
        let declaration = field.declaration.0;
        // A field that the call site declares keeps its position: an ambient value goes there if the code sets none.
        let index = names.iter().position(|own| *own == declaration.name()).unwrap_or(names.len());
        let Ok(narrow) = u16::try_from(index) else { continue };
        if index < of_call_site {
            if index >= Filled::MAX {
                continue;
            }
            declared.insert(index);
        }
        if index == names.len() {
            names.push(declaration.name());
        }
        if targets.len() <= declaration.id() {
            targets.resize(declaration.id() + 1, None);
        }
        let overrides = (of_call_site..own.len()).contains(&index);
        targets[declaration.id()] = Some(Target { index: narrow, sensitivity: field.policy.sensitivity(), overrides });
    }
    let takes_fields = !targets.is_empty();
    let own = own.len();
    let names: &'static [&'static str] = names.leak();
    let augmented: &'static Metadata<'static> = if names.len() == own {
        metadata
    } else {
        let original = original_of(metadata);
        let augmented = Box::leak(Box::new(Metadata::new(
            metadata.name(),
            metadata.target(),
            *metadata.level(),
            metadata.file(),
            metadata.line(),
            metadata.module_path(),
            FieldSet::new(names, metadata.callsite()),
            kind_of(metadata),
        )));
        ORIGINALS.get_or_insert_with(augmented, || original);
        augmented
    };
    Augmented { metadata: augmented, names, own, targets: targets.into(), takes_fields, is_shared, declared }
}

/// Returns `true` for metadata of `enabled!`. `Metadata` shows this only in its `Debug` output.
pub(super) fn is_hint(metadata: &Metadata<'_>) -> bool {
    format!("{metadata:?}").ends_with("HINT) }")
}

fn kind_of(metadata: &Metadata<'_>) -> Kind {
    match (metadata.is_span(), metadata.is_event(), is_hint(metadata)) {
        (true, _, false) => Kind::SPAN,
        (true, _, true) => Kind::SPAN.hint(),
        (false, true, false) => Kind::EVENT,
        (false, true, true) => Kind::EVENT.hint(),
        (false, false, _) => Kind::HINT,
    }
}
