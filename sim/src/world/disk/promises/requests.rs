//! Results, errors, room and copies.

use super::*;

#[test]
fn a_truncation_drops_and_growing_fills_with_zeros() {
    let mut disk = disk(&[("f", "abc")]);
    disk.all([truncate("f", 700)]);
    assert_eq!(disk.seen(), files(&[("f", "ab+188")]));
    disk.all([truncate("f", 3 * SECTOR_BYTES)]);
    let content = disk.peek(name("f")).expect("it is there");
    assert!(
        content[512..700].iter().all(|byte| *byte == b'b')
            && content[700..].iter().all(|byte| *byte == 0)
    );
    assert_eq!(disk.kept(), files(&[("f", "abc")]));
    disk.all([sync("f")]);
    assert_eq!(disk.durable_image()[&name("f")], content);
}

#[test]
fn other_operations_that_fail_have_done_nothing() {
    let mut disk = disk(&[("f", "ab")]);
    for op in [
        truncate("f", 0),
        DiskOp::Create(name("g")),
        rename("f", "g"),
        DiskOp::Remove(name("f")),
        read("f", 0, 9),
        DiskOp::List,
    ] {
        let ticket = disk.submit(op);
        assert_eq!(disk.end(ticket, IO).result, Err(DiskError::Io));
    }
    let ticket = disk.submit(write("f", 0, "x"));
    assert_eq!(
        disk.end(ticket, Fate::Fail(DiskError::NoSpace)).result,
        Err(DiskError::NoSpace)
    );
    assert_eq!(disk.seen(), files(&[("f", "ab")]));
}

#[test]
fn what_needs_room_fails_on_a_full_disk_and_nothing_else_does() {
    let mut disk = disk(&[("f", "ab")]);
    disk.set_full(true);
    for op in [
        DiskOp::Create(name("g")),
        write("f", 1, "xy"),
        truncate("f", 1025),
    ] {
        assert_eq!(disk.run(op), Err(DiskError::NoSpace));
    }
    assert_eq!(disk.seen(), files(&[("f", "ab")]));
    disk.all([
        write("f", 0, "xy"),
        sync("f"),
        rename("f", "g"),
        truncate("g", 9),
        DiskOp::SyncDir,
        DiskOp::Remove(name("g")),
    ]);
    disk.set_full(false);
    disk.all([DiskOp::Create(name("h")), write("h", 0, "a")]);
}

#[test]
fn whether_there_is_room_is_decided_at_completion() {
    let mut disk = disk(&[("f", "ab")]);
    let ticket = disk.submit(write("f", 2, "c"));
    disk.set_full(true);
    assert_eq!(disk.end(ticket, Fate::Ok).result, Err(DiskError::NoSpace));
}

#[test]
fn the_capacity_counts_names_and_whole_lengths() {
    let mut disk = Disk::formatted(&[(name("f"), vec![1; 600])], 6 * SECTOR_BYTES);
    assert_eq!(disk.used(), 3 * SECTOR_BYTES);
    disk.all([DiskOp::Create(name("g")), truncate("g", 2 * SECTOR_BYTES)]);
    assert_eq!(disk.run(write("g", 2, "x")), Err(DiskError::NoSpace));
    assert_eq!(disk.run(DiskOp::Create(name("h"))), Err(DiskError::NoSpace));
    assert_eq!(disk.run(truncate("g", u64::MAX)), Err(DiskError::NoSpace));
    assert_eq!(
        disk.run(DiskOp::Write {
            file: name("g"),
            offset: u64::MAX,
            data: sectors("x")
        }),
        Err(DiskError::NoSpace)
    );
    disk.all([
        write("g", 0, "xy"),
        DiskOp::Write {
            file: name("f"),
            offset: 600,
            data: Arc::new([1; 424]),
        },
    ]);
    disk.all([
        rename("g", "f"),
        DiskOp::Create(name("h")),
        write("h", 0, "x"),
    ]);
    disk.all([DiskOp::Remove(name("f")), write("h", 1, "yz")]);
}

#[test]
fn names_are_missing_or_taken() {
    let mut disk = disk(&[("f", "a")]);
    assert_eq!(disk.run(DiskOp::Create(name("f"))), Err(DiskError::Exists));
    let gone = [
        DiskOp::Length(name("g")),
        read("g", 0, 1),
        write("g", 0, "x"),
        truncate("g", 0),
        rename("g", "h"),
        DiskOp::Remove(name("g")),
        sync("g"),
    ];
    for op in gone {
        assert_eq!(disk.run(op), Err(DiskError::NotFound));
    }
}

#[test]
fn an_operation_is_about_the_file_that_had_the_name_when_it_was_submitted() {
    let mut disk = disk(&[("f", "a")]);
    let (one, two) = (
        disk.submit(write("f", 0, "b")),
        disk.submit(write("f", 1, "c")),
    );
    disk.all([rename("f", "g"), DiskOp::Create(name("f"))]);
    disk.end(one, Fate::Ok);
    assert_eq!(disk.seen(), files(&[("f", ""), ("g", "b")]));
    disk.all([DiskOp::Remove(name("g")), DiskOp::SyncDir]);
    assert_eq!(disk.end(two, Fate::Ok).result, Ok(DiskOk::Done));
    assert_eq!(disk.seen(), files(&[("f", "")]));
}

#[test]
fn reads_see_completed_writes_and_end_with_the_file() {
    let mut disk = disk(&[("f", "ab")]);
    disk.submit(write("f", 0, "x"));
    assert_eq!(
        disk.run(read("f", 511, 2)),
        Ok(DiskOk::Data(b"ab".as_slice().into()))
    );
    assert_eq!(
        disk.run(read("f", 1020, 100)),
        Ok(DiskOk::Data(b"bbbb".as_slice().into()))
    );
    assert_eq!(
        disk.run(read("f", u64::MAX, u32::MAX)),
        Ok(DiskOk::Data(b"".as_slice().into()))
    );
    assert_eq!(
        disk.run(DiskOp::Length(name("f"))),
        Ok(DiskOk::Length(1024))
    );
    assert_eq!(disk.run(DiskOp::List), Ok(DiskOk::Names(vec![name("f")])));
}

#[test]
fn a_copy_goes_on_independently() {
    let mut disk = disk(&[("f", "ab")]);
    disk.all([write("f", 0, "x")]);
    let mut copy = disk.clone();
    copy.all([write("f", 1, "y"), sync("f")]);
    assert_eq!(
        (disk.seen(), disk.kept()),
        (files(&[("f", "xb")]), files(&[("f", "ab")]))
    );
    assert_eq!(copy.kept(), files(&[("f", "xy")]));
}
