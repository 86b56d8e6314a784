//! The few actions that matter, of the many that a search took.

use std::fmt;
use std::sync::Arc;

use synod_engine::ids::NodeId;
use synod_engine::message::Message;

use crate::cluster::{Action, Cluster, Flight, Setup};
use crate::search::{Found, step_of};
use crate::sort::sort;

/// An action by what it means, whatever else is under way.
#[derive(Clone, Copy, Debug)]
enum Named {
    /// What becomes of a message of this sort: the oldest under way but so many.
    Message {
        from: NodeId,
        to: NodeId,
        sort: usize,
        older: usize,
        fate: fn(usize) -> Action,
    },
    Other(Action),
}

impl Named {
    /// The name of an action here.
    fn of(cluster: &Cluster, action: Action) -> Self {
        let (at, fate): (usize, fn(usize) -> Action) = match action {
            Action::Deliver(at) => (at, Action::Deliver),
            Action::DeliverCopy(at) => (at, Action::DeliverCopy),
            Action::Drop(at) => (at, Action::Drop),
            other => return Self::Other(other),
        };
        let flight = &cluster.flights[at];
        let name = |flight: &Flight| (flight.from, flight.to, sort(&flight.message));
        let (from, to, sort) = name(flight);
        let older = cluster.flights[..at].iter();
        let older = older.filter(|other| name(other) == (from, to, sort));
        Self::Message {
            from,
            to,
            sort,
            older: older.count(),
            fate,
        }
    }

    /// What this name means here, if anything.
    fn here(self, cluster: &Cluster) -> Option<Action> {
        match self {
            Self::Other(action) => Some(action),
            Self::Message {
                from,
                to,
                sort: of,
                older,
                fate,
            } => {
                let mut alike = cluster.flights.iter().enumerate().filter(|(_, flight)| {
                    (flight.from, flight.to, sort(&flight.message)) == (from, to, of)
                });
                alike.nth(older).map(|(at, _)| fate(at))
            }
        }
    }
}

/// Something that happened, to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A message came.
    Heard {
        /// From.
        from: NodeId,
        /// To.
        to: NodeId,
        /// What it says.
        message: Arc<Message>,
    },
    /// Anything else.
    Did(Action),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heard { from, to, message } => write!(f, "{to} hears from {from} {message:?}"),
            Self::Did(Action::Deadline(node)) => write!(f, "{node}'s patience ends"),
            Self::Did(Action::Ask(node)) => write!(f, "{node} is asked for something new"),
            Self::Did(Action::Read(node)) => write!(f, "{node} is asked for a read"),
            Self::Did(Action::Promised(node)) => write!(f, "{node}'s promise is durable"),
            Self::Did(Action::Logged(node)) => write!(f, "{node}'s log is durable"),
            Self::Did(Action::LoggedOne(node)) => write!(f, "a record of {node} is durable"),
            Self::Did(Action::Drop(_)) => write!(f, "a message is lost"),
            Self::Did(other) => write!(f, "{other:?}"),
        }
    }
}

/// What a way comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What broke, if anything did.
    pub broken: Option<String>,
    /// What happened.
    pub events: Vec<Event>,
    done: Vec<Action>,
}

/// Takes a way again.
#[must_use]
pub fn replay(setup: &Setup, actions: &[Action]) -> Outcome {
    let names: Vec<Step> = actions.iter().map(|action| Step::Exact(*action)).collect();
    again(setup, &names).0
}

#[derive(Clone, Copy)]
enum Step {
    Exact(Action),
    Named(Named),
}

/// Takes a way, and names what is taken.
fn again(setup: &Setup, steps: &[Step]) -> (Outcome, Vec<Named>) {
    let mut cluster = Cluster::new(Arc::new(setup.clone()));
    let mut outcome = Outcome {
        broken: None,
        events: Vec::new(),
        done: Vec::new(),
    };
    let mut names = Vec::new();
    for step in steps {
        let action = match step {
            Step::Exact(action) => Some(*action),
            Step::Named(name) => name.here(&cluster),
        };
        let Some(action) = action else {
            continue;
        };
        outcome.done.push(action);
        names.push(Named::of(&cluster, action));
        outcome.events.push(match action {
            Action::Deliver(at) | Action::DeliverCopy(at) => {
                let flight = &cluster.flights[at];
                Event::Heard {
                    from: flight.from,
                    to: flight.to,
                    message: flight.message.clone(),
                }
            }
            other => Event::Did(other),
        });
        if let Err(what) = step_of(&mut cluster, action) {
            outcome.broken = Some(what);
            break;
        }
    }
    (outcome, names)
}

/// Fewer actions that break the same: those that can be left out one by one, or many at once (delta
/// debugging, Zeller and Hildebrandt 2002).
#[must_use]
pub fn shrink(setup: &Setup, found: &Found) -> Found {
    let same = |what: &str| kind(what) == kind(&found.what);
    let exact: Vec<Step> = found
        .actions
        .iter()
        .map(|action| Step::Exact(*action))
        .collect();
    let mut best = again(setup, &exact);
    let mut chunk = best.1.len().max(2) / 2;
    loop {
        let mut smaller = false;
        let mut at = 0;
        while at < best.1.len() {
            let rest = best.1.iter().enumerate();
            let rest = rest.filter(|(place, _)| !(at..at + chunk).contains(place));
            let rest: Vec<Step> = rest.map(|(_, name)| Step::Named(*name)).collect();
            let next = again(setup, &rest);
            if next.0.broken.as_deref().is_some_and(same) {
                (best, smaller) = (next, true);
            } else {
                at += chunk;
            }
        }
        if chunk == 1 && !smaller {
            break;
        }
        chunk = chunk.div_ceil(2);
    }
    Found {
        what: best.0.broken.unwrap_or_else(|| found.what.clone()),
        actions: best.0.done,
    }
}

/// What kind of thing broke: a contract's name, a panic, or a check's name.
fn kind(what: &str) -> &str {
    let until = if what.starts_with("contract ") { 2 } else { 1 };
    let end = what.match_indices([' ', ':']).nth(until - 1);
    end.map_or(what, |(end, _)| &what[..end])
}
