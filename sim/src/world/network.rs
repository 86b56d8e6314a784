//! The network: links with delays, losses, copies and damage; cuts, clogs and injected link faults.
//!
//! Every message draws one word for each decision that the weather leaves open (delay, loss, copy,
//! damage), whatever becomes of it, so that a message which is cut, lost or held changes nothing
//! for the ones behind it. A decision whose probability is 0 draws nothing: its stream is its own.
//!
//! A partition drops a message when it is sent, and when it would arrive, if the link is cut then:
//! what is in the cables is lost as well. What a fault makes late, or keeps back, waits where it is
//! going: it arrives, whatever is cut meanwhile, so that it can outlive a leader. Messages belong
//! to no incarnation: whoever is up when one arrives gets it.
//!
//! Between replicas of a subject that relies on more than datagrams the same decisions mean other
//! things ([`Links`]). Of copies the first alone counts, and what is damaged is as good as lost. In
//! order of sending comes all that comes: of FIFO links, what was overtaken is lost; of sessions,
//! what comes early waits, as in the receiver of a TCP connection. There what the weather loses is
//! sent once more, which takes as long as two more journeys, what a partition cuts waits until it is
//! mended or the session has ended, and what a fault loses or damages ends the session.

use std::collections::BTreeMap;
use std::sync::Arc;

use synod_port::files::Bytes;

use crate::choices::overrides::Passage;
use crate::choices::{Label, Matter, Topic};
use crate::plan;
use crate::scenario::fault::LinkFault;
use crate::subject::contract::Links;
use crate::subject::process::Reader;
use crate::time::Span;
use crate::trace::event::Event;
use crate::trace::observer::Observer;

use super::aimed::{Aimed, Keeper};
use super::digest::{Digest, Mark};
use super::due::{Cause, Due, Flight, Port};
use super::stage::{Stage, both, part, party};
use super::tally::Effect;

#[derive(Clone, Debug, Default)]
struct Link {
    /// Messages sent.
    sent: u32,
    /// One more than the highest number that arrived.
    arrived: u32,
    /// How many partitions cut it.
    cut: u16,
    /// How many faults clog it.
    clogged: u16,
    /// So much faults add to every delay.
    slow: Span,
    /// Messages below this number belong to a session that has ended, or were overtaken.
    floor: u32,
    /// Messages that came before others that were sent earlier, by number.
    early: BTreeMap<u32, Flight>,
}

/// All links.
#[derive(Clone)]
pub(super) struct Network {
    replicas: usize,
    ports: usize,
    links: Vec<Link>,
    weather: plan::Network,
    held: Vec<(Flight, Span)>,
    aimed: Aimed,
    reader: Option<&'static dyn Reader>,
    /// What the links between replicas keep.
    keeps: Links,
}

/// What became of a message as it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sent {
    /// It goes on its way, or not.
    Once,
    /// The network made a copy of it on its own.
    Twice,
    /// The session that it was sent in ends with it.
    Breaks,
}

