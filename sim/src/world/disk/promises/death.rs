//! What a kill, a power loss and a failed write leave.

use super::*;

#[test]
fn a_kill_is_not_a_power_loss() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([
        write("f", 0, "bc"),
        DiskOp::Create(name("g")),
        rename("f", "h"),
    ]);
    disk.kill(&mut Script::default(), NOBODY);
    assert_eq!(disk.seen(), files(&[("g", ""), ("h", "bc")]));
    assert_eq!(disk.kept(), files(&[("f", "a")]));
}

#[test]
fn writes_under_way_land_at_a_kill_as_any_subset_of_their_sectors_and_never_later() {
    let mut disk = disk(&[("f", "ab")]);
    disk.submit(write("f", 1, "cd"));
    let contents = Disk::contents(disk.kills(), "f");
    assert_eq!(contents, ["ab", "abd", "ac", "acd"]);
    let report = disk.kill(
        &mut Script {
            answers: vec![2, 1, 0],
            ..Script::default()
        },
        NOBODY,
    );
    assert_eq!(
        report,
        KillReport {
            landed_sectors: 1,
            dropped_sectors: 1,
            torn_writes: 1,
            ..KillReport::default()
        }
    );
    assert!(disk.under_way.is_empty());
    assert_eq!(disk.seen(), files(&[("f", "ac")]));
    assert_eq!(disk.kept(), files(&[("f", "ab")]));
}

#[test]
fn other_changes_under_way_are_done_or_not_at_a_kill() {
    let mut disk = disk(&[("f", "ab")]);
    disk.submit(DiskOp::Create(name("g")));
    disk.submit(truncate("f", SECTOR_BYTES));
    disk.submit(sync("f"));
    let all = disk.kills();
    assert_eq!(all.len(), 4);
    assert!(all.contains(&files(&[("f", "ab")])) && all.contains(&files(&[("f", "a"), ("g", "")])));
}

#[test]
fn overlapping_writes_under_way_land_in_any_order() {
    let mut disk = disk(&[("f", "a")]);
    disk.submit(write("f", 0, "b"));
    disk.submit(write("f", 0, "c"));
    assert_eq!(Disk::contents(disk.kills(), "f"), ["a", "b", "c"]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["a", "b", "c"]);
}

#[test]
fn a_power_loss_keeps_any_subset_of_unsynced_sectors() {
    let mut disk = disk(&[("f", "abc")]);
    disk.all([write("f", 0, "xyz")]);
    let every = ["abc", "abz", "ayc", "ayz", "xbc", "xbz", "xyc", "xyz"];
    assert_eq!(Disk::contents(disk.outcomes(), "f"), every);
    let report = disk.lose_power(
        Keep::Any,
        &mut Script {
            answers: vec![3, 0, 1, 1],
            ..Script::default()
        },
        NOBODY,
    );
    assert_eq!(
        (report.lost_sectors, report.kept_sectors, report.torn_writes),
        (1, 2, 1)
    );
    let [survived] = &report.survived[..] else {
        panic!("one file was written")
    };
    assert_eq!(survived.file, name("f"));
    let sectors = survived.sectors();
    let told: Vec<_> = sectors
        .iter()
        .map(|(index, bytes)| (*index, bytes[0]))
        .collect();
    assert_eq!(told, [(1, b'y'), (2, b'z')]);
    assert_eq!(
        Disk::contents(disk.outcomes(), "f"),
        ["ayz"],
        "what survived is durable"
    );
}

#[test]
fn each_file_keeps_its_own_subset() {
    let mut disk = disk(&[("f", "a"), ("g", "a")]);
    disk.all([write("f", 0, "b"), write("g", 0, "b")]);
    assert_eq!(disk.outcomes().len(), 4);
}

