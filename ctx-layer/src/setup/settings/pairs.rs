//! Settings that are pairs of names and values.

use std::{collections::BTreeMap, fmt};

use super::{
    node::{Node, Raw},
    value::{Refused, SettingValue, toml_string},
};

/// Headers that are sent with every export. Their values are secrets: they are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub BTreeMap<String, String>);

impl fmt::Debug for Headers {
    /// Shows the names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish_non_exhaustive()
    }
}

impl SettingValue for Headers {
    fn allowed() -> String {
        "a table of header names and values, in a variable \"name=value,name=value\" with % escapes".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        checked(pairs_of(text, true)?)
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        checked(pairs_in(node)?)
    }

    fn to_toml(&self) -> String {
        let shown: Vec<String> = self.0.keys().map(|name| format!("{} = \"[redacted]\"", toml_string(name))).collect();
        if shown.is_empty() { String::new() } else { format!("{{ {} }}", shown.join(", ")) }
    }
}

/// Refuses what is no header: the exporter would leave it out without a word.
fn checked(pairs: Vec<(String, String)>) -> Result<Headers, Refused> {
    let mut headers = BTreeMap::new();
    for (name, value) in pairs {
        let is_header =
            http::HeaderName::from_bytes(name.as_bytes()).is_ok() && http::HeaderValue::from_str(&value).is_ok();
        if !is_header {
            // Not the value, which may be a secret.
            return Err(Refused::part(format!("the header {name:?}")));
        }
        headers.insert(name.to_ascii_lowercase(), value);
    }
    Ok(Headers(headers))
}

/// Attributes of the resource: the service and where it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub BTreeMap<String, String>);

impl SettingValue for Attributes {
    fn allowed() -> String {
        "a table of names and values, in a variable \"name=value,name=value\" with % escapes".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        Ok(Attributes(pairs_of(text, true)?.into_iter().collect()))
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        Ok(Attributes(pairs_in(node)?.into_iter().collect()))
    }

    fn to_toml(&self) -> String {
        let shown: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{} = {}", toml_string(name), toml_string(value))).collect();
        if shown.is_empty() { String::new() } else { format!("{{ {} }}", shown.join(", ")) }
    }
}

/// Values of context fields for which all traces are recorded: `tenant_id=acme`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldValues(pub Vec<(String, String)>);

impl SettingValue for FieldValues {
    fn allowed() -> String {
        "a list of \"field=value\", in a variable separated by commas".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        Ok(FieldValues(pairs_of(text, false)?))
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        let Raw::List(nodes) = &node.value else { return Err(Refused::default()) };
        let pairs = nodes.iter().map(|node| match node.as_str() {
            Some(text) => pair(text, false),
            None => Err(Refused::part(node.to_string())),
        });
        Ok(FieldValues(pairs.collect::<Result<_, _>>()?))
    }

    fn to_toml(&self) -> String {
        let shown: Vec<String> = self.0.iter().map(|(name, value)| toml_string(&format!("{name}={value}"))).collect();
        format!("[{}]", shown.join(", "))
    }
}

fn pairs_of(text: &str, is_escaped: bool) -> Result<Vec<(String, String)>, Refused> {
    let parts = text.split(',').filter(|part| !part.trim().is_empty());
    parts.map(|part| pair(part, is_escaped)).collect()
}

fn pair(text: &str, is_escaped: bool) -> Result<(String, String), Refused> {
    // What is after `=` may be a secret, and what has none may be one, too.
    let (name, value) = text.split_once('=').ok_or_else(|| Refused::part("a part without \"=\""))?;
    let name = name.trim();
    if name.is_empty() {
        return Err(Refused::part("a part without a name"));
    }
    let value = value.trim();
    if !is_escaped {
        return Ok((name.to_owned(), value.to_owned()));
    }
    match unescaped(value) {
        Some(value) => Ok((name.to_owned(), value)),
        None => Err(Refused::part(format!("the value of {name:?}"))),
    }
}

fn pairs_in(node: &Node) -> Result<Vec<(String, String)>, Refused> {
    match &node.value {
        Raw::Table(entries) => entries
            .iter()
            .map(|entry| match &entry.node.value {
                Raw::String(value) => Ok((entry.key.clone(), value.clone())),
                Raw::Integer(value) => Ok((entry.key.clone(), value.to_string())),
                Raw::Bool(value) => Ok((entry.key.clone(), value.to_string())),
                _ => Err(Refused::part(format!("the value of {:?}", entry.key))),
            })
            .collect(),
        Raw::String(text) => pairs_of(text, true),
        _ => Err(Refused::default()),
    }
}

/// Decodes `%41`. A `%` without two hexadecimal digits and bytes that are not UTF-8 are refused.
fn unescaped(value: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}
