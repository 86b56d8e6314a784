//! The one list of everything that a scenario file may say. "Did you mean" and the JSON Schema come
//! from it; tests hold it against what serde reads.

use crate::scenario::names::Naming;
use crate::scenario::select::{CLIENTS_MAX, REPLICAS_MAX};
use crate::scenario::units::{Count, Drift, Offset, Pace, Rate, Size, Time, Unit};
use crate::scenario::vocabulary::{Bounds, Key, Kind, Measure, Table};
use crate::scenario::workload::{OPERATIONS_MAX, VALUE_MAX};

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key {
        name,
        kind,
        doc,
        required: false,
        verb: false,
        also: &[],
        bounds: None,
    }
}

const fn needed(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key {
        name,
        kind,
        doc,
        required: true,
        verb: false,
        also: &[],
        bounds: None,
    }
}

const fn verb(
    name: &'static str,
    kind: Kind,
    doc: &'static str,
    also: &'static [&'static str],
) -> Key {
    Key {
        name,
        kind,
        doc,
        required: false,
        verb: true,
        also,
        bounds: None,
    }
}

const fn of<U: Unit>() -> Kind {
    Kind::Quantity(const { &Measure::of::<U>() })
}

const fn each<U: Unit>() -> Kind {
    Kind::PerReplica(const { &Measure::of::<U>() })
}

/// The key with bounds of its value.
const fn bounded(key: Key, min: i128, max: i128, help: &'static str) -> Key {
    Key {
        bounds: Some(Bounds { min, max, help }),
        ..key
    }
}

const MS: i128 = 1_000_000;
const HOUR: i128 = 3_600_000 * MS;

const TIME: Kind = of::<Time>();
const RATE: Kind = of::<Rate>();
const SIZE: Kind = of::<Size>();
const COUNT: Kind = of::<Count>();

/// The shapes of a partition.
pub const SHAPES: &[&str] = &[
    "halves",
    "one-way",
    "isolate-one",
    "isolate-leader",
    "leader-in-minority",
    "ring",
    "bridge",
    "hub",
    "chain",
    "constrained",
];
/// What strikes a replica.
const BLOWS: &[&str] = &[
    "kill",
    "power-loss",
    "outage",
    "outage-kept-elsewhere",
    "failure",
];
const BOUNDARIES: &[&str] = &["now", "in-step", "in-recovery"];

/// The whole file.
pub static FILE: Table = Table {
    what: "a section or a key of a scenario",
    verbs: false,
    keys: &[
        bounded(
            needed("format", Kind::Whole, "the version of the format: 1"),
            1,
            1,
            "this build reads format = 1",
        ),
        key(
            "extends",
            Kind::Text,
            "another file, by its path from this one's folder: its sections hold where this one says \
             nothing else, key by key; a list here replaces the one there",
        ),
        needed("title", Kind::Text, "what happens, in a few words"),
        needed("why", Kind::Text, "what this scenario is there to show"),
        bounded(
            key(
                "weight",
                Kind::Whole,
                "how often the mix draws it, against the others; 1 by default, 0 for never",
            ),
            0,
            1_000,
            "weights are compared with each other: 0 to 1,000",
        ),
        key(
            "swarm",
            Kind::Bool,
            "each seed leaves out half of the nemesis' faults and a quarter of the kinds of \
             operations, and draws ranges of settings at their ends half of the time",
        ),
        key(
            "strategy",
            Kind::Words(&["random", "priorities", "branching"]),
            "how choices are made: each at random (the default), delays by priority, or at random \
             and anew from rare moments of the run",
        ),
        bounded(
            key(
                "longer",
                Kind::Whole,
                "so many times as many operations, as long until the heal and the end, and with as many \
             events as said elsewhere; a script runs once",
            ),
            1,
            1_000,
            "a run is 1 to 1000 times as long",
        ),
        key(
            "subject",
            Kind::Named(Naming::Subject),
            "the engine under test, when it is not Synod",
        ),
        key(
            "cluster",
            Kind::Table(&CLUSTER),
            "the replicas and their timeouts",
        ),
        key("engine", Kind::Table(&ENGINE), "the engine's settings"),
        key(
            "network",
            Kind::Table(&NETWORK),
            "the network's weather; quiet by default",
        ),
        key("disk", Kind::Table(&DISK), "the disks"),
        key("clock", Kind::Table(&CLOCK), "the replicas' clocks"),
        key(
            "workload",
            Kind::Table(&WORKLOAD),
            "what clients do on their own; nothing without this section",
        ),
        key("step", Kind::Tables(&STEP), "the script"),
        key(
            "override",
            Kind::Tables(&OVERRIDE),
            "single decisions that go as they are told",
        ),
        key(
            "nemesis",
            Kind::Table(&NEMESIS),
            "random faults from the start to the heal",
        ),
        key("heal", Kind::Table(&HEAL), "the end of the fault phase"),
        key(
            "checks",
            Kind::Table(&CHECKS),
            "what must hold beyond the standing checks",
        ),
        key("end", Kind::Table(&END), "when a run ends at the latest"),
        key(
            "repro",
            Kind::Table(&REPRO),
            "where a reproducer comes from",
        ),
    ],
};

