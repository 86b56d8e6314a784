//! What a scenario does, for who wrote it: how many of its runs are distinct, whether each of its
//! faults changes anything, which milestones come, and which planted bugs it catches.
//!
//! A fault is judged by pairs of runs: the same seed with it and without it. Everything else is
//! decided as it was, so whatever is another between the two is the fault's doing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use synod_reports::line::ResultLine;
use synod_reports::record::Verdict;

use crate::sweep::pool::Broken;
use crate::sweep::seeds::Seeds;
use crate::sweep::settings::{Settings, Target};
use crate::sweep::trials::{Trials, fails};
use crate::world::tally::Effect;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario, the subject and the judges; no bug.
    pub settings: Settings,
    /// The scenario's name.
    pub scenario: String,
    /// The seeds of the honest runs.
    pub seeds: Seeds,
    /// The bugs that are planted, one after the other.
    pub bugs: Vec<String>,
    /// Each in so many of the seeds, from the first on, until it is caught.
    pub bug_seeds: u64,
    /// Milestones that the scenario asks for.
    pub milestones: Vec<String>,
    /// No bug is begun after this.
    pub until: Option<Instant>,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Tryout {
    /// The scenario.
    pub scenario: String,
    /// The first of its seeds.
    pub first_seed: u64,
    /// Honest runs.
    pub runs: u64,
    /// Runs whose digest no earlier run had.
    pub distinct: u64,
    /// How the runs ended: verdict, and how many.
    pub verdicts: BTreeMap<String, u64>,
    /// The runs that failed.
    pub failed: Vec<Failed>,
    /// What each kind of fault, or rate of the weather, did.
    pub faults: BTreeMap<String, Felt>,
    /// Milestone: the runs that reached it; those that are asked for are there with 0.
    pub milestones: BTreeMap<String, u64>,
    /// The bugs that were caught, in the order in which they were tried.
    pub caught: Vec<Caught>,
    /// The bugs that were tried and not caught.
    pub missed: Vec<Missed>,
    /// The bugs for which there was no time.
    pub untried: Vec<String>,
}

/// A run that failed though no bug was planted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Failed {
    /// Its seed.
    pub seed: u64,
    /// The check that failed it.
    pub check: Option<String>,
    /// What it says.
    pub message: Option<String>,
}

/// What a fault did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Felt {
    /// Runs that have it in their plan.
    pub runs: u64,
    /// Of those, runs in which it took effect.
    pub took_effect: u64,
    /// How often it did, in all.
    pub times: u64,
    /// Runs that were made again without it.
    pub compared: u64,
    /// Of those, runs that came out otherwise.
    pub changed: u64,
}

/// A bug that was caught.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Caught {
    /// The bug.
    pub bug: String,
    /// The seed of the run that failed.
    pub seed: u64,
    /// The check that failed it.
    pub check: Option<String>,
    /// The runs that it took.
    pub runs: u64,
}

/// A bug that was not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missed {
    /// The bug.
    pub bug: String,
    /// Runs with it.
    pub runs: u64,
    /// Of those, runs that came to its place.
    pub reached: u64,
    /// Of those, runs in which it changed what the engine did.
    pub triggered: u64,
}

impl Tryout {
    /// The faults that were planned and never did anything.
    #[must_use]
    pub fn unfelt(&self) -> Vec<&str> {
        let idle = self
            .faults
            .iter()
            .filter(|(_, felt)| felt.compared > 0 && felt.changed == 0);
        idle.map(|(kind, _)| kind.as_str()).collect()
    }

    /// The milestones that never came.
    #[must_use]
    pub fn unreached(&self) -> Vec<&str> {
        let never = self.milestones.iter().filter(|(_, runs)| **runs == 0);
        never.map(|(name, _)| name.as_str()).collect()
    }
}

/// Tries it.
///
/// # Errors
/// When the harness itself fails.
pub fn tryout(plan: &Plan, trials: &mut Trials<'_, '_>) -> Result<Tryout, Broken> {
    let mut all = Tryout {
        scenario: plan.scenario.clone(),
        first_seed: plan.seeds.start,
        ..Tryout::default()
    };
    let targets: Vec<Target> = (plan.seeds.start..plan.seeds.end)
        .map(|seed| Target::Scenario(plan.scenario.clone(), seed))
        .collect();
    let honest = trials.lines(&plan.settings, &targets)?;
    count(plan, &honest, &mut all);
    pairs(plan, trials, &targets, &honest, &mut all)?;
    for bug in &plan.bugs {
        let late = plan.until.is_some_and(|until| until <= Instant::now());
        if late || trials.halt.load(Ordering::Relaxed) {
            all.untried.push(bug.clone());
        } else {
            try_bug(plan, trials, &targets, &honest, bug, &mut all)?;
        }
    }
    Ok(all)
}

/// Counts what the honest runs show.
fn count(plan: &Plan, honest: &[ResultLine], all: &mut Tryout) {
    all.runs = honest.len() as u64;
    let digests: BTreeSet<&str> = honest.iter().map(|line| &*line.record.digest).collect();
    all.distinct = digests.len() as u64;
    for name in &plan.milestones {
        all.milestones.insert(name.clone(), 0);
    }
    for line in honest {
        let record = &line.record;
        *all.verdicts
            .entry(record.verdict.name().to_owned())
            .or_default() += 1;
        if record.verdict.is_failure() {
            all.failed.push(Failed {
                seed: record.seed,
                check: record.check.clone(),
                message: record.message.clone(),
            });
        }
        for name in record.milestones.keys() {
            *all.milestones.entry(name.clone()).or_default() += 1;
        }
        for kind in &line.planned {
            let felt = all.faults.entry(kind.clone()).or_default();
            let times = record.faults.get(kind).copied().unwrap_or(0);
            felt.runs += 1;
            felt.took_effect += u64::from(times > 0);
            felt.times += times;
        }
    }
}

