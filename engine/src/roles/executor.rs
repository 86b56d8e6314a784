//! The executor: applies the chosen prefix to the state machine, and keeps the sessions that make
//! it exactly once.
//!
//! Sessions are replicated state: which requests were executed, their replies, and who is evicted,
//! follow from the log alone (RIFL, SOSP '15; Raft thesis 6.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use synod_port::files::Bytes;

use crate::bugs::Bug;
use crate::command::Command;
use crate::contract;
use crate::fact::Fact;
use crate::ids::{Place, Sequence, SessionId, Slot};
use crate::message::{Outcome, RequestId};
use crate::probe::Probe;
use crate::sorted::Sorted;
use crate::state_machine::StateMachine;
use crate::time::{Mono, Span};

/// Requests of a session that may be unacknowledged at once; beyond it the session breaks its
/// contract and is told that it is gone.
const PIPELINE_MAX: usize = 256;
/// How long a session may be idle under the mutant that looks at the replica's clock.
const LOCAL_EXPIRY: Span = Span::from_millis(1500);

/// The sum of digests when one of them is another than before.
const fn exchange(sum: &mut u64, before: u64, after: u64) {
    *sum = sum.wrapping_sub(before).wrapping_add(after);
}

/// One client's session.
#[derive(Clone, Hash, Debug)]
struct Session {
    /// The slot of the last command: the one idle longest is evicted first.
    active: Slot,
    /// Replies below are acknowledged and forgotten.
    answered_below: Sequence,
    /// Replies that the client may ask for again. There are few, mostly one.
    replies: Sorted<Sequence, Answer>,
}

/// How a request was answered.
#[derive(Clone, Hash, Debug)]
struct Answer {
    place: Place,
    result: Bytes,
}

impl Answer {
    fn outcome(&self) -> Outcome {
        Outcome::Done {
            place: self.place,
            result: self.result.clone(),
        }
    }
}

impl Session {
    /// The place and the result of a request that was executed, while they are kept.
    fn reply<P: Probe>(&self, sequence: Sequence, probe: &mut P) -> Option<&Answer> {
        let own = self.replies.get(sequence)?;
        let newest = self.replies.last().map_or(own, |(_, newest)| newest);
        Some(
            if probe.flip(Bug::CachedReplyOfWrongSeq, false, newest.place != own.place) {
                newest
            } else {
                own
            },
        )
    }

