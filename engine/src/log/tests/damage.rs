//! Damage is met with a halt, or with the whole content; never with a part of it, and never with a
//! panic.

use proptest::prelude::*;
use synod_port::files::{DiskError, FileName};

use crate::config::{Config, SECTOR};
use crate::ids::{Ballot, NodeId};
use crate::io::Halt;
use crate::log::fake_disk::FakeDisk;
use crate::log::store;
use crate::log::tests::host::{Host, Step, boot, boot_twice, config, lived, steps};
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
    let mut life = vec![
        Settle,
        Append(600),
        Append(1500),
        Promise,
        Settle,
        Append(20),
        Complete(1),
        CutPower,
        Settle,
        Append(900),
        FailSync,
    ];
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
        for length in 0..files[file].1.len() {
            let mut bad = files.clone();
            bad[file].1.truncate(length);
            judge(
                &boot(bad),
                &whole,
                &format!("{} cut to {length}", files[file].0),
            );
        }
    }
}

#[test]
fn a_file_that_has_grown_is_met_with_a_halt_or_the_whole_content() {
    let (disk, whole) = lived(2, &some_life());
    let files = disk.image();
    for file in 0..files.len() {
        for more in [1, SECTOR, 8 * SECTOR] {
            for byte in [0, 1] {
                let mut bad = files.clone();
                bad[file].1.resize(files[file].1.len() + more, byte);
                judge(
                    &boot_twice(bad, &whole),
                    &whole,
                    &format!("{} grown by {more}", files[file].0),
                );
            }
        }
    }
}

#[test]
fn a_sector_at_the_place_of_another_is_met_with_a_halt_or_the_whole_content() {
    let (disk, whole) = lived(4, &some_life());
    let files = disk.image();
    let places: Vec<_> = files
        .iter()
        .enumerate()
        .flat_map(|(file, (_, bytes))| (0..bytes.len() / SECTOR).map(move |sector| (file, sector)))
        .collect();
    let sector =
        |(file, sector): (usize, usize)| &files[file].1[sector * SECTOR..(sector + 1) * SECTOR];
    let mut halts = 0;
    for to in &places {
        for from in places.iter().filter(|from| {
            sector(**from) != sector(*to) && sector(**from).iter().any(|byte| *byte != 0)
        }) {
            let mut bad = files.clone();
            bad[to.0].1[to.1 * SECTOR..(to.1 + 1) * SECTOR].copy_from_slice(sector(*from));
            let found = boot(bad);
            judge(
                &found,
                &whole,
                &format!(
                    "{} sector {} over {} sector {}",
                    files[from.0].0, from.1, files[to.0].0, to.1
                ),
            );
            halts += usize::from(found.is_err());
        }
    }
    assert!(halts > places.len());
}

#[test]
fn a_file_under_the_name_of_another_is_met_with_a_halt_or_the_whole_content() {
    let (disk, whole) = lived(5, &some_life());
    let files = disk.image();
    let last = last_used(&files);
    let free = ["log-00000099", "promise-a-00000099", "promise-b-00000099"];
    let names: Vec<FileName> = files
        .iter()
        .map(|file| file.0)
        .chain(free.iter().map(|name| FileName::new(name).expect("short")))
        .collect();
    for file in 0..files.len() {
        for name in names.iter().filter(|name| **name != files[file].0) {
            let what = format!("{} called {name}", files[file].0);
            // As a copy: over what has that name, or beside everything.
            let mut copied = files.clone();
            copied.retain(|known| known.0 != *name);
            copied.push((*name, files[file].1.clone()));
            judge(&boot_twice(copied.clone(), &whole), &whole, &what);
            // Moved away; when the last segment is no segment any more, nothing tells of it.
            copied.retain(|known| known.0 != files[file].0);
            if files[file].0 != last || name.as_str().starts_with("log-") {
                judge(
                    &boot_twice(copied, &whole),
                    &whole,
                    &format!("{what} alone"),
                );
            }
        }
    }
}

/// The last segment that holds a group; one that was prepared ahead may follow it.
fn last_used(files: &[(FileName, Vec<u8>)]) -> FileName {
    let used = |(name, bytes): &&(FileName, Vec<u8>)| {
        name.as_str().starts_with("log-") && bytes[SECTOR..].iter().any(|byte| *byte != 0)
    };
    files
        .iter()
        .filter(used)
        .map(|file| file.0)
        .max()
        .expect("something was appended")
}

#[test]
fn a_missing_file_is_met_with_a_halt_or_the_whole_content_unless_it_is_the_end_of_the_log() {
    let (disk, whole) = lived(6, &some_life());
    let files = disk.image();
    let mut lost = Vec::new();
    for file in 0..files.len() {
        let mut bad = files.clone();
        bad.remove(file);
        if let Ok(found) = boot_twice(bad, &whole) {
            assert_eq!(found.promised, whole.promised);
            assert!(
                whole.records.starts_with(&found.records),
                "{}",
                files[file].0
            );
            lost.extend((found.records != whole.records).then_some(files[file].0));
        }
    }
    assert_eq!(
        lost,
        [last_used(&files)],
        "nothing tells of the last segment's groups but the segment"
    );
}

#[test]
fn what_is_none_of_its_files_is_left_alone() {
    let (disk, whole) = lived(7, &some_life());
    for name in [
        "core",
        "log-1",
        "log-000000007",
        "log-0000000x",
        "promise-c-00000001",
        "promise-a-1",
        "tmp-x",
        "tmp-9999999999999999999",
        "log-9999999999999999999",
        "promise-b-9999999999999",
    ] {
        let mut files = disk.image();
        files.push((FileName::new(name).expect("short"), b"anything".to_vec()));
        judge(
            &Ok(boot_twice(files, &whole).expect("nothing is damaged")),
            &whole,
            name,
        );
    }
    let mut files = disk.image();
    files.push((
        FileName::new("tmp-00000099").expect("short"),
        b"half a segment".to_vec(),
    ));
    judge(
        &Ok(boot_twice(files, &whole).expect("nothing is damaged")),
        &whole,
        "a segment that was being prepared",
    );
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
                assert!(
                    found.records.len() + 1 >= whole.records.len()
                        && whole.records.starts_with(&found.records)
                );
                assert!(
                    found.records == whole.records
                        || found.torn
                        || found.records.len() + 1 == whole.records.len()
                );
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
    assert_eq!(
        boot(files.clone()).map(|found| found.promised),
        Ok(Ballot::ZERO)
    );
    files[1].1[40] ^= 1;
    assert_eq!(boot(files), Err(Halt::PromiseLost));
    assert_eq!(boot(Vec::new()), Err(Halt::PromiseLost));
}

#[test]
fn files_of_another_node_are_refused() {
    let other = Config {
        node: NodeId(2),
        ..config()
    };
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
    fn any_damage_is_met_with_a_halt_or_the_whole_content(
        seed in any::<u64>(),
        steps in steps(true),
        bytes in prop::collection::vec((any::<usize>(), any::<usize>(), 1u8..), 1..4),
    ) {
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
        judge(&boot_twice(files, &whole), &whole, "flipped bytes");
    }
}
