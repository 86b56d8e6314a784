//! Whole runs, each with the verdict that it must have.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use synod_port::files::FileName;

use super::*;
use crate::check::roster::Violation;
use crate::history::operation::{Action, Call, Return, Text};
use crate::ids::{Client, FaultNumber, Node};
use crate::plan::{Expectation, Expected, Healing, Mix, Step as PlanStep, Verb, When};
use crate::scenario::fault::{Boundary, Cut, Fault, Outside, Partition, Side, Spots, Who};
use crate::subject::ping::Ping;
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::process::{Dialect, Input, Now, Output, Process};
use crate::subject::synod::Synod;
use crate::time::Span;
use crate::trace::event::{Event, Fact, Outcome, Sent, Stamp};
use crate::trace::observer::Observer;
use crate::verdict::Closing;
use crate::world::clock::EPOCH;
use crate::world::testing;

fn spec(plan: Plan) -> RunSpec {
    RunSpec::new(plan)
}

/// (verdict, check, message).
fn verdict(plan: Plan, subject: &'static dyn Subject) -> (&'static str, String, String) {
    let record = run_judged(&spec(plan), subject, ()).record;
    (
        record.verdict.name(),
        record.check.unwrap_or_default(),
        record.message.unwrap_or_default(),
    )
}

#[test]
fn a_run_passes_on_quiet_days() {
    for replicas in [1, 3, 5] {
        let outcome = run(&spec(testing::plan(replicas)));
        let record = &outcome.record;
        assert_eq!((record.verdict.name(), &record.message), ("pass", &None));
        assert!(
            record.client_operations >= 66 && record.audits >= 1,
            "{record:?}"
        );
        assert!(outcome.history.is_none() && outcome.tale.is_empty());
    }
    let nobody = run(&RunSpec {
        subject: "nobody".to_owned(),
        ..spec(testing::plan(3))
    })
    .record;
    assert_eq!(nobody.verdict.name(), "inconclusive");
}

#[test]
fn the_same_digest_comes_out_however_a_run_is_watched() {
    let mut digests = BTreeMap::new();
    for seed in 0..6 {
        let plain = run(&spec(testing::storm(seed))).record;
        assert_eq!(plain, run(&spec(testing::storm(seed))).record);
        let recorded = run(&RunSpec {
            record: Recording::Everything,
            ..spec(testing::storm(seed))
        });
        assert_eq!(plain, recorded.record);
        let seen = recorded.spacetime.expect("it was recorded");
        assert!(seen.rows().count() > 1_000);
        let history = recorded.history.expect("it was recorded");
        assert!(history.lines().count() > 100 && !recorded.tale.is_empty());
        for probe in [ProbeLevel::Nothing, ProbeLevel::BugsOnly] {
            let watched = run(&RunSpec {
                probe,
                ..spec(testing::storm(seed))
            })
            .record;
            // Only memory, and what facts tell of, show how closely it was watched.
            assert_eq!(plain.checks["progress"], watched.checks["progress"]);
            let mut seen = RunRecord {
                accounted_bytes: watched.accounted_bytes,
                checks: watched.checks.clone(),
                deliveries: watched.deliveries.clone(),
                cells: watched.cells.clone(),
                states: watched.states.clone(),
                ..plain.clone()
            };
            seen.milestones.retain(|name, _| {
                !["recovered-with-log", "torn-tail-cut"].contains(&name.as_str())
            });
            assert_eq!(seen, watched);
        }
        let judged = run_judged(&spec(testing::storm(seed)), &Synod, Counting::default()).record;
        assert_eq!(plain.digest, judged.digest);
        digests.insert(plain.digest, seed);
    }
    assert_eq!(digests.len(), 6, "seeds differ");
}

/// Watches everything and has nothing against it.
#[derive(Clone, Default)]
struct Counting(u64);

impl Observer for Counting {
    fn on(&mut self, stamp: Stamp, _: &Event<'_>) -> ControlFlow<()> {
        assert_eq!(stamp.number, self.0, "events are numbered without gaps");
        self.0 += 1;
        ControlFlow::Continue(())
    }
}

