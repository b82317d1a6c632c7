//! Which service is behind an address.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::tree::Tree;
use crate::model::Kind;
use crate::{
    intake::Strings,
    settings::Settings,
    store::{Flags, Name, StoredSpan},
};

/// The services behind addresses: declared, learned from calls that reached their servers, or of the same name.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    learned: HashMap<Name, HashMap<Name, u64, FixedState>, FixedState>,
    known: HashMap<Name, Name, FixedState>,
    own: HashMap<Name, bool, FixedState>,
    third_party: HashMap<Name, bool, FixedState>,
    queues: HashMap<Name, HashMap<Name, u64, FixedState>, FixedState>,
}

/// Returns `true` for a call that another service should answer.
pub(super) fn is_call(span: &StoredSpan) -> bool {
    span.kind == Kind::Client && !span.flags.has(Flags::DATABASE) && !span.flags.has(Flags::BROKER)
}

impl Targets {
    /// Learns from the spans of a trace, which are sorted by their ids.
    pub(crate) fn learn(&mut self, spans: &[StoredSpan]) {
        let mut tree = Tree::default();
        tree.build(spans);
        for number in 0..tree.spans.len() as u32 {
            let span = &tree.spans[number as usize];
            if span.kind == Kind::Consumer && !span.peer.is_empty() && !span.flags.has(Flags::RECEIVE) {
                *self.queues.entry(span.peer).or_default().entry(span.service).or_default() += 1;
            }
            if !is_call(span) || span.peer.is_empty() {
                continue;
            }
            if let Some(server) = tree.children(number).find(|child| child.kind.is_entry()) {
                *self.learned.entry(span.peer).or_default().entry(server.service).or_default() += 1;
            }
        }
    }

    /// Finds the service behind each address.
    pub(crate) fn settle(&mut self, settings: &Settings, strings: &Strings) {
        for (peer, address) in strings.peers.iter() {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            let is_of = |patterns: &crate::settings::Patterns| patterns.matches(address) || patterns.matches(host);
            self.own.insert(peer, is_of(&settings.addresses.own));
            self.third_party.insert(peer, is_of(&settings.addresses.third_party));
            let declared = settings.addresses.services.get(address).or_else(|| settings.addresses.services.get(host));
            let declared = declared.and_then(|service| strings.services.find(service));
            // A tie is decided by the name, so that the order of the input plays no part.
            let learned = self.learned.get(&peer).and_then(|services| {
                let name = |service: &Name| std::cmp::Reverse(strings.services.get(*service).to_owned());
                services.iter().max_by_key(|(service, calls)| (**calls, name(service))).map(|(service, _)| *service)
            });
            let first_label = host.split('.').next().unwrap_or(host);
            let named = [address, host, first_label].iter().find_map(|name| strings.services.find(name));
            if let Some(service) = declared.or(learned).or(named) {
                self.known.insert(peer, service);
            }
        }
    }

    /// Returns the service behind an address.
    pub(super) fn service(&self, peer: Name) -> Option<Name> {
        self.known.get(&peer).copied()
    }

    /// Returns the services that consume from a queue.
    pub(super) fn consumers(&self, queue: Name) -> impl Iterator<Item = Name> {
        self.queues.get(&queue).into_iter().flat_map(|services| services.keys().copied())
    }

    /// Returns `true` for an address that is declared to be of the system.
    pub(super) fn is_own(&self, peer: Name) -> bool {
        self.own.get(&peer).copied().unwrap_or_default()
    }

    /// Returns `true` for an address that is declared to be of others.
    pub(super) fn is_third_party(&self, peer: Name) -> bool {
        self.third_party.get(&peer).copied().unwrap_or_default()
    }
}
