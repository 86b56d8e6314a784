//! The subject: what the engine relies on, what it shows, and what can be planted in it.

use synod_sim::prelude::*;

use crate::disk::Disk;
use crate::messages::Messages;
use crate::replica::Replica;

/// The `omnipaxos` crate, which may use snapshots or may not.
pub struct Omni<const SNAPSHOTS: bool>;

/// Bugs of an adapter, as a user of the crate might write them.
pub const MESSAGES_BEFORE_SYNC: Card = Card {
    name: "messages-before-sync",
    component: "storage",
    class: "durability-loss",
    difficulty: "easy",
    behaviour: "Messages and answers are sent before what they rest on is on the disk.",
    source: "a `Storage` whose writes return before they are durable",
};
pub const APPLIES_TWICE: Card = Card {
    name: "applies-twice",
    component: "state machine",
    class: "exactly-once",
    difficulty: "easy",
    behaviour: "A request that was proposed twice is done twice.",
    source: "a state machine without a memory of what it answered",
};

impl<const SNAPSHOTS: bool> Subject for Omni<SNAPSHOTS> {
    fn name(&self) -> &'static str {
        if SNAPSHOTS {
            "omnipaxos"
        } else {
            "omnipaxos-log"
        }
    }

    fn format(&self, _: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        vec![Cell::format(&Disk::<SNAPSHOTS>::default().bytes())]
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Replica::<SNAPSHOTS>::new(setup, node))
    }

    fn bugs(&self) -> Vec<Card> {
        vec![MESSAGES_BEFORE_SYNC, APPLIES_TWICE]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Plain::WITHOUT_SESSIONS
    }

    /// "Session-based FIFO perfect links", says the paper; the crate asks for nothing in words.
    fn links(&self) -> Links {
        Links::Sessions
    }

    /// It has no cluster of one.
    fn replicas(&self) -> std::ops::RangeInclusive<u8> {
        2..=9
    }

    fn reads_wall_clock(&self) -> bool {
        false
    }

    fn reader(&self) -> Option<&'static dyn Reader> {
        Some(&Messages)
    }

    /// Who asks for votes, or tells of decisions, at its own ballot.
    fn leads(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let (kind, ballot) = Messages::ballot(bytes)?;
        (matches!(kind, "accept-sync" | "accept" | "decide") && ballot.1 == from.0)
            .then_some(ballot)
    }

    fn campaigns(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let (kind, ballot) = Messages::ballot(bytes)?;
        (kind == "prepare" && ballot.1 == from.0).then_some(ballot)
    }
}
