//! The draws of a plan. Each place of a scenario has a stream of its own, so that a change in one
//! part of a scenario does not reshuffle the others.

use crate::choices::{Choices, Label, Seeded, Topic};
use crate::plan::Distribution;
use crate::scenario::units::Unit;
use crate::scenario::value::{Bounds, Choice, Ranged, Shape};
use crate::time::Span;

/// A place that draws. The numbers are part of what a seed means: never renumber them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
#[expect(missing_docs, reason = "each is the key of the same name")]
pub enum Place {
    Replicas = 0,
    ElectionTimeout = 1,
    Heartbeat = 2,
    Retransmit = 3,
    Window = 4,
    Batch = 5,
    BatchDelay = 6,
    Queue = 7,
    Segment = 8,
    Message = 9,
    Sessions = 10,
    Latency = 11,
    Loss = 12,
    Duplicate = 13,
    DuplicateLater = 14,
    Corrupt = 15,
    Access = 16,
    Sync = 17,
    Capacity = 18,
    Drift = 19,
    Offset = 20,
    Clients = 21,
    Operations = 22,
    Keys = 23,
    Pipeline = 24,
    Think = 25,
    Rate = 26,
    Open = 27,
    AttemptTimeout = 28,
    Patience = 29,
    DuplicateRequest = 30,
    Abandon = 31,
    HealAt = 32,
    Core = 33,
    ProgressWithin = 34,
    AtLeast = 35,
    EndTime = 36,
    Victims = 37,
    /// When a step runs; `b` is its number.
    StepTime = 38,
    /// What a step does; `b` is its number.
    StepFault = 39,
    /// Between faults of the nemesis.
    Every = 40,
    /// Which fault of the nemesis, how long and on whom; `b` is its place.
    NemesisFault = 41,
    ValueSize = 42,
    Others = 43,
    Budget = 44,
    FirstAnswerWithin = 60,
    Sticky = 61,
    Hot = 62,
    /// What a swarm leaves out; `b` is the fault's place in the file.
    Swarm = 63,
    /// Which operations a swarm leaves out; `b` is the kind.
    SwarmMix = 64,
    Strategy = 65,
}

impl Place {
    /// A setting of a swarm, which is drawn at an end of its range half of the time: what a cluster,
    /// its network and disks are like, and how its clients ask, but neither how much nor when.
    const fn is_of_swarm(self) -> bool {
        let number = self as u16;
        let setting = Self::Heartbeat as u16 <= number && number <= Self::Abandon as u16;
        let amount = matches!(self, Self::Operations | Self::Think | Self::Rate);
        setting && !amount || matches!(self, Self::ValueSize | Self::Sticky | Self::Hot)
    }
}

/// The oracle of a plan.
pub struct Dice {
    choices: Seeded,
    swarm: bool,
}

impl Dice {
    /// The oracle of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            choices: Seeded::new(seed),
            swarm: false,
        }
    }

    /// The same, for a swarm or not.
    #[must_use]
    pub const fn of_swarm(mut self, swarm: bool) -> Self {
        self.swarm = swarm;
        self
    }

    /// Whether a swarm leaves out a part of its scenario, which it does with these odds in four.
    pub fn leaves_out(&mut self, place: Place, ordinal: usize, odds: i64) -> bool {
        self.swarm && self.at(place, ordinal).between(0, 3) < odds
    }

    /// What draws at a place. `ordinal` tells the place's parts apart.
    pub fn at(&mut self, place: Place, ordinal: usize) -> Die<'_> {
        let label = Label::link(
            Topic::Plan,
            place as u16,
            u16::try_from(ordinal).unwrap_or(u16::MAX),
        );
        Die {
            choices: &mut self.choices,
            label,
            ends: self.swarm && place.is_of_swarm(),
        }
    }
}

/// Draws at one place.
pub struct Die<'a> {
    choices: &'a mut dyn Choices,
    label: Label,
    /// Ends of ranges are drawn half of the time.
    ends: bool,
}

