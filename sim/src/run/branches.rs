//! Branching: a run goes on from rare moments of its own, again and again, under fresh choices.
//!
//! The straight run comes first. Wherever it shows a feature that is new to it, a copy is kept, a
//! mark. Then, as long as the budget of events lasts, the mark with the rarest feature is copied
//! once more and goes another way to its end; it leaves marks of its own. A mark whose branches
//! show nothing new is given up. What is found is named by its branches, and comes out again in a
//! straight line.
//!
//! Nothing that is learned leaves the run: another seed begins anew.
//!
//! The idea is Go-Explore's (Ecoffet et al., Nature 2021): remember cells, return, explore; here a
//! return is a copy, and the cells are local features.

use std::collections::BTreeMap;

use crate::choices::Branch;
use crate::panics::caught;
use crate::plan::Plan;
use crate::time::Span;
use crate::verdict::Failure;
use crate::verdict::court::Court;

use super::course::{Phase, Run};

/// All branches together may have so many times the events of the straight run.
const BUDGET: u64 = 7;
/// Marks that are kept at once.
const MARKS: usize = 24;
/// So many branches in a row that show nothing new, and a mark is given up.
const BARREN: u32 = 2;
/// Features are looked at after so many events, and marks are so far apart at least.
const EVERY: u64 = 16;

/// A moment to go on from.
struct Mark {
    run: Run<Court>,
    /// How it was come by.
    path: Vec<Branch>,
    /// What was new.
    features: Vec<u64>,
    /// Branches that went on from here.
    branches: u64,
    /// Those of them that showed nothing new, in a row.
    barren: u32,
}

impl Mark {
    /// A copy that goes another way from here on, and what names it.
    fn branch(&mut self) -> Option<(Run<Court>, Vec<Branch>)> {
        self.branches += 1;
        let mut run = self.run.fork()?;
        let branch = Branch {
            event: run.world.events(),
            salt: self.branches,
        };
        run.world.branch(branch.salt);
        let path = self.path.iter().copied().chain([branch]).collect();
        Some((run, path))
    }
}

struct Search {
    /// A message that takes longer is late.
    usual: Span,
    /// Feature: how often it was seen.
    seen: BTreeMap<u64, u64>,
    marks: Vec<Mark>,
    /// Events that are left.
    budget: u64,
    /// Room for the features of a moment.
    features: Vec<u64>,
}

/// What a search gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Searched {
    /// Over the digests of all branches.
    pub digest: u64,
    /// The way to the first that failed.
    pub failed: Option<Vec<Branch>>,
}

/// Takes a run to its end, and, if it passes, what branches off it.
pub(super) fn search(straight: &mut Run<Court>) -> Searched {
    let mut search = Search::new(&straight.plan);
    straight.world.heeds_votes();
    search.go(straight, &[]);
    search.budget = straight.world.events() * BUDGET;
    let mut searched = Searched {
        digest: straight.digest(),
        failed: None,
    };
    while straight.failure.is_none()
        && let Some(mut mark) = search.take()
        && let Some((mut run, path)) = mark.branch()
    {
        let found = search.go(&mut run, &path);
        let failure = run.failure.as_ref();
        if failure.is_some_and(|failure| failure.class.is_failure()) {
            searched.failed = Some(path);
            break;
        }
        let digests = [searched.digest, run.digest()].map(u64::to_le_bytes);
        searched.digest = xxhash_rust::xxh3::xxh3_64(digests.as_flattened());
        mark.barren = if found { 0 } else { mark.barren + 1 };
        if mark.barren < BARREN {
            search.keep(mark);
        }
    }
    searched
}

impl Search {
    fn new(plan: &Plan) -> Self {
        Self {
            usual: Span(8 * plan.network.latency.mean().0),
            seen: BTreeMap::new(),
            marks: Vec::new(),
            budget: u64::MAX,
            features: Vec::new(),
        }
    }

    /// The mark with the rarest feature, if there is a budget left.
    fn take(&mut self) -> Option<Mark> {
        let marks = self.marks.iter().enumerate();
        let (rarest, _) = marks.min_by_key(|(_, mark)| self.rank(mark))?;
        (self.budget > 0).then(|| self.marks.remove(rarest))
    }

    /// The lower, the sooner a mark is gone on from.
    fn rank(&self, mark: &Mark) -> u64 {
        let rarest = mark.features.iter().map(|feature| self.seen[feature]);
        rarest.min().unwrap_or(u64::MAX / 64) * (1 + mark.branches)
    }

