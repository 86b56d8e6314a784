//! A few replicas, the messages under way between them, and what can happen next.
//!
//! Nothing crashes and no disk fails; what is to be durable becomes so when the search says. Messages
//! come in any order, late, twice or never. Time moves on only when somebody's patience ends, and is
//! the same for all; who is not asked is slow.

use std::sync::Arc;

use synod_engine::bugs::Bug;
use synod_engine::config::Config;
use synod_engine::effects::{Effects, To};
use synod_engine::fact::Fact;
use synod_engine::ids::{Ballot, ClientAddr, ClusterId, Lsn, NodeId};
use synod_engine::key_value::KeyValue;
use synod_engine::message::{Message, Request};
use synod_engine::probe::Full;
use synod_engine::recovered::Recovered;
use synod_engine::replica::Replica;
use synod_engine::roles::elector::Stand;
use synod_engine::time::{Mono, Now, Wall};

use crate::ledger::{Cast, Ledger, digest};
use crate::sort::{CATCH_UP_REPLY, is_idle, sort, supersedes};

/// What a cluster is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// How many replicas, at most 32.
    pub nodes: u8,
    /// Slots under way at once.
    pub window: u64,
    /// The bytes of votes or values in a message.
    pub message_bytes: u32,
    /// Contracts are evaluated, and end the search.
    pub contracts: bool,
    /// The planted bug.
    pub bug: Option<Bug>,
}

/// A message under way.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Who sent it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// What it says.
    pub message: Arc<Message>,
}

/// Something that happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// The message at this place comes, and is under way no more.
    Deliver(usize),
    /// It comes, and stays under way.
    DeliverCopy(usize),
    /// It never comes.
    Drop(usize),
    /// A replica's patience ends.
    Deadline(NodeId),
    /// A client asks a replica for something new.
    Ask(NodeId),
    /// A client reads at a replica.
    Read(NodeId),
    /// A replica's promise is durable.
    Promised(NodeId),
    /// All that a replica appended to its log is durable.
    Logged(NodeId),
    /// The next record that it appended is.
    LoggedOne(NodeId),
}

/// What an observer knows of a replica.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The highest promise.
    pub promised: Ballot,
    /// It asks whether it could lead.
    pub canvasses: bool,
    /// The ballot it campaigns at.
    pub campaigns: Option<Ballot>,
    /// The ballot it leads at.
    pub leads: Option<Ballot>,
    /// All slots below are applied.
    pub applied: u64,
    /// Since its stand changed it was told by a peer what is chosen, or learned it by a promise: a
    /// bit each.
    pub learned: u8,
    /// Since it campaigns it learned what was chosen above its ballot.
    pub overtaken: bool,
    /// Whose promises it heard to their last page in this campaign, a bit each.
    pub promisers: u32,
}

/// What a replica wants to be durable, and is not yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsynced {
    /// The promise that is being written.
    pub promise: Option<Ballot>,
    /// The one that comes next.
    next: Option<Ballot>,
    /// The last record that is durable.
    logged: u64,
    /// The last record that was appended.
    appended: u64,
}

impl Unsynced {
    /// Whether records are not durable yet.
    #[must_use]
    pub const fn has_records(&self) -> bool {
        self.logged < self.appended
    }
}

/// The cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// What it is made of.
    pub setup: Arc<Setup>,
    replicas: Vec<Arc<Replica<KeyValue, Full>>>,
    /// By node: what is not durable yet.
    pub unsynced: Vec<Unsynced>,
    /// Messages under way, oldest first.
    pub flights: Vec<Flight>,
    /// By node.
    pub seen: Vec<Seen>,
    ledger: Ledger,
    now: Mono,
    asked: u64,
}

/// More messages are never under way: then the oldest that changes little is lost.
const FLIGHTS_MAX: usize = 200;

