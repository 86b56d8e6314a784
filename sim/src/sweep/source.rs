//! Where a sweep gets its plans from and what runs them, as far as the sweep needs to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use synod_reports::summary::Demand;

use crate::check::jury::Jury;
use crate::choices::CERTAIN;
use crate::plan::{Distribution, Expectation, Network, Plan, Verb};
use crate::run::{Checks, RunOutcome, RunSpec};
use crate::scenario::fault::{Fault, Who};
use crate::subject::contract::Links;
use crate::subject::process::Subject;
use crate::sweep::settings::{Judges, Target};
use crate::time::Span;
use crate::world::tally::{Effect, Milestone};

/// What a reproducer says about itself, beside its plan.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The subject.
    pub subject: String,
    /// The planted bug.
    pub bug: Option<String>,
    /// The checks that judged, if it was not all of them.
    #[serde(default, skip_serializing_if = "Jury::is_everybody")]
    pub only: Jury,
    /// Who judged.
    #[serde(default)]
    pub judges: Judges,
    /// The check that failed.
    pub check: Option<String>,
    /// The digest that the run had.
    pub digest: String,
    /// The build that had it.
    pub build: String,
    /// The plan is not the one that had it.
    #[serde(default)]
    pub edited: bool,
}

/// A plan, and what its file says about how to run it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The engine that the scenario is for; none: the default.
    pub subject: Option<String>,
    /// The bug that a reproducer was found with.
    pub bug: Option<String>,
    /// The checks that judged when a reproducer was found.
    pub only: Jury,
    /// Who judged then.
    pub judges: Option<Judges>,
    /// What a reproducer showed; none for a plan that was drawn.
    pub origin: Option<Origin>,
}

/// Makes plans and runs them. Errors are for people: which file, what is wrong, what to do.
pub trait Source {
    /// The scenario's name of this run, as results show it.
    ///
    /// # Errors
    /// When there is no such scenario, or it cannot be read.
    fn scenario(&mut self, target: &Target) -> Result<String, String>;

    /// The plan of this run.
    ///
    /// # Errors
    /// As [`Self::scenario`], or when no plan can be drawn.
    fn plan(&mut self, target: &Target) -> Result<Planned, String>;

    /// The plan as a reproducer's TOML.
    fn pin(&self, plan: &Plan, origin: &Origin) -> String;

    /// Runs a plan.
    fn run(&mut self, spec: &RunSpec) -> RunOutcome {
        crate::run::run(spec)
    }
}

/// The scenarios of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Their names, in order. For the mix: those that it draws from.
    pub names: Vec<String>,
    /// Reproducers, which run once each, with their seeds.
    pub once: Vec<(String, u64)>,
    /// What each asks of all its runs together.
    pub demands: BTreeMap<String, Demand>,
    /// The hash of each, overrides included.
    pub hashes: BTreeMap<String, String>,
}

/// The failure that a scenario is there for: a check or a class. None when the check is named and
/// does not judge, since then it cannot come.
#[must_use]
pub fn expected<'a>(
    checks: &'a crate::plan::Checks,
    jury: &Jury,
    judging: Checks,
) -> Option<&'a str> {
    let is_check = |name: &str| crate::run::checks().any(|check| check == name);
    let judges = |name: &str| {
        jury.has(name) && (judging == Checks::All || crate::run::is_client_visible(name))
    };
    checks
        .expect_failure
        .as_deref()
        .filter(|expected| judges(expected) || !is_check(expected))
}

/// What a plan's checks ask of all runs of its scenario together, when this is the subject.
#[must_use]
pub fn demand(
    checks: &crate::plan::Checks,
    subject: Option<&dyn Subject>,
    jury: &Jury,
    judging: Checks,
) -> Demand {
    let can = |name: &String| {
        subject
            .zip(Milestone::named(name))
            .is_none_or(|(subject, milestone)| milestone.can_show(subject))
    };
    let milestones = checks
        .milestones
        .iter()
        .filter(|name| can(name))
        .cloned()
        .collect();
    Demand {
        milestones,
        expect_failure: expected(checks, jury, judging).map(str::to_owned),
        at_least_ppm: checks.at_least_ppm,
    }
}

/// What is planned in a run and must take effect in some of many: the fault kinds of the plan that
/// can hit this subject, and what the weather must have done to so many messages; sorted, each
/// once.
#[must_use]
pub fn planned(plan: &Plan, subject: Option<&dyn Subject>, messages: u64) -> Vec<String> {
    let mut kinds: Vec<&str> = fault_kinds(plan, subject)
        .chain(weather(
            &plan.network,
            plan.cluster.knobs.heartbeat,
            messages,
        ))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(str::to_owned).collect()
}

