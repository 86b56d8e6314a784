//! What a sync covers, when it succeeds and when it fails.

use super::*;

#[test]
fn a_sync_covers_what_was_complete_when_it_was_submitted() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "b")]);
    let late = disk.submit(write("f", 1, "c"));
    let ticket = disk.submit(sync("f"));
    disk.end(late, Fate::Ok);
    disk.all([write("f", 2, "d")]);
    assert_eq!(disk.end(ticket, Fate::Ok).result, Ok(DiskOk::Done));
    assert_eq!(disk.kept(), files(&[("f", "b")]));
    assert_eq!(disk.seen(), files(&[("f", "bcd")]));
}

#[test]
fn a_sector_that_changes_under_a_sync_is_durable_as_it_was() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "b")]);
    let ticket = disk.submit(sync("f"));
    disk.all([write("f", 0, "c")]);
    let synced = disk
        .end(ticket, Fate::Ok)
        .synced
        .expect("a sync that succeeded");
    assert_eq!(synced.sectors()[..], [(0, &*sectors("b"))]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["b", "c"]);
    disk.all([sync("f")]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["c"]);
}

#[test]
fn a_file_that_is_cut_off_under_a_sync_is_durable_as_it_was() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "bc")]);
    let ticket = disk.submit(sync("f"));
    disk.all([truncate("f", 0)]);
    disk.end(ticket, Fate::Ok);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["", "bc"]);
    disk.all([sync("f")]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), [""]);
}

#[test]
fn a_write_under_a_sync_of_what_cut_it_off_is_durable_after_its_own() {
    let mut disk = disk(&[("f", "ab")]);
    disk.all([truncate("f", 0)]);
    let first = disk.submit(sync("f"));
    disk.all([write("f", 1, "c")]);
    let second = disk.submit(sync("f"));
    disk.all([truncate("f", 0)]);
    disk.end(first, Fate::Ok);
    disk.end(second, Fate::Ok);
    assert_eq!(disk.kept(), files(&[("f", ".c")]));
}

#[test]
fn a_failed_sync_leaves_what_reads_as_new_and_is_not_on_the_media() {
    let mut disk = disk(&[("f", "ab")]);
    disk.all([write("f", 0, "x")]);
    let ticket = disk.submit(sync("f"));
    disk.all([write("f", 1, "y")]);
    let failed = disk.end(ticket, IO);
    assert_eq!(
        (failed.result, failed.spoiled, failed.synced.is_none()),
        (Err(DiskError::Io), 1, true)
    );
    assert_eq!(disk.seen(), files(&[("f", "xy")]));
    disk.all([sync("f")]);
    assert_eq!(
        Disk::contents(disk.outcomes(), "f"),
        ["ay"],
        "the next sync covers only what came after"
    );
    let mut again = disk.clone();
    again.all([write("f", 0, "x"), sync("f")]);
    assert_eq!(
        Disk::contents(again.outcomes(), "f"),
        ["xy"],
        "unless it is written again"
    );
    disk.kill(&mut Script::default(), NOBODY);
    assert_eq!(
        disk.seen(),
        files(&[("f", "xy")]),
        "a kill does not show it"
    );
    let report = disk.lose_power(Keep::Everything, &mut Script::default(), NOBODY);
    assert_eq!((report.lost_sectors, report.torn_writes), (1, 0));
    assert_eq!(disk.seen(), files(&[("f", "ay")]));
}

/// Everything that a sync under way may leave when it fails: what the media holds, and what is seen.
fn failures(before: &Disk, ticket: Ticket) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let media = |disk: &Disk| disk.kept()["f"].clone();
    let old = media(before);
    every(|script| {
        let mut disk = before.clone();
        let failed = disk.complete(ticket, IO, script, NOBODY);
        let (landed, seen) = (media(&disk), disk.seen()["f"].clone());
        let mut told: Vec<char> = old.chars().collect();
        if let Some(synced) = &failed.synced {
            let length = synced.length().unwrap_or(told.len() as u64 * SECTOR_BYTES);
            told.resize(usize::try_from(length / SECTOR_BYTES).expect("a few"), '.');
            for (sector, bytes) in synced.sectors() {
                told[sector as usize] = char::from(bytes[0]);
            }
        }
        assert_eq!(told.into_iter().collect::<String>(), landed, "what is told");
        disk.all([sync("f")]);
        assert_eq!(
            media(&disk),
            landed,
            "no later sync writes what did not land"
        );
        found.insert((landed, seen));
    });
    found
}

#[test]
fn a_failed_sync_lands_any_part_and_the_rest_reads_as_new_or_as_old() {
    let mut disk = disk(&[("f", "ab")]);
    disk.all([write("f", 0, "xy")]);
    let ticket = disk.submit(sync("f"));
    let mut expected = BTreeSet::new();
    for (one, seen_one) in [("x", "x"), ("a", "x"), ("a", "a")] {
        for (two, seen_two) in [("y", "y"), ("b", "y"), ("b", "b")] {
            expected.insert((format!("{one}{two}"), format!("{seen_one}{seen_two}")));
        }
    }
    assert_eq!(failures(&disk, ticket), expected);
}

