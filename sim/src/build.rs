//! Which build this is.

use std::sync::OnceLock;

use xxhash_rust::xxh3::xxh3_64;

use crate::subject::catalog;

/// The commit, or `unknown`.
pub const COMMIT: &str = env!("SYNOD_COMMIT");

/// A hash of this package's sources and locked dependencies; the profile does not matter.
pub const BUILD: &str = env!("SYNOD_BUILD");

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What tells builds apart: digests are comparable only where it is equal. [`BUILD`], and with guests,
/// whose sources nobody here knows, a hash of the whole program: each build of a guest is another.
#[must_use]
pub fn identity() -> &'static str {
    static WITH_GUESTS: OnceLock<String> = OnceLock::new();
    if catalog::guests().is_empty() {
        return BUILD;
    }
    WITH_GUESTS.get_or_init(|| {
        let program = std::env::current_exe().and_then(std::fs::read);
        // A program that cannot be read is like no other.
        program.map_or_else(
            |_| "unknown".to_owned(),
            |bytes| format!("{:016x}", xxh3_64(&bytes)),
        )
    })
}
