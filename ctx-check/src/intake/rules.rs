//! Own rules, applied to spans, log records and resources.

use crate::{
    model::Attribute,
    settings::{OwnRule, Subject},
};

/// The rules of the settings.
pub(super) struct Rules<'s> {
    rules: &'s [OwnRule],
}

impl<'s> Rules<'s> {
    pub(super) const fn new(rules: &'s [OwnRule]) -> Self {
        Self { rules }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Calls `broken` with the number of each rule that is broken.
    pub(super) fn check(
        &self,
        on: Subject,
        service: &str,
        name: &str,
        attributes: &[Attribute<'_>],
        mut broken: impl FnMut(u16),
    ) {
        for (number, rule) in self.rules.iter().enumerate() {
            let is_applied = rule.on == on
                && (rule.service.is_empty() || rule.service.matches(service))
                && (rule.name.is_empty() || rule.name.matches(name))
                && rule
                    .when
                    .iter()
                    .all(|(key, patterns)| get(attributes, key).is_some_and(|value| patterns.matches(value)));
            if is_applied && !is_kept(rule, attributes) {
                broken(number as u16);
            }
        }
    }
}

fn get<'a>(attributes: &'a [Attribute<'_>], key: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| &*attribute.value)
}

fn is_kept(rule: &OwnRule, attributes: &[Attribute<'_>]) -> bool {
    rule.require.iter().all(|key| get(attributes, key).is_some_and(|value| !value.is_empty()))
        && rule.forbid.iter().all(|key| get(attributes, key).is_none())
        && rule.matches.iter().all(|(key, patterns)| get(attributes, key).is_none_or(|value| patterns.matches(value)))
        && rule.max_value_bytes.is_none_or(|most| attributes.iter().all(|attribute| attribute.value.len() <= most))
}
