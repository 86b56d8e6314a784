//! The script: steps in order, each begun when the one before is complete and its time has come.
//!
//! Whether an expectation holds must not depend on facts, or a run would depend on how closely it
//! is watched. Who leads is told from outside; that replicas are caught up can be told from facts
//! only, so that step always takes its whole time, and is judged at its end, if there are facts.

use crate::history::operation::{Action, Call, Return, Text};
use crate::ids::Node;
use crate::plan::{Expectation, Expected, Plan, Verb, When};
use crate::scenario::asking::Slots;
use crate::scenario::fault::{Boundary, Fault, Who};
use crate::time::Span;
use crate::trace::event::Outcome;
use crate::trace::observer::Observer;
use crate::verdict::{EXPECTATION, Failure};
use synod_reports::record::Verdict;

use super::bookmark::{Phase, Running};
use super::client::{Ask, Purpose};
use super::due::Due;
use super::node::{Doom, State};
use super::world::World;

/// How long a death inside a step is waited for.
const DOOM_MAX: Span = Span::from_secs(1);

/// Between two reads of a value that is not there yet.
const READ_AGAIN: Span = Span::from_millis(20);

/// Where a step stands: its line, if it has one, or its number in the script.
fn place(line: u32, at: usize) -> String {
    match line {
        0 => format!("step {}", at + 1),
        line => format!("line {line}"),
    }
}

/// How a step stands.
enum Standing {
    Complete,
    Open,
    Failed(String),
}

impl<O: Observer> World<O> {
    /// Goes as far through the script as it can be gone now.
    pub(super) fn follow_script(&mut self) {
        self.script.tick = false;
        let plan = self.plan.clone();
        self.hear_answers(&plan);
        while let Some(step) = plan.script.get(self.script.at) {
            match &self.script.phase {
                Phase::Fresh => {
                    let at = match step.when {
                        When::Next => self.stage.now,
                        When::After(span) => self.stage.now + span,
                        When::At(at) => at.max(self.stage.now),
                    };
                    self.script.phase = Phase::Waiting(at);
                    if at > self.stage.now {
                        self.stage.agenda.push(at, Due::Script);
                    }
                }
                Phase::Waiting(at) if *at > self.stage.now => return,
                Phase::Waiting(_) => {
                    let running = self.begin_step(&step.verb);
                    if let Some(by) = running.by {
                        self.stage.agenda.push(by, Due::Script);
                    }
                    self.script.phase = Phase::Running(running);
                }
                Phase::Running(_) => match self.look_at_step(&step.verb) {
                    Standing::Open => return,
                    Standing::Complete => {
                        self.script.at += 1;
                        self.script.phase = Phase::Fresh;
                    }
                    Standing::Failed(message) => {
                        self.failure = Some(Failure::new(
                            Verdict::Expectation,
                            EXPECTATION,
                            format!("{}: {message}", place(step.line, self.script.at)),
                        ));
                        return;
                    }
                },
            }
        }
    }

    fn begin_step(&mut self, verb: &Verb) -> Running {
        let now = self.stage.now;
        let mut running = Running {
            by: None,
            read_at: Some(now),
            read: None,
            nodes: Vec::new(),
            chosen: self.chosen,
        };
        match verb {
            Verb::Inject {
                number,
                fault,
                hold,
            } => {
                running.nodes = self.begin_fault(*number, fault, *hold);
                running.by = is_in_step(fault).then_some(now + DOOM_MAX);
            }
            Verb::Heal(what) => self.heal(*what),
            Verb::Restart(who) => {
                let nodes = self.resolve(who);
                self.restart(&nodes);
            }
            Verb::Resume(who) => {
                let nodes = self.resolve(who);
                nodes
                    .iter()
                    .for_each(|node| self.resume(usize::from(node.0)));
            }
            Verb::Invoke {
                client,
                call,
                expect,
                background,
            } => {
                self.script.background += usize::from(*background);
                let purpose = Purpose::Script(
                    u32::try_from(self.script.at).expect("a script has fewer steps"),
                );
                let takes_no = expect.contains(&Expected::Refused);
                let patience = self.plan.workload.patience;
                let ask = Ask {
                    client: *client,
                    call: call.clone(),
                    purpose,
                    patience,
                    takes_no,
                };
                self.clients.ask(&mut self.stage, &mut self.network, ask);
            }
            Verb::Expect {
                what,
                within,
                throughout,
            } => {
                running.by = throughout.or(*within).map(|span| now + span);
                if let Expectation::CaughtUp(who)
                | Expectation::Halted(who)
                | Expectation::Ready(who) = what
                {
                    running.nodes = self.resolve(who);
                }
            }
            Verb::Sleep(span) => running.by = Some(now + *span),
        }
        running
    }

