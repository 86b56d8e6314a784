//! Priority schedules: delays by the priority of what is delayed, not by chance.
//!
//! What takes its time one after the other is a chain: the messages of a link, the syncs of a disk.
//! All chains are in an order, which is drawn. The first of them takes the least time that its
//! distribution has, the last takes the most, and those between take their quantile; so whoever is
//! last is late by more than elections take, where the weather allows that. At a few moments, which
//! are drawn over the decisions of an episode, the chain that is just being asked about becomes the
//! last of all. After an episode everything is drawn anew. When the fault phase is over, delays are
//! as the seed has them.
//!
//! It follows PCT (Burckhardt et al., ASPLOS 2010) and its form for messages (Ozkan et al., OOPSLA
//! 2018), where a schedule of depth d has d - 1 such moments and finds each bug that takes d events
//! in an order with a probability that is known. That bound is not claimed here: there one event
//! waits for all of a higher priority, and here it waits for some time.

use std::collections::BTreeMap;

use super::{Choices, Label, Seeded, Topic, WHOLE};

/// Decisions of an episode.
const EPISODE: (u64, u64) = (200, 6_000);
/// How deep a schedule is at most, and at least 2: so many orders of two events it can force.
const DEPTH_MAX: u64 = 5;

/// An oracle that delays by priority, and answers everything else as the seed does.
#[derive(Clone)]
pub struct Priorities {
    seeded: Seeded,
    /// Chains that were asked about in this episode.
    chains: BTreeMap<Label, Chain>,
    /// Decisions that are left of the episode.
    left: u64,
    /// At which of them, counted from the end, a chain becomes the last; the next one at the end.
    moments: Vec<u64>,
    /// Delays are as the seed has them.
    calm: bool,
}

#[derive(Clone, Copy, Debug)]
struct Chain {
    /// Whoever has a higher one is later.
    place: u64,
    /// The share of the others that are sooner, of 2^64.
    late: u64,
}

/// Places that are drawn are below; those of chains that became the last are from here on.
const LAST: u64 = 1 << 32;

impl Priorities {
    /// The oracle of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(Seeded::new(seed))
    }

    const fn of(seeded: Seeded) -> Self {
        Self {
            seeded,
            chains: BTreeMap::new(),
            left: 0,
            moments: Vec::new(),
            calm: false,
        }
    }

    /// How late the chain is, of 2^64.
    fn lateness(&mut self, label: Label) -> u64 {
        if self.left == 0 {
            self.begins();
        }
        self.left -= 1;
        if self.moments.last() == Some(&self.left) {
            self.moments.pop();
            let last = self.chains.values().map(|chain| chain.place).max();
            self.places(label, last.map_or(LAST, |last| last.max(LAST) + 1));
        } else if !self.chains.contains_key(&label) {
            let place = self.seeded.draw(Label::of(Topic::Priority, 0), LAST);
            self.places(label, place);
        }
        self.chains[&label].late
    }

    fn begins(&mut self) {
        let label = Label::of(Topic::Priority, 1);
        let mut draw = |range| self.seeded.draw(label, range);
        self.left = EPISODE.0 + draw(EPISODE.1 - EPISODE.0);
        let moments = 1 + draw(DEPTH_MAX - 1);
        self.moments = (0..moments).map(|_| draw(self.left)).collect();
        self.moments.sort_unstable();
        self.moments.dedup();
        self.chains.clear();
    }

    /// A chain gets this place, and all others theirs beside it.
    fn places(&mut self, label: Label, place: u64) {
        self.chains.insert(label, Chain { place, late: 0 });
        let mut order: Vec<u64> = self.chains.values().map(|chain| chain.place).collect();
        order.sort_unstable();
        let others = (order.len() as u128 - 1).max(1);
        for chain in self.chains.values_mut() {
            let sooner = order.partition_point(|place| *place < chain.place) as u128;
            chain.late = u64::try_from(u128::from(u64::MAX) * sooner / others)
                .expect("a share of a u64 is a u64");
        }
    }
}

