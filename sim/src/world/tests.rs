//! The world from end to end, with `primary_copy` in it.

use std::ops::ControlFlow;

use crate::ids::{Endpoint, Node};
use crate::plan::{Distribution, Plan};
use crate::scenario::fault::{
    Aim, Boundary, Cut, Fault, Keep, LinkFault, MessageFault, Moment, Spots, Until, Who,
};
use crate::time::{Instant, Span};
use crate::trace::event::{Event, Outcome, Stamp};
use crate::trace::observer::Observer;

use super::audit::Answered;
use super::tally::{Effect, Milestone};
use super::testing::{self, world};
use super::world::World;

/// Runs a plan for three seconds.
fn after(plan: Plan) -> World<()> {
    let mut world = world(plan, ());
    world.run_until(Instant(3_000_000_000));
    world
}

fn one() -> Who {
    Who::Nodes(vec![Node(0)])
}

#[test]
fn a_fork_goes_on_as_the_original_does_and_a_branch_otherwise() {
    for stop in [10, 400, 1100, 1700] {
        let mut world = world(testing::storm(3), ());
        world.run_until(Instant(stop * 1_000_000));
        let mut fork = world.fork().expect("the subject can be copied");
        let mut branch = world.fork().expect("the subject can be copied");
        branch.branch(5);
        for world in [&mut world, &mut fork, &mut branch] {
            world.run_until(Instant(3_000_000_000));
        }
        assert_eq!(
            (world.digest(), world.events(), world.delivered()),
            (fork.digest(), fork.events(), fork.delivered())
        );
        assert_ne!(world.digest(), branch.digest());
    }
}

#[test]
fn every_fault_kind_takes_effect() {
    let link = |fault| Fault::Links {
        from: Who::All,
        to: one(),
        fault,
    };
    let messages = |fault| Fault::Messages {
        aim: Aim {
            from: Who::All,
            to: one(),
            kinds: Vec::new(),
            nth: None,
        },
        fault,
    };
    let ms = Span::from_millis;
    let cases = [
        (testing::cut(Cut::IsolateLeader), Effect::Partition),
        (link(LinkFault::Clog), Effect::Clog),
        (link(LinkFault::Slow(ms(7))), Effect::SlowLink),
        (messages(MessageFault::Lose(300_000)), Effect::Lose),
        (
            messages(MessageFault::Duplicate {
                ppm: 300_000,
                later: ms(30),
            }),
            Effect::Duplicate,
        ),
        (messages(MessageFault::Corrupt(300_000)), Effect::Corrupt),
        (messages(MessageFault::Delay(ms(30))), Effect::Delay),
        (
            messages(MessageFault::HoldBack(Until::End)),
            Effect::HoldBack,
        ),
        (
            Fault::Kill {
                who: one(),
                boundary: Boundary::Now,
            },
            Effect::Kill,
        ),
        (
            Fault::Kill {
                who: one(),
                boundary: Boundary::InStep,
            },
            Effect::DiedInStep,
        ),
        (
            Fault::Kill {
                who: one(),
                boundary: Boundary::IN_RECOVERY,
            },
            Effect::DiedInRecovery,
        ),
        (
            Fault::PowerLoss {
                who: one(),
                keep: Keep::Any,
                boundary: Boundary::Now,
            },
            Effect::PowerLoss,
        ),
        (
            Fault::PowerLoss {
                who: one(),
                keep: Keep::Nothing,
                boundary: Boundary::InStep,
            },
            Effect::DiedInStep,
        ),
        (
            Fault::Kill {
                who: one(),
                boundary: Boundary::Before(Moment::Send(Vec::new())),
            },
            Effect::DiedAtMoment,
        ),
        (Fault::Pause(one()), Effect::Pause),
        (
            Fault::SlowCpu {
                who: one(),
                by: ms(3),
            },
            Effect::SlowCpu,
        ),
        (
            Fault::SyncFailure {
                who: Who::All,
                ppm: 900_000,
            },
            Effect::SyncFailure,
        ),
        (
            Fault::WriteFailure {
                who: Who::All,
                ppm: 900_000,
            },
            Effect::WriteFailure,
        ),
        (Fault::DiskFull(Who::All), Effect::DiskFull),
        (
            Fault::SlowDisk {
                who: Who::All,
                by: ms(4),
            },
            Effect::SlowDisk,
        ),
        (Fault::DiskStall(Who::All), Effect::DiskStall),
        (
            Fault::BitRot {
                who: Who::All,
                spots: Spots::anywhere(1),
            },
            Effect::BitRot,
        ),
        (
            Fault::ClockDrift {
                who: one(),
                ppm: 400,
            },
            Effect::ClockDrift,
        ),
    ];
    let quiet = after(testing::with(&[]));
    for (fault, effect) in cases {
        assert_eq!(
            quiet.effects(effect),
            0,
            "{} without a fault",
            effect.name()
        );
        let world = after(testing::with(&[(600, 400, fault.clone())]));
        assert!(world.effects(effect) > 0, "{} had no effect", fault.kind());
        assert!(
            world.are_ready(&[Node(0), Node(1), Node(2)]),
            "{}: {:?}",
            fault.kind(),
            world.behind(&[Node(0), Node(1), Node(2)])
        );
        assert_ne!(world.digest(), quiet.digest());
    }
    let read_failure = [
        (
            600,
            50,
            Fault::Kill {
                who: one(),
                boundary: Boundary::Now,
            },
        ),
        (
            550,
            400,
            Fault::ReadFailure {
                who: one(),
                ppm: 900_000,
            },
        ),
    ];
    let world = after(testing::with(&read_failure));
    assert!(world.effects(Effect::ReadFailure) > 0 && world.milestones(Milestone::Halted) > 0);
}