static CLUSTER: Table = Table {
    what: "a key of `[cluster]`",
    verbs: false,
    keys: &[
        bounded(
            key("replicas", COUNT, "how many replicas, 1 to 9"),
            1,
            REPLICAS_MAX as i128,
            "a cluster has 1 to 9 replicas",
        ),
        bounded(
            key(
                "election-timeout",
                TIME,
                "the range that each election timeout is drawn from",
            ),
            4 * MS,
            8_760 * HOUR,
            "election timeouts are at least 4ms",
        ),
        bounded(
            key(
                "heartbeat",
                TIME,
                "between heartbeats; at most half the shortest election timeout",
            ),
            MS,
            60_000 * MS,
            "heartbeats are 1ms to 60s apart",
        ),
        bounded(
            key(
                "retransmit",
                TIME,
                "before an unanswered message is sent again",
            ),
            MS,
            60_000 * MS,
            "messages are sent again after 1ms to 60s",
        ),
    ],
};

static ENGINE: Table = Table {
    what: "a key of `[engine]`",
    verbs: false,
    keys: &[
        bounded(
            key("window", COUNT, "undecided slots in flight"),
            1,
            1 << 16,
            "a window has 1 to 65,536 slots",
        ),
        bounded(
            key("batch", COUNT, "commands in a batch"),
            1,
            1 << 15,
            "a batch has 1 to 32,768 commands",
        ),
        bounded(
            key("batch-delay", TIME, "how long a batch waits for company"),
            0,
            10_000 * MS,
            "a batch waits for 10s at most",
        ),
        bounded(
            key(
                "queue",
                COUNT,
                "commands that wait for a place in the window",
            ),
            1,
            1 << 20,
            "a queue holds 1 to 1,048,576 commands",
        ),
        bounded(
            key("segment", SIZE, "bytes of a log segment, a multiple of 512"),
            4 << 10,
            16 << 20,
            "a segment has 4KiB to 16MiB",
        ),
        bounded(
            key("message", SIZE, "bytes of values in one message"),
            512,
            1 << 24,
            "a message holds 512B to 16MiB",
        ),
        bounded(
            key("sessions", COUNT, "client sessions that are kept"),
            1,
            1 << 20,
            "1 to 1,048,576 sessions are kept",
        ),
    ],
};

static NETWORK: Table = Table {
    what: "a key of `[network]`",
    verbs: false,
    keys: &[
        key("latency", Kind::Distribution, "one-way delay of a message"),
        key("loss", RATE, "messages that are lost"),
        key("duplicate", RATE, "messages that come twice"),
        key("duplicate-later", TIME, "how much later a copy may come"),
        key("corrupt", RATE, "messages that are damaged"),
        key(
            "beyond-contract",
            Kind::Bool,
            "links between replicas lose, double, damage and reorder, whatever the subject relies on",
        ),
    ],
};

static DISK: Table = Table {
    what: "a key of `[disk]`",
    verbs: false,
    keys: &[
        key(
            "access",
            Kind::Distribution,
            "time of a read, a write or a name operation",
        ),
        key("sync", Kind::Distribution, "time of a sync"),
        bounded(
            key("capacity", SIZE, "bytes that a disk holds"),
            64 << 10,
            1 << 40,
            "a disk has at least 64KiB",
        ),
    ],
};

static CLOCK: Table = Table {
    what: "a key of `[clock]`",
    verbs: false,
    keys: &[
        key(
            "drift",
            each::<Drift>(),
            "rate error, drawn for each replica",
        ),
        key(
            "offset",
            each::<Offset>(),
            "the wall clock's offset, drawn for each replica",
        ),
    ],
};

