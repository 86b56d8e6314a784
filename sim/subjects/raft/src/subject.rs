//! What raft is to the simulator.

use raft::eraftpb::ConfState;
use synod_sim::prelude::*;

use crate::bugs;
use crate::messages::{Messages, id_of, term_of};
use crate::replica::Replica;
use crate::store::Store;

pub struct Raft;

impl Subject for Raft {
    fn name(&self) -> &'static str {
        "raft"
    }

    fn format(&self, setup: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        vec![Cell::format(&Store::new(voters(setup)).bytes())]
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Replica::new(setup, node))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Plain::WITH_SESSIONS
    }

    fn bugs(&self) -> Vec<Card> {
        bugs::ALL.to_vec()
    }

    fn reads_wall_clock(&self) -> bool {
        false
    }

    fn reader(&self) -> Option<&'static dyn Reader> {
        Some(&Messages)
    }

    fn leads(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let term = term_of(bytes, &["accept", "heartbeat", "catch-up-reply"])?;
        Some((term, from.0))
    }

    fn campaigns(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let term = term_of(bytes, &["prepare"])?;
        Some((term, from.0))
    }
}

pub fn voters(setup: &Setup) -> ConfState {
    let ids = (0..setup.replicas).map(|node| id_of(Node(node)));
    ConfState::from((ids, []))
}
