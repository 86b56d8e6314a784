//! Names and their durability.

use super::*;

#[test]
fn a_sync_of_a_file_never_covers_names_and_one_of_the_directory_never_covers_bytes() {
    let mut disk = disk(&[]);
    disk.all([DiskOp::Create(name("f")), write("f", 0, "a"), sync("f")]);
    assert_eq!(disk.kept(), files(&[]));
    disk.all([write("f", 1, "b"), DiskOp::SyncDir]);
    assert_eq!(disk.kept(), files(&[("f", "a")]));
}

#[test]
fn a_directory_sync_covers_what_was_complete_when_it_was_submitted() {
    let mut disk = disk(&[]);
    disk.all([DiskOp::Create(name("a"))]);
    let late = disk.submit(DiskOp::Create(name("b")));
    let ticket = disk.submit(DiskOp::SyncDir);
    disk.end(late, Fate::Ok);
    assert_eq!(disk.end(ticket, Fate::Ok).result, Ok(DiskOk::Done));
    assert_eq!(disk.kept(), files(&[("a", "")]));
}

#[test]
fn a_failed_directory_sync_leaves_the_names_to_the_next() {
    let mut disk = disk(&[]);
    disk.all([DiskOp::Create(name("a"))]);
    let ticket = disk.submit(DiskOp::SyncDir);
    assert_eq!(disk.end(ticket, IO).result, Err(DiskError::Io));
    assert_eq!(disk.kept(), files(&[]));
    disk.all([DiskOp::SyncDir]);
    assert_eq!(disk.kept(), files(&[("a", "")]));
}

#[test]
fn each_rename_is_atomic() {
    let mut disk = disk(&[("log", "a"), ("tmp", "b")]);
    disk.all([rename("tmp", "log")]);
    let (before, after) = (files(&[("log", "a"), ("tmp", "b")]), files(&[("log", "b")]));
    assert_eq!(disk.outcomes(), BTreeSet::from([before, after.clone()]));
    let report = disk
        .clone()
        .lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!(
        (report.lost_names, report.returned_names),
        (1, 2),
        "the name given up and the file that was replaced are back"
    );
    disk.all([DiskOp::SyncDir]);
    assert_eq!(disk.outcomes(), BTreeSet::from([after]));
}

#[test]
fn a_file_that_was_prepared_and_renamed_has_one_name_or_none() {
    let mut disk = disk(&[]);
    disk.all([
        DiskOp::Create(name("tmp")),
        write("tmp", 0, "a"),
        sync("tmp"),
        rename("tmp", "log"),
        rename("log", "old"),
    ]);
    let names = [
        files(&[]),
        files(&[("tmp", "a")]),
        files(&[("log", "a")]),
        files(&[("old", "a")]),
    ];
    assert_eq!(disk.outcomes(), BTreeSet::from(names));
}

#[test]
fn a_removed_file_may_come_back() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([DiskOp::Remove(name("f"))]);
    assert_eq!(
        disk.outcomes(),
        BTreeSet::from([files(&[]), files(&[("f", "a")])])
    );
    let mut back = disk.clone();
    let report = back.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!((report.lost_names, report.returned_names), (1, 1));
    assert_eq!(back.used(), 2 * SECTOR_BYTES);
    disk.all([DiskOp::SyncDir]);
    assert_eq!(disk.outcomes(), BTreeSet::from([files(&[])]));
    assert!(
        disk.files.iter().all(Option::is_none),
        "and is forgotten when it cannot"
    );
}

#[test]
fn a_file_that_was_not_removed_is_never_without_a_name() {
    let mut disk = disk(&[("a", "1"), ("b", "2")]);
    disk.all([
        rename("a", "tmp"),
        rename("b", "a"),
        rename("tmp", "b"),
        DiskOp::Create(name("tmp")),
    ]);
    for outcome in disk.outcomes() {
        let contents: BTreeSet<&str> = outcome
            .values()
            .map(String::as_str)
            .filter(|content| !content.is_empty())
            .collect();
        assert_eq!(contents, BTreeSet::from(["1", "2"]), "{outcome:?}");
    }
}

#[test]
fn a_name_that_a_power_loss_took_is_not_found() {
    let mut disk = disk(&[]);
    disk.all([DiskOp::Create(name("f")), write("f", 0, "a")]);
    disk.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!(disk.run(write("f", 0, "b")), Err(DiskError::NotFound));
}
