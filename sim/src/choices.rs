//! The oracle: every choice of a run goes through [`Choices`].
//!
//! A decision is a function of (seed, label, ordinal). [`Seeded`] keeps one ChaCha8 stream for each
//! label, so a choice that is not asked for, or comes later, moves no other. One decision takes one
//! 64-bit word of its stream, whatever its range, without rejection: the bias is below range /
//! 2^64.
//!
//! What a label names is what can be taken out of a run on its own: a fault by its number, a client,
//! a request of it, a link, a disk. The ordinal counts within that. So whatever is taken out takes
//! its own decisions with it, and no other.

pub mod loose;
pub mod overrides;
pub mod priorities;
pub mod strike;

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::ids::FaultNumber;
use crate::time::Span;

/// What is being decided. A topic is one decision: two that share one would move each other.
///
/// The topics before [`Topic::FIRST_RARE`] are asked all the time, by a few parties each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Topic {
    /// Drawing the plan from the scenario; `a` is the draw's place.
    Plan,
    /// Delay of a message on a link `a` to `b`.
    Latency,
    /// Loss of a message.
    Loss,
    /// Duplication of a message, and how much later the copy comes.
    Duplicate,
    /// Damage of a message, and where.
    Corrupt,
    /// Time of a disk access; `a` is the node.
    DiskAccess,
    /// Time of a sync.
    DiskSync,
    /// When a client asks; `a` is the client.
    Think,
    /// What a request of a client's workload does. The streams from here to `Audit` have one word
    /// for each request, drawn when it begins.
    Operation,
    /// On which key.
    Key,
    /// Whether it is sent to a second replica at once.
    Double,
    /// To which.
    Second,
    /// Whether it is abandoned.
    Abandon,
    /// Whether a definite refusal ends it.
    Refusal,
    /// Whether its acknowledgement is audited; `b` is 1 for requests that a script or a check asks
    /// for.
    Audit,

    /// Which replica a request asks first; `a` is the client, `b` the request.
    Target,
    /// Which replica it tries next.
    Retry,
    /// How long it waits after a refusal.
    Backoff,
    /// Entropy of a boot; `a` is what brought the process back, `b` the node.
    Boot,
    /// Loss by a link fault; `a` is the fault, `b` the link. From here on `a` is the fault.
    FaultLoss,
    /// Duplication by a link fault.
    FaultDuplicate,
    /// Damage by a link fault.
    FaultCorrupt,
    /// Whether a sync fails; `b` is the node. From here on `b` is the node.
    SyncFailure,
    /// Whether a write fails.
    WriteFailure,
    /// How much of a failed write lands.
    WritePart,
    /// Whether a read fails.
    ReadFailure,
    /// What survives a kill.
    KillKeep,
    /// What survives a power loss.
    PowerKeep,
    /// Which unsynced names survive.
    NamesKeep,
    /// Where bits rot.
    BitRot,
    /// Which write is misdirected, and where to.
    Misdirect,
    /// After which output of a step a process dies.
    DeathInStep,
    /// At which operation of its recovery a process dies.
    DeathInRecovery,
    /// Whether a stale time sample is used after a pause.
    StaleSample,
    /// Whether after a pause the deadline comes before the messages.
    DeadlineFirst,
    /// How much of a failed sync lands, and what is read of the rest.
    SyncPart,
    /// Whether a promise is audited; `a` is who gives it, `b` to whom.
    Fence,
    /// The order of priorities, and the moments at which it changes.
    Priority,
    /// How long a new session takes to come about; `a` and `b` are its ends.
    Connect,
    /// How long `a` takes to notice that its session with `b` has ended.
    Notice,
    /// How long word of the end takes to `a`, if there is any.
    Reset,
    /// How long a session outlasts a partition.
    Outlast,
}

impl Topic {
    /// The first topic of which most labels are never asked, or once.
    const FIRST_RARE: Self = Self::Target;
}

/// What is being decided, and of whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Label {
    /// What.
    pub topic: Topic,
    /// The first party.
    pub a: u16,
    /// The second party.
    pub b: u16,
}

