//! Mistakes that an application of raft can make, to be planted.

use synod_sim::prelude::Card;

const fn card(name: &'static str, class: &'static str, behaviour: &'static str) -> Card {
    Card {
        name,
        component: "application",
        class,
        difficulty: "easy",
        behaviour,
        source: "what the documentation of `Ready`, `Config::applied`, `ReadOnlyOption` warns of",
    }
}

pub const MESSAGES_BEFORE_SYNC: Card = card(
    "messages-before-sync",
    "durability-loss",
    "Messages that rest on what has to be persisted are sent before it is.",
);
pub const APPLIES_TWICE: Card = card(
    "applies-twice",
    "exactly-once",
    "After a restart raft is not told up to where the log is applied.",
);
pub const READ_WITHOUT_INDEX: Card = card(
    "read-without-index",
    "stale-read",
    "A replica answers reads from what it has applied, and asks nobody.",
);
pub const LEASE_READS: Card = card(
    "lease-reads",
    "stale-read",
    "A leader answers reads by its lease, which a pause or a drift of its clock outlives.",
);
pub const TICKS_WHILE_SAVING: Card = card(
    "ticks-while-saving",
    "panic",
    "Raft ticks while it waits for the disk: it may campaign before a snapshot is saved.",
);

pub const ALL: [Card; 5] = [
    MESSAGES_BEFORE_SYNC,
    APPLIES_TWICE,
    READ_WITHOUT_INDEX,
    LEASE_READS,
    TICKS_WHILE_SAVING,
];
