//! Keeps what a page draws of a run: messages with their ends, what becomes of replicas, faults, and
//! operations, each as a row of a few words and not as a line of text.
//!
//! The newest four million rows are kept. Of older ones there stays what lasts (who led, which fault
//! held) and what each replica had become. Sealed parts are shared, so a copy costs little.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Formatter};
use std::ops::ControlFlow;
use std::sync::Arc;

use synod_port::files::DiskError;

use crate::ids::{Client, Endpoint, Node};
use crate::subject::process::{Claim, Subject};
use crate::trace::event::{BallotPair, Event, Fact, Stamp, value_hash};
use crate::trace::observer::Observer;
use crate::trace::portrait::Portraits;

/// So many rows are sealed together.
const SEALED: usize = 4_096;
/// So many sealed parts are kept.
const PARTS_MAX: usize = 1_000;
/// Of so many messages under way the content is remembered; then the older half is forgotten.
const UNDER_WAY_MAX: usize = 16_384;

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A message left. Its number is the event's.
    Sent {
        /// From.
        from: Endpoint,
        /// To.
        to: Endpoint,
        /// Its kind.
        kind: &'static str,
        /// The first and the last slot that it is about.
        slots: Option<(u64, u64)>,
        /// Its ballot.
        ballot: Option<BallotPair>,
    },
    /// A message arrived.
    Delivered {
        /// From.
        from: Endpoint,
        /// To.
        to: Endpoint,
        /// Which one: the number of its sending. None: nobody sent these bytes.
        sent: Option<u64>,
    },
    /// A process started.
    Boot(Node, u64),
    /// A process finished its recovery.
    Ready(Node),
    /// A process was killed.
    Killed(Node),
    /// A node lost power.
    PowerLost(Node),
    /// A process stopped by its own will.
    Halted(Node, Arc<str>),
    /// A process is not scheduled any more.
    Paused(Node),
    /// It is scheduled again.
    Resumed(Node),
    /// A disk operation failed.
    DiskFailed(Node, &'static str, DiskError),
    /// The replica says that it did something.
    Fact(Node, Fact),
    /// Its messages show for the first time that it leads at this rank.
    Leads(Node, BallotPair),
    /// Its messages show for the first time that it campaigns at this rank.
    Campaigns(Node, BallotPair),
    /// A fault begins: its kind, and whom it concerns.
    FaultBegins(Arc<str>),
    /// It ends.
    FaultEnds(Arc<str>),
    /// A fault of an instant.
    FaultHappens(Arc<str>),
    /// A fault took effect at a replica.
    Effect(&'static str, Node),
    /// A client started an operation, as this process of the history.
    Invoked(u32, Client),
    /// A process knows how its operation ended.
    Returned(u32),
}

/// Something that happened, and when.
#[derive(Clone, Debug)]
pub struct Row {
    /// When.
    pub stamp: Stamp,
    /// What.
    pub what: What,
}

/// What is under way: by its ends and its content, the numbers of its sendings.
type UnderWay = BTreeMap<(Endpoint, Endpoint, u64), VecDeque<u64>>;

/// Records.
#[derive(Clone)]
pub struct Spacetime {
    subject: &'static dyn Subject,
    replicas: u8,
    parts: VecDeque<Arc<Vec<Row>>>,
    newest: Vec<Row>,
    /// Of what is forgotten: what lasts, how many rows, and what the replicas had become.
    lasting: Vec<Row>,
    forgotten: u64,
    forgotten_calls: u32,
    portraits: Portraits,
    under_way: UnderWay,
    /// By replica, at which rank it was last seen to lead or to campaign.
    seen: BTreeMap<(Node, bool), BallotPair>,
    last: Stamp,
}

impl fmt::Debug for Spacetime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spacetime")
            .field("rows", &self.rows().count())
            .finish_non_exhaustive()
    }
}

