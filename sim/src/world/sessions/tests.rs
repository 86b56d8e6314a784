//! What links keep, as replicas see it that count what they send and what comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use synod_port::files::FileName;
use xxhash_rust::xxh3::xxh3_64;

use crate::choices::Seeded;
use crate::ids::{FaultNumber, Node};
use crate::plan::{Plan, Timed};
use crate::scenario::fault::{Aim, Cut, Fault, MessageFault, Until, Who};
use crate::subject::contract::Links;
use crate::subject::ping::Silent;
use crate::subject::process::{Dialect, Input, Now, Output, ProbeLevel, Process, Setup, Subject};
use crate::time::{Instant, Span};
use crate::world::testing::{cut, storm};
use crate::world::world::World;

/// Says so much to everybody, by number, and stops when something comes that may not come.
#[derive(Clone)]
struct Counter {
    links: Links,
    node: Node,
    replicas: u8,
    /// What tells this boot from others, where there are no sessions.
    boot: u64,
    deadline: u64,
    /// By peer, what is open: the name of it, what was sent in it and what came.
    open: BTreeMap<Node, Open>,
    /// The highest session that there was with each peer.
    highest: BTreeMap<Node, u64>,
}

#[derive(Clone, Copy, Default)]
struct Open {
    session: u64,
    sent: u64,
    /// From which boot of the peer, and the number that is expected next.
    came: (u64, u64),
}

impl Counter {
    fn says(&mut self, out: &mut Vec<Output>) {
        for (to, open) in &mut self.open {
            let name = if self.links == Links::Sessions {
                open.session
            } else {
                self.boot
            };
            let mut bytes = name.to_le_bytes().to_vec();
            bytes.extend(open.sent.to_le_bytes());
            bytes.extend(xxh3_64(&bytes).to_le_bytes());
            open.sent += 1;
            out.push(Output::Send {
                to: *to,
                bytes: Arc::from(bytes),
            });
        }
    }

    fn hears(&mut self, from: Node, bytes: &[u8]) -> Result<(), &'static str> {
        let (body, checksum) = bytes.split_last_chunk::<8>().ok_or("damage")?;
        if xxh3_64(body) != u64::from_le_bytes(*checksum) {
            return Err("damage");
        }
        let word = |at: usize| u64::from_le_bytes(body[at..at + 8].try_into().expect("8 bytes"));
        let (name, number) = (word(0), word(8));
        let open = self.open.get_mut(&from).ok_or("nothing is open")?;
        if self.links == Links::Sessions {
            if name != open.session {
                return Err("another session");
            }
            if number > open.came.1 {
                return Err("a gap");
            }
        }
        if (open.came.0 == name || self.links == Links::Sessions) && number < open.came.1 {
            return Err("again or too late");
        }
        open.came = (name, number + 1);
        Ok(())
    }

    fn changes(&mut self, peer: Node, session: u64, begins: bool) -> Result<(), &'static str> {
        if !begins {
            let before = self
                .open
                .remove(&peer)
                .ok_or("an end without a beginning")?;
            return (before.session == session)
                .then_some(())
                .ok_or("the end of another");
        }
        let before = self.highest.insert(peer, session).unwrap_or(0);
        let fresh = Open {
            session,
            ..Open::default()
        };
        if self.open.insert(peer, fresh).is_some() || session <= before {
            return Err("a beginning that is none");
        }
        Ok(())
    }
}

impl Process for Counter {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        let came = match input {
            Input::Boot { entropy } => {
                let [a, b, c, d, e, f, g, h, ..] = entropy;
                self.boot = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
                if self.links != Links::Sessions {
                    let me = self.node;
                    let others = (0..self.replicas).map(Node).filter(|node| *node != me);
                    self.open = others.map(|node| (node, Open::default())).collect();
                }
                out.push(Output::Ready);
                Ok(())
            }
            Input::Message { from, bytes } => self.hears(from, bytes),
            Input::Connected { peer, session } => self.changes(peer, session, true),
            Input::Disconnected { peer, session } => self.changes(peer, session, false),
            _ => Ok(()),
        };
        if let Err(reason) = came {
            out.push(Output::Halt {
                reason: reason.to_owned(),
                damaged: false,
            });
            return;
        }
        if now.mono >= self.deadline {
            self.says(out);
            self.deadline = now.mono + 5_000_000;
        }
    }

    fn deadline(&self) -> Option<u64> {
        Some(self.deadline)
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(self.clone()))
    }
}

