//! The port: what the simulator and a subject (a consensus engine under test) say to each other. It
//! is bytes and files.
//!
//! A subject's replica is a [`Process`]: a pure state machine that is stepped with an [`Input`] and
//! fills [`Output`]s. What ships is what is simulated: codec, checksums, log layout and recovery
//! are on the subject's side of this line.

use std::ops::RangeInclusive;

use synod_port::files::{Bytes, DiskError, DiskOk, DiskOp, FileName, OpId};

use crate::history::operation::{Action, Call, Return};
use crate::ids::{Client, Node};
use crate::plan::Knobs;
use crate::scenario::select::REPLICAS_MAX;
use crate::subject::contract::{Links, majorities};
use crate::trace::event::Fact;

/// How the panic begins that ends a run at once when the subject asks for what no host can do.
pub const MISUSE: &str = "port: ";

/// The identity of every simulated cluster.
pub const CLUSTER: u64 = 0x53_796e_6f64;

/// The node's own clocks in nanoseconds, sampled before the step; a pause may fall between the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// The monotonic clock; it restarts at every boot.
    pub mono: u64,
    /// The wall clock, since the Unix epoch; it may jump both ways.
    pub wall: u64,
}

/// What happens to a process.
#[derive(Debug)]
pub enum Input<'a> {
    /// The process has started. Always the first input of a boot.
    Boot {
        /// Randomness for this boot; the only one that the process ever gets.
        entropy: [u8; 32],
    },
    /// Bytes from a peer, perhaps damaged on the way.
    Message {
        /// The peer.
        from: Node,
        /// The bytes.
        bytes: &'a Bytes,
    },
    /// Bytes from a client, perhaps damaged on the way.
    Request {
        /// The client.
        from: Client,
        /// The bytes.
        bytes: &'a Bytes,
    },
    /// A session with a peer begins; a subject whose links are [`Links::Sessions`] hears of that.
    Connected {
        /// The peer.
        peer: Node,
        /// The session's number: the first of the two is 1, and each is higher than the last.
        session: u64,
    },
    /// The session with a peer has ended: what was sent last may not have come.
    Disconnected {
        /// The peer.
        peer: Node,
        /// The session's number.
        session: u64,
    },
    /// The deadline that the process asked for has been reached.
    Deadline,
    /// A disk operation of this boot has ended.
    Disk {
        /// Which one.
        op: OpId,
        /// How.
        result: Result<DiskOk, DiskError>,
    },
}

/// What a process wants done, in order. A kill may fall between any two.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send bytes to a peer.
    Send {
        /// The peer.
        to: Node,
        /// The bytes.
        bytes: Bytes,
    },
    /// Send bytes to a client.
    Reply {
        /// The client.
        to: Client,
        /// The bytes.
        bytes: Bytes,
    },
    /// Do something to the disk.
    Disk {
        /// Comes back with the completion.
        op: OpId,
        /// What to do.
        what: DiskOp,
    },
    /// Recovery is over; the process takes part.
    Ready,
    /// The process stops by its own will and is not stepped again in this boot.
    Halt {
        /// Why, for people.
        reason: String,
        /// The subject says that its disk no longer tells what it promised: it must not come back.
        damaged: bool,
    },
}

/// A replica of a subject.
pub trait Process {
    /// Takes one input and appends what is to be done. Never blocks, never reads anything but its
    /// arguments.
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>);

    /// When the process wants to be woken, on its own monotonic clock.
    fn deadline(&self) -> Option<u64>;

    /// A copy that goes on independently, or none when the subject cannot: then the prefix is run
    /// again.
    fn fork(&self) -> Option<Box<dyn Process>>;

    /// Moves the facts since the last call into `into`, in order. Subjects without facts leave it
    /// empty.
    fn facts(&mut self, _into: &mut Vec<Fact>) {}

    /// What the planted bug did in this boot: (reached, triggered).
    fn bug(&self) -> (u64, u64) {
        (0, 0)
    }

    /// The bytes of memory that this replica accounts for, roughly.
    fn accounted_bytes(&self) -> u64 {
        0
    }
}

/// How much a run looks into the subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProbeLevel {
    /// Nothing: the code that ships.
    Nothing,
    /// The planted bug, no contracts, no facts.
    BugsOnly,
    /// Facts, and no contracts.
    Facts,
    /// Contracts and facts.
    #[default]
    Full,
}

impl ProbeLevel {
    /// Whether facts are told.
    #[must_use]
    pub const fn tells_facts(self) -> bool {
        matches!(self, Self::Facts | Self::Full)
    }
}

