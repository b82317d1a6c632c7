//! The other side of a span: the address of a client span, the queue of a producer or consumer; and whether the call failed on its way.

use super::keys::Role;
use crate::{
    model::{Kind, Span, Status},
    store::{Flags, Name, Names},
};

/// The attributes of a span that describe the other side.
#[derive(Debug, Default)]
pub(super) struct Peer {
    service: Name,
    host: Name,
    url: Name,
    queue: Name,
    port: u16,
    is_database: bool,
    is_broker: bool,
    is_receive: bool,
    http_status: u16,
    grpc_status: Option<u16>,
}

impl Peer {
    #[inline]
    pub(super) fn add(&mut self, role: Role, value: &str, peers: &mut Names) {
        match role {
            Role::PeerService => self.service = peers.add(value),
            Role::Host => self.host = peers.add(value),
            Role::Port => self.port = value.parse().unwrap_or_default(),
            Role::Url => {
                if let Some(authority) = authority(value) {
                    self.url = peers.add(authority);
                }
            }
            Role::Database => self.is_database = true,
            Role::Broker => self.is_broker = true,
            Role::Queue => self.queue = peers.add(value),
            Role::Operation => self.is_receive = matches!(value, "receive" | "poll" | "settle"),
            Role::HttpStatus => self.http_status = value.parse().unwrap_or(1),
            Role::GrpcStatus => self.grpc_status = Some(grpc_status(value)),
            Role::None | Role::Tenant | Role::Path => {}
        }
    }

    /// Returns the name of the other side, and sets what is known of the call.
    pub(super) fn finish(self, span: &Span<'_>, flags: &mut Flags, peers: &mut Names) -> Name {
        let is_message = matches!(span.kind, Kind::Producer | Kind::Consumer);
        flags.set(Flags::DATABASE, self.is_database);
        flags.set(Flags::BROKER, self.is_broker && span.kind == Kind::Client);
        flags.set(Flags::RECEIVE, self.is_broker && self.is_receive);
        if span.kind == Kind::Client {
            // 502, 503 and 504 are answers of what is in front of a server. 14 (UNAVAILABLE), 4 (DEADLINE_EXCEEDED) and 1 (CANCELLED)
            // are set by the client itself.
            let is_answered = match (self.http_status, self.grpc_status) {
                (502..=504, _) | (_, Some(1 | 4 | 14)) => false,
                (0, None) => span.status != Status::Error,
                _ => true,
            };
            flags.set(Flags::FAILED, !is_answered);
        } else if span.kind == Kind::Producer {
            flags.set(Flags::FAILED, span.status == Status::Error);
        }
        if is_message {
            return self.queue;
        }
        if span.kind != Kind::Client {
            return Name::EMPTY;
        }
        if !self.service.is_empty() {
            return self.service;
        }
        if self.host.is_empty() || self.port == 0 {
            return if self.host.is_empty() { self.url } else { self.host };
        }
        let host = peers.get(self.host);
        if host.ends_with(']') || !host.contains(':') {
            let address = format!("{host}:{}", self.port);
            return peers.add(&address);
        }
        self.host
    }
}

/// Returns `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    // What is before `@` is a password.
    Some(authority.rsplit('@').next().unwrap_or(authority)).filter(|authority| !authority.is_empty())
}

fn grpc_status(value: &str) -> u16 {
    value.parse().unwrap_or(match value {
        "OK" => 0,
        "CANCELLED" => 1,
        "DEADLINE_EXCEEDED" => 4,
        "UNAVAILABLE" => 14,
        _ => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_of_a_url_has_no_password() {
        assert_eq!(authority("http://orders:8080/a?b"), Some("orders:8080"));
        assert_eq!(authority("https://ada:secret@orders/a"), Some("orders"));
        assert_eq!(authority("/orders"), None);
    }
}
