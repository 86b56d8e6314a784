//! Which checks and which faults the detections of a bug need: each is made again with one check
//! alone, and with one kind of fault left out.

use std::collections::BTreeSet;

use synod_reports::ablation::{Ablation, Part};

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
    by_check(settings, trials, &targets, &mut ablation)?;
    by_fault(settings, trials, found, &mut ablation)?;
    Ok(ablation)
}

/// Each check judges alone. A detection needs one when no other makes it.
fn by_check(
    settings: &Settings,
    trials: &mut Trials<'_, '_>,
    targets: &[Target],
    ablation: &mut Ablation,
) -> Result<(), Broken> {
    let judges = settings.judges.unwrap_or_default();
    let judging = crate::run::checks().filter(|check| {
        settings.only.has(check) && (judges == Judges::All || crate::run::is_client_visible(check))
    });
    let mut made_by: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); targets.len()];
    for check in judging {
        let alone = Settings {
            only: Jury::only([check]),
            ..settings.clone()
        };
        // A panic ends a run as well, whoever judges.
        for (line, made_by) in trials.lines(&alone, targets)?.iter().zip(&mut made_by) {
            if fails(line) && line.record.check.as_deref() == Some(check) {
                made_by.insert(check);
            }
        }
        ablation.checks.insert(check.to_owned(), Part::default());
    }
    for made_by in &made_by {
        for check in made_by {
            let part = ablation.checks.entry((*check).to_owned()).or_default();
            part.present += 1;
            part.needed += u64::from(made_by.len() == 1);
        }
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
