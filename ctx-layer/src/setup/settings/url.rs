//! The address of a collector.

use std::fmt;

use super::value::{Refused, SettingValue, toml_string};

/// The address of a collector: `http://` or `https://`, a host, a port and a path.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// Returns the address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.0.parse::<http::Uri>().ok().and_then(|uri| uri.port_u16())
    }

    /// Returns the address without a name and a password.
    fn shown(&self) -> String {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://[redacted]@{host}"),
            _ => self.0.clone(),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown(), f)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl SettingValue for Url {
    fn allowed() -> String {
        "an address such as \"http://localhost:4317\"".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, Refused> {
        let uri: http::Uri = text.trim().parse().map_err(|_| Refused::default())?;
        let is_http = uri.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        if is_http && has_host {
            return Ok(Url(text.trim().to_owned()));
        }
        let suggestion = (!text.contains("://")).then(|| format!("http://{}", text.trim()));
        Err(Refused::suggest(suggestion.filter(|url| Url::from_text(url).is_ok())))
    }

    fn to_toml(&self) -> String {
        toml_string(&self.shown())
    }
}

impl std::str::FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        Url::from_text(text).map_err(|_| InvalidUrl(()))
    }
}

/// An error for a string that is no [`Url`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUrl(());

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is no address of a collector: expected {}", Url::allowed())
    }
}

impl std::error::Error for InvalidUrl {}