#[test]
fn what_the_length_on_the_media_does_not_reach_does_not_land() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 1, "b")]);
    let ticket = disk.submit(sync("f"));
    let expected = [
        ("a", "ab"),
        ("a", "a."),
        ("a.", "ab"),
        ("a.", "a."),
        ("ab", "ab"),
    ];
    let expected = expected.map(|(media, seen)| (media.to_owned(), seen.to_owned()));
    assert_eq!(failures(&disk, ticket), BTreeSet::from(expected));
}

#[test]
fn nothing_is_dropped_while_another_sync_is_under_way() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "b")]);
    disk.submit(sync("f"));
    let ticket = disk.submit(sync("f"));
    let seen: BTreeSet<_> = failures(&disk, ticket)
        .into_iter()
        .map(|(_, seen)| seen)
        .collect();
    assert_eq!(seen, BTreeSet::from(["b".to_owned()]));
}

#[test]
fn a_failed_sync_strands_the_length_too() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 1, "bc")]);
    let ticket = disk.submit(sync("f"));
    disk.end(ticket, IO);
    disk.all([sync("f")]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["a"]);
    disk.all([write("f", 1, "b"), sync("f")]);
    assert_eq!(
        Disk::contents(disk.outcomes(), "f"),
        ["ab."],
        "a write that is synced is within the length"
    );
}

#[test]
fn a_sector_that_changed_under_a_failed_sync_is_still_due() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "b")]);
    let ticket = disk.submit(sync("f"));
    disk.all([write("f", 0, "c")]);
    assert_eq!(disk.end(ticket, IO).spoiled, 0);
    disk.all([sync("f")]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["c"]);
}

#[test]
fn two_syncs_under_way_do_not_undo_each_other() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "bb")]);
    let first = disk.submit(sync("f"));
    disk.all([write("f", 0, "c"), truncate("f", SECTOR_BYTES)]);
    let second = disk.submit(sync("f"));
    let mut other = disk.clone();
    for (one, two) in [(first, second), (second, first)] {
        disk = other.clone();
        disk.end(one, Fate::Ok);
        disk.end(two, Fate::Ok);
        assert_eq!(Disk::contents(disk.outcomes(), "f"), ["c"]);
    }
    let third = other.submit(sync("f"));
    other.end(second, IO);
    other.end(third, Fate::Ok);
    other.end(first, Fate::Ok);
    assert_eq!(
        Disk::contents(other.outcomes(), "f"),
        ["bb"],
        "what failed for one sync is not brought back by another that covers the same"
    );
}

#[test]
fn a_sync_tells_what_became_durable_under_the_present_name() {
    let mut disk = disk(&[]);
    disk.all([
        DiskOp::Create(name("tmp")),
        write("tmp", 0, "a"),
        write("tmp", 2, "c"),
    ]);
    let ticket = disk.submit(sync("tmp"));
    disk.all([rename("tmp", "log")]);
    let synced = disk
        .end(ticket, Fate::Ok)
        .synced
        .expect("a sync that succeeded");
    assert_eq!((synced.file, synced.length()), (name("log"), Some(1536)));
    assert_eq!(
        synced.sectors()[..],
        [(0, &*sectors("a")), (2, &*sectors("c"))]
    );
    let ticket = disk.submit(sync("log"));
    let synced = disk
        .end(ticket, Fate::Ok)
        .synced
        .expect("a sync that succeeded");
    assert_eq!((synced.sectors().len(), synced.length()), (0, None));
}

#[test]
fn what_was_synced_last_is_no_file_that_took_its_place() {
    let mut disk = disk(&[]);
    disk.all([DiskOp::Create(name("a")), write("a", 0, "a"), sync("a")]);
    assert_eq!(disk.last_synced(), Some(name("a")));
    disk.all([rename("a", "b")]);
    assert_eq!(disk.last_synced(), Some(name("b")));
    disk.all([DiskOp::Remove(name("b")), DiskOp::SyncDir]);
    disk.all([DiskOp::Create(name("c")), DiskOp::SyncDir]);
    assert_eq!(disk.last_synced(), None);
    disk.all([sync("c")]);
    disk.lose_everything();
    disk.all([DiskOp::Create(name("d"))]);
    assert_eq!(disk.last_synced(), None, "the disk is another one");
}

#[test]
fn what_lands_of_a_failure_can_be_named() {
    let mut unsynced = disk(&[("f", "ab")]);
    unsynced.all([write("f", 1, "xy")]);
    for op in [sync("f"), write("f", 0, "pqr")] {
        let mut disk = unsynced.clone();
        let ticket = disk.submit(op);
        let ends = |kept: Option<&[Loose]>| {
            let mut images = BTreeSet::new();
            every(|script| {
                let mut disk = disk.clone();
                if let Some(kept) = kept {
                    disk.fails_keeping(ticket, kept);
                }
                disk.complete(ticket, IO, script, NOBODY);
                images.insert((image(disk.durable_image()), disk.seen()));
            });
            images
        };
        let (drawn, nothing) = (ends(None), ends(Some(&[])));
        let things = disk.breakable(ticket);
        let named: BTreeSet<_> = subsets(&things)
            .flat_map(|kept| ends(Some(&kept)))
            .collect();
        assert_eq!(named, drawn);
        assert!(
            nothing
                .iter()
                .all(|(media, _)| *media == files(&[("f", "ab")]))
        );
        assert!(nothing.len() < drawn.len());
    }
}
