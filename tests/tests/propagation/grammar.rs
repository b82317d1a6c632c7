//! Checks what is sent against the grammars of the specifications. Written from their ABNF, without the library's code.

/// Checks a `traceparent` of version 00: Trace Context Level 2, section 3.2.
pub(crate) fn is_traceparent(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace_id, parent_id, flags] = parts[..] else { return false };
    let is_hex = |text: &str, len: usize| text.len() == len && text.chars().all(|c| "0123456789abcdef".contains(c));
    let is_id = |text: &str, len: usize| is_hex(text, len) && text.chars().any(|c| c != '0');
    version == "00" && is_id(trace_id, 32) && is_id(parent_id, 16) && ["00", "01", "02", "03"].contains(&flags)
}

/// Checks a `tracestate`: section 3.3, without the whitespace and empty members that should not be sent.
pub(crate) fn is_tracestate(value: &str) -> bool {
    let members: Vec<&str> = value.split(',').collect();
    let mut keys = Vec::new();
    members.len() <= 32
        && members.iter().all(|member| {
            let Some(at) = member.find('=') else { return false };
            let (key, value) = (&member[..at], &member[at + 1..]);
            let is_new = !keys.contains(&key);
            keys.push(key);
            is_new && is_tracestate_key(key) && is_tracestate_value(value)
        })
}

fn is_tracestate_key(key: &str) -> bool {
    let mut chars = key.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_keychar = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-*/@".contains(c);
    starts && chars.clone().count() <= 255 && chars.all(is_keychar)
}

fn is_tracestate_value(value: &str) -> bool {
    let is_nblk = |c: char| ('\x21'..='\x7e').contains(&c) && c != ',' && c != '=';
    let chars: Vec<char> = value.chars().collect();
    match chars.split_last() {
        Some((last, rest)) => is_nblk(*last) && rest.len() <= 255 && rest.iter().all(|c| *c == ' ' || is_nblk(*c)),
        None => false,
    }
}

/// Checks a `baggage`: W3C Baggage, section 3.3.1, within the limits of section 3.3.2, with `%` only where it encodes a
/// byte.
pub(crate) fn is_baggage(value: &str) -> bool {
    let members: Vec<&str> = value.split(',').collect();
    value.len() <= 8192 && members.len() <= 64 && members.iter().all(|member| is_baggage_member(member))
}

fn is_baggage_member(member: &str) -> bool {
    let mut parts = member.split(';');
    let pair = parts.next().unwrap_or_default();
    let Some(at) = pair.find('=') else { return false };
    is_token(&pair[..at])
        && is_encoded(&pair[at + 1..])
        && parts.all(|property| match property.find('=') {
            Some(at) => is_token(&property[..at]) && is_encoded(&property[at + 1..]),
            None => is_token(property),
        })
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_octet(c: char) -> bool {
    matches!(c, '\x21' | '\x23'..='\x2b' | '\x2d'..='\x3a' | '\x3c'..='\x5b' | '\x5d'..='\x7e')
}

fn is_encoded(value: &str) -> bool {
    let chars: Vec<char> = value.chars().collect();
    let is_hex = |at: usize| chars.get(at).is_some_and(char::is_ascii_hexdigit);
    chars.iter().enumerate().all(|(at, c)| is_octet(*c) && (*c != '%' || is_hex(at + 1) && is_hex(at + 2)))
}

#[test]
fn the_checker_accepts_valid_and_refuses_invalid_headers() {
    assert!(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"));
    for wrong in [
        "",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-04",
        "00-0Af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
        "00-00000000000000000000000000000000-b7ad6b7169203331-03",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-",
    ] {
        assert!(!is_traceparent(wrong), "{wrong}");
    }
    assert!(is_tracestate("a= b,0@/*_-=~"));
    for wrong in ["", "a", "a=", "a=b ", "A=b", "a=b,", "a=b, c=d", "a=b,a=c", "a=b=c", "a=\t", "_a=b"] {
        assert!(!is_tracestate(wrong), "{wrong}");
    }
    assert!(is_baggage("a=,b=%41=;p;q=%25;r=!"));
    for wrong in [
        "",
        "a",
        "=b",
        "a=b,",
        "a= b",
        "a=\"b\"",
        "a=%4",
        "a=%zz",
        "a=b;",
        "a=b;p=%",
        "a=b;p=c,d",
        "é=b",
        "a=é",
        "a b=c",
    ] {
        assert!(!is_baggage(wrong), "{wrong}");
    }
}

/// Panics unless all headers are those of the specifications.
pub(crate) fn check<'a>(headers: impl IntoIterator<Item = (&'a String, &'a String)>) {
    for (key, value) in headers {
        let is_right = match key.as_str() {
            "traceparent" => is_traceparent(value),
            "tracestate" => is_tracestate(value),
            "baggage" => is_baggage(value),
            _ => false,
        };
        assert!(is_right, "{key}: {value}");
    }
}
