//! A process whose steps take time. What comes while it is busy waits in line; a step begins with a
//! look at the clocks, and is taken, all at once, at its end: until then nothing of it can be seen
//! from outside. A process that dies meanwhile has not taken it.

use crate::subject::process::Input;
use crate::time::Span;
use crate::trace::observer::Observer;

use super::due::Due;
use super::node::{Busy, State, Waiting};
use super::stage::name;
use super::tally::Effect;
use super::world::World;

impl<O: Observer> World<O> {
    /// An input comes to a process that is busy, or that takes time for it.
    pub(super) fn wait_in_line(&mut self, node: usize, input: Waiting) {
        self.machines[node].inbox.push_back(input);
        self.next_in_line(node);
    }

    /// Begins the next step, if there is an input for it and none is being taken.
    pub(super) fn next_in_line(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.state != State::Up || machine.busy.is_some() || machine.inbox.is_empty() {
            return;
        }
        let takes = machine.step_time;
        machine.busy = Some(Busy {
            since: machine.clock.now(self.stage.now),
            takes,
        });
        let boot = machine.boot;
        self.stage.after(
            takes,
            Due::Step {
                node: u8::try_from(node).expect("at most 9 replicas"),
                boot,
            },
        );
    }

    /// The time of a step is over.
    pub(super) fn step_ends(&mut self, node: usize, boot: u32) {
        let machine = &mut self.machines[node];
        if machine.boot != boot {
            return;
        }
        let Some(busy) = machine.busy.take() else {
            return;
        };
        // A process that was paused meanwhile takes the input when it goes on.
        if machine.state != State::Up {
            return;
        }
        if let Some(input) = machine.inbox.pop_front() {
            if busy.takes > Span(0) {
                machine.sampled = Some(busy.since);
                self.stage.took_effect(
                    Effect::SlowCpu,
                    name(u8::try_from(node).expect("at most 9 replicas")),
                );
            }
            self.take(node, input);
            self.machines[node].sampled = None;
        }
        self.next_in_line(node);
    }

    /// Takes an input that has waited.
    pub(super) fn take(&mut self, node: usize, input: Waiting) {
        match input {
            Waiting::Message(flight) => self.take_message(node, &flight),
            Waiting::Session(peer, number, begins) => {
                self.hears_of_session(node, peer, number, begins);
            }
            Waiting::Disk(op, result) => self.feed(node, Input::Disk { op, result }),
            Waiting::Deadline => {
                self.deadline_has_passed(node);
                self.rearm(node);
            }
        }
    }
}
