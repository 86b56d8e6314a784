//! What is replicated: commands, the state that they make, and snapshots of it.
//!
//! A client's retry is another proposal of the same request, which the state answers from memory. A
//! proposal that the log holds twice is the engine's doing: it is done twice, for all to see.
//!
//! `SNAPSHOTS` says whether the engine may use them; that is a matter of types for it.

use std::collections::BTreeSet;

use omnipaxos::storage::{Entry, Snapshot};
use serde::{Deserialize, Serialize};
use synod_sim::prelude::*;

/// An entry of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command<const SNAPSHOTS: bool> {
    /// No other proposal has this number.
    pub proposal: u64,
    /// The client, its request's number, and below which number it has all answers.
    pub who: u64,
    pub sequence: u64,
    pub answered_below: u64,
    /// What is to be done, as `dialect::write_call` wrote it.
    pub call: Vec<u8>,
}

impl<const SNAPSHOTS: bool> Entry for Command<SNAPSHOTS> {
    type Snapshot = Image<SNAPSHOTS>;
}

/// The state of a replica. It remembers every proposal: a run is short.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Vec<u8>", try_from = "Vec<u8>")]
pub struct State {
    store: KeyValue,
    answered: Answered,
    seen: BTreeSet<u64>,
}

/// What came of a command.
pub enum Came {
    /// It was done now.
    Done(Return),
    /// It was done now, and not for the first time.
    Again(Return),
    /// Another proposal of the request was done before.
    Before(Return),
    /// Its client has its answer.
    Past,
}

impl State {
    /// Does a command of the log. `forgetful`: even if another proposal did it before.
    pub fn apply<const S: bool>(&mut self, command: &Command<S>, forgetful: bool) -> Came {
        let Command { who, sequence, .. } = *command;
        let before = self.answered.before(who, sequence, command.answered_below);
        let done = before != Before::New;
        if self.seen.insert(command.proposal) && !forgetful {
            match before {
                Before::Past => return Came::Past,
                Before::Done(result) => return Came::Before(result),
                Before::New => {}
            }
        }
        let call = dialect::read_call(&command.call).expect("it was whole when it was proposed");
        let result = self.store.apply(&call);
        self.answered.done(who, sequence, result.clone());
        if done {
            Came::Again(result)
        } else {
            Came::Done(result)
        }
    }
}

impl From<State> for Vec<u8> {
    fn from(state: State) -> Self {
        let mut bytes = Self::new();
        state.store.write(&mut bytes);
        state.answered.write(&mut bytes);
        let seen: Vec<u64> = state.seen.into_iter().collect();
        frame::pack(&seen, &[], &mut bytes);
        bytes
    }
}

impl TryFrom<Vec<u8>> for State {
    type Error = &'static str;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        let (store, rest) = KeyValue::read(&bytes).ok_or("no store")?;
        let (answered, rest) = Answered::read(rest).ok_or("no answers")?;
        let (seen, []) = rest.as_chunks() else {
            return Err("no proposals");
        };
        Ok(Self {
            store,
            answered,
            seen: seen.iter().map(|seen| u64::from_le_bytes(*seen)).collect(),
        })
    }
}

/// A snapshot: a state and what is to be done to it. What an append or a compare-and-set does
/// depends on what was before, so a delta, which is made of entries alone, keeps them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Image<const SNAPSHOTS: bool> {
    state: State,
    since: Vec<Command<SNAPSHOTS>>,
}

impl<const SNAPSHOTS: bool> Image<SNAPSHOTS> {
    /// The state that it is of, when it is complete.
    pub fn state(mut self) -> State {
        for command in &self.since {
            self.state.apply(command, false);
        }
        self.state
    }
}

#[cfg(test)]
impl<const SNAPSHOTS: bool> Image<SNAPSHOTS> {
    /// Of what is to be done, in order.
    pub fn proposals(&self) -> Vec<u64> {
        let ids = self.state.seen.iter().copied();
        ids.chain(self.since.iter().map(|command| command.proposal))
            .collect()
    }
}

impl<const SNAPSHOTS: bool> Snapshot<Command<SNAPSHOTS>> for Image<SNAPSHOTS> {
    fn create(entries: &[Command<SNAPSHOTS>]) -> Self {
        Self {
            state: State::default(),
            since: entries.to_vec(),
        }
    }

    fn merge(&mut self, delta: Self) {
        self.since.extend(delta.since);
        self.state = self.clone().state();
        self.since.clear();
    }

    fn use_snapshots() -> bool {
        SNAPSHOTS
    }
}
