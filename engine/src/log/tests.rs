//! Properties of the store as a whole: whatever the disk loses, what was told to be durable comes back in order; and damage is met with a halt or with the
//! whole content.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::bugs::Bug;
use crate::command::Value;
use crate::config::{Config, SECTOR};
use crate::ids::{Ballot, ClusterId, Incarnation, Lsn, NodeId, Slot};
use crate::io::{DiskError, DiskOp, FileName, Halt, OpId, Output, Outputs};
use crate::log::disk::Disk;
use crate::log::fake_disk::{Dice, FakeDisk};
use crate::log::store::{self, Store, Told};
use crate::probe::{BugsOnly, Full, Probe};
use crate::record::Record;
use crate::recovered::Recovered;
use crate::time::{Mono, Now, Wall};

fn config() -> Config {
    Config { segment_bytes: 8 * SECTOR as u32, ..Config::new(ClusterId(7), NodeId(1), 3) }
}

/// A store on a fake disk, and what must come back.
struct Host<P: Probe> {
    config: Config,
    disk: FakeDisk,
    dice: Dice,
    store: Store,
    probe: P,
    now: Now,
    next_op: u64,
    under_way: VecDeque<(OpId, DiskOp)>,
    halted: Option<Halt>,
    ready: bool,
    last: Recovered,
    /// Certain to come back, in order.
    base: Vec<Record>,
    /// May come back as far as any prefix of at least `acked`.
    appended: Vec<Record>,
    acked: u64,
    asked: Ballot,
    promised: Ballot,
    torn: u64,
}

impl<P: Probe> Host<P> {
    fn new(config: Config, disk: FakeDisk, seed: u64, probe: P) -> Self {
        let (mut next_op, mut out) = (0, Outputs::new());
        let store = Store::boot(&config, &mut Disk::new(&mut next_op, &mut out));
        let mut host = Self {
            config,
            disk,
            dice: Dice(seed),
            store,
            probe,
            now: Now { mono: Mono(0), wall: Wall(0) },
            next_op,
            under_way: VecDeque::new(),
            halted: None,
            ready: false,
            last: Recovered::default(),
            base: Vec::new(),
            appended: Vec::new(),
            acked: 0,
            asked: Ballot::ZERO,
            promised: Ballot::ZERO,
            torn: 0,
        };
        host.collect(out);
        host
    }

    fn collect(&mut self, out: Outputs) {
        for output in out {
            let Output::Disk { op, what } = output else {
                panic!("a store asks only for disk operations");
            };
            self.under_way.push_back((op, what));
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut Store, &mut Disk<'_>, &mut P) -> Option<Told>) {
        let mut out = Outputs::new();
        let told = act(&mut self.store, &mut Disk::new(&mut self.next_op, &mut out), &mut self.probe);
        self.collect(out);
        match told {
            None => (),
            Some(Told::Ready(recovered)) => self.on_ready(recovered),
            Some(Told::Durable(Lsn(lsn))) => self.acked = self.acked.max(lsn),
            Some(Told::Promised(ballot)) => self.promised = self.promised.max(ballot),
            Some(Told::Halt(halt)) => self.halted = Some(halt),
        }
    }

    fn on_ready(&mut self, recovered: Recovered) {
        let records = &recovered.records;
        let kept = records.len().checked_sub(self.base.len()).expect("what was recovered once is recovered again");
        assert_eq!(records[..self.base.len()], self.base, "the log's beginning changed");
        assert!(kept as u64 >= self.acked, "{} records were durable, {kept} came back", self.acked);
        assert_eq!(records[self.base.len()..], self.appended[..kept], "the log's end changed");
        assert!(recovered.promised >= self.promised && recovered.promised <= self.asked.max(self.last.promised));
        assert!(recovered.incarnation > self.last.incarnation, "an incarnation came twice");
        self.promised = recovered.promised;
        self.torn += u64::from(recovered.torn);
        self.base.clone_from(records);
        self.appended.clear();
        self.acked = 0;
        self.last = recovered;
        self.ready = true;
    }

    /// Ends one operation that is under way, any of them.
    fn complete(&mut self) {
        if self.halted.is_some() {
            return;
        }
        if self.under_way.is_empty() {
            let Some(deadline) = self.store.deadline() else {
                return;
            };
            self.now.mono = deadline;
            let now = self.now;
            return self.with(|store, disk, probe| {
                store.on_deadline(now, disk, probe);
                None
            });
        }
        let at = self.dice.roll(self.under_way.len() as u64) as usize;
        let (op, what) = self.under_way.remove(at).expect("the die has as many sides");
        let (ended, now) = (self.disk.run(&what), self.now);
        self.with(|store, disk, probe| store.on_disk(now, op, ended, disk, probe));
    }

    fn idle(&self) -> bool {
        self.halted.is_some() || (self.under_way.is_empty() && self.store.deadline().is_none())
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.idle() {
                return;
            }
            self.complete();
        }
        panic!("the store does not come to rest");
    }

