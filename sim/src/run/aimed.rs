//! Faults that are aimed at messages: each hits those that it means and no other, and what is kept
//! back comes when what it waits for has happened.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::*;
use crate::choices::CERTAIN;
use crate::choices::Seeded;
use crate::ids::{Endpoint, Node};
use crate::plan::Distribution;
use crate::scenario::fault::{
    Aim, Boundary, Fault, Keep, MessageFault, Moment, Partition, Side, Until, Who,
};
use crate::scenario::value::Word;
use crate::subject::synod::Synod;
use crate::time::{Instant, Span};
use crate::trace::event::{Event, Stamp};
use crate::trace::observer::Observer;
use crate::world::tally::Effect;
use crate::world::testing;

const LATENCY: Span = Span::from_millis(1);

/// A message between replicas, and what became of it.
#[derive(Clone, Debug)]
struct Message {
    sent: Stamp,
    from: Node,
    to: Node,
    kind: &'static str,
    bytes: Vec<u8>,
    came: Vec<Stamp>,
}

impl Message {
    /// It came once, when it should.
    fn is_well(&self) -> bool {
        matches!(self.came[..], [came] if came.time == self.sent.time + LATENCY)
    }
}

/// All messages between replicas, and all that messages may wait for.
#[derive(Clone, Default)]
struct Watch {
    messages: Vec<Message>,
    happened: Vec<(Stamp, Until, Node)>,
    /// By node, the ballot of its last campaign, and of its last act as leader.
    campaigned: BTreeMap<Node, (u64, u8)>,
    led: BTreeMap<Node, (u64, u8)>,
    latest: Option<((u64, u8), Node)>,
    boots: BTreeMap<Node, u64>,
    deaths: Vec<(Stamp, Node)>,
}

impl Watch {
    fn sent(&mut self, sent: Stamp, from: Node, to: Node, bytes: &[u8]) {
        let reader = Synod.reader().expect("it has one");
        let said = reader.describe(bytes).expect("whole when it is sent");
        let own = said.ballot.filter(|ballot| ballot.1 == from.0);
        match (said.kind, own) {
            ("prepare", Some(ballot)) if self.campaigned.get(&from) < Some(&ballot) => {
                self.campaigned.insert(from, ballot);
                self.happened.push((sent, Until::Campaigned, from));
            }
            ("heartbeat", Some(ballot)) => {
                if self.led.get(&from) < Some(&ballot) {
                    self.led.insert(from, ballot);
                    self.happened.push((sent, Until::Elected, from));
                }
                let latest = self.latest.get_or_insert((ballot, from));
                if ballot > latest.0 {
                    if latest.1 != from {
                        self.happened.push((sent, Until::LeaderChanged, from));
                    }
                    *latest = (ballot, from);
                }
            }
            _ => {}
        }
        self.messages.push(Message {
            sent,
            from,
            to,
            kind: said.kind,
            bytes: bytes.to_vec(),
            came: Vec::new(),
        });
    }

    fn came(&mut self, at: Stamp, from: Node, to: Node, bytes: &[u8]) {
        let same = |message: &&mut Message| (message.from, message.to) == (from, to);
        let mut same: Vec<&mut Message> = self
            .messages
            .iter_mut()
            .filter(|message| same(message) && message.bytes == bytes)
            .collect();
        let fits = |message: &&mut Message| {
            message.came.is_empty() && message.sent.time + LATENCY == at.time
        };
        let late = |message: &&mut Message| message.came.is_empty();
        let copied = |message: &&mut Message| message.came.len() == 1;
        let found = (same.iter().position(fits))
            .or_else(|| same.iter().position(late))
            .or_else(|| same.iter().rposition(copied));
        // Nobody sent it so, if it was damaged.
        if let Some(index) = found {
            same[index].came.push(at);
        }
    }