#[test]
fn the_weather_takes_effect() {
    let mut plan = testing::plan(3);
    (
        plan.network.loss,
        plan.network.duplicate,
        plan.network.corrupt,
    ) = (10_000, 10_000, 10_000);
    let world = after(plan);
    for effect in [
        Effect::NetworkLoss,
        Effect::NetworkDuplicate,
        Effect::NetworkCorrupt,
        Effect::Reorder,
    ] {
        assert!(world.effects(effect) > 0, "{}", effect.name());
    }
}

/// Notes when each boot and death was.
#[derive(Clone, Default)]
struct Lives(Vec<(u64, String)>);

impl Observer for Lives {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        let what = match event {
            Event::Boot { node, .. } => format!("{node} boots"),
            Event::Killed(node) => format!("{node} killed"),
            Event::PowerLost(node) => format!("{node} dark"),
            Event::Paused(node) => format!("{node} paused"),
            Event::Resumed(node) => format!("{node} resumed"),
            Event::Contacts(contacts) => format!("contacts {contacts:?}"),
            _ => return ControlFlow::Continue(()),
        };
        self.0.push((stamp.time.0 / 1_000_000, what));
        ControlFlow::Continue(())
    }
}

fn lives(faults: &[(u64, u64, Fault)]) -> Vec<(u64, String)> {
    let mut world = world(testing::with(faults), Lives::default());
    world.run_until(Instant(3_000_000_000));
    world.observer().0[3..].to_vec()
}

#[test]
fn a_partition_says_who_can_talk_to_how_many() {
    let [chain, one_way] = [Cut::Chain, Cut::OneWay].map(testing::cut);
    let told = lives(&[(600, 400, chain), (700, 100, one_way)]);
    let told: Vec<(u64, &str)> = told.iter().map(|(at, what)| (*at, what.as_str())).collect();
    assert_eq!(
        told,
        [
            (600, "contacts [1, 2, 1]"),
            (700, "contacts [0, 1, 1]"),
            (800, "contacts [1, 2, 1]"),
            (1000, "contacts [2, 2, 2]"),
        ]
    );
}

