//! Smaller plans out of one: without some of its pieces, clients, operations or replicas, or in less
//! time. Whatever stays is decided as it was, so each is worth a try.
//!
//! A plan that comes out of here need not be one that can be read; whoever tries it finds out.

use std::ops::Range;

use crate::choices::Strategy;
use crate::choices::overrides::Override;
use crate::ids::{Client, Endpoint, Node};
use crate::plan::{Distribution, Expectation, Plan, Timed, Verb};
use crate::scenario::fault::{Fault, Partition, Who};
use crate::shrink::faults::{fault_mut, whose};
use crate::time::{Instant, Span};

/// The pieces of a plan that can be taken out one by one: faults, steps, single decisions.
#[must_use]
pub fn pieces(plan: &Plan) -> usize {
    plan.nemesis.len()
        + plan.script.len()
        + plan.overrides.len()
        + plan.branches.len()
        + plan.strikes.len()
}

/// The plan without these pieces.
#[must_use]
pub fn without(plan: &Plan, gone: &Range<usize>) -> Plan {
    let mut left = plan.clone();
    let mut place = 0;
    let mut stays = || {
        place += 1;
        !gone.contains(&(place - 1))
    };
    left.nemesis.retain(|_| stays());
    left.script.retain(|_| stays());
    left.overrides.retain(|_| stays());
    left.branches.retain(|_| stays());
    left.strikes.retain(|_| stays());
    left
}

/// Plans whose scripts end sooner, the shortest first.
#[must_use]
pub fn shorter_scripts(plan: &Plan) -> Vec<Plan> {
    let shorter = |length| {
        let mut left = plan.clone();
        left.script.truncate(length);
        left
    };
    (0..plan.script.len()).map(shorter).collect()
}

/// The plan with its choices made at random.
#[must_use]
pub fn by_the_seed(plan: &Plan) -> Plan {
    Plan {
        strategy: Strategy::default(),
        ..plan.clone()
    }
}

/// The plan healed this early, and over as long after that. Faults of the nemesis that would come
/// later are gone.
#[must_use]
pub fn healed_at(plan: &Plan, at: Instant) -> Plan {
    let mut left = plan.clone();
    left.nemesis.retain(|timed| timed.at < at);
    for timed in &mut left.nemesis {
        timed.hold = timed.hold.min(at - timed.at);
    }
    left.end.time = at + (plan.end.time - plan.heal.at);
    left.heal.at = at;
    left
}

/// Time is not worth the trying when it is less than this.
const WORTH_A_TRY: Span = Span::from_millis(100);

/// Plans in which less time passes before a fault: it and all that is planned for later come earlier.
#[must_use]
pub fn sooner(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    let mut before = Instant(0);
    let times = plan
        .nemesis
        .iter()
        .map(|timed| timed.at)
        .chain([plan.heal.at]);
    for from in times {
        let gap = from - before;
        let gains = [gap.0 / 8 * 7, gap.0 / 2, gap.0 / 4];
        for by in gains.into_iter().filter(|by| *by >= WORTH_A_TRY.0) {
            let moved = |at: Instant| if at < from { at } else { Instant(at.0 - by) };
            let mut left = plan.clone();
            for timed in &mut left.nemesis {
                timed.at = moved(timed.at);
            }
            let at = moved(left.heal.at);
            all.push(healed_at(&left, at));
        }
        before = from;
    }
    all
}

/// Plans in which fewer clients ask: without one more each.
#[must_use]
pub fn fewer_clients(plan: &Plan) -> Vec<Plan> {
    let workload = &plan.workload;
    let active = (0..workload.clients)
        .map(Client)
        .filter(|client| !workload.idle.contains(client));
    let mut fewer: Vec<Plan> = active
        .map(|client| {
            let mut left = plan.clone();
            left.workload.idle.push(client);
            left.workload.idle.sort_unstable();
            left
        })
        .collect();
    // Of idle clients the last ones need not be there at all, or none when the others are others.
    let mut left = plan.clone();
    while let Some(last) = left
        .workload
        .idle
        .pop_if(|last| last.0 + 1 == left.workload.clients)
    {
        left.workload.clients = last.0;
        fewer.insert(0, left.clone());
    }
    if !left.workload.idle.is_empty() {
        fewer.insert(0, without_idle(plan));
    }
    fewer
}

