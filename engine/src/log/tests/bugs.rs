//! The planted bugs of the files break a promise that the other tests hold the files to.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use synod_port::files::FileName;

use crate::bugs::Bug;
use crate::config::SECTOR;
use crate::ids::{Ballot, NodeId};
use crate::io::Halt;
use crate::log::fake_disk::FakeDisk;
use crate::log::store;
use crate::log::tests::host::{Host, Step, boot, boot_under, config, lived, run, steps};
use crate::probe::{BugsOnly, Full};

/// Whether the fuzzed life of a store with this bug ends in a broken promise.
fn caught(bug: Bug, faults: bool) -> bool {
    let lives = proptest::test_runner::TestRunner::deterministic();
    let mut runner = lives;
    let strategy = (any::<u64>(), steps(faults));
    (0..3000).any(|_| {
        let (seed, steps) = strategy
            .new_tree(&mut runner)
            .expect("nothing is rejected")
            .current();
        let life = std::panic::AssertUnwindSafe(|| {
            run(
                &mut Host::new(
                    config(),
                    FakeDisk::with(store::format(&config())),
                    seed,
                    BugsOnly::new(Some(bug)),
                ),
                &steps,
            )
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
        (Bug::ZeroedRecordValid, false),
        (Bug::SecondRescueForgetsGroup, true),
        (Bug::SyncCoversWhatCameLater, false),
        (Bug::RecoveredTailNotRewritten, false),
        (Bug::PromisePairUnnamed, false),
    ];
    let missed: Vec<_> = bugs
        .into_iter()
        .filter(|(bug, faults)| !caught(*bug, *faults))
        .collect();
    assert_eq!(missed, []);
}

fn damaged(files: &[(FileName, Vec<u8>)], file: usize, at: usize) -> Vec<(FileName, Vec<u8>)> {
    let mut files = files.to_vec();
    files[file].1[at] ^= 1;
    files
}

/// The files of a node that wrote a group in its first boot and two in its second, and how many
/// records they hold.
fn three_groups() -> (Vec<(FileName, Vec<u8>)>, usize) {
    let (disk, whole) = lived(1, &[Step::Settle, Step::Append(9), Step::Settle]);
    (disk.image(), whole.records.len())
}

#[test]
fn a_damaged_last_group_is_a_halt_or_with_the_bug_a_loss() {
    let (files, count) = three_groups();
    // The last boot's segment has the rewritten group, one of three sectors, and the last.
    let at = files
        .iter()
        .position(|(name, _)| name.as_str() == "log-00000002")
        .expect("each boot makes a segment");
    let bad = damaged(&files, at, 5 * SECTOR + 100);
    assert_eq!(
        boot(bad.clone()),
        Err(Halt::LogDamaged {
            segment: 2,
            sector: 5
        })
    );
    let found = boot_under(bad, BugsOnly::new(Some(Bug::BitrotTailTakenAsTorn)));
    assert_eq!(found.map(|found| found.records.len()), Ok(count - 1));
}

#[test]
fn a_damaged_earlier_group_is_a_halt_or_with_the_bug_a_loss() {
    let (files, count) = three_groups();
    let at = files
        .iter()
        .position(|(name, _)| name.as_str() == "log-00000002")
        .expect("each boot makes a segment");
    let bad = damaged(&files, at, 2 * SECTOR + 100);
    assert_eq!(
        boot(bad.clone()),
        Err(Halt::LogDamaged {
            segment: 2,
            sector: 2
        })
    );
    let found = boot_under(
        bad.clone(),
        BugsOnly::new(Some(Bug::MidlogCorruptionIsTail)),
    );
    assert_eq!(found.map(|found| found.records.len()), Ok(count - 2));
    let found = boot_under(bad, BugsOnly::new(Some(Bug::FaultyEntrySaysAbsent)));
    assert_eq!(found.map(|found| found.records.len()), Ok(count - 1));
}

#[test]
fn a_damaged_payload_is_a_halt_or_with_the_bug_another_record() {
    let (disk, whole) = lived(1, &[Step::Settle, Step::Append(9), Step::Settle]);
    let files = disk.image();
    let at = files
        .iter()
        .position(|(name, _)| name.as_str() == "log-00000002")
        .expect("each boot makes a segment");
    let bad = damaged(&files, at, 2 * SECTOR + 100);
    assert!(matches!(boot(bad.clone()), Err(Halt::LogDamaged { .. })));
    let found = boot_under(bad, BugsOnly::new(Some(Bug::CorruptEntryForwarded)));
    let found = found.expect("what is rotten decodes");
    assert_eq!(found.records.len(), whole.records.len());
    assert_ne!(found.records, whole.records);
}

#[test]
fn a_blank_disk_is_a_halt_or_with_the_bug_a_first_boot() {
    assert_eq!(boot(Vec::new()), Err(Halt::PromiseLost));
    let amnesiac = BugsOnly::new(Some(Bug::AmnesiacRejoinsAsVoter));
    let found = boot_under(Vec::new(), amnesiac);
    assert_eq!(found.map(|found| found.promised), Ok(Ballot::ZERO));
}

#[test]
fn a_lost_promise_is_a_halt_or_with_the_bug_forgotten() {
    let (disk, whole) = lived(1, &[Step::Settle, Step::Promise, Step::Settle]);
    let files = disk.image();
    let copies: Vec<_> = (0..files.len())
        .filter(|at| files[*at].0.as_str().starts_with("promise-"))
        .collect();
    assert_eq!(copies.len(), 2);
    let bad = damaged(&damaged(&files, copies[0], 33), copies[1], 40);
    assert_eq!(boot(bad.clone()), Err(Halt::PromiseLost));
    let found = boot_under(bad, BugsOnly::new(Some(Bug::CorruptPromiseIsFreshStart)));
    assert_eq!(
        found.map(|found| (found.promised, whole.promised > Ballot::ZERO)),
        Ok((Ballot::ZERO, true))
    );
}

/// What is promised after a promise was raised and its first copy has rotted.
fn with_one_copy_left(bug: Option<Bug>) -> Result<Ballot, Halt> {
    let disk = FakeDisk::with(store::format(&config()));
    let mut host = Host::new(config(), disk, 0, BugsOnly::new(bug));
    host.settle();
    host.promise();
    host.settle();
    let files = host.disk.image();
    let a = files
        .iter()
        .position(|(name, _)| name.as_str().starts_with("promise-a"))
        .expect("there is a copy");
    boot(damaged(&files, a, 33)).map(|found| found.promised)
}

#[test]
fn one_copy_is_not_two_and_is_enough_when_it_was_raised() {
    let raised = Ballot {
        round: 1,
        node: NodeId(0),
    };
    for (bug, promised) in [
        (None, Ok(raised)),
        (Some(Bug::PromiseRaisesOneCopy), Ok(Ballot::ZERO)),
        (Some(Bug::RedundantCopiesOneWrite), Err(Halt::PromiseLost)),
    ] {
        assert_eq!(with_one_copy_left(bug), promised, "{bug:?}");
    }
}

#[test]
#[should_panic(expected = "contract OneGroupAboveWatermark")]
fn a_group_behind_a_lost_one_trips_the_contract() {
    let mut host = Host::new(
        config(),
        FakeDisk::with(store::format(&config())),
        0,
        Full::new(Some(Bug::WriteAfterFailedFsyncAcked)),
    );
    host.settle();
    host.append(9);
    host.append(9);
    host.disk.fail_sync = true;
    host.settle();
}

#[test]
#[should_panic(expected = "contract PromiseMonotonic")]
fn a_lower_promise_trips_the_contract() {
    let mut host = Host::new(
        config(),
        FakeDisk::with(store::format(&config())),
        0,
        Full::new(None),
    );
    host.settle();
    host.promise();
    host.settle();
    host.with(|store, disk, probe| store.promise(Ballot::ZERO, disk, probe));
}
