//! One fault instead of many: where the run needs so many that taking them out one by one leaves a
//! list that nobody reads, one of them that lasts, or the loss of one kind of messages, may do as much.
//!
//! What fails slowly, a little more with every election, is the usual case: each fault is needed then,
//! and none of them matters.

use crate::ids::FaultNumber;
use crate::plan::{Plan, Timed, Verb};
use crate::scenario::fault::{Aim, Fault, MessageFault, Who};
use crate::shrink::search::Search;
use crate::time::{Instant, Span};

/// A list of so many faults can be read.
const FEW: usize = 5;

impl Search<'_> {
    /// Tries one fault for as long as there are any, if they are many.
    pub(super) fn one_for_all(&mut self) {
        if self.best.faults().count() <= FEW {
            return;
        }
        let kinds = self.case.scribe.message_kinds();
        let candidates: Vec<_> = one_for_all(&self.best, &kinds)
            .into_iter()
            .map(Into::into)
            .collect();
        self.take(&candidates);
    }
}

/// Plans with one fault instead of all: those that there are, each kind once, then the loss of all
/// messages of a kind.
fn one_for_all(plan: &Plan, kinds: &[&str]) -> Vec<Plan> {
    let mut present: Vec<&Fault> = Vec::new();
    for fault in plan.faults() {
        if !present.iter().any(|other| other.kind() == fault.kind()) {
            present.push(fault);
        }
    }
    let losses = kinds.iter().map(|kind| Fault::Messages {
        aim: Aim {
            from: Who::All,
            to: Who::All,
            kinds: vec![(*kind).to_owned()],
            nth: None,
        },
        fault: MessageFault::Lose(1_000_000),
    });
    let times = plan.nemesis.iter().map(|timed| timed.at);
    let at = times.min().unwrap_or(Instant(0)).min(plan.heal.at);
    let one = |fault| {
        let mut left = plan.clone();
        left.script
            .retain(|step| !matches!(step.verb, Verb::Inject { .. }));
        left.nemesis = vec![Timed {
            number: FaultNumber(1),
            at,
            hold: (plan.heal.at - at).max(Span(1)),
            fault,
        }];
        left
    };
    present
        .into_iter()
        .cloned()
        .chain(losses)
        .map(one)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::glossary::names;
    use crate::plan::draw::draw;
    use crate::run::{RunSpec, run};
    use crate::scenario::embedded::FILES;
    use crate::scenario::form::Repro;
    use crate::scenario::load::parse;
    use crate::shrink::brief::Scribe;
    use crate::shrink::case::{Case, Goal, Spent};

    /// Patience grows with each election here, for ever: it takes a hundred cut-off leaders, or a lost
    /// kind of messages.
    #[test]
    fn one_loss_does_what_a_hundred_cuts_did() {
        const NAME: &str = "liveness/many-elections";
        const SEED: u64 = 77;
        let file = FILES.iter().find(|(name, _)| *name == NAME);
        let (_, text) = file.expect("it is in the library");
        let scenario = parse(NAME, text, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
        let plan = draw(&scenario, SEED).without_lines();
        assert!(plan.faults().count() > 50);
        let spec = RunSpec {
            bug: Some("backoff-never-resets".to_owned()),
            ..RunSpec::new(plan.clone())
        };
        let goal = Goal::of(&run(&spec).record).expect("it fails");
        let scribe = Scribe::new(Repro {
            scenario: NAME.to_owned(),
            seed: SEED,
            ..Repro::default()
        });
        let plans = one_for_all(&plan, &scribe.message_kinds());
        for plan in &plans {
            assert_eq!(plan.faults().count(), 1);
        }
        assert_eq!(plans[0].nemesis[0].at, plan.nemesis[0].at);
        let mut case = Case {
            spec,
            goal,
            scribe,
            jobs: 1,
            budget: u64::MAX,
            halt: &|| false,
            ground: None,
            spent: Spent::default(),
            tried: BTreeSet::new(),
        };
        let candidates: Vec<_> = plans.into_iter().map(Into::into).collect();
        let hit = case.first(&candidates).expect("one of them does");
        assert_eq!(hit.plan.nemesis[0].fault.kind(), "lose");
    }
}