/// What is known of a bug that can be planted in a subject: for `synod bugs`, `--bug` and `hunt`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// Its name on the command line.
    pub name: &'static str,
    /// The part of the protocol that it sits in.
    pub component: &'static str,
    /// What it leads to.
    pub class: &'static str,
    /// How hard it is to find: `easy`, `medium` or `hard`.
    pub difficulty: &'static str,
    /// What it does.
    pub behaviour: &'static str,
    /// Where such a bug was seen.
    pub source: &'static str,
}

/// What a subject needs to know to make its replicas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// The cluster's identity; messages and files of others are refused.
    pub cluster: u64,
    /// How many replicas.
    pub replicas: u8,
    /// The settings of the scenario.
    pub knobs: Knobs,
    /// The planted bug, by name.
    pub bug: Option<String>,
    /// How much to look into it.
    pub probe: ProbeLevel,
}

/// A consensus engine under test.
pub trait Subject: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The files of a new replica's disk, durable before its first boot.
    fn format(&self, setup: &Setup, node: Node) -> Vec<(FileName, Vec<u8>)>;

    /// How the names of the files on its disks begin; none when it does not say. A fault that is
    /// aimed at other files would hit nothing.
    fn files(&self) -> &'static [&'static str] {
        &[]
    }

    /// A replica that has not booted yet.
    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process>;

    /// The bugs that can be planted in it: [`Setup::bug`] has the name of one, and
    /// [`Process::bug`] counts what it does, which a hunt asks for.
    fn bugs(&self) -> Vec<Card> {
        Vec::new()
    }

    /// What its clients say and hear.
    fn dialect(&self) -> &'static dyn Dialect;

    /// What it relies on of the links between its replicas.
    fn links(&self) -> Links {
        Links::Datagrams
    }

    /// The clusters that it runs in, by the number of replicas, of 1 to [`REPLICAS_MAX`]. Scenarios with
    /// others do not apply to it.
    fn replicas(&self) -> RangeInclusive<u8> {
        1..=REPLICAS_MAX
    }

    /// The least sets of replicas, of so many, that answer for everything when nobody else is left:
    /// `last-quorum-audit` leaves each of them alone. None: it has no such sets.
    fn quorums(&self, replicas: u8) -> Vec<Vec<Node>> {
        majorities(replicas)
    }

    /// How many times as long as usual it may need for what has a bound in time: the first answer
    /// after the heal, progress, and the answers of a quorum that was left alone (20 times the
    /// longest election timeout). At least 1.
    fn patience(&self) -> u32 {
        1
    }

    /// Whether one of its replicas leads. Where none does, each that runs is as good as a leader:
    /// what a scenario expects of leaders holds, milestones of leaders are not asked for, and a
    /// fault that hits the leader hits the replica that answered a client last.
    fn has_leader(&self) -> bool {
        true
    }

    /// Whether it tells facts of a replicated log. Milestones that are seen in facts are not asked
    /// of a subject without.
    fn tells_facts(&self) -> bool {
        false
    }

    /// Whether the wall clock can change anything that it does. Where it cannot, jumps of it do not
    /// count as faults that took effect, and none is asked for.
    fn reads_wall_clock(&self) -> bool {
        true
    }

    /// Reads its messages and its media for the checkers, by code of its own; none when the subject
    /// does not offer that.
    fn reader(&self) -> Option<&'static dyn Reader> {
        None
    }

    /// Whether its reader shows what is on its media.
    fn shows_media(&self) -> bool {
        self.reader().is_some_and(|reader| reader.media().is_some())
    }

    /// Whether this message between replicas shows that its sender leads, and at which rank: among
    /// leaders the highest rank is the latest to win. Asked for every message, so it should look at
    /// few bytes. Roles in scenarios rest on this and not on facts, because a run must not depend
    /// on how closely it is watched.
    fn leads(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let description = self.reader()?.describe(bytes)?;
        description
            .ballot
            .filter(|ballot| description.kind == "heartbeat" && ballot.1 == from.0)
    }

    /// Whether this message between replicas asks the others to let its sender lead, and at which
    /// rank. Asked for every message, as [`Subject::leads`] is.
    fn campaigns(&self, from: Node, bytes: &[u8]) -> Option<(u64, u8)> {
        let description = self.reader()?.describe(bytes)?;
        description
            .ballot
            .filter(|ballot| description.kind == "prepare" && ballot.1 == from.0)
    }
}

/// A session of a client, opaque to the simulator. 0: none yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Session(pub u64);

/// The client's side of the subject's protocol: stateless encoding and decoding.
pub trait Dialect: Sync {
    /// The bytes that open a session, or none when the subject has no sessions.
    fn register(&self, nonce: u64) -> Option<Bytes>;

    /// Whether the subject has operations of this kind. Every subject has get and put. A client is
    /// refused any other at once, before anything is sent.
    fn offers(&self, _action: &Action) -> bool {
        true
    }

