//! A policy of which recipients are internal.

use std::{fmt, net::IpAddr, str::FromStr};

use super::outbound::Outbound;

/// A policy of which hosts are internal. Internal hosts get all context, all others get `traceparent` only.
///
/// By default no host is internal.
///
/// ```
/// use ctx_layer::propagation::{DestinationPolicy, Outbound};
///
/// let destinations =
///     DestinationPolicy::internal(["internal.example", "10.0.0.0/8", "fd00::/8", "localhost"])?;
///
/// let url = "https://orders.internal.example:8443/orders";
/// assert_eq!(destinations.for_url(url), Outbound::Everything);
/// assert_eq!(destinations.for_url("http://10.1.2.3/"), Outbound::Everything);
///
/// assert_eq!(destinations.for_url("https://evil-internal.example/"), Outbound::TraceParentOnly);
/// let url = "https://internal.example@evil.example/";
/// assert_eq!(destinations.for_url(url), Outbound::TraceParentOnly);
/// # Ok::<(), ctx_layer::propagation::DestinationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationPolicy {
    suffixes: Vec<String>,
    networks: Vec<Network>,
}

impl DestinationPolicy {
    /// Creates a policy without internal hosts.
    pub const fn new() -> Self {
        DestinationPolicy { suffixes: Vec::new(), networks: Vec::new() }
    }

    /// Creates a policy with these internal hosts: names, which include all names under them (`internal.example`
    /// includes `orders.internal.example`), addresses, and networks (`10.0.0.0/8`, `fd00::/8`).
    ///
    /// # Errors
    /// Returns an error if a host is none of these.
    pub fn internal<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> Result<Self, DestinationError> {
        let mut policy = DestinationPolicy::new();
        for host in hosts {
            let host = host.as_ref().trim();
            let error = || DestinationError { host: host.to_owned() };
            if host.contains('/') || host.contains(':') || host.parse::<IpAddr>().is_ok() {
                policy.networks.push(host.parse().map_err(|()| error())?);
            } else {
                // `.internal.example` and `*.internal.example` are common forms too.
                let name = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
                policy.suffixes.push(name_of(name).ok_or_else(error)?);
            }
        }
        Ok(policy)
    }

    /// Returns how much context the host of a URL gets.
    ///
    /// A URL that clients interpret differently gets `traceparent` only.
    pub fn for_url(&self, url: &str) -> Outbound {
        // The scheme ends at the first `:`, and only a URL with an authority has a host (RFC 3986, section 3.2).
        match url.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?', '#', '\\', '@']) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                self.for_authority(&rest[..end])
            }
            _ => Outbound::TraceParentOnly,
        }
    }

    /// Returns how much context the host of an authority gets. An authority is `host`, `host:port` or `[address]:port`,
    /// with or without `user@`.
    pub fn for_authority(&self, authority: &str) -> Outbound {
        let host = host_of(authority);
        if host.is_some_and(|host| self.is_internal(host)) { Outbound::Everything } else { Outbound::TraceParentOnly }
    }

    fn is_internal(&self, host: &str) -> bool {
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = bracketed.unwrap_or(host).parse::<IpAddr>() {
            return self.networks.iter().any(|network| network.contains(address));
        }
        bracketed.is_none()
            && name_of(host).is_some_and(|name| self.suffixes.iter().any(|suffix| is_under(&name, suffix)))
    }
}

impl<S: AsRef<str>> TryFrom<&[S]> for DestinationPolicy {
    type Error = DestinationError;

    /// Calls [`DestinationPolicy::internal`].
    fn try_from(hosts: &[S]) -> Result<Self, DestinationError> {
        Self::internal(hosts)
    }
}

/// Returns the host of an authority; `None` if it has none, or is ambiguous.
fn host_of(authority: &str) -> Option<&str> {
    // Browsers read `\` as `/`, other clients do not, so they would contact different hosts.
    if authority.contains(|c: char| matches!(c, '\\' | '/' | '?' | '#') || c.is_whitespace() || c.is_control()) {
        return None;
    }
    // An `@` in a user name must be encoded (RFC 3986, section 3.2.1). Some clients split at the first of several.
    let after_user = match authority.split_once('@') {
        Some((_, host)) if host.contains('@') => return None,
        Some((_, host)) => host,
        None => authority,
    };
    if after_user.starts_with('[') {
        let (address, rest) = after_user.split_at(after_user.find(']')? + 1);
        return is_port(rest).then_some(address);
    }
    let (host, port) = after_user.split_at(after_user.find(':').unwrap_or(after_user.len()));
    (is_port(port) && !host.is_empty()).then_some(host)
}

fn is_port(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns a host name in lower case and without the trailing dot; `None` if it is not a name.
///
/// A host that ends in a number is an address (WHATWG URL, "ends in a number checker"): one that is not valid, such as
/// `10.0.0.256`, or that only some clients understand, such as `0x7f.1`.
fn name_of(host: &str) -> Option<String> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label) && !name.rsplit('.').next().is_some_and(is_number);
    is_name.then(|| name.to_ascii_lowercase())
}

/// Returns `true` for `10` and `0x7f`.
fn is_number(label: &str) -> bool {
    match label.as_bytes() {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => digits.iter().all(u8::is_ascii_digit),
    }
}

/// Returns `true` if the name ends in the suffix, at a label: `evil-internal.example` is not under `internal.example`.
fn is_under(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A network, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_len: u32,
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        // An IPv4 address may be written as IPv6 (RFC 4291, section 2.5.5.2).
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(address)) => {
                let host_bits = 32 - self.prefix_len;
                (mine.to_bits() ^ address.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(mine), IpAddr::V6(address)) => {
                let host_bits = 128 - self.prefix_len;
                (mine.to_bits() ^ address.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix_len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix_len = match prefix_len {
            None => bits,
            // Digits only: `parse` would accept a sign.
            Some(len) if len.bytes().all(|byte| byte.is_ascii_digit()) => len.parse().map_err(|_| ())?,
            Some(_) => return Err(()),
        };
        if prefix_len > bits {
            return Err(());
        }
        Ok(match address.to_canonical() {
            // A network of IPv4 addresses written as IPv6, which `contains` compares as IPv4.
            canonical @ IpAddr::V4(_) if address.is_ipv6() && prefix_len >= 96 => {
                Network { address: canonical, prefix_len: prefix_len - 96 }
            }
            _ => Network { address, prefix_len },
        })
    }
}

/// An error of a host that is neither a name nor an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationError {
    host: String,
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a host: write a name such as `internal.example`, an address, or a network such as `10.0.0.0/8`",
            self.host
        )
    }
}

impl std::error::Error for DestinationError {}
