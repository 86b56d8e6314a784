//! What every part of the world shares: the time, the agenda, the oracle, the digest, the counters
//! and the observer.

use crate::choices::{CERTAIN, Choices};
use crate::ids::{Endpoint, Node};
use crate::time::{Instant, Span};
use crate::trace::event::{Event, Stamp};
use crate::trace::observer::Observer;

use super::agenda::Agenda;
use super::digest::{Digest, Mark};
use super::due::{Due, Port};
use super::overrides::Overrides;
use super::tally::{Effect, Milestone, Tally};
use crate::choices::Label;
use crate::plan::{Distribution, Plan};

/// The shared part of a world.
pub(super) struct Stage<O> {
    pub now: Instant,
    pub agenda: Agenda<Due>,
    pub choices: Box<dyn Choices>,
    pub digest: Digest,
    pub tally: Tally,
    pub observer: O,
    /// The number of the next event that the observer is told of.
    pub number: u64,
    /// The observer wants no more.
    pub ended: bool,
    /// Who leads has changed, a process came or went, or a disk failed, since the last
    /// acknowledgement was sent.
    pub eventful: bool,
    /// How many replicas.
    pub replicas: u16,
    /// Single decisions that go as they are told.
    pub overrides: Overrides,
}

impl<O: Observer> Stage<O> {
    pub fn new(plan: &Plan, choices: Box<dyn Choices>, observer: O) -> Self {
        Self {
            now: Instant(0),
            agenda: Agenda::default(),
            choices,
            digest: Digest::default(),
            tally: Tally::default(),
            observer,
            number: 0,
            ended: false,
            eventful: false,
            replicas: u16::from(plan.cluster.replicas),
            overrides: Overrides::new(&plan.overrides),
        }
    }

    /// A copy with the same future.
    pub fn fork(&self) -> Self {
        Self {
            agenda: self.agenda.clone(),
            choices: self.choices.fork(),
            tally: self.tally.clone(),
            observer: self.observer.clone(),
            overrides: self.overrides.clone(),
            ..*self
        }
    }

    /// Tells the observer.
    #[inline]
    pub fn emit(&mut self, event: &Event<'_>) {
        let stamp = Stamp {
            time: self.now,
            number: self.number,
        };
        self.number += 1;
        if self.observer.on(stamp, event).is_break() {
            self.ended = true;
        }
    }

    /// Tells the observer that what follows happens in a fork, and not in the run itself.
    pub fn tell_of_fork(&mut self, why: &str) {
        let detail = format!("fork of the run, in which {why},");
        self.emit(&Event::Fault {
            kind: "begins",
            detail: &detail,
        });
    }

    /// Mixes a happening into the digest, at this time.
    #[inline]
    pub fn mark(&mut self, mark: Mark, parties: u64, content: u64) {
        self.digest.mix(mark, self.now.0, parties, content);
    }

    #[inline]
    pub fn after(&mut self, span: Span, due: Due) {
        self.agenda.push(self.now + span, due);
    }

    /// A fault took effect.
    #[inline]
    pub fn took_effect(&mut self, effect: Effect, at: &'static str) {
        self.tally.effects[effect as usize] += 1;
        self.emit(&Event::Fault {
            kind: effect.name(),
            detail: at,
        });
    }

    #[inline]
    pub const fn reached(&mut self, milestone: Milestone) {
        self.tally.milestones[milestone as usize] += 1;
    }

    /// Draws a time.
    #[inline]
    pub fn time(&mut self, label: Label, distribution: Distribution) -> Span {
        match distribution {
            Distribution::Constant(span) => span,
            Distribution::Uniform(low, high) => {
                Span(self.choices.between(label, low.0, high.0.max(low.0)))
            }
            Distribution::Exponential { mean, max } => self.choices.exponential(label, mean, max),
        }
    }

    #[inline]
    pub fn endpoint(&self, port: Port) -> Endpoint {
        if port.0 < self.replicas {
            Endpoint::Node(Node(u8::try_from(port.0).expect("at most 9 replicas")))
        } else {
            Endpoint::Client(crate::ids::Client(port.0 - self.replicas))
        }
    }

    pub const fn client_port(&self, client: u16) -> Port {
        Port(self.replicas + client)
    }
}

/// "r1", ... for the details of faults, without formatting.
pub(super) fn name(node: u8) -> &'static str {
    static NAMES: [&str; 9] = ["r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"];
    NAMES[usize::from(node.min(8))]
}

/// The label's number for a port: replicas below 16, clients from there on, so that a replica more
/// or less renames no client's streams.
pub(super) const fn party(port: Port, replicas: u16) -> u16 {
    if port.0 < replicas {
        port.0
    } else {
        16 + port.0 - replicas
    }
}

/// One word for whether something happens and how: the second half, when it does. Draws nothing for
/// a probability of 0.
pub(super) fn both<O: Observer>(stage: &mut Stage<O>, label: Label, ppm: u32) -> Option<u64> {
    if ppm == 0 {
        return None;
    }
    let word = stage.choices.draw(label, u64::from(CERTAIN) << 32);
    (word >> 32 < u64::from(ppm)).then_some(word & 0xffff_ffff)
}

/// That part of a span that 32 bits name.
pub(super) fn part(word: u64, span: Span) -> Span {
    Span(
        u64::try_from((u128::from(word) * u128::from(span.0)) >> 32)
            .expect("a part of a span is a span"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_span_covers_it() {
        assert_eq!(part(0, Span(1000)), Span(0));
        assert_eq!(part(0xffff_ffff, Span(1000)), Span(999));
    }
}
