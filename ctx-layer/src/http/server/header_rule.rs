//! Rules that set fields from headers.

use std::{fmt, str::FromStr, sync::Arc};

use http::{HeaderName, HeaderValue};

use super::super::RequestHead;
use crate::{
    Fields,
    field::{ContextField, FieldType, Refused, parse_untrusted, well_known::REQUEST_ID},
    propagation::{Boundary, DropReason, Dropped},
    unique_id::unique_id,
};

/// The maximum length of a [well-formed](is_well_formed) value.
const MAX_LEN: usize = 128;

/// A rule that sets a field from a header.
///
/// A header is accepted if it appears once, is [well-formed](is_well_formed) or passes another check, is not longer
/// than the field allows, and parses as the field's type. It takes precedence over the received context. If it is not
/// accepted, and the context has no value, a rule may [generate](Self::generate_if_missing) one.
///
/// A header that is not accepted is counted as dropped at the server's [boundary](super::ServerLayer::boundary), and
/// logged at DEBUG with its name and the reason.
///
/// A rule trusts every sender of the header. Use rules for `x-request-id` and the like. Do not use one for the tenant,
/// unless a trusted gateway sets that header and removes those of external callers.
///
/// ```
/// use ctx_layer::{field::well_known::LOCALE, http::{HeaderRule, ServerLayer}};
///
/// let layer = ServerLayer::new()
///     .header(HeaderRule::request_id())
///     .header(HeaderRule::new("x-locale", &LOCALE));
/// ```
#[derive(Clone)]
pub struct HeaderRule {
    name: HeaderName,
    field: &'static str,
    set: Arc<FieldSetter>,
    accept: fn(&str) -> bool,
    generate: Option<fn() -> String>,
    echo: bool,
}

type FieldSetter =
    dyn Fn(Fields, ValueSource<'_>) -> Result<(Fields, Option<String>), (Fields, Option<Refused>)> + Send + Sync;

/// The source of a value.
enum ValueSource<'a> {
    Header(&'a str),
    /// The received context.
    Context,
}

impl HeaderRule {
    /// Creates a rule that sets `field` from the header `name`. It generates no value, and does not echo the header.
    ///
    /// # Panics
    /// Panics if `name` is not a legal header name. Create rules at start-up.
    #[track_caller]
    pub fn new<T: FieldType + FromStr>(name: &'static str, field: &'static ContextField<T>) -> Self {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { panic!("`{name}` is not a legal header name") };
        Self::of(name, field)
    }

    fn of<T: FieldType + FromStr>(name: HeaderName, field: &'static ContextField<T>) -> Self {
        let set = move |fields: Fields, source: ValueSource<'_>| match source {
            ValueSource::Header(text) => match parse_untrusted::<T>(field.declaration(), text) {
                Ok(value) => Ok((fields.with(field, value), None)),
                Err(refused) => Err((fields, Some(refused))),
            },
            ValueSource::Context => match fields.get(field).map(ToString::to_string) {
                Some(text) => Ok((fields, Some(text))),
                None => Err((fields, None)),
            },
        };
        HeaderRule {
            name,
            field: field.name(),
            set: Arc::new(set),
            accept: is_well_formed,
            generate: None,
            echo: false,
        }
    }

    /// Creates a rule that sets [`REQUEST_ID`] from `x-request-id` if it is well-formed, otherwise generates a UUID
    /// (version 7), and echoes it in the response.
    pub fn request_id() -> Self {
        HeaderRule::of(HeaderName::from_static("x-request-id"), &REQUEST_ID).generate_if_missing(unique_id).echo()
    }

    /// Sets which values are accepted. Defaults to [`is_well_formed`].
    pub fn accept(mut self, accept: fn(&str) -> bool) -> Self {
        self.accept = accept;
        self
    }

    /// Generates a value if none was received. By default none is generated.
    pub fn generate_if_missing(mut self, generate: fn() -> String) -> Self {
        self.generate = Some(generate);
        self
    }

    /// Sends the value back in the response, unless the handler sets that header itself. Off by default.
    pub fn echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// Returns the fields with this rule's field, and the header to echo. A refused header is counted at the boundary.
    pub(super) fn apply(
        &self,
        request: &RequestHead<'_>,
        fields: Fields,
        boundary: &'static Boundary,
    ) -> (Fields, Option<Echo>) {
        let fields = match self.read(request) {
            Ok(None) => fields,
            Ok(Some(text)) => match (self.set)(fields, ValueSource::Header(text)) {
                // The header's value is shared, not copied.
                Ok((fields, _)) => {
                    let echoed = if self.echo { request.headers().get(&self.name).cloned() } else { None };
                    return (fields, self.echo_value(echoed));
                }
                Err((fields, refused)) => {
                    self.refused(refused.map_or(DropReason::WrongType, DropReason::from), boundary);
                    fields
                }
            },
            Err(reason) => {
                self.refused(reason, boundary);
                fields
            }
        };
        let fields = match (self.set)(fields, ValueSource::Context) {
            Ok((fields, text)) => return (fields, self.echo_text(text.as_deref())),
            Err((fields, _)) => fields,
        };
        let Some(generate) = self.generate else { return (fields, None) };
        let made = generate();
        match (self.set)(fields, ValueSource::Header(&made)) {
            Ok((fields, _)) => (fields, self.echo_text(Some(&made))),
            Err((fields, _)) => (fields, None),
        }
    }

    /// Returns the header's value, if it is present and accepted.
    fn read<'a>(&self, request: &RequestHead<'a>) -> Result<Option<&'a str>, DropReason> {
        let mut values = request.headers().get_all(&self.name).iter();
        let text = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(_), Some(_)) => return Err(DropReason::Repeated),
            (Some(value), None) => value.to_str().map_err(|_| DropReason::Malformed)?,
        };
        match text {
            "" => Err(DropReason::Empty),
            text if (self.accept)(text) => Ok(Some(text)),
            _ => Err(DropReason::Malformed),
        }
    }

    /// Counts a refused header. The caller sent it, so it is logged at DEBUG.
    #[cold]
    fn refused(&self, reason: DropReason, boundary: &'static Boundary) {
        boundary.refused(&Dropped::new(self.name.as_str(), reason));
    }

    fn echo_text(&self, text: Option<&str>) -> Option<Echo> {
        if self.echo { self.echo_value(HeaderValue::from_str(text?).ok()) } else { None }
    }

    fn echo_value(&self, value: Option<HeaderValue>) -> Option<Echo> {
        Some(Echo { name: self.name.clone(), value: value? })
    }
}

impl fmt::Debug for HeaderRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderRule").field("name", &self.name).field("field", &self.field).finish_non_exhaustive()
    }
}

/// A header that is sent back in the response.
#[derive(Debug)]
pub(super) struct Echo {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
}

/// Returns `true` if an external value can be an identifier: 1 to 128 of `A-Z a-z 0-9 - _ . ~ + / = : @`.
pub fn is_well_formed(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=:@".contains(&byte);
    (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_short_and_have_few_characters() {
        for (text, is) in [
            ("req-1", true),
            ("0191d8a4-77f2-7c3e-9a55-0f1c2b3d4e5f", true),
            (&"a".repeat(128), true),
            (&"a".repeat(129), false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("a;b", false),
            ("a,b", false),
            ("<script>", false),
            ("é", false),
        ] {
            assert_eq!(is_well_formed(text), is, "{text}");
        }
    }
}
