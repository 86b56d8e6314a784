//! The simulated disk against a naive model of what is durable: two whole images of each file, with
//! a number for each sector's last change.
//!
//! The model says exactly what the media holds after every step, and what a power loss may leave:
//! sector by sector the media's content or, while a sync would still cover it, the visible one. So
//! what was synced is never lost without a failed sync, and what failed may be, whatever later
//! syncs say. What of a failed sync landed is as the disk tells it; the rest must read as new, or as
//! the media has it.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use synod_port::files::{DiskError, DiskOp, FileName};
use synod_sim::choices::{FaultAt, Seeded};
use synod_sim::scenario::fault::Keep;
use synod_sim::world::disk::{Disk, Fate, SECTOR, Ticket};

const SECTORS: usize = 8;
const NOBODY: FaultAt = FaultAt::nobody(0);

#[derive(Clone, Debug)]
enum Step {
    Write {
        file: usize,
        offset: usize,
        size: usize,
    },
    Truncate {
        file: usize,
        length: usize,
    },
    Sync {
        file: usize,
    },
    Complete {
        which: usize,
        fails: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let edge = || {
        prop_oneof![
            3 => (0..SECTORS).prop_map(|sector| sector * SECTOR),
            1 => 0..SECTORS * SECTOR,
        ]
    };
    prop_oneof![
        4 => (
            0..2usize,
            edge(),
            prop_oneof![3 => (1..4usize).prop_map(|sectors| sectors * SECTOR), 1 => 1..1500usize],
        )
            .prop_map(|(file, offset, size)| Step::Write {
                file,
                offset,
                size: size.min(SECTORS * SECTOR - offset),
            }),
        2 => (0..2usize, edge()).prop_map(|(file, length)| Step::Truncate { file, length }),
        3 => (0..2usize).prop_map(|file| Step::Sync { file }),
        9 => (
            0..4usize,
            prop::bool::weighted(0.25),
        ).prop_map(|(which, fails)| Step::Complete { which, fails }),
    ]
}

/// A sector's last change, and whether a sync would cover it.
#[derive(Clone, Copy, Default)]
struct Mark {
    changed: u64,
    due: bool,
}

/// What a sync covers: a copy of everything.
#[derive(Clone)]
struct Snapshot {
    visible: Vec<u8>,
    marks: [Mark; SECTORS],
    length: Mark,
}

/// One file. Contents are padded with zeros to [`SECTORS`]; lengths are kept apart.
#[derive(Clone)]
struct Model {
    visible: Vec<u8>,
    length: usize,
    marks: [Mark; SECTORS],
    length_mark: Mark,
    media: Vec<u8>,
    media_length: usize,
    /// The change that the media holds of each sector, and of the length.
    held: [u64; SECTORS],
    held_length: u64,
    /// Changes that a failed sync covered: (sector, change), the length as sector [`SECTORS`].
    stranded: BTreeSet<(usize, u64)>,
}

impl Model {
    fn new() -> Self {
        let zeros = vec![0; SECTORS * SECTOR];
        Self {
            visible: zeros.clone(),
            length: 0,
            marks: [Mark::default(); SECTORS],
            length_mark: Mark::default(),
            media: zeros,
            media_length: 0,
            held: [0; SECTORS],
            held_length: 0,
            stranded: BTreeSet::new(),
        }
    }

    fn touch(&mut self, from: usize, to: usize, now: u64) {
        for sector in from / SECTOR..to.div_ceil(SECTOR) {
            self.marks[sector] = Mark {
                changed: now,
                due: true,
            };
        }
    }

    fn write(&mut self, offset: usize, data: &[u8], now: u64) {
        let end = offset + data.len();
        self.visible[offset..end].copy_from_slice(data);
        if end > self.length {
            self.touch(self.length, end, now);
        }
        if end > self.length || end > self.media_length {
            self.length_mark = Mark {
                changed: now,
                due: true,
            };
        }
        self.touch(offset, end, now);
        self.length = self.length.max(end);
    }

