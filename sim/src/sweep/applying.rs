//! Which scenarios mean something for a subject.

use crate::plan::draw::draw;
use crate::plan::{self, Plan};
use crate::scenario::fault::Who;
use crate::scenario::model::{Scenario, Step, Verb};
use crate::subject::bug_card::{bugs, unknown};
use crate::subject::contract::Links;
use crate::subject::process::Subject;
use crate::sweep::source::finds_its_aim;

/// Why a scenario does not apply to the subject: the bug that is to be planted is another's; links
/// keep nothing that could be broken; its script asks for an operation that the subject does not have,
/// or expects something of a fault that finds nobody; or the subject does not run in its clusters.
#[must_use]
pub fn lacking(subject: &dyn Subject, bug: Option<&String>, scenario: &Scenario) -> Option<String> {
    if let Some(bug) = bug
        && !bugs(subject.name()).iter().any(|card| card.name == *bug)
    {
        return Some(format!(
            "{} is of `{}`, in which there is no `{bug}`: {}",
            scenario.name,
            subject.name(),
            unknown(subject.name(), bug)
        ));
    }
    let beyond = scenario.network.beyond_contract.as_ref();
    if beyond.is_some_and(|beyond| *beyond.get_ref()) && subject.links() == Links::Datagrams {
        return Some(format!(
            "{} goes beyond the contract of links, and `{}` relies on nothing that they keep",
            scenario.name,
            subject.name()
        ));
    }
    let lacks = |step: &&Step| {
        matches!(
            &step.verb,
            Verb::Invoke(invoke) if !subject.dialect().offers(&invoke.call.action),
        )
    };
    if let Some(step) = scenario.steps.iter().find(lacks) {
        return Some(format!(
            "{}: line {} asks for an operation that `{}` does not have",
            scenario.name,
            step.line,
            subject.name()
        ));
    }
    let (fewest, most) = (*subject.replicas().start(), *subject.replicas().end());
    let replicas = scenario.replicas();
    if replicas.min() < fewest.into() || replicas.max() > most.into() {
        return Some(format!(
            "{} has clusters of {} to {} replicas, and `{}` runs with {fewest} to {most}",
            scenario.name,
            replicas.min(),
            replicas.max(),
            subject.name()
        ));
    }
    let (line, kind) = missed(&draw(scenario, 0), subject)?;
    Some(format!(
        "{}: what is expected rests on `{kind}` in line {line}, and what that aims at cannot be made \
         out in `{}`: nobody leads, or its reader names no such messages or shows no media",
        scenario.name,
        subject.name()
    ))
}

/// The first scripted fault that does not find its aim, where the script expects something afterwards:
/// that would be judged as if the fault had struck.
///
/// Where nobody leads, each fault finds somebody for a leader, and two of them not always the same:
/// what one operation ends as may rest on that.
fn missed(plan: &Plan, subject: &dyn Subject) -> Option<(u32, &'static str)> {
    let finds = finds_its_aim(Some(subject));
    let by_role = |who: &Who| matches!(who, Who::Leader | Who::Others | Who::Follower);
    let (mut missed, mut role, mut guessed) = (None, false, None);
    for step in &plan.script {
        match &step.verb {
            plan::Verb::Inject { fault, .. } => {
                let this = Some((step.line, fault.kind()));
                if !finds(fault) {
                    missed = missed.or(this);
                }
                if !subject.has_leader() && fault.means(by_role) {
                    guessed = guessed.or(this.filter(|_| role));
                    role = true;
                }
            }
            plan::Verb::Expect { .. } if missed.is_some() => return missed,
            plan::Verb::Invoke { expect, .. } if !expect.is_empty() => {
                if let Some(missed) = missed.or(guessed) {
                    return Some(missed);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use synod_port::files::FileName;

    use super::*;
    use crate::glossary::names;
    use crate::ids::Node;
    use crate::scenario::library::Library;
    use crate::subject::abd::Abd;
    use crate::subject::process::{Dialect, Process, Setup};
    use crate::subject::synod::Synod;

    fn why_not(name: &str, subject: &dyn Subject) -> Option<String> {
        let library = Library::standard(&names()).unwrap_or_else(|error| panic!("{error}"));
        let scenario = library.get(name).unwrap_or_else(|error| panic!("{error}"));
        lacking(subject, None, &scenario)
    }

    #[test]
    fn what_is_expected_of_a_fault_that_finds_nobody_is_not_judged() {
        for (name, rests_on) in [
            ("storage/last-copy", "rests on `power-loss` in line"),
            ("liveness/chosen-by-the-dead", "rests on `lose` in line"),
            ("safety/stalled-leader-cut-off", "nobody leads"),
        ] {
            let why = why_not(name, &Abd).unwrap_or_default();
            assert!(why.contains(rests_on), "{name}: {why}");
            assert_eq!(why_not(name, &Synod), None);
        }
        // No fault of theirs needs a reader, or nothing of it is expected.
        for name in [
            "safety/stale-read",
            "safety/weather-3",
            "liveness/constrained",
        ] {
            assert_eq!(why_not(name, &Abd), None);
        }
    }

    #[test]
    fn clusters_that_a_subject_does_not_run_in_are_left_out() {
        struct Pairs;
        impl Subject for Pairs {
            fn name(&self) -> &'static str {
                "pairs"
            }
            fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
                Abd.format(setup, node)
            }
            fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
                Abd.make(setup, node)
            }
            fn dialect(&self) -> &'static dyn Dialect {
                Abd.dialect()
            }
            fn replicas(&self) -> std::ops::RangeInclusive<u8> {
                2..=4
            }
        }
        let why = |name| why_not(name, &Pairs).unwrap_or_default();
        assert!(why("storage/lone-replica").contains("clusters of 1 to 1 replicas"));
        assert!(why("safety/weather-5").contains("`pairs` runs with 2 to 4"));
        assert_eq!(why("safety/weather-3"), "");
    }
}
