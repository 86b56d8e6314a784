//! The suite: all checkers of a run as one observer. It translates an event once into a [`Signal`],
//! tells the ghost, then whoever listens, and keeps the first violation.
//!
//! A new checker is a file and a line in the list below. Deliveries and everything else that nobody
//! listens to return at once.

use std::ops::ControlFlow;

use crate::check::agreement::Agreement;
use crate::check::ballots::Ballots;
use crate::check::before_durable::BeforeDurable;
use crate::check::checker::Checker;
use crate::check::convergence::Convergence;
use crate::check::durability::Durability;
use crate::check::exactly_once::ExactlyOnce;
use crate::check::ghost::{self, Ghost};
use crate::check::jury::{Jury, LAST_QUORUM_AUDIT};
use crate::check::prefix::Prefix;
use crate::check::progress::Progress;
use crate::check::roster::{GHOST, Violation, checkers, named};
use crate::check::session_order::SessionOrder;
use crate::check::signal::{Hears, Signal};
use crate::check::stability::Stability;
use crate::ids::Node;
use crate::subject::process::{Claim, Durable, MediaReader, Reader};
use crate::trace::event::{Endpoint, Event, Stamp};
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

/// The media of one node, as they are read.
struct Media(Box<dyn MediaReader>);

impl Clone for Media {
    fn clone(&self) -> Self {
        Self(self.0.fork())
    }
}

checkers! {
    agreement: Agreement,
    ballots: Ballots,
    before_durable: BeforeDurable,
    convergence: Convergence,
    durability: Durability,
    exactly_once: ExactlyOnce,
    prefix: Prefix,
    progress: Progress,
    session_order: SessionOrder,
    stability: Stability,
}