    fn truncate(&mut self, length: usize, now: u64) {
        if length > self.length {
            self.touch(self.length, length, now);
        } else {
            let tail = length..length.next_multiple_of(SECTOR).min(SECTORS * SECTOR);
            if self.visible[tail.clone()].iter().any(|byte| *byte != 0) {
                self.touch(tail.start, tail.end, now);
            }
            for sector in length.div_ceil(SECTOR)..SECTORS {
                self.marks[sector].due = false;
            }
            self.visible[length..].fill(0);
        }
        self.length = length;
        self.length_mark = Mark {
            changed: now,
            due: true,
        };
    }

    /// A sync may have been under way when newer ones ended: what the media holds is never replaced
    /// by older content.
    fn synced(&mut self, snapshot: &Snapshot, length: usize) {
        let Snapshot {
            visible,
            marks,
            length: mark,
        } = snapshot;
        if mark.due
            && mark.changed > self.held_length
            && !self.stranded.contains(&(SECTORS, mark.changed))
        {
            for sector in 0..SECTORS {
                let keep = length.saturating_sub(sector * SECTOR).min(SECTOR);
                self.media[sector * SECTOR + keep..(sector + 1) * SECTOR].fill(0);
                if keep == 0 {
                    self.held[sector] = self.held[sector].max(mark.changed);
                }
            }
            (self.media_length, self.held_length) = (length, mark.changed);
            if self.length_mark.changed == mark.changed {
                self.length_mark.due = false;
            }
        }
        for (sector, &Mark { changed, due }) in marks.iter().enumerate() {
            if due && changed > self.held[sector] && !self.stranded.contains(&(sector, changed)) {
                let bytes = sector * SECTOR..(sector + 1) * SECTOR;
                self.media[bytes.clone()].copy_from_slice(&visible[bytes]);
                self.held[sector] = changed;
                if self.marks[sector].changed == changed {
                    self.marks[sector].due = false;
                }
            }
        }
    }

    /// Of the sectors (and of the length as sector [`SECTORS`]), those landed; what is seen of the
    /// others is new, or old. Says whether any is.
    fn sync_failed(
        &mut self,
        snapshot: &Snapshot,
        length: usize,
        landed: &BTreeSet<usize>,
        seen: &[u8],
    ) -> bool {
        let part = |lands: bool| {
            let mut part = snapshot.clone();
            let marks = part.marks.iter_mut().chain([&mut part.length]);
            for (sector, mark) in marks.enumerate() {
                mark.due &= landed.contains(&sector) == lands;
            }
            part
        };
        self.synced(&part(true), length);
        let rest = part(false);
        let mut dropped = false;
        for (sector, covered) in rest.marks.iter().enumerate() {
            let mark = self.marks[sector];
            let bytes = sector * SECTOR..((sector + 1) * SECTOR).min(self.length);
            if covered.due
                && mark.due
                && mark.changed == covered.changed
                && seen[bytes.clone()] != self.visible[bytes.clone()]
                && seen[bytes.clone()] == self.media[bytes.clone()]
            {
                self.visible[bytes.clone()].copy_from_slice(&seen[bytes]);
                dropped = true;
            }
        }
        self.strand(&rest);
        dropped
    }

    fn strand(&mut self, snapshot: &Snapshot) {
        let marks = snapshot.marks.iter().chain([&snapshot.length]).enumerate();
        for (sector, covered) in marks.filter(|(_, covered)| covered.due) {
            let (held, mark) = match sector {
                SECTORS => (self.held_length, &mut self.length_mark),
                _ => (self.held[sector], &mut self.marks[sector]),
            };
            if mark.changed == covered.changed {
                mark.due = false;
            }
            if held < covered.changed {
                self.stranded.insert((sector, covered.changed));
            }
        }
    }

