//! The headers of trusted proxies: `X-Forwarded-*`, or `Forwarded` of RFC 7239 if there is none.

use http::{HeaderMap, HeaderName, header};

static HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Returns the elements of all lines of a header, which are one list (RFC 9110, section 5.3), the last one first.
/// Elements of callers are before those of trusted proxies.
pub(super) fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).into_iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(str::trim)
}

/// Returns the scheme of the request to the outermost of `proxies` trusted proxies.
pub(super) fn scheme(proxies: usize, headers: &HeaderMap) -> Option<&str> {
    nth(proxies, headers, &PROTO, "proto")
}

/// Returns the host of that request.
pub(super) fn host(proxies: usize, headers: &HeaderMap) -> Option<&str> {
    nth(proxies, headers, &HOST, "host").filter(|host| !host.is_empty())
}

/// Returns the `n`th element from the right, or the first of a shorter list: an inner proxy has replaced the list,
/// which is usual for other lists than those of addresses.
fn nth<'a>(n: usize, headers: &'a HeaderMap, name: &HeaderName, parameter_name: &str) -> Option<&'a str> {
    if n == 0 {
        return None;
    }
    let element = from_the_right(headers, name).take(n).last();
    element.or_else(|| parameter(from_the_right(headers, &header::FORWARDED).take(n).last()?, parameter_name))
}

/// Returns a parameter of an element of `Forwarded`. Proxies write no comma and no semicolon in quotes.
pub(super) fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}
