//! How sessions between replicas begin and end, and how that is noticed.
//!
//! One begins when both ends take part and can talk to each other, a journey there and back later.
//! It ends as [`Links::Sessions`](crate::subject::contract::Links) says. Of an end each side hears
//! by itself, after one journey or, every second time, after as long as the longest election
//! timeout at most; the first that hears of it asks for the next. What a side sends counts for the
//! session that it knows of, and goes nowhere once that has ended.

use crate::choices::{Label, Matter, Topic};
use crate::ids::Node;
use crate::subject::process::Input;
use crate::time::Span;
use crate::trace::event::Event;
use crate::trace::observer::Observer;

use super::digest::Mark;
use super::due::{Due, SessionDue};
use super::node::{State, Waiting};
use super::stage::name;
use super::tally::Effect;
use super::world::World;

impl<O: Observer> World<O> {
    /// Whether what a replica sends now goes anywhere. Beyond the contract all does.
    pub(super) fn can_send(&self, node: usize, peer: usize) -> bool {
        self.sessions.as_ref().is_none_or(|sessions| {
            self.plan.network.beyond_contract || sessions.carries(node, peer)
        })
    }

    /// A replica takes part from now on.
    pub(super) fn may_connect(&mut self, node: usize) {
        if self.sessions.is_some() {
            for peer in (0..self.machines.len()).filter(|peer| *peer != node) {
                self.try_to_connect(node, peer);
            }
        }
    }

    /// A session may begin soon.
    fn try_to_connect(&mut self, one: usize, other: usize) {
        let (one, other) = (one.min(other), one.max(other));
        let Some(sessions) = &mut self.sessions else {
            return;
        };
        let pair = *sessions.pair(one, other);
        if pair.open || !self.can_connect(one, other) {
            return;
        }
        self.about(one, other, pair.number + 1);
        let label = label(Topic::Connect, one, other);
        let journey = self.network.latency(&mut self.stage, label);
        self.stage.after(
            Span(journey.0.saturating_mul(2)),
            Due::Session(SessionDue::Begins(number(one), number(other))),
        );
    }

    fn can_connect(&self, one: usize, other: usize) -> bool {
        let there = |node: usize| self.machines[node].runs() && self.machines[node].ready;
        there(one) && there(other) && self.network.is_open(one, other)
    }

    fn about(&mut self, one: usize, other: usize, session: u64) {
        let matter = Matter::Session(one as u16, other as u16, session);
        self.stage.choices.about(matter);
    }

    /// Something is due of a session.
    pub(super) fn session_is_due(&mut self, due: SessionDue) {
        match due {
            SessionDue::Begins(one, other) => self.connect(one.into(), other.into()),
            SessionDue::IsNoticed(node, peer, session) => {
                self.notices(node.into(), peer.into(), session);
            }
            SessionDue::TimesOut(one, other, session) => {
                let (one, other) = (usize::from(one), usize::from(other));
                let here = self
                    .sessions
                    .as_mut()
                    .map(|sessions| *sessions.pair(one, other));
                if here.is_some_and(|pair| pair.number == session)
                    && !self.network.is_open(one, other)
                {
                    self.end_session(one, other);
                }
            }
        }
    }

    fn connect(&mut self, one: usize, other: usize) {
        let can = self.can_connect(one, other);
        let Some(sessions) = self.sessions.as_mut().filter(|_| can) else {
            return;
        };
        let pair = sessions.pair(one, other);
        if pair.open {
            return;
        }
        pair.open = true;
        pair.number += 1;
        let session = pair.number;
        let ends = [(one, other), (other, one)];
        let before = ends.map(|(node, peer)| {
            let end = sessions.end(node, peer);
            sessions.told[end].replace(session)
        });
        self.network.forget_between(one, other);
        self.stage
            .mark(Mark::Connected, (one as u64) << 8 | other as u64, session);
        for ((node, peer), before) in ends.into_iter().zip(before) {
            let boot = self.machines[node].boot;
            if let Some(before) = before {
                self.tell_of_session(node, peer, before, false);
            }
            if self.machines[node].boot == boot {
                self.tell_of_session(node, peer, session, true);
            }
        }
    }

    /// All sessions of a process end with it, and it knows of none.
    pub(super) fn end_sessions_of(&mut self, node: usize) {
        if self.sessions.is_none() {
            return;
        }
        for peer in (0..self.machines.len()).filter(|peer| *peer != node) {
            if let Some(sessions) = &mut self.sessions {
                let end = sessions.end(node, peer);
                (sessions.known[end], sessions.told[end]) = (None, None);
            }
            self.end_session(node, peer);
        }
    }