fn fault_kinds(plan: &Plan, subject: Option<&dyn Subject>) -> impl Iterator<Item = &'static str> {
    let can = can_strike(subject, plan.network.beyond_contract);
    let nemesis = plan.nemesis.iter().map(|timed| &timed.fault);
    let scripted = plan.script.iter().filter_map(|step| match &step.verb {
        Verb::Inject { fault, .. } => Some(fault),
        _ => None,
    });
    let times = subject.is_none_or(|subject| sees_what_it_waits_for(plan, subject));
    nemesis
        .chain(scripted.filter(move |_| times))
        .filter(move |fault| can(fault))
        .map(Fault::kind)
}

/// Whether the steps of the script wait for what this subject shows. Where they do not, each is over
/// at once or takes all its time, and its faults come when they need not find anything to do.
fn sees_what_it_waits_for(plan: &Plan, subject: &dyn Subject) -> bool {
    plan.script.iter().all(|step| match &step.verb {
        Verb::Expect { what, .. } => match what {
            Expectation::Leader(_) | Expectation::NoLeader(_) => subject.has_leader(),
            Expectation::CaughtUp(_) => subject.tells_facts(),
            Expectation::Lag { .. } => subject.shows_media(),
            _ => true,
        },
        _ => true,
    })
}

/// Whether a fault can change anything for this subject, or for any.
fn can_strike(subject: Option<&dyn Subject>, beyond_contract: bool) -> impl Fn(&Fault) -> bool {
    let finds = finds_its_aim(subject);
    let timeless = subject.is_some_and(|subject| !subject.reads_wall_clock());
    let links = subject.map_or(Links::Datagrams, Subject::links);
    let kept = links > Links::Datagrams && !beyond_contract;
    move |fault| {
        let undone = timeless && matches!(fault, Fault::ClockJump { .. });
        // Of copies the first alone counts.
        let unseen = kept && fault.kind() == Effect::Duplicate.name();
        finds(fault) && !(undone || unseen)
    }
}

/// Whether what a fault aims at can be made out in this subject, or in any. Messages that nobody can
/// read are of no kind, and say nothing of votes; nor do media.
pub fn finds_its_aim(subject: Option<&dyn Subject>) -> impl Fn(&Fault) -> bool {
    let kinds = subject.map(|subject| subject.reader().map_or(&[][..], |reader| reader.kinds()));
    let has_none_of = move |named: &[String]| {
        let known = |kind: &String| kinds.is_none_or(|kinds| kinds.contains(&kind.as_str()));
        !named.is_empty() && !named.iter().any(known)
    };
    let closed = subject.is_some_and(|subject| !subject.shows_media());
    move |fault| {
        let read = |who: &Who| who.is_by_votes() || who.is_by_media();
        !(has_none_of(fault.kinds()) || closed && fault.means(read))
    }
}

/// Takes all faults of this kind out of the plan, or this rate of the weather: names as
/// [`planned`] gives them. All others are decided as they were. How messages overtake each other is
/// no rate, and stays.
pub fn leave_out(plan: &mut Plan, kind: &str) {
    plan.nemesis.retain(|timed| timed.fault.kind() != kind);
    plan.script
        .retain(|step| !matches!(&step.verb, Verb::Inject { fault, .. } if fault.kind() == kind));
    let network = &mut plan.network;
    match Effect::named(kind) {
        Some(Effect::NetworkLoss) => network.loss = 0,
        Some(Effect::NetworkDuplicate) => network.duplicate = 0,
        Some(Effect::NetworkCorrupt) => network.corrupt = 0,
        _ => {}
    }
}

