//! `alone`: what each check catches when nobody else judges, so that one that is blind is not
//! hidden behind the others.
//!
//! Each row is a planted bug that the check is known to catch, and the seeds of the mix within
//! which it must. Rows are found with `synod hunt --only CHECK`.

use std::time::Instant;

use synod_reports::table;
use synod_sim::check::jury::Jury;
use synod_sim::sweep::job::execute;
use synod_sim::sweep::settings::{Item, Keep, Settings, Target};
use synod_sim::sweep::shelf;

/// The first seed, far from those that others use.
const FIRST_SEED: u64 = 6_000_000;

/// A check, a bug that it catches alone, and the number of seeds within which it does, with room to
/// spare.
const ROWS: [(&str, &str, u64); 22] = [
    ("ghost", "accept-below-promise", 20),
    ("agreement", "next-slot-from-own-log", 60),
    ("answers", "cached-reply-of-wrong-seq", 40),
    ("ballots", "hardstate-file-unsynced", 60),
    ("before-durable", "promise-before-fsync", 20),
    ("convergence", "eviction-order-nondeterministic", 400),
    ("durability", "leader-self-ack-before-fsync", 40),
    ("exactly-once", "dedup-at-propose-only", 60),
    ("log-order", "read-ignores-apply-lag", 80),
    ("prefix", "commit-over-hole", 20),
    ("progress", "no-accept-retransmit", 40),
    ("promises", "promise-reports-promised-as-accepted", 20),
    ("proposals", "next-slot-from-own-log", 40),
    ("session-order", "dedup-in-leader-memory", 100),
    ("stability", "deaf-candidate-deposes-forever", 200),
    ("linearizability", "read-ignores-apply-lag", 80),
    ("closing-audit", "no-accept-retransmit", 40),
    ("contract", "accept-does-not-raise-promise", 40),
    ("fencing-audit", "promise-before-fsync", 400),
    ("last-quorum-audit", "accepted-before-fsync", 200),
    ("recovery-time", "no-accept-retransmit", 80),
    ("unexplained-halt", "fsync-retry-trusted", 40),
];

/// Checks that have caught nothing alone so far.
const NEVER: &[&str] = &[];

/// Runs every row and prints what was caught.
///
/// # Errors
/// The checks that did not catch their bug.
pub fn run() -> Result<(), String> {
    let mut shown = Vec::new();
    let mut blind = Vec::new();
    for (check, bug, within) in ROWS {
        let began = Instant::now();
        let caught = caught(check, bug, within)?;
        if caught.is_none() {
            blind.push(format!(
                "`{check}` does not catch {bug} within {within} seeds"
            ));
        }
        let runs = caught.map_or_else(|| "not caught".to_owned(), |runs| runs.to_string());
        shown.push(vec![
            check.to_owned(),
            bug.to_owned(),
            runs,
            within.to_string(),
            format!("{:.1} s", began.elapsed().as_secs_f64()),
        ]);
    }
    print!(
        "{}",
        table::plain(
            &["check, alone", "catches", "runs", "within", "took"],
            &shown
        )
    );
    for check in NEVER {
        println!("`{check}` has caught nothing alone so far");
    }
    if blind.is_empty() {
        Ok(())
    } else {
        Err(blind.join("\n"))
    }
}

/// How many runs it took; none when it was not caught. A run that fails otherwise, which only a
/// panic can do, does not count.
fn caught(check: &str, bug: &str, within: u64) -> Result<Option<u64>, String> {
    let settings = Settings {
        bug: Some(bug.to_owned()),
        only: Jury::only([check]),
        ..Settings::default()
    };
    let mut source = shelf::open(&settings)?;
    for number in 0..within {
        let item = Item {
            number,
            target: Target::Mix(FIRST_SEED + number),
            keep: Keep::Line,
        };
        let record = execute(source.as_mut(), &settings, &item, &mut |_| ())?
            .line
            .record;
        if record.verdict.is_failure() && record.check.as_deref() == Some(check) {
            return Ok(Some(number + 1));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_sim::subject::bug_card::bugs;

    #[test]
    fn every_check_has_a_row_or_is_listed_as_catching_nothing() {
        for check in synod_sim::run::checks() {
            let rows = ROWS.iter().filter(|row| row.0 == check).count();
            assert_eq!(
                rows,
                usize::from(!NEVER.contains(&check)),
                "{check}: find a bug for it with `synod hunt --only {check}`"
            );
        }
        for (check, bug, _) in ROWS {
            assert!(
                bugs("synod").iter().any(|card| card.name == bug),
                "{check}: there is no bug {bug}"
            );
        }
    }
}