    fn digest(&self, id: SessionId) -> u64 {
        let word = id.0 ^ self.active.0.rotate_left(32) ^ self.answered_below.0.rotate_left(48);
        word.wrapping_add(self.replies.len() as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The state machine and the sessions, as of a prefix of the log.
#[derive(Clone, Hash, Debug)]
pub struct Executor<M> {
    machine: M,
    sessions: BTreeMap<SessionId, Session>,
    sessions_max: usize,
    /// The sum of the sessions' digests.
    sum: u64,
    applied_below: Slot,
    scratch: Vec<u8>,
    /// Differs from replica to replica; only a mutant looks at it.
    salt: u64,
    /// When the slot that is applied was entered; only a mutant looks at it.
    now: Mono,
    /// When each session was last active here, for the mutant that lets them expire; empty
    /// otherwise.
    touched: BTreeMap<SessionId, Mono>,
}

impl<M: StateMachine> Executor<M> {
    /// An executor of an empty log.
    #[must_use]
    pub const fn new(machine: M, sessions_max: usize, salt: u64) -> Self {
        Self {
            machine,
            sessions: BTreeMap::new(),
            sessions_max,
            sum: 0,
            applied_below: Slot(0),
            scratch: Vec::new(),
            salt,
            now: Mono(0),
            touched: BTreeMap::new(),
        }
    }

    /// The first slot that is not applied.
    #[must_use]
    pub const fn applied_below(&self) -> Slot {
        self.applied_below
    }

    /// Begins to apply a slot.
    pub fn enter<P: Probe>(&mut self, slot: Slot, now: Mono, probe: &mut P) {
        contract!(
            probe,
            AppliedPrefixIsContiguous,
            slot == self.applied_below,
            "slot {slot} is applied after {}",
            self.applied_below
        );
        self.applied_below = slot.next();
        self.now = now;
    }

    /// Whether this replica is one of those that a mutant gives an order of their own.
    #[must_use]
    pub const fn is_salted(&self) -> bool {
        self.salt % 2 == 1
    }

    /// Applies one command of the slot that was entered last, and says how it ended for whom.
    pub fn apply<P: Probe>(
        &mut self,
        place: Place,
        command: Command<'_>,
        probe: &mut P,
    ) -> (RequestId, Outcome) {
        let entered = self.applied_below;
        contract!(
            probe,
            AppliesTheEnteredSlot,
            place.slot.next() == entered,
            "a command of slot {}, and the next is {entered}",
            place.slot
        );
        match command {
            Command::Register { nonce } => (
                RequestId::Nonce(nonce),
                Outcome::Registered(self.register(place, probe)),
            ),
            Command::Apply {
                session,
                sequence,
                answered_below,
                operation,
            } => {
                let id = RequestId::Numbered(session, sequence);
                (
                    id,
                    self.apply_numbered(place, session, sequence, answered_below, operation, probe),
                )
            }
        }
    }

    /// The reply to a request that was executed already, or that never can be any more. `led_from`
    /// is the first slot of the present leadership.
    pub fn answered<P: Probe>(
        &self,
        session: SessionId,
        sequence: Sequence,
        led_from: Slot,
        probe: &mut P,
    ) -> Option<Outcome> {
        let known = self.sessions.get(&session)?;
        if sequence < known.answered_below {
            return Some(Outcome::SessionGone);
        }
        let answer = known.reply(sequence, probe)?;
        let (slot, below) = (answer.place.slot, self.applied_below);
        contract!(
            probe,
            ReplyInReplyCacheIsAllowed,
            slot < below,
            "a reply of slot {slot}, and the next to apply is {below}"
        );
        let elsewhere = probe.flip(Bug::DedupInLeaderMemory, false, slot < led_from);
        (!elsewhere).then(|| answer.outcome())
    }

    /// Whether the session is open, as of the applied prefix.
    #[must_use]
    pub fn knows(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Answers a read-only operation from the applied prefix.
    pub fn read(&mut self, operation: &[u8]) -> Bytes {
        self.scratch.clear();
        self.machine.read(operation, &mut self.scratch);
        Arc::from(self.scratch.as_slice())
    }

    /// A digest of the replicated state: the machine's, and the sessions'.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.machine.digest() ^ self.sum
    }

    fn register<P: Probe>(&mut self, place: Place, probe: &mut P) -> SessionId {
        let id = SessionId::at(place);
        self.open(id, place, probe);
        id
    }

    /// Opens a session, in the place of the one that is idle longest if there are too many.
    fn open<P: Probe>(&mut self, id: SessionId, place: Place, probe: &mut P) {
        if self.sessions.len() >= self.sessions_max {
            let idle = self
                .sessions
                .iter()
                .min_by_key(|(id, session)| (session.active, **id))
                .map(|(id, _)| *id);
            let salt = self.salt;
            let local = self
                .sessions
                .keys()
                .copied()
                .min_by_key(|id| (id.0 ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let by_salt = probe.flip(Bug::EvictionOrderNondeterministic, false, idle != local);
            if let Some(victim) = if by_salt { local } else { idle }
                && let Some(gone) = self.sessions.remove(&victim)
            {
                self.sum = self.sum.wrapping_sub(gone.digest(victim));
            }
        }
        let fresh = Session {
            active: place.slot,
            answered_below: Sequence(0),
            replies: Sorted::new(),
        };
        self.sum = self.sum.wrapping_add(fresh.digest(id));
        let old = self.sessions.insert(id, fresh);
        let (open, most) = (self.sessions.len(), self.sessions_max);
        contract!(
            probe,
            SessionsAreBounded,
            open <= most,
            "{open} sessions are open, of {most} at most"
        );
        contract!(
            probe,
            SessionIdsAreUnique,
            old.is_none(),
            "session {id:?} is opened twice"
        );
    }

    /// Closes a session that was idle for long by this replica's clock, which only a mutant does.
    fn expire(&mut self, session: SessionId) {
        let last = self.touched.insert(session, self.now).unwrap_or(self.now);
        if self.now - last > LOCAL_EXPIRY
            && let Some(gone) = self.sessions.remove(&session)
        {
            self.sum = self.sum.wrapping_sub(gone.digest(session));
        }
    }

    fn apply_numbered<P: Probe>(
        &mut self,
        place: Place,
        session: SessionId,
        sequence: Sequence,
        answered_below: Sequence,
        operation: &[u8],
        probe: &mut P,
    ) -> Outcome {
        if probe.flip(Bug::SessionExpiryByLocalClock, false, true) {
            self.expire(session);
        }
        let open = match self.sessions.get_mut(&session) {
            Some(open) => open,
            None if probe.flip(Bug::EvictedSessionReopened, false, true) => {
                self.open(session, place, probe);
                self.sessions.get_mut(&session).expect("it was just opened")
            }
            None => return Outcome::SessionGone,
        };
        let before = open.digest(session);
        open.active = place.slot;
        exchange(&mut self.sum, before, open.digest(session));
        let (again, highest) = (open.reply(sequence, probe), open.replies.last());
        if let Some((highest, answer)) = highest
            && probe.flip(
                Bug::SeqSkipCountsAsDup,
                false,
                again.is_none() && sequence < highest,
            )
        {
            return answer.outcome();
        }
        if let Some(again) = again
            && !probe.flip(Bug::DedupAtProposeOnly, false, true)
            && !probe.flip(Bug::DedupInLeaderMemory, false, true)
        {
            return again.outcome();
        }
        let forgotten = sequence < open.answered_below;
        if probe.flip(Bug::ForgottenRequestRunsAgain, forgotten, false) {
            return Outcome::SessionGone;
        }
        let before = open.digest(session);
        if answered_below > open.answered_below {
            open.answered_below = answered_below;
            let open_still = open.replies.get(answered_below).is_some();
            let one_more = probe.flip(Bug::ReplyForgottenOneTooEarly, false, open_still);
            let kept_from = Sequence(answered_below.0 + u64::from(one_more));
            open.replies.remove_below(kept_from);
        }
        // Only now is it known how many replies are still waited for.
        if open.replies.len() >= PIPELINE_MAX {
            exchange(&mut self.sum, before, open.digest(session));
            return Outcome::SessionGone;
        }
        self.scratch.clear();
        self.machine.apply(operation, &mut self.scratch);
        let result: Bytes = Arc::from(self.scratch.as_slice());
        probe.fact(|| Fact::Executed {
            place,
            session,
            sequence,
        });
        let old = open.replies.insert(
            sequence,
            Answer {
                place,
                result: result.clone(),
            },
        );
        exchange(&mut self.sum, before, open.digest(session));
        contract!(
            probe,
            ExecutedOnce,
            old.is_none(),
            "request {} of session {} is executed twice",
            sequence.0,
            session.0
        );
        Outcome::Done { place, result }
    }
}

#[cfg(test)]
mod tests;