impl Judge for Counting {
    type Auditor = ();

    fn violation(&self) -> Option<Violation> {
        None
    }

    fn auditor(&self, _: &[Sent]) -> Self::Auditor {}

    fn close(&mut self, ready_core: &[Node]) -> Closing {
        assert_eq!(ready_core.len(), 3);
        Closing::Passed
    }
}

/// Every acknowledged append must be in every later read.
#[derive(Clone, Default)]
struct LostAppends {
    /// Tags that were acknowledged, by key.
    acknowledged: BTreeMap<Text, Vec<Text>>,
    /// By process, what it asks, and how many tags of the key were acknowledged when it began.
    open: BTreeMap<u32, (Call, usize)>,
    lost: Option<String>,
}

impl Observer for LostAppends {
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Invoked { process, call, .. } => {
                let known = self.acknowledged.get(&call.key).map_or(0, Vec::len);
                self.open.insert(*process, ((*call).clone(), known));
            }
            Event::Returned {
                process, outcome, ..
            } => {
                let (call, known) = self.open.remove(process).expect("what returns was invoked");
                match (&call.action, outcome) {
                    (Action::Append(tag), Outcome::Ok { .. }) => self
                        .acknowledged
                        .entry(call.key)
                        .or_default()
                        .push(tag.clone()),
                    (
                        Action::Get,
                        Outcome::Ok {
                            result: Return::Value(value),
                            ..
                        },
                    ) => {
                        let value = String::from_utf8_lossy(value.as_deref().unwrap_or_default())
                            .into_owned();
                        let tags = self
                            .acknowledged
                            .get(&call.key)
                            .map_or(&[][..], |tags| &tags[..known]);
                        let missing = tags
                            .iter()
                            .map(|tag| String::from_utf8_lossy(tag))
                            .find(|tag| !value.contains(&**tag));
                        self.lost = missing.map(std::borrow::Cow::into_owned);
                        if self.lost.is_some() {
                            return ControlFlow::Break(());
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Judge for LostAppends {
    type Auditor = Self;

    fn violation(&self) -> Option<Violation> {
        self.lost.as_ref().map(|tag| Violation {
            check: "lost-appends",
            message: format!("{tag} is lost"),
        })
    }

    fn auditor(&self, sent: &[Sent]) -> Self {
        let mut auditor = self.clone();
        for sent in sent {
            let _ = auditor.on(sent.stamp, &sent.as_event());
        }
        auditor
    }

    fn close(&mut self, _: &[Node]) -> Closing {
        self.violation().map_or(Closing::Passed, Closing::Failed)
    }
}

fn appending(replicas: u8) -> Plan {
    let mut plan = testing::plan(replicas);
    plan.workload.mix = Mix {
        get: 1,
        append: 3,
        ..Mix::default()
    };
    plan
}

#[test]
fn an_audit_finds_what_only_one_replica_remembers() {
    // An audit must fall into the little time in which an append is on one disk only.
    let of = |seed| {
        let plan = Plan {
            seed,
            ..appending(3)
        };
        run_judged(&spec(plan), &PrimaryCopy, LostAppends::default()).record
    };
    let record = (0..20)
        .map(of)
        .find(|record| record.verdict.name() != "pass")
        .expect("one of twenty runs has such an audit");
    assert_eq!(
        (record.verdict.name(), record.check.as_deref()),
        ("safety", Some("last-quorum-audit")),
        "{:?}",
        record.message
    );
    let message = record.message.expect("a failure says what it is");
    assert!(
        message.contains("alone answer wrongly (lost-appends): p"),
        "{message}"
    );
    // With one replica there is nobody to disagree.
    let record = run_judged(&spec(appending(1)), &PrimaryCopy, LostAppends::default()).record;
    assert_eq!((record.verdict.name(), &record.message), ("pass", &None));
    assert!(record.audits > 0);
}

/// Cannot say anything of audits, and fails the run in the end or does not.
#[derive(Clone)]
struct Undecided {
    in_the_end: Closing,
}

impl Observer for Undecided {
    fn on(&mut self, _: Stamp, _: &Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Judge for Undecided {
    type Auditor = Self;

    fn violation(&self) -> Option<Violation> {
        None
    }

    fn auditor(&self, _: &[Sent]) -> Self {
        Self {
            in_the_end: Closing::Unknown {
                check: "search",
                message: "gave up".to_owned(),
            },
        }
    }

    fn close(&mut self, _: &[Node]) -> Closing {
        self.in_the_end.clone()
    }
}

#[test]
fn an_audit_that_nobody_can_decide_leaves_the_run_inconclusive_unless_it_fails() {
    let ends =
        |in_the_end| run_judged(&spec(testing::plan(3)), &Synod, Undecided { in_the_end }).record;
    let doubtful = ends(Closing::Passed);
    assert_eq!(
        (doubtful.verdict.name(), doubtful.check.as_deref()),
        ("inconclusive", Some("last-quorum-audit"))
    );
    assert_eq!(
        doubtful.message.as_deref(),
        Some("whether r1, r2 alone answer rightly is not known (search): gave up")
    );
    assert!(
        doubtful.audits >= 3 && doubtful.digest == run(&spec(testing::plan(3))).record.digest,
        "the run goes on"
    );
    let failed = ends(Closing::Failed(Violation {
        check: "late",
        message: String::new(),
    }));
    assert_eq!(
        (failed.verdict.name(), failed.check.as_deref()),
        ("safety", Some("late"))
    );
}

#[test]
fn a_judge_that_has_seen_enough_ends_the_run() {
    let mut plan = appending(3);
    // No audits get in first: the run is over before one is drawn, or it is not.
    plan.nemesis = testing::with(&[(300, 2000, testing::cut(Cut::IsolateLeader))]).nemesis;
    let checks: BTreeSet<String> = (0..20)
        .filter_map(|seed| {
            run_judged(
                &spec(Plan {
                    seed,
                    ..plan.clone()
                }),
                &PrimaryCopy,
                LostAppends::default(),
            )
            .record
            .check
        })
        .collect();
    assert!(checks.contains("lost-appends"), "{checks:?}");
}

fn text(text: &str) -> Text {
    Arc::from(text.as_bytes())
}

fn scripted(verbs: Vec<Verb>) -> Plan {
    let mut plan = testing::plan(3);
    plan.workload.operations = 0;
    plan.script = (1..)
        .zip(verbs)
        .map(|(line, verb)| PlanStep {
            when: When::Next,
            verb,
            line,
        })
        .collect();
    plan
}

fn expect(what: Expectation) -> Verb {
    Verb::Expect {
        what,
        within: Some(Span::from_secs(3)),
        throughout: None,
    }
}

fn invoke(client: u16, action: Action, expect: Vec<Expected>) -> Verb {
    Verb::Invoke {
        client: Client(client),
        call: Call {
            key: text("x"),
            action,
        },
        expect,
        background: false,
    }
}

/// The old primary is cut off with a client; the others choose a new value.
fn stale_read(expected: Vec<Expected>) -> Plan {
    let side = |who, client| Side {
        replicas: vec![who],
        clients: vec![Client(client)],
    };
    let cut = Fault::Partition(Partition::Groups(vec![
        side(Who::Leader, 0),
        side(Who::Others, 1),
    ]));
    scripted(vec![
        expect(Expectation::Leader(Who::All)),
        invoke(0, Action::Put(text("1")), vec![Expected::Ok]),
        Verb::Inject {
            number: FaultNumber(1),
            fault: cut,
            hold: None,
        },
        expect(Expectation::Leader(Who::Others)),
        invoke(1, Action::Put(text("2")), vec![Expected::Ok]),
        invoke(0, Action::Get, expected),
        Verb::Heal(Healing::All),
    ])
}

#[test]
fn a_script_shows_the_stale_read() {
    let found = verdict(
        stale_read(vec![Expected::Timeout, Expected::Refused]),
        &PrimaryCopy,
    );
    assert_eq!(
        found,
        (
            "expectation",
            "expectation".to_owned(),
            "line 6: the operation of c1 ended as ok with \"1\"".to_owned()
        )
    );
    let found = verdict(
        stale_read(vec![Expected::Value(Some(text("1")))]),
        &PrimaryCopy,
    );
    assert_eq!(found.0, "pass", "{}", found.2);
}

#[test]
fn a_script_waits_kills_restarts_and_reads() {
    let value = |is: &str| Expectation::Value {
        key: text("x"),
        is: Some(text(is)),
    };
    let who = Who::Nodes(vec![Node(2)]);
    let plan = |last: &str| {
        scripted(vec![
            expect(Expectation::Ready(Who::All)),
            expect(Expectation::Leader(Who::Nodes(vec![Node(0)]))),
            expect(Expectation::NoLeader(Who::Nodes(vec![Node(1), Node(2)]))),
            invoke(0, Action::Put(text("1")), vec![Expected::Ok]),
            invoke(
                0,
                Action::Cas {
                    expected: None,
                    new: text("2"),
                },
                vec![Expected::Mismatch],
            ),
            Verb::Inject {
                number: FaultNumber(2),
                fault: Fault::Kill {
                    who: who.clone(),
                    boundary: Boundary::InStep,
                },
                hold: None,
            },
            Verb::Sleep(Span::from_millis(50)),
            Verb::Restart(who.clone()),
            expect(Expectation::Ready(who.clone())),
            Verb::Inject {
                number: FaultNumber(3),
                fault: Fault::Pause(who.clone()),
                hold: None,
            },
            Verb::Resume(who.clone()),
            Verb::Expect {
                what: value("1"),
                within: None,
                throughout: Some(Span::from_millis(200)),
            },
            expect(value(last)),
        ])
    };
    let found = verdict(plan("1"), &PrimaryCopy);
    assert_eq!(found.0, "pass", "{}", found.2);
    let found = verdict(plan("2"), &PrimaryCopy);
    assert_eq!(
        (found.0, &*found.2),
        (
            "expectation",
            "line 13: expected \"x\" to be \"2\" within 3s; it is \"1\""
        )
    );
}

/// Primary-copy, but something happens in the first step of a replica after this long.
struct Broken {
    after: Span,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Panic(&'static str),
    Distrust,
    Quit,
    /// Sends to a replica that there is not.
    Stray,
    /// Wakes up without end where so much is watched: nothing in audits.
    Spin(ProbeLevel),
}

struct BrokenProcess {
    inner: Box<dyn Process>,
    after: Span,
    what: What,
    probe: ProbeLevel,
}

impl Process for BrokenProcess {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        self.inner.step(now, input, out);
        if now.wall < EPOCH + self.after.0 {
            return;
        }
        match self.what {
            What::Panic(message) => panic!("{message}"),
            What::Distrust => out.push(Output::Halt {
                reason: "a bad sector".to_owned(),
                damaged: true,
            }),
            What::Quit => out.push(Output::Halt {
                reason: "enough".to_owned(),
                damaged: false,
            }),
            What::Stray => out.push(Output::Send {
                to: Node(7),
                bytes: b"anybody there?"[..].into(),
            }),
            What::Spin(_) => {}
        }
    }

    fn deadline(&self) -> Option<u64> {
        match self.what {
            What::Spin(probe) if probe == self.probe => Some(0),
            _ => self.inner.deadline(),
        }
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        None
    }

    fn facts(&mut self, _: &mut Vec<Fact>) {}
}

impl Subject for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)> {
        PrimaryCopy.format(setup, node)
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(BrokenProcess {
            inner: PrimaryCopy.make(setup, node),
            after: self.after,
            what: self.what,
            probe: setup.probe,
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        PrimaryCopy.dialect()
    }
}

#[test]
fn a_panic_and_a_broken_contract_are_told_apart() {
    static PANICS: Broken = Broken {
        after: Span::from_millis(700),
        what: What::Panic("index out of bounds"),
    };
    static BREAKS: Broken = Broken {
        after: Span::from_millis(700),
        what: What::Panic("contract VotePrecedesMaxBal: voted too high"),
    };
    let found = verdict(testing::plan(3), &PANICS);
    assert!(
        found.0 == "panic"
            && found.1 == "panic"
            && found.2.starts_with("index out of bounds (")
            && found.2.contains("tests.rs:"),
        "{found:?}"
    );
    let found = verdict(testing::plan(3), &BREAKS);
    assert!(
        found.0 == "safety"
            && found.1 == "contract"
            && found.2.starts_with("contract VotePrecedesMaxBal"),
        "{found:?}"
    );
    let [one, two] = [0, 1].map(|_| run_judged(&spec(testing::plan(3)), &PANICS, ()).record);
    assert!(one == two && one.events > 0 && one.digest.len() == 16);
}

#[test]
fn a_halt_is_excused_by_damage_alone() {
    static DISTRUSTS: Broken = Broken {
        after: Span::from_millis(1200),
        what: What::Distrust,
    };
    let kill = (
        1000,
        500,
        Fault::Kill {
            who: Who::All,
            boundary: Boundary::Now,
        },
    );
    let rot = (
        900,
        0,
        Fault::BitRot {
            who: Who::All,
            spots: Spots::anywhere(200),
        },
    );
    let found = verdict(testing::with(std::slice::from_ref(&kill)), &DISTRUSTS);
    assert_eq!((found.0, &*found.1), ("safety", "unexplained-halt"));
    let found = verdict(testing::with(&[rot, kill]), &DISTRUSTS);
    assert_eq!((found.0, &*found.1), ("excused", "progress"), "{}", found.2);
    assert!(found.2.contains("of 2 clients had a write answered"));
}

#[test]
fn a_process_that_stops_the_clock_is_a_stall() {
    static SPINS: Broken = Broken {
        after: Span::from_millis(0),
        what: What::Spin(ProbeLevel::Full),
    };
    let record = run_judged(&spec(testing::plan(3)), &SPINS, ()).record;
    assert_eq!(record.verdict, Verdict::Liveness);
    assert_eq!(record.check.as_deref(), Some("progress"));
    assert!(record.events < 1_000_000, "{}", record.events);
    let said = record.message.unwrap_or_default();
    assert!(
        said.contains("for 500000 events: r1 asks to be woken at 0"),
        "{said}"
    );
    // No damage explains it, and where progress is no matter it is no long run either.
    let mut plan = testing::plan(3);
    plan.budget = DamageBudget::None;
    assert_eq!(verdict(plan, &SPINS).0, "liveness");
    let unjudged = RunSpec {
        jury: Jury::only(["agreement"]),
        ..spec(testing::plan(3))
    };
    let record = run_judged(&unjudged, &SPINS, ()).record;
    assert_eq!(record.verdict, Verdict::Inconclusive);
    let said = record.message.unwrap_or_default();
    assert!(said.contains("r1 asks to be woken"), "{said}");
}

#[test]
fn a_message_to_nobody_is_the_subjects_fault() {
    static STRAYS: Broken = Broken {
        after: Span::from_millis(700),
        what: What::Stray,
    };
    let found = verdict(testing::plan(3), &STRAYS);
    assert_eq!((found.0, &*found.1), ("panic", "port"));
    assert_eq!(found.2, "r1 sends to r8, and there are 3 replicas");
}

#[test]
fn a_replica_that_halts_without_a_reason_fails_at_that_moment() {
    static QUITS: Broken = Broken {
        after: Span::from_millis(1200),
        what: What::Quit,
    };
    // The kill would start it again, and the run would end well, if nobody minded the halt.
    let kill = (
        1500,
        500,
        Fault::Kill {
            who: Who::All,
            boundary: Boundary::Now,
        },
    );
    let record = run_judged(&spec(testing::with(&[kill])), &QUITS, ()).record;
    assert_eq!(record.verdict, Verdict::Safety);
    assert_eq!(record.check.as_deref(), Some("unexplained-halt"));
    assert!(record.virtual_seconds < 1.5, "{}", record.virtual_seconds);
    // A disk that failed in the same boot is a reason, until the next boot.
    let fails = (
        1,
        1400,
        Fault::SyncFailure {
            who: Who::All,
            ppm: 1_000_000,
        },
    );
    let record = run_judged(&spec(testing::with(&[fails])), &QUITS, ()).record;
    assert_eq!(record.check.as_deref(), Some("unexplained-halt"));
    assert!(record.virtual_seconds > 1.4, "{}", record.virtual_seconds);
}

#[test]
fn silence_is_a_stall_and_a_budget_that_runs_out_is_neither() {
    let found = verdict(testing::plan(3), &Ping);
    assert_eq!((found.0, &*found.1), ("liveness", "progress"));
    assert_eq!(
        found.2,
        "0 of 2 clients had a write answered within 5s; 4 requests that were under way at the heal \
         have no answer; r1 has not recovered; r2 has not recovered; r3 has not recovered"
    );
    let mut plan = testing::plan(3);
    plan.end.events = 500;
    assert_eq!(verdict(plan, &PrimaryCopy).0, "inconclusive");
    let mut plan = scripted(vec![Verb::Sleep(Span::from_secs(100))]);
    plan.end.time = plan.heal.at;
    assert_eq!(verdict(plan, &PrimaryCopy).0, "inconclusive");
}

#[test]
fn an_audit_has_a_budget_of_events() {
    static SPINS: Broken = Broken {
        after: Span(0),
        what: What::Spin(ProbeLevel::Nothing),
    };
    let found = verdict(testing::plan(3), &SPINS);
    assert_eq!(
        (found.0, &*found.1, &*found.2),
        (
            "inconclusive",
            "last-quorum-audit",
            "r1, r2 alone came to no end within a run's events"
        )
    );
}

#[test]
fn who_does_not_judge_ends_nothing() {
    static DISTRUSTS: Broken = Broken {
        after: Span::from_millis(1200),
        what: What::Distrust,
    };
    let kill = (
        1000,
        500,
        Fault::Kill {
            who: Who::All,
            boundary: Boundary::Now,
        },
    );
    let by = |names: &[&str], plan: Plan, subject: &'static dyn Subject| {
        let record = run_judged(
            &RunSpec {
                jury: Jury::only(names.iter().copied()),
                ..spec(plan)
            },
            subject,
            (),
        )
        .record;
        (record.verdict.name(), record.check.unwrap_or_default())
    };
    let stalls = |names: &[&str]| by(names, testing::plan(3), &Ping);
    assert_eq!(
        stalls(&["closing-audit"]),
        ("liveness", "closing-audit".to_owned())
    );
    assert_eq!(
        stalls(&["closing-audit", "progress"]),
        ("liveness", "progress".to_owned())
    );
    assert_eq!(stalls(&["agreement"]), ("pass", String::new()));
    let halts = |names: &[&str]| {
        by(
            names,
            testing::with(std::slice::from_ref(&kill)),
            &DISTRUSTS,
        )
    };
    assert_eq!(
        halts(&["unexplained-halt"]),
        ("safety", "unexplained-halt".to_owned())
    );
    assert_eq!(
        halts(&["progress"]),
        ("liveness", "progress".to_owned()),
        "a halt that nobody explains excuses no stall"
    );
    let quiet = run(&RunSpec {
        jury: Jury::only(["prefix"]),
        ..spec(testing::plan(3))
    })
    .record;
    assert_eq!((quiet.verdict.name(), quiet.audits), ("pass", 0));
}

#[test]
fn every_check_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = checks().collect();
    assert_eq!(names.len(), checks().count());
    assert!(
        [
            "agreement",
            "contract",
            "last-quorum-audit",
            "linearizability",
            "progress"
        ]
        .iter()
        .all(|name| names.contains(name))
    );
    let visible: Vec<&str> = checks().filter(|name| is_client_visible(name)).collect();
    assert!(
        visible.contains(&"exactly-once")
            && !visible.contains(&"ghost")
            && !visible.contains(&"contract")
    );
}

#[test]
fn those_outside_the_core_may_go_on_deaf() {
    let mut plan = testing::plan(3);
    (plan.heal.core, plan.heal.others) = (vec![Node(1), Node(2)], Outside::Deaf);
    let outcome = run(&RunSpec {
        record: Recording::Story,
        ..spec(plan)
    });
    assert_eq!(
        (outcome.record.verdict.name(), &outcome.record.message),
        ("pass", &None)
    );
    assert!(
        outcome.record.faults.contains_key("partition"),
        "what is said to it is lost"
    );
    assert!(
        !outcome
            .tale
            .iter()
            .any(|line| line.text.ends_with("r1 is killed"))
    );
}

#[test]
fn those_outside_the_core_are_gone_for_good() {
    let mut plan = testing::plan(3);
    plan.heal.core = vec![Node(1), Node(2)];
    let outcome = run(&RunSpec {
        record: Recording::Story,
        ..spec(plan)
    });
    assert_eq!(
        (outcome.record.verdict.name(), &outcome.record.message),
        ("pass", &None)
    );
    assert!(
        !outcome.record.faults.contains_key("kill"),
        "taking the rest away is no fault"
    );
    assert!(
        outcome
            .tale
            .iter()
            .any(|line| line.text.ends_with("r1 is killed"))
    );
}

#[test]
fn a_replica_whose_disk_is_damaged_or_lost_halts_and_the_others_carry_on() {
    let one = || Who::Nodes(vec![Node(0)]);
    let kill = (
        1000,
        100,
        Fault::Kill {
            who: one(),
            boundary: Boundary::Now,
        },
    );
    let errors = Fault::SectorError {
        who: one(),
        spots: Spots::anywhere(200).of("log-"),
    };
    for (fault, halts) in [
        (Fault::DiskLoss(one()), 1),
        (Fault::MisdirectedWrite(one()), 1),
        (errors, 1),
    ] {
        let kind = fault.kind();
        let mut plan = testing::with(&[(500, 300, fault), kill.clone()]);
        plan.workload.operations = 300;
        plan.heal.core = vec![Node(1), Node(2)];
        let record = run(&spec(plan)).record;
        assert_eq!(
            (record.verdict.name(), &record.message),
            ("pass", &None),
            "{kind}"
        );
        assert!(
            record.faults.get(kind).is_some_and(|times| *times > 0),
            "{kind}: {:?}",
            record.faults
        );
        assert_eq!(record.milestones.get("halted"), Some(&halts), "{kind}");
    }
}

#[test]
fn a_network_that_ignores_its_weather_makes_a_sweep_vacuous() {
    use synod_reports::line::ResultLine;
    use synod_reports::summary::{Cost, FLOOR_RUNS};
    use synod_reports::tally::Tally;

    let vacuous = |ignores: bool| {
        let spec = spec(testing::storm(3));
        let mut run = Run::begin(&spec, &Synod, ());
        if ignores {
            run.world.ignore_weather();
        }
        run.whole();
        let outcome = run.outcome(&spec);
        assert_eq!(outcome.record.verdict.name(), "pass");
        let mut line = ResultLine::new(outcome.record);
        line.planned = crate::sweep::source::planned(&spec.plan, None, outcome.in_weather);
        let mut tally = Tally::new();
        for seed in 0..FLOOR_RUNS {
            line.record.seed = seed;
            tally.add(&line);
        }
        let vacuous = tally
            .finish(&BTreeMap::new(), Cost::default(), false)
            .vacuous;
        vacuous
            .into_iter()
            .filter(|one| one.what == "fault")
            .map(|one| one.name)
            .filter(|name| name.starts_with("network."))
            .collect::<Vec<_>>()
    };
    assert!(vacuous(false).is_empty());
    assert_eq!(
        vacuous(true),
        ["network.corrupt", "network.duplicate", "network.loss"]
    );
}

#[test]
fn what_a_bug_did_in_whoever_an_audit_leaves_out_counts() {
    for bug in ["promise-pair-unnamed", "torn-tail-not-truncated"] {
        let spec = RunSpec {
            bug: Some(bug.to_owned()),
            checks: Checks::Client,
            probe: ProbeLevel::BugsOnly,
            ..spec(testing::plan(3))
        };
        let record = run(&spec).record;
        assert_eq!(record.verdict, Verdict::Pass, "{bug}: {record:?}");
        assert!(record.audits > 0, "{bug}");
    }
}