static WORKLOAD: Table = Table {
    what: "a key of `[workload]`",
    verbs: false,
    keys: &[
        bounded(
            key(
                "clients",
                COUNT,
                "clients c1, c2, ... that act on their own",
            ),
            0,
            CLIENTS_MAX as i128,
            "a workload has up to 64 clients",
        ),
        key(
            "idle",
            Kind::Clients,
            "clients among them that ask nothing; the others keep their numbers",
        ),
        bounded(
            key(
                "sticky",
                COUNT,
                "the first so many clients stay with one replica each, in turn (c1 with r1, ...): it is \
             asked first, whoever leads",
            ),
            0,
            CLIENTS_MAX as i128,
            "up to 64 clients stay with one replica",
        ),
        bounded(
            key("operations", COUNT, "operations of all clients together"),
            0,
            OPERATIONS_MAX as i128,
            "a workload has up to 10,000,000 operations",
        ),
        bounded(
            key("keys", COUNT, "how many keys they use"),
            1,
            10_000,
            "a workload has 1 to 10,000 keys",
        ),
        key(
            "hot",
            RATE,
            "operations that go to the first key that takes them; the rest spread evenly over all",
        ),
        key(
            "mix",
            Kind::Table(&MIX),
            "relative weights of the operations",
        ),
        bounded(
            key(
                "pipeline",
                COUNT,
                "requests that a client has under way at once",
            ),
            1,
            64,
            "a client has 1 to 64 requests under way",
        ),
        key(
            "think",
            Kind::Distribution,
            "between an answer and the next request (open loop: between requests); by default the \
             operations fill half of the time to the heal",
        ),
        key(
            "rate",
            of::<Pace>(),
            "open loop: requests a second of all clients together",
        ),
        key(
            "open",
            Kind::Flag,
            "requests start by the clock, answered or not",
        ),
        bounded(
            key(
                "attempt-timeout",
                TIME,
                "an attempt without an answer is given up after this",
            ),
            MS,
            HOUR,
            "an attempt lasts 1ms to 3600s",
        ),
        bounded(
            key(
                "patience",
                TIME,
                "a request without an answer is given up for good after this",
            ),
            MS,
            HOUR,
            "patience lasts 1ms to 3600s",
        ),
        key(
            "duplicate",
            RATE,
            "requests that are sent to a second replica at once",
        ),
        key(
            "abandon",
            RATE,
            "requests that are abandoned after the first attempt",
        ),
        bounded(
            key(
                "value-size",
                SIZE,
                "values that are put or swapped in are padded to this: at most 4KiB, and what fits in half \
             a segment with 256 bytes to spare",
            ),
            0,
            VALUE_MAX as i128,
            "a value has up to 4KiB",
        ),
    ],
};

static MIX: Table = Table {
    what: "an operation",
    verbs: false,
    keys: &[
        bounded(
            key("get", Kind::Whole, "reads"),
            0,
            65_535,
            "weights are compared with each other: 0 to 65,535",
        ),
        bounded(
            key("put", Kind::Whole, "writes"),
            0,
            65_535,
            "weights are compared with each other: 0 to 65,535",
        ),
        bounded(
            key("append", Kind::Whole, "appends"),
            0,
            65_535,
            "weights are compared with each other: 0 to 65,535",
        ),
        bounded(
            key("cas", Kind::Whole, "compare-and-sets"),
            0,
            65_535,
            "weights are compared with each other: 0 to 65,535",
        ),
        bounded(
            key("delete", Kind::Whole, "deletes"),
            0,
            65_535,
            "weights are compared with each other: 0 to 65,535",
        ),
    ],
};

