//! Who durably holds what is chosen: what a fault goes by that is after the last copy, and a step
//! that waits until somebody lags.
//!
//! It is read off the media sync by sync, by the subject's reader, and nothing is believed of what a
//! replica says. So it does not depend on how closely a run is watched. Damage is not looked at here:
//! whoever asks for the last holder says whose copies are lost, which the ledger knows.

use std::collections::BTreeMap;

use synod_port::files::FileName;

use crate::ids::Node;
use crate::subject::process::{Durable, MediaReader, Reader};

/// Votes for one value at one ballot.
#[derive(Clone, Copy, Debug)]
struct Cast {
    ballot: (u64, u8),
    value: u64,
    /// By node, a bit each.
    voters: u16,
}

/// What is on the media for one slot.
#[derive(Clone, Default, Debug)]
struct Held {
    casts: Vec<Cast>,
    /// By value, who has it from others, who said that it is chosen.
    learned: Vec<(u64, u16)>,
}

/// Who holds what.
#[derive(Clone)]
pub(super) struct Holders {
    media: Vec<Box<dyn MediaReader>>,
    /// From `held_below` on.
    slots: BTreeMap<u64, Held>,
    /// Everybody holds what is chosen in each slot below.
    held_below: u64,
}

impl Holders {
    /// Among so many replicas; none when the reader shows no media.
    pub fn new(replicas: u8, reader: &dyn Reader) -> Option<Self> {
        let media: Option<Vec<_>> = (0..replicas).map(|_| reader.media()).collect();
        Some(Self {
            media: media?,
            slots: BTreeMap::new(),
            held_below: 0,
        })
    }

    /// Sectors of the node's file have become durable.
    pub fn synced(&mut self, node: Node, file: FileName, sectors: &[(u32, &[u8])]) {
        self.read(node, |media, found| media.synced(file, sectors, found));
    }

    /// The node's disk durably holds these names.
    pub fn named(&mut self, node: Node, names: &[FileName]) {
        self.read(node, |media, found| media.named(names, found));
    }

    /// The node starts.
    pub fn booted(&mut self, node: Node) {
        self.read(node, |media, _| media.booted());
    }

    fn read(&mut self, node: Node, reading: impl FnOnce(&mut dyn MediaReader, &mut Vec<Durable>)) {
        let Some(media) = self.media.get_mut(usize::from(node.0)) else {
            return;
        };
        let mut found = Vec::new();
        reading(&mut **media, &mut found);
        for durable in found {
            self.holds(node, &durable);
        }
    }

    fn holds(&mut self, node: Node, durable: &Durable) {
        let bit = 1 << node.0;
        match *durable {
            Durable::Vote {
                slot,
                ballot,
                value,
            } if slot >= self.held_below => {
                let casts = &mut self.slots.entry(slot).or_default().casts;
                let same = |cast: &&mut Cast| (cast.ballot, cast.value) == (ballot, value);
                match casts.iter_mut().find(same) {
                    Some(cast) => cast.voters |= bit,
                    None => casts.push(Cast {
                        ballot,
                        value,
                        voters: bit,
                    }),
                }
            }
            Durable::Learned { slot, value } if slot >= self.held_below => {
                let learned = &mut self.slots.entry(slot).or_default().learned;
                match learned.iter_mut().find(|(other, _)| *other == value) {
                    Some((_, nodes)) => *nodes |= bit,
                    None => learned.push((value, bit)),
                }
            }
            Durable::Promise(_) | Durable::Vote { .. } | Durable::Learned { .. } => return,
        }
        let everybody = self.everybody();
        while let Some(first) = self.slots.get(&self.held_below)
            && self.of(first) == Some(everybody)
        {
            self.slots.remove(&self.held_below);
            self.held_below += 1;
        }
    }

    /// Who holds what is chosen in a slot, a bit each; none when nothing is.
    fn of(&self, held: &Held) -> Option<u16> {
        let quorum = |cast: &&Cast| cast.voters.count_ones() as usize > self.media.len() / 2;
        let chosen = held.casts.iter().find(quorum)?.value;
        let voters = held.casts.iter().filter(|cast| cast.value == chosen);
        let voters = voters.fold(0, |nodes, cast| nodes | cast.voters);
        let learned = held.learned.iter().find(|(value, _)| *value == chosen);
        Some(voters | learned.map_or(0, |(_, nodes)| *nodes))
    }