    /// To the end, with marks on the way. Whether there were any.
    fn go(&mut self, run: &mut Run<Court>, path: &[Branch]) -> bool {
        let mut found = false;
        let first = run.world.events();
        let mut looks_at = first + EVERY;
        let ended = caught(|| {
            while run.phase == Phase::Chaos && run.failure.is_none() {
                if let Err(failure) = run.step() {
                    run.failure = Some(failure);
                    break;
                }
                if run.world.events() >= looks_at {
                    found |= self.look(run, path);
                    looks_at = run.world.events() + EVERY;
                }
            }
            if run.failure.is_none() {
                run.whole();
            }
        });
        if let Err(panic) = ended {
            run.failure = Some(Failure::of_panic(&panic));
        }
        self.budget = self.budget.saturating_sub(run.world.events() - first);
        found
    }

    /// Counts the features of this moment, and keeps a mark where one is new. Whether one is.
    fn look(&mut self, run: &Run<Court>, path: &[Branch]) -> bool {
        let mut features = std::mem::take(&mut self.features);
        run.world.features(self.usual, &mut features);
        let mut new = Vec::new();
        for feature in &features {
            let seen = self.seen.entry(*feature).or_default();
            *seen += 1;
            if *seen == 1 {
                new.push(*feature);
            }
        }
        self.features = features;
        let found = !new.is_empty();
        if found && let Some(copy) = run.fork() {
            self.keep(Mark {
                run: copy,
                path: path.to_vec(),
                features: new,
                branches: 0,
                barren: 0,
            });
        }
        found
    }

    /// Keeps a mark, in the place of the one that is the most common if there are too many.
    fn keep(&mut self, mark: Mark) {
        self.marks.push(mark);
        if self.marks.len() > MARKS {
            let worst = self.marks.iter().enumerate();
            let worst = worst.max_by_key(|(at, mark)| (self.rank(mark), usize::MAX - at));
            let (worst, _) = worst.expect("there are some");
            self.marks.remove(worst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::jury::Jury;
    use crate::choices::Strategy;
    use crate::run::{Checks, RunSpec, run};
    use crate::subject::synod::Synod;
    use crate::world::testing;

    fn spec(seed: u64, strategy: Strategy, bug: Option<&str>) -> RunSpec {
        let mut plan = testing::storm(seed);
        plan.strategy = strategy;
        RunSpec {
            bug: bug.map(str::to_owned),
            ..RunSpec::new(plan)
        }
    }

    #[test]
    fn what_a_branch_finds_comes_out_again_in_a_straight_line() {
        let bug = Some("truncated-prefix-read-as-empty");
        let found = (0..12).find_map(|seed| {
            let straight = run(&spec(seed, Strategy::Random, bug));
            let outcome = run(&spec(seed, Strategy::Branching, bug));
            if straight.record.verdict.is_failure() {
                assert_eq!(outcome.record, straight.record);
                assert!(outcome.branches.is_empty());
                return None;
            }
            outcome
                .record
                .verdict
                .is_failure()
                .then_some((seed, outcome))
        });
        let (seed, outcome) = found.expect("one seed of twelve fails in a branch alone");
        let mut named = spec(seed, Strategy::Branching, bug);
        named.plan.branches.clone_from(&outcome.branches);
        assert!(!named.plan.branches.is_empty());
        assert_eq!(run(&named).record, outcome.record);
    }

    #[test]
    fn what_passes_has_a_digest_over_all_branches() {
        let digest = |strategy| run(&spec(3, strategy, None)).record.digest;
        let branching = digest(Strategy::Branching);
        assert_eq!(branching, digest(Strategy::Branching));
        assert_ne!(branching, digest(Strategy::Random));
    }

    #[test]
    fn the_rarest_mark_is_next_and_the_most_common_one_goes() {
        let spec = spec(1, Strategy::Branching, None);
        let court = || Court::new(3, None, Checks::All, Jury::default());
        let mark = |feature: u64, branches| Mark {
            run: Run::begin(&spec, &Synod, court()),
            path: Vec::new(),
            features: vec![feature, 9],
            branches,
            barren: 0,
        };
        let mut search = Search::new(&spec.plan);
        search.seen = (0..=9)
            .map(|feature| (feature, 10 * (feature + 1)))
            .collect();
        for (feature, branches) in [(3, 0), (1, 0), (0, 4), (2, 0)] {
            search.keep(mark(feature, branches));
        }
        let order = std::iter::from_fn(|| search.take()).map(|mark| mark.features[0]);
        assert_eq!(
            order.collect::<Vec<_>>(),
            [1, 2, 3, 0],
            "four branches from 0 were enough"
        );
        for feature in [5; MARKS].into_iter().chain([8, 4]) {
            search.keep(mark(feature, 0));
        }
        let kept: Vec<u64> = search.marks.iter().map(|mark| mark.features[0]).collect();
        assert!(
            kept.len() == MARKS && !kept.contains(&8) && kept.contains(&4),
            "{kept:?}"
        );
        search.budget = 0;
        assert!(search.take().is_none());
    }
}
