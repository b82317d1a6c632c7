//! The address of a client behind trusted proxies.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};

use super::forwarded::{from_the_right, parameter};
use crate::http::request_part::host_and_port;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the address that the outermost of `proxies` trusted proxies saw.
///
/// Each proxy appends the address of its client to `X-Forwarded-For` or `Forwarded`, on the right. Elements to the left
/// of those of trusted proxies are untrusted. If there are fewer elements, the request did not pass all proxies.
pub(super) fn behind(proxies: usize, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    if proxies == 0 {
        return peer;
    }
    let mut address = peer;
    let mut left = proxies;
    let mut next = |element: &str| {
        // An element that is not an address ends the search: those before it may not be a proxy's.
        address = Some(host_and_port(element).0.parse().ok()?);
        left -= 1;
        (left > 0).then_some(())
    };
    let _ = match headers.contains_key(&FORWARDED_FOR) {
        true => from_the_right(headers, &FORWARDED_FOR).try_for_each(next),
        false => from_the_right(headers, &header::FORWARDED).try_for_each(|element| next(parameter(element, "for")?)),
    };
    address
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_elements_of_trusted_proxies_count() {
        let peer = "10.0.0.1";
        for (proxies, lines, found) in [
            (0, &["198.51.100.7"][..], peer),
            (1, &[], peer),
            (1, &["198.51.100.7"], "198.51.100.7"),
            (1, &["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
            (2, &["6.6.6.6, 198.51.100.7, 10.0.0.9"], "198.51.100.7"),
            (2, &["6.6.6.6", "198.51.100.7", "10.0.0.9"], "198.51.100.7"),
            (3, &["198.51.100.7, 10.0.0.9"], "198.51.100.7"),
            (1, &["198.51.100.7:4711"], "198.51.100.7"),
            (1, &["[2001:db8::1]:4711"], "2001:db8::1"),
            (1, &["2001:db8::1"], "2001:db8::1"),
            (1, &["unknown"], peer),
            (2, &["6.6.6.6, evil, 10.0.0.9"], "10.0.0.9"),
            (2, &["\u{7f}"], peer),
            (2, &["6.6.6.6, \u{7f}", "10.0.0.9"], "10.0.0.9"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) else { continue };
                headers.append(&FORWARDED_FOR, line);
            }
            let address = behind(proxies, &headers, peer.parse().ok());
            assert_eq!(address, found.parse().ok(), "{proxies} {lines:?}");
        }
    }
    #[test]
    fn the_header_of_rfc_7239_is_read_the_same_way() {
        let peer = "10.0.0.1";
        for (proxies, lines, found) in [
            (0, &["for=198.51.100.7"][..], peer),
            (1, &["for=198.51.100.7"], "198.51.100.7"),
            (1, &["for=6.6.6.6, for=198.51.100.7;proto=https;by=203.0.113.43"], "198.51.100.7"),
            (2, &["for=6.6.6.6", "proto=http; For=\"198.51.100.7:4711\"", "for=10.0.0.9"], "198.51.100.7"),
            (1, &["for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
            (1, &["for=unknown"], peer),
            (1, &["for=_hidden"], peer),
            (2, &["for=6.6.6.6, proto=https, for=10.0.0.9"], "10.0.0.9"),
            (1, &["for=\"6.6.6.6, for=198.51.100.7"], "198.51.100.7"),
            (1, &["nonsense"], peer),
            (1, &[";;=,=;for"], peer),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::FORWARDED, HeaderValue::from_static(line));
            }
            assert_eq!(behind(proxies, &headers, peer.parse().ok()), found.parse().ok(), "{proxies} {lines:?}");
            // If both are present, the caller must not choose which one counts.
            headers.append(&FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
            let address = behind(proxies, &headers, peer.parse().ok());
            assert_eq!(address, if proxies > 0 { "192.0.2.1" } else { peer }.parse().ok(), "{proxies} {lines:?}");
        }
    }
}