    /// How the step that is under way stands.
    fn look_at_step(&mut self, verb: &Verb) -> Standing {
        let Phase::Running(running) = &self.script.phase else {
            return Standing::Open;
        };
        let over = running.by.is_none_or(|by| by <= self.stage.now);
        match verb {
            Verb::Inject { fault, .. } if is_in_step(fault) => {
                let waits = |node: &Node| {
                    matches!(
                        self.machines[usize::from(node.0)].doom,
                        Some(Doom::InStep(..))
                    )
                };
                if over || !running.nodes.iter().any(waits) {
                    Standing::Complete
                } else {
                    Standing::Open
                }
            }
            Verb::Inject { .. } | Verb::Heal(_) | Verb::Restart(_) | Verb::Resume(_) => {
                Standing::Complete
            }
            // An answer in the foreground moves the script on when it is heard.
            Verb::Invoke { background, .. } => {
                if *background {
                    Standing::Complete
                } else {
                    Standing::Open
                }
            }
            Verb::Sleep(_) => {
                if over {
                    Standing::Complete
                } else {
                    Standing::Open
                }
            }
            Verb::Expect {
                what,
                within,
                throughout,
            } => {
                let Some(holds) = self.holds(what, over) else {
                    return if over {
                        Standing::Failed(format!(
                            "expected {}; no read was answered",
                            describe(what)
                        ))
                    } else {
                        Standing::Open
                    };
                };
                match (holds, throughout) {
                    (true, None) => Standing::Complete,
                    (true, Some(_)) | (false, None) if !over => Standing::Open,
                    (true, Some(_)) => Standing::Complete,
                    (false, _) => {
                        let when = match (within, throughout) {
                            (_, Some(span)) => format!(" throughout {span}"),
                            (Some(span), None) => format!(" within {span}"),
                            (None, None) => String::new(),
                        };
                        Standing::Failed(format!(
                            "expected {}{when}{}",
                            describe(what),
                            self.instead(what)
                        ))
                    }
                }
            }
        }
    }