#[test]
fn keeping_everything_is_a_kill() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([
        write("f", 0, "bc"),
        rename("f", "g"),
        DiskOp::Create(name("f")),
    ]);
    disk.submit(write("g", 2, "d"));
    let report = disk.lose_power(Keep::Everything, &mut Script::default(), NOBODY);
    assert_eq!(disk.seen(), files(&[("f", ""), ("g", "bcd")]));
    assert_eq!(
        (report.lost_sectors, report.lost_lengths, report.lost_names),
        (0, 0, 0)
    );
}

#[test]
fn sectors_that_are_written_as_they_were_are_not_lost() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 0, "a")]);
    let report = disk
        .clone()
        .lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!(report.lost_sectors, 0);
    let report = disk.lose_power(Keep::Everything, &mut Script::default(), NOBODY);
    assert_eq!((report.kept_sectors, report.survived.len()), (0, 0));
}

#[test]
fn the_length_is_durable_or_new() {
    let mut disk = disk(&[("f", "a")]);
    disk.all([write("f", 1, "bc")]);
    assert_eq!(
        Disk::contents(disk.outcomes(), "f"),
        ["a", "a..", "a.c", "ab.", "abc"]
    );
    let report = disk.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
    assert_eq!((report.lost_lengths, report.lost_sectors), (1, 2));
}

#[test]
fn an_unsynced_truncation_may_be_undone() {
    let mut disk = disk(&[("f", "abc")]);
    disk.all([truncate("f", SECTOR_BYTES)]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["a", "abc"]);
    disk.all([truncate("f", 3 * SECTOR_BYTES)]);
    assert_eq!(
        Disk::contents(disk.outcomes(), "f"),
        ["a..", "a.c", "ab.", "abc"]
    );
    disk.all([
        truncate("f", SECTOR_BYTES),
        sync("f"),
        write("f", 2, "d"),
        sync("f"),
    ]);
    assert_eq!(Disk::contents(disk.outcomes(), "f"), ["a.d"]);
}

#[test]
fn a_failed_write_lands_as_any_subset() {
    let mut seen = BTreeSet::new();
    every(|script| {
        let mut disk = disk(&[("f", "ab")]);
        let ticket = disk.submit(write("f", 0, "xy"));
        let completion = disk.complete(ticket, IO, script, NOBODY);
        assert_eq!(completion.result, Err(DiskError::Io));
        let landed = disk.seen()["f"]
            .bytes()
            .filter(|byte| b"xy".contains(byte))
            .count();
        assert_eq!(completion.spoiled as usize, 2 - landed);
        assert_eq!(disk.kept(), files(&[("f", "ab")]));
        seen.insert(disk.seen()["f"].clone());
    });
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["ab", "ay", "xb", "xy"]
    );
}

#[test]
fn what_is_beyond_the_length_that_survives_is_gone() {
    let mut disk = Disk::formatted(&[(name("f"), vec![b'a'; 700])], ROOM);
    disk.all([write("f", 1, "b")]);
    disk.lose_power(
        Keep::Any,
        &mut Script {
            answers: vec![2, 0, 1],
            ..Script::default()
        },
        NOBODY,
    );
    assert_eq!(disk.seen(), files(&[("f", "ab+188")]));
    disk.all([truncate("f", 2 * SECTOR_BYTES)]);
    assert!(
        disk.peek(name("f")).expect("it is there")[700..]
            .iter()
            .all(|byte| *byte == 0)
    );
}

#[test]
fn what_a_synced_length_cut_off_never_comes_back() {
    let mut disk = disk(&[("f", "ab")]);
    disk.all([truncate("f", 700)]);
    let ticket = disk.submit(sync("f"));
    disk.end(ticket, IO);
    disk.all([
        truncate("f", 700),
        sync("f"),
        truncate("f", 2 * SECTOR_BYTES),
    ]);
    disk.lose_power(
        Keep::Any,
        &mut Script {
            answers: vec![2, 1, 0],
            ..Script::default()
        },
        NOBODY,
    );
    let content = disk.peek(name("f")).expect("it is there");
    assert_eq!(content.len(), 1024);
    assert!(
        content[512..700].iter().all(|byte| *byte == b'b')
            && content[700..].iter().all(|byte| *byte == 0)
    );
}