impl Network {
    pub fn new(
        replicas: usize,
        clients: usize,
        weather: plan::Network,
        (links, reader): (Links, Option<&'static dyn Reader>),
    ) -> Self {
        let ports = replicas + clients;
        let all = vec![Link::default(); replicas * (ports + clients)];
        Self {
            replicas,
            ports,
            links: all,
            held: Vec::new(),
            aimed: Aimed::default(),
            reader,
            keeps: if weather.beyond_contract {
                Links::Datagrams
            } else {
                links
            },
            weather,
        }
    }

    /// What this link keeps.
    #[inline]
    fn keeps(&self, from: Port, to: Port) -> Links {
        if self.keeps == Links::Datagrams || usize::from(from.0.max(to.0)) >= self.replicas {
            Links::Datagrams
        } else {
            self.keeps
        }
    }

    /// Replicas reach everybody; clients reach replicas only.
    fn index(&self, from: Port, to: Port) -> usize {
        let (from, to) = (usize::from(from.0), usize::from(to.0));
        if from < self.replicas {
            from * self.ports + to
        } else {
            self.replicas * self.ports + (from - self.replicas) * self.replicas + to
        }
    }

    /// The weather calms: delays stay, and of losses, copies and damage at most so many in a million
    /// messages, each.
    pub fn calm(&mut self, ppm: u32) {
        for rate in [
            &mut self.weather.loss,
            &mut self.weather.duplicate,
            &mut self.weather.corrupt,
        ] {
            *rate = ppm.min(*rate);
        }
    }

    /// Sends a message. `boot` is the sender's.
    pub fn send<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        from: Port,
        boot: u32,
        to: Port,
        bytes: Bytes,
    ) -> Sent {
        let index = self.index(from, to);
        let link = &mut self.links[index];
        let number = link.sent;
        link.sent = number.wrapping_add(1);
        stage.mark(
            Mark::Sent,
            u64::from(from.0) << 16 | u64::from(to.0),
            Digest::content(&bytes),
        );
        stage.emit(&Event::Sent {
            from: stage.endpoint(from),
            to: stage.endpoint(to),
            bytes: &bytes,
        });

        let (a, b) = (party(from, stage.replicas), party(to, stage.replicas));
        stage.choices.about(Matter::Message(a, b, number));
        let mut delay = stage.time(Label::link(Topic::Latency, a, b), self.weather.latency);
        let by_weather = self.weather.loss > 0
            && stage
                .choices
                .chance(Label::link(Topic::Loss, a, b), self.weather.loss);
        let mut lost = by_weather.then_some(Effect::NetworkLoss);
        let mut copy = both(
            stage,
            Label::link(Topic::Duplicate, a, b),
            self.weather.duplicate,
        )
        .map(|word| (part(word, self.weather.duplicate_later), Cause::Weather));
        let mut damage = both(
            stage,
            Label::link(Topic::Corrupt, a, b),
            self.weather.corrupt,
        )
        .map(|word| (word, Cause::Weather));
        let by_weather = stage.overrides.keeps().then(|| Passage {
            intact: false,
            lost: by_weather.then_some(true),
            delay: (!by_weather).then_some(delay),
            copy_after: copy.map(|(later, _)| later),
            damage: damage.map(|(word, _)| u32::try_from(word).unwrap_or(u32::MAX)),
        });
        let hits = self.aimed.hits(stage, self.reader, from, to, &bytes);
        lost = lost.or(hits.lost.then_some(Effect::Lose));
        copy = copy.or(hits.copy.map(|later| (later, Cause::Fault)));
        damage = damage.or(hits.damage.map(|word| (word, Cause::Fault)));
        let (mut slow, mut late, mut keeper) = (self.links[index].slow, hits.late, hits.keeper);
        delay = delay + slow + late;
        if let Some(passage) = by_weather {
            self.keep(
                stage,
                (from, to),
                &bytes,
                Passage {
                    // What is kept back by a fault is not told a delay, which would set it free.
                    delay: passage.delay.filter(|_| keeper.is_none()).map(|_| delay),
                    ..passage
                },
            );
        }

        if let Some(passage) = self.overridden(stage, from, to, &bytes) {
            if passage.intact {
                (lost, copy, damage) = (None, None, None);
            }
            if let Some(is_lost) = passage.lost {
                lost = is_lost.then_some(Effect::NetworkLoss);
            }
            if let Some(later) = passage.copy_after {
                copy = Some((later, Cause::Weather));
            }
            if let Some(word) = passage.damage {
                damage = Some((word.into(), Cause::Weather));
            }
            if let Some(told) = passage.delay {
                (delay, slow, late, keeper) = (told, Span(0), Span(0), None);
            }
        }

        let keeps = self.keeps(from, to);
        if keeps != Links::Datagrams {
            copy = None;
            if let Some((_, cause)) = damage.take() {
                lost = lost.or(Some(match cause {
                    Cause::Weather => Effect::NetworkLoss,
                    Cause::Fault => Effect::Corrupt,
                }));
            }
        }
        if keeps == Links::Sessions {
            match lost.take() {
                None => {}
                Some(Effect::NetworkLoss) => {
                    stage.took_effect(Effect::NetworkLoss, "");
                    delay = Span(delay.0.saturating_mul(3));
                }
                Some(effect) => {
                    stage.took_effect(effect, "");
                    return Sent::Breaks;
                }
            }
        } else if self.links[index].cut > 0 {
            stage.took_effect(Effect::Partition, "");
            return Sent::Once;
        }
        if let Some(effect) = lost {
            stage.took_effect(effect, "");
            return Sent::Once;
        }
        if slow > Span(0) {
            stage.took_effect(Effect::SlowLink, "");
        }
        if late > Span(0) {
            stage.took_effect(Effect::Delay, "");
        }
        let flight = Flight {
            from,
            to,
            boot,
            number,
            link: index,
            copy: None,
            damaged: None,
            waits: late > Span(0) || keeper.is_some(),
            bytes,
        };
        if copy.is_none() && damage.is_none() {
            self.launch(stage, flight, delay, keeper);
            return Sent::Once;
        }
        if let Some((later, cause)) = copy {
            self.launch(
                stage,
                Flight {
                    copy: Some(cause),
                    ..flight.clone()
                },
                delay + later,
                keeper,
            );
        }
        match damage {
            None => self.launch(stage, flight, delay, keeper),
            Some((word, cause)) => {
                let bytes = damaged(&flight.bytes, word);
                self.launch(
                    stage,
                    Flight {
                        damaged: Some(cause),
                        bytes,
                        ..flight
                    },
                    delay,
                    keeper,
                );
            }
        }
        if copy.is_some() {
            Sent::Twice
        } else {
            Sent::Once
        }
    }

