//! A store on a fake disk, driven through a random life, with a model of what must come back.

use std::collections::VecDeque;

use proptest::prelude::*;
use synod_port::files::{DiskOp, FileName, OpId};

use crate::command::Value;
use crate::config::{Config, SECTOR};
use crate::ids::{Ballot, ClusterId, Lsn, NodeId, Slot};
use crate::io::{Halt, Output, Outputs};
use crate::log::disk::Disk;
use crate::log::fake_disk::{Dice, FakeDisk};
use crate::log::store::{self, Store, Told};
use crate::probe::{Full, Probe};
use crate::record::Record;
use crate::recovered::Recovered;
use crate::time::{Mono, Now, Wall};

pub(super) fn config() -> Config {
    Config {
        segment_bytes: 8 * SECTOR as u32,
        ..Config::new(ClusterId(7), NodeId(1), 3)
    }
}

/// A store on a fake disk, and what must come back.
pub(super) struct Host<P: Probe> {
    config: Config,
    pub(super) disk: FakeDisk,
    dice: Dice,
    pub(super) store: Store,
    pub(super) probe: P,
    pub(super) now: Now,
    pub(super) next_op: u64,
    pub(super) under_way: VecDeque<(OpId, DiskOp)>,
    pub(super) halted: Option<Halt>,
    pub(super) ready: bool,
    pub(super) last: Recovered,
    /// Certain to come back, in order.
    pub(super) base: Vec<Record>,
    /// May come back as far as any prefix of at least `acked`.
    pub(super) appended: Vec<Record>,
    pub(super) acked: u64,
    asked: Ballot,
    pub(super) promised: Ballot,
    pub(super) torn: u64,
}