macro_rules! faults {
    ($($before:expr,)*; $($after:expr,)*) => {
        &[
            $($before,)*
            verb(
                "partition",
                Kind::WordsOr(SHAPES, &PARTITION),
                "cut the network",
                &["cut", "split", "isolate"],
            ),
            verb(
                "kill",
                Kind::ReplicasOr(&KILL),
                "kill processes; completed writes stay",
                &["crash", "crsh", "stop", "sigkill"],
            ),
            verb(
                "power-loss",
                Kind::ReplicasOr(&POWER_LOSS),
                "cut the power; unsynced data may be lost",
                &["power", "power-off", "powerloss"],
            ),
            verb(
                "pause",
                Kind::ReplicasOr(&TARGET),
                "stop scheduling processes",
                &["freeze", "suspend", "sigstop"],
            ),
            verb(
                "slow-cpu",
                Kind::ReplicasOr(&SLOW),
                "let each step of a process take time",
                &["cpu-slow", "slow-process", "busy"],
            ),
            verb("clog", Kind::Table(&LINKS), "hold messages back until the hold ends", &["block"]),
            verb(
                "slow-link",
                Kind::Table(&SLOW_LINK),
                "add to the delay of messages",
                &["slow-network"],
            ),
            verb("lose", Kind::Table(&AIMED_RATE), "lose messages", &["drop", "loss"]),
            verb("duplicate", Kind::Table(&DUPLICATE), "send messages twice", &["dup", "repeat"]),
            verb("corrupt", Kind::Table(&AIMED_RATE), "damage messages", &["damage", "flip"]),
            verb("delay", Kind::Table(&DELAY), "delay messages", &["late", "reorder"]),
            verb(
                "hold-back",
                Kind::Table(&HOLD_BACK),
                "keep messages back until something happens, then deliver them in the order of \
                 sending",
                &["holdback", "keep-back", "withhold"],
            ),
            verb(
                "sync-failure",
                Kind::ReplicasOr(&FAILURE),
                "fail syncs",
                &["fsync-failure", "sync-error"],
            ),
            verb("write-failure", Kind::ReplicasOr(&FAILURE), "fail writes", &["write-error"]),
            verb("read-failure", Kind::ReplicasOr(&FAILURE), "fail reads", &["read-error"]),
            verb(
                "disk-full",
                Kind::ReplicasOr(&TARGET),
                "refuse writes that need space",
                &["full-disk", "no-space", "enospc"],
            ),
            verb(
                "slow-disk",
                Kind::ReplicasOr(&SLOW),
                "add to the time of disk operations",
                &["disk-slow"],
            ),
            verb(
                "disk-stall",
                Kind::ReplicasOr(&TARGET),
                "let no disk operation complete",
                &["stall", "hang", "disk-hang"],
            ),
            verb(
                "bit-rot",
                Kind::ReplicasOr(&BIT_ROT),
                "damage sectors on the media",
                &["bitrot", "rot", "corrupt-disk"],
            ),
            verb(
                "sector-error",
                Kind::ReplicasOr(&BIT_ROT),
                "make sectors on the media unreadable",
                &["latent-error", "bad-sector", "unreadable"],
            ),
            verb(
                "misdirected-write",
                Kind::ReplicasOr(&TARGET),
                "send a write to another place",
                &["misdirect", "misdirected", "stray-write"],
            ),
            verb(
                "disk-loss",
                Kind::ReplicasOr(&TARGET),
                "replace disks by empty ones",
                &["lost-disk", "wipe", "new-disk", "disk-lost"],
            ),
            verb("clock-jump", Kind::Table(&CLOCK_JUMP), "set wall clocks", &["clock", "jump"]),
            verb(
                "clock-drift",
                Kind::Table(&CLOCK_DRIFT),
                "change the rate of clocks",
                &["drift", "skew"],
            ),
            $($after,)*
        ]
    };
}

/// A `[[step]]`.
pub static STEP: Table = Table {
    what: "a verb of a step",
    verbs: true,
    keys: faults!(
        key("at", TIME, "not before this time"),
        key("after", TIME, "so long after the step before"),
        key("hold", TIME, "how long the fault lasts; without it until a heal or restart"),
        bounded(key(
            "number",
            Kind::Whole,
            "the step's own among all: what its fault leaves open hangs on it, whatever else is \
             taken out; by default its place",
        ), 1, 60_000, "steps are numbered from 1: write a number up to 60,000, or up to 30,000 beside a nemesis"),
        bounded(key(
            "line",
            Kind::Whole,
            "in a reproducer: the step's line in its scenario; a fault with `at` and `hold` and \
             without this is of the nemesis, and waits for no step",
        ), 0, u32::MAX as i128, "a file has up to 4,294,967,295 lines"),
        ;
        verb(
            "expect",
            Kind::Table(&EXPECT),
            "wait for something",
            &["assert", "wait-for", "await", "require"],
        ),
        verb(
            "invoke",
            Kind::Table(&INVOKE),
            "have a client do one operation",
            &["call", "request", "op"],
        ),
        verb(
            "heal",
            Kind::Word(&["all", "network", "disk"]),
            "end faults",
            &["repair", "mend", "reconnect"],
        ),
        verb(
            "restart",
            Kind::ReplicasOr(&TARGET),
            "start processes that are down",
            &["start", "boot", "reboot"],
        ),
        verb(
            "resume",
            Kind::ReplicasOr(&TARGET),
            "end pauses",
            &["unpause", "continue", "sigcont"],
        ),
        verb("sleep", TIME, "do nothing", &["wait"]),
    ),
};