/// The plan without its idle clients. Those that are not move up in number, and ask other things.
fn without_idle(plan: &Plan) -> Plan {
    let idle = &plan.workload.idle;
    let moved = |client: &Client| {
        let before = idle.iter().filter(|other| *other < client).count();
        Client(client.0 - u16::try_from(before).expect("fewer than the clients"))
    };
    let some = |clients: &mut Vec<Client>| {
        clients.retain(|client| !idle.contains(client));
        for client in clients {
            *client = moved(client);
        }
    };
    let mut left = plan.clone();
    left.workload.idle.clear();
    left.workload.clients -= u16::try_from(idle.len()).expect("fewer than the clients");
    for place in 0..plan.faults().count() {
        match fault_mut(&mut left, place) {
            Some(Fault::Partition(Partition::Groups(sides))) => {
                sides.iter_mut().for_each(|side| some(&mut side.clients));
            }
            Some(Fault::Partition(Partition::Cut { clients, .. })) => some(clients),
            _ => {}
        }
    }
    left
}

/// Plans with fewer operations, the fewest first.
#[must_use]
pub fn fewer_operations(plan: &Plan) -> Vec<Plan> {
    let all = plan.workload.operations;
    let parts = [
        (0, 1),
        (1, 16),
        (1, 8),
        (1, 4),
        (1, 2),
        (3, 4),
        (7, 8),
        (15, 16),
    ];
    let mut counts: Vec<u32> = parts.iter().map(|(part, of)| all / of * part).collect();
    counts.push(all.saturating_sub(1));
    counts.sort_unstable();
    counts.dedup();
    let fewer = counts.into_iter().filter(|count| *count < all);
    fewer
        .map(|operations| {
            let mut left = plan.clone();
            left.workload.operations = operations;
            left
        })
        .collect()
}

/// A change of a setting.
type Change = (&'static str, &'static str, fn(&mut Plan));

/// Simpler values of settings that are not as usual.
const CHANGES: [Change; 15] = [
    ("workload", "pipeline", |plan| plan.workload.pipeline = 1),
    ("workload", "keys", |plan| plan.workload.keys = 1),
    ("workload", "keys", |plan| {
        plan.workload.keys = plan.workload.keys.min(2);
    }),
    ("workload", "mix", |plan| plan.workload.mix.delete = 0),
    ("workload", "mix", |plan| plan.workload.mix.cas = 0),
    ("workload", "mix", |plan| plan.workload.mix.append = 0),
    ("workload", "mix", |plan| plan.workload.mix.put = 0),
    ("workload", "mix", |plan| plan.workload.mix.get = 0),
    ("workload", "think", |plan| {
        steady(&mut plan.workload.think, Some(10))
    }),
    ("workload", "think", |plan| {
        steady(&mut plan.workload.think, Some(100))
    }),
    ("workload", "think", |plan| {
        steady(&mut plan.workload.think, Some(1000))
    }),
    ("workload", "think", |plan| {
        steady(&mut plan.workload.think, None)
    }),
    ("disk", "access", |plan| steady(&mut plan.disk.access, None)),
    ("disk", "sync", |plan| steady(&mut plan.disk.sync, None)),
    ("network", "latency", |plan| {
        steady(&mut plan.network.latency, None)
    }),
];

/// Plans with a simpler value of a setting that has to be written, in the words of `is_written`.
#[must_use]
pub fn simpler_settings(plan: &Plan, is_written: impl Fn(&str, &str) -> bool) -> Vec<Plan> {
    let written = CHANGES
        .iter()
        .filter(|(section, key, _)| is_written(section, key));
    written
        .map(|(_, _, change)| {
            let mut left = plan.clone();
            change(&mut left);
            left
        })
        .filter(|other| other != plan)
        .collect()
}

/// Always the same: so many milliseconds, or about as long as before.
const fn steady(of: &mut Distribution, ms: Option<u64>) {
    let middle = match *of {
        Distribution::Constant(_) => return,
        Distribution::Exponential { mean, .. } => mean,
        Distribution::Uniform(low, high) => Span(low.0.midpoint(high.0)),
    };
    *of = Distribution::Constant(match ms {
        Some(ms) => Span::from_millis(ms),
        None => middle,
    });
}

