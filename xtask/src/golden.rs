//! `bless`: writes the golden digests that `sim/tests/golden.rs` holds every build against.

use synod_sim::sweep::golden::{PATH, digests};

/// Renews the file.
///
/// # Errors
/// When a run cannot be made, or the file cannot be written.
pub fn bless() -> Result<(), String> {
    let before = std::fs::read_to_string(PATH).unwrap_or_default();
    let after = digests()?;
    if before == after {
        println!("{PATH} is as it was");
        return Ok(());
    }
    let changed = after
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .count();
    std::fs::write(PATH, &after).map_err(|error| format!("{PATH}: {error}"))?;
    println!("{PATH}: {changed} lines are new; say in the commit why runs changed");
    Ok(())
}