#[test]
fn a_process_dies_and_comes_back_when_it_should() {
    let now = Fault::Kill {
        who: one(),
        boundary: Boundary::Now,
    };
    assert_eq!(
        lives(&[(600, 400, now.clone())]),
        [(600, "r1 killed".to_owned()), (1000, "r1 boots".to_owned())]
    );
    for deaths in [1, 3] {
        let recovery = Fault::PowerLoss {
            who: one(),
            keep: Keep::Any,
            boundary: Boundary::InRecovery { deaths },
        };
        let what: Vec<String> = lives(&[(600, 400, recovery)])
            .into_iter()
            .map(|(_, what)| what)
            .collect();
        let each = ["r1 dark", "r1 boots"];
        assert_eq!(what, each.repeat(1 + usize::from(deaths)));
    }
    let in_step = Fault::Kill {
        who: one(),
        boundary: Boundary::InStep,
    };
    let deaths = lives(&[(600, 400, in_step)]);
    assert!(
        deaths[0].1 == "r1 killed"
            && (600..700).contains(&deaths[0].0)
            && deaths[1] == (1000, "r1 boots".to_owned()),
        "{deaths:?}"
    );
    // A second fault on a dead process does not bring it back early, nor twice.
    let twice = lives(&[(600, 800, now.clone()), (700, 100, now)]);
    assert_eq!(
        twice,
        [(600, "r1 killed".to_owned()), (1400, "r1 boots".to_owned())]
    );
}

#[test]
fn a_death_in_a_step_loses_the_outputs_behind_it() {
    let sent = |boundary: Boundary| {
        let mut found = std::collections::BTreeSet::new();
        for seed in 0..40 {
            let mut plan = testing::with(&[(
                600,
                2400,
                Fault::Kill {
                    who: one(),
                    boundary: boundary.clone(),
                },
            )]);
            plan.seed = seed;
            plan.workload.operations = 0;
            let mut world = world(plan, Beats::default());
            world.run_until(Instant(2_000_000_000));
            found.insert(world.observer().0 % 2);
        }
        found.len()
    };
    // r1 beats to two others in each step: only a death between the two makes the number odd.
    assert_eq!((sent(Boundary::Now), sent(Boundary::InStep)), (1, 2));
}

/// Counts what r1 sent.
#[derive(Clone, Default)]
struct Beats(usize);

impl Observer for Beats {
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        self.0 += usize::from(matches!(
            event,
            Event::Sent { from: Endpoint::Node(Node(0)), bytes, .. } if bytes[0] == b'H',
        ));
        ControlFlow::Continue(())
    }
}

/// When r1 sent something.
#[derive(Clone, Default)]
struct Sending(Vec<u64>);

