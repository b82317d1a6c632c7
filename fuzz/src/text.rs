//! The fuzz target `text_line`: whatever an event has, its line and those below are read back as what was set, and nothing colours a
//! terminal but the layer.

use std::{error::Error, sync::PoisonError};

use ctx_layer::{Fields, output::text};
use tracing_core::{Dispatch, Event, field::Value as Visited};
use tracing_subscriber::layer::SubscriberExt;

use super::{
    events::{Input, Lines, NAMES, Own, metadata_of},
    reader::{self, Read},
};

ctx_layer::context_fields! {
    /// One that events may have, too.
    pub static SHARED: String = "shared";
    /// One with a dot.
    pub static DOTTED: String = "user.id";
    /// A number.
    pub static NUMBER: i64 = "number";
}

/// The control sequences of the layer.
const COLOURS: [&str; 5] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m"];

/// Reads an event from made-up bytes, has it written, and compares.
pub fn text_line(input: &[u8]) {
    let mut input = Input(input);
    let max_len = 1024 + usize::from(input.byte()) * 16;
    let context = [(); 2].map(|()| input.text());
    let number = i64::from(input.byte());
    let names: Vec<usize> = (0..input.byte() % 5).map(|_| usize::from(input.byte()) % NAMES.len()).collect();
    let values: Vec<Own> = names.iter().map(|_| input.own()).collect();
    let fields = Fields::new().with(&SHARED, context[0].clone()).with(&DOTTED, context[1].clone());
    let fields = fields.with(&NUMBER, number);
    let metadata = metadata_of(&names);
    let visited: Vec<Option<&dyn Visited>> = values.iter().map(Own::as_value).collect();
    let written = |is_coloured: bool| {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = text::layer().without_time().with_target(false).with_ansi(is_coloured).with_max_line_len(max_len);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer.with_writer(move || writer.clone())));
        // The second line copies what the first has encoded.
        fields.clone().in_scope(|| {
            for _ in 0..2 {
                dispatch.event(&Event::new(metadata, &metadata.fields().value_set_all(&visited)));
            }
        });
        let bytes = lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).expect("UTF-8")
    };

    let plain = written(false);
    assert!(plain.len() <= 2 * max_len, "{} bytes of 2 * {max_len}", plain.len());
    let records = reader::records(&plain);
    assert_eq!(records.len(), 2, "{plain}");
    assert_eq!(records[0], records[1]);
    let coloured = written(true);
    if !plain.contains(" truncated=true") && !coloured.contains(" truncated=true") {
        let without = COLOURS.iter().fold(coloured, |text, colour| text.replace(colour, ""));
        assert_eq!(without, plain);
    } else {
        assert!(!COLOURS.iter().fold(coloured, |text, colour| text.replace(colour, "")).contains('\x1b'));
    }
    if plain.contains(" truncated=true") {
        return;
    }

    let mut expected = Read { level: "INFO".to_owned(), message: None, fields: Vec::new(), below: Vec::new() };
    let message = names.iter().position(|name| NAMES[*name] == "message");
    let mut errors = Vec::new();
    for (at, (name, own)) in names.iter().zip(&values).enumerate() {
        let is_superseded =
            || (at + 1..names.len()).any(|later| names[later] == *name && values[later].as_value().is_some());
        let text = shown(own);
        match own {
            Own::Nothing => {}
            Own::Error(error) if message == Some(at) => {
                expected.message = Some(text);
                errors.extend(causes(&**error));
            }
            _ if message == Some(at) => expected.message = Some(text),
            _ if is_superseded() => {}
            Own::Error(error) => {
                errors.push((name_of(NAMES[*name]), text));
                errors.extend(causes(&**error));
            }
            _ => expected.fields.push((name_of(NAMES[*name]), text)),
        }
    }
    // The message is visited first, and so are its causes.
    if let Some(at) = message
        && at > 0
        && let Own::Error(error) = &values[at]
    {
        let of_message = causes(&**error);
        errors.retain(|error| !of_message.contains(error));
        errors.splice(0..0, of_message);
    }
    expected.message = expected.message.map(|text| without_last_end(&text)).filter(|text| !text.is_empty());
    expected.below = errors.into_iter().map(|(label, text)| (label, without_last_end(&text))).collect();
    let own: Vec<_> = expected.fields.iter().map(|(name, _)| name.clone()).collect();
    let is_error = |name: &str| expected.below.iter().any(|(label, _)| label == name);
    for (field, value) in fields.iter() {
        let value = value.to_string();
        // An empty string is not shown.
        if !value.is_empty() && !own.iter().any(|own| own == field.name()) && !is_error(field.name()) {
            expected.fields.push((field.name().to_owned(), value));
        }
    }
    assert_eq!(records[0], expected, "{plain}");
}

/// Returns the text without the last line end, where it has several lines.
fn without_last_end(text: &str) -> String {
    text.strip_suffix('\n').unwrap_or(text).to_owned()
}

/// Returns the causes of an error, each with its label.
fn causes(error: &dyn Error) -> Vec<(String, String)> {
    let (mut all, mut next) = (Vec::new(), error.source());
    while let Some(error) = next {
        all.push(("caused by".to_owned(), error.to_string()));
        next = error.source();
    }
    all
}

/// Returns a name as it is written.
fn name_of(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "\"=\\!<>".contains(c);
    let escaped = |c: char| if is_odd(c) { c.escape_unicode().to_string() } else { c.to_string() };
    if name.is_empty() { "\\u{}".to_owned() } else { name.chars().map(escaped).collect() }
}

fn shown(own: &Own) -> String {
    match own {
        Own::Nothing => String::new(),
        Own::Bool(value) => value.to_string(),
        Own::I64(value) => value.to_string(),
        Own::U64(value) => value.to_string(),
        Own::F64(value) if value.is_nan() => "NaN".to_owned(),
        Own::F64(value) if value.is_infinite() => if *value > 0.0 { "inf" } else { "-inf" }.to_owned(),
        Own::F64(value) => zmij::Buffer::new().format_finite(*value).to_owned(),
        Own::I128(value) => value.to_string(),
        Own::U128(value) => value.to_string(),
        Own::Bytes(value) => value.iter().map(|byte| format!("{byte:02x}")).collect(),
        Own::Text(value) => value.clone(),
        Own::Error(value) => value.to_string(),
    }
}
