//! Bit rot, misdirected writes and latent sector errors.

use super::*;
use crate::scenario::fault::Spots;

#[test]
fn rot_hits_only_what_was_synced_and_is_seen_at_once() {
    for kind in Damage::ROT.into_iter().chain([Damage::Misdirected]) {
        let mut disk = disk(&[("log-1", "ab"), ("promise", "c")]);
        disk.all([
            write("log-1", 1, "x"),
            DiskOp::Create(name("log-2")),
            write("log-2", 0, "y"),
            sync("log-2"),
        ]);
        let before = disk.clone();
        let hits = disk.rot(
            &Rot {
                spots: &Spots::anywhere(9).of("log"),
                kinds: &[kind],
            },
            &mut Seeded::new(1),
            NOBODY,
        );
        let expected = usize::from(kind != Damage::Misdirected);
        assert_eq!(
            hits.len(),
            expected,
            "{kind:?}: with no other sector to mistake it for, nothing is misdirected"
        );
        let Some(hit) = hits.first() else { continue };
        assert_eq!((hit.file, hit.sector, hit.damage), (name("log-1"), 0, kind));
        assert_eq!(disk.flaws(), [hit.flaw]);
        let [seen, media] = [
            disk.peek(name("log-1")).expect("it is there"),
            disk.durable_image()
                .remove(&name("log-1"))
                .expect("it is there"),
        ];
        assert_eq!(seen[..SECTOR], media[..SECTOR]);
        assert_ne!(
            media[..SECTOR],
            before.durable_image()[&name("log-1")][..SECTOR]
        );
        assert_eq!(before.flaws(), []);
        let again = disk.rot(
            &Rot {
                spots: &Spots::anywhere(9).of("log"),
                kinds: &[kind],
            },
            &mut Seeded::new(2),
            NOBODY,
        );
        assert!(again.is_empty(), "a second damage might mend the first");
    }
}

#[test]
fn rot_of_each_kind_is_what_it_says() {
    let differing = |kind: Damage| {
        let mut disk = disk(&[("f", "ab")]);
        let hits = disk.rot(
            &Rot {
                spots: &Spots::anywhere(1),
                kinds: &[kind],
            },
            &mut Seeded::new(5),
            NOBODY,
        );
        assert_eq!(hits.len(), 1, "{kind:?}");
        let (old, new) = (sectors("ab"), disk.peek(name("f")).expect("it is there"));
        let bits: u32 = old
            .iter()
            .zip(&new)
            .map(|(old, new)| (old ^ new).count_ones())
            .sum();
        let bytes = old.iter().zip(&new).filter(|(old, new)| old != new).count();
        (bits, bytes, new)
    };
    assert_eq!(differing(Damage::Bit).0, 1);
    assert_eq!(differing(Damage::Byte).1, 1);
    assert!(differing(Damage::Noise).1 > 400);
    let misdirected = differing(Damage::Misdirected).2;
    assert_eq!(misdirected[..SECTOR], misdirected[SECTOR..]);
}

/// A file of 13 bytes: whatever is hit, a reader of the file sees it, and its length stays.
#[test]
fn rot_strikes_only_bytes_that_belong_to_the_file() {
    for seed in 0..32 {
        for kind in [Damage::Bit, Damage::Byte, Damage::Noise] {
            let mut disk = disk(&[]);
            disk.all([
                DiskOp::Create(name("f")),
                DiskOp::Write {
                    file: name("f"),
                    offset: 0,
                    data: Arc::new([7; 13]),
                },
                sync("f"),
                DiskOp::SyncDir,
            ]);
            let hits = disk.rot(
                &Rot {
                    spots: &Spots::anywhere(1),
                    kinds: &[kind],
                },
                &mut Seeded::new(seed),
                NOBODY,
            );
            assert_eq!(hits.len(), 1, "{kind:?}");
            let seen = disk.peek(name("f")).expect("it is there");
            assert_eq!(seen.len(), 13, "{kind:?}");
            assert_ne!(seen, [7; 13], "{kind:?}");
        }
    }
}

