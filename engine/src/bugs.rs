//! The planted bugs: mutants that measure the harness. Each is one guard, asked through [`Probe::flip`](crate::probe::Probe::flip).

macro_rules! bugs {
    ($($variant:ident = $name:literal, $component:literal, $class:literal, $difficulty:literal, $behaviour:literal, $source:literal;)+) => {
        /// A bug that can be planted at run time.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Bug {
            $(#[doc = $behaviour] $variant,)+
        }

        impl Bug {
            /// All of them, in the order of the components.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What is known about the bug.
            #[must_use]
            pub const fn card(self) -> Card {
                match self {
                    $(Self::$variant => Card {
                        name: $name, component: $component, class: $class, difficulty: $difficulty, behaviour: $behaviour, source: $source,
                    },)+
                }
            }
        }
    };
}

/// The description of a planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// Its name on the command line.
    pub name: &'static str,
    /// The part of the protocol that it sits in.
    pub component: &'static str,
    /// What it leads to: `safety-agreement`, `safety-linearizability`, `durability-loss`, `liveness` or `panic`.
    pub class: &'static str,
    /// How hard it is to find.
    pub difficulty: &'static str,
    /// What it does.
    pub behaviour: &'static str,
    /// Where such a bug was seen.
    pub source: &'static str,
}

impl Bug {
    /// The bug of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| bug.card().name == name)
    }
}

bugs! {
    AcceptBelowPromise = "accept-below-promise", "acceptor", "safety-agreement", "easy",
        "An accept of a deposed ballot is voted for and acknowledged.", "canonical Paxos mutant";
    PromiseBeforeFsync = "promise-before-fsync", "acceptor", "safety-agreement", "medium",
        "A promise is answered when its first copy is written, before any sync.", "NodeDB #161; Raft's persist-before-reply rule";
    AcceptedBeforeFsync = "accepted-before-fsync", "acceptor", "durability-loss", "medium",
        "A vote is acknowledged when its record is written, before the sync.", "tikv #994; etcd #10166";
    BatchAckedAfterFirstRecord = "batch-acked-after-first-record", "phase2-pipelining", "durability-loss", "medium",
        "A group of several sectors is acknowledged when the first of them is synced.", "synthetic";
    FsyncErrorIgnored = "fsync-error-ignored", "wal-fsync-recovery", "durability-loss", "easy",
        "A failed sync of the log counts as a success.", "Rebello et al., ATC '20; cockroach #37102";
    FsyncRetryTrusted = "fsync-retry-trusted", "wal-fsync-recovery", "durability-loss", "medium",
        "A failed sync is tried again on the same file, and the second answer is trusted.", "Rebello et al., ATC '20; rostam #94; raft-engine #131";
    WriteAfterFailedFsyncAcked = "write-after-failed-fsync-acked", "wal-fsync-recovery", "durability-loss", "medium",
        "After a failed sync the log goes on behind the lost group, and recovery stops at the gap.", "cockroach #37102";
    TornTailNotTruncated = "torn-tail-not-truncated", "wal-fsync-recovery", "durability-loss", "medium",
        "Recovery stops at a torn group but does not cut it; what is appended later lies behind it and is not read again.", "amelie #17; turbokv #8";
    MidlogCorruptionIsTail = "midlog-corruption-is-tail", "wal-fsync-recovery", "durability-loss", "medium",
        "A damaged sector in the middle of the log is taken for its end.", "Alagappan et al., FAST '18; pebble #453";
    NoDirectoryFsync = "no-directory-fsync", "wal-fsync-recovery", "durability-loss", "medium",
        "A new segment is used before the directory that names it is synced.", "Pillai et al., OSDI '14; raft-engine #131";
    HardstateFileUnsynced = "hardstate-file-unsynced", "wal-fsync-recovery", "safety-agreement", "medium",
        "A raised promise is written to its files, which are not synced.", "Pillai et al., OSDI '14; synthetic form";
    ReplayStopsBeforeLastSegment = "replay-stops-before-last-segment", "wal-fsync-recovery", "durability-loss", "hard",
        "A torn group at a segment's end makes recovery ignore the segments after it.", "acoustid-index PR#157";
    CorruptPromiseIsFreshStart = "corrupt-promise-is-fresh-start", "corruption-handling", "safety-agreement", "medium",
        "When no copy of the promise is intact, the node starts as if it had promised nothing.", "Chandra et al., PODC '07; atlasdb #1508";
    BitrotTailTakenAsTorn = "bitrot-tail-taken-as-torn", "corruption-handling", "safety-agreement", "hard",
        "A damaged last group is taken for a torn one and cut.", "Alagappan et al., FAST '18";
    FrameChecksumUnverified = "frame-checksum-unverified", "corruption-handling", "safety-agreement", "medium",
        "The checksum of a catch-up reply is not looked at.", "Apache Iggy PR#3824";
    RedundantCopiesOneWrite = "redundant-copies-one-write", "corruption-handling", "panic", "medium",
        "The promise has one copy in one file, so one fault destroys all that is known of it.", "TigerBeetle's superblock copies; synthetic form";
}
