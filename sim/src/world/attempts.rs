//! Attempts and answers: whom a client asks, in which session, and what it makes of what it hears.

use crate::choices::{Label, Matter, Topic};
use crate::ids::{Client, Node};
use crate::subject::process::{Answer, Refusal, Session};
use crate::time::Span;
use crate::trace::event::{Event, Outcome};
use crate::trace::observer::Observer;

use super::client::{BACKOFF, Purpose, Request, Sessions};
use super::clients::{AUDIT_ONE_IN, AUDIT_ONE_IN_EVENTFUL, Clients};
use super::digest::Mark;
use super::due::Port;
use super::network::{Network, Sent};
use super::stage::Stage;
use super::tally::Milestone;

impl Clients {
    /// Asks for a session, if one is needed and it is time.
    pub(super) fn open_session<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        client: u16,
    ) {
        let state = &mut self.each[usize::from(client)];
        let nonce = match state.session {
            Sessions::Open(_) => return,
            Sessions::Opening { next_try, .. } if next_try > stage.now => return,
            Sessions::None if state.requests.is_empty() => return,
            Sessions::Opening { nonce, .. } => nonce,
            Sessions::None => {
                state.registrations += 1;
                (u64::from(client) + 1) << 32 | state.registrations
            }
        };
        let Some(bytes) = self.dialect.register(nonce) else {
            state.session = Sessions::Open(Session(0));
            return;
        };
        let (asked, next) = match state.session {
            Sessions::Opening { asked, next, .. } => (asked, next),
            _ => (None, state.favourite),
        };
        let number = state.registration();
        let in_turn = self.in_turn;
        let target = next
            .unwrap_or_else(|| other_than(stage, Topic::Target, (client, number), asked, in_turn));
        let next_try = stage.now + self.workload.attempt_timeout.max(BACKOFF);
        state.session = Sessions::Opening {
            nonce,
            asked: Some(target),
            next: None,
            next_try,
        };
        network.send(
            stage,
            stage.client_port(client),
            0,
            Port(u16::from(target.0)),
            bytes,
        );
    }

    /// Sends a request. Says whether it is gone from the list.
    pub(super) fn attempt<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        client: u16,
        at: usize,
    ) -> bool {
        let state = &mut self.each[usize::from(client)];
        let session = state.open().expect("requests are tried in a session");
        let request = &mut state.requests[at];
        let first = request.attempts == 0;
        let sticks = client < self.workload.sticky && request.purpose == Purpose::Workload;
        let home = sticks.then(|| Node(u8::try_from(client % stage.replicas).unwrap_or(0)));
        let favourite = state.favourite;
        // What is expected does not rest on luck.
        let in_turn = self.in_turn || request.purpose != Purpose::Workload;
        let target = match (request.next.take(), home.or(favourite)) {
            (Some(next), _) => next,
            (None, Some(preferred)) if first => preferred,
            (None, _) => {
                let asked = (!first).then_some(request.asked);
                if asked.is_some() && favourite == asked && !request.refused {
                    state.favourite = None;
                }
                other_than(
                    stage,
                    if first { Topic::Target } else { Topic::Retry },
                    (client, request.number),
                    asked,
                    in_turn,
                )
            }
        };
        if first {
            (request.session, request.sequence) = (session, state.sequence);
            state.sequence += 1;
            self.invoked += 1;
            request.asked_at = stage.now;
            self.service.asked(stage.now);
            stage.mark(Mark::Invoked, u64::from(client), u64::from(request.process));
            stage.emit(&Event::Invoked {
                process: request.process,
                client: state.number,
                call: &request.call,
            });
            if !self.dialect.offers(&request.call.action) {
                request.attempts = 1;
                let request = state.requests.remove(at);
                stage.reached(Milestone::DefiniteRefusal);
                self.end(stage, client, request, Outcome::Fail);
                return true;
            }
            if request.purpose == Purpose::Workload {
                self.by_kind[request.call.action.kind()].sent += 1;
            }
        } else {
            stage.reached(Milestone::ClientRetried);
        }
        request.attempts += 1;
        request.asked = target;
        request.refused = false;
        request.next_try = stage.now + self.workload.attempt_timeout.max(BACKOFF);
        let (sequence, second, duplicate) = (
            request.sequence,
            request.second,
            first && request.duplicate && stage.replicas > 1,
        );
        let bytes = self.dialect.request(
            session,
            sequence,
            state.ended_below(),
            &state.requests[at].call,
        );
        let port = stage.client_port(client);
        let mut copied =
            network.send(stage, port, 0, Port(u16::from(target.0)), bytes.clone()) == Sent::Twice;
        if duplicate {
            let second = nth_other(stage.replicas, second, Some(target));
            network.send(stage, port, 0, Port(u16::from(second.0)), bytes);
            stage.reached(Milestone::ClientDuplicated);
            copied = true;
        }
        let request = &mut self.each[usize::from(client)].requests[at];
        request.copied |= copied;
        if !(first && request.abandon) {
            return false;
        }
        let request = self.each[usize::from(client)].requests.remove(at);
        self.end(stage, client, request, Outcome::Unknown);
        true
    }

    /// A replica sends bytes to a client. The first acknowledgement of a request that is open counts
    /// from now on, even if it never comes, and may be picked for an audit.
    pub(super) fn on_sent<O: Observer>(&mut self, stage: &mut Stage<O>, client: u16, bytes: &[u8]) {
        let Some(Answer::Done {
            session,
            sequence,
            place,
            result,
        }) = self.dialect.reply(bytes)
        else {
            return;
        };
        let state = &mut self.each[usize::from(client)];
        let Some(at) = state.find(session, sequence) else {
            return;
        };
        let request = &mut state.requests[at];
        if request.sent.is_some() {
            return;
        }
        request.sent = Some(Outcome::Ok { result, place });
        if request.purpose == Purpose::Audit {
            return;
        }
        let one_in = if std::mem::take(&mut stage.eventful) {
            AUDIT_ONE_IN_EVENTFUL
        } else {
            AUDIT_ONE_IN
        };
        self.audit_due |= (request.audit * one_in) >> 32 == 0;
    }

    /// The operations that are open although a replica has sent an acknowledgement: by process.
    pub(super) fn sent(&self) -> Vec<(u32, Client, Outcome)> {
        self.each
            .iter()
            .flat_map(|state| state.requests.iter().map(|request| (state.number, request)))
            .filter_map(|(client, request)| Some((request.process, client, request.sent.clone()?)))
            .collect()
    }

    /// Bytes have come for a client. Says who answered, when it was an answer and not a refusal.
    pub(super) fn on_reply<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        network: &mut Network,
        client: u16,
        from: Node,
        bytes: &[u8],
    ) -> Option<Node> {
        let state = &mut self.each[usize::from(client)];
        match self.dialect.reply(bytes)? {
            Answer::Registered { nonce, session } => match state.session {
                Sessions::Opening { nonce: ours, .. } if ours == nonce => {
                    state.session = Sessions::Open(session);
                    state.sequence = 0;
                    state.favourite = Some(from);
                    if std::mem::take(&mut state.lost) {
                        stage.reached(Milestone::SessionReopened);
                    }
                }
                _ => return None,
            },
            Answer::Done {
                session,
                sequence,
                place,
                result,
            } => {
                let outcome = Outcome::Ok { result, place };
                stage.emit(&Event::Answered {
                    client: state.number,
                    session: session.0,
                    sequence,
                    outcome: &outcome,
                });
                let Some(at) = state.find(session, sequence) else {
                    self.learn(stage, client, (session, sequence), &outcome);
                    return None;
                };
                state.favourite = Some(from);
                let request = state.requests.remove(at);
                self.end(stage, client, request, outcome);
            }
            Answer::Refused {
                session,
                sequence,
                refusal,
            } => {
                self.on_refused(stage, client, from, (session, sequence), refusal);
                self.work(stage, network, client);
                return None;
            }
        }
        self.work(stage, network, client);
        Some(from)
    }

    /// An answer to a request that is not open: it may have been given up.
    fn learn<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        client: u16,
        (session, sequence): (Session, u64),
        outcome: &Outcome,
    ) {
        let state = &mut self.each[usize::from(client)];
        let given_up =
            |unknown: &(Session, u64, u32)| (unknown.0, unknown.1) == (session, sequence);
        if let Some(at) = state.unknown.iter().position(given_up) {
            let (_, _, process) = state.unknown.swap_remove(at);
            stage.emit(&Event::Learned {
                process,
                client: state.number,
                outcome,
            });
        }
    }

    fn on_refused<O: Observer>(
        &mut self,
        stage: &mut Stage<O>,
        client: u16,
        from: Node,
        request: (Session, u64),
        refusal: Refusal,
    ) {
        let hint = match refusal {
            Refusal::Retry(hint) => hint,
            Refusal::Never | Refusal::SessionGone => None,
        };
        let hint = hint.filter(|hint| *hint != from && u16::from(hint.0) < stage.replicas);
        let state = &mut self.each[usize::from(client)];
        if state.favourite.is_none_or(|favourite| favourite == from) {
            state.favourite = hint;
        }
        let number = state.registration();
        if let Sessions::Opening {
            nonce,
            asked,
            next,
            next_try,
        } = &mut state.session
        {
            if *nonce == request.1 && *asked == Some(from) && next.is_none() {
                let wait = if hint.is_some() {
                    Span(0)
                } else {
                    backoff(stage, (client, number))
                };
                *next = hint;
                *next_try = stage.now + wait.max(Span(1));
            }
            return;
        }
        let Some(at) = state.find(request.0, request.1) else {
            return;
        };
        if refusal == Refusal::SessionGone {
            self.lose_session(stage, client);
            return;
        }
        let request = &mut state.requests[at];
        if request.asked != from || request.refused {
            return;
        }
        let once = request.attempts == 1 && !request.copied;
        if refusal == Refusal::Never && !once {
            let request = state.requests.remove(at);
            self.end(stage, client, request, Outcome::Unknown);
            return;
        }
        if once && (request.takes_no || refusal == Refusal::Never) {
            let request = state.requests.remove(at);
            stage.reached(Milestone::DefiniteRefusal);
            stage.emit(&Event::Answered {
                client: state.number,
                session: request.session.0,
                sequence: request.sequence,
                outcome: &Outcome::Fail,
            });
            self.end(stage, client, request, Outcome::Fail);
            return;
        }
        let wait = if hint.is_some() && !request.followed {
            Span(1)
        } else {
            backoff(stage, (client, request.number))
        };
        request.refused = true;
        request.followed = hint.is_some();
        request.next = hint;
        request.next_try = stage.now + wait;
    }

    /// The session is gone for good: what was sent in it stays unknown, what was not waits for the
    /// next one.
    fn lose_session<O: Observer>(&mut self, stage: &mut Stage<O>, client: u16) {
        let state = &mut self.each[usize::from(client)];
        state.session = Sessions::None;
        state.lost = true;
        let (sent, waiting) = std::mem::take(&mut state.requests)
            .into_iter()
            .partition(|request| request.attempts > 0);
        state.requests = waiting;
        let sent: Vec<Request> = sent;
        for request in sent {
            self.end(stage, client, request, Outcome::Unknown);
        }
    }
}

