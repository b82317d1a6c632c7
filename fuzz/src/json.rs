//! The fuzz target `json_line`: whatever an event has, its line is JSON with unique keys, and has the values that were
//! set.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use ctx_layer::{
    Fields,
    output::json::{self, Format, Group},
};
use serde_json::{Map, Value};
use tracing_core::{
    Dispatch, Event, Interest, Level, Metadata, callsite::Callsite, callsite::Identifier, field::FieldSet,
    field::Value as Visited, metadata::Kind,
};
use tracing_subscriber::layer::SubscriberExt;

ctx_layer::context_fields! {
    /// A field that events may have, too.
    pub static SHARED: String = "shared";
    /// A field with a name that needs no quotes.
    pub static DOTTED: String = "user.id";
    /// A field with the key of an error's causes.
    pub static CAUSES: String = "plain.sources";
    /// A number.
    pub static NUMBER: i64 = "number";
}

/// Names of own fields: some of the line's members, some of context fields, and some that must be escaped.
const NAMES: [&str; 16] = [
    "message",
    "timestamp",
    "level",
    "target",
    "span",
    "truncated",
    "trace_id",
    "shared",
    "user.id",
    "plain",
    "plain.sources",
    "",
    "quo\"te\\",
    "line\n\u{2028}",
    "r#type",
    "fields.level",
];

/// Reads an event from raw bytes, writes it, and compares the line.
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
    // An empty string is not shown.
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
            own.check(line.get("message").expect("the message is there"));
        }
        for (key, own) in &expected {
            own.check(object.get(key).unwrap_or_else(|| panic!("no {key:?} in {line:?}")));
        }
        for (name, value) in &shown {
            let written = object.get(*name).unwrap_or_else(|| panic!("no {name:?} in {line:?}"));
            let is_own = expected.contains_key(*name) || (written.is_array() && *name == "plain.sources");
            let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
            assert!(is_own || text == *value, "{name}: {written} is not {value}");
        }
    }
}

/// The rest of the input, followed by zeros.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes.to_vec()
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn number(&mut self) -> u128 {
        (0..16).fold(0, |number, _| number << 8 | u128::from(self.byte()))
    }

    fn own(&mut self) -> Own {
        match self.byte() % 10 {
            0 => Own::Nothing,
            1 => Own::Bool(self.byte() % 2 == 1),
            2 => Own::I64(self.number() as i64),
            3 => Own::U64(self.number() as u64),
            4 => Own::F64(f64::from_bits(self.number() as u64)),
            5 => Own::I128(self.number() as i128),
            6 => Own::U128(self.number()),
            7 => Own::Bytes(self.bytes().into()),
            8 => Own::Error(Box::new(Caused(
                self.text(),
                (self.byte() % 2 == 1).then(|| Box::new(Caused(self.text(), None))),
            ))),
            _ => Own::Text(self.text()),
        }
    }
}

/// A value of an event's own.
enum Own {
    Nothing,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    I128(i128),
    U128(u128),
    Text(String),
    Bytes(Box<[u8]>),
    Error(Box<dyn Error + 'static>),
}

impl Own {
    fn as_value(&self) -> Option<&dyn Visited> {
        Some(match self {
            Own::Nothing => return None,
            Own::Bool(value) => value,
            Own::I64(value) => value,
            Own::U64(value) => value,
            Own::F64(value) => value,
            Own::I128(value) => value,
            Own::U128(value) => value,
            Own::Text(value) => value,
            Own::Bytes(value) => value,
            Own::Error(value) => value,
        })
    }

    fn check(&self, written: &Value) {
        let is_right = match self {
            Own::Nothing => false,
            Own::Bool(value) => *written == *value,
            Own::I64(value) => *written == *value,
            Own::U64(value) => *written == *value,
            // `serde_json` rounds the last digit unless `float_roundtrip` is on.
            Own::F64(value) if value.is_finite() => written
                .as_f64()
                .is_some_and(|written| (written - value).abs() <= value.abs() * 1e-15 + f64::MIN_POSITIVE),
            Own::F64(value) => {
                *written
                    == ["NaN", "Infinity", "-Infinity"][usize::from(!value.is_nan()) * (1 + usize::from(*value < 0.0))]
            }
            Own::I128(value) => {
                *written == i64::try_from(*value).map_or_else(|_| value.to_string().into(), Value::from)
            }
            Own::U128(value) => {
                *written == u64::try_from(*value).map_or_else(|_| value.to_string().into(), Value::from)
            }
            Own::Text(value) => *written == **value,
            Own::Bytes(value) => *written == value.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            Own::Error(value) => *written == value.to_string(),
        };
        assert!(is_right, "{written}");
    }
}

#[derive(Debug)]
struct Caused(String, Option<Box<Caused>>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// The lines that an output has written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a call site with fields of these names. One is kept for each list of names.
struct Site(std::sync::OnceLock<Metadata<'static>>);

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("it is set at creation")
    }
}

fn metadata_of(names: &[usize]) -> &'static Metadata<'static> {
    static KNOWN: Mutex<Option<HashMap<Vec<usize>, &'static Site>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let site = known.get_or_insert_default().entry(names.to_vec()).or_insert_with(|| {
        let site: &'static Site = Box::leak(Box::new(Site(std::sync::OnceLock::new())));
        let names: Vec<&'static str> = names.iter().map(|name| NAMES[*name]).collect();
        let fields = FieldSet::new(names.leak(), Identifier(site));
        let made = Metadata::new("event", "made::up", Level::INFO, None, None, None, fields, Kind::EVENT);
        assert!(site.0.set(made).is_ok());
        site
    });
    site.0.get().expect("it is set at creation")
}