impl Spacetime {
    /// A recorder of a run of so many replicas.
    #[must_use]
    pub fn new(subject: &'static dyn Subject, replicas: u8) -> Self {
        Self {
            subject,
            replicas,
            parts: VecDeque::new(),
            newest: Vec::new(),
            lasting: Vec::new(),
            forgotten: 0,
            forgotten_calls: 0,
            portraits: Portraits::default(),
            under_way: UnderWay::new(),
            seen: BTreeMap::new(),
            last: Stamp::default(),
        }
    }

    /// How many replicas there are.
    #[must_use]
    pub const fn replicas(&self) -> u8 {
        self.replicas
    }

    /// All rows that are kept, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> + Clone {
        let parts = self.parts.iter().flat_map(|part| part.iter());
        parts.chain(&self.newest)
    }

    /// Of what is not kept: what lasts.
    #[must_use]
    pub fn lasting(&self) -> &[Row] {
        &self.lasting
    }

    /// How many rows of those that a page shows are not kept.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How many of these were calls of operations.
    #[must_use]
    pub const fn forgotten_calls(&self) -> u32 {
        self.forgotten_calls
    }

    /// What the replicas had become before the first row that is kept.
    #[must_use]
    pub const fn before(&self) -> &Portraits {
        &self.portraits
    }

    /// The last event of the run.
    #[must_use]
    pub const fn last(&self) -> Stamp {
        self.last
    }

    fn keep(&mut self, stamp: Stamp, what: What) {
        self.newest.push(Row { stamp, what });
        if self.newest.len() < SEALED {
            return;
        }
        self.parts
            .push_back(Arc::new(std::mem::take(&mut self.newest)));
        if self.parts.len() > PARTS_MAX
            && let Some(part) = self.parts.pop_front()
        {
            let shown = part.iter().filter(|row| row.what.is_shown());
            self.forgotten += shown.count() as u64;
            for row in part.iter() {
                if let Some(event) = row.what.as_event() {
                    self.portraits.on(&event);
                }
                self.forgotten_calls += u32::from(matches!(row.what, What::Invoked(..)));
                if row.what.lasts() {
                    self.lasting.push(row.clone());
                }
            }
        }
    }

    fn sent(&mut self, stamp: Stamp, from: Endpoint, to: Endpoint, bytes: &[u8]) {
        let described = match (from, to) {
            (Endpoint::Node(_), Endpoint::Node(_)) => self
                .subject
                .reader()
                .and_then(|reader| reader.describe(bytes)),
            _ => None,
        };
        let kind = described.as_ref().map_or_else(
            || match (from, to) {
                (Endpoint::Client(_), _) => "request",
                (_, Endpoint::Client(_)) => "reply",
                _ => "message",
            },
            |it| it.kind,
        );
        let slots = described.as_ref().and_then(|it| match &it.claim {
            Claim::Votes(_, slots) => Some((*slots.iter().min()?, *slots.iter().max()?)),
            _ => it.slot.map(|slot| (slot, slot)),
        });
        let ballot = described.and_then(|it| it.ballot);
        self.see(stamp, from, to, bytes);
        let what = What::Sent {
            from,
            to,
            kind,
            slots,
            ballot,
        };
        self.keep(stamp, what);
        if self.under_way.len() >= UNDER_WAY_MAX {
            self.forget_the_older_half();
        }
        let content = (from, to, value_hash(bytes));
        self.under_way
            .entry(content)
            .or_default()
            .push_back(stamp.number);
    }

    /// Who leads and who campaigns, as the messages show it: facts may be off.
    fn see(&mut self, stamp: Stamp, from: Endpoint, to: Endpoint, bytes: &[u8]) {
        let (Endpoint::Node(node), Endpoint::Node(_)) = (from, to) else {
            return;
        };
        if let Some(ballot) = self.subject.leads(node, bytes)
            && self.seen.insert((node, true), ballot) != Some(ballot)
        {
            self.keep(stamp, What::Leads(node, ballot));
        }
        if let Some(ballot) = self.subject.campaigns(node, bytes)
            && self.seen.insert((node, false), ballot) != Some(ballot)
        {
            self.keep(stamp, What::Campaigns(node, ballot));
        }
    }

    fn forget_the_older_half(&mut self) {
        let newest = |sent: &VecDeque<u64>| sent.back().copied().unwrap_or_default();
        let mut numbers: Vec<u64> = self.under_way.values().map(newest).collect();
        numbers.sort_unstable();
        let middle = numbers.get(numbers.len() / 2).copied().unwrap_or_default();
        self.under_way.retain(|_, sent| newest(sent) >= middle);
    }

    /// Which message arrives: of those with this content the one that was sent first, and the last
    /// one again and again, because a message may come twice.
    fn arrives(&mut self, from: Endpoint, to: Endpoint, bytes: &[u8]) -> Option<u64> {
        let sent = self.under_way.get_mut(&(from, to, value_hash(bytes)))?;
        if sent.len() > 1 {
            sent.pop_front()
        } else {
            sent.front().copied()
        }
    }
}

