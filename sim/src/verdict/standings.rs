//! What each replica is at a moment, by its own facts and by what was done to it. What is told of it
//! is coarse on purpose: a ballot is a rank among the others, and a lag one of three.

use synod_reports::record::Deliveries;

use crate::ids::Node;
use crate::trace::event::{BallotPair, Event, Fact};

/// Whoever has applied so many slots fewer than another lags, and lags far.
const LAGS: [u64; 2] = [8, 64];

/// What a node does, by its own facts.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    #[default]
    Follower,
    Candidate,
    Leader,
}

impl Role {
    /// The count of this role.
    pub const fn of(self, counts: &mut Deliveries) -> &mut u64 {
        match self {
            Self::Follower => &mut counts.follower,
            Self::Candidate => &mut counts.candidate,
            Self::Leader => &mut counts.leader,
        }
    }
}

/// Whether a process is there.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Life {
    #[default]
    Down,
    Recovers,
    TakesPart,
    Paused,
    Halted,
}

/// Whom a replica can talk to.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Contact {
    #[default]
    Everybody,
    Some,
    Nobody,
}

#[derive(Clone, Default)]
struct Standing {
    life: Life,
    /// Before it was paused.
    before: Life,
    role: Role,
    ballot: BallotPair,
    /// The slots that it says it applied.
    applied: u64,
    /// How many of [`LAGS`] it lags.
    lag: u8,
    contact: Contact,
}

/// What all replicas are.
#[derive(Clone)]
pub(super) struct Standings {
    each: Vec<Standing>,
    /// The most slots that any of them has applied.
    top: u64,
    /// There are facts: without them nothing is known of roles.
    pub told: bool,
}

impl Standings {
    /// So many that have not started.
    pub fn new(replicas: u8) -> Self {
        Self {
            each: vec![Standing::default(); usize::from(replicas)],
            top: 0,
            told: false,
        }
    }

    /// What the node does.
    pub fn role(&self, node: Node) -> Role {
        self.each[usize::from(node.0)].role
    }

    /// Something happened. Whether what is told of somebody may be another now.
    #[inline]
    pub fn on(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Fact { node, fact } => {
                self.told = true;
                self.says(*node, fact)
            }
            Event::Delivered { .. } | Event::Sent { .. } => false,
            Event::Boot { node, .. } => {
                let standing = self.of(*node);
                (standing.role, standing.applied) = (Role::Follower, 0);
                self.lives(*node, Life::Recovers);
                self.weigh_lags();
                true
            }
            Event::Ready(node) => self.lives(*node, Life::TakesPart),
            Event::Killed(node) | Event::PowerLost(node) => self.lives(*node, Life::Down),
            Event::Halted { node, .. } => self.lives(*node, Life::Halted),
            Event::Paused(node) => {
                let standing = self.of(*node);
                standing.before = standing.life;
                self.lives(*node, Life::Paused)
            }
            Event::Resumed(node) => {
                let before = self.of(*node).before;
                self.lives(*node, before)
            }
            Event::Contacts(contacts) => {
                let others = self.each.len() - 1;
                for (standing, contacts) in self.each.iter_mut().zip(*contacts) {
                    standing.contact = match usize::from(*contacts) {
                        all if all == others => Contact::Everybody,
                        0 => Contact::Nobody,
                        _ => Contact::Some,
                    };
                }
                true
            }
            _ => false,
        }
    }

    fn of(&mut self, node: Node) -> &mut Standing {
        &mut self.each[usize::from(node.0)]
    }

    fn lives(&mut self, node: Node, life: Life) -> bool {
        self.of(node).life = life;
        true
    }

    fn says(&mut self, node: Node, fact: &Fact) -> bool {
        let standing = self.of(node);
        match fact {
            Fact::Recovered {
                promised,
                chosen_below,
                ..
            } => {
                (standing.ballot, standing.applied) = (*promised, *chosen_below);
                self.weigh_lags();
            }
            Fact::Promised(ballot) => {
                standing.ballot = *ballot;
                if ballot.1 != node.0 {
                    standing.role = Role::Follower;
                }
            }
            Fact::Campaigned(_) => standing.role = Role::Candidate,
            Fact::Led(_) => standing.role = Role::Leader,
            Fact::SteppedDown(_) => standing.role = Role::Follower,
            Fact::Applied { slot, .. } => {
                standing.applied = standing.applied.max(slot + 1);
                return self.weigh_lags();
            }
            Fact::Voted { .. } | Fact::Chosen { .. } | Fact::Executed { .. } => return false,
        }
        true
    }

    /// Whether somebody lags otherwise than before.
    fn weigh_lags(&mut self) -> bool {
        let applied = self.each.iter().map(|standing| standing.applied);
        self.top = self.top.max(applied.max().unwrap_or(0));
        let mut other = false;
        for standing in &mut self.each {
            let lacks = self.top - standing.applied;
            let lag = u8::from(lacks >= LAGS[0]) + u8::from(lacks >= LAGS[1]);
            other |= std::mem::replace(&mut standing.lag, lag) != lag;
        }
        other
    }

    /// What is told of each, in a word, and of none who it is.
    pub fn words(&self) -> impl Iterator<Item = u16> + '_ {
        self.each.iter().map(|standing| {
            let lower = |other: &&Standing| other.ballot < standing.ballot;
            let rank = self.each.iter().filter(lower).count();
            let rank = u16::try_from(rank).expect("at most 9 replicas");
            rank << 9
                | (standing.contact as u16) << 7
                | u16::from(standing.lag) << 5
                | (standing.role as u16) << 3
                | standing.life as u16
        })
    }
}
