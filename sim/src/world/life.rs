//! The life of a process: boot, death, halt, pause.

use crate::choices::{FaultAt, Label, Matter, Topic};
use crate::ids::{FaultNumber, Node};
use crate::scenario::fault::Keep;
use crate::subject::process::Input;
use crate::time::Span;
use crate::trace::event::Event;
use crate::trace::observer::Observer;

use super::digest::Mark;
use super::disk::Kept;
use super::due::Due;
use super::node::{Death, Doom, State};
use super::stage::name;
use super::tally::{Effect, Milestone};
use super::world::{UnexplainedHalt, World, entropy};

/// A death in recovery comes after fewer disk operations than this, or when recovery ends.
const RECOVERY_OPERATIONS: u64 = 40;

/// Stands for the heal where a fault is named that brought a process back.
pub(super) const HEALED: FaultNumber = FaultNumber(u16::MAX);
/// Stands for a step of the script.
pub(super) const RESTARTED: FaultNumber = FaultNumber(u16::MAX - 1);
/// Stands for what strikes a replica at a boundary.
pub(super) const STRUCK: FaultNumber = FaultNumber(u16::MAX - 3);
/// Stands for what holds messages back in an audit.
pub(super) const HELD: FaultNumber = FaultNumber(u16::MAX - 2);

impl<O: Observer> World<O> {
    /// Starts a process, unless there is one, or its disk cannot be trusted, or the node is out for
    /// good. Its entropy hangs on the fault by whose end it starts.
    pub(super) fn boot(&mut self, node: usize, by: FaultNumber) {
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        let machine = &mut self.machines[node];
        if machine.banished
            || !matches!(
                machine.state,
                State::Down | State::Halted { damaged: false }
            )
        {
            return;
        }
        machine.clear();
        if let Some(watch) = &mut self.watch {
            watch.booted(who);
        }
        if let Some(holders) = &mut self.holders {
            holders.booted(who);
        }
        machine.boot += 1;
        machine.state = State::Up;
        machine.downed_by = None;
        machine.clock.boot(self.stage.now);
        machine.process = Some(self.subject.make(&self.setup, who));
        self.applied[node] = 0;
        let boot = u64::from(machine.boot);
        if let Some(Doom::InRecovery { by, left, .. }) = &mut machine.doom {
            let by = FaultAt::node(*by, u16::from(who.0));
            self.stage.choices.about(Matter::Fault(by));
            let label = Label::fault(Topic::DeathInRecovery, by);
            *left = Some(self.stage.choices.draw(label, RECOVERY_OPERATIONS));
        }
        self.ledger.booted(who);
        self.stage.eventful = true;
        self.reconcile(who);
        self.stage.mark(Mark::Boot, node as u64, boot);
        self.stage.emit(&Event::Boot { node: who, boot });
        let entropy = entropy(
            &mut *self.stage.choices,
            FaultAt::node(by, u16::from(who.0)),
        );
        self.feed(node, Input::Boot { entropy });
    }

    /// The process dies, if there is one; a power loss also takes what was not synced when there is
    /// none. What survives hangs on the fault that is behind it; the end of `until` brings the
    /// process back.
    pub(super) fn die(
        &mut self,
        node: usize,
        death: Death,
        by: FaultNumber,
        until: Option<FaultNumber>,
    ) {
        let keep = match death {
            Death::Kill => Keep::Any,
            Death::Power(keep) => keep,
        };
        self.dies(node, death, keep.into(), (by, until));
    }

    /// As [`die`](Self::die), and of what was not synced this survives.
    pub(super) fn die_keeping(
        &mut self,
        node: usize,
        death: Death,
        kept: Kept<'_>,
        by: FaultNumber,
    ) {
        self.dies(node, death, kept, (by, None));
    }