impl Cluster {
    /// Replicas that have just started for the first time.
    #[must_use]
    pub fn new(setup: Arc<Setup>) -> Self {
        let nodes = usize::from(setup.nodes);
        let now = Now {
            mono: Mono(1_000_000_000),
            wall: Wall(0),
        };
        let boot = |node| {
            let config = Config {
                window: setup.window,
                message_bytes: setup.message_bytes,
                batch_count: 1,
                ..Config::new(ClusterId(1), NodeId(node), setup.nodes)
            };
            let probe = if setup.contracts {
                Full::new(setup.bug)
            } else {
                Full::without_contracts(setup.bug)
            };
            let mut entropy = [0; 32];
            entropy[0] = node + 1;
            let mut fx = Effects::default();
            let replica = Replica::new(
                config,
                entropy,
                Recovered::default(),
                KeyValue::default(),
                probe,
                now,
                &mut fx,
            );
            assert!(fx.sends.is_empty() && fx.records.is_empty() && fx.promise.is_none());
            Arc::new(replica)
        };
        Self {
            replicas: (0..setup.nodes).map(boot).collect(),
            unsynced: vec![Unsynced::default(); nodes],
            flights: Vec::new(),
            seen: vec![Seen::default(); nodes],
            ledger: Ledger::new(setup.nodes),
            now: now.mono,
            asked: 0,
            setup,
        }
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.setup.nodes).map(NodeId)
    }

    /// How much was asked, and the highest round: what a long way consists of.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let rounds = self.seen.iter().map(|seen| seen.promised.round);
        (self.asked, rounds.max().unwrap_or(0))
    }

    /// Whose patience ends first, of those in a set of bits.
    #[must_use]
    pub fn next_deadline(&self, of: u32) -> Option<NodeId> {
        self.nodes()
            .filter(|node| of >> node.0 & 1 == 1)
            .min_by_key(|node| self.replicas[usize::from(node.0)].deadline())
    }

    /// Does it, and says to whom, if to anybody.
    ///
    /// # Panics
    /// When a contract is broken.
    ///
    /// # Errors
    /// What the ledger says is broken.
    pub fn step(&mut self, action: Action) -> Result<Option<NodeId>, String> {
        let mut fx = Effects::default();
        let mut told = 0;
        let now = |mono| Now {
            mono,
            wall: Wall(0),
        };
        let node = match action {
            Action::Drop(at) => {
                self.flights.remove(at);
                return Ok(None);
            }
            Action::Deliver(at) | Action::DeliverCopy(at) => {
                let flight = if matches!(action, Action::Deliver(_)) {
                    self.flights.remove(at)
                } else {
                    self.flights[at].clone()
                };
                told = self.hear(&flight);
                let message = Arc::unwrap_or_clone(flight.message);
                let now = now(self.now);
                self.replica(flight.to)
                    .on_message(now, flight.from, message, &mut fx);
                flight.to
            }
            Action::Deadline(node) => {
                let due = self.replicas[usize::from(node.0)].deadline();
                self.now = self.now.max(due.unwrap_or(self.now));
                let now = now(self.now);
                self.replica(node).on_deadline(now, &mut fx);
                node
            }
            Action::Promised(node) => {
                let unsynced = &mut self.unsynced[usize::from(node.0)];
                let next = unsynced.next.take();
                if let Some(ballot) = std::mem::replace(&mut unsynced.promise, next) {
                    let now = now(self.now);
                    self.replica(node).on_promise_durable(now, ballot, &mut fx);
                }
                node
            }
            Action::Logged(node) | Action::LoggedOne(node) => {
                let unsynced = &mut self.unsynced[usize::from(node.0)];
                if unsynced.has_records() {
                    unsynced.logged = match action {
                        Action::LoggedOne(_) => unsynced.logged + 1,
                        _ => unsynced.appended,
                    };
                    let lsn = Lsn(unsynced.logged);
                    let now = now(self.now);
                    self.replica(node).on_durable(now, lsn, &mut fx);
                }
                node
            }
            Action::Ask(node) | Action::Read(node) => {
                self.asked += 1;
                let nonce = self.asked;
                let request = match action {
                    Action::Ask(_) => Request::Register { nonce },
                    _ => Request::Read {
                        nonce,
                        operation: Arc::from([]),
                    },
                };
                let now = now(self.now);
                self.replica(node)
                    .on_request(now, ClientAddr(1), request, &mut fx);
                node
            }
        };
        self.settle(node, told, fx)?;
        Ok(Some(node))
    }

    fn replica(&mut self, node: NodeId) -> &mut Replica<KeyValue, Full> {
        Arc::make_mut(&mut self.replicas[usize::from(node.0)])
    }

    /// Notes what a message brings. Says as which bit of what was learned a choice counts.
    fn hear(&mut self, flight: &Flight) -> u8 {
        let to = &mut self.seen[usize::from(flight.to.0)];
        match &*flight.message {
            Message::Promise { ballot, next, .. } => {
                if next.is_none() && Some(*ballot) == to.campaigns {
                    to.promisers |= 1 << flight.from.0;
                }
                1
            }
            message if sort(message) == CATCH_UP_REPLY => 2,
            _ => 0,
        }
    }

    /// Does what a step asks for.
    fn settle(&mut self, node: NodeId, told: u8, fx: Effects) -> Result<(), String> {
        self.observe(node, told)?;
        for (to, message) in fx.sends {
            self.ledger.says(node, &message)?;
            if let Message::Accept {
                ballot,
                slot,
                value,
                ..
            } = &message
            {
                let seen = &self.seen;
                let promised = |node: NodeId| seen[usize::from(node.0)].promised;
                let value = digest(&value.0);
                self.ledger.propose(*ballot, slot.0, value, promised)?;
            }
            let message = Arc::new(message);
            for peer in self.nodes().filter(|peer| *peer != node) {
                if to == To::Peers || to == To::One(peer) {
                    self.send(node, peer, &message);
                }
            }
        }
        let unsynced = &mut self.unsynced[usize::from(node.0)];
        unsynced.appended += fx.records.len() as u64;
        match unsynced.promise {
            None => unsynced.promise = fx.promise,
            Some(_) => unsynced.next = fx.promise.or(unsynced.next),
        }
        Ok(())
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: &Arc<Message>) {
        let old = |flight: &Flight| {
            (flight.from, flight.to) == (from, to) && supersedes(message, &flight.message)
        };
        if let Some(at) = self.flights.iter().position(old) {
            self.flights.remove(at);
        }
        if self.flights.len() == FLIGHTS_MAX {
            let idle = |flight: &Flight| is_idle(&flight.message);
            let at = self.flights.iter().position(idle).unwrap_or(0);
            self.flights.remove(at);
        }
        self.flights.push(Flight {
            from,
            to,
            message: message.clone(),
        });
    }

    /// Takes in what a replica did, which was just told of a choice in this way.
    fn observe(&mut self, node: NodeId, told: u8) -> Result<(), String> {
        let at = usize::from(node.0);
        let facts: Vec<Fact> = self.replica(node).probe_mut().drain().collect();
        let stand = self.replicas[at].stand();
        let seen = &mut self.seen[at];
        let before = seen.campaigns.or(seen.leads);
        for fact in facts {
            match fact {
                Fact::Promised(ballot) => seen.promised = seen.promised.max(ballot),
                Fact::Voted {
                    slot,
                    ballot,
                    value,
                } => self.ledger.vote(Cast {
                    slot: slot.0,
                    voter: node,
                    ballot,
                    value: digest(&value.0),
                }),
                Fact::Chosen { slot, value } => {
                    let value = digest(&value.0);
                    seen.learned |= told;
                    if let Some(ballot) = before
                        && self.ledger.is_above(ballot, slot.0, value)
                    {
                        seen.overtaken = true;
                    }
                    self.ledger.take(node, slot.0, value)?;
                }
                Fact::Applied { slot, .. } => seen.applied = slot.0 + 1,
                _ => {}
            }
        }
        let (campaigns, leads) = match stand {
            Stand::Campaigning(ballot) => (Some(ballot), None),
            Stand::Leading(ballot) => (None, Some(ballot)),
            Stand::Following | Stand::Canvassing { .. } => (None, None),
        };
        seen.canvasses = matches!(stand, Stand::Canvassing { .. });
        if (campaigns, leads) != (seen.campaigns, seen.leads) {
            seen.learned = 0;
            if campaigns.or(leads) != before {
                (seen.overtaken, seen.promisers) = (false, 0);
            }
        }
        (seen.campaigns, seen.leads) = (campaigns, leads);
        Ok(())
    }

    /// Whether a message can still do something to who gets it, in an engine that is right.
    #[must_use]
    pub fn is_useful(&self, flight: &Flight) -> bool {
        let to = &self.seen[usize::from(flight.to.0)];
        let strives = |ballot: Ballot| Some(ballot) == to.leads || Some(ballot) == to.campaigns;
        match &*flight.message {
            Message::Canvass { ballot } => *ballot > to.promised,
            Message::CanvassReply { ballot, .. } => *ballot > to.promised && to.leads.is_none(),
            Message::Prepare { ballot, .. } => {
                let from = &self.seen[usize::from(flight.from.0)];
                *ballot >= to.promised && from.campaigns == Some(*ballot)
            }
            Message::Promise { ballot, .. } => strives(*ballot),
            Message::Accept { ballot, slot, .. } => {
                *ballot > to.promised || (*ballot == to.promised && slot.0 >= to.applied)
            }
            Message::Accepted { ballot, slots } => {
                Some(*ballot) == to.leads && slots.iter().any(|slot| slot.0 >= to.applied)
            }
            Message::Reject { promised, .. } => *promised > to.promised,
            Message::Heartbeat {
                ballot,
                chosen_below,
                ..
            } => *ballot > to.promised || (*ballot == to.promised && chosen_below.0 > to.applied),
            Message::HeartbeatReply { .. } => false,
            Message::Resign { ballot } => *ballot >= to.promised,
            Message::CatchUp { from } => from.0 < to.applied,
            Message::CatchUpReply { from, values, .. } => {
                (from.0..from.0 + values.len() as u64).contains(&to.applied)
            }
        }
    }

    /// Whose last page of a promise this candidate has heard, or could hear now: a bit each.
    #[must_use]
    pub fn within_reach(&self, node: NodeId) -> u32 {
        let seen = &self.seen[usize::from(node.0)];
        let mut from = seen.promisers;
        for flight in self.flights.iter().filter(|flight| flight.to == node) {
            if let Message::Promise {
                ballot, next: None, ..
            } = &*flight.message
                && Some(*ballot) == seen.campaigns
            {
                from |= 1 << flight.from.0;
            }
        }
        from
    }
}