    /// Whether it holds now; none when nobody can say yet.
    fn holds(&mut self, what: &Expectation, over: bool) -> Option<bool> {
        let now = self.stage.now;
        match what {
            Expectation::Leader(who) if !self.subject.has_leader() => Some(
                self.candidates(who)
                    .iter()
                    .any(|node| self.machines[usize::from(node.0)].runs()),
            ),
            Expectation::NoLeader(_) if !self.subject.has_leader() => Some(true),
            Expectation::Leader(who) => {
                let among = self.candidates(who);
                let latest = self.roles.latest();
                Some(latest.is_some_and(|leader| {
                    among.contains(&leader)
                        && self.machines[usize::from(leader.0)].runs()
                        && self.roles.leads(leader, now)
                }))
            }
            Expectation::NoLeader(who) => {
                let among = self.candidates(who);
                Some(!among.iter().any(|node| {
                    self.machines[usize::from(node.0)].runs() && self.roles.leads(*node, now)
                }))
            }
            Expectation::Value { key, is } => {
                let Phase::Running(running) = &mut self.script.phase else {
                    return None;
                };
                let holds = running.read.as_ref().map(|read| read == is);
                if running.read_at.is_some_and(|at| at <= now) && !over {
                    running.read_at = None;
                    let call = Call {
                        key: key.clone(),
                        action: Action::Get,
                    };
                    let ask = Ask {
                        client: self.reader(0),
                        call,
                        purpose: Purpose::Value,
                        patience: self.plan.workload.patience,
                        takes_no: false,
                    };
                    self.clients.ask(&mut self.stage, &mut self.network, ask);
                }
                holds
            }
            Expectation::CaughtUp(_) if !over => Some(false),
            Expectation::CaughtUp(_) => {
                let Phase::Running(running) = &self.script.phase else {
                    return None;
                };
                Some(self.blind || self.behind_of(&running.nodes, running.chosen).is_empty())
            }
            Expectation::Halted(_) => {
                let Phase::Running(running) = &self.script.phase else {
                    return None;
                };
                Some(running.nodes.iter().all(|node| {
                    matches!(
                        self.machines[usize::from(node.0)].state,
                        State::Halted { .. }
                    )
                }))
            }
            Expectation::Operations(count) => Some(self.clients.acknowledged >= *count),
            Expectation::Lag {
                node,
                slots: (low, high),
            } => match &self.holders {
                Some(holders) => {
                    let lag = holders.lag(*node);
                    Some(*low <= lag && high.is_none_or(|high| lag <= high))
                }
                // Nobody reads the media: the step takes its time.
                None => over.then_some(true),
            },
            Expectation::Ready(_) => {
                let Phase::Running(running) = &self.script.phase else {
                    return None;
                };
                Some(self.are_ready(&running.nodes))
            }
        }
    }

    /// Whom an expectation about leaders means; unlike a step, it names nobody.
    fn candidates(&self, who: &Who) -> Vec<Node> {
        let all = (0..self.plan.cluster.replicas).map(Node);
        match who {
            Who::All => all.collect(),
            Who::Nodes(nodes) => nodes.clone(),
            Who::Leader => self.roles.latest().into_iter().collect(),
            Who::Others => all.filter(|node| Some(*node) != self.roles.named).collect(),
            Who::Follower => self.follower().into_iter().collect(),
            Who::Acknowledgers(among) => self.of_newest_votes(among, true),
            Who::Laggards(among) => self.of_newest_votes(among, false),
            Who::LastHolder => self.last_holder().into_iter().collect(),
        }
    }

    /// What there was instead of what was expected.
    fn instead(&self, what: &Expectation) -> String {
        match (what, &self.script.phase) {
            (
                Expectation::Value { .. },
                Phase::Running(Running {
                    read: Some(read), ..
                }),
            ) => format!("; it is {}", shown(read.as_ref())),
            (Expectation::CaughtUp(_) | Expectation::Ready(_), Phase::Running(running)) => {
                format!(
                    "; {}",
                    self.behind_of(&running.nodes, running.chosen).join(", ")
                )
            }
            (Expectation::Lag { node, .. }, _) => match &self.holders {
                Some(holders) => format!("; it lacks {}", holders.lag(*node)),
                None => String::new(),
            },
            (Expectation::Operations(_), _) => {
                format!("; {} were answered", self.clients.acknowledged)
            }
            (Expectation::Leader(_) | Expectation::NoLeader(_), _) => match self.roles.latest() {
                Some(leader) => format!("; the last to lead is {leader}"),
                None => "; nobody has led".to_owned(),
            },
            _ => String::new(),
        }
    }