    fn dies(
        &mut self,
        node: usize,
        death: Death,
        kept: Kept<'_>,
        (by, until): (FaultNumber, Option<FaultNumber>),
    ) {
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        let by = FaultAt::node(by, u16::from(who.0));
        let ran = self.goes_down(node, until);
        self.stage.eventful = true;
        let disk = &mut self.machines[node].disk;
        match death {
            Death::Kill if !ran => {}
            Death::Kill => {
                let report = disk.kill_keeping(kept, &mut *self.stage.choices, by);
                self.stage
                    .mark(Mark::Killed, node as u64, u64::from(report.torn_writes));
                self.stage.emit(&Event::Killed(who));
                // At the heal, those outside the core are taken away; that is no fault.
                if !self.healed {
                    self.stage.took_effect(Effect::Kill, name(who.0));
                }
                self.took_effects(Effect::TornWrite, report.torn_writes, who);
            }
            Death::Power(_) => {
                let report = disk.lose_power(kept, &mut *self.stage.choices, by);
                self.stage.mark(
                    Mark::PowerLost,
                    node as u64,
                    u64::from(report.lost_sectors) << 32 | u64::from(report.kept_sectors),
                );
                self.stage.emit(&Event::PowerLost(who));
                // What survived is on the media, synced or not.
                self.tell_names(node);
                for synced in &report.survived {
                    self.tell_synced(who, synced);
                }
                if ran {
                    self.stage.took_effect(Effect::PowerLoss, name(who.0));
                }
                self.took_effects(
                    Effect::TornWrite,
                    report.torn_writes + report.under_way.torn_writes,
                    who,
                );
                self.took_effects(Effect::LostSectors, report.lost_sectors, who);
                self.took_effects(
                    Effect::LostNames,
                    report.lost_names + report.returned_names,
                    who,
                );
            }
        }
    }

    /// Ends the process, if there is one.
    fn goes_down(&mut self, node: usize, until: Option<FaultNumber>) -> bool {
        let runs = self.machines[node].runs();
        if runs {
            self.bury(node);
            self.machines[node].state = State::Down;
            self.machines[node].downed_by = until;
            if matches!(self.machines[node].doom, Some(Doom::InStep(..))) {
                self.machines[node].doom = None;
            }
        }
        runs
    }

    /// The disk is gone, with all that was on it, and so is the process.
    pub(super) fn lose_disk(&mut self, who: Node, fault: FaultNumber) {
        let node = usize::from(who.0);
        self.goes_down(node, Some(fault));
        if self.machines[node].disk.lose_everything() {
            self.ledger.lost(who, self.stage.now);
            self.stage.mark(Mark::DiskLost, node as u64, 0);
            self.stage.emit(&Event::PowerLost(who));
            self.tell_names(node);
            self.stage.took_effect(Effect::DiskLoss, name(who.0));
        }
    }

    /// Looks which damage is still there.
    pub(super) fn reconcile(&mut self, node: Node) {
        if self.ledger.has_damage(node) {
            self.ledger
                .reconcile(node, &self.machines[usize::from(node.0)].disk.flaws());
        }
    }

    fn took_effects(&mut self, effect: Effect, times: u32, who: Node) {
        if times > 0 {
            self.stage.took_effect(effect, name(who.0));
            self.stage.tally.effects[effect as usize] += u64::from(times - 1);
        }
    }

    /// The death that was to come in recovery has come.
    pub(super) fn die_in_recovery(&mut self, node: usize, death: Death) {
        let at = u8::try_from(node).expect("at most 9 replicas");
        let Some(Doom::InRecovery {
            by,
            deaths,
            back_after,
            ..
        }) = self.machines[node].doom.take()
        else {
            return;
        };
        self.stage.took_effect(Effect::DiedInRecovery, name(at));
        self.die(node, death, by, None);
        self.machines[node].doom = (deaths > 1).then(|| Doom::InRecovery {
            death,
            by,
            deaths: deaths - 1,
            left: None,
            back_after,
        });
        if let Some(after) = back_after {
            self.stage
                .after(after.max(Span(1)), Due::Boot { node: at, by });
        }
    }

