//! The suite: all checkers of a run as one observer. It translates an event once into a [`Signal`],
//! tells the ghost, then whoever listens, and keeps the first violation.
//!
//! A new checker is a file and a line in the list below. Deliveries and everything else that nobody
//! listens to return at once.

use std::ops::ControlFlow;

use crate::check::agreement::Agreement;
use crate::check::answers::Answers;
use crate::check::ballots::Ballots;
use crate::check::before_durable::BeforeDurable;
use crate::check::checker::Checker;
use crate::check::convergence::Convergence;
use crate::check::durability::Durability;
use crate::check::exactly_once::ExactlyOnce;
use crate::check::ghost::{self, Ghost};
use crate::check::jury::{FENCING_AUDIT, Jury, LAST_QUORUM_AUDIT};
use crate::check::log_order::LogOrder;
use crate::check::prefix::Prefix;
use crate::check::progress::Progress;
use crate::check::promises::Promises;
use crate::check::proposals::Proposals;
use crate::check::roster::{GHOST, Violation, checkers, named};
use crate::check::session_order::SessionOrder;
use crate::check::signal::{Hears, Signal};
use crate::check::stability::Stability;
use crate::ids::{Endpoint, Node};
use crate::subject::process::{Claim, Durable, MediaReader, Reader};
use crate::trace::event::{Event, Stamp};
use crate::trace::observer::Observer;

/// Which checkers judge a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Checks {
    /// Everything.
    #[default]
    All,
    /// Only what a client can see.
    Client,
}

/// What a suite is made of.
#[derive(Clone)]
pub struct SuiteConfig {
    /// How many replicas.
    pub replicas: u8,
    /// Reads the subject's bytes; without it nothing is known of media and messages.
    pub reader: Option<&'static dyn Reader>,
    /// Which checkers judge.
    pub checks: Checks,
    /// Who of them judges.
    pub jury: Jury,
}

checkers! {
    agreement: Agreement,
    answers: Answers,
    ballots: Ballots,
    before_durable: BeforeDurable,
    convergence: Convergence,
    durability: Durability,
    exactly_once: ExactlyOnce,
    log_order: LogOrder,
    prefix: Prefix,
    progress: Progress,
    promises: Promises,
    proposals: Proposals,
    session_order: SessionOrder,
    stability: Stability,
}

/// All checkers of a run.
#[derive(Clone)]
pub struct Suite {
    replicas: u8,
    reader: Option<&'static dyn Reader>,
    media: Vec<Box<dyn MediaReader>>,
    ghost: Ghost,
    checkers: Checkers,
    /// Who judges.
    judging: u32,
    /// Who listens: whoever judges, and whoever an auditor needs to have listened.
    hearing: u32,
    /// What is told to anybody at all.
    told: Hears,
    /// The ghost listens.
    haunted: bool,
    found: Vec<Durable>,
    violation: Option<Violation>,
}