impl What {
    /// Whether it begins or ends something that lasts.
    #[must_use]
    pub const fn lasts(&self) -> bool {
        matches!(
            self,
            Self::Boot(..)
                | Self::Killed(_)
                | Self::PowerLost(_)
                | Self::Halted(..)
                | Self::Paused(_)
                | Self::Resumed(_)
                | Self::Leads(..)
                | Self::Campaigns(..)
                | Self::Fact(_, Fact::SteppedDown(_))
                | Self::FaultBegins(_)
                | Self::FaultEnds(_)
                | Self::FaultHappens(_)
        )
    }

    /// Whether a page draws it by itself: as a message, or as a happening.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        !matches!(
            self,
            Self::Leads(..) | Self::Campaigns(..) | Self::Invoked(..) | Self::Returned(_)
        )
    }

    /// What it says of a replica, as the event that it was; none when it says nothing.
    #[must_use]
    pub fn as_event(&self) -> Option<Event<'_>> {
        Some(match self {
            Self::Boot(node, boot) => Event::Boot {
                node: *node,
                boot: *boot,
            },
            Self::Ready(node) => Event::Ready(*node),
            Self::Killed(node) => Event::Killed(*node),
            Self::PowerLost(node) => Event::PowerLost(*node),
            Self::Halted(node, reason) => Event::Halted {
                node: *node,
                reason,
                damaged: false,
            },
            Self::Paused(node) => Event::Paused(*node),
            Self::Resumed(node) => Event::Resumed(*node),
            Self::Fact(node, fact) => Event::Fact { node: *node, fact },
            _ => return None,
        })
    }
}