    /// The process stops by its own will.
    pub(super) fn halt(&mut self, node: usize, reason: &str, damaged: bool) {
        let who = Node(u8::try_from(node).expect("at most 9 replicas"));
        let excused = if damaged {
            self.ledger.copy_lost(who)
        } else {
            self.ledger.excuses_halt(who)
        };
        if !excused {
            self.unexplained.get_or_insert_with(|| UnexplainedHalt {
                node: who,
                reason: reason.to_owned(),
                damaged,
            });
        }
        self.bury(node);
        self.machines[node].state = State::Halted { damaged };
        self.machines[node].doom = None;
        // What it left under way on the disk goes as at a kill.
        self.machines[node]
            .disk
            .kill(&mut *self.stage.choices, FaultAt::nobody(u16::from(who.0)));
        self.stage.reached(Milestone::Halted);
        self.stage
            .mark(Mark::Halted, node as u64, u64::from(damaged));
        self.stage.emit(&Event::Halted {
            node: who,
            reason,
            damaged,
        });
    }

    /// Keeps what the planted bug did, and forgets the process.
    pub(super) fn bury(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if let Some(process) = &machine.process {
            let bug = process.bug();
            self.bug = (self.bug.0 + bug.0, self.bug.1 + bug.1);
        }
        machine.clear();
        self.end_sessions_of(node);
    }

    /// Stops scheduling the process.
    pub(super) fn pause(&mut self, node: usize, fault: Option<FaultNumber>) {
        let machine = &mut self.machines[node];
        if machine.state != State::Up {
            return;
        }
        machine.state = State::Paused;
        machine.paused_by = fault;
        machine.paused_with = Some(machine.clock.now(self.stage.now));
        self.stage.mark(Mark::Paused, node as u64, 0);
        self.stage.emit(&Event::Paused(Node(
            u8::try_from(node).expect("at most 9 replicas"),
        )));
    }

    /// Schedules the process again: it finds its inputs waiting, and perhaps it had sampled its
    /// clocks before the pause.
    pub(super) fn resume(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.state != State::Paused {
            return;
        }
        machine.state = State::Up;
        let by = FaultAt::node(
            machine.paused_by.take().unwrap_or(FaultNumber::NONE),
            node as u16,
        );
        let before = machine.paused_with.take();
        self.stage.choices.about(Matter::Fault(by));
        if self
            .stage
            .choices
            .draw(Label::fault(Topic::StaleSample, by), 2)
            == 0
        {
            machine.stale = before;
        }
        let inbox = std::mem::take(&mut machine.inbox);
        let boot = machine.boot;
        self.stage.mark(Mark::Resumed, node as u64, 0);
        self.stage.emit(&Event::Resumed(Node(
            u8::try_from(node).expect("at most 9 replicas"),
        )));
        let deadline_first = self
            .stage
            .choices
            .draw(Label::fault(Topic::DeadlineFirst, by), 2)
            == 0;
        if self.machines[node].step_time > Span(0) {
            self.machines[node].inbox = inbox;
            self.next_in_line(node);
            self.rearm(node);
            return;
        }
        if deadline_first {
            self.deadline_has_passed(node);
        }
        for waiting in inbox {
            if self.machines[node].state != State::Up || self.machines[node].boot != boot {
                return;
            }
            self.take(node, waiting);
        }
        self.machines[node].stale = None;
        self.deadline_has_passed(node);
        self.rearm(node);
    }

    /// Tells the process of its deadline, if it has passed by the clock that its next step reads.
    pub(super) fn deadline_has_passed(&mut self, node: usize) {
        let machine = &self.machines[node];
        let now = machine
            .stale
            .or(machine.sampled)
            .unwrap_or_else(|| machine.clock.now(self.stage.now))
            .mono;
        if machine
            .process
            .as_ref()
            .and_then(|process| process.deadline())
            .is_some_and(|deadline| deadline <= now)
        {
            self.stage.mark(Mark::Deadline, node as u64, 0);
            self.feed(node, Input::Deadline);
        }
    }
}
