//! The fuzz target `json_line`: whatever an event has, its line is JSON, has each key once, and carries what was set.

use std::{collections::HashMap, sync::PoisonError};

use ctx_layer::{
    Fields,
    output::json::{self, Format, Group},
};
use serde_json::{Map, Value};
use tracing_core::{Dispatch, Event, field::Value as Visited};
use tracing_subscriber::layer::SubscriberExt;

use super::events::{Input, Lines, NAMES, Own, metadata_of};

ctx_layer::context_fields! {
    /// One that events may have, too.
    pub static SHARED: String = "shared";
    /// One with a name that needs no quotes.
    pub static DOTTED: String = "user.id";
    /// One that takes the key of an error's causes.
    pub static CAUSES: String = "plain.sources";
    /// A number.
    pub static NUMBER: i64 = "number";
}

/// Reads an event from made-up bytes, has it written, and compares.
pub fn json_line(input: &[u8]) {
    let mut input = Input(input);
    let (is_nested, max_len) = (input.byte() % 2 == 1, 1024 + usize::from(input.byte()) * 16);
    let context = [(); 3].map(|()| input.text());
    let number = i64::from(input.byte());
    let names: Vec<usize> = (0..input.byte() % 5).map(|_| usize::from(input.byte()) % NAMES.len()).collect();
    let values: Vec<Own> = names.iter().map(|_| input.own()).collect();

    let format = if is_nested { Format::plain().nest(Group::Fields, "fields") } else { Format::plain() };
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = json::layer().with_format(format).with_max_line_len(max_len).with_constant("service.name", "shop");
    let layer = layer.with_writer(move || writer.clone());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let fields = Fields::new().with(&SHARED, context[0].clone()).with(&DOTTED, context[1].clone());
    let fields = fields.with(&CAUSES, context[2].clone()).with(&NUMBER, number);
    // An empty text is not shown.
    let shown = fields.iter().map(|(field, value)| (field.name(), value.to_string()));
    let shown: Vec<_> = shown.filter(|(_, value)| !value.is_empty()).collect();
    let metadata = metadata_of(&names);
    let visited: Vec<Option<&dyn Visited>> = values.iter().map(Own::as_value).collect();
    // The second line copies what the first has encoded.
    fields.in_scope(|| {
        for _ in 0..2 {
            dispatch.event(&Event::new(metadata, &metadata.fields().value_set_all(&visited)));
        }
    });

    let text = String::from_utf8(lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8");
    let all: Vec<_> = text.split_terminator('\n').collect();
    assert_eq!(all.len(), 2, "{text}");
    for line in all {
        assert!(line.len() < max_len, "{} bytes of {max_len}", line.len());
        let Value::Object(line) = super::strict::parse(line) else { panic!("no object: {line}") };
        let object = match line.get("fields") {
            Some(Value::Object(fields)) if is_nested => fields,
            _ if is_nested => &Map::new(),
            _ => &line,
        };
        if line.get("truncated") == Some(&Value::Bool(true)) {
            continue;
        }
        let key_of = |name: &str| {
            let name = name.strip_prefix("r#").unwrap_or(name).to_owned();
            let is_reserved = ["timestamp", "level", "target", "message", "span", "truncated"].contains(&name.as_str());
            if is_reserved && !is_nested { format!("fields.{name}") } else { name }
        };
        let mut expected: HashMap<String, &Own> = HashMap::new();
        let mut message = None;
        for (at, (name, own)) in names.iter().zip(&values).enumerate() {
            let is_first_message =
                NAMES[*name] == "message" && names[..at].iter().all(|other| NAMES[*other] != "message");
            match own {
                Own::Nothing => {}
                own if is_first_message => message = Some(own),
                own => {
                    expected.insert(key_of(NAMES[*name]), own);
                }
            }
        }
        if let Some(own) = message {
            check(own, line.get("message").expect("the message is there"));
        }
        for (key, own) in &expected {
            check(own, object.get(key).unwrap_or_else(|| panic!("no {key:?} in {line:?}")));
        }
        for (name, value) in &shown {
            let written = object.get(*name).unwrap_or_else(|| panic!("no {name:?} in {line:?}"));
            let is_own = expected.contains_key(*name) || (written.is_array() && *name == "plain.sources");
            let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
            assert!(is_own || text == *value, "{name}: {written} is not {value}");
        }
    }
}

fn check(own: &Own, written: &Value) {
    let is_right = match own {
        Own::Nothing => false,
        Own::Bool(value) => *written == *value,
        Own::I64(value) => *written == *value,
        Own::U64(value) => *written == *value,
        // `serde_json` reads the last digit as it likes, unless it is configured otherwise.
        Own::F64(value) if value.is_finite() => {
            written.as_f64().is_some_and(|written| (written - value).abs() <= value.abs() * 1e-15 + f64::MIN_POSITIVE)
        }
        Own::F64(value) => {
            *written == ["NaN", "Infinity", "-Infinity"][usize::from(!value.is_nan()) * (1 + usize::from(*value < 0.0))]
        }
        Own::I128(value) => *written == i64::try_from(*value).map_or_else(|_| value.to_string().into(), Value::from),
        Own::U128(value) => *written == u64::try_from(*value).map_or_else(|_| value.to_string().into(), Value::from),
        Own::Text(value) => *written == **value,
        Own::Bytes(value) => *written == value.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        Own::Error(value) => *written == value.to_string(),
    };
    assert!(is_right, "{written}");
}
