//! Crash points, one by one: a quiet run is walked event by event, and at each boundary of what a
//! replica asks for it is struck in a fork.
//!
//! A boundary is after something that a replica sent or asked of its disk, or after such a thing has
//! ended. It dies there by a kill, by a loss of its power, or with all others by an outage, each time
//! with another subset of what no sync covers, and comes back; or what it asks for next of its disk
//! fails, with another subset of it on the media. The fork then goes on to its end, and all checks and
//! audits judge it as they do any run.
//!
//! What is walked next goes on from a strike that led into windows which the runs walked before
//! never came by: recoveries, and what follows a failure. It is struck in those windows alone.
//!
//! What is not tried: two replicas struck apart from each other at once, and subsets of what several
//! have unsynced at an outage, where all others keep nothing or everything.

use std::collections::{BTreeMap, BTreeSet};

use crate::choices::loose::Loose;
use crate::choices::strike::{Blow, Strike};
use crate::ids::Node;
use crate::panics::caught;
use crate::subject::catalog;
use crate::subject::process::Subject;
use crate::verdict::Failure;
use crate::verdict::court::Court;
use crate::world::watch::{Asked, Class, Stepped, Window};

use super::course::{Phase, Run};
use super::{RunOutcome, RunSpec, run_judged};

mod boundary;
mod survey;

pub use boundary::ALL_SUBSETS_UP_TO;
use boundary::{Before, subsets};
pub use survey::{Blows, Crossed, Found, Survey};

/// How far a walk goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Forks at most.
    pub forks: u64,
    /// Ways to fail after which it ends.
    pub failures: u64,
}

/// Walks over the crash points of this run. None when there is no such subject.
#[must_use]
pub fn crash_points(
    spec: &RunSpec,
    bounds: Bounds,
    told: &mut dyn FnMut(&Survey),
) -> Option<Survey> {
    let mut walk = Walk {
        subject: catalog::find(&spec.subject)?,
        spec: spec.clone(),
        bounds,
        survey: Survey::default(),
        wanted: None,
        told,
    };
    walk.all();
    Some(walk.survey)
}

struct Walk<'a> {
    subject: &'static dyn Subject,
    /// The run that is walked.
    spec: RunSpec,
    bounds: Bounds,
    survey: Survey,
    /// Only these windows are struck: whose each is, and from which event to which.
    wanted: Option<Vec<Stretch>>,
    told: &'a mut dyn FnMut(&Survey),
}

/// A window that came, and when.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    window: Window,
    node: Node,
    first: u64,
    last: u64,
}