impl Label {
    /// A label of one party.
    #[must_use]
    pub const fn of(topic: Topic, a: u16) -> Self {
        Self { topic, a, b: 0 }
    }

    /// A label of two parties.
    #[must_use]
    pub const fn link(topic: Topic, a: u16, b: u16) -> Self {
        Self { topic, a, b }
    }

    /// A label of a fault.
    #[must_use]
    pub const fn fault(topic: Topic, at: FaultAt) -> Self {
        Self {
            topic,
            a: at.fault.0,
            b: at.node,
        }
    }
}

/// A fault where it strikes: every decision of it is one for each node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FaultAt {
    /// Which.
    pub fault: FaultNumber,
    /// The node, or the link between two replicas.
    pub node: u16,
}

impl FaultAt {
    /// This fault at this node.
    #[must_use]
    pub const fn node(fault: FaultNumber, node: u16) -> Self {
        Self { fault, node }
    }

    /// This fault on the link between two replicas.
    #[must_use]
    pub const fn link(fault: FaultNumber, from: u16, to: u16) -> Self {
        Self {
            fault,
            node: from << 8 | to,
        }
    }

    /// What no fault is behind.
    #[must_use]
    pub const fn nobody(node: u16) -> Self {
        Self {
            fault: FaultNumber::NONE,
            node,
        }
    }
}

/// A thing that decisions are about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Matter {
    /// The message of this number on the link between two parties.
    Message(u16, u16, u32),
    /// A node's disk.
    Disk(u16),
    /// A fault, or the heal or the script, at a node or a link.
    Fault(FaultAt),
    /// The session of this number between two replicas.
    Session(u16, u16, u64),
    /// A client.
    Client(u16),
    /// A client's request of this number.
    Request(u16, u16),
}

/// Where a run leaves the way that its seed would go: after so many events its oracle answers
/// independently, as this salt has it. Whatever else names the run, its branches in the order of
/// their events name it to the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Events that are handled before.
    pub event: u64,
    /// Which way it goes; any number.
    pub salt: u64,
}

/// How a run's choices are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Each at random, by the seed.
    #[default]
    Random,
    /// At random; then, for some seven times as long, anew from moments of the run that are rare
    /// in it.
    Branching,
    /// Delays by priority: who is last in an order that is drawn takes as long as the weather
    /// allows.
    Priorities,
}

/// Answers every question that a run leaves open.
pub trait Choices {
    /// A number in `0..range`; `range` is at least 1.
    fn draw(&mut self, label: Label, range: u64) -> u64;

    /// An index into `candidates` things whose order is open; at least 1.
    fn pick(&mut self, label: Label, candidates: usize) -> usize {
        usize::try_from(self.draw(label, candidates as u64))
            .expect("an index below a usize is a usize")
    }

    /// Says what the next decisions are about, in names that owe nothing to labels: an oracle may
    /// keep a record by it, or answer otherwise. One that answers by label does not listen.
    fn about(&mut self, _: Matter) {}

    /// The fault phase is over: from here on nothing is chosen to do harm.
    fn calm(&mut self) {}

    /// A copy that answers the same from here on.
    fn fork(&self) -> Box<dyn Choices>;

    /// An oracle that answers independently of this one; the same salt gives the same oracle.
    fn branch(&self, salt: u64) -> Box<dyn Choices>;
}

/// Parts per million that are certain.
pub const CERTAIN: u32 = 1_000_000;

impl dyn Choices + '_ {
    /// True with a probability in parts per million. Draws a word even for 0 and for certainty, so
    /// that the next answers stay.
    pub fn chance(&mut self, label: Label, ppm: u32) -> bool {
        self.draw(label, u64::from(CERTAIN)) < u64::from(ppm)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, label: Label, low: u64, high: u64) -> u64 {
        low + self.draw(label, (high - low).saturating_add(1))
    }

    /// A span with an exponential distribution of this mean, cut at `max`. Integers only.
    pub fn exponential(&mut self, label: Label, mean: Span, max: Span) -> Span {
        let word = self.draw(label, WHOLE) + 1;
        let nats_q20 = (u128::from(minus_log2_q20(word)) * LN_2_Q32) >> 32;
        let span = (nats_q20 * u128::from(mean.0)) >> 20;
        Span(u64::try_from(span).unwrap_or(u64::MAX)).min(max)
    }
}

