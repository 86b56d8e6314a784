//! The planted bugs: mutants that measure the harness. Each is one guard, asked through
//! [`Probe::flip`](crate::probe::Probe::flip).

macro_rules! bugs {
    ($(
        $variant:ident = $name:literal,
        $component:literal,
        $class:literal,
        $difficulty:literal,
        $behaviour:literal,
        $source:literal;
    )+) => {
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
                        name: $name,
                        component: $component,
                        class: $class,
                        difficulty: $difficulty,
                        behaviour: $behaviour,
                        source: $source,
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
    /// What it leads to: `safety-agreement`, `safety-linearizability`, `durability-loss`,
    /// `liveness` or `panic`.
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
        Self::ALL
            .iter()
            .copied()
            .find(|bug| bug.card().name == name)
    }
}

bugs! {
    AcceptBelowPromise = "accept-below-promise",
        "acceptor", "safety-agreement", "easy",
        "An accept of a deposed ballot is voted for and acknowledged.",
        "synthetic (canonical Paxos mutant)";
    AcceptDoesNotRaisePromise = "accept-does-not-raise-promise",
        "acceptor", "safety-agreement", "hard",
        "A vote at a ballot above the promise leaves the promise as it was.",
        "Brooker 'The Bug in Paxos Made Simple'; Cassandra PR#1327 / CASSANDRA-17162 (claimed, \
         ruled not a bug there)";
    PromiseReportsPromisedAsAccepted = "promise-reports-promised-as-accepted",
        "acceptor", "safety-agreement", "hard",
        "A promise reports each vote at the promised ballot instead of the ballot that it was \
         cast at.",
        "VR Revisited log-view rule (view != last normal view); synthetic form";
    PromiseBeforeFsync = "promise-before-fsync",
        "acceptor", "safety-agreement", "medium",
        "A promise is answered when its first copy is written, before any sync.",
        "NodeDB #161; Raft's persist-before-reply rule";
    AcceptedBeforeFsync = "accepted-before-fsync",
        "acceptor", "durability-loss", "medium",
        "A vote is acknowledged when its record is written, before the sync.",
        "tikv #994; etcd #10166";
    AcceptComparesRoundOnly = "accept-compares-round-only",
        "acceptor", "safety-agreement", "hard",
        "An accept of the promised round is voted for, though its node is the lower one.",
        "synthetic (ballots compared as bare rounds); cf. orakl PR#2287";
    EqualPrepareRefused = "equal-prepare-refused",
        "acceptor", "liveness", "medium",
        "A prepare that comes again is refused, so a lost promise is lost, and there is no second \
         page.",
        "willemt/raft PR#116; phxpaxos #34";
    PromiseOmitsVotesInFlight = "promise-omits-votes-in-flight",
        "acceptor", "safety-agreement", "hard",
        "A promise reports durable votes alone; those on their way to the disk are acknowledged \
         after it.",
        "etcd/raft unstable-log rule; synthetic form";
    ResentAcceptAckedAtOnce = "resent-accept-acked-at-once",
        "acceptor", "durability-loss", "medium",
        "An accept that comes again is acknowledged though the vote is still on its way to the \
         disk.",
        "d-engine PR#447 class; synthetic form";
    PromiseRaisesOneCopy = "promise-raises-one-copy",
        "acceptor", "safety-agreement", "medium",
        "A raised promise is written to its first copy alone; the second keeps that of the boot.",
        "TigerBeetle's superblock copies; synthetic form";
    Phase1PicksArbitraryValue = "phase1-picks-arbitrary-value",
        "phase1-recovery", "safety-agreement", "medium",
        "Phase 1 keeps the first vote that is reported for a slot, not the highest.",
        "synthetic (canonical Paxos mutant)";
    Phase1FillsHolesFromOwnLog = "phase1-fills-holes-from-own-log",
        "phase1-recovery", "safety-agreement", "medium",
        "A new leader fills slots that are missing from its own log with no-ops, whatever the \
         promises report.",
        "Apache Iggy PR#3824 (view change discarded committed ops)";
    NextSlotFromOwnLog = "next-slot-from-own-log",
        "phase1-recovery", "safety-agreement", "easy",
        "A new leader goes on after its own last slot, not after the last one that the promises \
         report.",
        "OCons PR#21 / Iggy PR#3824 class";
    PromisePageTruncatedSilently = "promise-page-truncated-silently",
        "phase1-recovery", "safety-agreement", "medium",
        "The first page of a promise counts as all of it.",
        "OCons PR#21 (partial log merge); synthetic form";
    SkipPhase1IfWasLeader = "skip-phase1-if-was-leader",
        "phase1-recovery", "safety-agreement", "medium",
        "A node that has led before goes straight to phase 2 with a higher ballot.",
        "synthetic (unsound stable-leader optimization)";
    OvertakenCandidateProposesAnew = "overtaken-candidate-proposes-anew",
        "phase1-recovery", "safety-agreement", "hard",
        "A new leader forgets what it learned since its campaign, and proposes anew in slots that \
         are chosen above its ballot.",
        "Synod itself, until 2026-11-30; found by `synod-explore`";
    PromiseCountedTwice = "promise-counted-twice",
        "phase1-recovery", "safety-agreement", "easy",
        "Promises are counted as messages, so a duplicate makes a quorum.",
        "SandTable Xraft election_safety class";
    RetryTimerBumpsBallot = "retry-timer-bumps-ballot",
        "phase1-recovery", "safety-agreement", "medium",
        "A leader that is refused raises its ballot and goes on without phase 1.",
        "synthetic";
    BallotReuseAfterRestart = "ballot-reuse-after-restart",
        "phase1-recovery", "safety-agreement", "hard",
        "A node that comes back campaigns again at the ballot of its own that it promised last.",
        "phxpaxos #145 (hazard as reported)";
    RecoveredValueKeepsOldBallot = "recovered-value-keeps-old-ballot",
        "phase1-recovery", "safety-agreement", "hard",
        "A value that a quorum of promises reports counts as chosen, at whatever ballots it was \
         voted for.",
        "LogCabin #44; canonical/raft #220; PySyncObj #169 (SandTable)";
    TruncatedPrefixReadAsEmpty = "truncated-prefix-read-as-empty",
        "phase1-recovery", "safety-agreement", "medium",
        "A promise says nothing of slots whose votes are forgotten because they are chosen.",
        "synthetic (cf. ArangoDB PR#3413)";
    Phase1RanksByBallotAlone = "phase1-ranks-by-ballot-alone",
        "phase1-recovery", "safety-agreement", "medium",
        "A value that is reported as chosen counts as a vote of the lowest ballot.",
        "synthetic";
    Phase1SkipsHeardPrefix = "phase1-skips-heard-prefix",
        "phase1-recovery", "liveness", "hard",
        "A candidate asks for votes only beyond what it has heard to be chosen, and perhaps nobody \
         alive knows what was.",
        "TigerBeetle PR#561 class; synthetic form";
    CandidateSkipsOwnVotes = "candidate-skips-own-votes",
        "phase1-recovery", "safety-agreement", "medium",
        "A candidate counts its own promise but not its own votes.",
        "synthetic";
    PromiseOfEarlierCampaignCounts = "promise-of-earlier-campaign-counts",
        "phase1-recovery", "safety-agreement", "hard",
        "A late promise of an earlier campaign counts for the present one.",
        "little-raft #44; eatonphil/raft-rs #3";
    PromisePageSkipsBoundary = "promise-page-skips-boundary",
        "phase1-recovery", "safety-agreement", "medium",
        "The vote that did not fit on a page is not on the next one either.",
        "synthetic";
    TakeoverLeavesHoles = "takeover-leaves-holes",
        "phase1-recovery", "liveness", "medium",
        "A new leader proposes what was reported and leaves the holes between.",
        "synthetic (Paxos Made Simple, section 3)";
    HalfIsAQuorum = "half-is-a-quorum",
        "phase1-recovery", "safety-agreement", "easy",
        "In a cluster of an even number of nodes half of them decide.",
        "synthetic (canonical)";
    AcceptAckCountedTwice = "accept-ack-counted-twice",
        "phase2-pipelining", "safety-agreement", "easy",
        "Votes are counted as messages, so a duplicate makes a quorum.",
        "synthetic (canonical)";
    AckBallotUnchecked = "ack-ballot-unchecked",
        "phase2-pipelining", "safety-agreement", "medium",
        "A vote of an older ballot counts for the present one.",
        "MyPaxos #18 class; synthetic form";
    CommitOnNack = "commit-on-nack",
        "phase2-pipelining", "safety-agreement", "medium",
        "A refusal counts as a vote for whatever is on its way.",
        "CCF, NSDI '25 (commit advances on a refused append)";
    GappedAcceptCumulativeAck = "gapped-accept-cumulative-ack",
        "phase2-pipelining", "durability-loss", "medium",
        "An acknowledgement of a slot also acknowledges the slots before it that are missing.",
        "Oxia PR#1239";
    CommitOverHole = "commit-over-hole",
        "phase2-pipelining", "safety-agreement", "easy",
        "A chosen slot is applied though one before it is not chosen.",
        "Iggy PR#4073 (contiguous commit rule)";
    CommitAppliesStaleBallotEntry = "commit-applies-stale-ballot-entry",
        "phase2-pipelining", "safety-agreement", "medium",
        "What is below the commit point is applied whatever ballot it was voted for at.",
        "Apache Iggy PR#4191 (seed 144); cockroach #122690";
    LeaderSelfAckBeforeFsync = "leader-self-ack-before-fsync",
        "phase2-pipelining", "durability-loss", "medium",
        "The leader counts its own vote when it proposes, not when it is durable.",
        "etcd #14370 (single node loses a write); TigerBeetle PR#861";
    BatchAckedAfterFirstRecord = "batch-acked-after-first-record",
        "phase2-pipelining", "durability-loss", "medium",
        "A group of several sectors is acknowledged when the first of them is synced.",
        "synthetic";
    TalliesSurviveElection = "tallies-survive-election",
        "phase2-pipelining", "safety-agreement", "hard",
        "A leader that is elected again goes on counting the votes of its earlier ballot.",
        "copycat #29 (matchIndex not reset)";
    AckRunFillsGaps = "ack-run-fills-gaps",
        "phase2-pipelining", "safety-agreement", "medium",
        "An acknowledgement of several slots counts for those between them too.",
        "synthetic; cf. Oxia PR#1239";
    CommitBoundInclusive = "commit-bound-inclusive",
        "phase2-pipelining", "safety-agreement", "easy",
        "A follower takes the first slot that is not known to be chosen for chosen.",
        "scylladb #9965 class; synthetic form";
    OverruledLeaderGoesOn = "overruled-leader-goes-on",
        "phase2-pipelining", "safety-agreement", "hard",
        "A leader that learns that another value was chosen in a slot of its own goes on leading.",
        "Synod itself (`scenarios/regressions/deposed-leader-commits.toml`)";
    AcceptInChosenSlotAcked = "accept-in-chosen-slot-acked",
        "phase2-pipelining", "safety-agreement", "medium",
        "An accept in a slot that is known to be chosen is acknowledged, whatever its ballot and \
         value.",
        "TigerBeetle PR#751 gone wrong; synthetic form";
    CommitPointOverHole = "commit-point-over-hole",
        "phase2-pipelining", "safety-agreement", "medium",
        "A leader's heartbeats say that all is chosen up to the last chosen slot, holes included.",
        "synthetic; cf. Iggy PR#4073";
    LearnedSlotKeepsItsPlace = "learned-slot-keeps-its-place",
        "phase2-pipelining", "liveness", "medium",
        "A slot that the leader learns from a peer keeps its place in the window.",
        "atomix PR#466 class; synthetic form";
    BatchDropsOverflow = "batch-drops-overflow",
        "phase2-pipelining", "liveness", "medium",
        "The command that does not fit into a batch any more is lost, and its retries are thought \
         under way.",
        "synthetic";
    NoQuorumCheckPartialPartition = "no-quorum-check-partial-partition",
        "leader-election-leases", "liveness", "medium",
        "A leader that no quorum answers never steps down.",
        "Cloudflare/etcd 2020 outage; Omni-Paxos quorum-loss scenario";
    DeafCandidateDeposesForever = "deaf-candidate-deposes-forever",
        "leader-election-leases", "liveness", "medium",
        "A node that hears no leader campaigns without asking whether it could win.",
        "TigerBeetle 'Simulation Testing for Liveness' 2023";
    ConstrainedElectionRefused = "constrained-election-refused",
        "leader-election-leases", "liveness", "hard",
        "A replica that knows more to be chosen than a candidate does not promise.",
        "Omni-Paxos constrained-election scenario";
    RefusalTeachesNoBallot = "refusal-teaches-no-ballot",
        "leader-election-leases", "liveness", "hard",
        "A candidate learns no ballot from who refuses it or canvasses, and may ask too low for \
         ever.",
        "synthetic; cf. nats-server PR#5021";
    HeartbeatComparesRoundOnly = "heartbeat-compares-round-only",
        "leader-election-leases", "safety-linearizability", "hard",
        "A heartbeat of the promised round is answered, though its node is the lower one.",
        "synthetic; cf. orakl PR#2287";
    ReplyBeforeQuorum = "reply-before-quorum",
        "learner-apply", "safety-linearizability", "easy",
        "The second vote makes a slot chosen, whatever the quorum.",
        "synthetic (canonical); Jepsen redis-raft class";
    LearnedValueOnlyInMemory = "learned-value-only-in-memory",
        "learner-apply", "safety-agreement", "hard",
        "A learned value that replaces a conflicting vote is not logged.",
        "TigerBeetle PR#2711 (wrong header kept); openraft PR#559/561";
    NoopConsumesReply = "noop-consumes-reply",
        "learner-apply", "safety-linearizability", "medium",
        "Applying a no-op answers whoever has waited longest.",
        "synthetic (cf. ClickHouse Keeper PR#114401)";
    HashOrderLeaks = "hash-order-leaks",
        "learner-apply", "safety-agreement", "easy",
        "The commands of a batch are applied in an order of the replica's own.",
        "cockroach #7353 class; Jepsen VoltDB (determinism)";
    HintFromHeardCommitPoint = "hint-from-heard-commit-point",
        "learner-apply", "safety-agreement", "hard",
        "The log notes as chosen what was only heard to be, and recovery believes its votes there.",
        "camunda PR#30354 class; synthetic form";
    ReplayKeepsFirstRecord = "replay-keeps-first-record",
        "learner-apply", "safety-agreement", "medium",
        "Of several records of a chosen slot recovery takes the first, not the latest.",
        "TigerBeetle PR#2711 class; synthetic form";
    LateCatchUpReplyShifted = "late-catch-up-reply-shifted",
        "learner-apply", "safety-agreement", "hard",
        "A catch-up reply that is late in part is taken to begin where this replica is by now.",
        "synthetic";
    FsyncErrorIgnored = "fsync-error-ignored",
        "wal-fsync-recovery", "durability-loss", "easy",
        "A failed sync of the log counts as a success.",
        "Rebello et al., ATC '20; cockroach #37102";
    FsyncRetryTrusted = "fsync-retry-trusted",
        "wal-fsync-recovery", "durability-loss", "medium",
        "A failed sync is tried again on the same file, and the second answer is trusted.",
        "Rebello et al., ATC '20; rostam #94; raft-engine #131";
    WriteAfterFailedFsyncAcked = "write-after-failed-fsync-acked",
        "wal-fsync-recovery", "durability-loss", "medium",
        "After a failed sync the log goes on behind the lost group, and recovery stops at the gap.",
        "cockroach #37102";
    TornTailNotTruncated = "torn-tail-not-truncated",
        "wal-fsync-recovery", "durability-loss", "medium",
        "Recovery stops at a torn group but does not cut it; what is appended later lies behind \
         it and is not read again.",
        "amelie #17; turbokv #8";
    MidlogCorruptionIsTail = "midlog-corruption-is-tail",
        "wal-fsync-recovery", "durability-loss", "medium",
        "A damaged sector in the middle of the log is taken for its end.",
        "Alagappan et al., FAST '18; pebble #453";
    NoDirectoryFsync = "no-directory-fsync",
        "wal-fsync-recovery", "durability-loss", "medium",
        "A new segment is used before the directory that names it is synced.",
        "Pillai et al., OSDI '14; raft-engine #131";
    HardstateFileUnsynced = "hardstate-file-unsynced",
        "wal-fsync-recovery", "safety-agreement", "medium",
        "A raised promise is written to its files, which are not synced.",
        "Pillai et al., OSDI '14; synthetic form";
    ReplayStopsBeforeLastSegment = "replay-stops-before-last-segment",
        "wal-fsync-recovery", "durability-loss", "hard",
        "A torn group at a segment's end makes recovery ignore the segments after it.",
        "acoustid-index PR#157";
    ZeroedRecordValid = "zeroed-record-valid",
        "wal-fsync-recovery", "safety-agreement", "medium",
        "Sectors of a group that were never written are read as zeros, and what decodes counts.",
        "mysticeti #219 (parsing rule); synthetic form";
    SecondRescueForgetsGroup = "second-rescue-forgets-group",
        "wal-fsync-recovery", "durability-loss", "hard",
        "What a failed sync left is carried into a new file at the first attempt alone.",
        "raft-engine #131 class; synthetic form";
    SyncCoversWhatCameLater = "sync-covers-what-came-later",
        "wal-fsync-recovery", "durability-loss", "medium",
        "A sync counts for the records too that came while it was under way.",
        "milvus talon #428 (rule); synthetic form";
    RecoveredTailNotRewritten = "recovered-tail-not-rewritten",
        "wal-fsync-recovery", "durability-loss", "hard",
        "What recovery finds above the watermark counts but is not written again, and the next \
         boot voids it.",
        "Rebello et al., ATC '20; synthetic form";
    PromisePairUnnamed = "promise-pair-unnamed",
        "wal-fsync-recovery", "durability-loss", "hard",
        "The old pair of promise files is removed before the names of the new one are durable.",
        "Pillai et al., OSDI '14; synthetic form";
    DedupInLeaderMemory = "dedup-in-leader-memory",
        "client-sessions-reads", "safety-linearizability", "easy",
        "Only the leader that executed a request knows that it did.",
        "synthetic; RaftOS #2";
    DedupAtProposeOnly = "dedup-at-propose-only",
        "client-sessions-reads", "safety-linearizability", "medium",
        "Duplicates are filtered when proposed, not when applied.",
        "RaftOS #2 (doubled entries)";
    SeqSkipCountsAsDup = "seq-skip-counts-as-dup",
        "client-sessions-reads", "safety-linearizability", "medium",
        "A request below the highest executed one counts as executed.",
        "atomix PR#466 neighbourhood; synthetic form";
    CachedReplyOfWrongSeq = "cached-reply-of-wrong-seq",
        "client-sessions-reads", "safety-linearizability", "easy",
        "A retry of an older request gets the newest one's reply.",
        "synthetic";
    EvictionOrderNondeterministic = "eviction-order-nondeterministic",
        "client-sessions-reads", "safety-agreement", "medium",
        "Which session is evicted depends on the memory of the replica.",
        "Iggy PR#3023 (deterministic eviction rule); synthetic form";
    ReadBeforeRecoveryCommits = "read-before-recovery-commits",
        "client-sessions-reads", "safety-linearizability", "medium",
        "A new leader serves reads before what phase 1 reported is chosen and applied.",
        "etcd #7331; tikv #9208/PR#9239";
    ReadIgnoresApplyLag = "read-ignores-apply-lag",
        "client-sessions-reads", "safety-linearizability", "easy",
        "A confirmed read does not wait for what it must see to be applied.",
        "tikv / etcd ReadIndex rules; synthetic form";
    ReadIndexAfterConfirm = "read-index-after-confirm",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A read joins a confirmation round that began before it.",
        "etcd #20418 / PR#21399";
    DefiniteFailOnStepdown = "definite-fail-on-stepdown",
        "client-sessions-reads", "safety-linearizability", "easy",
        "A deposed leader refuses requests that are on their way.",
        "consul #2893; Jepsen Redis-Raft (aborted reads)";
    SessionExpiryByLocalClock = "session-expiry-by-local-clock",
        "client-sessions-reads", "safety-agreement", "medium",
        "A session expires by the replica's own clock.",
        "Raft thesis 6.3; copycat #232";
    ReplyForgottenOneTooEarly = "reply-forgotten-one-too-early",
        "client-sessions-reads", "safety-linearizability", "medium",
        "The reply of the first request that is not acknowledged is forgotten too, and a retry \
         executed.",
        "synthetic";
    ForgottenRequestRunsAgain = "forgotten-request-runs-again",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A late copy of a request whose reply was acknowledged is executed again.",
        "RaftOS #2 class; synthetic form";
    EvictedSessionReopened = "evicted-session-reopened",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A request of a session that was evicted opens it again, empty.",
        "copycat PR#134";
    RetryThoughtUnderWay = "retry-thought-under-way",
        "client-sessions-reads", "liveness", "hard",
        "A request that was taken in at an earlier leadership of this node is thought under way \
         for ever.",
        "atomix PR#466 (pending command after a change of leader)";
    RefusedCommandStaysQueued = "refused-command-stays-queued",
        "client-sessions-reads", "safety-linearizability", "hard",
        "Commands that are refused at a step-down are proposed when the node leads again.",
        "Jepsen Redis-Raft (aborted reads); d-engine #64";
    BusyRequestStaysOnDesk = "busy-request-stays-on-desk",
        "client-sessions-reads", "liveness", "medium",
        "A request that found the queue full is thought under way when it comes again.",
        "synthetic";
    ReadAcksOfEarlierRound = "read-acks-of-earlier-round",
        "client-sessions-reads", "safety-linearizability", "medium",
        "The answers to earlier confirmation rounds count for later ones.",
        "etcd #20418; d-engine #381";
    ReadConfirmedByOnePeerTwice = "read-confirmed-by-one-peer-twice",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A peer that answers a confirmation round twice counts twice.",
        "synthetic";
    ReadConfirmedByLateAnswer = "read-confirmed-by-late-answer",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A late answer to an earlier confirmation round counts for the present one.",
        "etcd #20418 (heartbeat responses left in flight)";
    ReadLeaseFromAckReceipt = "read-lease-from-ack-receipt",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A leader whom a quorum answered within a follower's patience, counted from when the \
         answers came, confirms no read.",
        "yugabyte #16 (correct rule); sofa-jraft PR#26";
    RecoveredEndOffByOne = "recovered-end-off-by-one",
        "client-sessions-reads", "safety-linearizability", "hard",
        "A new leader serves reads before the last slot that phase 1 reported is chosen.",
        "redisraft PR#22 class; synthetic form";
    ReadsSurviveStepDown = "reads-survive-step-down",
        "client-sessions-reads", "safety-linearizability", "hard",
        "Reads that wait at a step-down are answered when the node leads again, as if they were \
         confirmed.",
        "tikv PR#4688 (pending reads not cleared)";
    NoAcceptRetransmit = "no-accept-retransmit",
        "timers-liveness", "liveness", "easy",
        "Accepts are never sent again.",
        "omnipaxos PR#85";
    BackoffNeverResets = "backoff-never-resets",
        "timers-liveness", "liveness", "medium",
        "The election backoff grows almost without bound, and no leader ends it.",
        "synthetic";
    TimerResetByDeposedLeader = "timer-reset-by-deposed-leader",
        "timers-liveness", "liveness", "hard",
        "A deposed leader does not mind refusals, and its heartbeats calm its followers.",
        "cockroach #142994";
    Phase1ReplyLostNoRetry = "phase1-reply-lost-no-retry",
        "timers-liveness", "liveness", "easy",
        "Prepares are never sent again, and a candidate waits for the promises for ever.",
        "omnipaxos PR#85 (#68)";
    CatchupSourceNeverRotates = "catchup-source-never-rotates",
        "timers-liveness", "liveness", "easy",
        "A lagging replica asks only the peer that it asked first.",
        "Iggy PR#4073";
    WindowSlotLeak = "window-slot-leak",
        "timers-liveness", "liveness", "hard",
        "Places in the window are lost at each step-down.",
        "atomix PR#466 class; synthetic form";
    DuelingFixedTimeout = "dueling-fixed-timeout",
        "timers-liveness", "liveness", "medium",
        "The election timeout is not drawn and does not grow.",
        "openraft PR#1838 class; synthetic form";
    RetransmitToFirstLaggard = "retransmit-to-first-laggard",
        "timers-liveness", "liveness", "medium",
        "An accept is sent again only to the first peer that has not voted.",
        "omnipaxos PR#85 class; synthetic form";
    CorruptPromiseIsFreshStart = "corrupt-promise-is-fresh-start",
        "corruption-handling", "safety-agreement", "medium",
        "When no copy of the promise is intact, the node starts as if it had promised nothing.",
        "Chandra et al., PODC '07; atlasdb #1508";
    BitrotTailTakenAsTorn = "bitrot-tail-taken-as-torn",
        "corruption-handling", "safety-agreement", "hard",
        "A damaged last group is taken for a torn one and cut.",
        "Alagappan et al., FAST '18";
    FrameChecksumUnverified = "frame-checksum-unverified",
        "corruption-handling", "safety-agreement", "medium",
        "The checksum of a catch-up reply is not looked at.",
        "Apache Iggy PR#3824";
    RedundantCopiesOneWrite = "redundant-copies-one-write",
        "corruption-handling", "panic", "medium",
        "The promise has one copy in one file, so one fault destroys all that is known of it.",
        "TigerBeetle's superblock copies; synthetic form";
    FaultyEntrySaysAbsent = "faulty-entry-says-absent",
        "corruption-handling", "safety-agreement", "medium",
        "A damaged group is left out, and what follows it counts: its votes are reported as never \
         cast.",
        "Alagappan et al., FAST '18; TigerBeetle PR#618";
    AmnesiacRejoinsAsVoter = "amnesiac-rejoins-as-voter",
        "corruption-handling", "safety-agreement", "medium",
        "A node whose disk comes back empty starts as if it had never run.",
        "Michael et al., DISC '17; Chandra et al., PODC '07; atlasdb #1504";
    RepairFromUndecidedCopy = "repair-from-undecided-copy",
        "corruption-handling", "safety-agreement", "medium",
        "A catch-up request is answered with votes where the answerer does not know what is \
         chosen.",
        "Alagappan et al., FAST '18 (protocol-unaware repair)";
    CorruptEntryForwarded = "corrupt-entry-forwarded",
        "corruption-handling", "safety-agreement", "medium",
        "The checksum of a log sector is not looked at, so what is rotten is voted for and passed \
         on.",
        "Ganesan et al., FAST '17 (corruption propagation)";
    CommitAssertOnRegressedPeer = "commit-assert-on-regressed-peer",
        "corruption-handling", "panic", "easy",
        "A node that comes back panics when more is chosen than its log holds.",
        "etcd #10166; Iggy PR#3092";
}