/// Makes each run again without each kind of fault that it has.
fn pairs(
    plan: &Plan,
    trials: &mut Trials<'_, '_>,
    targets: &[Target],
    honest: &[ResultLine],
    all: &mut Tryout,
) -> Result<(), Broken> {
    for (kind, felt) in &mut all.faults {
        // That messages overtake each other cannot be left out.
        if kind == Effect::Reorder.name() {
            continue;
        }
        let with: Vec<(&Target, &ResultLine)> = targets
            .iter()
            .zip(honest)
            .filter(|(_, line)| line.planned.contains(kind))
            .collect();
        let without = Settings {
            without: vec![kind.clone()],
            ..plan.settings.clone()
        };
        let again: Vec<Target> = with.iter().map(|(target, _)| (*target).clone()).collect();
        let again = trials.lines(&without, &again)?;
        felt.compared = again.len() as u64;
        let pairs = with.iter().zip(&again);
        felt.changed = pairs
            .filter(|((_, line), again)| outcome(line) != outcome(again))
            .count() as u64;
    }
    Ok(())
}

/// What a run comes to, apart from what tells of a fault by itself.
fn outcome(line: &ResultLine) -> Value {
    let mut value = serde_json::to_value(&line.record).expect("plain data");
    if let Some(fields) = value.as_object_mut() {
        for told in [
            "digest",
            "events",
            "faults",
            "message",
            "states",
            "virtual_seconds",
            "accounted_bytes",
        ] {
            fields.remove(told);
        }
    }
    value
}

/// Plants a bug in the first seeds, until a check catches it.
fn try_bug(
    plan: &Plan,
    trials: &mut Trials<'_, '_>,
    targets: &[Target],
    honest: &[ResultLine],
    bug: &str,
    all: &mut Tryout,
) -> Result<(), Broken> {
    let planted = Settings {
        bug: Some(bug.to_owned()),
        ..plan.settings.clone()
    };
    let most = usize::try_from(plan.bug_seeds).unwrap_or(usize::MAX);
    let mut missed = Missed {
        bug: bug.to_owned(),
        runs: 0,
        reached: 0,
        triggered: 0,
    };
    let mut caught = None;
    let mut sound = honest.iter().map(|line| line.record.verdict);
    let mut sink = |_: Target, line: ResultLine, _: u64| {
        let (reached, triggered) = line.record.bug.unwrap_or((0, 0));
        let without = sound.next().unwrap_or(Verdict::Pass);
        missed.runs += 1;
        missed.reached += u64::from(reached > 0);
        missed.triggered += u64::from(triggered > 0);
        // What fails without the bug as well is no work of its.
        if fails(&line) && triggered > 0 && !without.is_failure() {
            caught = Some(Caught {
                bug: bug.to_owned(),
                seed: line.record.seed,
                check: line.record.check,
                runs: missed.runs,
            });
            return std::ops::ControlFlow::Break(());
        }
        std::ops::ControlFlow::Continue(())
    };
    trials.make(&planted, targets.iter().take(most).cloned(), &mut sink)?;
    match caught {
        Some(caught) => all.caught.push(caught),
        None => all.missed.push(missed),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;
    use crate::sweep::fake::{Behaviour, Fake};
    use crate::sweep::pool::Place;

    fn of(behaviour: Behaviour, bugs: &[&str], until: Option<Instant>) -> Tryout {
        let halt = AtomicBool::new(false);
        let mut place = |_: &Settings| Ok(Place::Here(Box::leak(Box::new(Fake::new(behaviour)))));
        let mut trials = Trials {
            jobs: 1,
            hang_after: Duration::from_secs(9),
            halt: &halt,
            place: &mut place,
        };
        let plan = Plan {
            settings: Settings::default(),
            scenario: "smoke/fake".to_owned(),
            seeds: Seeds { start: 1, end: 13 },
            bugs: bugs.iter().map(|bug| (*bug).to_owned()).collect(),
            bug_seeds: 11,
            milestones: vec!["leader-changed".to_owned()],
            until,
        };
        tryout(&plan, &mut trials).expect("it works")
    }

    #[test]
    fn a_bug_is_tried_until_it_is_caught() {
        let all = of(
            Behaviour::BugFailsEvery(10),
            &["accept-below-promise"],
            None,
        );
        assert_eq!((all.runs, all.failed.len()), (12, 0));
        assert_eq!(all.unreached(), ["leader-changed"]);
        let [caught] = all.caught.as_slice() else {
            panic!("{all:?}")
        };
        assert_eq!((caught.seed, caught.runs), (10, 10));
        let missed = of(
            Behaviour::BugFailsEvery(100),
            &["accept-below-promise"],
            None,
        )
        .missed;
        assert_eq!(missed.len(), 1);
        assert_eq!(missed[0].runs, 11);
    }

    #[test]
    fn for_what_there_is_no_time_is_told() {
        let all = of(
            Behaviour::BugFailsEvery(1),
            &["one", "two"],
            Some(Instant::now()),
        );
        assert_eq!(all.untried, ["one", "two"]);
        assert!(all.caught.is_empty() && all.missed.is_empty());
    }
}