static NEMESIS: Table = Table {
    what: "a key of `[nemesis]`",
    verbs: false,
    keys: &[
        bounded(
            key("every", TIME, "between two faults, drawn each time"),
            MS,
            8_760 * HOUR,
            "faults come at least 1ms apart",
        ),
        key(
            "budget",
            Kind::Words(&["survivable", "none"]),
            "how much damage there may be: what a majority survives, or any, and then liveness is \
             not judged",
        ),
        key("fault", Kind::Tables(&NEMESIS_FAULT), "what may happen"),
    ],
};

static NEMESIS_FAULT: Table = Table {
    what: "a fault",
    verbs: true,
    keys: faults!(
        bounded(key("weight", Kind::Whole, "how often, against the others; 1 by default"), 0, 1_000_000, "weights are compared with each other: 0 to 1,000,000"),
        key("hold", TIME, "how long it lasts; \"100ms..2s\" by default"),
        ;
    ),
};

static PARTITION: Table = Table {
    what: "a key of `partition`",
    verbs: false,
    keys: &[
        key("shape", Kind::Words(SHAPES), "a named shape"),
        key(
            "groups",
            Kind::Groups,
            "sides that cannot reach each other: replicas and clients",
        ),
        key(
            "order",
            Kind::Order,
            "all replicas in the order that the shape goes by; drawn by default",
        ),
        key(
            "clients",
            Kind::Parted,
            "how many of the workload's clients are with the leader (of `halves`: with the fewer \
             replicas), each or not by default; beside an `order`: which",
        ),
    ],
};

const DEATHS: &str =
    "with `boundary` in-recovery: how many recoveries in a row it does not survive";

const MOMENT: &str = "just before it next does this, in place of `boundary`";

static WHEN: Table = Table {
    what: "a key of `when`",
    verbs: false,
    keys: &[
        key(
            "sends",
            Kind::SomeNamed(Naming::Message),
            "a message of this kind, or of one of several, is about to leave: it does not",
        ),
        key(
            "between",
            Kind::Sequence(&["write", "sync"]),
            "[\"write\", \"sync\"]: what it wrote is not synced, and it asks for that",
        ),
        key(
            "file",
            Kind::FilePrefix,
            "with `between`: only of a file whose name starts with this",
        ),
    ],
};

static KILL: Table = Table {
    what: "a key of `kill`",
    verbs: false,
    keys: &[
        needed("replicas", Kind::Replicas, "whose process"),
        key(
            "boundary",
            Kind::Words(BOUNDARIES),
            "where in a step it dies",
        ),
        bounded(
            key("deaths", COUNT, DEATHS),
            1,
            100,
            "a process dies in 1 to 100 recoveries: write deaths = 2 or deaths = \"1..4\"",
        ),
        key("when", Kind::Table(&WHEN), MOMENT),
    ],
};

static POWER_LOSS: Table = Table {
    what: "a key of `power-loss`",
    verbs: false,
    keys: &[
        needed("replicas", Kind::Replicas, "whose power"),
        key(
            "keep",
            Kind::Words(&["any", "nothing", "everything"]),
            "what survives of unsynced data",
        ),
        key(
            "boundary",
            Kind::Words(BOUNDARIES),
            "where in a step it dies",
        ),
        bounded(
            key("deaths", COUNT, DEATHS),
            1,
            100,
            "a process dies in 1 to 100 recoveries: write deaths = 2 or deaths = \"1..4\"",
        ),
        key("when", Kind::Table(&WHEN), MOMENT),
    ],
};

static TARGET: Table = Table {
    what: "a key of this verb",
    verbs: false,
    keys: &[needed("replicas", Kind::Replicas, "whom")],
};

static FAILURE: Table = Table {
    what: "a key of this verb",
    verbs: false,
    keys: &[
        needed("replicas", Kind::Replicas, "whose disk"),
        key("rate", RATE, "how many fail; all by default"),
    ],
};

static SLOW: Table = Table {
    what: "a key of this verb",
    verbs: false,
    keys: &[
        needed("replicas", Kind::Replicas, "whom"),
        key(
            "by",
            TIME,
            "the extra time of each disk operation, or the time of each step",
        ),
    ],
};