impl Observer for Spacetime {
    fn on(&mut self, stamp: Stamp, event: &Event<'_>) -> ControlFlow<()> {
        self.last = stamp;
        let what = match event {
            Event::Sent { from, to, bytes } => {
                self.sent(stamp, *from, *to, bytes);
                return ControlFlow::Continue(());
            }
            Event::Delivered { from, to, bytes } => What::Delivered {
                from: *from,
                to: *to,
                sent: self.arrives(*from, *to, bytes),
            },
            Event::Boot { node, boot } => {
                self.seen.retain(|(seen, _), _| seen != node);
                What::Boot(*node, *boot)
            }
            Event::Ready(node) => What::Ready(*node),
            Event::Killed(node) => What::Killed(*node),
            Event::PowerLost(node) => What::PowerLost(*node),
            Event::Halted { node, reason, .. } => What::Halted(*node, Arc::from(*reason)),
            Event::Paused(node) => What::Paused(*node),
            Event::Resumed(node) => What::Resumed(*node),
            Event::DiskFailed { node, what, error } => What::DiskFailed(*node, what, *error),
            Event::Fact { node, fact } => What::Fact(*node, (*fact).clone()),
            Event::Invoked {
                process, client, ..
            } => What::Invoked(*process, *client),
            Event::Returned { process, .. } => What::Returned(*process),
            Event::Fault {
                kind: "begins",
                detail,
            } => What::FaultBegins(Arc::from(*detail)),
            Event::Fault {
                kind: "ends",
                detail,
            } => What::FaultEnds(Arc::from(*detail)),
            Event::Fault {
                kind: "happens",
                detail,
            } => What::FaultHappens(Arc::from(*detail)),
            Event::Fault { kind, detail } => {
                // What befalls a message is seen in the message.
                let number = detail
                    .strip_prefix('r')
                    .and_then(|it| it.parse::<u8>().ok());
                match number.and_then(|number| number.checked_sub(1)) {
                    Some(node) => What::Effect(kind, Node(node)),
                    None => return ControlFlow::Continue(()),
                }
            }
            Event::Session { node, begins, .. } => {
                let what = if *begins {
                    "session begins"
                } else {
                    "session ends"
                };
                What::Effect(what, *node)
            }
            Event::Contacts(_)
            | Event::Synced { .. }
            | Event::NamesSynced { .. }
            | Event::Answered { .. }
            | Event::Learned { .. }
            | Event::Lull => return ControlFlow::Continue(()),
        };
        self.keep(stamp, what);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::synod::Synod;
    use crate::time::Instant;

    const ENDS: (Endpoint, Endpoint) = (Endpoint::Node(Node(0)), Endpoint::Client(Client(0)));

    fn told(events: &[(u64, Event<'_>)]) -> Spacetime {
        let mut seen = Spacetime::new(&Synod, 3);
        for (number, event) in events {
            let stamp = Stamp {
                time: Instant(*number),
                number: *number,
            };
            assert!(seen.on(stamp, event).is_continue());
        }
        seen
    }

    fn sent(bytes: &[u8]) -> Event<'_> {
        let (from, to) = ENDS;
        Event::Sent { from, to, bytes }
    }

    fn delivered(bytes: &[u8]) -> Event<'_> {
        let (from, to) = ENDS;
        Event::Delivered { from, to, bytes }
    }

    #[test]
    fn what_arrives_is_what_was_sent_first_of_its_content_and_the_last_may_come_twice() {
        let seen = told(&[
            (1, sent(b"a")),
            (2, sent(b"b")),
            (3, sent(b"a")),
            (4, delivered(b"b")),
            (5, delivered(b"a")),
            (6, delivered(b"a")),
            (7, delivered(b"a")),
            (8, delivered(b"damaged")),
        ]);
        let arrived: Vec<Option<u64>> = seen
            .rows()
            .filter_map(|row| match row.what {
                What::Delivered { sent, .. } => Some(sent),
                _ => None,
            })
            .collect();
        assert_eq!(arrived, [Some(2), Some(1), Some(3), Some(3), None]);
    }

    #[test]
    fn of_what_is_forgotten_stays_what_lasts_and_what_replicas_are() {
        let node = Node(0);
        let fact = Fact::Promised((7, 1));
        let mut events = vec![
            (0, Event::Boot { node, boot: 1 }),
            (1, Event::Fact { node, fact: &fact }),
        ];
        let rows = (SEALED * (PARTS_MAX + 1)) as u64;
        events.extend((2..rows).map(|number| (number, Event::Ready(Node(1)))));
        let seen = told(&events);
        assert_eq!(seen.forgotten(), SEALED as u64);
        assert_eq!(seen.rows().count(), SEALED * PARTS_MAX);
        assert!(matches!(
            seen.lasting(),
            [Row {
                what: What::Boot(..),
                ..
            }]
        ));
        assert_eq!(
            seen.before().lines()[0],
            "r1 recovers, boot 1, promised 7.r2"
        );
    }

    #[test]
    fn what_is_under_way_for_ever_is_forgotten() {
        let contents: Vec<[u8; 8]> = (0..40_000_u64).map(u64::to_le_bytes).collect();
        let events: Vec<_> = (0..).zip(contents.iter().map(|it| sent(it))).collect();
        let mut seen = told(&events);
        assert!(seen.under_way.len() <= UNDER_WAY_MAX);
        let (from, to) = ENDS;
        assert_eq!(seen.arrives(from, to, &contents[39_999]), Some(39_999));
        assert_eq!(seen.arrives(from, to, &contents[0]), None);
    }
}