    fn append(&mut self, size: usize) {
        if !self.ready {
            return;
        }
        let slot = Slot((self.base.len() + self.appended.len()) as u64);
        let value = Value((0..size).map(|at| at as u8 ^ slot.0 as u8).collect());
        let record = match size % 3 {
            0 => Record::Learned { slot, value },
            1 => Record::ChosenBelow { slot },
            _ => Record::Vote { slot, ballot: Ballot { round: size as u64, node: NodeId(2) }, value },
        };
        self.appended.push(record.clone());
        self.with(|store, disk, probe| {
            store.append(std::iter::once(record), disk, probe);
            None
        });
    }

    fn promise(&mut self) {
        if self.ready {
            self.asked = Ballot { round: self.asked.round.max(self.promised.round) + 1, node: NodeId(0) };
            let ballot = self.asked;
            self.with(|store, disk, probe| store.promise(ballot, disk, probe));
        }
    }

    /// The process dies, and starts again. With the power, if it goes too.
    fn restart(&mut self, power: bool) {
        for (_, op) in std::mem::take(&mut self.under_way) {
            self.disk.tear(&op, &mut self.dice);
        }
        if power {
            self.disk.cut_power(&mut self.dice);
        }
        let mut out = Outputs::new();
        self.next_op = 0;
        self.ready = false;
        self.store = Store::boot(&self.config, &mut Disk::new(&mut self.next_op, &mut out));
        self.collect(out);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Append(usize),
    Promise,
    Complete(usize),
    Settle,
    Kill,
    CutPower,
    FailSync,
    FailWrite,
    Full(bool),
}

fn steps(faults: bool) -> impl Strategy<Value = Vec<Step>> {
    let weight = u32::from(faults);
    let step = prop_oneof![
        8 => (0usize..2048).prop_map(Step::Append),
        4 => (0usize..64).prop_map(Step::Append),
        2 => Just(Step::Promise),
        8 => (1usize..20).prop_map(Step::Complete),
        2 => Just(Step::Settle),
        1 => Just(Step::Kill),
        2 => Just(Step::CutPower),
        2 * weight => Just(Step::FailSync),
        weight => Just(Step::FailWrite),
        weight => any::<bool>().prop_map(Step::Full),
    ];
    prop::collection::vec(step, 1..80)
}

fn run<P: Probe>(host: &mut Host<P>, steps: &[Step]) {
    for step in steps {
        match *step {
            Step::Append(size) => host.append(size),
            Step::Promise => host.promise(),
            Step::Complete(count) => (0..count).for_each(|_| host.complete()),
            Step::Settle if host.disk.full => (0..100).for_each(|_| host.complete()),
            Step::Settle => host.settle(),
            Step::Kill => host.restart(false),
            Step::CutPower => host.restart(true),
            Step::FailSync => host.disk.fail_sync = true,
            Step::FailWrite => host.disk.fail_write = true,
            Step::Full(full) => host.disk.full = full,
        }
        assert_eq!(host.halted, None, "after {step:?}");
    }
    host.disk.full = false;
    host.settle();
    host.restart(true);
    host.settle();
    assert!(host.ready && host.halted.is_none());
}

/// A disk with several boots, promises and groups on it, and what it holds.
fn lived(seed: u64, steps: &[Step]) -> (FakeDisk, Recovered) {
    let mut host = Host::new(config(), FakeDisk::with(store::format(&config())), seed, Full::new(None));
    run(&mut host, steps);
    host.append(1300);
    host.append(40);
    host.promise();
    host.settle();
    let mut all = host.base.clone();
    all.extend(host.appended.iter().cloned());
    (host.disk, Recovered { records: all, promised: host.promised, ..host.last })
}

/// Boots on these files.
fn boot(files: Vec<(FileName, Vec<u8>)>) -> Result<Recovered, Halt> {
    let mut host = Host::new(config(), FakeDisk::with(files), 0, ());
    let mut recovered = None;
    while recovered.is_none() && host.halted.is_none() {
        let Some((op, what)) = host.under_way.pop_front() else {
            panic!("nothing under way, and neither ready nor halted");
        };
        let (ended, now) = (host.disk.run(&what), host.now);
        let mut out = Outputs::new();
        match host.store.on_disk(now, op, ended, &mut Disk::new(&mut host.next_op, &mut out), &mut host.probe) {
            Some(Told::Ready(found)) => recovered = Some(found),
            Some(Told::Halt(halt)) => host.halted = Some(halt),
            _ => (),
        }
        host.collect(out);
    }
    host.halted.map_or_else(|| Ok(recovered.expect("the loop ends with one of the two")), Err)
}

/// Damage is met with a halt, or with everything that is known.
fn judge(found: &Result<Recovered, Halt>, whole: &Recovered, what: &str) {
    if let Ok(found) = found {
        assert_eq!(found.records, whole.records, "{what}");
        assert_eq!(found.promised, whole.promised, "{what}");
    }
}

fn some_life() -> Vec<Step> {
    use Step::{Append, Complete, CutPower, FailSync, Promise, Settle};
    let mut life = vec![Settle, Append(600), Append(1500), Promise, Settle, Append(20), Complete(1), CutPower, Settle, Append(900), FailSync];
    life.extend([Settle, Append(1000), Settle, Append(700), Promise, Settle]);
    life
}

#[test]
fn a_flipped_bit_in_any_byte_of_any_file_is_met_with_a_halt_or_the_whole_content() {
    let (disk, whole) = lived(1, &some_life());
    let files = disk.image();
    assert!(files.len() >= 6, "{files:?}");
    let mut halts = 0;
    for file in 0..files.len() {
        for at in 0..files[file].1.len() {
            let mut bad = files.clone();
            bad[file].1[at] ^= 1 << (at % 8);
            let found = boot(bad);
            judge(&found, &whole, &format!("{} byte {at}", files[file].0));
            halts += usize::from(found.is_err());
        }
    }
    assert!(halts > 4 * SECTOR);
}

#[test]
fn a_file_cut_at_any_byte_is_met_with_a_halt_or_the_whole_content() {
    let (disk, whole) = lived(2, &some_life());
    let files = disk.image();
    for file in 0..files.len() {
        for length in (0..files[file].1.len()).step_by(7) {
            let mut bad = files.clone();
            bad[file].1.truncate(length);
            judge(&boot(bad), &whole, &format!("{} cut to {length}", files[file].0));
        }
    }
}

#[test]
fn a_zeroed_sector_costs_at_most_the_last_group_and_only_if_nothing_says_that_it_was_synced() {
    let (disk, whole) = lived(3, &some_life());
    let files = disk.image();
    let mut lost = 0;
    for file in 0..files.len() {
        for at in (0..files[file].1.len()).step_by(SECTOR) {
            let mut bad = files.clone();
            bad[file].1[at..at + SECTOR].fill(0);
            if let Ok(found) = boot(bad) {
                assert!(found.records.len() + 1 >= whole.records.len() && whole.records.starts_with(&found.records));
                assert!(found.records == whole.records || found.torn || found.records.len() + 1 == whole.records.len());
                lost += usize::from(found.records != whole.records);
            }
        }
    }
    assert_eq!(lost, 1, "the last group has one sector");
}

#[test]
fn both_copies_of_the_promise_gone_is_a_halt() {
    let mut files = store::format(&config());
    files[0].1[40] ^= 1;
    assert_eq!(boot(files.clone()).map(|found| found.promised), Ok(Ballot::ZERO));
    files[1].1[40] ^= 1;
    assert_eq!(boot(files), Err(Halt::PromiseLost));
    assert_eq!(boot(Vec::new()), Err(Halt::PromiseLost));
}

#[test]
fn files_of_another_node_are_refused() {
    let other = Config { node: NodeId(2), ..config() };
    assert_eq!(boot(store::format(&other)), Err(Halt::Foreign));
}

#[test]
fn an_unreadable_disk_is_a_halt_after_a_few_attempts() {
    let mut host = Host::new(config(), FakeDisk::with(store::format(&config())), 0, ());
    for _ in 0..100 {
        if let Some((op, _)) = host.under_way.pop_front() {
            let now = host.now;
            host.with(|store, disk, probe| store.on_disk(now, op, Err(DiskError::Io), disk, probe));
        } else {
            host.complete();
        }
    }
    assert_eq!(host.halted, Some(Halt::Unreadable));
}

#[test]
fn records_that_come_together_share_a_sync() {
    let mut host = Host::new(config(), FakeDisk::with(store::format(&config())), 0, ());
    host.settle();
    (0..10).for_each(|_| host.append(8));
    let mut syncs = 0;
    while !host.idle() {
        syncs += usize::from(matches!(host.under_way.front(), Some((_, DiskOp::Sync(_)))));
        host.complete();
    }
    assert_eq!((host.acked, syncs), (10, 2), "the first record alone, then the nine that waited for it");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_was_durable_comes_back_in_order_whatever_the_power_takes(seed in any::<u64>(), steps in steps(false)) {
        run(&mut Host::new(config(), FakeDisk::with(store::format(&config())), seed, Full::new(None)), &steps);
    }

    #[test]
    fn what_was_durable_comes_back_in_order_on_a_failing_disk(seed in any::<u64>(), steps in steps(true)) {
        run(&mut Host::new(config(), FakeDisk::with(store::format(&config())), seed, Full::new(None)), &steps);
    }

    #[test]
    fn any_damage_is_met_with_a_halt_or_the_whole_content(seed in any::<u64>(), steps in steps(true), bytes in prop::collection::vec((any::<usize>(), any::<usize>(), 1u8..), 1..4)) {
        let (disk, whole) = lived(seed, &steps);
        let mut files = disk.image();
        for (file, at, mask) in bytes {
            let file = file % files.len();
            let at = at % files[file].1.len().max(1);
            if let Some(byte) = files[file].1.get_mut(at) {
                // Flips only: a write of zeros over a whole sector is another matter.
                *byte ^= mask;
            }
        }
        judge(&boot(files), &whole, "flipped bytes");
    }
}

/// Whether the fuzzed life of a store with this bug ends in a broken promise.
fn caught(bug: Bug, faults: bool) -> bool {
    let lives = proptest::test_runner::TestRunner::deterministic();
    let mut runner = lives;
    let strategy = (any::<u64>(), steps(faults));
    (0..3000).any(|_| {
        let (seed, steps) = strategy.new_tree(&mut runner).expect("nothing is rejected").current();
        let life = std::panic::AssertUnwindSafe(|| {
            run(&mut Host::new(config(), FakeDisk::with(store::format(&config())), seed, BugsOnly::new(Some(bug))), &steps)
        });
        std::panic::catch_unwind(life).is_err()
    })
}

#[test]
fn planted_bugs_of_the_store_break_its_promise() {
    let bugs = [
        (Bug::PromiseBeforeFsync, false),
        (Bug::AcceptedBeforeFsync, false),
        (Bug::BatchAckedAfterFirstRecord, false),
        (Bug::FsyncErrorIgnored, true),
        (Bug::FsyncRetryTrusted, true),
        (Bug::WriteAfterFailedFsyncAcked, true),
        (Bug::TornTailNotTruncated, false),
        (Bug::NoDirectoryFsync, false),
        (Bug::HardstateFileUnsynced, false),
        (Bug::ReplayStopsBeforeLastSegment, false),
    ];
    let missed: Vec<_> = bugs.into_iter().filter(|(bug, faults)| !caught(*bug, *faults)).collect();
    assert_eq!(missed, []);
}

#[test]
fn incarnations_are_counted_from_one() {
    let found = boot(store::format(&config())).expect("the files are new");
    assert_eq!(found, Recovered { incarnation: Incarnation(1), ..Recovered::default() });
}