#[test]
fn a_sector_is_zeroed_unless_it_is_the_last_that_was_written() {
    for seed in 0..32 {
        let mut disk = disk(&[("f", "ab")]);
        let hits = disk.rot(
            &Rot {
                spots: &Spots::anywhere(1),
                kinds: &[Damage::Zeroed],
            },
            &mut Seeded::new(seed),
            NOBODY,
        );
        let first = hits[0].sector == 0;
        assert_eq!(
            hits[0].damage,
            if first { Damage::Zeroed } else { Damage::Noise }
        );
        assert_eq!(
            disk.peek(name("f")).expect("it is there")[..SECTOR]
                .iter()
                .all(|byte| *byte == 0),
            first
        );
    }
}

#[test]
fn what_came_to_the_media_last_is_not_zeroed_since_it_could_be_torn() {
    let zero = |disk: &mut Disk, seed| {
        let rot = Rot {
            spots: &Spots::anywhere(1),
            kinds: &[Damage::Zeroed],
        };
        let hits = disk.rot(&rot, &mut Seeded::new(seed), NOBODY);
        (hits[0].sector, hits[0].damage == Damage::Zeroed)
    };
    let mut seen = [0; 6];
    for seed in 0..64 {
        let mut disk = disk(&[("f", "ab")]);
        disk.all([write("f", 2, "cd"), sync("f")]);
        disk.all([write("f", 4, "ef")]);
        let mut synced = disk.clone();
        synced.all([sync("f")]);
        let (sector, zeroed) = zero(&mut synced, seed);
        assert_eq!(zeroed, sector < 4, "{sector} is synced");
        seen[sector as usize] += 1;
        disk.lose_power(Keep::Everything, &mut Script::default(), NOBODY);
        let (sector, zeroed) = zero(&mut disk, seed);
        assert_eq!(zeroed, sector < 2, "{sector} survives");
    }
    assert!(seen.iter().all(|times| *times > 0), "{seen:?}");
}

#[test]
fn damage_is_mended_when_the_whole_sector_is_written_and_synced() {
    let mut disk = disk(&[("f", "a")]);
    disk.rot(
        &Rot {
            spots: &Spots::anywhere(1),
            kinds: &[Damage::Bit],
        },
        &mut Seeded::new(1),
        NOBODY,
    );
    let rotten = disk.clone();
    disk.all([write("f", 0, "b")]);
    assert_eq!(disk.flaws().len(), 1, "not before the sync");
    let mut reverted = disk.clone();
    reverted.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!(reverted.flaws().len(), 1);
    disk.all([sync("f")]);
    assert_eq!(disk.flaws(), []);

    let mut patched = rotten.clone();
    patched.all([
        DiskOp::Write {
            file: name("f"),
            offset: 0,
            data: Arc::new([7; 100]),
        },
        sync("f"),
    ]);
    assert_eq!(
        patched.flaws().len(),
        1,
        "a part of the sector is not enough"
    );

    let mut removed = rotten.clone();
    removed.all([DiskOp::Remove(name("f"))]);
    assert_eq!(removed.flaws().len(), 1, "it may come back");
    removed.all([DiskOp::SyncDir]);
    assert_eq!(removed.flaws(), []);
}

#[test]
fn a_sector_that_cannot_be_read_fails_reads_until_it_is_written_whole() {
    let mut disk = disk(&[("f", "a")]);
    let hits = disk.rot(
        &Rot {
            spots: &Spots::anywhere(3).of("f"),
            kinds: &[Damage::Unreadable],
        },
        &mut Script::default(),
        NOBODY,
    );
    assert_eq!(hits.len(), 1);
    disk.all([write("f", 1, "b")]);
    assert_eq!(disk.run(read("f", 0, 1)), Err(DiskError::Io));
    assert_eq!(disk.run(read("f", 500, 100)), Err(DiskError::Io));
    assert_eq!(disk.run(read("f", 512, 100)).map(|_| ()), Ok(()));
    for (offset, size) in [(0, 100), (100, 500)] {
        let part = DiskOp::Write {
            file: name("f"),
            offset,
            data: vec![7; size].into(),
        };
        assert_eq!(
            disk.run(part),
            Err(DiskError::Io),
            "the rest of the sector would have to be read"
        );
    }
    assert_eq!(disk.seen(), files(&[]), "it cannot be read");
    disk.all([write("f", 0, "xy")]);
    assert_eq!(disk.run(read("f", 0, 600)).map(|_| ()), Ok(()));
    disk.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!(
        disk.run(read("f", 0, 1)),
        Err(DiskError::Io),
        "what was written over it is lost"
    );
}

