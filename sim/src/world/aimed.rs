//! Faults that are aimed at messages: which of them hit a message when it is sent, and which
//! messages are kept back until something happens.
//!
//! Every fault decides for itself, by streams of its own, whatever the others and the weather said;
//! so it counts the messages that it means, too, whatever becomes of them. A message that is kept
//! back arrives when what it waits for has happened, or when it would have arrived anyway, if that
//! is later. Those that were kept beyond that arrive at one moment, in the order of sending.

use crate::choices::{FaultAt, Label, Matter, Topic};
use crate::ids::{FaultNumber, Node};
use crate::scenario::fault::{Aim, MessageFault, Until};
use crate::scenario::kinds::include;
use crate::subject::process::Reader;
use crate::time::{Instant, Span};
use crate::trace::observer::Observer;

use super::due::{Due, Flight, Port};
use super::stage::{Stage, both, part, party};
use super::tally::Effect;

/// A fault that holds.
#[derive(Clone, Debug)]
struct Shot {
    number: FaultNumber,
    from: Vec<Port>,
    to: Vec<Port>,
    kinds: Vec<String>,
    nth: Option<u32>,
    /// Messages that it meant so far.
    seen: u32,
    fault: MessageFault,
}

/// A message that is kept back.
#[derive(Clone, Debug)]
struct Kept {
    by: Keeper,
    /// When it would have arrived.
    due: Instant,
    flight: Flight,
}

/// What keeps a message back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Keeper {
    fault: FaultNumber,
    until: Until,
}

/// What all faults do to one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Hits {
    pub lost: bool,
    /// A copy comes so much later.
    pub copy: Option<Span>,
    /// It is damaged, in the way of this word.
    pub damage: Option<u64>,
    /// So much is added to its delay.
    pub late: Span,
    /// The first that keeps it back.
    pub keeper: Option<Keeper>,
}

/// All faults that are aimed at messages, and all messages that they keep back.
#[derive(Clone, Default)]
pub(super) struct Aimed {
    shots: Vec<Shot>,
    /// In the order of sending.
    kept: Vec<Kept>,
}

impl Aimed {
    /// A fault begins.
    pub fn begin(
        &mut self,
        number: FaultNumber,
        ends: (Vec<Port>, Vec<Port>),
        aim: &Aim,
        fault: &MessageFault,
    ) {
        self.shots.push(Shot {
            number,
            from: ends.0,
            to: ends.1,
            kinds: aim.kinds.clone(),
            nth: aim.nth,
            seen: 0,
            fault: fault.clone(),
        });
    }

    /// A fault ends: what it keeps back goes on.
    pub fn end<O: Observer>(&mut self, stage: &mut Stage<O>, number: FaultNumber) {
        self.shots.retain(|shot| shot.number != number);
        self.release(stage, |kept| kept.by.fault == number);
    }

    /// Something happened to a node: what waits for that goes on.
    pub fn happened<O: Observer>(&mut self, stage: &mut Stage<O>, what: Until, who: Node) {
        let who = Port(who.0.into());
        self.release(stage, |kept| {
            kept.by.until == what
                && match what {
                    Until::End => false,
                    Until::LeaderChanged => true,
                    Until::Rejoined => kept.flight.from == who,
                    Until::Campaigned | Until::Elected => kept.flight.to == who,
                }
        });
    }

    fn release<O: Observer>(&mut self, stage: &mut Stage<O>, goes: impl Fn(&Kept) -> bool) {
        for kept in self.kept.extract_if(.., |kept| goes(kept)) {
            if kept.due < stage.now {
                stage.took_effect(Effect::HoldBack, "");
            }
            let at = kept.due.max(stage.now);
            stage.agenda.push(at, Due::Deliver(kept.flight));
        }
    }

    /// Keeps a message back that would arrive after so long.
    pub fn keep(&mut self, by: Keeper, due: Instant, flight: Flight) {
        self.kept.push(Kept { by, due, flight });
    }

    /// What is kept back of this link goes nowhere any more.
    pub fn forget(&mut self, link: usize) {
        self.kept.retain(|kept| kept.flight.link != link);
    }

    /// What the faults do to a message that is sent.
    #[inline]
    pub fn hits<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        reader: Option<&'static dyn Reader>,
        from: Port,
        to: Port,
        bytes: &[u8],
    ) -> Hits {
        let mut hits = Hits::default();
        let mut kind = None;
        for shot in &mut self.shots {
            if !shot.from.contains(&from) || !shot.to.contains(&to) {
                continue;
            }
            let of = || *kind.get_or_insert_with(|| reader.and_then(|it| it.kind_of(bytes)));
            if !include(&shot.kinds, of) {
                continue;
            }
            shot.seen = shot.seen.saturating_add(1);
            if shot.nth.is_none_or(|nth| nth == shot.seen) {
                shot.hit(stage, from, to, &mut hits);
            }
        }
        hits
    }

    /// The messages that are kept back.
    pub fn kept(&self) -> impl Iterator<Item = &Flight> {
        self.kept.iter().map(|kept| &kept.flight)
    }

    /// Bytes of the messages that are kept back.
    pub fn accounted_bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.flight.bytes.len()).sum()
    }
}

impl Shot {
    /// Decides about a message, and adds to what the faults before did to it.
    fn hit<O: Observer>(&self, stage: &mut Stage<O>, from: Port, to: Port, hits: &mut Hits) {
        let (a, b) = (party(from, stage.replicas), party(to, stage.replicas));
        let at = FaultAt::link(self.number, a, b);
        stage.choices.about(Matter::Fault(at));
        match self.fault {
            MessageFault::Lose(ppm) => {
                hits.lost |= stage
                    .choices
                    .chance(Label::fault(Topic::FaultLoss, at), ppm);
            }
            MessageFault::Duplicate { ppm, later } => {
                let again = both(stage, Label::fault(Topic::FaultDuplicate, at), ppm);
                hits.copy = hits.copy.or(again.map(|word| part(word, later)));
            }
            MessageFault::Corrupt(ppm) => {
                let damage = both(stage, Label::fault(Topic::FaultCorrupt, at), ppm);
                hits.damage = hits.damage.or(damage);
            }
            MessageFault::Delay(by) => hits.late = hits.late + by,
            MessageFault::HoldBack(until) => {
                let fault = self.number;
                hits.keeper = hits.keeper.or(Some(Keeper { fault, until }));
            }
        }
    }
}