static BIT_ROT: Table = Table {
    what: "a key of `bit-rot`",
    verbs: false,
    keys: &[
        needed(
            "replicas",
            Kind::Replicas,
            "whose disk: a number or names; kept within the redundancy budget",
        ),
        bounded(
            key("sectors", COUNT, "how many sectors"),
            1,
            255,
            "damage strikes 1 to 255 sectors: write sectors = 1 or sectors = \"1..4\"",
        ),
        key(
            "files",
            Kind::FilePrefix,
            "only files whose name starts with this",
        ),
        key(
            "tail",
            Kind::Flag,
            "only the last sectors of the last of these files: a log's newest records",
        ),
    ],
};

static CLOCK_JUMP: Table = Table {
    what: "a key of `clock-jump`",
    verbs: false,
    keys: &[
        needed("replicas", Kind::Replicas, "whose wall clock"),
        needed("by", of::<Offset>(), "by how much"),
    ],
};

static CLOCK_DRIFT: Table = Table {
    what: "a key of `clock-drift`",
    verbs: false,
    keys: &[
        needed("replicas", Kind::Replicas, "whose clocks"),
        needed("rate", of::<Drift>(), "the new rate error"),
    ],
};

const FROM: Key = key("from", Kind::Replicas, "senders; all by default");
const TO: Key = key("to", Kind::Replicas, "receivers; all by default");

static LINKS: Table = Table {
    what: "a key of `clog`",
    verbs: false,
    keys: &[FROM, TO],
};
static SLOW_LINK: Table = Table {
    what: "a key of `slow-link`",
    verbs: false,
    keys: &[FROM, TO, needed("by", TIME, "so much is added")],
};
const KIND: Key = key(
    "kind",
    Kind::SomeNamed(Naming::Message),
    "only messages of this kind, such as \"accept\", or of several; any by default",
);
const NTH: Key = bounded(
    key(
        "nth",
        COUNT,
        "which of them, from 1, counted while the fault holds; every one by default",
    ),
    1,
    1_000_000_000,
    "`nth` counts from 1: write nth = 1 for the first",
);

static AIMED_RATE: Table = Table {
    what: "a key of this verb",
    verbs: false,
    keys: &[
        FROM,
        TO,
        KIND,
        NTH,
        key("rate", RATE, "how many of the messages; all by default"),
    ],
};
static DUPLICATE: Table = Table {
    what: "a key of `duplicate`",
    verbs: false,
    keys: &[
        FROM,
        TO,
        KIND,
        NTH,
        key("rate", RATE, "how many of the messages; all by default"),
        key("later", TIME, "the latest that a copy comes"),
    ],
};
static DELAY: Table = Table {
    what: "a key of `delay`",
    verbs: false,
    keys: &[FROM, TO, KIND, NTH, needed("by", TIME, "so much is added")],
};
static HOLD_BACK: Table = Table {
    what: "a key of `hold-back`",
    verbs: false,
    keys: &[
        FROM,
        TO,
        KIND,
        NTH,
        key(
            "until",
            Kind::Words(&["end", "leader-changed", "rejoined", "campaigned", "elected"]),
            "what they wait for, at most until the fault ends: its end, a change of leader, that \
             the sender has come back from a restart, that the addressee campaigns, or leads",
        ),
    ],
};

static EXPECT: Table = Table {
    what: "something to expect",
    verbs: false,
    keys: &[
        key("leader", Kind::Replicas, "a leader among these"),
        key("no-leader", Kind::Replicas, "no leader among these"),
        key("value", Kind::Table(&VALUE), "a fresh read gives this"),
        key("caught-up", Kind::Replicas, "these have applied everything"),
        key("halted", Kind::Replicas, "these have halted"),
        key("ready", Kind::Replicas, "these take part"),
        bounded(
            key(
                "operations",
                COUNT,
                "so many operations of clients have been answered since the start",
            ),
            1,
            OPERATIONS_MAX as i128,
            "1 to 10,000,000 operations can be waited for",
        ),
        key(
            "lag",
            Kind::Table(&LAG),
            "a replica's disk lacks so many slots of those that are chosen",
        ),
        key("within", TIME, "happens by then; 5s by default"),
        key("for", TIME, "holds throughout"),
    ],
};