/// The range that [`exponential`](<dyn Choices>::exponential) asks for, and nobody else: the lowest
/// number is the longest span, and in every other range of times the highest.
const WHOLE: u64 = u64::MAX;

/// ln 2 with 32 fractional bits.
const LN_2_Q32: u128 = 2_977_044_472;

/// log2(1 + index / 256) with 20 fractional bits.
static LOG2_Q20: [u32; 257] = {
    let mut table = [0; 257];
    let mut index = 0;
    while index < 256 {
        table[index] = log2_q20(256 + index as u64);
        index += 1;
    }
    table[256] = 1 << 20;
    table
};

/// log2(eighths / 256) with 20 fractional bits for a number in 256..512, by repeated squaring.
const fn log2_q20(eighths: u64) -> u32 {
    let mut mantissa = eighths << 23;
    let mut fraction = 0;
    let mut bit = 20;
    while bit > 0 {
        bit -= 1;
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            fraction |= 1 << bit;
        }
    }
    fraction
}

/// -log2(word / 2^64) with 20 fractional bits, about 17 of them exact, by linear interpolation in a
/// table.
fn minus_log2_q20(word: u64) -> u64 {
    let zeros = word.leading_zeros();
    let mantissa = (word << zeros) >> 31;
    let (index, rest) = (
        usize::try_from((mantissa >> 24) & 0xff).expect("8 bits"),
        mantissa & 0xff_ffff,
    );
    let (low, high) = (u64::from(LOG2_Q20[index]), u64::from(LOG2_Q20[index + 1]));
    let fraction = low + (((high - low) * rest) >> 24);
    ((u64::from(zeros) + 1) << 20) - fraction
}

/// The oracle of a seed: one ChaCha8 stream for each label.
#[derive(Clone)]
pub struct Seeded {
    key: [u8; 32],
    /// By topic, then `a`, then `b`; made when first asked.
    streams: Vec<Vec<Vec<Option<Box<ChaCha8Rng>>>>>,
    /// Those of the rare topics.
    rare: BTreeMap<Label, Box<ChaCha8Rng>>,
}

impl Seeded {
    /// The oracle of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::keyed(seed, 0)
    }

    fn keyed(seed: u64, salt: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&salt.to_le_bytes());
        key[16..21].copy_from_slice(b"synod");
        Self {
            key,
            streams: Vec::new(),
            rare: BTreeMap::new(),
        }
    }

    /// The oracle of the same seed that answers independently of this one.
    fn salted(&self, salt: u64) -> Self {
        let (seed, old) = self.key.split_at(8);
        let mut words = [0; 16];
        words[..8].copy_from_slice(&old[..8]);
        words[8..].copy_from_slice(&salt.to_le_bytes());
        let seed = u64::from_le_bytes(seed.try_into().expect("8 bytes"));
        Self::keyed(seed, xxhash_rust::xxh3::xxh3_64(&words) | 1)
    }

    /// The next word of a label's stream.
    #[inline]
    fn word(&mut self, label: Label) -> u64 {
        if label.topic >= Topic::FIRST_RARE {
            return self.rare_word(label);
        }
        let [topic, a, b] = [
            label.topic as usize,
            usize::from(label.a),
            usize::from(label.b),
        ];
        let made = self
            .streams
            .get_mut(topic)
            .and_then(|by_a| by_a.get_mut(a))
            .and_then(|by_b| by_b.get_mut(b));
        match made {
            Some(Some(stream)) => stream.next_u64(),
            _ => self.make(label).next_u64(),
        }
    }

    #[cold]
    fn make(&mut self, label: Label) -> &mut ChaCha8Rng {
        let stream = stream(self.key, label);
        let by_a = slot(&mut self.streams, label.topic as usize);
        let by_b = slot(by_a, usize::from(label.a));
        slot(by_b, usize::from(label.b)).insert(stream)
    }

    fn rare_word(&mut self, label: Label) -> u64 {
        self.rare
            .entry(label)
            .or_insert_with(|| stream(self.key, label))
            .next_u64()
    }
}

