//! The context fields that settings name and declare.

use super::{
    choice::one_of,
    node::{Entry, Node, Raw},
    suggest::nearest,
    value::{Refused, SettingValue, toml_string},
};

/// The list of context fields, in the order of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldList(pub Vec<FieldSetting>);

/// The names of the default list.
pub(crate) const WELL_KNOWN: [&str; 9] =
    ["request_id", "trace_id", "span_id", "tenant_id", "user_id", "role", "locale", "correlation_id", "feature_flags"];

impl Default for FieldList {
    fn default() -> Self {
        FieldList(WELL_KNOWN.iter().map(|name| FieldSetting::new(*name)).collect())
    }
}

/// A context field of the settings, with what differs from its declared policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSetting {
    /// The name on spans and events.
    pub name: String,
    /// The type of a field that is declared here.
    pub kind: Option<FieldKind>,
    /// `true` if it is on spans.
    pub spans: Option<bool>,
    /// `true` if it is on events.
    pub events: Option<bool>,
    /// `true` if it is on metric events.
    pub metrics: Option<bool>,
    /// `true` if it leaves the process. Only for a field that is declared here.
    pub propagated: Option<bool>,
    /// `true` if baggage is its value. Only for a field that is declared here.
    pub from_baggage: Option<bool>,
    /// How it is shown.
    pub shown: Option<Shown>,
    /// The longest string, in bytes. Only for a field that is declared here.
    pub max_len: Option<usize>,
}

/// A type of a field that settings declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// `String`.
    String,
    /// `i64`.
    Integer,
    /// `f64`.
    Float,
    /// `bool`.
    Bool,
}

/// A way to show a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shown {
    /// Unchanged.
    Plain,
    /// As `[redacted]`.
    Masked,
    /// As a salted hash. Needs the feature `hashed`.
    Hashed,
}

/// A key of a field's table.
pub(crate) struct FieldKey {
    pub(crate) key: &'static str,
    pub(crate) allowed: fn() -> String,
    pub(crate) doc: &'static str,
    read: fn(&mut FieldSetting, &Node) -> bool,
    show: fn(&FieldSetting) -> Option<String>,
}

const KINDS: [(&str, FieldKind); 4] = [
    ("string", FieldKind::String),
    ("integer", FieldKind::Integer),
    ("float", FieldKind::Float),
    ("bool", FieldKind::Bool),
];
const SHOWN: [(&str, Shown); 3] = [("plain", Shown::Plain), ("masked", Shown::Masked), ("hashed", Shown::Hashed)];

fn read_bool(node: &Node, target: &mut Option<bool>) -> bool {
    match node.value {
        Raw::Bool(value) => {
            *target = Some(value);
            true
        }
        _ => false,
    }
}

fn read_name<T: Copy>(node: &Node, names: &[(&str, T)], target: &mut Option<T>) -> bool {
    *target = node.as_str().and_then(|text| names.iter().find(|(name, _)| *name == text)).map(|(_, value)| *value);
    target.is_some()
}