static LAG: Table = Table {
    what: "a key of `lag`",
    verbs: false,
    keys: &[
        needed("replica", Kind::Replica, "whose: a name such as r3"),
        needed(
            "slots",
            Kind::Slots,
            "at least and at most so many: \"20..all\" for 20 or more",
        ),
    ],
};

static VALUE: Table = Table {
    what: "a key of `value`",
    verbs: false,
    keys: &[
        needed("key", Kind::Text, "the key"),
        key(
            "is",
            Kind::Text,
            "its value; without it the key must be absent",
        ),
    ],
};

static INVOKE: Table = Table {
    what: "a key of `invoke`",
    verbs: false,
    keys: &[
        needed("client", Kind::Client, "c1, c2, ..."),
        needed(
            "op",
            Kind::Word(&["get", "put", "append", "cas", "delete"]),
            "what to do",
        ),
        needed("key", Kind::Text, "to which key"),
        key("value", Kind::Text, "what to put or append"),
        key(
            "old",
            Kind::Text,
            "what a cas must find; without it the key must be absent",
        ),
        key("new", Kind::Text, "what a cas sets"),
        key("expect", Kind::Endings, "how it may end"),
        key("background", Kind::Bool, "go on without waiting for it"),
    ],
};

static HEAL: Table = Table {
    what: "a key of `[heal]`",
    verbs: false,
    keys: &[
        key("at", TIME, "when faults end"),
        key("core", Kind::Core, "the replicas that are healed"),
        key(
            "others",
            Kind::Words(&["gone", "deaf", "mute"]),
            "what becomes of the other replicas, for good",
        ),
        bounded(
            key(
                "progress-within",
                TIME,
                "the core must answer every client within this",
            ),
            MS,
            8_760 * HOUR,
            "a cluster is given 1ms or more to make progress",
        ),
        bounded(
            key(
                "first-answer-within",
                TIME,
                "each client's first request after the heal must usually be answered within this",
            ),
            MS,
            8_760 * HOUR,
            "a client is given 1ms or more for its first answer",
        ),
    ],
};

static CHECKS: Table = Table {
    what: "a key of `[checks]`",
    verbs: false,
    keys: &[
        key(
            "milestones",
            Kind::AllNamed(Naming::Milestone),
            "each must be reached",
        ),
        key(
            "fails",
            Kind::Named(Naming::Failure),
            "the check, or the class of failures, that this scenario is there to fail",
        ),
        key("at-least", RATE, "in at least so many runs of a sweep"),
    ],
};

static END: Table = Table {
    what: "a key of `[end]`",
    verbs: false,
    keys: &[
        bounded(
            key("time", TIME, "virtual time"),
            MS,
            8_760 * HOUR,
            "a run lasts 1ms or more",
        ),
        bounded(
            key("events", Kind::Whole, "events"),
            1,
            i64::MAX as i128,
            "a run has at least one event: write events = 5_000_000",
        ),
    ],
};

static OVERRIDE: Table = Table {
    what: "a key of an override",
    verbs: false,
    keys: &[
        key(
            "message",
            Kind::Table(&OVERRIDDEN_MESSAGE),
            "of which message",
        ),
        key(
            "disk",
            Kind::Table(&OVERRIDDEN_OPERATION),
            "of which operation of a disk",
        ),
        key(
            "intact",
            Kind::Bool,
            "the message is neither lost nor copied nor damaged by weather and faults",
        ),
        key("lost", Kind::Bool, "whether the message is lost"),
        key("delay", TIME, "how long the message is under way"),
        key("copy-after", TIME, "so much later a copy of it comes"),
        bounded(
            key(
                "damage",
                Kind::Whole,
                "the message is damaged, in the way of this number",
            ),
            0,
            u32::MAX as i128,
            "ways are numbered from 0 to 4,294,967,295",
        ),
        key("takes", TIME, "how long the operation takes"),
        key("fails", Kind::Bool, "whether the operation fails"),
    ],
};

static OVERRIDDEN_MESSAGE: Table = Table {
    what: "a key of a message's name",
    verbs: false,
    keys: &[
        needed("from", Kind::Party, "the sender, a replica or a client"),
        needed("to", Kind::Party, "the addressee"),
        key("kind", Kind::Named(Naming::Message), "its kind; any"),
        bounded(
            key("slot", Kind::Whole, "the first slot that it is about; any"),
            0,
            u64::MAX as i128,
            "slots are numbered from 0",
        ),
        bounded(
            key("nth", Kind::Whole, "which of those that fit, from 1; 1"),
            1,
            u32::MAX as i128,
            "`nth` counts from 1: write nth = 1 for the first",
        ),
    ],
};

