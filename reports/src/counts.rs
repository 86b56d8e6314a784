//! Counts by name.

use std::collections::BTreeMap;

/// The count of this name, or a new one.
pub(crate) fn entry<'a, Count: Default>(
    counts: &'a mut BTreeMap<String, Count>,
    name: &str,
) -> &'a mut Count {
    if !counts.contains_key(name) {
        counts.insert(name.to_owned(), Count::default());
    }
    counts.get_mut(name).expect("just inserted")
}