    /// What becomes of the message, if it is one whose passage was told.
    #[inline]
    fn overridden<O: Observer>(
        &self,
        stage: &mut Stage<O>,
        from: Port,
        to: Port,
        bytes: &[u8],
    ) -> Option<Passage> {
        if stage.overrides.is_empty() {
            return None;
        }
        let (from, to) = (stage.endpoint(from), stage.endpoint(to));
        let describe = || self.reader.and_then(|reader| reader.describe(bytes));
        let passage = stage.overrides.of_message(from, to, describe)?;
        stage.took_effect(Effect::Override, "");
        Some(passage)
    }

    /// Keeps what the weather decided about a message.
    #[cold]
    fn keep<O: Observer>(
        &self,
        stage: &mut Stage<O>,
        (from, to): (Port, Port),
        bytes: &[u8],
        passage: Passage,
    ) {
        let ends = (stage.endpoint(from), stage.endpoint(to));
        let said = self.reader.and_then(|reader| reader.describe(bytes));
        stage.overrides.keep_passage(ends, said.as_ref(), passage);
    }

    #[inline]
    fn launch<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        flight: Flight,
        delay: Span,
        keeper: Option<Keeper>,
    ) {
        if let Some(keeper) = keeper {
            self.aimed.keep(keeper, stage.now + delay, flight);
        } else if let Some(effect) = self.holds(&flight) {
            stage.took_effect(effect, "");
            self.held.push((flight, delay));
        } else {
            stage.after(delay, Due::Deliver(flight));
        }
    }

    /// What keeps a message on its link for now.
    #[inline]
    fn holds(&self, flight: &Flight) -> Option<Effect> {
        let link = &self.links[flight.link];
        if link.clogged > 0 {
            Some(Effect::Clog)
        } else if link.cut > 0
            && !flight.waits
            && self.keeps(flight.from, flight.to) == Links::Sessions
        {
            Some(Effect::Partition)
        } else {
            None
        }
    }

    /// A message has come to the end of its link: whether it gets out. It does not when the link is
    /// cut now and it was not made late, nor, until that ends, when the link holds it, nor when its
    /// session has ended.
    #[inline]
    pub fn gets_out<O: Observer>(&mut self, stage: &mut Stage<O>, flight: &Flight) -> bool {
        let link = &self.links[flight.link];
        let lost = flight.number < link.floor;
        let cut = link.cut > 0 && !flight.waits;
        if !cut && link.clogged == 0 && !lost {
            return true;
        }
        if !lost && let Some(effect) = self.holds(flight) {
            stage.took_effect(effect, "");
            self.held.push((flight.clone(), Span(0)));
            return false;
        }
        stage.mark(
            Mark::Dropped,
            u64::from(flight.from.0) << 16 | u64::from(flight.to.0),
            u64::from(flight.number),
        );
        if cut {
            stage.took_effect(Effect::Partition, "");
        }
        false
    }

    /// Whether messages of this one's link come in order.
    #[inline]
    pub fn keeps_order(&self, flight: &Flight) -> bool {
        self.keeps(flight.from, flight.to) != Links::Datagrams
    }

    /// A message of a link that keeps order has got out.
    pub fn has_come<O: Observer>(&mut self, stage: &mut Stage<O>, flight: Flight) {
        let fifo = self.keeps == Links::Fifo;
        let link = &mut self.links[flight.link];
        if fifo {
            link.floor = flight.number;
        } else if flight.number > link.floor {
            stage.took_effect(Effect::Reorder, "");
        }
        link.early.insert(flight.number, flight);
    }

    /// The next message of a link that keeps order, if it has come.
    pub fn next_in_order(&mut self, link: usize) -> Option<Flight> {
        let link = &mut self.links[link];
        let next = link.early.remove(&link.floor)?;
        link.floor += 1;
        Some(next)
    }

    /// Nothing comes any more of what was sent between these two so far.
    pub fn forget_between(&mut self, one: usize, other: usize) {
        if self.keeps != Links::Sessions {
            return;
        }
        for index in [one * self.ports + other, other * self.ports + one] {
            let link = &mut self.links[index];
            link.floor = link.sent;
            link.early.clear();
            self.held.retain(|(flight, _)| flight.link != index);
            self.aimed.forget(index);
        }
    }

    /// How many messages have not come, on that link between replicas where there are most.
    #[cfg(test)]
    pub fn behind(&self) -> u32 {
        let links = (0..self.replicas)
            .flat_map(|from| (0..self.replicas).map(move |to| from * self.ports + to));
        let behind = links.map(|index| self.links[index].sent - self.links[index].floor);
        behind.max().unwrap_or(0)
    }

    /// Whether two replicas can talk, both ways.
    pub fn is_open(&self, one: usize, other: usize) -> bool {
        let open = |from: usize, to: usize| self.links[from * self.ports + to].cut == 0;
        open(one, other) && open(other, one)
    }

    /// How long something takes on this link that is no message.
    pub fn latency<O: Observer>(&self, stage: &mut Stage<O>, label: Label) -> Span {
        stage.time(label, self.weather.latency)
    }

    /// The receiver is there: counts what is special about the message, and tells of it.
    pub fn delivered<O: Observer>(&mut self, stage: &mut Stage<O>, flight: &Flight) {
        let link = &mut self.links[flight.link];
        let parties = u64::from(flight.damaged.is_some()) << 33
            | u64::from(flight.copy.is_some()) << 32
            | u64::from(flight.from.0) << 16
            | u64::from(flight.to.0);
        let content = if flight.damaged.is_some() {
            Digest::content(&flight.bytes)
        } else {
            u64::from(flight.number)
        };
        stage.mark(Mark::Delivered, parties, content);
        if flight.number < link.arrived {
            if flight.copy.is_none() {
                stage.took_effect(Effect::Reorder, "");
            }
        } else {
            link.arrived = flight.number.wrapping_add(1);
        }
        if let Some(cause) = flight.copy {
            stage.took_effect(
                if cause == Cause::Weather {
                    Effect::NetworkDuplicate
                } else {
                    Effect::Duplicate
                },
                "",
            );
        }
        if let Some(cause) = flight.damaged {
            stage.took_effect(
                if cause == Cause::Weather {
                    Effect::NetworkCorrupt
                } else {
                    Effect::Corrupt
                },
                "",
            );
        }
        stage.emit(&Event::Delivered {
            from: stage.endpoint(flight.from),
            to: stage.endpoint(flight.to),
            bytes: &flight.bytes,
        });
    }

    /// All links to a replica, those of clients too.
    pub fn links_to(&self, node: Port) -> Vec<(Port, Port)> {
        self.others(node).map(|other| (other, node)).collect()
    }

    /// All links from a replica, those to clients too.
    pub fn links_from(&self, node: Port) -> Vec<(Port, Port)> {
        self.others(node).map(|other| (node, other)).collect()
    }

    fn others(&self, node: Port) -> impl Iterator<Item = Port> + use<> {
        (0..u16::try_from(self.ports).expect("ports are numbered by 16 bits"))
            .map(Port)
            .filter(move |port| *port != node)
    }

    /// Cuts links, once more for each partition that does so.
    pub fn cut(&mut self, links: &[(Port, Port)]) {
        for (from, to) in links {
            let index = self.index(*from, *to);
            self.links[index].cut += 1;
        }
    }

    /// Ends one partition.
    pub fn mend<O: Observer>(&mut self, stage: &mut Stage<O>, links: &[(Port, Port)]) {
        for (from, to) in links {
            let index = self.index(*from, *to);
            self.links[index].cut -= 1;
        }
        if self.keeps == Links::Sessions {
            self.release(stage);
        }
    }

    /// What no link holds any more goes on.
    fn release<O: Observer>(&mut self, stage: &mut Stage<O>) {
        for (flight, delay) in std::mem::take(&mut self.held) {
            if self.holds(&flight).is_some() {
                self.held.push((flight, delay));
            } else {
                stage.after(delay, Due::Deliver(flight));
            }
        }
    }

    /// With how many others each replica can talk, both ways.
    pub fn contacts(&self) -> Vec<u8> {
        let talk = |one: usize, other: usize| one != other && self.is_open(one, other);
        (0..self.replicas)
            .map(|one| {
                (0..self.replicas)
                    .map(|other| u8::from(talk(one, other)))
                    .sum()
            })
            .collect()
    }

    /// Sets what injected faults do to the links between replicas, all of them anew; releases what
    /// no clog holds any more.
    pub fn set_faults<'a, O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        faults: impl Iterator<Item = (&'a [Port], &'a [Port], &'a LinkFault)>,
    ) {
        for from in 0..self.replicas {
            for link in &mut self.links[from * self.ports..from * self.ports + self.replicas] {
                link.clogged = 0;
                link.slow = Span(0);
            }
        }
        for (froms, tos, fault) in faults {
            for (from, to) in froms
                .iter()
                .flat_map(|from| tos.iter().map(move |to| (*from, *to)))
                .filter(|(from, to)| from != to)
            {
                let index = self.index(from, to);
                let link = &mut self.links[index];
                match fault {
                    LinkFault::Clog => link.clogged += 1,
                    LinkFault::Slow(by) => link.slow = link.slow + *by,
                }
            }
        }
        self.release(stage);
    }

    /// The messages that go on when something happens.
    pub fn kept_back(&self) -> impl Iterator<Item = &Flight> {
        let clogged = self.held.iter().map(|(flight, _)| flight);
        clogged.chain(self.aimed.kept())
    }

    /// Faults that are aimed at messages.
    pub const fn aimed(&mut self) -> &mut Aimed {
        &mut self.aimed
    }

    /// Bytes that the network accounts for.
    pub fn accounted_bytes(&self) -> u64 {
        (self.links.len() * size_of::<Link>()
            + self
                .held
                .iter()
                .map(|(flight, _)| flight.bytes.len())
                .sum::<usize>()
            + self.aimed.accounted_bytes()) as u64
    }
}

