//! Identifiers of requests and messages.

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
    time::SystemTime,
};

/// Creates a UUID of version 7.
pub(crate) fn unique_id() -> String {
    thread_local! {
        // Keyed with randomness of the operating system, so that the hash of a counter is unpredictable.
        static RANDOM: (RandomState, Cell<u64>) = (RandomState::new(), const { Cell::new(0) });
    }
    let random = |count: u64| {
        RANDOM.try_with(|(state, _)| state.hash_one(count)).unwrap_or_else(|_| RandomState::new().hash_one(count))
    };
    let count = RANDOM.try_with(|(_, next)| next.replace(next.get().wrapping_add(2))).unwrap_or_default();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random(count).to_ne_bytes());
    bytes[8..].copy_from_slice(&random(count.wrapping_add(1)).to_ne_bytes());
    let mut ten = [0; 10];
    ten.copy_from_slice(&bytes[..10]);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &ten).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_ids_are_uuids_of_version_7() {
        let ids: std::collections::HashSet<String> = (0..10_000).map(|_| unique_id()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            let id: uuid::Uuid = id.parse().expect("it is a UUID");
            assert_eq!(id.get_version_num(), 7);
        }
    }
}
