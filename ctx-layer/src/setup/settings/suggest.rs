//! Names that were probably meant.

/// Returns the known name that is nearest to a wrong one, if it is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer names than any that is known are not compared: the time is their product.
    if wrong.len() > 96 {
        return None;
    }
    let wrong = wrong.to_ascii_lowercase().replace('-', "_");
    let near = |name: &str| strsim::osa_distance(&wrong, &name.to_ascii_lowercase().replace('-', "_"));
    known
        .map(|name| (near(name), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).clamp(1, 4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
