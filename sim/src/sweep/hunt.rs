//! Hunts a planted bug: runs it over fresh seeds of the mix and counts how often it is found,
//! without stopping at the first time.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use synod_reports::hunt::Count;
use synod_reports::line::ResultLine;
use synod_reports::record::Verdict;

use crate::check::jury::Jury;
use crate::sweep::order::Reorder;
use crate::sweep::pool::{Broken, Place, Pool};
use crate::sweep::seeds::Seeds;
use crate::sweep::settings::{Item, Judges, Keep, Settings, Target};

/// Of a bug's detections so many are judged again by clients alone, at most, to learn whether
/// clients see it.
const CLIENT_TRIALS: usize = 20;

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
    let mut count = Count::default();
    let mut found = Vec::new();
    let batch = (plan.seeds.end - plan.seeds.start).max(1);
    let mut start = plan.seeds.start;
    loop {
        let end = start.saturating_add(batch);
        run_batch(
            plan,
            Seeds { start, end },
            halt,
            place,
            &mut count,
            &mut found,
            progress,
        )?;
        start = end;
        let done = start - plan.seeds.start;
        if count.detections > 0
            || done >= plan.up_to
            || halt.load(std::sync::atomic::Ordering::Relaxed)
        {
            break;
        }
    }
    count.client_visible = match plan.settings.judges.unwrap_or_default() {
        Judges::Client => count.detections > 0,
        Judges::All => seen_by_clients(plan, halt, place, &found)?,
    };
    Ok(count)
}

fn run_batch<'a>(
    plan: &Plan,
    seeds: Seeds,
    halt: &AtomicBool,
    place: &mut dyn FnMut(&Settings) -> Result<Place<'a>, String>,
    count: &mut Count,
    found: &mut Vec<Target>,
    progress: &mut dyn FnMut(&Count),
) -> Result<(), Broken> {
    let mut targets = seeds_of(&plan.scenarios, seeds).enumerate();
    let mut next = || {
        targets.next().map(|(number, target)| Item {
            number: number as u64,
            target,
            keep: Keep::Line,
        })
    };
    let mut order: Reorder<(ResultLine, u64)> = Reorder::default();
    let mut place = place(&plan.settings).map_err(Broken)?;
    pool(plan, &plan.settings, halt).work(&mut place, &mut next, &mut |report| {
        order.push(report.number, (report.line, report.cpu_ns));
        while let Some((line, cpu_ns)) = order.pop() {
            let found_now = add(count, &line, cpu_ns);
            if found_now && found.len() < CLIENT_TRIALS {
                let record = &line.record;
                found.push(if plan.scenarios.is_empty() {
                    Target::Mix(record.seed)
                } else {
                    Target::Scenario(record.scenario.clone(), record.seed)
                });
            }
            progress(count);
            if found_now && plan.until_found {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })
}

fn seeds_of(scenarios: &[String], seeds: Seeds) -> impl Iterator<Item = Target> + Send {
    let scenarios = scenarios.to_vec();
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
    let found = detects(line);
    if found {
        if count.detections == 0 {
            count.first_check.clone_from(&record.check);
            count.first_run = Some((record.scenario.clone(), record.seed));
        }
        count.detections += 1;
    }
    found
}

/// Whether a check found the bug in this run. A lost run shows that something is wrong, and is
/// counted apart: that nobody came back is no work of a checker's.
fn detects(line: &ResultLine) -> bool {
    let verdict = line.record.verdict;
    verdict.is_failure() && verdict != Verdict::Lost
}

/// Whether some of these runs fail with contracts and facts off, judged by what clients see.
fn seen_by_clients<'a>(
    plan: &Plan,
    halt: &AtomicBool,
    place: &mut dyn FnMut(&Settings) -> Result<Place<'a>, String>,
    found: &[Target],
) -> Result<bool, Broken> {
    if found.is_empty() {
        return Ok(false);
    }
    // Whether clients see the bug is asked of all that they see, whoever judged before.
    let settings = Settings {
        judges: Some(Judges::Client),
        only: Jury::default(),
        ..plan.settings.clone()
    };
    let mut items = found
        .iter()
        .cloned()
        .enumerate()
        .map(|(number, target)| Item {
            number: number as u64,
            target,
            keep: Keep::Line,
        });
    let mut seen = false;
    let mut place = place(&settings).map_err(Broken)?;
    pool(plan, &settings, halt).work(&mut place, &mut || items.next(), &mut |report| {
        seen |= detects(&report.line);
        if seen {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(seen)
}

const fn pool<'p>(plan: &Plan, settings: &'p Settings, halt: &'p AtomicBool) -> Pool<'p> {
    Pool {
        settings,
        jobs: plan.jobs,
        hang_after: plan.hang_after,
        until: None,
        halt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fake::{Behaviour, Fake};
    use crate::sweep::lost;

    fn count(behaviour: Behaviour, seeds: Seeds, up_to: u64, until_found: bool) -> Count {
        let plan = Plan {
            settings: Settings::default(),
            scenarios: Vec::new(),
            seeds,
            up_to,
            until_found,
            jobs: 1,
            hang_after: Duration::from_secs(9),
        };
        let halt = AtomicBool::new(false);
        let mut open = |_: &Settings| Ok(Place::Here(Box::leak(Box::new(Fake::new(behaviour)))));
        hunt(&plan, &halt, &mut open, &mut |_| ()).expect("it works")
    }

    #[test]
    fn it_does_not_stop_at_the_first_detection_unless_told_to() {
        let seeds = Seeds { start: 1, end: 101 };
        let whole = count(Behaviour::FailEvery(10), seeds, 0, false);
        assert_eq!(
            (whole.runs, whole.detections, whole.first_check.as_deref()),
            (100, 10, Some("agreement"))
        );
        assert_eq!(whole.first_run, Some(("smoke/mix-1".to_owned(), 10)));
        assert!(whole.client_visible);
        let first = count(Behaviour::FailEvery(10), seeds, 0, true);
        assert_eq!((first.runs, first.detections), (10, 1));
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
    fn a_bug_that_hides_gets_more_seeds() {
        let seeds = Seeds { start: 1, end: 51 };
        let late = count(Behaviour::FailEvery(120), seeds, 1_000, false);
        assert_eq!((late.runs, late.detections), (150, 1));
        let never = count(Behaviour::Pass, seeds, 200, false);
        assert_eq!(
            (never.runs, never.detections, never.client_visible),
            (200, 0, false)
        );
    }
}