/// Blows that fell into windows whose end has not come: by replica, class, the operation that began
/// it, and whether that is done.
type Pending = BTreeMap<(Node, Class, Option<&'static str>, bool), Blows>;

impl Walk<'_> {
    /// The quiet run, and then what goes on from strikes, until no window is dark for want of a walk.
    fn all(&mut self) {
        let whole = self.straight();
        if whole.record.verdict.is_failure() {
            return self.fails(Vec::new(), whole);
        }
        self.walk();
        let mut walked = BTreeSet::new();
        while !self.is_over() {
            let dark = self.survey.windows.values().map(|crossed| &crossed.after);
            let next = dark.filter(|after| !after.is_empty() && !walked.contains(*after));
            let shortest = |after: &&Vec<Strike>| (after.len(), after[0].event);
            let Some(next) = next.min_by_key(shortest).cloned() else {
                return;
            };
            walked.insert(next.clone());
            self.spec.plan.strikes = next;
            self.wanted = Some(self.stretches());
            self.walk();
        }
    }

    fn is_over(&self) -> bool {
        self.survey.forks >= self.bounds.forks
            || self.survey.found.len() as u64 >= self.bounds.failures
    }

    fn begin(&self) -> Run<Court> {
        let court = self.court();
        let mut run = Run::begin(&self.spec, self.subject, court);
        run.world.watch_disks();
        run
    }

    fn court(&self) -> Court {
        let RunSpec {
            plan, checks, jury, ..
        } = &self.spec;
        Court::new(
            plan.cluster.replicas,
            self.subject.reader(),
            *checks,
            jury.clone(),
        )
    }

    /// The run in a straight line, as it is reproduced.
    fn straight(&self) -> RunOutcome {
        run_judged(&self.spec, self.subject, self.court())
    }

    /// A copy; of a subject that cannot be copied, the same run up to there again.
    fn copy(&self, run: &Run<Court>) -> Run<Court> {
        run.fork().unwrap_or_else(|| {
            let mut again = self.begin();
            while again.world.events() < run.world.events() && again.step().is_ok() {}
            again
        })
    }

    /// Walks over the run up to its heal, and strikes.
    fn walk(&mut self) {
        self.survey.walked += 1;
        let first = self
            .spec
            .plan
            .strikes
            .last()
            .map_or(0, |strike| strike.event + 1);
        let mut run = self.begin();
        let (mut before, mut pending) = (Before::default(), Pending::new());
        while run.phase == Phase::Chaos && self.survey.found.len() as u64 != self.bounds.failures {
            let copy = self.copy(&run);
            let changes = run.world.watch().map_or(0, |watch| watch.changes);
            if !caught(|| run.step()).is_ok_and(|step| step.is_ok()) {
                return;
            }
            let watch = run.world.watch().expect("it watches since it began");
            let ended = std::mem::take(&mut watch.ended);
            let event = copy.world.events();
            if let Some(stepped) = watch.stepped.take()
                && run.phase == Phase::Chaos
                && event >= first
                && self.is_wanted(stepped.node, event)
            {
                self.step(&copy, &stepped, (&mut before, changes), &mut pending);
            }
            for (node, window) in ended {
                let key = (node, window.class, window.from, window.to.is_some());
                let blows = pending.remove(&key).unwrap_or_default();
                if self
                    .wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted.iter().any(|stretch| stretch.window == window))
                {
                    self.survey.fell(window, &blows);
                }
            }
            (self.told)(&self.survey);
        }
    }

    /// The first stretch of each window of this run that never came without a strike.
    fn stretches(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut began: BTreeMap<(Node, Class), u64> = BTreeMap::new();
        let mut run = self.begin();
        while run.phase == Phase::Chaos {
            let event = run.world.events();
            if !caught(|| run.step()).is_ok_and(|step| step.is_ok()) {
                break;
            }
            let watch = run.world.watch().expect("it watches since it began");
            for (node, window) in std::mem::take(&mut watch.ended) {
                let first = began.insert((node, window.class), event);
                let is_dark = self
                    .survey
                    .windows
                    .get(&window)
                    .is_none_or(|known| known.seen == 0);
                if is_dark && !stretches.iter().any(|known| known.window == window) {
                    stretches.push(Stretch {
                        window,
                        node,
                        first: first.unwrap_or(0),
                        last: event,
                    });
                }
            }
        }
        stretches
    }

    fn is_wanted(&self, node: Node, event: u64) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| {
            let is_in = |stretch: &Stretch| {
                stretch.node == node && (stretch.first..=stretch.last).contains(&event)
            };
            wanted.iter().any(is_in)
        })
    }

    /// Strikes at all boundaries of a step.
    fn step(
        &mut self,
        copy: &Run<Court>,
        stepped: &Stepped,
        (before, changes): (&mut Before, u64),
        pending: &mut Pending,
    ) {
        let at = |after, by| Strike {
            event: copy.world.events(),
            replica: stepped.node.0 + 1,
            after,
            by,
            keep: Vec::new(),
        };
        let Some(mut whole) = self.cut(copy, &at(0, Blow::Kill)) else {
            return;
        };
        let now = whole.world.watch().map_or(0, |watch| watch.changes);
        let (boundaries, same) = before.boundaries(stepped, now > changes, now);
        self.survey.same += same;
        for after in boundaries {
            let Some(cut) = self.cut(copy, &at(after, Blow::Kill)) else {
                continue;
            };
            self.survey.points += 1;
            for strike in self.deaths(&cut, stepped.node, &at(after, Blow::Kill)) {
                self.strike(copy, &cut, strike, pending);
            }
        }
        for (asked, after) in stepped.asked.iter().zip(0..) {
            if matches!(asked, Asked::Change | Asked::Read) {
                let at = at(after, Blow::Failure);
                let Some(cut) = self.cut(copy, &at) else {
                    continue;
                };
                let things = cut.world.open_to(stepped.node, Blow::Failure);
                for keep in self.subsets(&things) {
                    let strike = Strike { keep, ..at.clone() };
                    self.strike(copy, &cut, strike, pending);
                }
            }
        }
    }

    /// The run with its next step cut short; none when it does not come so far, as when it fails.
    fn cut(&self, copy: &Run<Court>, strike: &Strike) -> Option<Run<Court>> {
        let mut cut = self.copy(copy);
        cut.world.cut_short(strike);
        let stepped = caught(|| cut.step());
        (stepped.is_ok_and(|step| step.is_ok()) && cut.world.take_cut()).then_some(cut)
    }

    /// The deaths of a replica at a boundary.
    fn deaths(&mut self, cut: &Run<Court>, node: Node, at: &Strike) -> Vec<Strike> {
        let mut deaths = Vec::new();
        let strike = |by, keep| Strike {
            by,
            keep,
            ..at.clone()
        };
        let [landing, loose] = [Blow::Kill, Blow::PowerLoss].map(|by| cut.world.open_to(node, by));
        for (by, things) in [(Blow::Kill, &landing), (Blow::PowerLoss, &loose)] {
            // With nothing unsynced a loss of power is a kill.
            if by == Blow::PowerLoss && things.is_empty() {
                continue;
            }
            let sets = self.subsets(things);
            deaths.extend(sets.into_iter().map(|keep| strike(by, keep)));
        }
        let extremes: BTreeSet<Vec<Loose>> = [Vec::new(), loose].into();
        let others = (0..self.spec.plan.cluster.replicas)
            .map(Node)
            .filter(|other| *other != node);
        let mut elsewhere = others.map(|other| cut.world.open_to(other, Blow::Outage));
        let differs = elsewhere.any(|loose| !loose.is_empty());
        for keep in extremes {
            deaths.push(strike(Blow::Outage, keep.clone()));
            deaths.extend(differs.then(|| strike(Blow::OutageKeptElsewhere, keep)));
        }
        deaths
    }

    /// Which of these things survive, in turn.
    fn subsets(&mut self, things: &[Loose]) -> Vec<Vec<Loose>> {
        let (sets, sampled) = subsets(things);
        self.survey.sampled += u64::from(sampled);
        self.survey.loose += u64::from(!things.is_empty());
        self.survey.loosest = self.survey.loosest.max(things.len());
        sets
    }

    /// Strikes, and judges what comes of it.
    fn strike(
        &mut self,
        copy: &Run<Court>,
        cut: &Run<Court>,
        strike: Strike,
        pending: &mut Pending,
    ) {
        if self.is_over() {
            self.survey.left_out += 1;
            return;
        }
        // Whoever cannot be copied is cut anew.
        let fork = cut.fork().or_else(|| self.cut(copy, &strike));
        let Some(mut fork) = fork else { return };
        self.survey.forks += 1;
        let blow = strike.by as usize;
        self.survey.blows[blow] += 1;
        let node = Node(strike.replica - 1);
        let watch = fork.world.watch().expect("it watches since it began");
        for window in watch.open(node) {
            let key = (node, window.class, window.from, window.to.is_some());
            pending.entry(key).or_default()[blow] += 1;
        }
        let failure = match caught(|| fork.goes_on(&strike)) {
            Ok(()) => fork.failure.take(),
            Err(panic) => Some(Failure::of_panic(&panic)),
        };
        if let Some(watch) = fork.world.watch() {
            let seen = std::mem::take(&mut watch.seen);
            for window in seen.into_keys() {
                let strikes = &self.spec.plan.strikes;
                let unseen = || Crossed {
                    after: strikes.iter().chain([&strike]).cloned().collect(),
                    ..Crossed::default()
                };
                self.survey.windows.entry(window).or_insert_with(unseen);
            }
        }
        match failure {
            Some(failure) if failure.class.is_failure() => self.failed(strike, &failure),
            Some(failure) if failure.class == synod_reports::record::Verdict::Inconclusive => {
                self.survey.undecided += 1;
            }
            _ => {}
        }
    }

    /// A fork failed: so must the straight line.
    fn failed(&mut self, strike: Strike, failure: &Failure) {
        let mut strikes = self.spec.plan.strikes.clone();
        strikes.push(strike.clone());
        let before = std::mem::replace(&mut self.spec.plan.strikes, strikes.clone());
        let outcome = self.straight();
        self.spec.plan.strikes = before;
        if outcome.record.message.as_ref() == Some(&failure.message) {
            self.fails(strikes, outcome);
        } else {
            self.survey.nondeterministic.push(strike);
        }
    }

    fn fails(&mut self, strikes: Vec<Strike>, outcome: RunOutcome) {
        let forks = self.survey.forks;
        self.survey.found(Found {
            strikes,
            forks,
            record: outcome.record,
            count: 1,
        });
    }
}

#[cfg(test)]
mod tests;