fn stream(key: [u8; 32], label: Label) -> Box<ChaCha8Rng> {
    let mut stream = ChaCha8Rng::from_seed(key);
    stream.set_stream((label.topic as u64) << 32 | u64::from(label.a) << 16 | u64::from(label.b));
    Box::new(stream)
}

fn slot<T: Default>(rows: &mut Vec<T>, index: usize) -> &mut T {
    if rows.len() <= index {
        rows.resize_with(index + 1, T::default);
    }
    &mut rows[index]
}

impl Choices for Seeded {
    fn draw(&mut self, label: Label, range: u64) -> u64 {
        debug_assert!(range > 0, "{label:?} asks for a number below 0");
        let word = self.word(label);
        u64::try_from((u128::from(word) * u128::from(range)) >> 64)
            .expect("a number below a u64 is a u64")
    }

    fn fork(&self) -> Box<dyn Choices> {
        Box::new(self.clone())
    }

    fn branch(&self, salt: u64) -> Box<dyn Choices> {
        Box::new(self.salted(salt))
    }
}

#[cfg(test)]
pub(crate) mod recorded;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_disturb_each_other() {
        let (mut one, mut two) = (Seeded::new(7), Seeded::new(7));
        let [here, there] = [
            Label::link(Topic::Loss, 1, 2),
            Label::link(Topic::Loss, 2, 1),
        ];
        let alone: Vec<u64> = (0..100).map(|_| one.draw(here, 1000)).collect();
        let mixed: Vec<u64> = (0..100)
            .map(|_| {
                two.draw(there, 5);
                two.draw(here, 1000)
            })
            .collect();
        assert_eq!(alone, mixed);
    }

    #[test]
    fn a_fork_answers_the_same_and_a_branch_does_not() {
        let label = Label::of(Topic::Think, 3);
        let mut seeded = Seeded::new(1);
        seeded.draw(label, 10);
        let (mut fork, mut branch) = (seeded.fork(), seeded.branch(9));
        let next = [seeded.draw(label, u64::MAX), seeded.draw(label, u64::MAX)];
        assert_eq!(
            next,
            [fork.draw(label, u64::MAX), fork.draw(label, u64::MAX)]
        );
        assert_ne!(
            next,
            [branch.draw(label, u64::MAX), branch.draw(label, u64::MAX)]
        );
    }

    #[test]
    fn the_logarithm_is_exact_where_it_must_be_and_close_elsewhere() {
        for bit in 0..64 {
            assert_eq!(minus_log2_q20(1 << bit), (64 - bit) << 20);
        }
        // 2^64 / 3 and 2^64 * 0.9: log2 of 3 is 1.5849625, of 1 / 0.9 it is 0.1520031.
        assert!(minus_log2_q20(u64::MAX / 3).abs_diff(1_661_953) < 8);
        assert!(minus_log2_q20(u64::MAX / 10 * 9).abs_diff(159_386) < 8);
    }

    #[test]
    fn exponential_has_its_mean_and_its_bound() {
        let choices: &mut dyn Choices = &mut Seeded::new(3);
        let (mean, max) = (Span::from_millis(1), Span::from_millis(50));
        let spans: Vec<u64> = (0..100_000)
            .map(|_| {
                choices
                    .exponential(Label::of(Topic::Latency, 0), mean, max)
                    .0
            })
            .collect();
        let average = spans.iter().sum::<u64>() / 100_000;
        assert!((980_000..1_020_000).contains(&average), "mean {average}");
        assert!(spans.iter().all(|span| *span <= max.0));
    }
}