#[test]
fn a_misdirected_write_strikes_both_places_when_the_file_is_synced_again() {
    let disk = |steps: &[DiskOp]| {
        let mut disk = disk(&[("log", "abc"), ("promise", "p")]);
        disk.set_misdirecting(Some(FaultNumber(1)));
        disk.all(steps.iter().cloned());
        disk
    };
    let (first, second) = (
        [write("log", 3, "x"), sync("log")],
        [write("log", 4, "y"), sync("log")],
    );
    let hidden = disk(&first);
    assert_eq!(
        (hidden.seen(), hidden.flaws().len()),
        (files(&[("log", "abcx"), ("promise", "p")]), 0),
        "nothing shows it yet"
    );

    every(|script| {
        let mut disk = hidden.clone();
        disk.all([write("log", 4, "y")]);
        let ticket = disk.submit(sync("log"));
        let hits = disk.complete(ticket, Fate::Ok, script, NOBODY).misdirected;
        let [missed, struck] = hits[..] else {
            panic!("two places: {hits:?}")
        };
        assert_eq!(
            (missed.file, missed.sector, missed.damage),
            (name("log"), 3, Damage::Unwritten)
        );
        assert_eq!(struck.damage, Damage::Misdirected);
        let mut expected = disk.peek(name("log")).expect("it is there");
        assert_eq!(expected[3 * SECTOR], 0, "the old content");
        if struck.file == name("promise") {
            expected = disk.peek(name("promise")).expect("it is there");
        }
        assert_eq!(expected[struck.sector as usize * SECTOR], b'x');
        assert_eq!(disk.flaws(), [missed.flaw, struck.flaw]);
        disk.all([
            write("log", 5, "z"),
            sync("log"),
            write("log", 6, "z"),
            sync("log"),
        ]);
        assert_eq!(disk.flaws().len(), 2, "one write was to be misdirected");
    });

    // Whatever cannot show a write that went elsewhere leaves it where it belongs.
    let again = [write("log", 3, "z"), sync("log")];
    let other = [write("promise", 0, "q"), sync("promise")];
    for next in [&again[..], &other[..]] {
        let mut disk = hidden.clone();
        disk.all(next.iter().cloned());
        assert_eq!(disk.flaws(), []);
    }
    let mut dead = hidden.clone();
    dead.kill(&mut Script::default(), NOBODY);
    dead.all(second.iter().cloned());
    assert_eq!(dead.flaws(), []);
    let mut dark = hidden.clone();
    dark.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!(dark.seen(), files(&[("log", "abcx"), ("promise", "p")]));
    let mut ended = hidden;
    ended.set_misdirecting(None);
    ended.all(second.iter().cloned());
    assert_eq!(ended.flaws(), []);
}

#[test]
fn a_lost_disk_is_empty_and_takes_files_again() {
    let mut disk = disk(&[("log", "abc"), ("promise", "p")]);
    disk.all([write("log", 3, "x")]);
    disk.submit(sync("log"));
    assert!(disk.lose_everything());
    assert_eq!(
        (disk.seen(), disk.durable_names().count(), disk.used()),
        (files(&[]), 0, 0)
    );
    assert!(!disk.lose_everything(), "there was nothing left to lose");
    disk.all([
        DiskOp::Create(name("log")),
        write("log", 0, "n"),
        sync("log"),
        DiskOp::SyncDir,
    ]);
    assert_eq!(disk.seen(), files(&[("log", "n")]));
}

#[test]
fn a_tail_is_the_last_that_is_written_of_the_last_file() {
    let mut disk = disk(&[("log-1", "abcdef"), ("log-2", "abcdefg"), ("promise", "c")]);
    disk.all([
        DiskOp::Truncate {
            file: name("log-2"),
            length: 20 * 512,
        },
        sync("log-2"),
    ]);
    let spots = Spots {
        tail: true,
        ..Spots::anywhere(9).of("log")
    };
    let rot = Rot {
        spots: &spots,
        kinds: &[Damage::Bit],
    };
    let hits = disk.rot(&rot, &mut Seeded::new(1), NOBODY);
    let mut hit: Vec<u32> = hits.iter().map(|hit| hit.sector).collect();
    hit.sort_unstable();
    assert_eq!(hit, [3, 4, 5, 6]);
    assert!(hits.iter().all(|hit| hit.file == name("log-2")));
}
