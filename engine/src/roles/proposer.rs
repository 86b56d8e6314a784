//! The proposer: phase 1 that recovers every value that could be chosen, and phase 2 pipelined over
//! a window of slots.
//!
//! Commands wait here for a place in the window. A batch is closed by count, by bytes, or by the
//! time that its first command has waited.

use std::collections::{BTreeMap, VecDeque};

use synod_port::files::Bytes;

use crate::bugs::Bug;
use crate::codec::command::BatchBuilder;
use crate::command::Value;
use crate::config::Config;
use crate::contract;
use crate::ids::{Ballot, ClientAddr, NodeId, NodeSet, Sequence, Slot};
use crate::message::{RequestId, Vote};
use crate::probe::Probe;
use crate::sorted::Sorted;
use crate::time::{Mono, Span, earlier};

/// A client's command that waits to be proposed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Queued {
    /// Whom to answer.
    pub from: ClientAddr,
    /// Which request it is.
    pub id: RequestId,
    /// The operation and how much the client has been answered; none for a registration.
    pub operation: Option<(Sequence, Bytes)>,
    /// When it came.
    pub since: Mono,
}

impl Queued {
    /// An upper bound of its encoded length in a batch.
    fn size(&self) -> usize {
        32 + self.operation.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }
}

/// A page of a promise.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its votes are from this slot on.
    pub from: Slot,
    /// In order of the slot.
    pub votes: Vec<Vote>,
    /// Where the next page begins; none: this is the last.
    pub next: Option<Slot>,
}

/// What a page of a promise led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It said nothing new.
    Nothing,
    /// Ask this node for the page from this slot on.
    Page(NodeId, Slot),
    /// A quorum has told all.
    Complete,
}

/// Phase 1 under way.
#[derive(Clone, Hash, Debug)]
pub struct Recovery {
    /// The ballot.
    pub ballot: Ballot,
    /// Votes are asked from this slot on.
    pub from: Slot,
    /// The page that each node is to send next.
    cursor: BTreeMap<NodeId, Slot>,
    /// Who has told all.
    complete: NodeSet,
    /// Last pages, for the mutant that counts those.
    last_pages: usize,
    /// The highest vote that was reported for each slot.
    reported: BTreeMap<Slot, Vote>,
    /// The slots that this node itself voted in.
    own: Vec<Slot>,
    /// How many reported the same value, for the mutant that counts them; empty otherwise.
    copies: BTreeMap<Slot, usize>,
    resend_at: Mono,
}

/// A value on its way to be chosen.
#[derive(Clone, Hash, Debug)]
pub struct Proposal {
    /// The value.
    pub value: Value,
    resend_at: Mono,
}

/// Phase 2.
#[derive(Clone, Hash, Debug)]
pub struct Lead {
    /// The ballot.
    pub ballot: Ballot,
    /// Everything that phase 1 reported is below.
    pub recovered_end: Slot,
    /// The first slot without a proposal.
    next: Slot,
    in_flight: Sorted<Slot, Proposal>,
    /// No proposal is due to be sent again before.
    resend_at: Mono,
}

/// What the proposer is at.
#[derive(Clone, Hash, Debug, Default)]
pub enum Phase {
    /// It proposes nothing.
    #[default]
    Idle,
    /// Phase 1.
    Recovering(Recovery),
    /// Phase 2.
    Leading(Lead),
}

/// Proposals of one node.
#[derive(Clone, Hash, Debug)]
pub struct Proposer {
    quorum: usize,
    window: usize,
    batch: (usize, usize),
    delay: Span,
    queue_max: usize,
    resend: Span,
    phase: Phase,
    queue: VecDeque<Queued>,
    /// Empty between batches.
    builder: BatchBuilder,
    /// Window places lost for ever; only a mutant loses any.
    leaked: usize,
}

impl Proposer {
    /// A proposer that is idle; so many promises let it lead.
    #[must_use]
    pub fn new(config: &Config, quorum: usize) -> Self {
        Self {
            quorum,
            window: usize::try_from(config.window).unwrap_or(usize::MAX),
            batch: (config.batch_count as usize, config.batch_bytes as usize),
            delay: config.batch_delay,
            queue_max: config.queue,
            resend: config.retransmit,
            phase: Phase::Idle,
            queue: VecDeque::new(),
            builder: BatchBuilder::new(),
            leaked: 0,
        }
    }