    /// The bytes of a request. `sequence` numbers the session's requests from 0; all below
    /// `answered_below` have been answered.
    fn request(&self, session: Session, sequence: u64, answered_below: u64, call: &Call) -> Bytes;

    /// Reads a reply; none when the bytes are damaged.
    fn reply(&self, bytes: &[u8]) -> Option<Answer>;
}

impl Answer {
    /// The request is done, and the subject says nothing of its place.
    #[must_use]
    pub const fn done(session: Session, sequence: u64, result: Return) -> Self {
        Self::Done {
            session,
            sequence,
            place: None,
            result,
        }
    }

    /// Not done by this replica for this attempt.
    #[must_use]
    pub const fn refused(session: Session, sequence: u64, refusal: Refusal) -> Self {
        Self::Refused {
            session,
            sequence,
            refusal,
        }
    }
}

/// A reply, as a client understands it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The session that was asked for with this nonce.
    Registered {
        /// Echo.
        nonce: u64,
        /// The session.
        session: Session,
    },
    /// The request is done.
    Done {
        /// The session of the request.
        session: Session,
        /// Its number.
        sequence: u64,
        /// The slot and the index in it that ordered it, if the subject says; a read carries the
        /// last slot that it saw, with index `u16::MAX`, or none when it saw none.
        place: Option<(u64, u16)>,
        /// The result.
        result: Return,
    },
    /// Not done by this replica for this attempt.
    Refused {
        /// The session of the request, or 0 for a registration or unknown.
        session: Session,
        /// Its number, or the registration's nonce.
        sequence: u64,
        /// What may become of it.
        refusal: Refusal,
    },
}

/// What may become of a request that a replica refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Another replica may do it, or this one later; who leads, as far as the replica knows.
    Retry(Option<Node>),
    /// Nobody will ever do it: it does not fit anywhere.
    Never,
    /// The session is gone for good; the outcome of requests in it is unknown.
    SessionGone,
}

/// What a message commits its sender to, for checkers, and what a person would call it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Description {
    /// The message's kind, `accept` and the like.
    pub kind: &'static str,
    /// The sender's ballot as (round, node), if the message has one.
    pub ballot: Option<(u64, u8)>,
    /// The first slot that it is about.
    pub slot: Option<u64>,
    /// What the sender claims to have made durable.
    pub claim: Claim,
}

/// What a message rests on: what must be on the sender's media, or have been sent, before it leaves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Claim {
    /// Nothing.
    #[default]
    Nothing,
    /// A promise, with what was voted for before it.
    Promise(Promise),
    /// Votes at this ballot in these slots.
    Votes((u64, u8), Vec<u64>),
    /// Nothing on the media: a value is proposed, and rests on promises that were sent.
    Proposal {
        /// At this ballot, as (round, node).
        ballot: (u64, u8),
        /// In this slot.
        slot: u64,
        /// A hash of the value's bytes (`trace::event::value_hash`).
        value: u64,
    },
}

/// One page of a promise, as it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Promise {
    /// What was promised, as (round, node); the node is the candidate.
    pub ballot: (u64, u8),
    /// The first slot that the page is about.
    pub from: u64,
    /// The first slot that a later page is about; none: this page is about all slots from `from`
    /// on.
    pub next: Option<u64>,
    /// What it reports, in order of the slots. It says of every other slot of the page that its
    /// sender never voted there.
    pub reports: Vec<Report>,
}

/// What a promise says of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// The slot.
    pub slot: u64,
    /// The highest ballot at which the sender voted, as (round, node). Means nothing beside a value
    /// that is chosen.
    pub ballot: (u64, u8),
    /// A hash of the value's bytes (`trace::event::value_hash`).
    pub value: u64,
    /// The sender knows that this value is chosen.
    pub chosen: bool,
}

/// What a reply to a client acknowledges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledged {
    /// A session is open, by this slot.
    Registered {
        /// The slot that ordered the registration.
        slot: u64,
    },
    /// An operation took effect.
    Done {
        /// Its session.
        session: u64,
        /// Its number in the session.
        sequence: u64,
        /// The slot that ordered it.
        slot: u64,
        /// Its index in the slot's batch.
        index: u16,
        /// A hash of the result's bytes (`trace::event::value_hash`).
        result: u64,
    },
    /// A read saw all slots below this one.
    Read {
        /// The first slot that it does not see.
        below: u64,
    },
}

