//! One return within the general search: every order of open operations that ends with the one that
//! returns.

use crate::check::linearizability::budget::Exhausted;
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::mask::{Mask, next_common};
use crate::check::linearizability::search::{Configuration, Progress, Search};
use crate::history::spec::Effect;

/// An open operation that may take effect next.
#[derive(Clone, Copy)]
enum Candidate {
    /// At this place of the window.
    Known(usize),
    /// Of unknown outcome.
    Unknown,
}

impl<K: Machine, M: Mask> Search<'_, K, M> {
    /// Follows every order from what is on the stack that ends with `last`, which stands at `spot`.
    pub(super) fn expand(
        &mut self,
        last: u32,
        spot: usize,
        until: u64,
    ) -> Result<Progress, Exhausted> {
        let last_is_blind = self.blind.has(spot);
        while let Some((here, fresh)) = self.stack.pop() {
            if self.work > self.budget.steps {
                return Err(Exhausted::Steps);
            }
            if self.work > until {
                self.stack.push((here, fresh));
                return Ok(Progress::Interrupted);
            }
            // Nobody saw the state of a fresh configuration. If it is overwritten now, the same was
            // reached without it.
            if !(fresh && last_is_blind)
                && let Some((mut there, _)) = self.apply(&here, last, Candidate::Known(spot))
            {
                there.done.remove(spot);
                there.undone.remove(spot);
                self.next.push(there);
            }
            if !fresh {
                self.try_known(&here, spot, Kind::Blind);
                self.try_unknown(&here, spot, Kind::Blind);
            }
            self.try_known(&here, spot, Kind::Dependent);
            self.try_unknown(&here, spot, Kind::Dependent);
            if self.bytes() > self.budget.bytes {
                return Err(Exhausted::Bytes);
            }
        }
        Ok(Progress::Ended)
    }

    fn try_known(&mut self, here: &Configuration<M>, last: usize, kind: Kind) {
        let mut from = 0;
        loop {
            let open = if kind == Kind::Blind {
                &self.blind
            } else {
                &self.dependent
            };
            // Numbers that are free, or done for certain, have no bit in `undone`.
            let Some(spot) = next_common(&here.undone, open, from) else {
                return;
            };
            from = spot + 1;
            if spot == last || self.has_earlier_twin(here, spot) {
                continue;
            }
            let hidden = self.total.has(spot);
            self.go(
                here,
                self.window[spot],
                Candidate::Known(spot),
                hidden,
                last,
            );
        }
    }

    /// Whether an operation that does the same, is just as undone, and must return earlier is open.
    fn has_earlier_twin(&self, here: &Configuration<M>, spot: usize) -> bool {
        let mut from = 0;
        while let Some(twin) = next_common(&self.twins[spot], &here.undone, from) {
            if here.done.has(twin) == here.done.has(spot) {
                return true;
            }
            from = twin + 1;
        }
        false
    }

    fn try_unknown(&mut self, here: &Configuration<M>, last: usize, kind: Kind) {
        let count = self.unknown(kind).len();
        for at in 0..count {
            let operation = self.unknown(kind)[at];
            if self.used.has(here.used, operation) {
                continue;
            }
            self.work += 1;
            // What leads nowhere is seen before the search for a twin, which is slower.
            let leads = self.machine.step(here.state, operation, self.now);
            if leads.is_none()
                || kind == Kind::Dependent && leads == Some(here.state)
                || self.has_better(here, operation, kind, at)
            {
                continue;
            }
            self.go(here, operation, Candidate::Unknown, true, last);
        }
    }

    fn unknown(&self, kind: Kind) -> &[u32] {
        if kind == Kind::Blind {
            &self.unknown_blind
        } else {
            &self.unknown_dependent
        }
    }

    /// Whether something that does the same should be used instead: an operation that must take
    /// effect anyway, or an earlier unknown one.
    fn has_better(&self, here: &Configuration<M>, operation: u32, kind: Kind, at: usize) -> bool {
        let earlier = &self.unknown(kind)[..at];
        if earlier
            .iter()
            .any(|other| self.machine.alike(*other, operation) && !self.used.has(here.used, *other))
        {
            return true;
        }
        let open = if kind == Kind::Blind {
            &self.blind
        } else {
            &self.dependent
        };
        let mut from = 0;
        while let Some(spot) = next_common(&here.undone, open, from) {
            if self.machine.alike(self.window[spot], operation) {
                return true;
            }
            from = spot + 1;
        }
        false
    }

    /// Takes a candidate, and goes on from there if that can be of use. `hidden`: it need not have
    /// been tried if nobody sees what it leaves.
    fn go(
        &mut self,
        here: &Configuration<M>,
        operation: u32,
        candidate: Candidate,
        hidden: bool,
        last: usize,
    ) {
        let Some((mut there, served)) = self.apply(here, operation, candidate) else {
            return;
        };
        if self.readers.has(last) && there.done.has(last) {
            there.done.remove(last);
            there.undone.remove(last);
            self.next.push(there);
            return;
        }
        let fresh = hidden && !served;
        if self.unseen(&there, fresh) {
            self.stack.push((there, fresh));
        }
    }

    /// The configuration after an open operation took effect, and whether a waiting reader saw its
    /// state.
    fn apply(
        &mut self,
        here: &Configuration<M>,
        operation: u32,
        candidate: Candidate,
    ) -> Option<(Configuration<M>, bool)> {
        self.work += 1;
        let state = self.machine.step(here.state, operation, self.now)?;
        let mut there = here.clone();
        there.state = state;
        match candidate {
            Candidate::Known(spot) => {
                there.done.add(spot);
                if !self.readers.has(spot) {
                    there.undone.remove(spot);
                }
            }
            Candidate::Unknown => there.used = self.used.with(here.used, operation),
        }
        if let Some(path) = &mut self.path {
            there.path = path.push(there.path, operation, self.now);
        }
        if self.machine.effect(operation) == Effect::Blind {
            let undone = there.undone.clone();
            there.done.add_common(&undone, &self.total);
        }
        let mut served = false;
        let mut from = 0;
        while let Some(reader) = self.readers.next(&there.done, from) {
            from = reader + 1;
            self.work += 1;
            if self
                .machine
                .step(state, self.window[reader], self.now)
                .is_some()
            {
                there.done.add(reader);
                served = true;
                if let Some(path) = &mut self.path {
                    there.path = path.push(there.path, self.window[reader], self.now);
                }
            }
        }
        Some((there, served))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blind,
    Dependent,
}
