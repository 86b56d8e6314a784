//! The suite from end to end: bytes in, findings out.

use std::sync::Arc;

use super::*;
use crate::history::operation::{Action, Call, Return};
use crate::ids::Client;
use crate::subject::synod::reader::SynodReader;
use crate::subject::synod::reader::media::by_hand;
use crate::trace::event::{Fact, Outcome, value_hash};
use synod_port::files::FileName;

fn suite(checks: Checks, only: Option<&str>) -> Suite {
    Suite::new(SuiteConfig {
        replicas: 3,
        reader: Some(&SynodReader),
        checks,
        jury: Jury::only(only),
    })
}

fn on(suite: &mut Suite, event: &Event<'_>) -> ControlFlow<()> {
    suite.on(Stamp::default(), event)
}

/// A message of this kind, about ballot 1.r1.
fn message(kind: u8, body: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [0; 24];
    (bytes[4], bytes[5], bytes[23]) = (1, 1, kind);
    [&bytes[..], &1u64.to_le_bytes(), &[0], &body.concat()].concat()
}

/// An accepted message of ballot 1.r1 for slot 0.
fn accepted() -> Vec<u8> {
    message(6, &[&1u32.to_le_bytes(), &0u64.to_le_bytes()])
}

/// A promise of ballot 1.r1 from slot 0 on, of a replica that never voted.
fn promise() -> Vec<u8> {
    message(4, &[&[0; 8 + 1 + 8 + 8 + 4]])
}

/// An accept of ballot 1.r1 for slot 0.
fn accept(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    message(5, &[&[0; 8 + 8], &length, value])
}

/// A done reply for slot 0.
fn done() -> Vec<u8> {
    let mut bytes = vec![0; 24 + 17 + 14];
    (bytes[4], bytes[5], bytes[23], bytes[24]) = (1, 3, 2, 2);
    bytes
}

fn sync(suite: &mut Suite, node: u8, file: &str, sectors: &[(u32, Vec<u8>)]) -> ControlFlow<()> {
    on(
        suite,
        &Event::Synced {
            node: Node(node),
            file: by_hand::name(file),
            sectors: &by_hand::borrowed(sectors),
        },
    )
}

const FILES: [&str; 3] = ["log-00000001", "promise-a-00000001", "promise-b-00000001"];

/// A suite in which each node has durably promised 1.r1, and r1 leads it.
fn led(only: Option<&str>) -> Suite {
    let mut suite = suite(Checks::All, only);
    let names: Vec<FileName> = FILES.iter().map(|name| by_hand::name(name)).collect();
    for node in 0..3 {
        assert!(
            on(
                &mut suite,
                &Event::Boot {
                    node: Node(node),
                    boot: 1
                }
            )
            .is_continue()
        );
        assert!(
            on(
                &mut suite,
                &Event::NamesSynced {
                    node: Node(node),
                    names: &names
                }
            )
            .is_continue()
        );
        for file in &FILES[1..] {
            assert!(sync(&mut suite, node, file, &by_hand::promise((1, 0))).is_continue());
        }
        assert!(on(&mut suite, &Event::Ready(Node(node))).is_continue());
    }
    assert!(
        on(
            &mut suite,
            &Event::Fact {
                node: Node(0),
                fact: &Fact::Led((1, 0))
            }
        )
        .is_continue()
    );
    suite
}

fn send(suite: &mut Suite, node: u8, to: Endpoint, bytes: &[u8]) -> ControlFlow<()> {
    on(
        suite,
        &Event::Sent {
            from: Endpoint::Node(Node(node)),
            to,
            bytes,
        },
    )
}

#[test]
fn a_slot_is_chosen_read_off_the_media_and_acknowledged() {
    let mut suite = led(None);
    let peer = |node| Endpoint::Node(Node(node));
    assert!(send(&mut suite, 1, peer(0), &promise()).is_continue());
    let proposes = |suite: &Suite| send(&mut suite.clone(), 0, peer(1), &accept(b"value"));
    assert!(proposes(&suite).is_break(), "the promise is under way");
    let arrives = Event::Delivered {
        from: peer(1),
        to: peer(0),
        bytes: &promise(),
    };
    assert!(on(&mut suite, &arrives).is_continue());
    for node in 1..3 {
        assert!(send(&mut suite, 0, peer(node), &accept(b"value")).is_continue());
    }
    let group = by_hand::group(1, 1, 1, &[by_hand::vote(0, (1, 0), b"value")]);
    for node in 0..2 {
        assert!(sync(&mut suite, node, FILES[0], &group).is_continue());
        assert!(send(&mut suite, node, Endpoint::Node(Node(2)), &accepted()).is_continue());
    }
    assert_eq!(suite.ghost.chosen(0), Some(value_hash(b"value")));
    for node in 0..3 {
        let fact = Fact::Applied {
            slot: 0,
            value: value_hash(b"value"),
            state: 5,
        };
        assert!(
            on(
                &mut suite,
                &Event::Fact {
                    node: Node(node),
                    fact: &fact
                }
            )
            .is_continue()
        );
    }
    assert!(send(&mut suite, 0, Endpoint::Client(Client(0)), &done()).is_continue());
    suite.close(&[Node(0), Node(1), Node(2)]);
    assert_eq!(suite.violation(), None);
    let counts: Vec<_> = suite.counts().collect();
    assert_eq!(counts.len(), Suite::NAMES.len());
    for (name, count) in counts {
        let silent = [
            "answers",
            "exactly-once",
            "log-order",
            "progress",
            "session-order",
            "stability",
        ];
        assert_eq!(
            count > 0,
            !silent.contains(&name),
            "{name} judged {count} times"
        );
    }
}