    /// Takes what requests of the script came to.
    fn hear_answers(&mut self, plan: &Plan) {
        for finished in std::mem::take(&mut self.script.answers) {
            match finished.purpose {
                Purpose::Script(step) => {
                    let Some(Verb::Invoke {
                        client,
                        expect,
                        background,
                        ..
                    }) = plan.script.get(step as usize).map(|step| &step.verb)
                    else {
                        continue;
                    };
                    if !expect.is_empty()
                        && !expect
                            .iter()
                            .any(|expected| fits(expected, &finished.outcome))
                    {
                        let line = plan.script[step as usize].line;
                        let message = format!(
                            "{}: the operation of {client} ended as {}",
                            place(line, step as usize),
                            ended(&finished.outcome)
                        );
                        self.failure =
                            Some(Failure::new(Verdict::Expectation, EXPECTATION, message));
                        return;
                    }
                    if *background {
                        self.script.background -= 1;
                    } else if step as usize == self.script.at {
                        self.script.at += 1;
                        self.script.phase = Phase::Fresh;
                    }
                }
                Purpose::Value => {
                    let Phase::Running(running) = &mut self.script.phase else {
                        continue;
                    };
                    if let Outcome::Ok {
                        result: Return::Value(value),
                        ..
                    } = finished.outcome
                    {
                        running.read = Some(value);
                    }
                    let again = self.stage.now + READ_AGAIN;
                    running.read_at = Some(again);
                    self.stage.agenda.push(again, Due::Script);
                }
                Purpose::Workload | Purpose::Progress | Purpose::Audit => {}
            }
        }
    }
}

const fn is_in_step(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Kill {
            boundary: Boundary::InStep,
            ..
        } | Fault::PowerLoss {
            boundary: Boundary::InStep,
            ..
        }
    )
}

fn fits(expected: &Expected, outcome: &Outcome) -> bool {
    match (expected, outcome) {
        (Expected::Ok, Outcome::Ok { result, .. }) => !matches!(result, Return::Mismatch(_)),
        (
            Expected::Value(value),
            Outcome::Ok {
                result: Return::Value(got),
                ..
            },
        ) => value == got,
        (Expected::Timeout, Outcome::Unknown) | (Expected::Refused, Outcome::Fail) => true,
        (
            Expected::Mismatch,
            Outcome::Ok {
                result: Return::Mismatch(_),
                ..
            },
        ) => true,
        _ => false,
    }
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok {
            result: Return::Done,
            ..
        } => "ok".to_owned(),
        Outcome::Ok {
            result: Return::Value(value),
            ..
        } => format!("ok with {}", shown(value.as_ref())),
        Outcome::Ok {
            result: Return::Mismatch(value),
            ..
        } => format!("a mismatch with {}", shown(value.as_ref())),
        Outcome::Fail => "refused".to_owned(),
        Outcome::Unknown => "timeout".to_owned(),
    }
}

fn shown(value: Option<&Text>) -> String {
    value.map_or_else(
        || "absent".to_owned(),
        |value| format!("{:?}", String::from_utf8_lossy(value)),
    )
}

fn describe(what: &Expectation) -> String {
    let whom = |who: &Who| match who {
        Who::All => "all".to_owned(),
        Who::Leader => "the leader".to_owned(),
        Who::Others => "the others".to_owned(),
        Who::Follower => "a follower".to_owned(),
        Who::Acknowledgers(_) => "the acknowledgers".to_owned(),
        Who::Laggards(_) => "the laggards".to_owned(),
        Who::LastHolder => "the last holder".to_owned(),
        Who::Nodes(nodes) => nodes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    match what {
        Expectation::Leader(who) => format!("a leader among {}", whom(who)),
        Expectation::NoLeader(who) => format!("no leader among {}", whom(who)),
        Expectation::Value { key, is } => format!(
            "{:?} to be {}",
            String::from_utf8_lossy(key),
            shown(is.as_ref())
        ),
        Expectation::CaughtUp(who) => format!("{} to be caught up", whom(who)),
        Expectation::Halted(who) => format!("{} to have halted", whom(who)),
        Expectation::Ready(who) => format!("{} to be ready", whom(who)),
        Expectation::Operations(count) => format!("{count} operations to be answered"),
        Expectation::Lag { node, slots } => {
            format!("{node} to lack {} chosen slots", Slots::shown(*slots))
        }
    }
}
