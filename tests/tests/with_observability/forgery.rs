//! No argument, result or error can start a line of its own in text, whatever its type. Other outputs get it unchanged.

use std::{borrow::Cow, fmt, rc::Rc, sync::Arc};

use ctx_layer::{SubscriberFieldsExt, with_observability};
use ctx_tests::{Captured, schema};
use tracing_subscriber::prelude::*;

use crate::setup::with_and_without_context;

const HOSTILE: &str =
    "x\n2026-01-01T00:00:00Z ERROR pay: stolen tenant_id=\"victim\"\r\u{1b}[31m\u{85}\u{2028}\u{202e}\u{200b}\u{feff}";

/// A newtype of user input.
#[derive(Clone)]
struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A type without `Display`.
struct Raw(Name);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.0)
    }
}

macro_rules! shown {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(
            #[with_observability(attributes_from_args = [value])]
            fn $name(value: $type) {
                tracing::debug!("inside");
                let _ = value;
            }
        )*

        /// Calls each function once.
        fn call_all() -> Vec<&'static str> {
            $($name($value);)*
            vec![$(stringify!($name)),*]
        }
    };
}

shown! {
    string: String = HOSTILE.to_owned();
    borrowed: &str = HOSTILE;
    shared: Arc<str> = HOSTILE.into();
    counted: Rc<str> = HOSTILE.into();
    boxed: Box<str> = HOSTILE.into();
    either: Cow<'_, str> = HOSTILE.into();
    owned: Cow<'static, str> = Cow::Owned(HOSTILE.to_owned());
    shared_string: Arc<String> = Arc::new(HOSTILE.to_owned());
    reference: &Arc<str> = &HOSTILE.into();
    optional: Option<Arc<str>> = Some(HOSTILE.into());
    optional_string: Option<String> = Some(HOSTILE.to_owned());
    newtype: Name = Name(HOSTILE.to_owned());
    newtype_reference: &Name = &Name(HOSTILE.to_owned());
    optional_newtype: Option<Name> = Some(Name(HOSTILE.to_owned()));
    shared_newtype: Arc<Name> = Arc::new(Name(HOSTILE.to_owned()));
    arguments: fmt::Arguments<'_> = format_args!("{HOSTILE}");
}

#[with_observability(attributes_from_args = { %name: "name" }, fields(own = %name))]
fn asked(name: &Name) -> Name {
    tracing::debug!("inside");
    name.clone()
}

#[with_observability(attributes_from_args = { ?raw: "raw" }, fields(own = ?raw), err)]
fn unquoted(raw: Raw) -> Result<Raw, String> {
    Err(raw.0.0)
}

/// Returns the lines that text formats write of these calls.
fn lines(call: impl FnOnce()) -> Vec<String> {
    let captured = Captured::default();
    let output = tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(captured.clone());
    let stack = tracing_subscriber::registry().with(output).with_context_fields(schema());
    tracing::subscriber::with_default(stack, call);
    for hostile in ['\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}', '\u{200b}', '\u{feff}'] {
        assert!(!captured.text().contains(hostile), "{hostile:?} in {:?}", captured.text());
    }
    captured.lines()
}

#[test]
fn no_argument_result_or_error_starts_a_line() {
    let lines = lines(|| {
        call_all();
        asked(&Name(HOSTILE.to_owned()));
        let _ = unquoted(Raw(Name(HOSTILE.to_owned())));
    });
    assert!(lines.len() > 30);
    for line in lines {
        assert!(["DEBUG", "ERROR"].contains(&line.split_whitespace().next().unwrap_or_default()), "{line:?}");
    }
}

#[test]
fn structured_outputs_get_strings_unchanged() {
    with_and_without_context(|out| {
        let names = out.run(call_all);
        let called = out.events_named("called");
        assert_eq!(called.len(), names.len());
        for (name, called) in names.into_iter().zip(called) {
            assert_eq!(called["fields"]["value"], HOSTILE, "{name}");
            assert_eq!(out.attribute(name, "value"), Some(HOSTILE.into()), "{name}");
        }
        out.run(|| asked(&Name(HOSTILE.to_owned())));
        assert_eq!(out.attribute("asked", "name"), Some(HOSTILE.into()));
        assert_eq!(out.attribute("asked", "own"), Some(HOSTILE.into()));
    });
}

#[with_observability(log_result = false)]
fn plain(amount: Name, forged: Name, text: Arc<str>, nothing: Option<Name>) {
    let _ = (amount, forged, text, nothing);
}

#[test]
fn a_display_value_is_quoted_only_if_it_could_be_another_field() {
    let name = |text: &str| Name(text.to_owned());
    let lines = lines(|| plain(name("3 EUR"), name("x tenant_id=victim"), "a b".into(), None));
    assert!(lines[0].ends_with(r#"called amount=3 EUR forged="x tenant_id=victim" text="a b""#), "{lines:?}");
}