/// A copy with one to three bits flipped, or with its end cut.
fn damaged(bytes: &Bytes, word: u64) -> Bytes {
    let Some(last) = bytes.len().checked_sub(1) else {
        return bytes.clone();
    };
    let mut state = word | 1 << 40;
    let mut next = |range: usize| {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        usize::try_from((u128::from(state >> 16) * range as u128) >> 48).expect("below a usize")
    };
    if next(4) == 0 {
        return Arc::from(&bytes[..next(last + 1)]);
    }
    let mut copy = bytes.to_vec();
    for _ in 0..=next(3) {
        copy[next(last + 1)] ^= 1 << next(8);
    }
    copy.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_a_flip_or_a_cut() {
        let whole: Bytes = Arc::from(&b"sixteen bytes ok"[..]);
        let (mut cut, mut flipped) = (0, 0);
        for word in 0..1000u64 {
            let bad = damaged(&whole, word << 22 | word);
            if bad.len() < whole.len() {
                assert_eq!(*bad, whole[..bad.len()]);
                cut += 1;
            } else {
                let bits: u32 = whole
                    .iter()
                    .zip(bad.iter())
                    .map(|(one, other)| (one ^ other).count_ones())
                    .sum();
                assert!(bits <= 3);
                flipped += 1;
            }
        }
        assert!(cut > 150 && flipped > 500, "{cut} cut, {flipped} flipped");
        assert!(damaged(&Arc::from(&b""[..]), 7).is_empty());
    }
}
