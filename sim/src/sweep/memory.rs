//! The memory of a worker: an address space of its own, so that a run that takes memory without
//! bound ends at the same place on every machine, and ends alone.
//!
//! A run is held to [accounted bytes](crate::run::ACCOUNTED_BYTES_MAX) first, which is a matter of
//! the run alone. This is for what accounts for nothing, or takes everything in a single step.

/// Bytes that a worker may map, some fifty times what it uses. What the allocator reserves for
/// itself counts, a gibibyte as it begins.
pub const ADDRESS_SPACE: u64 = 2 << 30;

/// Limits the address space of this process to so many bytes, or to what it is limited to already.
/// A system that has no such limit has none here.
pub fn limit(bytes: u64) {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_AS) {
            let _ = setrlimit(Resource::RLIMIT_AS, soft.min(bytes), hard);
        }
    }
    #[cfg(not(unix))]
    let _ = bytes;
}

/// Whether this line on standard error is the last word of a process that was refused memory.
#[must_use]
pub fn is_refusal(line: &str) -> bool {
    line.strip_prefix("memory allocation of ")
        .is_some_and(|rest| rest.ends_with(" bytes failed"))
}