#[test]
fn what_leaves_too_early_ends_the_run() {
    let mut suite = led(None);
    assert!(send(&mut suite, 1, Endpoint::Node(Node(0)), &accepted()).is_break());
    assert_eq!(suite.violation().unwrap().check, "before-durable");
    assert!(
        on(&mut suite, &Event::Ready(Node(0))).is_break(),
        "the first violation stays"
    );
    let mut suite = led(None);
    assert!(send(&mut suite, 1, Endpoint::Client(Client(0)), &done()).is_break());
    assert_eq!(suite.violation().unwrap().check, "durability");
}

#[test]
fn one_checker_can_be_alone() {
    let illegal = Fact::Chosen { slot: 0, value: 7 };
    let chosen = |suite: &mut Suite, fact: &Fact| {
        on(
            suite,
            &Event::Fact {
                node: Node(0),
                fact,
            },
        )
    };
    let mut agreement = led(Some("agreement"));
    assert!(agreement.judges("agreement") && !agreement.judges("ghost"));
    assert!(chosen(&mut agreement, &illegal).is_continue());
    assert!(chosen(&mut agreement, &Fact::Chosen { slot: 0, value: 8 }).is_break());
    let mut durability = led(Some("durability"));
    assert!(
        chosen(&mut durability, &illegal).is_continue(),
        "the ghost listens, and does not judge"
    );
    assert!(send(&mut durability, 0, Endpoint::Client(Client(0)), &done()).is_break());
    assert!(chosen(&mut led(Some("ghost")), &illegal).is_break());
    assert_eq!(durability.counts().collect::<Vec<_>>(), [("durability", 1)]);
    assert_eq!(suite(Checks::All, Some("nonsense")).counts().count(), 0);
}

#[test]
fn clients_alone_are_judged_by_what_they_see() {
    let mut suite = suite(Checks::Client, None);
    assert!(suite.judges("exactly-once") && !suite.judges("agreement") && suite.media.is_empty());
    assert!(
        on(
            &mut suite,
            &Event::Fact {
                node: Node(0),
                fact: &Fact::Chosen { slot: 0, value: 7 }
            }
        )
        .is_continue()
    );
    assert!(
        on(
            &mut suite,
            &Event::Fact {
                node: Node(1),
                fact: &Fact::Chosen { slot: 0, value: 8 }
            }
        )
        .is_continue()
    );
    let key: Arc<[u8]> = Arc::from(&b"k"[..]);
    let mut operation = |action, result| {
        let call = Call {
            key: key.clone(),
            action,
        };
        assert!(
            on(
                &mut suite,
                &Event::Invoked {
                    process: 1,
                    client: Client(0),
                    call: &call
                }
            )
            .is_continue()
        );
        on(
            &mut suite,
            &Event::Returned {
                process: 1,
                client: Client(0),
                outcome: &Outcome::Ok {
                    result,
                    place: None,
                },
            },
        )
    };
    assert!(operation(Action::Append(Arc::from(&b"a;"[..])), Return::Done).is_continue());
    assert!(operation(Action::Get, Return::Value(Some(Arc::from(&b"a;a;"[..])))).is_break());
    assert_eq!(suite.violation().unwrap().check, "exactly-once");
}

#[test]
fn an_auditor_knows_what_clients_saw_and_nothing_else() {
    let mut suite = led(None);
    let key: Arc<[u8]> = Arc::from(&b"k"[..]);
    let call = |action| Call {
        key: key.clone(),
        action,
    };
    let append = call(Action::Append(Arc::from(&b"a;"[..])));
    assert!(
        on(
            &mut suite,
            &Event::Invoked {
                process: 1,
                client: Client(0),
                call: &append
            }
        )
        .is_continue()
    );
    let done = Outcome::Ok {
        result: Return::Done,
        place: Some((0, 0)),
    };
    assert!(
        on(
            &mut suite,
            &Event::Returned {
                process: 1,
                client: Client(0),
                outcome: &done
            }
        )
        .is_continue()
    );
    let mut auditor = suite.auditor();
    assert!(send(&mut auditor, 1, Endpoint::Node(Node(0)), &accepted()).is_continue());
    assert!(
        on(
            &mut auditor,
            &Event::Fact {
                node: Node(0),
                fact: &Fact::Chosen { slot: 0, value: 7 }
            }
        )
        .is_continue()
    );
    assert!(
        on(
            &mut auditor,
            &Event::Invoked {
                process: 2,
                client: Client(0),
                call: &call(Action::Get)
            }
        )
        .is_continue()
    );
    let lost = Outcome::Ok {
        result: Return::Value(None),
        place: None,
    };
    assert!(
        on(
            &mut auditor,
            &Event::Returned {
                process: 2,
                client: Client(0),
                outcome: &lost
            }
        )
        .is_break()
    );
    assert_eq!(auditor.violation().unwrap().check, "exactly-once");
    assert_eq!(suite.violation(), None);
}

#[test]
fn a_fork_judges_on_its_own() {
    let mut suite = led(None);
    let mut fork = suite.clone();
    assert!(send(&mut fork, 1, Endpoint::Node(Node(0)), &accepted()).is_break());
    let group = by_hand::group(1, 1, 1, &[by_hand::vote(0, (1, 0), b"value")]);
    assert!(sync(&mut suite, 1, FILES[0], &group).is_continue());
    assert!(send(&mut suite, 1, Endpoint::Node(Node(0)), &accepted()).is_continue());
    assert!(suite.accounted_bytes() > fork.accounted_bytes());
}