/// Plans with fewer replicas: without two, or without one, the last ones first.
#[must_use]
pub fn fewer_replicas(plan: &Plan) -> Vec<Plan> {
    let all = plan.cluster.replicas;
    let mut fewer = Vec::new();
    for one in (0..all).rev() {
        for two in (0..one).rev() {
            fewer.push([Node(two), Node(one)].to_vec());
        }
    }
    fewer.extend((0..all).rev().map(|one| vec![Node(one)]));
    fewer.retain(|gone| gone.len() < usize::from(all));
    fewer
        .iter()
        .map(|gone| without_replicas(plan, gone))
        .collect()
}

/// The plan without these replicas. Those that stay move up in number.
fn without_replicas(plan: &Plan, gone: &[Node]) -> Plan {
    let stays = |node: &Node| !gone.contains(node);
    let place = |node: &Node| {
        let before = gone.iter().filter(|other| *other < node).count();
        Node(node.0 - u8::try_from(before).expect("fewer than the replicas"))
    };
    let some = |nodes: &[Node]| {
        nodes
            .iter()
            .filter(|node| stays(node))
            .map(place)
            .collect::<Vec<_>>()
    };
    let mut left = plan.clone();
    left.cluster.replicas -= u8::try_from(gone.len()).expect("fewer than the replicas");
    left.clocks = (0..)
        .map(Node)
        .zip(&plan.clocks)
        .filter(|(node, _)| stays(node))
        .map(|(_, clock)| *clock)
        .collect();
    let quorum = usize::from(left.cluster.replicas / 2 + 1);
    left.heal.core = some(&plan.heal.core);
    for node in (0..left.cluster.replicas).map(Node) {
        if left.heal.core.len() < quorum && !left.heal.core.contains(&node) {
            left.heal.core.push(node);
        }
    }
    left.heal.core.sort_unstable();
    left.nemesis
        .retain_mut(|timed| among(&mut timed.fault, &some));
    left.script.retain_mut(|step| match &mut step.verb {
        Verb::Inject { fault, .. } => among(fault, &some),
        Verb::Restart(who) | Verb::Resume(who) => of_them(who, &some),
        Verb::Expect {
            what: Expectation::Lag { node, .. },
            ..
        } => {
            let stays = stays(node);
            if stays {
                *node = place(node);
            }
            stays
        }
        _ => true,
    });
    left.overrides.retain_mut(|one| {
        let keep = |end: &mut Endpoint| match end {
            Endpoint::Node(node) if stays(node) => {
                *node = place(node);
                true
            }
            Endpoint::Node(_) => false,
            Endpoint::Client(_) => true,
        };
        match one {
            Override::Message(name, _) => keep(&mut name.from) && keep(&mut name.to),
            Override::Disk(name, _) => {
                let stays = stays(&name.node);
                if stays {
                    name.node = place(&name.node);
                }
                stays
            }
        }
    });
    left.strikes.retain_mut(|strike| {
        let node = Node(strike.replica - 1);
        if stays(&node) {
            strike.replica = place(&node).0 + 1;
        }
        stays(&node)
    });
    left
}

type Some<'a> = dyn Fn(&[Node]) -> Vec<Node> + 'a;

/// Leaves those of a selection that stay; false when nobody is left.
fn of_them(who: &mut Who, some: &Some<'_>) -> bool {
    match who {
        Who::All | Who::Leader | Who::Others | Who::Follower | Who::LastHolder => true,
        Who::Nodes(nodes) | Who::Acknowledgers(nodes) | Who::Laggards(nodes) => {
            *nodes = some(nodes);
            !nodes.is_empty()
        }
    }
}

/// Leaves of a fault what is about those that stay; false when nothing is left.
fn among(fault: &mut Fault, some: &Some<'_>) -> bool {
    match fault {
        Fault::Partition(Partition::Groups(sides)) => {
            for side in sides.iter_mut() {
                side.replicas.retain_mut(|who| of_them(who, some));
            }
            sides.retain(|side| !side.replicas.is_empty() || !side.clients.is_empty());
            sides.len() > 1
        }
        Fault::Partition(Partition::Cut { cut, order, .. }) => {
            *order = some(order);
            order.len() >= usize::from(cut.least())
        }
        Fault::Links { from, to, .. } => of_them(from, some) && of_them(to, some),
        Fault::Messages { aim, .. } => of_them(&mut aim.from, some) && of_them(&mut aim.to, some),
        other => whose(other).is_none_or(|who| of_them(who, some)),
    }
}

