//! Which checks and which faults the detections of a bug need: each is made again with one check
//! alone, and with one kind of fault left out.

use std::collections::BTreeSet;

use synod_reports::ablation::{Ablation, Part};
use synod_reports::line::ResultLine;

use crate::check::jury::Jury;
use crate::sweep::pool::Broken;
use crate::sweep::settings::{Judges, Settings, Target};
use crate::sweep::trials::{Detection, Trials, fails};
use crate::world::tally::Effect;

/// Of a bug's detections so many are looked into, at most.
const TRIALS: usize = 10;

/// Looks into the first of these detections.
///
/// # Errors
/// When the harness itself fails.
pub(super) fn ablate(
    settings: &Settings,
    trials: &mut Trials<'_, '_>,
    found: &[Detection],
) -> Result<Ablation, Broken> {
    let found = &found[..found.len().min(TRIALS)];
    let targets: Vec<Target> = found.iter().map(|one| one.target.clone()).collect();
    let mut ablation = Ablation {
        detections: found.len() as u64,
        ..Ablation::default()
    };
    by_check(settings, trials, found, &targets, &mut ablation)?;
    by_fault(settings, trials, found, &mut ablation)?;
    Ok(ablation)
}

/// Each check judges alone; and those that made detections are left out, each of its own. A
/// detection needs the check that made it when all others together do not.
fn by_check(
    settings: &Settings,
    trials: &mut Trials<'_, '_>,
    found: &[Detection],
    targets: &[Target],
    ablation: &mut Ablation,
) -> Result<(), Broken> {
    let judges = settings.judges.unwrap_or_default();
    let judging = crate::run::checks().filter(|check| {
        settings.only.has(check) && (judges == Judges::All || crate::run::is_client_visible(check))
    });
    let judging: Vec<&str> = judging.collect();
    for check in judging.iter().copied() {
        let mut part = Part::default();
        let alone = Settings {
            only: Jury::only([check]),
            ..settings.clone()
        };
        // A panic ends a run as well, whoever judges.
        let made_by = |line: &ResultLine| line.record.check.as_deref() == Some(check);
        let lines = trials.lines(&alone, targets)?;
        part.present = lines
            .iter()
            .filter(|line| fails(line) && made_by(line))
            .count() as u64;
        let own = found.iter().filter(|one| made_by(&one.line));
        let own: Vec<Target> = own.map(|one| one.target.clone()).collect();
        if judging.len() == 1 {
            part.needed = own.len() as u64;
        } else if !own.is_empty() {
            let others = judging.iter().copied().filter(|other| *other != check);
            let without = Settings {
                only: Jury::only(others),
                ..settings.clone()
            };
            let lines = trials.lines(&without, &own)?;
            part.needed = lines.iter().filter(|line| !fails(line)).count() as u64;
        }
        ablation.checks.insert(check.to_owned(), part);
    }
    Ok(())
}

/// Each kind of fault is left out. A detection needs it when the run then passes, or fails without
/// the bug as well, like a script that waits for what the fault does.
fn by_fault(
    settings: &Settings,
    trials: &mut Trials<'_, '_>,
    found: &[Detection],
    ablation: &mut Ablation,
) -> Result<(), Broken> {
    let mut kinds: BTreeSet<&str> = found
        .iter()
        .flat_map(|one| one.line.planned.iter().map(String::as_str))
        .collect();
    // That messages overtake each other cannot be left out.
    kinds.remove(Effect::Reorder.name());
    for kind in kinds {
        let targets: Vec<Target> = found
            .iter()
            .filter(|one| one.line.planned.iter().any(|planned| planned == kind))
            .map(|one| one.target.clone())
            .collect();
        let without = Settings {
            without: vec![kind.to_owned()],
            ..settings.clone()
        };
        let honest = Settings {
            bug: None,
            ..without.clone()
        };
        let still = trials.lines(&without, &targets)?;
        let anyway = trials.lines(&honest, &targets)?;
        let lost = still.iter().zip(&anyway);
        let lost = lost.filter(|(still, anyway)| !fails(still) || fails(anyway));
        let part = Part {
            present: targets.len() as u64,
            needed: lost.count() as u64,
        };
        ablation.faults.insert(kind.to_owned(), part);
    }
    Ok(())
}
