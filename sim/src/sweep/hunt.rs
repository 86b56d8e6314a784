//! Hunts a planted bug: runs it over fresh seeds of the mix and counts how often it is found,
//! without stopping at the first time.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use synod_reports::hunt::Count;
use synod_reports::line::ResultLine;
use synod_reports::record::Verdict;

use crate::check::jury::Jury;
use crate::sweep::ablation::ablate;
use crate::sweep::endings::HARNESS;
use crate::sweep::pool::{Broken, Place};
use crate::sweep::seeds::Seeds;
use crate::sweep::settings::{Judges, Settings, Target};
use crate::sweep::trials::{Detection, Trials, fails};

/// Of a bug's detections so many are made again, at most: as they were, without the bug, and judged
/// by clients alone.
const TRIALS: usize = 20;

/// How a bug is hunted.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The bug, the subject and the judges.
    pub settings: Settings,
    /// The scenarios; none: the mix.
    pub scenarios: Vec<String>,
    /// The first batch of seeds.
    pub seeds: Seeds,
    /// Further batches of the same size are added until the bug was found or so many seeds were
    /// run.
    pub up_to: u64,
    /// Stop at the first detection.
    pub until_found: bool,
    /// Ask which checks and faults the detections need.
    pub ablate: bool,
    /// Workers.
    pub jobs: usize,
    /// A run that takes longer does not end.
    pub hang_after: Duration,
}

