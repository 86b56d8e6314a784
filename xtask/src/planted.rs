//! The planted bugs that typed replicas can have. They have no disk: what is written is durable
//! whole, or not at all, so what an engine's log does with its sectors cannot be wrong there.

use synod_engine::bugs::Bug;

/// The parts of an engine that are about its disk.
const ON_DISK: [&str; 2] = ["wal-fsync-recovery", "corruption-handling"];

/// Reads the name of a bug that can show itself without a disk.
///
/// # Errors
/// There is no such bug, or it is of the disk.
pub fn without_disk(name: &str) -> Result<Bug, String> {
    let bug = Bug::named(name)
        .ok_or_else(|| format!("no planted bug is called {name}; `synod bugs list` names them"))?;
    let component = bug.card().component;
    if ON_DISK.contains(&component) {
        return Err(format!(
            "{name} shows itself on a disk, or in damage ({component}), which these replicas have not: \
             plant it in `synod sweep --bug {name}` or `synod crash-points --bug {name}`"
        ));
    }
    Ok(bug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bugs_of_the_disk_are_named_as_such() {
        assert!(without_disk("accept-below-promise").is_ok());
        let refused = without_disk("fsync-retry-trusted").expect_err("it is of the disk");
        assert!(
            refused.contains("which these replicas have not"),
            "{refused}"
        );
        let unknown = without_disk("nope").expect_err("there is none");
        assert!(unknown.contains("bugs list"), "{unknown}");
        for component in ON_DISK {
            assert!(
                Bug::ALL.iter().any(|bug| bug.card().component == component),
                "{component}"
            );
        }
    }
}