/// All checkers of a run.
#[derive(Clone)]
pub struct Suite {
    replicas: u8,
    reader: Option<&'static dyn Reader>,
    media: Vec<Media>,
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
            | if jury.has(LAST_QUORUM_AUDIT) {
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
        let told = needs.and(ghostly).within(heard);
        let media = match reader {
            Some(reader) if told.any(Hears::MEDIA) => {
                (0..replicas).map(|_| Media(reader.media())).collect()
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

    /// What is chosen, by the definition.
    #[must_use]
    pub const fn ghost(&self) -> &Ghost {
        &self.ghost
    }

    /// What advances.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.checkers.progress
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
        reading(&mut *media.0, &mut found);
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
                    media.0.booted();
                }
                Signal::Boot(node)
            }
            Event::Ready(node) => Signal::Ready(node),
            Event::Fact { node, fact } => Signal::Fact(node, fact),
            Event::Invoked { process, call, .. } => Signal::Invoked(process, call),
            Event::Returned {
                process, outcome, ..
            } => Signal::Returned(process, outcome),
            Event::Lull => Signal::Lull,
            Event::Delivered { .. }
            | Event::Sent { .. }
            | Event::Killed(_)
            | Event::PowerLost(_)
            | Event::Halted { .. }
            | Event::Paused(_)
            | Event::Resumed(_)
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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::history::operation::{Action, Call, Return};
    use crate::ids::Client;
    use crate::subject::synod::reader::SynodReader;
    use crate::subject::synod::reader::media::by_hand;
    use crate::trace::event::{Fact, Outcome, value_hash};
    use synod_port::files::FileName;

    fn suite(checks: Checks, only: Option<&str>) -> Suite {
        Suite::new(SuiteConfig {
            replicas: 3,
            reader: Some(&SynodReader),
            checks,
            jury: Jury::only(only),
        })
    }

    fn on(suite: &mut Suite, event: &Event<'_>) -> ControlFlow<()> {
        suite.on(Stamp::default(), event)
    }

    /// An accepted message of ballot 1.r1 for slot 0.
    fn accepted() -> Vec<u8> {
        let mut bytes = vec![0; 24];
        (bytes[4], bytes[5], bytes[23]) = (1, 1, 6);
        bytes.extend_from_slice(&1u64.to_le_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&1u32.to_le_bytes());
        bytes.extend_from_slice(&0u64.to_le_bytes());
        bytes
    }

    /// A done reply for slot 0.
    fn done() -> Vec<u8> {
        let mut bytes = vec![0; 24 + 17 + 14];
        (bytes[4], bytes[5], bytes[23], bytes[24]) = (1, 3, 2, 2);
        bytes
    }

    fn sync(
        suite: &mut Suite,
        node: u8,
        file: &str,
        sectors: &[(u32, Vec<u8>)],
    ) -> ControlFlow<()> {
        on(
            suite,
            &Event::Synced {
                node: Node(node),
                file: by_hand::name(file),
                sectors: &by_hand::borrowed(sectors),
            },
        )
    }

    const FILES: [&str; 3] = ["log-00000001", "promise-a-00000001", "promise-b-00000001"];

    /// A suite in which each node has durably promised 1.r1, and r1 leads it.
    fn led(only: Option<&str>) -> Suite {
        let mut suite = suite(Checks::All, only);
        let names: Vec<FileName> = FILES.iter().map(|name| by_hand::name(name)).collect();
        for node in 0..3 {
            assert!(
                on(
                    &mut suite,
                    &Event::Boot {
                        node: Node(node),
                        boot: 1
                    }
                )
                .is_continue()
            );
            assert!(
                on(
                    &mut suite,
                    &Event::NamesSynced {
                        node: Node(node),
                        names: &names
                    }
                )
                .is_continue()
            );
            for file in &FILES[1..] {
                assert!(sync(&mut suite, node, file, &by_hand::promise((1, 0))).is_continue());
            }
            assert!(on(&mut suite, &Event::Ready(Node(node))).is_continue());
        }
        assert!(
            on(
                &mut suite,
                &Event::Fact {
                    node: Node(0),
                    fact: &Fact::Led((1, 0))
                }
            )
            .is_continue()
        );
        suite
    }

    fn send(suite: &mut Suite, node: u8, to: Endpoint, bytes: &[u8]) -> ControlFlow<()> {
        on(
            suite,
            &Event::Sent {
                from: Endpoint::Node(Node(node)),
                to,
                bytes,
            },
        )
    }

    #[test]
    fn a_slot_is_chosen_read_off_the_media_and_acknowledged() {
        let mut suite = led(None);
        let group = by_hand::group(1, 1, 1, &[by_hand::vote(0, (1, 0), b"value")]);
        for node in 0..2 {
            assert!(sync(&mut suite, node, FILES[0], &group).is_continue());
            assert!(send(&mut suite, node, Endpoint::Node(Node(2)), &accepted()).is_continue());
        }
        assert_eq!(suite.ghost().chosen(0), Some(value_hash(b"value")));
        for node in 0..3 {
            let fact = Fact::Applied {
                slot: 0,
                value: value_hash(b"value"),
                state: 5,
            };
            assert!(
                on(
                    &mut suite,
                    &Event::Fact {
                        node: Node(node),
                        fact: &fact
                    }
                )
                .is_continue()
            );
        }
        assert!(send(&mut suite, 0, Endpoint::Client(Client(0)), &done()).is_continue());
        suite.close(&[Node(0), Node(1), Node(2)]);
        assert_eq!(suite.violation(), None);
        let counts: Vec<_> = suite.counts().collect();
        assert_eq!(counts.len(), Suite::NAMES.len());
        for (name, count) in counts {
            let silent = ["progress", "session-order", "exactly-once", "stability"].contains(&name);
            assert_eq!(count > 0, !silent, "{name} judged {count} times");
        }
    }

    #[test]
    fn what_leaves_too_early_ends_the_run() {
        let mut suite = led(None);
        assert!(send(&mut suite, 1, Endpoint::Node(Node(0)), &accepted()).is_break());
        assert_eq!(suite.violation().unwrap().check, "before-durable");
        assert!(
            on(&mut suite, &Event::Ready(Node(0))).is_break(),
            "the first violation stays"
        );
        let mut suite = led(None);
        assert!(send(&mut suite, 1, Endpoint::Client(Client(0)), &done()).is_break());
        assert_eq!(suite.violation().unwrap().check, "durability");
    }

    #[test]
    fn one_checker_can_be_alone() {
        let illegal = Fact::Chosen { slot: 0, value: 7 };
        let chosen = |suite: &mut Suite, fact: &Fact| {
            on(
                suite,
                &Event::Fact {
                    node: Node(0),
                    fact,
                },
            )
        };
        let mut agreement = led(Some("agreement"));
        assert!(agreement.judges("agreement") && !agreement.judges("ghost"));
        assert!(chosen(&mut agreement, &illegal).is_continue());
        assert!(chosen(&mut agreement, &Fact::Chosen { slot: 0, value: 8 }).is_break());
        let mut durability = led(Some("durability"));
        assert!(
            chosen(&mut durability, &illegal).is_continue(),
            "the ghost listens, and does not judge"
        );
        assert!(send(&mut durability, 0, Endpoint::Client(Client(0)), &done()).is_break());
        assert!(chosen(&mut led(Some("ghost")), &illegal).is_break());
        assert_eq!(durability.counts().collect::<Vec<_>>(), [("durability", 1)]);
        assert_eq!(suite(Checks::All, Some("nonsense")).counts().count(), 0);
    }

    #[test]
    fn clients_alone_are_judged_by_what_they_see() {
        let mut suite = suite(Checks::Client, None);
        assert!(
            suite.judges("exactly-once") && !suite.judges("agreement") && suite.media.is_empty()
        );
        assert!(
            on(
                &mut suite,
                &Event::Fact {
                    node: Node(0),
                    fact: &Fact::Chosen { slot: 0, value: 7 }
                }
            )
            .is_continue()
        );
        assert!(
            on(
                &mut suite,
                &Event::Fact {
                    node: Node(1),
                    fact: &Fact::Chosen { slot: 0, value: 8 }
                }
            )
            .is_continue()
        );
        let key: Arc<[u8]> = Arc::from(&b"k"[..]);
        let mut operation = |action, result| {
            let call = Call {
                key: key.clone(),
                action,
            };
            assert!(
                on(
                    &mut suite,
                    &Event::Invoked {
                        process: 1,
                        client: Client(0),
                        call: &call
                    }
                )
                .is_continue()
            );
            on(
                &mut suite,
                &Event::Returned {
                    process: 1,
                    client: Client(0),
                    outcome: &Outcome::Ok {
                        result,
                        place: None,
                    },
                },
            )
        };
        assert!(operation(Action::Append(Arc::from(&b"a;"[..])), Return::Done).is_continue());
        assert!(operation(Action::Get, Return::Value(Some(Arc::from(&b"a;a;"[..])))).is_break());
        assert_eq!(suite.violation().unwrap().check, "exactly-once");
    }

    #[test]
    fn an_auditor_knows_what_clients_saw_and_nothing_else() {
        let mut suite = led(None);
        let key: Arc<[u8]> = Arc::from(&b"k"[..]);
        let call = |action| Call {
            key: key.clone(),
            action,
        };
        let append = call(Action::Append(Arc::from(&b"a;"[..])));
        assert!(
            on(
                &mut suite,
                &Event::Invoked {
                    process: 1,
                    client: Client(0),
                    call: &append
                }
            )
            .is_continue()
        );
        let done = Outcome::Ok {
            result: Return::Done,
            place: Some((0, 0)),
        };
        assert!(
            on(
                &mut suite,
                &Event::Returned {
                    process: 1,
                    client: Client(0),
                    outcome: &done
                }
            )
            .is_continue()
        );
        let mut auditor = suite.auditor();
        assert!(send(&mut auditor, 1, Endpoint::Node(Node(0)), &accepted()).is_continue());
        assert!(
            on(
                &mut auditor,
                &Event::Fact {
                    node: Node(0),
                    fact: &Fact::Chosen { slot: 0, value: 7 }
                }
            )
            .is_continue()
        );
        assert!(
            on(
                &mut auditor,
                &Event::Invoked {
                    process: 2,
                    client: Client(0),
                    call: &call(Action::Get)
                }
            )
            .is_continue()
        );
        let lost = Outcome::Ok {
            result: Return::Value(None),
            place: None,
        };
        assert!(
            on(
                &mut auditor,
                &Event::Returned {
                    process: 2,
                    client: Client(0),
                    outcome: &lost
                }
            )
            .is_break()
        );
        assert_eq!(auditor.violation().unwrap().check, "exactly-once");
        assert_eq!(suite.violation(), None);
    }

    #[test]
    fn a_fork_judges_on_its_own() {
        let mut suite = led(None);
        let mut fork = suite.clone();
        assert!(send(&mut fork, 1, Endpoint::Node(Node(0)), &accepted()).is_break());
        let group = by_hand::group(1, 1, 1, &[by_hand::vote(0, (1, 0), b"value")]);
        assert!(sync(&mut suite, 1, FILES[0], &group).is_continue());
        assert!(send(&mut suite, 1, Endpoint::Node(Node(0)), &accepted()).is_continue());
        assert!(suite.accounted_bytes() > fork.accounted_bytes());
    }
}