impl Observer for Sending {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        if matches!(
            event,
            Event::Sent {
                from: Endpoint::Node(Node(0)),
                ..
            }
        ) && self.0.last() != Some(&stamp.time.0)
        {
            self.0.push(stamp.time.0);
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_busy_process_takes_one_input_after_another_and_speaks_at_the_end_of_each_step() {
    let closest = |faults: &[(u64, u64, Fault)]| {
        let mut plan = testing::with(faults);
        plan.workload.operations = 400;
        let mut world = world(plan, Sending::default());
        world.run_until(Instant(3_000_000_000));
        let sent = &world.observer().0;
        let during: Vec<u64> = sent
            .iter()
            .copied()
            .filter(|at| (620_000_000..1_600_000_000).contains(at))
            .collect();
        assert!(during.len() > 3, "{during:?}");
        during
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .min()
            .expect("there are more than two")
    };
    let busy = Fault::SlowCpu {
        who: one(),
        by: Span::from_millis(8),
    };
    let quiet = closest(&[]);
    assert!(quiet < 5_000_000, "{quiet}");
    assert!(closest(&[(600, 1000, busy.clone())]) >= 8_000_000);
    // A death takes the inputs that wait, and the step that is being taken.
    let killed = after(testing::with(&[
        (600, 1000, busy),
        (
            900,
            300,
            Fault::Kill {
                who: one(),
                boundary: Boundary::Now,
            },
        ),
    ]));
    assert!(
        killed.are_ready(&[Node(0), Node(1), Node(2)]),
        "{:?}",
        killed.behind(&[Node(0), Node(1), Node(2)])
    );
}

#[test]
fn a_paused_process_finds_its_inputs_and_may_act_on_an_old_time() {
    let (mut stale, mut fresh) = (0, 0);
    for seed in 0..20 {
        let mut plan = testing::with(&[(600, 400, Fault::Pause(one()))]);
        plan.seed = seed;
        let world = after(plan);
        assert!(world.effects(Effect::Pause) > 5);
        if world.effects(Effect::StaleSample) > 0 {
            stale += 1
        } else {
            fresh += 1
        }
    }
    assert!(stale > 2 && fresh > 2, "{stale} stale, {fresh} fresh");
}

#[test]
fn a_partition_makes_two_primaries_and_the_heal_ends_it() {
    let world = after(testing::with(&[(
        600,
        800,
        testing::cut(Cut::IsolateLeader),
    )]));
    assert_eq!(
        (
            world.milestones(Milestone::LeaderChanged),
            world.milestones(Milestone::TwoLeadersAlive)
        ),
        (1, 1),
        "{:?}",
        world.roles
    );
    assert!(world.milestones(Milestone::ClientRetried) > 0);
}

#[test]
fn messages_outlive_the_boot_that_sent_them() {
    let mut plan = testing::with(&[(
        600,
        1,
        Fault::Kill {
            who: one(),
            boundary: Boundary::Now,
        },
    )]);
    plan.network.latency = Distribution::Uniform(Span::from_millis(5), Span::from_millis(80));
    assert!(after(plan).milestones(Milestone::StaleMessageDelivered) > 0);
}

/// Counts the sectors that become durable while the power is off.
#[derive(Clone, Default)]
struct InTheDark {
    dark: bool,
    sectors: usize,
}

impl Observer for InTheDark {
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::PowerLost(Node(0)) => self.dark = true,
            Event::Boot { node: Node(0), .. } => self.dark = false,
            Event::Synced {
                node: Node(0),
                sectors,
                ..
            } if self.dark => self.sectors += sectors.len(),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn what_survives_a_power_loss_unsynced_is_told_as_durable() {
    let survives = |keep| {
        let losses = (0..20).map(|seed| {
            let loss = Fault::PowerLoss {
                who: one(),
                keep,
                boundary: Boundary::Now,
            };
            let mut plan = testing::with(&[(500 + 7 * seed, 100, loss)]);
            plan.disk.sync = Distribution::Constant(Span::from_millis(20));
            let mut world = world(plan, InTheDark::default());
            world.run_until(Instant(1_000_000_000));
            world.observer().sectors
        });
        losses.sum::<usize>()
    };
    assert!(survives(Keep::Everything) > 0);
    assert_eq!(survives(Keep::Nothing), 0);
}

/// Counts answers, and those that came late; each of them once, and to an operation that was given
/// up.
#[derive(Clone, Default)]
struct Late {
    answers: u64,
    unknown: Vec<u32>,
    late: u64,
}

impl Observer for Late {
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Answered { .. } => self.answers += 1,
            Event::Returned {
                process,
                outcome: Outcome::Unknown,
                ..
            } => self.unknown.push(*process),
            Event::Learned { process, .. } => {
                let at = self.unknown.iter().position(|given_up| given_up == process);
                self.unknown.swap_remove(at.expect("it was given up"));
                self.late += 1;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn what_was_given_up_is_answered_late() {
    let mut plan = testing::plan(3);
    (plan.workload.duplicate, plan.workload.abandon) = (200_000, 200_000);
    let mut world = world(plan, Late::default());
    world.run_until(Instant(3_000_000_000));
    let late = world.observer();
    assert!(late.late > 0 && late.answers > late.late);
}

#[test]
fn clients_duplicate_abandon_and_refuse() {
    let mut plan = testing::plan(3);
    (plan.workload.duplicate, plan.workload.abandon) = (200_000, 200_000);
    let milestones = [
        Milestone::ClientDuplicated,
        Milestone::UnknownOutcome,
        Milestone::DefiniteRefusal,
    ];
    let mut counts = [0; 3];
    for seed in 0..10 {
        let world = after(Plan {
            seed,
            ..plan.clone()
        });
        counts = [0, 1, 2].map(|at| counts[at] + world.milestones(milestones[at]));
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

/// Counts what replicas tell each other, by sender.
#[derive(Clone, Default)]
struct Heard([u64; 3]);

impl Observer for Heard {
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        if let Event::Delivered {
            from: Endpoint::Node(from),
            to: Endpoint::Node(_),
            ..
        } = event
        {
            self.0[usize::from(from.0)] += 1;
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn who_is_left_alone_hears_nothing_of_those_who_are_gone() {
    let mut world = world(testing::plan(3), ());
    world.run_until(Instant(1_000_000_000));
    let all = [Node(0), Node(1), Node(2)];
    // Somebody said something that is still under way.
    let recovered = world.after_power_loss(&all, Heard::default());
    let mut together = recovered.fork().expect("the subject can be copied");
    let mut alone = recovered
        .left_alone(&all[1..])
        .expect("the subject can be copied");
    for fork in [&mut together, &mut alone] {
        fork.run_until(Instant(2_000_000_000));
    }
    let before = recovered.observer().0;
    assert!(together.observer().0[0] > before[0]);
    assert_eq!(alone.observer().0[0], before[0]);
    assert!(alone.observer().0[1] > before[1]);
}

/// Has seen enough before anything happens.
#[derive(Clone)]
struct Sated;

impl Observer for Sated {
    fn on(&mut self, _: Stamp, _: &Event<'_>) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

#[test]
fn an_audit_of_what_was_wrong_before_it_ends_at_once() {
    let mut world = world(testing::plan(3), ());
    world.run_until(Instant(1_000_000_000));
    let all = [Node(0), Node(1), Node(2)];
    let mut recovered = world.after_power_loss(&all, Sated);
    assert_eq!(
        recovered.read_everything(Span::from_secs(1)),
        Answered::Ended
    );
}

#[test]
fn an_audit_has_sound_disks() {
    for stop in [300, 500, 700] {
        let everybody = Fault::MisdirectedWrite(Who::All);
        let mut world = world(testing::with(&[(250, 2000, everybody)]), ());
        world.run_until(Instant(stop * 1_000_000));
        let all = [Node(0), Node(1), Node(2)];
        let mut recovered = world.after_power_loss(&all, ());
        recovered.run_until(Instant(3_000_000_000));
        let struck: Vec<_> = recovered.counters().0.map(|(effect, _)| effect).collect();
        assert!(!struck.contains(&Effect::MisdirectedWrite), "{struck:?}");
        let armed = recovered
            .machines
            .iter()
            .any(|machine| machine.disk.is_misdirecting());
        assert!(!armed);
    }
}

#[test]
fn a_rate_of_nothing_fails_nothing() {
    let never = Fault::SyncFailure {
        who: Who::All,
        ppm: 0,
    };
    let mut world = world(testing::with(&[(0, 2000, never)]), ());
    world.run_until(Instant(2_000_000_000));
    let failed = world
        .counters()
        .0
        .filter(|(effect, _)| *effect == Effect::SyncFailure);
    assert_eq!(failed.count(), 0);
}