    /// Those of a kind that were sent from one time on, in milliseconds, to another.
    fn of(&self, kinds: &[&str], from: u64, to: u64) -> impl Iterator<Item = &Message> {
        let ms = |at| Instant(0) + Span::from_millis(at);
        self.messages.iter().filter(move |message| {
            kinds.contains(&message.kind) && (ms(from)..ms(to)).contains(&message.sent.time)
        })
    }
}

impl Observer for Watch {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        match *event {
            Event::Sent {
                from: Endpoint::Node(from),
                to: Endpoint::Node(to),
                bytes,
            } => self.sent(stamp, from, to, bytes),
            Event::Delivered {
                from: Endpoint::Node(from),
                to: Endpoint::Node(to),
                bytes,
            } => self.came(stamp, from, to, bytes),
            Event::Killed(node) | Event::PowerLost(node) => self.deaths.push((stamp, node)),
            Event::Ready(node) => {
                let boots = self.boots.entry(node).or_default();
                *boots += 1;
                if *boots > 1 {
                    self.happened.push((stamp, Until::Rejoined, node));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn aimed(from: Who, to: Who, kinds: &[&str], nth: Option<u32>, fault: MessageFault) -> Fault {
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    Fault::Messages {
        aim: Aim {
            from,
            to,
            kinds,
            nth,
        },
        fault,
    }
}

/// The world of these faults at the end of its fault phase, with so many replicas.
fn chaos(replicas: u8, seed: u64, faults: &[(u64, u64, Fault)]) -> World<Watch> {
    let mut plan = testing::with(faults);
    plan.seed = seed;
    plan.cluster.replicas = replicas;
    plan.clocks.resize(replicas.into(), plan.clocks[0]);
    plan.network.latency = Distribution::Constant(LATENCY);
    plan.heal.at = Instant(5_000_000_000);
    let setup = RunSpec::new(plan.clone()).setup();
    let choices = Box::new(Seeded::new(seed));
    let plan = Arc::new(plan);
    let mut world = World::new(plan.clone(), &Synod, setup, choices, Watch::default());
    world.run_until(plan.heal.at);
    world
}

/// Faults that change every message that they mean, and what they are counted as.
fn all_faults() -> [(MessageFault, Effect); 5] {
    let later = Span::from_millis(30);
    [
        (MessageFault::Lose(CERTAIN), Effect::Lose),
        (
            MessageFault::Duplicate {
                ppm: CERTAIN,
                later,
            },
            Effect::Duplicate,
        ),
        (MessageFault::Corrupt(CERTAIN), Effect::Corrupt),
        (MessageFault::Delay(later), Effect::Delay),
        (MessageFault::HoldBack(Until::End), Effect::HoldBack),
    ]
}

#[test]
fn the_one_that_is_meant_is_hit_and_no_other() {
    for (fault, effect) in all_faults() {
        let aim = aimed(Who::All, Who::Leader, &["accepted"], Some(3), fault);
        let world = chaos(3, 1, &[(600, 400, aim.clone())]);
        let watch = world.observer();
        let meant = watch.of(&["accepted"], 600, 1000).nth(2).expect("a third");
        let hit = watch.of(&["accepted", "accept", "heartbeat"], 0, 2000);
        let hit = hit.filter(|message| !message.is_well());
        let hit: Vec<_> = hit.map(|message| message.sent.number).collect();
        assert_eq!(hit, [meant.sent.number], "{aim:?}");
        assert_eq!(world.effects(effect), 1, "{aim:?}");
    }
}

#[test]
fn all_that_are_meant_are_hit_and_no_other() {
    let kinds = ["heartbeat", "accept"];
    for (fault, effect) in all_faults() {
        let aim = aimed(Who::Leader, Who::All, &kinds, None, fault);
        let world = chaos(3, 1, &[(600, 40, aim.clone())]);
        let watch = world.observer();
        let meant = watch.of(&kinds, 600, 640);
        let meant: Vec<_> = meant.map(|message| message.sent.number).collect();
        let hit = watch
            .messages
            .iter()
            .filter(|message| message.sent.time < Instant(2_000_000_000) && !message.is_well());
        let hit: Vec<_> = hit.map(|message| message.sent.number).collect();
        assert!(meant.len() > 1, "{aim:?}");
        assert_eq!(hit, meant, "{aim:?}");
        assert_eq!(world.effects(effect), meant.len() as u64, "{aim:?}");
    }
}

#[test]
fn what_is_kept_back_comes_when_what_it_waits_for_has_happened() {
    const KINDS: [&str; 2] = ["promise", "accepted"];
    let (second, end) = (Node(1), 4500);
    let kill = |who| Fault::Kill {
        who,
        boundary: Boundary::Now,
    };
    for (name, until) in Until::WORDS {
        let mut waited = 0;
        for seed in 0..4 {
            let from = Who::Nodes(vec![second]);
            let aim = aimed(
                from.clone(),
                Who::All,
                &KINDS,
                None,
                MessageFault::HoldBack(*until),
            );
            let mut faults = vec![(300, end - 300, aim), (900, 200, kill(from))];
            for at in [1500, 2100, 2700, 3300, 3900] {
                faults.push((at, 300, kill(Who::Leader)));
            }
            let world = chaos(5, seed, &faults);
            let watch = world.observer();
            let mut last = BTreeMap::new();
            for message in watch.of(&KINDS, 300, end).filter(|one| one.from == second) {
                let [came] = message.came[..] else {
                    continue;
                };
                let meant = |what: Until, who: Node| match what {
                    Until::Rejoined => who == message.from,
                    Until::Campaigned | Until::Elected => who == message.to,
                    Until::LeaderChanged | Until::End => true,
                };
                let mut after = watch.happened.iter().filter(|(stamp, what, who)| {
                    what == until && stamp.number > message.sent.number && meant(*what, *who)
                });
                let end = Instant(0) + Span::from_millis(end);
                let next = after.next().map_or(end, |(stamp, ..)| stamp.time.min(end));
                let due = message.sent.time + LATENCY;
                assert_eq!(came.time, next.max(due), "until {name}: {message:?}");
                if next > due {
                    waited += u64::from(next < end || *until == Until::End);
                    let before = last.insert(came.time, came.number);
                    assert!(
                        before < Some(came.number),
                        "in the order of sending: {message:?}"
                    );
                }
            }
            assert!(world.effects(Effect::HoldBack) > 0);
        }
        assert!(waited > 0, "nothing waited until {name}");
    }
}

#[test]
fn what_is_late_by_a_fault_comes_though_its_link_is_cut_meanwhile() {
    let second = || Who::Nodes(vec![Node(1)]);
    let sides = [
        vec![second()],
        [0, 2].map(|node| Who::Nodes(vec![Node(node)])).into(),
    ];
    let sides = sides.map(|replicas| Side {
        replicas,
        clients: Vec::new(),
    });
    let cut = Fault::Partition(Partition::Groups(sides.into()));
    for (fault, wait) in [
        (MessageFault::HoldBack(Until::End), 400),
        (MessageFault::Delay(Span::from_millis(200)), 200),
    ] {
        let aim = aimed(second(), Who::All, &["accepted"], None, fault);
        let world = chaos(3, 1, &[(600, 400, aim), (700, 800, cut.clone())]);
        let watch = world.observer();
        let of_second = |from, to| {
            let votes = watch.of(&["accepted"], from, to);
            votes.filter(|vote| vote.from == Node(1))
        };
        let latest = |vote: &Message| vote.sent.time + LATENCY + Span::from_millis(wait);
        assert!(of_second(600, 700).count() > 0);
        for vote in of_second(600, 700) {
            let came = vote.came.first().expect("before the cut it was sent").time;
            assert!(
                came > Instant(700_000_000) && came <= latest(vote),
                "{vote:?}"
            );
        }
        assert!(of_second(700, 1500).all(|vote| vote.came.is_empty()));
    }
}

#[test]
fn who_acknowledged_the_newest_votes_is_hit_and_who_lags() {
    let fifth = Node(4);
    let all: Vec<Node> = (0..5).map(Node).collect();
    let mut seen = 0;
    for seed in 0..6 {
        let deaths = |who: Who| {
            let lags = aimed(
                Who::All,
                Who::Nodes(vec![fifth]),
                &["accept", "catch-up-reply"],
                None,
                MessageFault::Lose(CERTAIN),
            );
            let kill = Fault::Kill {
                who,
                boundary: Boundary::Now,
            };
            let world = chaos(5, seed, &[(300, 2000, lags), (1500, 300, kill)]);
            let led = world.observer().latest.map(|(_, node)| node);
            let deaths = world.observer().deaths.iter().map(|(_, node)| *node);
            (led, deaths.collect::<Vec<_>>())
        };
        let (_, acknowledgers) = deaths(Who::Acknowledgers(all.clone()));
        let (_, laggards) = deaths(Who::Laggards(all.clone()));
        let (leader, nobody) = deaths(Who::Nodes(Vec::new()));
        let leader = leader.expect("somebody leads");
        assert_eq!(nobody, []);
        if leader == fifth {
            continue;
        }
        seen += 1;
        assert!(acknowledgers.len() >= 2, "{acknowledgers:?}");
        assert!(laggards.contains(&fifth), "{laggards:?}");
        let mut parts = [acknowledgers, laggards, vec![leader]].concat();
        parts.sort_unstable();
        assert_eq!(parts, all, "each is in one part");
    }
    assert!(seen > 0);
}

#[test]
fn a_process_dies_before_the_message_that_is_meant_leaves() {
    let second = Node(1);
    for kinds in [&["accepted"][..], &["promise", "heartbeat-reply"], &[]] {
        let quiet = chaos(3, 2, &[]);
        let meant = |message: &&Message| {
            let meant = kinds.is_empty() || kinds.contains(&message.kind);
            message.from == second && meant && message.sent.time > Instant(600_000_000)
        };
        let before = |watch: &Watch, end: u64| -> Vec<_> {
            let sent = watch
                .messages
                .iter()
                .take_while(|one| one.sent.number < end);
            sent.map(|one| (one.sent.time, one.from, one.to, one.kind))
                .collect()
        };
        let last = quiet.observer().messages.iter().find(meant);
        let last = last.expect("it is sent without a fault").sent;
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let fault = Fault::Kill {
            who: Who::Nodes(vec![second]),
            boundary: Boundary::Before(Moment::Send(kinds)),
        };
        let world = chaos(3, 2, &[(600, 400, fault)]);
        let watch = world.observer();
        let [(death, who)] = watch.deaths[..] else {
            panic!("{:?}", watch.deaths);
        };
        assert_eq!((death.time, who), (last.time, second));
        assert_eq!(
            before(watch, death.number),
            before(quiet.observer(), last.number)
        );
        assert_eq!(world.effects(Effect::DiedAtMoment), 1);
    }
}

#[test]
fn a_process_dies_between_a_write_and_its_sync() {
    for (file, dies) in [("log", true), ("", true), ("nothing", false)] {
        let fault = Fault::PowerLoss {
            who: Who::Nodes(vec![Node(1)]),
            keep: Keep::Nothing,
            boundary: Boundary::Before(Moment::Sync(file.to_owned())),
        };
        let world = chaos(3, 2, &[(600, 400, fault)]);
        let happened = [Effect::DiedAtMoment, Effect::PowerLoss, Effect::LostSectors];
        let happened = happened.map(|effect| world.effects(effect) > 0);
        assert_eq!(happened, [dies; 3], "{file:?}");
    }
}
