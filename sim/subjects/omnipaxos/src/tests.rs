//! What passes, what is found in the crate, and what is planted. What is found is written up in
//! `reports/findings/`; a test of it that fails says that the crate is mended.

use omnipaxos::messages::Message;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, ServerConfig};
use synod_sim::prelude::*;
use synod_sim::sweep::settings::Settings;
use synod_sim::testing::{Tested, passes};

use crate::disk::Shared;
use crate::machine::Command;
use crate::subject::Omni;

synod_sim::test!(
    healthy,
    "smoke/healthy-3",
    seeds = 0..2,
    subject = &Omni::<false>
);
synod_sim::test!(
    power_loss,
    "storage/power-loss-in-recovery",
    seeds = 0..3,
    subject = &Omni::<false>
);

fn run(subject: String, scenario: &str, seed: u64, bug: Option<&str>) {
    let settings = Settings {
        subject: Some(subject),
        bug: bug.map(str::to_owned),
        ..Settings::default()
    };
    passes("", scenario, seed..seed + 1, settings);
}

#[test]
#[should_panic(expected = "exactly-once")]
fn with_snapshots_what_was_acknowledged_is_lost() {
    let subject = Tested::name(&Omni::<true>);
    run(subject, "storage/power-loss-in-recovery", 1, None);
}

#[test]
#[should_panic(expected = "safety `")]
fn messages_before_sync_is_found() {
    let (subject, bug) = (Tested::name(&Omni::<false>), "messages-before-sync");
    run(subject, "storage/power-loss-in-recovery", 2, Some(bug));
}

#[test]
#[should_panic(expected = "2 times, and it was appended 1 times")]
fn applies_twice_is_found() {
    let (subject, bug) = (Tested::name(&Omni::<false>), "applies-twice");
    run(subject, "safety/lossy-clients", 0, Some(bug));
}

/// Engines that hear each other at once, and ids from `first` on.
struct Cluster(Vec<OmniPaxos<Command<true>, Shared<true>>>, u64);

impl Cluster {
    fn new(first: u64) -> Self {
        let cluster = ClusterConfig {
            configuration_id: 1,
            nodes: (first..first + 3).collect(),
            flexible_quorum: None,
        };
        let build = |pid| {
            let server = ServerConfig {
                pid,
                ..ServerConfig::default()
            };
            let engine = cluster.clone().build_for_server(server, Shared::default());
            engine.expect("it is valid")
        };
        let mut it = Self((first..first + 3).map(build).collect(), first);
        for _ in 0..6 {
            it.0.iter_mut().for_each(OmniPaxos::tick);
            it.deliver(None, false);
        }
        it
    }

    /// Until nobody says anything. What `cut` is sent or sends is lost; `twice`: promises are
    /// doubled. How often somebody was asked for a promise.
    fn deliver(&mut self, cut: Option<u64>, twice: bool) -> usize {
        let mut prepares = 0;
        loop {
            let mut messages = Vec::new();
            for engine in &mut self.0 {
                engine.take_outgoing_messages(&mut messages);
            }
            if messages.is_empty() {
                return prepares;
            }
            for message in messages {
                let (from, to) = (message.get_sender(), message.get_receiver());
                if cut == Some(from) || cut == Some(to) {
                    continue;
                }
                if let Message::SequencePaxos(paxos) = &message {
                    prepares += usize::from(matches!(paxos.msg, PaxosMsg::Prepare(_)));
                    if twice && matches!(paxos.msg, PaxosMsg::Promise(_)) {
                        self.at(to).handle_incoming(message.clone());
                    }
                }
                self.at(to).handle_incoming(message);
            }
        }
    }

    fn at(&mut self, pid: u64) -> &mut OmniPaxos<Command<true>, Shared<true>> {
        &mut self.0[(pid - self.1) as usize]
    }

    fn leader(&self) -> u64 {
        self.0[0].get_current_leader().expect("there is one").0
    }

    fn append(&mut self, proposals: std::ops::Range<u64>, cut: Option<u64>) {
        for proposal in proposals {
            let leader = self.leader();
            assert!(self.at(leader).append(command(proposal)).is_ok());
            self.deliver(cut, false);
        }
    }
}

/// `reports/findings/omnipaxos-delta-snapshot.md`.
#[test]
fn a_delta_is_merged_into_less_than_what_was_decided() {
    let mut cluster = Cluster::new(1);
    let late = cluster.leader() % 3 + 1;
    cluster.append(0..3, None);
    cluster.append(3..5, Some(late));
    let leader = cluster.leader();
    cluster.at(late).reconnected(leader);
    cluster.deliver(None, false);
    assert_eq!(cluster.at(late).get_decided_idx(), 5);
    let log = cluster.at(late).read_decided_suffix(0);
    let [LogEntry::Snapshotted(snapshotted)] = &log.expect("all is decided")[..] else {
        panic!("a delta was sent");
    };
    assert_eq!(snapshotted.trimmed_idx, 5);
    let proposals = snapshotted.snapshot.proposals();
    // It should be all five.
    assert_eq!(proposals, [3, 4]);
}

/// `reports/findings/omnipaxos-trim-ids.md`.
#[test]
fn nothing_is_ever_trimmed_when_ids_do_not_begin_at_1() {
    for (first, trimmed) in [(1, 3), (5, 0)] {
        let mut cluster = Cluster::new(first);
        cluster.append(0..3, None);
        let leader = cluster.leader();
        assert!(cluster.at(leader).trim(None).is_ok());
        // It should be 3 in both.
        assert_eq!(cluster.at(leader).get_compacted_idx(), trimmed);
    }
}

/// `reports/findings/omnipaxos-doubled-promise.md`.
#[test]
fn a_promise_that_is_sent_again_costs_a_second_prepare_phase() {
    for twice in [false, true] {
        let mut cluster = Cluster::new(1);
        let leader = cluster.leader();
        cluster.at(leader % 3 + 1).reconnected(leader);
        // A promise is sent again when no answer came within `resend_message_tick_timeout`.
        assert_eq!(cluster.deliver(None, twice), 1);
        assert!(cluster.at(leader).append(command(0)).is_ok());
        // It should be 0 in both.
        assert_eq!(cluster.deliver(None, false), usize::from(twice));
    }
}

/// `reports/findings/omnipaxos-ballots-one-by-one.md`.
#[test]
fn a_ballot_that_was_promised_is_caught_up_with_one_by_one() {
    for gap in [10, 40] {
        let mut cluster = Cluster::new(1);
        let (gone, promised, behind) = (1, 2, 3);
        for round in 0..gap {
            cluster.at(2 - round % 2).try_become_leader();
            cluster.deliver(Some(behind), false);
        }
        // Who is behind has a clock that is a little ahead.
        let mut rounds = 0;
        while cluster.at(promised).get_promise().pid == gone || rounds == 0 {
            for pid in [behind, promised] {
                cluster.at(pid).tick();
                cluster.deliver(Some(gone), false);
            }
            rounds += 1;
        }
        println!("a gap of {gap}: {rounds}");
        assert!(rounds >= gap, "{rounds} of {gap}");
    }
}

fn command(proposal: u64) -> Command<true> {
    let (mut call, key) = (Vec::new(), b"k"[..].into());
    let action = Action::Get;
    dialect::write_call(&Call { key, action }, &mut call);
    Command {
        proposal,
        who: 0,
        sequence: proposal,
        answered_below: 0,
        call,
    }
}