impl Choices for Priorities {
    fn draw(&mut self, label: Label, range: u64) -> u64 {
        match label.topic {
            Topic::Latency | Topic::DiskSync if !self.calm => {
                let late = self.lateness(label);
                let word = if range == WHOLE { !late } else { late };
                u64::try_from((u128::from(word) * u128::from(range)) >> 64)
                    .expect("a number below a u64 is a u64")
            }
            _ => self.seeded.draw(label, range),
        }
    }

    fn calm(&mut self) {
        self.calm = true;
    }

    fn fork(&self) -> Box<dyn Choices> {
        Box::new(self.clone())
    }

    fn branch(&self, salt: u64) -> Box<dyn Choices> {
        Box::new(Self {
            calm: self.calm,
            ..Self::of(self.seeded.salted(salt))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::time::Span;

    const LINKS: u16 = 6;

    fn link(at: u16) -> Label {
        Label::link(Topic::Latency, at, 0)
    }

    #[test]
    fn a_chain_keeps_its_place_but_for_a_few_moments() {
        for seed in 0..50 {
            let mut oracle = Priorities::new(seed);
            let mut late = vec![0; usize::from(LINKS)];
            let (mut changes, mut last) = (0, BTreeSet::new());
            // All are asked about before the first moment that counts.
            for at in 0..LINKS {
                oracle.lateness(link(at));
            }
            for decision in 0.. {
                if oracle.left == 0 {
                    break;
                }
                let at = decision % LINKS;
                let before = oracle.moments.len();
                late[usize::from(at)] = oracle.lateness(link(at));
                if oracle.moments.len() < before {
                    assert_eq!(late[usize::from(at)], u64::MAX, "it is the last of all");
                    changes += 1;
                }
                last.extend((late[usize::from(at)] == u64::MAX).then_some(at));
            }
            assert!(changes < DEPTH_MAX, "{changes}");
            assert!(
                !last.is_empty() && last.len() as u64 <= changes + 1,
                "{last:?}"
            );
        }
    }

    #[test]
    fn the_first_takes_the_least_and_the_last_the_most_that_the_weather_allows() {
        let (mean, max) = (Span::from_millis(1), Span::from_millis(40));
        let (mut exponential, mut uniform) = (Vec::new(), Vec::new());
        for seed in 0..20 {
            let oracle: &mut dyn Choices = &mut Priorities::new(seed);
            for at in (0..LINKS).chain(0..LINKS) {
                exponential.push(oracle.exponential(link(at), mean, max));
            }
            for at in 0..LINKS {
                uniform.push(oracle.between(link(at), 10, 20));
            }
        }
        exponential.sort_unstable();
        uniform.sort_unstable();
        assert_eq!((exponential[0], exponential.last()), (Span(0), Some(&max)));
        assert_eq!((uniform[0], uniform.last()), (10, Some(&20)));
    }

    #[test]
    fn everything_else_is_as_the_seed_has_it() {
        let (mut one, mut other) = (Priorities::new(7), Seeded::new(7));
        for at in 0..100 {
            one.draw(link(at % LINKS), 1000);
            let label = Label::of(Topic::Think, at % 3);
            assert_eq!(one.draw(label, 1000), other.draw(label, 1000));
        }
        let (mut copy, mut branch) = (one.fork(), one.branch(1));
        let asked = |oracle: &mut dyn Choices| {
            let drawn = (0..1000).map(|at| oracle.draw(link(at % LINKS), u64::MAX));
            drawn.collect::<Vec<_>>()
        };
        let went_on = asked(&mut one);
        assert_eq!(asked(&mut *copy), went_on);
        assert_ne!(asked(&mut *branch), went_on);
        one.calm();
        assert_eq!(asked(&mut *one.branch(1)), asked(&mut *other.branch(1)));
        let (mut one, mut other) = (Priorities::new(7), Seeded::new(7));
        one.calm();
        assert_eq!(asked(&mut one), asked(&mut other));
    }
}