    fn snapshot(&self) -> (Snapshot, usize) {
        (
            Snapshot {
                visible: self.visible.clone(),
                marks: self.marks,
                length: self.length_mark,
            },
            self.length,
        )
    }

    /// Whether a power loss may leave this.
    fn allows(&self, content: &[u8]) -> bool {
        let lengths = [
            Some(self.media_length),
            self.length_mark.due.then_some(self.length),
        ];
        let sound = |(sector, bytes): (usize, &[u8])| {
            let start = sector * SECTOR;
            let is = |image: &[u8], limit: usize| {
                let mut expected = image[start..start + SECTOR].to_vec();
                expected[limit.saturating_sub(start).min(SECTOR)..].fill(0);
                expected[..bytes.len()] == *bytes
            };
            is(&self.media, content.len())
                || (self.marks[sector].due && is(&self.visible, content.len()))
        };
        lengths.contains(&Some(content.len())) && content.chunks(SECTOR).enumerate().all(sound)
    }
}

enum Open {
    Write {
        file: usize,
        offset: usize,
        data: Vec<u8>,
    },
    Truncate {
        file: usize,
        length: usize,
    },
    Sync {
        file: usize,
        snapshot: Snapshot,
        length: usize,
    },
}

/// What the random runs reached, so that none of them passes vacuously.
#[derive(Default)]
struct Reached {
    stranded: Cell<u32>,
    landed: Cell<u32>,
    dropped: Cell<u32>,
    lost_after_a_good_sync: Cell<u32>,
    torn: Cell<u32>,
    under_way: Cell<u32>,
    overlapping_syncs: Cell<u32>,
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

fn name(file: usize) -> FileName {
    FileName::new(["log", "promise"][file]).expect("a name")
}

struct Bench {
    disk: Disk,
    models: [Model; 2],
    open: Vec<(Ticket, Open)>,
    choices: Seeded,
    now: u64,
    /// A sync has succeeded since one failed.
    good_sync: [bool; 2],
}

impl Bench {
    fn submit(&mut self, step: &Step) {
        self.now += 1;
        let byte = u8::try_from(self.now % 255 + 1).expect("a byte");
        let (op, open) = match *step {
            Step::Write { file, offset, size } => {
                let data = vec![byte; size];
                (
                    DiskOp::Write {
                        file: name(file),
                        offset: offset as u64,
                        data: data.clone().into(),
                    },
                    Open::Write { file, offset, data },
                )
            }
            Step::Truncate { file, length } => (
                DiskOp::Truncate {
                    file: name(file),
                    length: length as u64,
                },
                Open::Truncate { file, length },
            ),
            Step::Sync { file } => {
                let (snapshot, length) = self.models[file].snapshot();
                (
                    DiskOp::Sync(name(file)),
                    Open::Sync {
                        file,
                        snapshot,
                        length,
                    },
                )
            }
            Step::Complete { .. } => return,
        };
        self.open.push((self.disk.submit(op), open));
    }

