//! What one's own proxies say of those whom they serve: `X-Forwarded-*` or, where there is none, `Forwarded` of RFC 7239.

use http::{HeaderMap, HeaderName, header};

static HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The elements of all lines of a header, which are one list (RFC 9110, section 5.3), the last one first: what strangers
/// wrote stands before what one's own have added.
pub(super) fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).into_iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(str::trim)
}

/// The scheme that the outermost of `proxies` own proxies was asked by.
pub(super) fn scheme(proxies: usize, headers: &HeaderMap) -> Option<&str> {
    nth(proxies, headers, &PROTO, "proto")
}

/// The host that it was asked for.
pub(super) fn host(proxies: usize, headers: &HeaderMap) -> Option<&str> {
    nth(proxies, headers, &HOST, "host").filter(|host| !host.is_empty())
}

/// The `n`th element from the right, or the first of a list that is shorter: a proxy further inside has set it anew, as is
/// usual with what is no list of addresses.
fn nth<'a>(n: usize, headers: &'a HeaderMap, name: &HeaderName, parameter_name: &str) -> Option<&'a str> {
    if n == 0 {
        return None;
    }
    let element = from_the_right(headers, name).take(n).last();
    element.or_else(|| parameter(from_the_right(headers, &header::FORWARDED).take(n).last()?, parameter_name))
}

/// A parameter of an element of `Forwarded`. What proxies write has no comma and no semicolon in quotes.
pub(super) fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}