/// Hunts one bug. `place` opens a place of work with these settings; `progress` hears of every run.
///
/// # Errors
/// When the harness itself fails.
pub fn hunt<'a>(
    plan: &Plan,
    halt: &AtomicBool,
    place: &mut dyn FnMut(&Settings) -> Result<Place<'a>, String>,
    progress: &mut dyn FnMut(&Count),
) -> Result<Count, Broken> {
    let mut trials = Trials {
        jobs: plan.jobs,
        hang_after: plan.hang_after,
        halt,
        place,
    };
    let mut count = Count::default();
    let mut found = Vec::new();
    let batch = (plan.seeds.end - plan.seeds.start).max(1);
    let mut start = plan.seeds.start;
    loop {
        let end = start.saturating_add(batch);
        let targets = seeds_of(&plan.scenarios, Seeds { start, end });
        trials.make(&plan.settings, targets, &mut |target, line, cpu_ns| {
            let found_now = add(&mut count, &line, cpu_ns);
            if found_now && found.len() < TRIALS {
                found.push(Detection { target, line });
            }
            progress(&count);
            if found_now && plan.until_found {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        start = end;
        let done = start - plan.seeds.start;
        if count.detections > 0
            || done >= plan.up_to
            || halt.load(std::sync::atomic::Ordering::Relaxed)
        {
            break;
        }
    }
    count.unsound += keep_sound(plan, &mut trials, &mut found)?;
    count.client_visible = match plan.settings.judges.unwrap_or_default() {
        Judges::Client => count.detections > 0,
        Judges::All => seen_by_clients(plan, &mut trials, &found)?,
    };
    if plan.ablate && !found.is_empty() {
        let ablation = ablate(&plan.settings, &mut trials, &found)?;
        // Of what was interrupted the rest would look as if nobody had needed it.
        let whole = !halt.load(std::sync::atomic::Ordering::Relaxed);
        count.ablation = whole.then_some(ablation);
    }
    Ok(count)
}

fn seeds_of(scenarios: &[String], seeds: Seeds) -> impl Iterator<Item = Target> + Clone + Send {
    (seeds.start..seeds.end).flat_map(move |seed| {
        if scenarios.is_empty() {
            vec![Target::Mix(seed)]
        } else {
            scenarios
                .iter()
                .map(|name| Target::Scenario(name.clone(), seed))
                .collect()
        }
    })
}

/// Adds a run. True when the bug was found in it.
fn add(count: &mut Count, line: &ResultLine, cpu_ns: u64) -> bool {
    let record = &line.record;
    let (reached, triggered) = record.bug.unwrap_or((0, 0));
    count.runs += 1;
    count.reached += u64::from(reached > 0);
    count.triggered += u64::from(triggered > 0);
    count.cpu_seconds += Duration::from_nanos(cpu_ns).as_secs_f64();
    count.lost += u64::from(record.verdict == Verdict::Lost);
    let share = count.scenarios.entry(record.scenario.clone()).or_default();
    share.runs += 1;
    if !fails(line) {
        return false;
    }
    // Whoever counts what its bugs do knows that this one did nothing here. And that the harness
    // fails is no work of a check's.
    let idle = record.bug.is_some() && triggered == 0;
    if idle || record.check.as_deref() == Some(HARNESS) {
        count.unsound += 1;
        return false;
    }
    share.detections += 1;
    if count.detections == 0 {
        count.first_check.clone_from(&record.check);
        count.first_run = Some((record.scenario.clone(), record.seed));
    }
    count.detections += 1;
    true
}

/// Keeps the detections that come again and do not come without the bug; says how many are none.
fn keep_sound(
    plan: &Plan,
    trials: &mut Trials<'_, '_>,
    found: &mut Vec<Detection>,
) -> Result<u64, Broken> {
    let targets: Vec<Target> = found.iter().map(|one| one.target.clone()).collect();
    let again = trials.lines(&plan.settings, &targets)?;
    let honest = Settings {
        bug: None,
        ..plan.settings.clone()
    };
    let without = trials.lines(&honest, &targets)?;
    if again.len() < found.len() || without.len() < found.len() {
        return Ok(0); // Interrupted.
    }
    let before = found.len();
    let mut made = again.into_iter().zip(without);
    found.retain(|one| {
        made.next().is_some_and(|(again, without)| {
            again.record.digest == one.line.record.digest
                && again.record.check == one.line.record.check
                && !without.record.verdict.is_failure()
        })
    });
    Ok((before - found.len()) as u64)
}

/// Whether some of these runs fail with contracts and facts off, judged by what clients see.
fn seen_by_clients(
    plan: &Plan,
    trials: &mut Trials<'_, '_>,
    found: &[Detection],
) -> Result<bool, Broken> {
    // Whether clients see the bug is asked of all that they see, whoever judged before.
    let settings = Settings {
        judges: Some(Judges::Client),
        only: Jury::default(),
        ..plan.settings.clone()
    };
    let targets = found.iter().map(|one| one.target.clone());
    let mut seen = false;
    trials.make(&settings, targets, &mut |_, line, _| {
        seen |= fails(&line);
        if seen {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, Fake};
    use crate::sweep::lost;
    use synod_reports::ablation::Part;

    fn plan(seeds: Seeds, up_to: u64, until_found: bool) -> Plan {
        Plan {
            settings: Settings {
                bug: Some("accept-below-promise".to_owned()),
                ..Settings::default()
            },
            scenarios: Vec::new(),
            seeds,
            up_to,
            until_found,
            ablate: true,
            jobs: 1,
            hang_after: Duration::from_secs(9),
        }
    }

    fn count(behaviour: Behaviour, seeds: Seeds, up_to: u64, until_found: bool) -> Count {
        let plan = plan(seeds, up_to, until_found);
        let halt = AtomicBool::new(false);
        let mut open = |_: &Settings| Ok(Place::Here(Box::leak(Box::new(Fake::new(behaviour)))));
        hunt(&plan, &halt, &mut open, &mut |_| ()).expect("it works")
    }

    #[test]
    fn it_does_not_stop_at_the_first_detection_unless_told_to() {
        let seeds = Seeds { start: 1, end: 101 };
        let whole = count(Behaviour::BugFailsEvery(10), seeds, 0, false);
        assert_eq!(
            (whole.runs, whole.detections, whole.first_check.as_deref()),
            (100, 10, Some("agreement"))
        );
        assert_eq!(whole.first_run, Some(("smoke/mix-1".to_owned(), 10)));
        assert_eq!((whole.client_visible, whole.unsound), (true, 0));
        let third = |mix| whole.scenarios[&format!("smoke/mix-{mix}")];
        assert_eq!((third(0).runs, third(0).detections), (33, 3));
        assert_eq!((third(1).runs, third(1).detections), (34, 4));
        let first = count(Behaviour::BugFailsEvery(10), seeds, 0, true);
        assert_eq!((first.runs, first.detections), (10, 1));
    }

    #[test]
    fn detections_tell_what_they_need() {
        let seeds = Seeds { start: 1, end: 101 };
        let count = count(Behaviour::BugFailsEvery(20), seeds, 0, false);
        let ablation = count.ablation.expect("it was asked");
        let part = |of: &std::collections::BTreeMap<String, Part>, name| {
            (of[name].present, of[name].needed)
        };
        assert_eq!(ablation.detections, 5);
        assert_eq!(part(&ablation.checks, "agreement"), (5, 5));
        assert_eq!(part(&ablation.checks, "ghost"), (0, 0));
        assert_eq!(ablation.faults.len(), 1, "{:?}", ablation.faults);
        assert_eq!(part(&ablation.faults, "pause"), (5, 5));
    }

    #[test]
    fn a_check_is_needed_that_finds_nothing_alone_when_nothing_is_found_without_it() {
        let seeds = Seeds { start: 1, end: 101 };
        let count = count(Behaviour::BugFailsTogether(20), seeds, 0, false);
        let checks = count.ablation.expect("it was asked").checks;
        let part = |name: &str| (checks[name].present, checks[name].needed);
        assert_eq!((part("agreement"), part("prefix")), ((0, 5), (0, 0)));
    }

    #[test]
    fn what_was_interrupted_or_not_found_says_nothing_of_needs() {
        let seeds = Seeds { start: 1, end: 101 };
        let not_found = count(Behaviour::Pass, seeds, 0, false);
        assert_eq!(not_found.ablation, None);
        let plan = plan(seeds, 0, false);
        let halt = AtomicBool::new(false);
        let mut open = |_: &Settings| {
            let fake = Fake::new(Behaviour::BugFailsEvery(20));
            Ok(Place::Here(Box::leak(Box::new(fake))))
        };
        let interrupted = hunt(&plan, &halt, &mut open, &mut |count| {
            halt.store(count.detections == 2, std::sync::atomic::Ordering::Relaxed);
        });
        let interrupted = interrupted.expect("it works");
        assert_eq!((interrupted.detections, interrupted.ablation), (2, None));
    }

    #[test]
    fn what_fails_without_the_bug_or_not_again_is_unsound() {
        let seeds = Seeds { start: 0, end: 50 };
        let anyway = count(Behaviour::FailEvery(10), seeds, 0, false);
        assert_eq!((anyway.detections, anyway.unsound), (4, 5));
        let untouched = count(Behaviour::BugFailsEvery(10), seeds, 0, false);
        assert_eq!((untouched.detections, untouched.unsound), (4, 1));
    }

    #[test]
    fn lost_runs_are_no_detections() {
        let mut count = Count::default();
        for check in [lost::HANG, lost::CRASH] {
            assert!(!add(
                &mut count,
                &lost::line("a", 1, check, String::new()),
                0
            ));
        }
        assert_eq!((count.runs, count.detections, count.lost), (2, 0, 2));
        assert_eq!((count.first_check, count.first_run), (None, None));
    }

    #[test]
    fn a_failure_of_the_harness_is_no_detection() {
        let mut count = Count::default();
        let mut line = lost::line("a", 1, HARNESS, String::new());
        line.record.verdict = Verdict::Panic;
        assert!(!add(&mut count, &line, 0));
        assert_eq!((count.detections, count.unsound), (0, 1));
    }

    #[test]
    fn a_bug_that_hides_gets_more_seeds() {
        let seeds = Seeds { start: 1, end: 51 };
        let late = count(Behaviour::BugFailsEvery(120), seeds, 1_000, false);
        assert_eq!((late.runs, late.detections), (150, 1));
        let never = count(Behaviour::Pass, seeds, 200, false);
        assert_eq!(
            (never.runs, never.detections, never.client_visible),
            (200, 0, false)
        );
    }
}