    fn complete(&mut self, which: usize, fails: bool, reached: &Reached) {
        if self.open.is_empty() {
            return;
        }
        let (ticket, open) = self.open.remove(which % self.open.len());
        let fails = fails && matches!(open, Open::Sync { .. });
        let fate = if fails {
            Fate::Fail(DiskError::Io)
        } else {
            Fate::Ok
        };
        let completion = self.disk.complete(ticket, fate, &mut self.choices, NOBODY);
        assert_eq!(completion.result.is_err(), fails);
        self.now += 1;
        match open {
            Open::Write { file, offset, data } => self.models[file].write(offset, &data, self.now),
            Open::Truncate { file, length } => self.models[file].truncate(length, self.now),
            Open::Sync {
                file,
                snapshot,
                length,
            } => {
                if self.open.iter().any(
                    |(_, other)| matches!(other, Open::Sync { file: other, .. } if *other == file),
                ) {
                    count(&reached.overlapping_syncs);
                }
                self.good_sync[file] = !fails;
                if fails {
                    let mut landed = BTreeSet::new();
                    if let Some(synced) = &completion.synced {
                        landed.extend(synced.sectors().iter().map(|(sector, _)| *sector as usize));
                        landed.extend(synced.length().map(|_| SECTORS));
                        count(&reached.landed);
                    }
                    let seen = &self.disk.visible_image()[&name(file)];
                    if self.models[file].sync_failed(&snapshot, length, &landed, seen) {
                        count(&reached.dropped);
                    }
                    count(&reached.stranded);
                } else {
                    self.models[file].synced(&snapshot, length);
                }
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (durable, visible) = (self.disk.durable_image(), self.disk.visible_image());
        for (file, model) in self.models.iter().enumerate() {
            prop_assert!(
                visible[&name(file)] == model.visible[..model.length],
                "what is seen of file {}",
                file
            );
            let media = &durable[&name(file)];
            prop_assert_eq!(
                media.len(),
                model.media_length,
                "the durable length of file {}",
                file
            );
            let sector = media
                .iter()
                .zip(&model.media)
                .position(|(disk, model)| disk != model)
                .map(|at| at / SECTOR);
            prop_assert_eq!(
                sector,
                None,
                "the media's content of file {} differs in this sector",
                file
            );
        }
        Ok(())
    }

    /// Cuts the power, with operations still under way or after all have completed.
    fn cut(mut self, drained: bool, reached: &Reached) -> Result<(), TestCaseError> {
        while drained && !self.open.is_empty() {
            self.complete(0, false, reached);
        }
        self.check()?;
        let before = self.disk.durable_image();
        let report = self.disk.lose_power(Keep::Any, &mut self.choices, NOBODY);
        if report.torn_writes > 0 {
            count(&reached.torn);
        }
        let image = self.disk.durable_image();
        prop_assert_eq!(
            &image,
            &self.disk.visible_image(),
            "what is seen after a power loss is what the media holds"
        );
        for (file, held) in before {
            let content = &image[&file];
            let mut told = held;
            told.resize(content.len(), 0);
            for synced in report.survived.iter().filter(|synced| synced.file == file) {
                for (index, bytes) in synced.sectors() {
                    let at = index as usize * SECTOR;
                    let end = content.len().min(at + SECTOR);
                    told[at..end].copy_from_slice(&bytes[..end - at]);
                }
            }
            prop_assert!(
                told == *content,
                "what is told of {} is what survived",
                file
            );
        }
        for (file, model) in self.models.iter().enumerate() {
            let content = &image[&name(file)];
            if self.open.is_empty() {
                prop_assert!(
                    model.allows(content),
                    "file {} is neither what was durable nor what was written",
                    file
                );
                let stranded = (0..SECTORS).any(|sector| {
                    let bytes = sector * SECTOR
                        ..((sector + 1) * SECTOR).min(model.length).min(content.len());
                    !model.marks[sector].due
                        && !bytes.is_empty()
                        && content[bytes.clone()] != model.visible[bytes]
                });
                if stranded && self.good_sync[file] {
                    count(&reached.lost_after_a_good_sync);
                }
                continue;
            }
            count(&reached.under_way);
            for (at, byte) in content.iter().enumerate() {
                let landing = self.open.iter().any(|(_, open)| match open {
                    Open::Write {
                        file: other,
                        offset,
                        data,
                    } => *other == file && at >= *offset && data.get(at - offset) == Some(byte),
                    _ => false,
                });
                prop_assert!(
                    *byte == 0 || *byte == model.media[at] || *byte == model.visible[at] || landing,
                    "byte {} of file {}",
                    at,
                    file
                );
            }
        }
        Ok(())
    }
}

#[test]
fn the_media_hold_what_the_model_says_and_a_power_loss_keeps_what_it_allows() {
    let reached = Reached::default();
    let config = Config {
        cases: 4000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = (
        prop::collection::vec(step(), 1..80),
        any::<u64>(),
        any::<bool>(),
    );
    let outcome = runner.run(&strategy, |(steps, seed, drained)| {
        let disk = Disk::formatted(&[(name(0), Vec::new()), (name(1), Vec::new())], 1 << 20);
        let models = [Model::new(), Model::new()];
        let mut bench = Bench {
            disk,
            models,
            open: Vec::new(),
            choices: Seeded::new(seed),
            now: 0,
            good_sync: [false; 2],
        };
        for step in &steps {
            match *step {
                Step::Complete { which, fails } => bench.complete(which, fails, &reached),
                _ => bench.submit(step),
            }
            bench.check()?;
        }
        bench.cut(drained, &reached)
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    for (what, times) in [
        ("a sync failed", &reached.stranded),
        ("a failed sync landed in part", &reached.landed),
        ("what a failed sync covered was dropped", &reached.dropped),
        (
            "what a failed sync covered was lost though the next succeeded",
            &reached.lost_after_a_good_sync,
        ),
        ("a write was torn", &reached.torn),
        ("operations were under way", &reached.under_way),
        ("syncs overlapped", &reached.overlapping_syncs),
    ] {
        assert!(times.get() >= 100, "{what} only {} times", times.get());
    }
}

/// Operations on names: create, rename, remove, sync the directory, by indices of names.
fn change() -> impl Strategy<Value = (u8, usize, usize)> {
    (0..8u8, 0..4usize, 0..4usize)
}

proptest! {
    #![proptest_config(Config { cases: 4000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn unsynced_names_survive_as_any_subset_and_no_file_is_lost(
        changes in prop::collection::vec(change(), 1..16),
        seed in any::<u64>(),
    ) {
        let names = ["a", "b", "c", "d"].map(|text| FileName::new(text).expect("a name"));
        let (mut disk, mut choices) = (Disk::formatted(&[], 1 << 20), Seeded::new(seed));
        let mut run = |disk: &mut Disk, op: DiskOp| {
            let ticket = disk.submit(op);
            disk.complete(ticket, Fate::Ok, &mut choices, NOBODY).result.is_ok()
        };
        let mut pairs = BTreeSet::new();
        let mut durable = BTreeSet::new();
        let mut files = 0u8;
        let mut synced = disk.visible_image();
        for (kind, one, two) in changes {
            match kind {
                0..=2 => {
                    if run(&mut disk, DiskOp::Create(names[one])) {
                        files += 1;
                        run(
                            &mut disk,
                            DiskOp::Write {
                                file: names[one],
                                offset: 0,
                                data: vec![files; 8].into(),
                            },
                        );
                        run(&mut disk, DiskOp::Sync(names[one]));
                    }
                }
                3..=5 => drop(run(&mut disk, DiskOp::Rename { from: names[one], to: names[two] })),
                6 => drop(run(&mut disk, DiskOp::Remove(names[one]))),
                _ => {
                    run(&mut disk, DiskOp::SyncDir);
                    synced = disk.visible_image();
                    durable = synced.values().cloned().collect();
                }
            }
            let seen = disk.visible_image();
            durable.retain(|file| seen.values().any(|content| content == file));
            pairs.extend(seen);
        }
        prop_assert_eq!(&disk.durable_image(), &synced);
        let mut everything = disk.clone();
        everything.lose_power(Keep::Everything, &mut choices, NOBODY);
        prop_assert_eq!(everything.durable_image(), disk.visible_image());
        disk.lose_power(Keep::Any, &mut choices, NOBODY);
        let left = disk.durable_image();
        let distinct: BTreeSet<_> = left.values().cloned().collect();
        prop_assert_eq!(distinct.len(), left.len(), "a file has one name");
        prop_assert!(durable.is_subset(&distinct), "a durable file that nobody removed is gone");
        for pair in left {
            prop_assert!(pairs.contains(&pair), "{:?} was never so", pair);
        }
    }
}