    /// What the proposer is at.
    #[must_use]
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Begins phase 1.
    pub fn recover(&mut self, ballot: Ballot, from: Slot, now: Mono) {
        self.phase = Phase::Recovering(Recovery {
            ballot,
            from,
            cursor: BTreeMap::new(),
            complete: NodeSet::default(),
            last_pages: 0,
            reported: BTreeMap::new(),
            own: Vec::new(),
            copies: BTreeMap::new(),
            resend_at: now + self.resend,
        });
    }

    /// The nodes that phase 1 still waits for, with the page that is wanted, if it is time to ask
    /// again.
    pub fn ask_again<P: Probe>(
        &mut self,
        now: Mono,
        peers: impl Iterator<Item = NodeId>,
        probe: &mut P,
    ) -> Vec<(NodeId, Slot)> {
        let resend = self.resend;
        let Phase::Recovering(recovery) = &mut self.phase else {
            return Vec::new();
        };
        if now < recovery.resend_at {
            return Vec::new();
        }
        recovery.resend_at = now + resend;
        if !probe.flip(Bug::Phase1ReplyLostNoRetry, true, false) {
            return Vec::new();
        }
        let waiting = peers.filter(|peer| !recovery.complete.contains(*peer));
        waiting
            .map(|peer| {
                (
                    peer,
                    recovery.cursor.get(&peer).copied().unwrap_or(recovery.from),
                )
            })
            .collect()
    }

    /// A page of a promise at `ballot` from `node`; `own` says that it is this node's own.
    pub fn on_promise<P: Probe>(
        &mut self,
        node: NodeId,
        own: bool,
        ballot: Ballot,
        page: Page,
        probe: &mut P,
    ) -> Progress {
        let Page { from, votes, next } = page;
        let quorum = self.quorum;
        let Phase::Recovering(recovery) = &mut self.phase else {
            return Progress::Nothing;
        };
        let earlier = ballot < recovery.ballot;
        if recovery.ballot != ballot
            && !probe.flip(Bug::PromiseOfEarlierCampaignCounts, false, earlier)
        {
            return Progress::Nothing;
        }
        let wanted = recovery.cursor.get(&node).copied().unwrap_or(recovery.from);
        let repeated = recovery.complete.contains(node) || from != wanted;
        if repeated && !probe.flip(Bug::PromiseCountedTwice, false, next.is_none()) {
            return Progress::Nothing;
        }
        for vote in votes {
            if own {
                recovery.own.push(vote.slot);
            }
            match recovery.reported.get_mut(&vote.slot) {
                None => {
                    recovery.reported.insert(vote.slot, vote);
                }
                Some(best) => {
                    let open = !vote.chosen && !best.chosen;
                    if probe.flip(Bug::RecoveredValueKeepsOldBallot, false, open) {
                        let copies = recovery.copies.entry(vote.slot).or_insert(1);
                        if vote.value == best.value {
                            *copies += 1;
                            best.chosen = *copies >= quorum;
                        } else if vote.ballot > best.ballot {
                            *copies = 1;
                        }
                    }
                    let rank = (vote.chosen, vote.ballot);
                    let higher = rank > (best.chosen, best.ballot);
                    let higher = probe.flip(
                        Bug::Phase1RanksByBallotAlone,
                        higher,
                        vote.ballot > best.ballot,
                    );
                    if probe.flip(Bug::Phase1PicksArbitraryValue, higher, false) {
                        *best = vote;
                    }
                    let kept = (best.chosen, best.ballot);
                    contract!(
                        probe,
                        ValIsHighestNumberedProposal,
                        kept >= rank,
                        "slot {}: kept {kept:?} of {rank:?}",
                        best.slot
                    );
                }
            }
        }
        if let Some(next) = next
            && probe.flip(Bug::PromisePageTruncatedSilently, true, false)
        {
            recovery.cursor.insert(node, next);
            return Progress::Page(node, next);
        }
        recovery.complete.insert(node);
        recovery.last_pages += 1;
        if probe.flip(
            Bug::PromiseCountedTwice,
            recovery.complete.len() >= quorum,
            recovery.last_pages >= quorum,
        ) {
            Progress::Complete
        } else {
            Progress::Nothing
        }
    }