/// The weather that this run had a fair chance to show: one message or more was to be expected to
/// be hit. A sweep is vacuous from 200 such runs on without a single hit, which has a probability
/// below e^-200, or e^-100 where every second message was a copy or never arrived.
///
/// That messages overtake each other is no rate of its own. Where a delay is often as long as a
/// tenth of the time between heartbeats, each message has a chance of some percent to be overtaken,
/// so none in a thousand is as good as never.
fn weather(
    network: &Network,
    heartbeat: Span,
    messages: u64,
) -> impl Iterator<Item = &'static str> {
    let rates = [
        (Effect::NetworkLoss, network.loss),
        (Effect::NetworkDuplicate, network.duplicate),
        (Effect::NetworkCorrupt, network.corrupt),
    ];
    let hit = rates
        .into_iter()
        .filter(move |(_, ppm)| u64::from(*ppm).saturating_mul(messages) >= u64::from(CERTAIN));
    let spreads = matches!(
        network.latency,
        Distribution::Exponential {
            mean,
            max,
        } if mean.0 >= heartbeat.0 / 10 && max.0 >= 4 * mean.0,
    );
    let overtaken = (spreads && messages >= 1000).then_some(Effect::Reorder);
    hit.map(|(effect, _)| effect)
        .chain(overtaken)
        .map(Effect::name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{FaultNumber, Node};
    use crate::plan::{Step, When};
    use crate::scenario::fault::{Aim, Boundary, MessageFault, Who};
    use crate::subject::abd::Abd;
    use crate::subject::synod::Synod;
    use crate::world::testing;

    #[test]
    fn weather_is_judged_where_it_had_a_fair_chance() {
        let mut plan = testing::with(&[
            (100, 100, Fault::Pause(Who::All)),
            (300, 100, Fault::Pause(Who::All)),
        ]);
        assert_eq!(planned(&plan, None, 1_000_000), ["pause"]);
        (plan.network.loss, plan.network.duplicate) = (1000, 10);
        assert_eq!(planned(&plan, None, 999), ["pause"]);
        assert_eq!(planned(&plan, None, 1000), ["network.loss", "pause"]);
        assert_eq!(
            planned(&plan, None, 100_000),
            ["network.duplicate", "network.loss", "pause"]
        );
    }

    #[test]
    fn what_is_left_out_is_not_planned() {
        let kill = Fault::Kill {
            who: Who::All,
            boundary: Boundary::Now,
        };
        let mut plan =
            testing::with(&[(100, 100, Fault::Pause(Who::All)), (300, 100, kill.clone())]);
        plan.script.push(Step {
            when: When::Next,
            verb: Verb::Inject {
                number: FaultNumber(1),
                fault: kill,
                hold: None,
            },
            line: 0,
        });
        plan.network.loss = 1000;
        let of = |plan: &Plan| planned(plan, None, 1_000_000);
        assert_eq!(of(&plan), ["kill", "network.loss", "pause"]);
        leave_out(&mut plan, "kill");
        assert_eq!(of(&plan), ["network.loss", "pause"]);
        leave_out(&mut plan, "network.loss");
        assert_eq!(of(&plan), ["pause"]);
    }

    #[test]
    fn what_cannot_hit_a_subject_is_not_asked_of_it() {
        let voters = Who::Acknowledgers((0..3).map(Node).collect());
        let jump = Fault::ClockJump {
            who: Who::All,
            by: 1,
        };
        let plan = testing::with(&[(100, 100, Fault::Pause(voters)), (300, 0, jump)]);
        let of = |subject| planned(&plan, subject, 0);
        assert_eq!(of(None), ["clock-jump", "pause"]);
        assert_eq!(of(Some(&Synod)), ["pause"]);
        assert!(of(Some(&Abd)).is_empty(), "nobody reads its messages");
        let lost = |kind: &str| {
            let aim = Aim {
                from: Who::All,
                to: Who::All,
                kinds: vec![kind.to_owned()],
                nth: None,
            };
            let fault = MessageFault::Lose(1_000_000);
            let plan = testing::with(&[(100, 100, Fault::Messages { aim, fault })]);
            planned(&plan, Some(&Synod), 0)
        };
        assert_eq!(lost("accept"), ["lose"]);
        assert!(lost("another's").is_empty(), "it has no such message");
    }

    #[test]
    fn scripted_faults_are_asked_for_where_steps_wait_for_what_is_shown() {
        let step = |verb| Step {
            when: When::Next,
            verb,
            line: 0,
        };
        let mut plan = testing::with(&[(100, 100, Fault::DiskStall(Who::All))]);
        let waits = |what| Verb::Expect {
            what,
            within: Some(Span::from_secs(1)),
            throughout: None,
        };
        let pause = Verb::Inject {
            number: FaultNumber(9),
            fault: Fault::Pause(Who::All),
            hold: Some(Span::from_millis(50)),
        };
        for (what, shown) in [
            (Expectation::Leader(Who::All), false),
            (Expectation::CaughtUp(Who::All), false),
            (Expectation::Operations(5), true),
        ] {
            plan.script = vec![step(waits(what)), step(pause.clone())];
            let both = ["disk-stall", "pause"];
            assert_eq!(planned(&plan, Some(&Synod), 0), both);
            let of = planned(&plan, Some(&Abd), 0);
            assert_eq!(of, if shown { &both[..] } else { &both[..1] });
        }
    }

    #[test]
    fn reordering_is_judged_where_delays_spread() {
        let mut plan = testing::plan(3);
        let exponential = |mean| Distribution::Exponential {
            mean: Span::from_millis(mean),
            max: Span::from_millis(40),
        };
        for (latency, judged) in [
            (exponential(1), false),
            (exponential(3), true),
            (exponential(20), false),
        ] {
            plan.network.latency = latency;
            assert_eq!(
                planned(&plan, None, 1000).contains(&"reorder".to_owned()),
                judged,
                "{latency:?}"
            );
            assert!(planned(&plan, None, 999).is_empty());
        }
    }
}