/// Reads the subject's bytes with code that shares nothing with the subject. Each of these is an offer
/// of its own, and what is not offered is not judged:
///
/// - names ([`Reader::describe`], [`Reader::kinds`], [`Reader::kind`]): stories and pages name
///   messages, and faults can be aimed at a kind of them;
/// - media ([`Reader::media`]): what a disk holds, without which `ghost` has facts alone, for steps that
///   wait for a lag and for faults that know what is precious;
/// - claims with media ([`Reader::claim`]): what a message rests on, for `before-durable`, `promises`
///   and `proposals`. Without media there is nothing to hold a claim against;
/// - replies ([`Reader::acknowledged`]): where a request was executed, for `exactly-once`, and with
///   media for `durability`.
pub trait Reader: Sync {
    /// Describes a message between replicas; none when it is damaged.
    fn describe(&self, _bytes: &[u8]) -> Option<Description> {
        None
    }

    /// All kinds of messages between replicas. None, when the subject does not offer this.
    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }

    /// Which of [`Reader::kinds`] a message is of, as cheaply as possible: asked for every message
    /// that is delivered. It may be damaged.
    fn kind(&self, _bytes: &[u8]) -> Option<usize> {
        None
    }

    /// The name of a message's kind; none when it has none. Of [`Reader::kinds`], if there are any.
    fn kind_of(&self, bytes: &[u8]) -> Option<&'static str> {
        match self.kinds() {
            [] => self.describe(bytes).map(|description| description.kind),
            kinds => self.known_kind(bytes).map(|kind| kinds[kind]),
        }
    }

    /// [`Reader::kind`], which has to be one of [`Reader::kinds`].
    fn known_kind(&self, bytes: &[u8]) -> Option<usize> {
        let kind = self.kind(bytes)?;
        let kinds = self.kinds().len();
        assert!(
            kind < kinds,
            "{MISUSE}the reader says that a message is of kind {kind} of {kinds}, from 0"
        );
        Some(kind)
    }

    /// Only the claim of a message, as cheaply as possible: asked for every message that is sent.
    fn claim(&self, _bytes: &[u8]) -> Claim {
        Claim::Nothing
    }

    /// Whether a message is a promise, as cheaply as possible: asked for every message that arrives.
    fn is_promise(&self, bytes: &[u8]) -> bool {
        matches!(self.claim(bytes), Claim::Promise(_))
    }

    /// What a reply to a client acknowledges, as cheaply as possible; none for refusals, and when
    /// the subject does not offer this.
    fn acknowledged(&self, _bytes: &[u8]) -> Option<Acknowledged> {
        None
    }

    /// Starts a reading of one node's media; none when the subject does not offer this.
    fn media(&self) -> Option<Box<dyn MediaReader>> {
        None
    }
}

/// Follows what is on one node's media, sync by sync.
pub trait MediaReader {
    /// These sectors of the file have become durable, in order of their index, by a sync, though it
    /// may have failed, or because they survived a power loss unsynced. `file` is its durable or
    /// intended name.
    fn synced(&mut self, file: FileName, sectors: &[(u32, &[u8])], found: &mut Vec<Durable>);

    /// A sync of the directory succeeded: it durably holds exactly these names now. A reader that
    /// is never told takes every name for durable.
    fn named(&mut self, _names: &[FileName], _found: &mut Vec<Durable>) {}

    /// A process starts on these files. What has no durable name by now may be gone, and a file
    /// that is created under its name is another one.
    fn booted(&mut self) {}

    /// A copy.
    fn fork(&self) -> Box<dyn MediaReader>;
}

impl Clone for Box<dyn MediaReader> {
    fn clone(&self) -> Self {
        self.fork()
    }
}

/// Something that a node's media holds from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Durable {
    /// A promise of at least this ballot, in as many copies as count.
    Promise((u64, u8)),
    /// A vote.
    Vote {
        /// The slot.
        slot: u64,
        /// The ballot as (round, node).
        ballot: (u64, u8),
        /// A hash of the value's bytes (`trace::event::value_hash`).
        value: u64,
    },
    /// What is chosen in a slot, which others told, whatever the node voted for there. No vote: it
    /// makes nothing chosen.
    Learned {
        /// The slot.
        slot: u64,
        /// A hash of the value's bytes (`trace::event::value_hash`).
        value: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panics::caught;

    #[test]
    fn a_kind_that_a_reader_does_not_have_is_the_subjects_fault() {
        struct Confused;
        impl Reader for Confused {
            fn kinds(&self) -> &'static [&'static str] {
                &["one", "two"]
            }
            fn kind(&self, bytes: &[u8]) -> Option<usize> {
                bytes.first().map(|first| usize::from(*first))
            }
        }
        assert_eq!(Confused.kind_of(&[1]), Some("two"));
        let panic = caught(|| Confused.kind_of(&[2])).expect_err("there are two");
        assert_eq!(
            panic.message.strip_prefix(MISUSE),
            Some("the reader says that a message is of kind 2 of 2, from 0")
        );
    }
}
