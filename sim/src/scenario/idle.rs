//! Faults that can never do anything are refused: whoever writes one means another. What a
//! reproducer has was drawn, and may have come out as nothing.

use std::ops::Range;

use toml::Spanned;

use crate::scenario::fault_form::PartitionForm;
use crate::scenario::select::{Member, Select};
use crate::scenario::steps::{Cast, Extent};
use crate::scenario::units::{Count, Time, Unit};
use crate::scenario::value::Ranged;
use crate::scenario::verbs::{FaultForm, StepForm};

impl Cast<'_> {
    /// Says when a fault has no effect on whatever it strikes.
    pub(super) fn idle(&mut self, fault: &FaultForm, place: &Range<usize>) {
        if self.pinned {
            return;
        }
        if let Some((from, to)) = ends(fault)
            && is_nobody(from, to)
        {
            self.wrong(
                place.clone(),
                "a link from a replica to itself",
                "no effect",
                "replicas send nothing to themselves: let `from` and `to` be others, or leave one out",
            );
        }
        match fault {
            FaultForm::Partition(form) => self.idle_partition(&form.0, place),
            FaultForm::ClockJump(form) => self.nothing(&form.by, "by", "\"-2s..2s\"", place),
            FaultForm::Lose(form) | FaultForm::Corrupt(form) => {
                self.nothing(&form.rate, "rate", "\"20%\"", place);
            }
            FaultForm::Duplicate(form) => self.nothing(&form.rate, "rate", "\"20%\"", place),
            FaultForm::SyncFailure(form)
            | FaultForm::WriteFailure(form)
            | FaultForm::ReadFailure(form) => {
                self.nothing(&form.0.rate, "rate", "\"20%\"", place);
            }
            FaultForm::Delay(form) => self.nothing(&form.by, "by", "\"1ms..20ms\"", place),
            FaultForm::SlowLink(form) => self.nothing(&form.by, "by", "\"1ms..20ms\"", place),
            FaultForm::SlowDisk(form) | FaultForm::SlowCpu(form) => {
                self.nothing(&form.0.by, "by", "\"1ms..20ms\"", place);
            }
            _ => {}
        }
    }

    /// Says when a fault that lasts has no time to.
    pub(super) fn brief(&mut self, fault: &FaultForm, hold: &Spanned<Ranged<Time>>) {
        let comes_back = matches!(
            fault,
            FaultForm::Kill(_) | FaultForm::PowerLoss(_) | FaultForm::DiskLoss(_)
        );
        if !self.pinned && !comes_back && !fault.is_instant() && hold.get_ref().max() == 0 {
            self.wrong(
                hold.span(),
                "a fault that is over when it begins",
                "no effect",
                "write hold = \"500ms\"",
            );
        }
    }

    /// Says when a pause is ended and none is begun anywhere.
    pub(super) fn resumes(&mut self, steps: &[Spanned<StepForm>], pauses: bool) {
        if pauses || self.extent == Extent::Part || self.pinned {
            return;
        }
        for step in steps {
            if let Some(resume) = &step.get_ref().resume {
                self.wrong(
                    self.source.key_of(resume.span(), "resume"),
                    "a `resume` where nothing pauses",
                    "no effect",
                    "add a step with `pause` before it, or leave it out: `restart` starts what is down",
                );
            }
        }
    }

    /// Says when more operations are waited for than anybody asks for.
    pub(super) fn can_be_asked(&mut self, count: &Ranged<Count>, place: &Range<usize>) {
        if self.extent == Extent::Part || self.pinned || count.max() <= self.operations {
            return;
        }
        self.wrong(
            place.clone(),
            format!("{} operations are waited for", count.max()),
            "never so many",
            format!(
                "the workload and the steps ask for {} at most: wait for fewer, or ask for more",
                self.operations
            ),
        );
    }

    fn nothing<U: Unit>(
        &mut self,
        drawn: &Ranged<U>,
        key: &str,
        example: &str,
        place: &Range<usize>,
    ) {
        if drawn.min() == 0 && drawn.max() == 0 {
            self.wrong(
                place.clone(),
                format!("a fault whose `{key}` is nothing"),
                "no effect",
                format!("write {key} = {example}"),
            );
        }
    }

    fn idle_partition(&mut self, form: &PartitionForm, place: &Range<usize>) {
        let members = form.groups.iter().flatten().flatten();
        let mut members = members.peekable();
        let some = members.peek().is_some();
        if some && members.all(|member| matches!(member, Member::Client(_))) {
            self.wrong(
                place.clone(),
                "a partition among clients",
                "no effect",
                "clients say nothing to each other: name replicas on a side as well",
            );
        }
    }
}

/// The ends of the links that a fault is about.
const fn ends(fault: &FaultForm) -> Option<(&Select, &Select)> {
    match fault {
        FaultForm::Clog(form) => Some((&form.from, &form.to)),
        FaultForm::SlowLink(form) => Some((&form.from, &form.to)),
        _ => match fault.aim() {
            Some(aim) => Some((aim.from, aim.to)),
            None => None,
        },
    }
}

/// Whether no message goes from one of these to another of those.
fn is_nobody(from: &Select, to: &Select) -> bool {
    match (from, to) {
        (Select::Leader, Select::Leader) => true,
        (Select::Nodes(from), Select::Nodes(to)) => from.len() == 1 && from == to,
        _ => false,
    }
}