static OVERRIDDEN_OPERATION: Table = Table {
    what: "a key of an operation's name",
    verbs: false,
    keys: &[
        needed("replica", Kind::Party, "whose disk"),
        needed(
            "op",
            Kind::Word(&["read", "write", "sync", "sync-names"]),
            "what it does",
        ),
        bounded(
            key("nth", Kind::Whole, "which of them, from 1; 1"),
            1,
            u32::MAX as i128,
            "`nth` counts from 1: write nth = 1 for the first",
        ),
    ],
};

static REPRO: Table = Table {
    what: "a key of `[repro]`",
    verbs: false,
    keys: &[
        key(
            "scenario",
            Kind::Text,
            "the scenario that it was drawn from",
        ),
        bounded(
            needed("seed", Kind::Whole, "its seed"),
            0,
            u64::MAX as i128,
            "seeds go from 0 to 2^64 - 1",
        ),
        key(
            "subject",
            Kind::Named(Naming::Subject),
            "the engine under test",
        ),
        key("bug", Kind::Named(Naming::Bug), "the planted bug"),
        key(
            "only",
            Kind::AllNamed(Naming::Check),
            "the checks that judged, if it was not all of them",
        ),
        key(
            "checks",
            Kind::Word(&["all", "client"]),
            "`client` if only what a client can see judged",
        ),
        key(
            "check",
            Kind::Named(Naming::Ending),
            "the check that failed",
        ),
        key("digest", Kind::Digest, "the trace digest"),
        key(
            "plan",
            Kind::Digest,
            "which plan had that digest: of an edited one it is not compared",
        ),
        key(
            "build",
            Kind::Text,
            "the hash of the sources that it was found with",
        ),
        key(
            "branches",
            Kind::Tables(&BRANCH),
            "where the run leaves the way of its seed, in the order of the events",
        ),
        key(
            "strikes",
            Kind::Tables(&STRIKE),
            "where replicas are struck, in the order of the events",
        ),
    ],
};

static BRANCH: Table = Table {
    what: "a key of a branch",
    verbs: false,
    keys: &[
        bounded(
            needed("event", Kind::Whole, "events that are handled before"),
            0,
            u64::MAX as i128,
            "events are counted from 0",
        ),
        bounded(
            needed("salt", Kind::Whole, "which way it goes; any number"),
            0,
            u64::MAX as i128,
            "any number from 0 to 2^64 - 1",
        ),
    ],
};

static STRIKE: Table = Table {
    what: "a key of a strike",
    verbs: false,
    keys: &[
        bounded(
            needed("event", Kind::Whole, "events that are handled before"),
            0,
            u64::MAX as i128,
            "events are counted from 0",
        ),
        bounded(
            needed(
                "replica",
                Kind::Whole,
                "who is stepped in the next one, 1 for r1",
            ),
            1,
            REPLICAS_MAX as i128,
            "write 1 for r1",
        ),
        bounded(
            needed(
                "after",
                Kind::Whole,
                "so many of the things that it asks for in that step come before",
            ),
            0,
            u32::MAX as i128,
            "a number of things, from 0",
        ),
        needed("by", Kind::Word(BLOWS), "what strikes it"),
        key(
            "keep",
            Kind::Loose,
            "what of its disk that no sync covers survives: FILE#7 a sector, FILE#7+ one of a write \
             under way, FILE#length, FILE#create, FILE#rename, FILE#remove",
        ),
    ],
};

/// The keys of a pick and of a distribution.
pub static PICK: Table = Table {
    what: "a key of a pick",
    verbs: false,
    keys: &[needed("pick", Kind::Options, "values to pick from")],
};

/// The keys of a distribution.
pub static DISTRIBUTION: Table = Table {
    what: "a key of a distribution",
    verbs: false,
    keys: &[
        key(
            "shape",
            Kind::Word(&["constant", "uniform", "exponential"]),
            "which",
        ),
        key("value", TIME, "of a constant"),
        key("min", TIME, "of a uniform one"),
        key("max", TIME, "of a uniform or exponential one"),
        key("mean", TIME, "of an exponential one"),
        key("pick", Kind::Options, "constants to pick from"),
    ],
};

const _: () = assert!(REPLICAS_MAX == 9, "the doc of `replicas` names the bound");