impl<P: Probe> Host<P> {
    pub(super) fn new(config: Config, disk: FakeDisk, seed: u64, probe: P) -> Self {
        let (mut next_op, mut out) = (0, Outputs::new());
        let store = Store::boot(&config, &mut Disk::new(&mut next_op, &mut out));
        let mut host = Self {
            config,
            disk,
            dice: Dice(seed),
            store,
            probe,
            now: Now {
                mono: Mono(0),
                wall: Wall(0),
            },
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

    pub(super) fn collect(&mut self, out: Outputs) {
        for output in out {
            let Output::Disk { op, what } = output else {
                panic!("a store asks only for disk operations");
            };
            self.under_way.push_back((op, what));
        }
    }

    pub(super) fn with(
        &mut self,
        act: impl FnOnce(&mut Store, &mut Disk<'_>, &mut P) -> Option<Told>,
    ) {
        let mut out = Outputs::new();
        let told = act(
            &mut self.store,
            &mut Disk::new(&mut self.next_op, &mut out),
            &mut self.probe,
        );
        self.collect(out);
        match told {
            None => (),
            Some(Told::Ready(recovered)) => self.on_ready(recovered),
            Some(Told::Durable(Lsn(lsn))) => self.acked = self.acked.max(lsn),
            Some(Told::Promised(ballot)) => self.promised = self.promised.max(ballot),
            Some(Told::Halt(halt)) => self.halted = Some(halt),
        }
    }

    pub(super) fn on_ready(&mut self, recovered: Recovered) {
        let records = &recovered.records;
        let kept = records
            .len()
            .checked_sub(self.base.len())
            .expect("what was recovered once is recovered again");
        assert_eq!(
            records[..self.base.len()],
            self.base,
            "the log's beginning changed"
        );
        assert!(
            kept as u64 >= self.acked,
            "{} records were durable, {kept} came back",
            self.acked
        );
        assert_eq!(
            records[self.base.len()..],
            self.appended[..kept],
            "the log's end changed"
        );
        assert!(
            recovered.promised >= self.promised
                && recovered.promised <= self.asked.max(self.last.promised)
        );
        assert!(
            recovered.incarnation > self.last.incarnation,
            "an incarnation came twice"
        );
        self.promised = recovered.promised;
        self.torn += u64::from(recovered.torn);
        self.base.clone_from(records);
        self.appended.clear();
        self.acked = 0;
        self.last = recovered;
        self.ready = true;
    }

    /// Ends one operation that is under way, any of them.
    pub(super) fn complete(&mut self) {
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
        let (op, what) = self
            .under_way
            .remove(at)
            .expect("the die has as many sides");
        let (ended, now) = (self.disk.run(&what), self.now);
        self.with(|store, disk, probe| store.on_disk(now, op, ended, disk, probe));
    }

    pub(super) fn idle(&self) -> bool {
        self.halted.is_some() || (self.under_way.is_empty() && self.store.deadline().is_none())
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.idle() {
                return;
            }
            self.complete();
        }
        panic!("the store does not come to rest");
    }

    pub(super) fn append(&mut self, size: usize) {
        if !self.ready {
            return;
        }
        let slot = Slot((self.base.len() + self.appended.len()) as u64);
        let value = Value((0..size).map(|at| at as u8 ^ slot.0 as u8).collect());
        let record = match size % 3 {
            0 => Record::Learned { slot, value },
            1 => Record::ChosenBelow { slot },
            _ => Record::Vote {
                slot,
                ballot: Ballot {
                    round: size as u64,
                    node: NodeId(2),
                },
                value,
            },
        };
        self.appended.push(record.clone());
        self.with(|store, disk, probe| {
            store.append(std::iter::once(record), disk, probe);
            None
        });
    }

    pub(super) fn promise(&mut self) {
        if self.ready {
            self.asked = Ballot {
                round: self.asked.round.max(self.promised.round) + 1,
                node: NodeId(0),
            };
            let ballot = self.asked;
            self.with(|store, disk, probe| store.promise(ballot, disk, probe));
        }
    }

    /// The process dies, and starts again. With the power, if it goes too.
    pub(super) fn restart(&mut self, power: bool) {
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
pub(super) enum Step {
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

pub(super) fn steps(faults: bool) -> impl Strategy<Value = Vec<Step>> {
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

pub(super) fn run<P: Probe>(host: &mut Host<P>, steps: &[Step]) {
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
pub(super) fn lived(seed: u64, steps: &[Step]) -> (FakeDisk, Recovered) {
    let mut host = Host::new(
        config(),
        FakeDisk::with(store::format(&config())),
        seed,
        Full::new(None),
    );
    run(&mut host, steps);
    host.append(1301);
    host.append(41);
    host.promise();
    host.settle();
    let mut all = host.base.clone();
    all.extend(host.appended.iter().cloned());
    (
        host.disk,
        Recovered {
            records: all,
            promised: host.promised,
            ..host.last
        },
    )
}

/// Boots on these files.
pub(super) fn boot(files: Vec<(FileName, Vec<u8>)>) -> Result<Recovered, Halt> {
    boot_under(files, ())
}

/// Boots on these files, loses the power at once, and boots again: what the first boot found, which
/// is no more than the whole, must be there once more.
pub(super) fn boot_twice(
    files: Vec<(FileName, Vec<u8>)>,
    whole: &Recovered,
) -> Result<Recovered, Halt> {
    let mut host = Host::new(config(), FakeDisk::with(files), 0, ());
    host.asked = whole.promised;
    host.appended.clone_from(&whole.records);
    host.settle();
    if let Some(halt) = host.halted {
        return Err(halt);
    }
    let found = host.last.clone();
    host.restart(true);
    host.settle();
    assert!(
        host.ready && host.halted.is_none(),
        "what one boot took for whole, the next one must: {:?}",
        host.halted
    );
    Ok(found)
}

/// Boots on these files under a probe.
pub(super) fn boot_under(
    files: Vec<(FileName, Vec<u8>)>,
    probe: impl Probe,
) -> Result<Recovered, Halt> {
    let mut host = Host::new(config(), FakeDisk::with(files), 0, probe);
    let mut recovered = None;
    while recovered.is_none() && host.halted.is_none() {
        let Some((op, what)) = host.under_way.pop_front() else {
            panic!("nothing under way, and neither ready nor halted");
        };
        let (ended, now) = (host.disk.run(&what), host.now);
        let mut out = Outputs::new();
        match host.store.on_disk(
            now,
            op,
            ended,
            &mut Disk::new(&mut host.next_op, &mut out),
            &mut host.probe,
        ) {
            Some(Told::Ready(found)) => recovered = Some(found),
            Some(Told::Halt(halt)) => host.halted = Some(halt),
            _ => (),
        }
        host.collect(out);
    }
    host.halted.map_or_else(
        || Ok(recovered.expect("the loop ends with one of the two")),
        Err,
    )
}
