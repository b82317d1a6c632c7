//! Who made a request, behind proxies that are one's own.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

use crate::http::text::host_and_port;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that the outermost of `proxies` own proxies saw.
///
/// Each proxy adds the address of whom it serves to the right of `X-Forwarded-For`. What stands to the left of what
/// one's own have added was written by strangers. Where there are fewer elements the request did not pass all of them.
pub(super) fn behind(proxies: usize, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    if proxies == 0 {
        return peer;
    }
    let mut address = peer;
    let mut left = proxies;
    // Several lines are one list (RFC 9110, section 5.3).
    for line in headers.get_all(&FORWARDED_FOR).into_iter().rev() {
        let Ok(line) = line.to_str() else { break };
        for element in line.rsplit(',') {
            // What is no address ends it: what stands before cannot be told to be a proxy's.
            let Ok(element) = host_and_port(element.trim()).0.parse() else { return address };
            address = Some(element);
            left -= 1;
            if left == 0 {
                return address;
            }
        }
    }
    address
}

/// The element of such a list that the outermost of `proxies` own proxies wrote. One that is shorter was set anew by a
/// proxy further inside, as is usual with what is no list of addresses: of it the first counts.
pub(super) fn forwarded<'a>(proxies: usize, headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let lines = headers.get_all(name).into_iter().rev();
    let elements = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(str::trim);
    elements.take(proxies).last()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_ones_own_proxies_added_is_believed() {
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
}