impl Suite {
    /// The checkers' names.
    pub const NAMES: &'static [&'static str] = Checkers::NAMES;

    /// A suite that has seen nothing.
    #[must_use]
    pub fn new(config: SuiteConfig) -> Self {
        let SuiteConfig {
            replicas,
            reader,
            checks,
            jury,
        } = config;
        let (all, heard) = match checks {
            Checks::All => ((1 << Self::NAMES.len()) - 1, Hears::ALL),
            Checks::Client => (Checkers::client_visible(), Hears::CLIENTS),
        };
        let named = Self::NAMES
            .iter()
            .enumerate()
            .filter(|(_, name)| jury.has(name))
            .map(|(at, _)| 1 << at);
        let judging = all & named.fold(0, std::ops::BitOr::bitor);
        let hearing = judging
            | if jury.has(LAST_QUORUM_AUDIT) || jury.has(FENCING_AUDIT) {
                Checkers::client_visible()
            } else {
                0
            };
        let (needs, haunted) = Checkers::needs(hearing);
        let ghostly = if haunted {
            ghost::HEARS
        } else {
            Hears::default()
        };
        // What a message rests on is held against the media.
        let shown = if reader.is_some_and(|reader| reader.media().is_some()) {
            heard
        } else {
            heard.within(Hears::WITHOUT_MEDIA)
        };
        let told = needs.and(ghostly).within(shown);
        let media = match reader {
            Some(reader) if told.any(Hears::MEDIA) => {
                (0..replicas).filter_map(|_| reader.media()).collect()
            }
            _ => Vec::new(),
        };
        let ghost = Ghost::new(replicas, !media.is_empty());
        Self {
            replicas,
            reader,
            media,
            ghost,
            checkers: Checkers::new(replicas),
            judging,
            hearing,
            told,
            haunted,
            found: Vec::new(),
            violation: None,
        }
    }

    /// Whether the checker of this name judges from clients alone.
    #[must_use]
    pub fn sees_as_clients(name: &str) -> bool {
        Self::NAMES
            .iter()
            .position(|known| *known == name)
            .is_some_and(|at| Checkers::client_visible() >> at & 1 == 1)
    }

    /// The first thing that was found wrong.
    #[must_use]
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Judges the end of the run: these replicas were healed, take part, and had the time to catch
    /// up.
    pub fn close(&mut self, ready_core: &[Node]) {
        if self.violation.is_none() {
            self.violation = self
                .checkers
                .close(self.judging, &self.ghost, ready_core)
                .err();
        }
    }

    /// A judge of a fork who knows nothing but what clients saw so far. Operations that are open
    /// stay so unless the fork ends them.
    #[must_use]
    pub fn auditor(&self) -> Self {
        Self {
            replicas: self.replicas,
            reader: None,
            media: Vec::new(),
            ghost: Ghost::new(self.replicas, false),
            checkers: self.checkers.as_clients_saw(self.replicas),
            judging: self.hearing & Checkers::client_visible(),
            hearing: self.hearing & Checkers::client_visible(),
            told: self.told.within(Hears::CLIENTS),
            haunted: false,
            found: Vec::new(),
            violation: self.violation.clone(),
        }
    }

    /// Whoever judges by what clients see does so from here on, if it listened.
    pub fn judge_clients(&mut self) {
        self.judging |= self.hearing & Checkers::client_visible();
    }

    /// Whether the checker of this name judges.
    #[must_use]
    pub fn judges(&self, name: &str) -> bool {
        Self::NAMES
            .iter()
            .position(|known| *known == name)
            .is_some_and(|at| self.judging >> at & 1 == 1)
    }

    /// How many times each checker that judges really compared something.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let judging = self.judging;
        let all =
            std::iter::once((ghost::NAME, self.ghost.checked())).chain(self.checkers.counts());
        all.enumerate()
            .filter(move |(at, _)| judging >> at & 1 == 1)
            .map(|(_, count)| count)
    }

    /// The bytes that the suite accounts for, roughly.
    #[must_use]
    pub fn accounted_bytes(&self) -> u64 {
        self.checkers.bytes() + self.ghost.bytes()
    }

    /// Tells a signal to all who listen.
    fn tell(&mut self, signal: &Signal<'_>) -> ControlFlow<()> {
        match self.judge(signal) {
            Ok(()) => ControlFlow::Continue(()),
            Err(violation) => {
                self.violation = Some(violation);
                ControlFlow::Break(())
            }
        }
    }

    #[inline]
    fn judge(&mut self, signal: &Signal<'_>) -> Result<(), Violation> {
        let kind = signal.kind();
        if self.haunted && ghost::HEARS.any(kind) {
            let finding = self.ghost.hear(signal);
            if self.judging & GHOST != 0 {
                named(ghost::NAME, finding)?;
            }
        }
        self.checkers
            .hear((self.hearing, self.judging), kind, &self.ghost, signal)
    }

    /// Reads something off a node's media and tells what is found.
    fn read(
        &mut self,
        node: Node,
        reading: impl FnOnce(&mut dyn MediaReader, &mut Vec<Durable>),
    ) -> ControlFlow<()> {
        let Some(media) = self.media.get_mut(usize::from(node.0)) else {
            return ControlFlow::Continue(());
        };
        let mut found = std::mem::take(&mut self.found);
        reading(&mut **media, &mut found);
        let flow = found
            .iter()
            .try_for_each(|durable| self.tell(&Signal::Durable(node, durable)));
        found.clear();
        self.found = found;
        flow
    }

    /// A replica sent something: only what commits it is worth a look.
    fn sent(&mut self, node: Node, to: Endpoint, bytes: &[u8]) -> ControlFlow<()> {
        match (to, self.reader) {
            (Endpoint::Node(_), Some(reader)) if self.told.any(Hears::CLAIMS) => {
                match reader.claim(bytes) {
                    Claim::Nothing => ControlFlow::Continue(()),
                    claim => self.tell(&Signal::Claim(node, &claim)),
                }
            }
            (Endpoint::Client(_), Some(reader)) if self.told.any(Hears::REPLIES) => {
                match reader.acknowledged(bytes) {
                    None => ControlFlow::Continue(()),
                    Some(acknowledged) => self.tell(&Signal::Acknowledged(node, &acknowledged)),
                }
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// Something came to a replica: only a promise is worth a look.
    #[inline]
    fn delivered(&mut self, node: Node, from: Node, bytes: &[u8]) -> ControlFlow<()> {
        if let Some(reader) = self.reader
            && self.told.any(Hears::HEARD)
            && reader.is_promise(bytes)
            && let Claim::Promise(promise) = reader.claim(bytes)
        {
            return self.tell(&Signal::Heard(node, from, &promise));
        }
        ControlFlow::Continue(())
    }
}

impl Observer for Suite {
    #[inline]
    fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        if self.violation.is_some() {
            return ControlFlow::Break(());
        }
        let signal = match *event {
            Event::Sent {
                from: Endpoint::Node(node),
                to,
                bytes,
            } => return self.sent(node, to, bytes),
            Event::Delivered {
                from: Endpoint::Node(from),
                to: Endpoint::Node(node),
                bytes,
            } => return self.delivered(node, from, bytes),
            Event::Synced {
                node,
                file,
                sectors,
            } => return self.read(node, |media, found| media.synced(file, sectors, found)),
            Event::NamesSynced { node, names } => {
                return self.read(node, |media, found| media.named(names, found));
            }
            Event::Boot { node, .. } => {
                if let Some(media) = self.media.get_mut(usize::from(node.0)) {
                    media.booted();
                }
                Signal::Boot(node)
            }
            Event::Ready(node) => Signal::Ready(node),
            Event::PowerLost(node) => Signal::PowerLost(node),
            Event::Fact { node, fact } => Signal::Fact(node, fact),
            Event::Invoked { process, call, .. } => Signal::Invoked(process, call),
            Event::Returned {
                process, outcome, ..
            } => Signal::Returned(process, outcome),
            Event::Answered {
                client,
                session,
                sequence,
                outcome,
            } => Signal::Answered(client, (session, sequence), outcome),
            Event::Learned {
                process, outcome, ..
            } => Signal::Learned(process, outcome),
            Event::Lull => Signal::Lull,
            Event::Delivered { .. }
            | Event::Sent { .. }
            | Event::Killed(_)
            | Event::Halted { .. }
            | Event::Paused(_)
            | Event::Resumed(_)
            | Event::Session { .. }
            | Event::Contacts(_)
            | Event::DiskFailed { .. }
            | Event::Fault { .. } => return ControlFlow::Continue(()),
        };
        if self.told.any(signal.kind()) {
            self.tell(&signal)
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[cfg(test)]
mod tests;