/// A replica other than `not` for a client's request: the one after it in turn, or one that is drawn.
fn other_than<O: Observer>(
    stage: &mut Stage<O>,
    topic: Topic,
    (client, number): (u16, u16),
    not: Option<Node>,
    in_turn: bool,
) -> Node {
    if let (Some(Node(not)), true) = (not, in_turn) {
        let next = (u16::from(not) + 1) % stage.replicas;
        return Node(u8::try_from(next).expect("at most 9 replicas"));
    }
    stage.choices.about(Matter::Request(client, number));
    let label = Label::link(topic, client, number);
    let drawn = stage.choices.draw(label, 1 << 32);
    nth_other(stage.replicas, drawn, not)
}

/// The replica other than `not` that a part of 2^32 names; the only one, when there is no other.
fn nth_other(replicas: u16, part: u64, not: Option<Node>) -> Node {
    let others = u64::from(replicas) - u64::from(not.is_some() && replicas > 1);
    let drawn = u8::try_from((part * others) >> 32).expect("at most 9 replicas");
    match not {
        Some(Node(not)) if drawn >= not && u64::from(replicas) > others => Node(drawn + 1),
        _ => Node(drawn),
    }
}

fn backoff<O: Observer>(stage: &mut Stage<O>, (client, number): (u16, u16)) -> Span {
    stage.choices.about(Matter::Request(client, number));
    let label = Label::link(Topic::Backoff, client, number);
    BACKOFF + Span(stage.choices.draw(label, 3 * BACKOFF.0))
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use crate::ids::{Client, Endpoint, Node};
    use crate::plan::Distribution;
    use crate::scenario::fault::{Boundary, Fault, Keep, Who};
    use crate::time::{Instant, Span};
    use crate::trace::event::{Event, Stamp};
    use crate::trace::observer::Observer;
    use crate::world::testing;

    /// How many operations a client began, and how many messages it sent to each replica.
    #[derive(Clone, Default)]
    struct Asked {
        operations: usize,
        sent: [usize; 5],
    }

    /// Of the second client.
    impl Observer for Asked {
        fn on(&mut self, _: Stamp, event: &Event<'_>) -> ControlFlow<()> {
            match event {
                Event::Invoked { client, .. } if *client == Client(1) => self.operations += 1,
                Event::Sent {
                    from: Endpoint::Client(Client(1)),
                    to: Endpoint::Node(Node(to)),
                    ..
                } => self.sent[usize::from(*to)] += 1,
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }

    /// With so many clients that stay.
    fn asked(sticky: u16) -> Asked {
        let mut plan = testing::plan(3);
        plan.workload.sticky = sticky;
        plan.workload.think = Distribution::Constant(Span::from_millis(40));
        let mut world = testing::world(plan, Asked::default());
        world.run_until(Instant(3_000_000_000));
        world.observer().clone()
    }

    #[test]
    fn after_the_heal_the_silent_are_asked_in_turn() {
        let outage = Fault::PowerLoss {
            who: Who::All,
            keep: Keep::Any,
            boundary: Boundary::Now,
        };
        let mut plan = testing::with(&[(0, 60_000, outage)]);
        (plan.cluster.replicas, plan.workload.clients) = (5, 2);
        plan.clocks.resize(5, plan.clocks[0]);
        let sent = |healed| {
            let mut world = testing::world(plan.clone(), Asked::default());
            if healed {
                world.wait_until(Instant(60_000_000_000));
            }
            world.run_until(Instant(20_000_000_000));
            let sent = world.observer().sent;
            assert!(sent.iter().sum::<usize>() > 20, "{sent:?}");
            sent.iter().max().unwrap_or(&0) - sent.iter().min().unwrap_or(&0)
        };
        assert!(sent(false) > 1, "drawn");
        assert!(sent(true) <= 1, "in turn");
    }

    #[test]
    fn a_client_that_stays_asks_its_replica_first_whoever_leads() {
        // r1 leads. The second client stays with r2, as soon as two clients stay.
        let [free, other, sticky] = [0, 1, 2].map(asked);
        assert!(free.operations > 40 && sticky.operations > 40);
        for roams in [free, other] {
            assert!(roams.sent[1] < roams.operations / 2, "{:?}", roams.sent);
        }
        assert!(sticky.sent[1] >= sticky.operations, "{:?}", sticky.sent);
        assert!(sticky.sent[0] > sticky.operations / 2, "hints are followed");
    }
}