    /// The session of two replicas ends, if there is one.
    pub(super) fn end_session(&mut self, one: usize, other: usize) {
        let (one, other) = (one.min(other), one.max(other));
        let Some(sessions) = &mut self.sessions else {
            return;
        };
        let pair = sessions.pair(one, other);
        if !std::mem::take(&mut pair.open) {
            return;
        }
        let session = pair.number;
        let told = [(one, other), (other, one)]
            .map(|(node, peer)| ((node, peer), sessions.told[sessions.end(node, peer)]));
        self.stage.mark(
            Mark::Disconnected,
            (one as u64) << 8 | other as u64,
            session,
        );
        self.network.forget_between(one, other);
        if told.iter().all(|(_, told)| *told == Some(session)) {
            self.stage
                .took_effect(Effect::Disconnect, name(number(one)));
        }
        for ((node, peer), _) in told.into_iter().filter(|(_, told)| *told == Some(session)) {
            self.about(node, peer, session);
            let silence = self.within_elections(label(Topic::Notice, node, peer), 2);
            let (_, longest) = self.plan.cluster.knobs.election_timeout;
            let after = if silence > longest {
                let label = label(Topic::Reset, node, peer);
                self.network.latency(&mut self.stage, label)
            } else {
                silence
            };
            let due = SessionDue::IsNoticed(number(node), number(peer), session);
            self.stage.after(after, Due::Session(due));
        }
    }

    fn within_elections(&mut self, label: Label, times: u64) -> Span {
        let (_, longest) = self.plan.cluster.knobs.election_timeout;
        let longest = longest.0.saturating_mul(times);
        Span(self.stage.choices.between(label, 0, longest))
    }

    /// An end hears that its session is over, if it knows of no later one.
    fn notices(&mut self, node: usize, peer: usize, session: u64) {
        let Some(sessions) = &mut self.sessions else {
            return;
        };
        let end = sessions.end(node, peer);
        if sessions.told[end] != Some(session) {
            return;
        }
        sessions.told[end] = None;
        self.try_to_connect(node, peer);
        self.tell_of_session(node, peer, session, false);
    }

    /// Links were cut or mended.
    pub(super) fn weigh_sessions(&mut self) {
        let Some(sessions) = &self.sessions else {
            return;
        };
        let replicas = sessions.replicas;
        for (one, other) in
            (0..replicas).flat_map(|one| (one + 1..replicas).map(move |other| (one, other)))
        {
            let Some(sessions) = &mut self.sessions else {
                return;
            };
            let pair = *sessions.pair(one, other);
            if !pair.open {
                self.try_to_connect(one, other);
            } else if !self.network.is_open(one, other) {
                self.about(one, other, pair.number);
                let after = self.within_elections(label(Topic::Outlast, one, other), 2);
                let due = SessionDue::TimesOut(number(one), number(other), pair.number);
                self.stage.after(after, Due::Session(due));
            }
        }
    }

    fn tell_of_session(&mut self, node: usize, peer: usize, session: u64, begins: bool) {
        let peer = Node(number(peer));
        let machine = &mut self.machines[node];
        let waiting = Waiting::Session(peer, session, begins);
        match machine.state {
            State::Up if !machine.queues() => self.hears_of_session(node, peer, session, begins),
            State::Up => self.wait_in_line(node, waiting),
            State::Paused => machine.inbox.push_back(waiting),
            State::Down | State::Halted { .. } => {}
        }
    }

    /// A process hears that a session has begun or ended.
    pub(super) fn hears_of_session(&mut self, node: usize, peer: Node, session: u64, begins: bool) {
        if let Some(sessions) = &mut self.sessions {
            let end = sessions.end(node, peer.0.into());
            sessions.known[end] = begins.then_some(session);
        }
        self.stage.emit(&Event::Session {
            node: Node(number(node)),
            peer,
            session,
            begins,
        });
        let input = if begins {
            Input::Connected { peer, session }
        } else {
            Input::Disconnected { peer, session }
        };
        self.feed(node, input);
    }
}

fn label(topic: Topic, one: usize, other: usize) -> Label {
    Label::link(topic, one as u16, other as u16)
}

fn number(node: usize) -> u8 {
    u8::try_from(node).expect("at most 9 replicas")
}
