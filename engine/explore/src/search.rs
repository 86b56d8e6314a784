//! Goes on from where it has been least.
//!
//! A state that shows a [feature](crate::features) that was hardly seen before is kept, one for each
//! feature. An excursion takes a class at random, of that class one of the rarest states, and goes
//! on from it for a while in a [mood](crate::mood) (Go-Explore's archive, Ecoffet et al., Nature
//! 2021, with local features for its cells). Without an archive it is a walk at random.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use synod_engine::ids::NodeId;

use crate::broken::judged;
use crate::cluster::{Action, Cluster, Setup};
use crate::features::{FEATURES, Feature, features};
use crate::mood::{Dice, Mood};

/// How a search goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Walks at random, with moods that change, each from the beginning.
    Walk,
    /// An archive by all that there is to say of a state at once, folded into as many cells as there
    /// are features.
    Whole,
    /// An archive by what there is to say of one replica or of a pair.
    Local,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What broke.
    pub what: String,
    /// What happened, from the beginning.
    pub actions: Vec<Action>,
}

/// A way to a state: its last action, and the way before.
#[derive(Debug)]
struct Way {
    action: Action,
    before: Option<Arc<Self>>,
}

/// A state that is kept.
#[derive(Debug)]
struct Kept {
    cluster: Cluster,
    way: Option<Arc<Way>>,
    feature: Feature,
    picked: u32,
}

/// A state that asked more, or is of a later round, is not kept: what is broken is broken early.
const ASKED_MAX: u64 = 4;
/// See [`ASKED_MAX`].
const ROUND_MAX: u64 = 4;
/// So many states are kept at most; by local features there are some thousands.
const KEPT_MAX: usize = 10_000;
/// How long a walk is.
const WALK: u32 = 400;

/// A search.
#[derive(Debug)]
pub struct Search {
    dice: Dice,
    setup: Arc<Setup>,
    strategy: Strategy,
    /// By feature: how often it was seen.
    times: Vec<u32>,
    kept: Vec<Kept>,
    places: BTreeMap<u32, usize>,
    classes: Vec<Vec<usize>>,
    class_of: BTreeMap<u32, usize>,
    steps: u64,
}

impl Search {
    /// A search by this seed.
    #[must_use]
    pub fn new(setup: Setup, strategy: Strategy, seed: u64) -> Self {
        let setup = Arc::new(setup);
        let beginning = Feature { class: 0, index: 0 };
        let mut search = Self {
            dice: Dice(ChaCha8Rng::seed_from_u64(seed)),
            strategy,
            times: vec![1; FEATURES],
            kept: Vec::new(),
            places: BTreeMap::new(),
            classes: Vec::new(),
            class_of: BTreeMap::new(),
            steps: 0,
            setup: setup.clone(),
        };
        search.keep(&Cluster::new(setup), None, beginning);
        search
    }

    /// How many steps were made.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Searches until something is broken, or for so many steps and at most an excursion more.
    pub fn run(&mut self, steps: u64) -> Option<Found> {
        let until = self.steps.saturating_add(steps);
        while self.steps < until {
            if let Some(found) = self.excursion() {
                return Some(found);
            }
        }
        None
    }

    /// Goes on from one of the rarest states for a while.
    fn excursion(&mut self) -> Option<Found> {
        let from = self.pick();
        self.kept[from].picked += 1;
        let mut cluster = self.kept[from].cluster.clone();
        let mut way = self.kept[from].way.clone();
        let mut mood = Mood::draw(self.setup.nodes, &mut self.dice);
        let length = if self.strategy == Strategy::Walk {
            WALK
        } else {
            8 + u32::try_from(self.dice.below(60)).unwrap_or(0)
        };
        let mut fresh = Vec::new();
        for step in 1..=length {
            let action = mood.choose(&cluster, &mut self.dice);
            self.steps += 1;
            way = Some(Arc::new(Way {
                action,
                before: way,
            }));
            let node = match step_of(&mut cluster, action) {
                Err(what) => {
                    return Some(Found {
                        what,
                        actions: actions(way.as_ref()),
                    });
                }
                Ok(node) => node,
            };
            if self.strategy == Strategy::Walk {
                if step % 40 == 0 {
                    mood = Mood::draw(self.setup.nodes, &mut self.dice);
                }
                continue;
            }
            let Some(node) = node else {
                continue;
            };
            fresh.clear();
            features(&cluster, node, &mut fresh);
            if self.strategy == Strategy::Whole {
                for other in cluster.nodes().filter(|other| *other != node) {
                    features(&cluster, other, &mut fresh);
                }
                merge(&mut fresh);
            }
            if let Some(feature) = self.rarest(&fresh) {
                self.keep(&cluster, way.clone(), feature);
            }
        }
        None
    }

    /// Counts features; says which is the rarest of those that were hardly seen, if any was.
    fn rarest(&mut self, fresh: &[Feature]) -> Option<Feature> {
        let mut rarest: Option<(u32, Feature)> = None;
        for feature in fresh {
            let times = &mut self.times[feature.index as usize];
            let seen = *times;
            *times = times.saturating_add(1);
            if seen.is_power_of_two() && seen <= 64 && rarest.is_none_or(|(least, _)| seen < least)
            {
                rarest = Some((seen, *feature));
            }
        }
        rarest.map(|(_, feature)| feature)
    }

    /// The place of a state that was gone on from least.
    fn pick(&mut self) -> usize {
        let class = self.dice.below(self.classes.len());
        let class = &self.classes[class];
        let mut best = self.dice.pick(class);
        for _ in 0..8 {
            let other = self.dice.pick(class);
            let cost = |at: usize| {
                let kept: &Kept = &self.kept[at];
                4 * kept.picked + self.times[kept.feature.index as usize]
            };
            if cost(other) < cost(best) {
                best = other;
            }
        }
        best
    }

    fn keep(&mut self, cluster: &Cluster, way: Option<Arc<Way>>, feature: Feature) {
        let (asked, round) = cluster.size();
        if asked > ASKED_MAX || round > ROUND_MAX {
            return;
        }
        let place = self.places.get(&feature.index).copied();
        let kept = Kept {
            cluster: cluster.clone(),
            way,
            feature,
            picked: place.map_or(0, |at| self.kept[at].picked),
        };
        if let Some(at) = place {
            self.kept[at] = Kept {
                feature: self.kept[at].feature,
                ..kept
            };
            return;
        }
        let at = self.kept.len();
        if at == KEPT_MAX {
            return;
        }
        self.places.insert(feature.index, at);
        self.kept.push(kept);
        let next = self.classes.len();
        let class = *self.class_of.entry(feature.class).or_insert(next);
        if class == next {
            self.classes.push(Vec::new());
        }
        self.classes[class].push(at);
    }
}

/// Makes one feature of many.
fn merge(features: &mut Vec<Feature>) {
    let index = features.iter().fold(0_u32, |all, feature| {
        (all ^ feature.index).wrapping_mul(0x9E37_79B1)
    });
    features.clear();
    features.push(Feature {
        class: 0,
        index: index >> 16,
    });
}

/// A step; what breaks is an error, also where a contract panics.
///
/// # Errors
/// What broke.
pub(crate) fn step_of(cluster: &mut Cluster, action: Action) -> Result<Option<NodeId>, String> {
    judged(|| cluster.step(action))
}

/// The actions of a way, the first first.
fn actions(mut way: Option<&Arc<Way>>) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(here) = way {
        actions.push(here.action);
        way = here.before.as_ref();
    }
    actions.reverse();
    actions
}