    /// Ends phase 1: what to propose for each slot up to the last one that was reported or that is
    /// known to be chosen, holes included. `chosen` are those that need no proposal.
    ///
    /// A candidate that was overtaken may know more chosen slots than its promises report. What it
    /// proposes anew comes behind them: a vote at its ballot for another value, below its commit
    /// point, would be taken for chosen.
    pub fn lead<P: Probe>(&mut self, chosen_end: Slot, probe: &mut P) -> Vec<Vote> {
        if !matches!(self.phase, Phase::Recovering(_)) {
            return Vec::new();
        }
        let Phase::Recovering(recovery) = std::mem::take(&mut self.phase) else {
            unreachable!("it was just looked at")
        };
        contract!(
            probe,
            LeadsWithQuorumOfPromises,
            recovery.complete.len() >= self.quorum,
            "{} leads with {} promises of {}",
            recovery.ballot,
            recovery.complete.len(),
            self.quorum
        );
        let Recovery {
            ballot,
            from,
            mut reported,
            own,
            ..
        } = recovery;
        let reported_end = reported
            .last_key_value()
            .map_or(from, |(slot, _)| slot.next());
        let own_end = own.last().map_or(from, |slot| slot.next());
        let forgets = probe.flip(
            Bug::OvertakenCandidateProposesAnew,
            false,
            reported_end < chosen_end,
        );
        let end = if forgets {
            reported_end
        } else {
            reported_end.max(chosen_end)
        };
        let end = if probe.flip(Bug::NextSlotFromOwnLog, false, own_end < end) {
            own_end
        } else {
            end
        };
        contract!(
            probe,
            ReportedSlotsAreProposed,
            end >= reported_end,
            "{ballot} begins at {end}, and votes go up to {reported_end}"
        );
        let last_is_left_out = probe.flip(Bug::RecoveredEndOffByOne, false, end > from);
        self.phase = Phase::Leading(Lead {
            ballot,
            recovered_end: Slot(end.0 - u64::from(last_is_left_out)),
            next: end,
            in_flight: Sorted::new(),
            resend_at: Mono(0),
        });
        let mut plan = Vec::new();
        for slot in (from.0..end.0).map(Slot) {
            let value = reported.remove(&slot);
            let ignored = slot < own_end && value.is_some() && own.binary_search(&slot).is_err();
            let value = if probe.flip(Bug::Phase1FillsHolesFromOwnLog, false, ignored) {
                None
            } else {
                value
            };
            if value.is_none() && probe.flip(Bug::TakeoverLeavesHoles, false, true) {
                continue;
            }
            plan.push(value.unwrap_or(Vote {
                slot,
                ballot: Ballot::ZERO,
                value: Value::noop(),
                chosen: false,
            }));
        }
        plan
    }

    /// Leads without phase 1: what only a mutant does.
    pub fn usurp(&mut self, ballot: Ballot, next: Slot) {
        let in_flight = match std::mem::take(&mut self.phase) {
            Phase::Leading(lead) => lead.in_flight,
            _ => Sorted::new(),
        };
        self.phase = Phase::Leading(Lead {
            ballot,
            recovered_end: next,
            next,
            in_flight,
            resend_at: Mono(0),
        });
    }

    /// The first slot without a proposal, while leading.
    #[must_use]
    pub const fn next(&self) -> Option<Slot> {
        match &self.phase {
            Phase::Leading(lead) => Some(lead.next),
            _ => None,
        }
    }

    /// Puts a value on its way in a slot.
    pub fn start<P: Probe>(&mut self, slot: Slot, value: Value, now: Mono, probe: &mut P) {
        let resend_at = now + self.resend;
        contract!(
            probe,
            ProposesWhileLeading,
            matches!(self.phase, Phase::Leading(_)),
            "a value for slot {slot}, and nothing is led"
        );
        if let Phase::Leading(lead) = &mut self.phase {
            contract!(
                probe,
                OneValuePerBallotAndSlot,
                lead.in_flight.get(slot).is_none(),
                "a second value for slot {slot} at {}",
                lead.ballot
            );
            lead.next = lead.next.max(slot.next());
            lead.resend_at = if lead.in_flight.is_empty() {
                resend_at
            } else {
                lead.resend_at.min(resend_at)
            };
            lead.in_flight.insert(slot, Proposal { value, resend_at });
        }
    }

    /// The value on its way in a slot.
    #[must_use]
    pub fn proposal(&self, slot: Slot) -> Option<&Value> {
        match &self.phase {
            Phase::Leading(lead) => lead.in_flight.get(slot).map(|proposal| &proposal.value),
            _ => None,
        }
    }

    /// A slot is chosen: its place in the window is free.
    pub fn settle(&mut self, slot: Slot) {
        if let Phase::Leading(lead) = &mut self.phase {
            lead.in_flight.remove(slot);
            lead.next = lead.next.max(slot.next());
        }
    }

