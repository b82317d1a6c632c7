//! The keys of attributes, and what each of them means: looked up once for each key.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::settings::Settings;

/// The meaning of an attribute for its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing that is needed here.
    None,
    /// The tenant.
    Tenant,
    /// A path or route, which may be that of a health check.
    Path,
    /// The name of the service that is called. Old: `peer.service`; new: `service.peer.name`.
    PeerService,
    /// The host that is called. Old: `net.peer.name`; new: `server.address`.
    Host,
    /// Its port. Old: `net.peer.port`; new: `server.port`.
    Port,
    /// The whole URL. Old: `http.url`; new: `url.full`.
    Url,
    /// The kind of database. Old: `db.system`; new: `db.system.name`.
    Database,
    /// The kind of broker.
    Broker,
    /// The queue. Old: `messaging.destination`; new: `messaging.destination.name`.
    Queue,
    /// The operation on a message. Old: `messaging.operation`; new: `messaging.operation.type`.
    Operation,
    /// The status of an HTTP response. Old: `http.status_code`; new: `http.response.status_code`.
    HttpStatus,
    /// The status of a gRPC response. Old: `rpc.grpc.status_code`; new: `rpc.response.status_code`.
    GrpcStatus,
}

/// The place where an attribute belongs, by the semantic conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// On the resource.
    Resource,
    /// On spans, log records and data points.
    Item,
    /// Anywhere, or not known.
    Any,
}

/// The facts of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) id: u32,
    pub(super) role: Role,
    /// The bit of a required field.
    pub(super) required: u16,
    pub(super) level: Level,
    /// Its values may be anything.
    pub(super) is_allowed: bool,
    /// Its name is that of a secret.
    pub(super) is_secret: bool,
    /// It names a program or its files, where `name@host.domain` is a package or an extension.
    pub(super) is_program: bool,
    /// It is a header of a request or response.
    pub(super) is_header: bool,
    /// It is the header `baggage`.
    pub(super) is_baggage: bool,
}

/// Keys that are kept. What is above has no id of its own, and is looked at each time.
const MOST: usize = 20_000;

pub(super) struct Keys {
    known: HashMap<Box<str>, Known, FixedState>,
    tenant: String,
    required: Vec<String>,
    allowed: crate::settings::Patterns,
}

impl Keys {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            known: HashMap::default(),
            tenant: settings.tenant.clone(),
            required: settings.require.clone(),
            allowed: settings.sensitive.allow.clone(),
        }
    }

    #[inline]
    pub(super) fn get(&mut self, key: &str) -> Known {
        match self.known.get(key) {
            Some(known) => *known,
            None => self.insert(key),
        }
    }

    #[cold]
    fn insert(&mut self, key: &str) -> Known {
        let known = Known {
            id: self.known.len() as u32,
            role: if key == self.tenant { Role::Tenant } else { role(key) },
            required: self
                .required
                .iter()
                .enumerate()
                .filter(|(_, required)| *required == key)
                .fold(0, |bits, (number, _)| bits | 1 << number),
            level: level(key),
            is_allowed: self.allowed.matches(key),
            is_secret: is_secret(key),
            is_program: key.starts_with("process.") || key.starts_with("code."),
            is_header: key.contains(".header."),
            is_baggage: key.ends_with(".header.baggage") || key == "baggage",
        };
        if self.known.len() < MOST {
            self.known.insert(key.into(), known);
        }
        known
    }
}

fn role(key: &str) -> Role {
    match key {
        "url.path" | "http.target" | "http.route" => Role::Path,
        "peer.service" | "service.peer.name" => Role::PeerService,
        "server.address" | "net.peer.name" | "http.host" => Role::Host,
        "server.port" | "net.peer.port" => Role::Port,
        "url.full" | "http.url" => Role::Url,
        "db.system" | "db.system.name" => Role::Database,
        "messaging.system" => Role::Broker,
        "messaging.destination.name" | "messaging.destination" => Role::Queue,
        "messaging.operation.type" | "messaging.operation" => Role::Operation,
        "http.response.status_code" | "http.status_code" => Role::HttpStatus,
        "rpc.grpc.status_code" | "rpc.response.status_code" => Role::GrpcStatus,
        _ => Role::None,
    }
}

/// The namespaces of the semantic conventions whose level is one only.
fn level(key: &str) -> Level {
    let is_in = |namespaces: &[&str]| namespaces.iter().any(|namespace| key.starts_with(namespace));
    if matches!(key, "service.name" | "service.namespace" | "service.version" | "service.instance.id")
        || is_in(&[
            "telemetry.sdk.",
            "telemetry.distro.",
            "k8s.",
            "host.",
            "os.",
            "deployment.environment",
            "cloud.",
            "process.runtime.",
        ])
    {
        Level::Resource
    } else if is_in(&["http.", "url.", "rpc.", "messaging.", "db."]) {
        Level::Item
    } else {
        Level::Any
    }
}

/// Names of values that nobody should see, as `#[with_observability]` redacts them.
fn is_secret(key: &str) -> bool {
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    ["password", "passwd", "secret", "apikey", "accesstoken", "refreshtoken", "privatekey", "setcookie"]
        .iter()
        .any(|name| plain.contains(name))
        || ["authorization", "cookie", "sessiontoken", "bearertoken"].iter().any(|name| plain.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for secret in ["password", "db.Password", "api-key", "http.request.header.authorization", "X_API_KEY", "cookie"]
        {
            assert!(is_secret(secret), "{secret}");
        }
        for harmless in
            ["passenger", "token_count", "authorization.result", "http.route", "tenant_id", "cookies.accepted"]
        {
            assert!(!is_secret(harmless), "{harmless}");
        }
    }
}