/// The plan with its faults numbered by their places in the file, which then need not be written.
#[must_use]
pub fn numbered_by_place(plan: &Plan) -> Plan {
    let mut left = plan.clone();
    let places = || (1..).map(crate::ids::FaultNumber);
    for (step, place) in left.script.iter_mut().zip(places()) {
        if let Verb::Inject { number, .. } = &mut step.verb {
            *number = place;
        }
    }
    for (Timed { number, .. }, place) in left
        .nemesis
        .iter_mut()
        .zip(places().skip(plan.script.len()))
    {
        *number = place;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fault::Side;
    use crate::world::testing;

    fn nodes(numbers: &[u8]) -> Vec<Node> {
        numbers.iter().copied().map(Node).collect()
    }

    #[test]
    fn a_heal_takes_what_comes_later_with_it() {
        let pause = |at, hold| (at, hold, Fault::Pause(Who::All));
        let plan = testing::with(&[pause(100, 500), pause(300, 10), pause(400, 10)]);
        let early = healed_at(&plan, Instant(400_000_000));
        let left: Vec<_> = early
            .nemesis
            .iter()
            .map(|timed| (timed.at, timed.hold))
            .collect();
        let ms = |at: u64, hold| (Instant(at * 1_000_000), Span::from_millis(hold));
        assert_eq!(left, [ms(100, 300), ms(300, 10)]);
        assert_eq!(early.heal.at, Instant(400_000_000));
    }

    #[test]
    fn those_that_stay_move_up() {
        let cut = |sides: [&[u8]; 2]| {
            let side = |numbers: &[u8]| Side {
                replicas: vec![Who::Nodes(nodes(numbers))],
                clients: Vec::new(),
            };
            Fault::Partition(Partition::Groups(sides.map(side).into()))
        };
        let mut plan = testing::plan(5);
        plan.heal.core = nodes(&[1, 2, 4]);
        let timed = |fault| Timed {
            number: crate::ids::FaultNumber(7),
            at: Instant(1),
            hold: Span(1),
            fault,
        };
        let faults = [
            Fault::Pause(Who::Nodes(nodes(&[1]))),
            Fault::Pause(Who::Nodes(nodes(&[1, 4]))),
            cut([&[1], &[2, 4]]),
            cut([&[0, 1], &[2, 4]]),
        ];
        plan.nemesis = faults.into_iter().map(timed).collect();
        let left = without_replicas(&plan, &nodes(&[1, 3]));
        assert_eq!((left.cluster.replicas, left.clocks.len()), (3, 3));
        assert_eq!(left.heal.core, nodes(&[1, 2]), "r3 and r5 were in it");
        let faults: Vec<_> = left.faults().cloned().collect();
        assert_eq!(
            faults,
            [Fault::Pause(Who::Nodes(nodes(&[2]))), cut([&[0], &[1, 2]])]
        );
    }

    #[test]
    fn clients_that_are_idle_go_and_the_others_move_up() {
        let mut plan = testing::plan(3);
        plan.workload.clients = 4;
        plan.workload.idle = vec![Client(0), Client(3)];
        let fewer = fewer_clients(&plan);
        let shown: Vec<_> = fewer
            .iter()
            .map(|plan| (plan.workload.clients, plan.workload.idle.len()))
            .collect();
        assert_eq!(shown, [(2, 0), (3, 1), (4, 3), (4, 3)]);
    }

    #[test]
    fn time_before_a_fault_is_cut_for_all_that_follows() {
        let pause = |at| (at, 50, Fault::Pause(Who::All));
        let plan = testing::with(&[pause(1000), pause(1100)]);
        let first = sooner(&plan).remove(0);
        let times: Vec<u64> = first
            .nemesis
            .iter()
            .map(|timed| timed.at.0 / 1_000_000)
            .collect();
        assert_eq!(times, [125, 225]);
        assert_eq!(plan.heal.at - first.heal.at, Span::from_millis(875));
    }

    #[test]
    fn pieces_go_by_their_places() {
        let pause = |at| (at, 50, Fault::Pause(Who::All));
        let plan = testing::with(&[pause(100), pause(200), pause(300)]);
        assert_eq!(pieces(&plan), 3);
        let left = without(&plan, &(1..2));
        let times: Vec<u64> = left
            .nemesis
            .iter()
            .map(|timed| timed.at.0 / 1_000_000)
            .collect();
        assert_eq!(times, [100, 300]);
        assert_eq!(pieces(&without(&plan, &(0..9))), 0);
    }
}