    /// Values that have been on their way for too long.
    pub fn overdue<P: Probe>(&mut self, now: Mono, probe: &mut P) -> Vec<(Slot, Value)> {
        let resend = self.resend;
        let Phase::Leading(lead) = &mut self.phase else {
            return Vec::new();
        };
        let mut overdue = Vec::new();
        if now < lead.resend_at {
            return overdue;
        }
        for (slot, proposal) in lead.in_flight.iter_mut() {
            if proposal.resend_at <= now {
                proposal.resend_at = now + resend;
                if probe.flip(Bug::NoAcceptRetransmit, true, false) {
                    overdue.push((slot, proposal.value.clone()));
                }
            }
        }
        lead.resend_at = lead
            .in_flight
            .iter()
            .map(|(_, proposal)| proposal.resend_at)
            .min()
            .unwrap_or(now + resend);
        overdue
    }

    /// Takes a command in, unless the queue is full: then the client should come back later.
    ///
    /// # Errors
    /// The command itself.
    pub fn enqueue(&mut self, command: Queued) -> Result<(), Queued> {
        if self.queue.len() >= self.queue_max {
            return Err(command);
        }
        self.queue.push_back(command);
        Ok(())
    }

    /// Whether a single command is larger than a batch may be.
    #[must_use]
    pub fn too_large(&self, command: &Queued) -> bool {
        command.size() > self.batch.1
    }

    /// The next batch and its slot, if the window has a place and the batch is due.
    pub fn batch<P: Probe>(&mut self, now: Mono, probe: &mut P) -> Option<(Slot, Value)> {
        let Phase::Leading(lead) = &self.phase else {
            return None;
        };
        let slot = lead.next;
        let free = lead.in_flight.last().is_none_or(|(last, _)| last < slot);
        contract!(
            probe,
            FreshSlotsAreFree,
            free,
            "slot {slot} is next at {}, and taken",
            lead.ballot
        );
        if lead.in_flight.len() + self.leaked >= self.window || !self.batch_is_due(now) {
            return None;
        }
        let (mut count, mut bytes) = (0, 0);
        while let Some(command) = self.queue.front() {
            bytes += command.size();
            if count == self.batch.0 || (count > 0 && bytes > self.batch.1) {
                if probe.flip(Bug::BatchDropsOverflow, false, count < self.batch.0) {
                    self.queue.pop_front();
                }
                break;
            }
            match (&command.id, &command.operation) {
                (RequestId::Numbered(session, sequence), Some((answered_below, operation))) => {
                    self.builder
                        .push_apply(*session, *sequence, *answered_below, operation);
                }
                (RequestId::Nonce(nonce), _) => self.builder.push_register(*nonce),
                (RequestId::Numbered(..), None) => {}
            }
            count += 1;
            self.queue.pop_front();
        }
        Some((slot, self.builder.finish()))
    }

    /// Stops proposing. The commands that were never proposed come back; those on their way may
    /// still be chosen.
    pub fn resign<P: Probe>(&mut self, probe: &mut P) -> Vec<Queued> {
        if let Phase::Leading(lead) = std::mem::take(&mut self.phase)
            && probe.flip(Bug::WindowSlotLeak, false, !lead.in_flight.is_empty())
        {
            self.leaked += lead.in_flight.len();
        }
        if probe.flip(
            Bug::RefusedCommandStaysQueued,
            false,
            !self.queue.is_empty(),
        ) {
            return self.queue.iter().cloned().collect();
        }
        self.queue.drain(..).collect()
    }

    /// When something is to be sent, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Recovering(recovery) => Some(recovery.resend_at),
            Phase::Leading(lead) => {
                let resend = (!lead.in_flight.is_empty()).then_some(lead.resend_at);
                let room = lead.in_flight.len() + self.leaked < self.window;
                let batch = self
                    .queue
                    .front()
                    .filter(|_| room)
                    .map(|first| first.since + self.delay);
                earlier(resend, batch)
            }
        }
    }

    fn batch_is_due(&self, now: Mono) -> bool {
        let Some(first) = self.queue.front() else {
            return false;
        };
        let full = self.queue.len() >= self.batch.0;
        full || now >= first.since + self.delay
            || self.queue.iter().map(Queued::size).sum::<usize>() >= self.batch.1
    }
}

#[cfg(test)]
mod tests;
