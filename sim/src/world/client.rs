//! One client: its session, its open requests, and what it does about silence and refusals.
//!
//! A request is tried until it is answered or its patience ends; then nobody will ever know. A
//! refusal is a definite failure only when it answers the one attempt that was ever sent, to one
//! replica, and the network made no copy of it: a copy may still find a leader. Each open request
//! is a process of its own in the history, and a process whose request ended as unknown is never
//! used again. An answer that comes later, or again, changes nothing that the client does; it is
//! evidence.

use crate::history::operation::{Call, Text};
use crate::ids::{Client, Node};
use crate::subject::process::Session;
use crate::time::{Instant, Span};
use crate::trace::event::Outcome;

/// Who wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Nobody: the client's own work.
    Workload,
    /// The step of that number.
    Script(u32),
    /// The script's expectation of a value.
    Value,
    /// The check of progress.
    Progress,
    /// An audit.
    Audit,
}

/// What somebody has a client ask.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub client: Client,
    pub call: Call,
    pub purpose: Purpose,
    pub patience: Span,
    /// A definite refusal is an answer.
    pub takes_no: bool,
}

/// A request that has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Finished {
    pub client: Client,
    pub purpose: Purpose,
    pub call: Call,
    pub outcome: Outcome,
}

/// An open request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Names it among the client's: what it draws hangs on it.
    pub number: u16,
    pub purpose: Purpose,
    pub process: u32,
    pub call: Call,
    /// Its session and its number in it, once it was sent.
    pub session: Session,
    pub sequence: u64,
    pub attempts: u32,
    /// When it was sent first.
    pub asked_at: Instant,
    /// More than one replica may have it.
    pub copied: bool,
    /// Whom the last attempt went to, and whether it was refused.
    pub asked: Node,
    pub refused: bool,
    /// Whom the next attempt goes to, if that is settled.
    pub next: Option<Node>,
    /// The last attempt followed a hint.
    pub followed: bool,
    pub next_try: Instant,
    pub give_up_at: Instant,
    pub duplicate: bool,
    /// Which of the others a duplicate goes to, as a part of 2^32.
    pub second: u64,
    pub abandon: bool,
    /// Decides whether its acknowledgement is audited, as a part of 2^32.
    pub audit: u64,
    /// Ends at a definite refusal rather than trying elsewhere.
    pub takes_no: bool,
    /// The first acknowledgement that a replica sent, whether it ever comes or not.
    pub sent: Option<Outcome>,
}

impl Request {
    /// A request that was not sent yet.
    pub fn new(ask: Ask, number: u16, process: u32, now: Instant) -> Self {
        Self {
            number,
            purpose: ask.purpose,
            process,
            call: ask.call,
            session: Session(0),
            sequence: 0,
            attempts: 0,
            asked_at: now,
            copied: false,
            asked: Node(0),
            refused: false,
            next: None,
            followed: false,
            next_try: now,
            give_up_at: now + ask.patience,
            duplicate: false,
            second: 0,
            abandon: false,
            audit: u64::from(u32::MAX),
            takes_no: ask.takes_no,
            sent: None,
        }
    }
}

/// What a client knows of its session.
#[derive(Clone, Debug)]
pub(super) enum Sessions {
    /// None is asked for.
    None,
    /// One is asked for with this nonce.
    Opening {
        nonce: u64,
        asked: Option<Node>,
        next: Option<Node>,
        next_try: Instant,
    },
    /// It is open.
    Open(Session),
}

/// One client.
#[derive(Clone, Debug)]
pub(super) struct ClientState {
    pub number: Client,
    pub session: Sessions,
    /// The next request's number in the session.
    pub sequence: u64,
    /// Registrations so far.
    pub registrations: u64,
    /// Requests of its workload so far, and those that others had it ask.
    pub begun: u16,
    pub asked: u16,
    /// A session was lost.
    pub lost: bool,
    pub requests: Vec<Request>,
    /// Requests that ended as unknown: session, number and process.
    pub unknown: Vec<(Session, u64, u32)>,
    /// Processes that are free.
    pub processes: Vec<u32>,
    /// What it saw last, by key.
    pub seen: Vec<Option<Text>>,
    /// Who answered it last.
    pub favourite: Option<Node>,
    /// When its lanes may start another request of the workload; an open loop has one lane.
    pub lanes: Vec<Instant>,
    /// The pending wake-up.
    pub wake: Option<Instant>,
}

/// The wait before a refused request is tried again when no hint helps.
pub(super) const BACKOFF: Span = Span::from_millis(5);

/// Requests that an open loop can have under way.
pub(super) const OPEN_LOOP_MAX: usize = 32;

impl ClientState {
    pub fn new(number: Client, keys: usize) -> Self {
        Self {
            number,
            session: Sessions::None,
            sequence: 0,
            registrations: 0,
            begun: 0,
            asked: 0,
            lost: false,
            requests: Vec::new(),
            unknown: Vec::new(),
            processes: Vec::new(),
            seen: vec![None; keys],
            favourite: None,
            lanes: Vec::new(),
            wake: None,
        }
    }

    /// The number of the next request of its workload. Numbers come again after 32,768.
    pub const fn next_of_workload(&mut self) -> u16 {
        self.begun = self.begun.wrapping_add(1);
        self.begun & 0x7fff
    }

    /// The number of the next request that somebody else has it ask.
    pub const fn next_asked(&mut self) -> u16 {
        self.asked = self.asked.wrapping_add(1);
        0x8000 | self.asked & 0x3fff
    }

    /// The number of the registration that is under way, among the requests.
    pub const fn registration(&self) -> u16 {
        0xc000 | (self.registrations & 0x3fff) as u16
    }

    /// The open session.
    pub const fn open(&self) -> Option<Session> {
        match self.session {
            Sessions::Open(session) => Some(session),
            _ => None,
        }
    }

    /// When the client has something to do, if ever. Lanes count while the workload runs.
    pub fn due(&self, lanes: bool) -> Option<Instant> {
        let open = self.open().is_some();
        let opening = match self.session {
            Sessions::Opening { next_try, .. } => Some(next_try),
            _ => None,
        };
        let requests = self.requests.iter().map(|request| {
            if open {
                request.next_try.min(request.give_up_at)
            } else {
                request.give_up_at
            }
        });
        let lanes = self.lanes.iter().copied().filter(|_| lanes);
        requests.chain(opening).chain(lanes).min()
    }

    /// All requests of the session below this one have ended.
    pub fn ended_below(&self) -> u64 {
        self.requests
            .iter()
            .filter(|request| request.attempts > 0)
            .map(|request| request.sequence)
            .min()
            .unwrap_or(self.sequence)
    }

    /// The open request of that number in the session.
    pub fn find(&self, session: Session, sequence: u64) -> Option<usize> {
        if self.open() != Some(session) {
            return None;
        }
        self.requests
            .iter()
            .position(|request| request.attempts > 0 && request.sequence == sequence)
    }
}
