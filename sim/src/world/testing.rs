//! A small plan for tests, and a world that runs it.

use std::sync::Arc;

use crate::choices::Seeded;
use crate::ids::{Client, FaultNumber, Node};
use crate::plan::{
    Checks, Clock, Cluster, Disk, Distribution, End, Heal, Knobs, Mix, Network, Plan, Timed,
    Workload,
};
use crate::scenario::fault::{
    Boundary, Cut, DamageBudget, Fault, Keep, LinkFault, Outside, Partition, Who,
};
use crate::subject::primary_copy::PrimaryCopy;
use crate::subject::process::{ProbeLevel, Setup};
use crate::time::{Instant, Span};
use crate::trace::observer::Observer;

use super::world::World;

/// A world with `primary_copy` in it.
pub(super) fn world<O: Observer>(plan: Plan, observer: O) -> World<O> {
    let setup = Setup {
        cluster: 1,
        replicas: plan.cluster.replicas,
        knobs: plan.cluster.knobs.clone(),
        bug: None,
        probe: ProbeLevel::Full,
    };
    let seed = plan.seed;
    World::new(
        Arc::new(plan),
        &PrimaryCopy,
        setup,
        Box::new(Seeded::new(seed)),
        observer,
    )
}

/// So many replicas, a quiet network, two clients that ask 120 operations.
pub(crate) fn plan(replicas: u8) -> Plan {
    let ms = Span::from_millis;
    Plan {
        scenario: "test".to_owned(),
        seed: 1,
        cluster: Cluster {
            replicas,
            knobs: Knobs::default(),
        },
        network: Network {
            latency: Distribution::Uniform(ms(1), ms(3)),
            loss: 0,
            duplicate: 0,
            duplicate_later: ms(500),
            corrupt: 0,
            beyond_contract: false,
        },
        disk: Disk {
            access: Distribution::Constant(Span::from_micros(20)),
            sync: Distribution::Uniform(Span::from_micros(100), ms(1)),
            capacity: 1 << 26,
        },
        clocks: vec![Clock::default(); usize::from(replicas)],
        workload: Workload {
            clients: 2,
            idle: Vec::new(),
            operations: 120,
            sticky: 0,
            keys: 4,
            hot: 0,
            mix: Mix {
                get: 4,
                put: 3,
                append: 2,
                cas: 1,
                delete: 0,
            },
            pipeline: 2,
            think: Distribution::Uniform(ms(5), ms(60)),
            open: false,
            attempt_timeout: ms(200),
            patience: Span::from_secs(2),
            duplicate: 0,
            abandon: 0,
            value_size: 0,
        },
        script: Vec::new(),
        nemesis: Vec::new(),
        budget: DamageBudget::Survivable,
        heal: Heal {
            at: Instant(3_000_000_000),
            core: (0..replicas).map(Node).collect(),
            others: Outside::Gone,
            progress_within: Span::from_secs(5),
            first_answer_within: Span::from_secs(5),
        },
        checks: Checks::default(),
        end: End {
            time: Instant(30_000_000_000),
            events: 1_000_000,
        },
        strategy: crate::choices::Strategy::default(),
        overrides: Vec::new(),
        branches: Vec::new(),
        strikes: Vec::new(),
    }
}

/// Three replicas and these faults: at so many milliseconds, for so many milliseconds.
pub(crate) fn with(faults: &[(u64, u64, Fault)]) -> Plan {
    let ms = Span::from_millis;
    let mut plan = plan(3);
    plan.nemesis = faults
        .iter()
        .zip(1..)
        .map(|((at, hold, fault), number)| Timed {
            number: FaultNumber(number),
            at: Instant(0) + ms(*at),
            hold: ms(*hold),
            fault: fault.clone(),
        })
        .collect();
    plan
}

/// Three replicas in their order, and the second client with the leader.
pub(crate) fn cut(cut: Cut) -> Fault {
    Fault::Partition(Partition::Cut {
        cut,
        order: (0..3).map(Node).collect(),
        clients: vec![Client(1)],
    })
}

/// Rough weather and a bit of everything.
pub(crate) fn storm(seed: u64) -> Plan {
    let mut plan = with(&[
        (100, 300, cut(Cut::OneWay)),
        (
            300,
            200,
            Fault::PowerLoss {
                who: Who::Nodes(vec![Node(2)]),
                keep: Keep::Any,
                boundary: Boundary::InStep,
            },
        ),
        (700, 300, Fault::Pause(Who::Nodes(vec![Node(1)]))),
        (
            900,
            300,
            Fault::Kill {
                who: Who::Leader,
                boundary: Boundary::IN_RECOVERY,
            },
        ),
        (
            1500,
            400,
            Fault::Links {
                from: Who::All,
                to: Who::Nodes(vec![Node(0)]),
                fault: LinkFault::Clog,
            },
        ),
        (
            1600,
            400,
            Fault::SlowDisk {
                who: Who::All,
                by: Span::from_millis(2),
            },
        ),
    ]);
    plan.seed = seed;
    (
        plan.network.loss,
        plan.network.duplicate,
        plan.network.corrupt,
    ) = (20_000, 20_000, 5_000);
    plan
}
