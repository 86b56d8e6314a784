//! Damage is met with a halt, or with the whole content; never with a part of it, and never with a panic.

use proptest::prelude::*;

use crate::config::{Config, SECTOR};
use crate::ids::{Ballot, NodeId};
use crate::io::{DiskError, Halt};
use crate::log::fake_disk::FakeDisk;
use crate::log::store;
use crate::log::tests::host::{Host, Step, boot, config, lived, steps};
use crate::recovered::Recovered;

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

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
