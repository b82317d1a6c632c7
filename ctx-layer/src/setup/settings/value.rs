//! The types that settings have.

use std::{path::PathBuf, time::Duration};

use super::node::{Node, Raw};

/// A type of a setting: how it is read from a file and from a variable, and how it is shown.
///
/// Reading returns `Err` with no more than what the value lacks, since the caller knows where it is and what is allowed.
pub(crate) trait SettingValue: Sized + Clone {
    /// Says what is allowed, to continue "expected ...".
    fn allowed() -> String;

    /// Reads the value of a variable.
    fn from_text(text: &str) -> Result<Self, Refused>;

    /// Reads the value of a file.
    fn from_node(node: &Node) -> Result<Self, Refused> {
        node.as_str().ok_or_else(Refused::default).and_then(Self::from_text)
    }

    /// Returns the value as TOML, or an empty string if it is unset.
    fn to_toml(&self) -> String;
}

/// A value that is not allowed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Refused {
    /// The name that was probably meant.
    pub(crate) suggestion: Option<String>,
    /// The part that is wrong, if it is not the whole.
    pub(crate) part: Option<String>,
    /// The line of that part, if it is not the first of the value.
    pub(crate) line: Option<usize>,
    /// The values that are allowed there, if it is not what the setting allows.
    pub(crate) expected: Option<String>,
    /// Other parts that are wrong, too.
    pub(crate) others: Vec<Refused>,
}

impl Refused {
    pub(crate) fn part(part: impl Into<String>) -> Self {
        Refused { part: Some(part.into()), ..Refused::default() }
    }

    pub(crate) fn suggest(suggestion: Option<impl Into<String>>) -> Self {
        Refused { suggestion: suggestion.map(Into::into), ..Refused::default() }
    }

    /// Returns one that has all of several, or `None` if there are none.
    pub(crate) fn all(mut refused: Vec<Refused>) -> Option<Self> {
        if refused.is_empty() {
            return None;
        }
        let mut first = refused.remove(0);
        first.others.append(&mut refused);
        Some(first)
    }
}

impl SettingValue for bool {
    fn allowed() -> String {
        "true or false".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        // "true" in any case: OpenTelemetry's specification of environment variables, "Boolean".
        match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Ok(true),
            text if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(Refused::default()),
        }
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        match node.value {
            Raw::Bool(value) => Ok(value),
            _ => Err(Refused::default()),
        }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for String {
    fn allowed() -> String {
        "a string that is not empty".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        if text.trim().is_empty() { Err(Refused::default()) } else { Ok(text.to_owned()) }
    }

    fn to_toml(&self) -> String {
        toml_string(self)
    }
}

impl SettingValue for PathBuf {
    fn allowed() -> String {
        "the path of a file".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        if text.trim().is_empty() { Err(Refused::default()) } else { Ok(text.trim().into()) }
    }

    fn to_toml(&self) -> String {
        toml_string(&self.to_string_lossy())
    }
}

impl SettingValue for usize {
    fn allowed() -> String {
        "a number from 1 to 1000000000".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        let number: i64 = text.trim().parse().map_err(|_| Refused::default())?;
        in_range(number)
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        match node.value {
            Raw::Integer(number) => in_range(number),
            _ => Err(Refused::default()),
        }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

fn in_range(number: i64) -> Result<usize, Refused> {
    match usize::try_from(number) {
        Ok(number @ 1..=1_000_000_000) => Ok(number),
        _ => Err(Refused::default()),
    }
}

/// A limit of attributes, events or links, which may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u32);

impl SettingValue for Limit {
    fn allowed() -> String {
        "a number from 0 to 1000000000".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        let number: i64 = text.trim().parse().map_err(|_| Refused::default())?;
        Self::in_range(number)
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        match node.value {
            Raw::Integer(number) => Self::in_range(number),
            _ => Err(Refused::default()),
        }
    }

    fn to_toml(&self) -> String {
        self.0.to_string()
    }
}

impl Limit {
    fn in_range(number: i64) -> Result<Self, Refused> {
        match u32::try_from(number) {
            Ok(number @ 0..=1_000_000_000) => Ok(Limit(number)),
            _ => Err(Refused::default()),
        }
    }
}

/// A part of all requests, from 0 to 1.
impl SettingValue for f64 {
    fn allowed() -> String {
        "a number from 0.0 to 1.0".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        rate(text.trim().parse().map_err(|_| Refused::default())?)
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        match node.value {
            Raw::Float(number) => rate(number),
            Raw::Integer(0) => Ok(0.0),
            Raw::Integer(1) => Ok(1.0),
            _ => Err(Refused::default()),
        }
    }

    fn to_toml(&self) -> String {
        format!("{self:?}")
    }
}

fn rate(number: f64) -> Result<f64, Refused> {
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err(Refused::default()) }
}

/// The longest time of a setting: a day.
const MAX_TIME: Duration = Duration::from_secs(86_400);

/// A time, in milliseconds as in OpenTelemetry's variables, or with a unit.
impl SettingValue for Duration {
    fn allowed() -> String {
        "milliseconds from 1 to 86400000, or a time such as \"500ms\", \"10s\" or \"1m\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| Refused::default())?;
        let factor = match unit.trim() {
            "" | "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(Refused::default()),
        };
        millis(number.checked_mul(factor).ok_or_else(Refused::default)?)
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        match &node.value {
            Raw::Integer(number) => u64::try_from(*number).map_err(|_| Refused::default()).and_then(millis),
            Raw::String(text) => Self::from_text(text),
            _ => Err(Refused::default()),
        }
    }

    fn to_toml(&self) -> String {
        let millis = self.as_millis();
        if millis.is_multiple_of(1_000) { format!("\"{}s\"", millis / 1_000) } else { format!("\"{millis}ms\"") }
    }
}

fn millis(number: u64) -> Result<Duration, Refused> {
    let time = Duration::from_millis(number);
    if time.is_zero() || time > MAX_TIME { Err(Refused::default()) } else { Ok(time) }
}

/// A setting without a default.
impl<T: SettingValue> SettingValue for Option<T> {
    fn allowed() -> String {
        T::allowed()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        T::from_text(text).map(Some)
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        T::from_node(node).map(Some)
    }

    fn to_toml(&self) -> String {
        self.as_ref().map(T::to_toml).unwrap_or_default()
    }
}

/// A list, in a variable separated by commas.
impl<T: SettingValue> SettingValue for Vec<T> {
    fn allowed() -> String {
        format!("a list, in a variable separated by commas, each {}", T::allowed())
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::from_text).collect()
    }

    fn from_node(node: &Node) -> Result<Self, Refused> {
        let nodes = match &node.value {
            Raw::List(nodes) => nodes,
            Raw::String(text) => return Self::from_text(text),
            _ => return Err(Refused::default()),
        };
        let (mut values, mut refused) = (Vec::new(), Vec::new());
        for node in nodes {
            match T::from_node(node) {
                Ok(value) => values.push(value),
                Err(error) => refused.push(Refused {
                    part: error.part.clone().or_else(|| Some(node.to_string())),
                    line: Some(node.line),
                    expected: Some(T::allowed()),
                    ..error
                }),
            }
        }
        Refused::all(refused).map_or(Ok(values), Err)
    }

    fn to_toml(&self) -> String {
        format!("[{}]", self.iter().map(T::to_toml).collect::<Vec<_>>().join(", "))
    }
}

/// Returns a string as TOML writes it.
pub(crate) fn toml_string(value: &str) -> String {
    let mut written = String::with_capacity(value.len() + 2);
    written.push('"');
    for c in value.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            c if c.is_control() => written.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}