    fn everybody(&self) -> u16 {
        (1 << self.media.len()) - 1
    }

    /// In how many slots something is chosen that the node does not hold.
    pub fn lag(&self, node: Node) -> u64 {
        let chosen = self.slots.values().filter_map(|held| self.of(held));
        chosen.filter(|holders| holders >> node.0 & 1 == 0).count() as u64
    }

    /// The only one that still holds what is chosen in the newest slot of which that can be said,
    /// when these have lost what they held.
    pub fn last(&self, lost: impl Fn(Node) -> bool) -> Option<Node> {
        let nodes = (0..self.media.len() as u8).map(Node);
        let sound = nodes.filter(|node| !lost(*node));
        let sound = sound.fold(0, |nodes, node| nodes | 1 << node.0);
        let all = (self.held_below > 0).then(|| self.everybody());
        let newest_first = self.slots.values().rev().filter_map(|held| self.of(held));
        let mut left = newest_first.chain(all).map(|holders| holders & sound);
        let last: u16 = left.find(|left| left.count_ones() == 1)?;
        u8::try_from(last.trailing_zeros()).ok().map(Node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::process::Subject;
    use crate::subject::synod::Synod;

    fn three() -> Holders {
        Holders::new(3, Synod.reader().expect("it offers one")).expect("it shows media")
    }

    fn vote(holders: &mut Holders, node: u8, slot: u64, ballot: u64, value: u64) {
        let vote = Durable::Vote {
            slot,
            ballot: (ballot, 0),
            value,
        };
        holders.holds(Node(node), &vote);
    }

    fn learn(holders: &mut Holders, node: u8, slot: u64, value: u64) {
        holders.holds(Node(node), &Durable::Learned { slot, value });
    }

    fn lags(holders: &Holders) -> [u64; 3] {
        [0, 1, 2].map(|node| holders.lag(Node(node)))
    }

    #[test]
    fn who_holds_nothing_of_what_is_chosen_lags_until_it_learns() {
        let mut holders = three();
        for slot in 0..5 {
            vote(&mut holders, 0, slot, 1, 7);
        }
        assert_eq!(lags(&holders), [0, 0, 0], "nothing is chosen");
        for slot in 0..5 {
            vote(&mut holders, 1, slot, 1, 7);
        }
        assert_eq!(lags(&holders), [0, 0, 5]);
        // Another value, and one that a minority voted for, do not count.
        vote(&mut holders, 2, 4, 0, 8);
        learn(&mut holders, 2, 3, 8);
        assert_eq!(lags(&holders), [0, 0, 5]);
        learn(&mut holders, 2, 0, 7);
        vote(&mut holders, 2, 2, 1, 7);
        assert_eq!(lags(&holders), [0, 0, 3]);
        assert_eq!((holders.held_below, holders.slots.len()), (1, 4));
        // A late vote for what everybody holds makes nothing of it.
        vote(&mut holders, 0, 0, 2, 7);
        vote(&mut holders, 1, 0, 2, 7);
        assert_eq!(lags(&holders), [0, 0, 3]);
    }

    #[test]
    fn the_last_holder_is_whom_damage_leaves_alone() {
        let nobody = |_: Node| false;
        let (first, second) = (|node: Node| node.0 == 0, |node: Node| node.0 == 1);
        let mut holders = three();
        vote(&mut holders, 0, 0, 1, 7);
        assert_eq!(holders.last(second), None, "nothing is chosen");
        vote(&mut holders, 1, 0, 1, 7);
        assert_eq!(holders.last(nobody), None, "two hold it");
        assert_eq!(holders.last(first), Some(Node(1)));
        assert_eq!(holders.last(second), Some(Node(0)));
        learn(&mut holders, 2, 0, 7);
        assert_eq!(holders.last(first), None, "two hold it again");
        assert_eq!(holders.held_below, 1);
        assert_eq!(holders.last(|node| node.0 != 2), Some(Node(2)));
        assert_eq!(holders.last(|_| true), None, "nobody holds it");
        // The newest slot counts of which that can be said.
        vote(&mut holders, 1, 1, 1, 7);
        vote(&mut holders, 2, 1, 1, 7);
        assert_eq!(holders.last(|node| node.0 == 2), Some(Node(1)));
        assert_eq!(holders.last(first), None);
    }
}
