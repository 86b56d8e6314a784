//! Bake-in: how likely a run is to fail from each of its moments on. The run goes other ways from
//! there, many times, under fresh choices; where the share of those that fail leaps, something
//! happened that mattered.
//!
//! The idea is that of "bug bake-in" of deterministic hypervisors, where it is done for whole
//! machines; here a future is a [`Branch`] of the plan.

use serde::Serialize;
use synod_reports::record::Verdict;

use crate::choices::Branch;
use crate::plan::Plan;
use crate::shrink::case::Case;

/// Futures from each moment.
pub const FUTURES: u64 = 20;
/// Moments to begin with lie so many to the whole run.
const COARSE: u64 = 8;
/// Moments that are put between two others.
const FINE: usize = 24;
/// A leap is a quarter of the futures, or more.
const LEAP: u64 = FUTURES / 4;

/// A moment, and what became of the run from there on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Moment {
    /// So many events are handled as they were: what a [`Branch`] goes by.
    pub event: u64,
    /// The number of the next line of the story.
    pub number: u64,
    /// Of the futures that were tried, so many failed.
    pub failed: u64,
    /// Futures.
    pub futures: u64,
    /// A future that passes, by the salt of its branch.
    #[serde(skip)]
    pub passing: Option<u64>,
}

impl Moment {
    /// The share that fails, in percent.
    #[must_use]
    pub const fn percent(&self) -> u64 {
        match self.futures {
            0 => 0,
            futures => self.failed * 100 / futures,
        }
    }
}

/// The plan that goes another way after so many events.
#[must_use]
pub fn branched(plan: &Plan, event: u64, salt: u64) -> Plan {
    let mut plan = plan.clone();
    plan.branches.push(Branch { event, salt });
    plan
}

/// The first moment at which this plan can go another way.
#[must_use]
pub fn first_moment(plan: &Plan) -> u64 {
    plan.branches.last().map_or(0, |branch| branch.event + 1)
}

/// Moments of the run, in order, closer to each other where the share leaps; the first is the
/// beginning, the last is before the event that fails. Less of them when the budget is spent. `steps`
/// are those of the run, see [`RunOutcome::steps`](crate::run::RunOutcome::steps).
pub fn bake_in(case: &mut Case<'_>, plan: &Plan, steps: &[(u64, u64)]) -> Vec<Moment> {
    let first = first_moment(plan);
    let mut moments = Vec::new();
    let Some(&(last, _)) = steps.last() else {
        return moments;
    };
    if last < first {
        return moments;
    }
    let number_of = |event: u64| {
        let place = steps.partition_point(|(handled, _)| *handled < event);
        steps.get(place).map_or(u64::MAX, |(_, number)| *number)
    };
    let mut look = |event: u64| look(case, plan, event, number_of(event));
    let mut events: Vec<u64> = (0..=COARSE)
        .map(|step| first + (last - first) * step / COARSE)
        .collect();
    events.dedup();
    for event in events {
        let Some(moment) = look(event) else {
            return moments;
        };
        moments.push(moment);
    }
    for _ in 0..FINE {
        let Some(place) = steepest(&moments) else {
            break;
        };
        let middle = u64::midpoint(moments[place].event, moments[place + 1].event);
        let Some(moment) = look(middle) else {
            break;
        };
        moments.insert(place + 1, moment);
    }
    moments
}

/// What becomes of the run from here on; none when the budget is spent.
fn look(case: &mut Case<'_>, plan: &Plan, event: u64, number: u64) -> Option<Moment> {
    let plans: Vec<Plan> = (1..=FUTURES)
        .map(|salt| branched(plan, event, salt))
        .collect();
    let records = case.all(&plans);
    let mut moment = Moment {
        event,
        number,
        failed: 0,
        futures: 0,
        passing: None,
    };
    for (salt, record) in (1..).zip(records) {
        let record = record?;
        moment.futures += 1;
        if record.verdict.is_failure() {
            moment.failed += 1;
        } else if record.verdict == Verdict::Pass {
            moment.passing.get_or_insert(salt);
        }
    }
    Some(moment)
}

/// The moment before the steepest leap that can still be told apart.
fn steepest(moments: &[Moment]) -> Option<usize> {
    let pairs = moments.windows(2).enumerate();
    let leaps = pairs.filter(|(_, pair)| is_leap(pair) && pair[1].event > pair[0].event + 1);
    // Of equal ones the last: what comes late is near to the failure.
    let (place, _) = leaps.max_by_key(|(_, pair)| pair[0].failed.abs_diff(pair[1].failed))?;
    Some(place)
}

const fn is_leap(pair: &[Moment]) -> bool {
    pair[0].failed.abs_diff(pair[1].failed) >= LEAP
}

/// Pairs of moments between which the share leaps, the highest leap first: so many at most.
#[must_use]
pub fn leaps(moments: &[Moment], most: usize) -> Vec<(Moment, Moment)> {
    let mut leaps: Vec<(Moment, Moment)> = moments
        .windows(2)
        .filter(|pair| is_leap(pair))
        .map(|pair| (pair[0], pair[1]))
        .collect();
    leaps.sort_by_key(|(before, after)| std::cmp::Reverse(before.failed.abs_diff(after.failed)));
    leaps.truncate(most);
    leaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(event: u64, failed: u64) -> Moment {
        Moment {
            event,
            number: 2 * event,
            failed,
            futures: FUTURES,
            passing: None,
        }
    }

    #[test]
    fn a_leap_is_looked_at_more_closely_until_it_is_one_event() {
        let moments = [moment(0, 0), moment(8, 2), moment(16, 18), moment(17, 20)];
        assert_eq!(steepest(&moments), Some(1));
        assert_eq!(steepest(&[moment(7, 0), moment(8, 20)]), None);
        assert_eq!(steepest(&[moment(0, 0), moment(80, LEAP - 1)]), None);
        let found = leaps(&moments, 3);
        assert_eq!(found, [(moments[1], moments[2])]);
        assert_eq!(moments[2].percent(), 90);
    }
}
