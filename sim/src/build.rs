//! Which build this is.

/// The commit, or `unknown`.
pub const COMMIT: &str = env!("SYNOD_COMMIT");

/// A hash of the sources and locked dependencies. Digests are comparable only between equal builds;
/// the profile does not matter.
pub const BUILD: &str = env!("SYNOD_BUILD");

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
