//! Parts of a request that are recorded on spans.

use http::{HeaderMap, HeaderName, Version, header};

/// Returns a header if it is present and a string.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Returns the host and the port of an authority, a `Host` header, or an element of `X-Forwarded-For`.
pub(super) fn host_and_port(authority: &str) -> (&str, Option<i64>) {
    // One pass over the bytes: hosts are short, and `str`'s search is optimized for long strings.
    let (mut start, mut colon, mut colons) = (0, 0, 0);
    for (at, byte) in authority.bytes().enumerate() {
        match byte {
            b'@' => (start, colons) = (at + 1, 0),
            b':' => (colon, colons) = (at, colons + 1),
            _ => {}
        }
    }
    let whole = authority.get(start..).unwrap_or_default();
    let (host, port) = match whole.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, rest))) => (host, rest.strip_prefix(':')),
        None if colons == 1 => (authority.get(start..colon).unwrap_or_default(), authority.get(colon + 1..)),
        // Several colons: an IPv6 address without brackets.
        None | Some(None) => (whole, None),
    };
    (host, port.and_then(|port| port.parse::<u16>().ok()).map(i64::from))
}

/// Returns the host and port that a request names, in its URI or in `Host`.
pub(super) fn server_of<'a>(uri: &'a http::Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => header(headers, &header::HOST),
    }
}

/// Returns the value of `network.protocol.version`.
pub(super) fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_separated() {
        for (authority, host, port) in [
            ("example.com", "example.com", None),
            ("example.com:8080", "example.com", Some(8080)),
            ("user:pw@example.com:8080", "example.com", Some(8080)),
            ("user:pw@example.com", "example.com", None),
            ("a@b:c@example.com:8080", "example.com", Some(8080)),
            ("user@[::1]:8080", "::1", Some(8080)),
            ("[::1]:8080:1", "::1", None),
            ("a]b:80", "a]b", Some(80)),
            ("user@", "", None),
            (":80", "", Some(80)),
            ("[::1]:8080", "::1", Some(8080)),
            ("[::1]", "::1", None),
            ("::1", "::1", None),
            ("example.com:99999", "example.com", None),
            ("example.com:", "example.com", None),
            ("[::1", "[::1", None),
            ("", "", None),
        ] {
            assert_eq!(host_and_port(authority), (host, port), "{authority}");
        }
    }
}