impl Die<'_> {
    /// An index below `length`, which is at least 1.
    pub fn index(&mut self, length: usize) -> usize {
        self.choices.pick(self.label, length)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let drawn = self
            .choices
            .draw(self.label, high.abs_diff(low).saturating_add(1));
        low.saturating_add_unsigned(drawn)
    }

    /// One of these, if there are any; draws nothing where there is no choice.
    pub fn one<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        match of {
            [] => None,
            [only] => Some(only),
            several => several.get(self.index(several.len())),
        }
    }

    fn one_of(&mut self, options: &[(i64, i64)]) -> (i64, i64) {
        self.one(options).copied().unwrap_or_default()
    }

    /// A value of its range. Quantities come in round figures, so that a person can read a plan.
    pub fn value<U: Unit>(&mut self, ranged: &Ranged<U>) -> i64 {
        let (low, high) = self.one_of(ranged.options());
        let grain = if U::BARE { 1 } else { grain(low, high) };
        self.within(low / grain, high / grain) * grain
    }

    fn within(&mut self, low: i64, high: i64) -> i64 {
        if low == high {
            return low;
        }
        match self.ends.then(|| self.index(4)) {
            Some(0) => low,
            Some(1) => high,
            _ => self.between(low, high),
        }
    }

    /// A value of its range that is never negative.
    pub fn natural<U: Unit>(&mut self, ranged: &Ranged<U>) -> u64 {
        u64::try_from(self.value(ranged)).unwrap_or(0)
    }

    /// A time of its range.
    pub fn span<U: Unit>(&mut self, ranged: &Ranged<U>) -> Span {
        Span(self.natural(ranged))
    }

    /// A whole multiple of `unit` in a range of such multiples.
    pub fn multiple<U: Unit>(&mut self, ranged: &Ranged<U>, unit: i64) -> i64 {
        let (low, high) = self.one_of(ranged.options());
        self.within(low / unit, high / unit) * unit
    }

    /// One of the ranges.
    pub fn bounds(&mut self, bounds: &Bounds) -> (Span, Span) {
        let (low, high) = self.one_of(&bounds.0);
        (Span(low.unsigned_abs()), Span(high.unsigned_abs()))
    }

    /// One of the words.
    pub fn word<T: Clone>(&mut self, choice: &Choice<T>) -> T {
        let word = self.one(&choice.0).expect("a choice is of some word");
        word.clone()
    }

    /// A distribution with its parameters drawn.
    pub fn distribution(&mut self, shape: &Shape) -> Distribution {
        match shape {
            Shape::Constant(value) => Distribution::Constant(self.span(value)),
            Shape::Uniform(min, max) => Distribution::Uniform(self.span(min), self.span(max)),
            Shape::Exponential { mean, max } => Distribution::Exponential {
                mean: self.span(mean),
                max: self.span(max),
            },
        }
    }

    /// All of these in another order.
    pub fn shuffled<T: Clone>(&mut self, from: &[T]) -> Vec<T> {
        let mut order = from.to_vec();
        for at in (1..order.len()).rev() {
            order.swap(at, self.index(at + 1));
        }
        order
    }

    /// So many of these, in their order.
    pub fn some<T: Clone + Ord>(&mut self, from: &[T], count: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let mut taken: Vec<T> = (0..count.min(from.len()))
            .map(|_| left.swap_remove(self.index(left.len())))
            .collect();
        taken.sort_unstable();
        taken
    }
}

/// The largest power of ten that divides both ends and leaves a thousand values or more between
/// them; 1 where none does.
fn grain(low: i64, high: i64) -> i64 {
    let mut grain: i64 = 1;
    while high.abs_diff(low) / 1_000 >= 10 * grain.unsigned_abs()
        && low % (10 * grain) == 0
        && high % (10 * grain) == 0
    {
        grain *= 10;
    }
    grain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::units::{Offset, Time};

    #[test]
    fn values_are_round_and_stay_in_their_range() {
        let (low, high) = (200_000_000, 3_000_000_000);
        assert_eq!(
            (
                grain(low, high),
                grain(1, 8),
                grain(0, 0),
                grain(-200_000_000, 200_000_000)
            ),
            (1_000_000, 1, 1, 100_000)
        );
        let mut dice = Dice::new(5);
        for place in 0..1_000 {
            let value = dice
                .at(Place::NemesisFault, place)
                .value(&Ranged::<Time>::between(low, high));
            assert!(
                (low..=high).contains(&value) && value % 1_000_000 == 0,
                "{value}"
            );
            let value = dice
                .at(Place::Offset, place)
                .value(&Ranged::<Offset>::between(-7, 7));
            assert!((-7..=7).contains(&value), "{value}");
        }
    }

    #[test]
    fn both_ends_are_drawn() {
        let mut dice = Dice::new(1);
        let drawn: Vec<i64> = (0..200)
            .map(|place| {
                dice.at(Place::Keys, place)
                    .value(&Ranged::<Time>::between(1, 4))
            })
            .collect();
        assert!((1..=4).all(|value| drawn.contains(&value)));
    }
}