fn show_name<T: PartialEq>(names: &[(&'static str, T)], value: Option<&T>) -> Option<String> {
    names.iter().find(|(_, known)| Some(known) == value).map(|(name, _)| format!("\"{name}\""))
}

/// The keys of a field's table, in the order of the docs.
pub(crate) static FIELD_KEYS: &[FieldKey] = &[
    FieldKey {
        key: "name",
        allowed: || "a name of letters, digits, \"_\", \".\" and \"-\"".to_owned(),
        doc: "The name on spans and events.",
        read: |field, node| match node.as_str() {
            Some(name) => {
                name.clone_into(&mut field.name);
                !name.is_empty()
            }
            None => false,
        },
        show: |field| Some(toml_string(&field.name)),
    },
    FieldKey {
        key: "type",
        allowed: || one_of(&KINDS.map(|(name, _)| name)),
        doc: "Declares a field of this type. Fields that the library or the program declares have none.",
        read: |field, node| read_name(node, &KINDS, &mut field.kind),
        show: |field| show_name(&KINDS, field.kind.as_ref()),
    },
    FieldKey {
        key: "spans",
        allowed: bool::allowed,
        doc: "Whether it is on spans.",
        read: |field, node| read_bool(node, &mut field.spans),
        show: |field| field.spans.map(|value| value.to_string()),
    },
    FieldKey {
        key: "events",
        allowed: bool::allowed,
        doc: "Whether it is on events.",
        read: |field, node| read_bool(node, &mut field.events),
        show: |field| field.events.map(|value| value.to_string()),
    },
    FieldKey {
        key: "metrics",
        allowed: bool::allowed,
        doc: "Whether it is on metric events: every value is another time series.",
        read: |field, node| read_bool(node, &mut field.metrics),
        show: |field| field.metrics.map(|value| value.to_string()),
    },
    FieldKey {
        key: "shown",
        allowed: || one_of(&SHOWN.map(|(name, _)| name)),
        doc: "How it is shown. `hashed` needs the feature `hashed`.",
        read: |field, node| read_name(node, &SHOWN, &mut field.shown),
        show: |field| show_name(&SHOWN, field.shown.as_ref()),
    },
    FieldKey {
        key: "propagated",
        allowed: bool::allowed,
        doc: "Whether it leaves the process. Only with `type`.",
        read: |field, node| read_bool(node, &mut field.propagated),
        show: |field| field.propagated.map(|value| value.to_string()),
    },
    FieldKey {
        key: "from_baggage",
        allowed: bool::allowed,
        doc: "Whether baggage is its value. Only with `type`.",
        read: |field, node| read_bool(node, &mut field.from_baggage),
        show: |field| field.from_baggage.map(|value| value.to_string()),
    },
    FieldKey {
        key: "max_len",
        allowed: || "a number from 4 to 65536".to_owned(),
        doc: "The longest string in bytes. Only with `type`.",
        read: |field, node| {
            let Raw::Integer(number) = node.value else { return false };
            field.max_len = usize::try_from(number).ok().filter(|len| (4..=65_536).contains(len));
            field.max_len.is_some()
        },
        show: |field| field.max_len.map(|len| len.to_string()),
    },
];

impl FieldSetting {
    /// Creates one of a field by its name, with its declared policy.
    pub fn new(name: impl Into<String>) -> Self {
        FieldSetting { name: name.into(), ..FieldSetting::default() }
    }

    /// Returns the settings that only a field with a `type` can have, if it has any.
    fn of_declaration(&self) -> Option<&'static str> {
        let is_set = [
            ("propagated", self.propagated.is_some()),
            ("from_baggage", self.from_baggage.is_some()),
            ("max_len", self.max_len.is_some()),
        ];
        is_set.into_iter().find(|(_, is_set)| *is_set).map(|(key, _)| key)
    }

    fn from_entries(entries: &[Entry], line: usize) -> Result<Self, Vec<Refused>> {
        let mut field = FieldSetting::default();
        let mut refused = Vec::new();
        for entry in entries {
            let Some(key) = FIELD_KEYS.iter().find(|known| known.key == entry.key) else {
                let suggestion = nearest(&entry.key, FIELD_KEYS.iter().map(|known| known.key));
                refused.push(Refused {
                    part: Some(format!("the key {:?}", entry.key)),
                    line: Some(entry.line),
                    expected: Some(one_of(&FIELD_KEYS.iter().map(|known| known.key).collect::<Vec<_>>())),
                    ..Refused::suggest(suggestion)
                });
                continue;
            };
            if !(key.read)(&mut field, &entry.node) {
                refused.push(Refused {
                    part: Some(format!("{} = {}", key.key, entry.node)),
                    line: Some(entry.node.line),
                    expected: Some((key.allowed)()),
                    ..Refused::default()
                });
            }
        }
        if field.name.is_empty() && refused.is_empty() {
            refused.push(Refused {
                part: Some("a table without `name`".to_owned()),
                line: Some(line),
                ..Refused::default()
            });
        }
        if let (None, Some(key)) = (field.kind, field.of_declaration()) {
            refused.push(Refused {
                part: Some(format!("`{key}` of the field {:?}", field.name)),
                line: Some(line),
                expected: Some("`type` beside it: only a field that is declared here can have it".to_owned()),
                ..Refused::default()
            });
        }
        if field.kind.is_some() && WELL_KNOWN.contains(&field.name.as_str()) {
            refused.push(Refused {
                part: Some(format!("`type` of the field {:?}", field.name)),
                line: Some(line),
                expected: Some("no `type`: the library declares this field".to_owned()),
                ..Refused::default()
            });
        }
        if refused.is_empty() { Ok(field) } else { Err(refused) }
    }
}

impl SettingValue for FieldList {
    fn allowed() -> String {
        "a list of names and of tables with `name`, in a variable names separated by commas".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        unique(names.map(FieldSetting::new).collect(), &[])
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        let Raw::List(nodes) = &node.value else { return Err(Refused::default()) };
        let (mut fields, mut refused, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for node in nodes {
            match &node.value {
                Raw::String(name) if !name.is_empty() => {
                    fields.push(FieldSetting::new(name));
                    lines.push(node.line);
                }
                Raw::Table(entries) => match FieldSetting::from_entries(entries, node.line) {
                    Ok(field) => {
                        fields.push(field);
                        lines.push(node.line);
                    }
                    Err(mut errors) => refused.append(&mut errors),
                },
                _ => {
                    refused.push(Refused { part: Some(node.to_string()), line: Some(node.line), ..Refused::default() })
                }
            }
        }
        match Refused::all(refused) {
            Some(refused) => Err(refused),
            None => unique(fields, &lines),
        }
    }

    fn to_toml(&self) -> String {
        let fields = self.0.iter().map(|field| {
            let shown: Vec<String> =
                FIELD_KEYS.iter().filter_map(|key| Some(format!("{} = {}", key.key, (key.show)(field)?))).collect();
            match shown.as_slice() {
                [_] => toml_string(&field.name),
                _ => format!("{{ {} }}", shown.join(", ")),
            }
        });
        format!("[{}]", fields.collect::<Vec<_>>().join(", "))
    }
}

/// Refuses a name that is there twice.
fn unique(fields: Vec<FieldSetting>, lines: &[usize]) -> Result<FieldList, Refused> {
    let twice = fields.iter().enumerate().filter(|(at, field)| fields[..*at].iter().any(|it| it.name == field.name));
    let refused = twice.map(|(at, field)| Refused {
        part: Some(format!("the field {:?} twice", field.name)),
        line: lines.get(at).copied(),
        ..Refused::default()
    });
    match Refused::all(refused.collect()) {
        Some(refused) => Err(refused),
        None => Ok(FieldList(fields)),
    }
}
