//! The kernel alone: five hosts that ping each other through the real network path, with losses,
//! copies and damage drawn for every message, and the digest.

use std::sync::Arc;

use crate::choices::Seeded;
use crate::plan::{
    Checks, Clock, Cluster, Disk, Distribution, End, Heal, Knobs, Mix, Network, Plan, Workload,
};
use crate::scenario::fault::{DamageBudget, Outside};
use crate::subject::ping::Ping;
use crate::subject::process::{ProbeLevel, Setup};
use crate::time::{Instant, Span};

use super::world::World;

/// What the hosts came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pinged {
    /// Messages that arrived.
    pub delivered: u64,
    /// Events handled.
    pub events: u64,
    /// The run's digest.
    pub digest: u64,
}

/// The workload of the benchmark, fixed: five hosts, exponential delays of 1 ms, 0.1 % of the
/// messages lost, 0.1 % copied, 0.01 % damaged.
pub(crate) fn plan(seed: u64) -> Plan {
    let none = Distribution::Constant(Span(0));
    Plan {
        scenario: "ping".to_owned(),
        seed,
        cluster: Cluster {
            replicas: 5,
            knobs: Knobs::default(),
        },
        network: Network {
            latency: Distribution::Exponential {
                mean: Span::from_millis(1),
                max: Span::from_millis(50),
            },
            loss: 1000,
            duplicate: 1000,
            duplicate_later: Span::from_millis(100),
            corrupt: 100,
            beyond_contract: false,
        },
        disk: Disk {
            access: none,
            sync: none,
            capacity: 1 << 20,
        },
        clocks: (0..5)
            .map(|node| Clock {
                drift: 50 * node - 100,
                offset: 0,
            })
            .collect(),
        workload: Workload {
            clients: 0,
            idle: Vec::new(),
            operations: 0,
            sticky: 0,
            keys: 0,
            hot: 0,
            mix: Mix::default(),
            pipeline: 1,
            think: none,
            open: false,
            attempt_timeout: Span::from_secs(1),
            patience: Span::from_secs(1),
            duplicate: 0,
            abandon: 0,
            value_size: 0,
        },
        script: Vec::new(),
        nemesis: Vec::new(),
        budget: DamageBudget::Survivable,
        heal: Heal {
            at: Instant(u64::MAX),
            core: Vec::new(),
            others: Outside::Gone,
            progress_within: Span(0),
            first_answer_within: Span(0),
        },
        checks: Checks::default(),
        end: End {
            time: Instant(u64::MAX),
            events: u64::MAX,
        },
        strategy: crate::choices::Strategy::default(),
        overrides: Vec::new(),
        branches: Vec::new(),
        strikes: Vec::new(),
    }
}

/// Lets the hosts ping until so many messages have arrived.
#[must_use]
pub fn ping(seed: u64, messages: u64) -> Pinged {
    let plan = Arc::new(plan(seed));
    let setup = Setup {
        cluster: 1,
        replicas: 5,
        knobs: plan.cluster.knobs.clone(),
        bug: None,
        probe: ProbeLevel::Nothing,
    };
    let mut world = World::new(plan, &Ping, setup, Box::new(Seeded::new(seed)), ());
    while world.delivered() < messages && world.advance() {}
    Pinged {
        delivered: world.delivered(),
        events: world.events(),
        digest: world.digest(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ping_and_nothing_grows() {
        let pinged = ping(1, 20_000);
        assert_eq!(pinged.delivered, 20_000);
        assert!(pinged.events < 21_000, "{pinged:?}");
        assert_eq!(pinged, ping(1, 20_000));
        assert_ne!(pinged.digest, ping(2, 20_000).digest);
    }
}
