//! Who waits for an answer: commands until they are applied, reads until a round confirms that this
//! node still leads.

use std::collections::{BTreeMap, VecDeque};

use synod_port::files::Bytes;

use crate::bugs::Bug;
use crate::ids::{Ballot, ClientAddr, NodeSet, Slot};
use crate::message::RequestId;
use crate::probe::Probe;

/// Who waits for the reply to a command, and at which ballot it was taken in.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Desk {
    pub(super) waiting: BTreeMap<RequestId, (ClientAddr, Ballot)>,
}

impl Desk {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn forget(&mut self, id: RequestId) {
        self.waiting.remove(&id);
    }

    /// Forgets who was taken in before this ballot: they have long asked elsewhere.
    pub(super) fn forget_before(&mut self, ballot: Ballot) {
        self.waiting.retain(|_, (_, taken)| *taken >= ballot);
    }

    /// Everybody who waits, and nobody any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (RequestId, ClientAddr)> + use<> {
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|(id, (from, _))| (id, from))
    }

    /// A client asks. Says at which ballot the request was taken in before, if it waits already.
    pub(super) fn wait(
        &mut self,
        id: RequestId,
        from: ClientAddr,
        ballot: Ballot,
    ) -> Option<Ballot> {
        let old = self.waiting.insert(id, (from, ballot));
        old.map(|(_, taken)| taken)
    }
}

/// A read that waits.
#[derive(Clone, Hash, Debug)]
pub(super) struct Read {
    pub(super) from: ClientAddr,
    pub(super) id: RequestId,
    pub(super) operation: Bytes,
    /// All slots below must be applied first.
    pub(super) below: Slot,
    /// This confirmation round must be answered by a quorum first.
    pub(super) round: u64,
}

/// Reads and the rounds that confirm that this node still leads.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Reads {
    pub(super) queue: VecDeque<Read>,
    /// The last round that was sent.
    pub(super) round: u64,
    /// Who answered it.
    pub(super) answers: NodeSet,
    /// The last round that a quorum answered.
    pub(super) confirmed: u64,
}

impl Reads {
    /// A new ballot: rounds go on counting, and none is confirmed.
    pub(super) fn restart(&mut self) {
        self.answers = NodeSet::default();
        self.confirmed = self.round;
        self.round += 1;
    }

    /// The round that a heartbeat carries: a new one, unless reads wait for the answers to the
    /// last.
    pub(super) fn round<P: Probe>(&mut self, probe: &mut P) -> u64 {
        let pending =
            self.confirmed < self.round && self.queue.iter().any(|read| read.round <= self.round);
        if !pending {
            self.round += 1;
            let none = self.answers.is_empty();
            if probe.flip(Bug::ReadAcksOfEarlierRound, true, none) {
                self.answers = NodeSet::default();
            }
        }
        self.round
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Read> + use<> {
        std::mem::take(&mut self.queue).into_iter()
    }
}
