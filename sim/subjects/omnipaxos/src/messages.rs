//! Reads the messages between replicas, by code that shares nothing with the engine: bincode has
//! numbers of fixed length, and an enum's variant as a number of four bytes.

use synod_sim::prelude::*;

/// The engine's ids are neither from 1 on nor without gaps.
pub fn pid(node: Node) -> u64 {
    u64::from(node.0) * 3 + 2
}

pub fn node(pid: u64) -> Option<Node> {
    let node = Node(u8::try_from(pid.checked_sub(2)? / 3).ok()?);
    (self::pid(node) == pid).then_some(node)
}

/// The kinds, in the order of the engine's variants: those of Sequence Paxos, then those of Ballot
/// Leader Election. What the library knows by a name of its own has that one: `AcceptDecide` is
/// `accept`, `NotAccepted` is `reject`.
pub const KINDS: [&str; 14] = [
    "prepare-req",
    "prepare",
    "promise",
    "accept-sync",
    "accept",
    "accepted",
    "reject",
    "decide",
    "proposal-forward",
    "compaction",
    "accept-stop-sign",
    "forward-stop-sign",
    "heartbeat",
    "heartbeat-reply",
];

pub struct Messages;

impl Messages {
    /// The kind of a message, and what follows the kind.
    fn open(bytes: &[u8]) -> Option<(usize, &[u8])> {
        let (family, rest) = word(bytes)?;
        // Sender and receiver.
        let (variant, rest) = word(rest.get(16..)?)?;
        let kind = match family {
            0 if variant < 12 => variant,
            1 if variant < 2 => 12 + variant,
            _ => return None,
        };
        Some((kind as usize, rest))
    }

    /// The kind of a message and the ballot that it begins with.
    pub fn ballot(bytes: &[u8]) -> Option<(&'static str, (u64, u8))> {
        let (kind, rest) = Self::open(bytes)?;
        let name = *KINDS.get(kind).filter(|_| kind < 8)?;
        // After the configuration's id: the round, the priority, the id of a replica.
        let (round, rest) = word(rest.get(4..)?)?;
        let (pid, _) = rest.get(4..)?.split_first_chunk()?;
        // Before anybody leads there is a ballot of nobody.
        let by = node(u64::from_le_bytes(*pid))?;
        Some((name, (round.into(), by.0)))
    }
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}

impl Reader for Messages {
    fn describe(&self, bytes: &[u8]) -> Option<Description> {
        let bytes = frame::unsealed(bytes)?;
        let (kind, rest) = Self::open(bytes)?;
        // The first index that is not accepted, or decided: behind the ballot, or the ballot and
        // the message's number in its session.
        let end = match KINDS[kind] {
            "accepted" => rest.get(20..28),
            "decide" => rest.get(36..44),
            _ => None,
        };
        let end = end.and_then(|end| Some(u64::from_le_bytes(end.try_into().ok()?)));
        Some(Description {
            kind: KINDS[kind],
            ballot: Self::ballot(bytes).map(|(_, ballot)| ballot),
            slot: end.and_then(|end| end.checked_sub(1)),
            claim: Claim::Nothing,
        })
    }

    fn kinds(&self) -> &'static [&'static str] {
        &KINDS
    }

    fn kind(&self, bytes: &[u8]) -> Option<usize> {
        Self::open(bytes).map(|(kind, _)| kind)
    }
}