struct Counters(Links);

impl Subject for Counters {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn format(&self, _: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        Vec::new()
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Counter {
            links: self.0,
            node,
            replicas: setup.replicas,
            boot: 0,
            deadline: 0,
            open: BTreeMap::new(),
            highest: BTreeMap::new(),
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Silent
    }

    fn links(&self) -> Links {
        self.0
    }
}

static FIFO: Counters = Counters(Links::Fifo);
static SESSIONS: Counters = Counters(Links::Sessions);

/// A storm with partitions that heal and faults at messages of all kinds.
fn plan(seed: u64, beyond: bool) -> Plan {
    let mut plan = storm(seed);
    plan.network.beyond_contract = beyond;
    plan.network.latency = crate::plan::Distribution::Exponential {
        mean: Span::from_millis(4),
        max: Span::from_millis(60),
    };
    let faults = [
        MessageFault::Lose(5_000),
        MessageFault::Duplicate {
            ppm: 100_000,
            later: Span::from_millis(50),
        },
        MessageFault::Corrupt(5_000),
        MessageFault::Delay(Span::from_millis(100)),
        MessageFault::HoldBack(Until::End),
    ];
    let aimed = faults.into_iter().zip(1..).map(|(fault, place)| {
        let aim = Aim {
            from: Who::All,
            to: Who::Nodes(vec![Node(place % 3)]),
            kinds: Vec::new(),
            nth: (place == 5).then_some(7),
        };
        (u64::from(place) * 300, 250, Fault::Messages { aim, fault })
    });
    let cuts = [(400, 30, cut(Cut::Ring)), (2000, 600, cut(Cut::IsolateOne))];
    for ((at, hold, fault), number) in aimed.chain(cuts).zip(100..) {
        plan.nemesis.push(Timed {
            number: FaultNumber(number),
            at: Instant(0) + Span::from_millis(at),
            hold: Span::from_millis(hold),
            fault,
        });
    }
    plan.nemesis.sort_by_key(|timed| timed.at);
    plan
}

/// What came of a run: what a replica complained of, the highest session, and messages that came.
fn complaint_of(subject: &'static Counters, seed: u64, beyond: bool) -> (Option<String>, u64, u64) {
    let plan = plan(seed, beyond);
    let setup = Setup {
        cluster: 1,
        replicas: 3,
        knobs: plan.cluster.knobs.clone(),
        bug: None,
        probe: ProbeLevel::Nothing,
    };
    let oracle = Box::new(Seeded::new(seed));
    let mut world = World::new(Arc::new(plan), subject, setup, oracle, ());
    world.run_until(Instant(0) + Span::from_secs(3));
    let highest = world.sessions.as_ref().map_or(0, |sessions| {
        let numbers = sessions.pairs.iter().map(|pair| pair.number);
        numbers.max().unwrap_or(0)
    });
    if !beyond && subject.0 == Links::Sessions {
        world.run_until(Instant(0) + Span::from_secs(4));
        let behind = world.network.behind();
        assert!(behind < 100, "{behind} messages have not come");
    }
    let complaint = world.unexplained.as_ref().map(|halt| halt.reason.clone());
    (complaint, highest, world.delivered())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// `PROPTEST_CASES=10000` asks for more.
    #[test]
    fn links_keep_what_they_are_relied_on_for(seed: u64) {
        let (complaint, highest, came) = complaint_of(&SESSIONS, seed, false);
        prop_assert_eq!(complaint, None);
        prop_assert!(came > 1000 && highest >= 2, "{came} came, session {highest}");
        let (complaint, _, came) = complaint_of(&FIFO, seed, false);
        prop_assert_eq!(complaint, None);
        prop_assert!(came > 1000, "{came} came");
    }
}

#[test]
fn beyond_the_contract_all_of_it_is_broken_soon() {
    for (subject, kinds) in [
        (&FIFO, &["damage", "again or too late"][..]),
        // What comes too late is missed before it comes.
        (&SESSIONS, &["damage", "a gap"]),
    ] {
        let complaints: Vec<String> = (0..100)
            .filter_map(|seed| complaint_of(subject, seed, true).0)
            .collect();
        assert!(complaints.len() > 90, "{}", complaints.len());
        for kind in kinds {
            let seen = complaints.iter().any(|one| one == kind);
            assert!(seen, "{kind} is not among {complaints:?}");
        }
    }
}
