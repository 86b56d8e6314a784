//! How the log asks for disk operations: one by one, or as a script of which each waits for the one
//! before.

use synod_port::files::{DiskError, DiskOk, DiskOp, OpId};

use crate::io::{Output, Outputs};

/// Hands out operation ids and puts operations into a step's outputs.
#[derive(Debug)]
pub(crate) struct Disk<'a> {
    next: &'a mut u64,
    out: &'a mut Outputs,
}

impl<'a> Disk<'a> {
    pub(crate) const fn new(next: &'a mut u64, out: &'a mut Outputs) -> Self {
        Self { next, out }
    }

    /// Asks for an operation.
    pub(crate) fn submit(&mut self, what: DiskOp) -> OpId {
        *self.next += 1;
        let op = OpId(*self.next);
        self.out.push(Output::Disk { op, what });
        op
    }
}

/// How a disk operation ended.
pub(crate) type Ended = Result<DiskOk, DiskError>;

/// Operations that are done one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    ops: Vec<DiskOp>,
    at: usize,
    op: OpId,
}

/// What a completion did to a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// The step of this index is done, and the next one is under way.
    Step(usize),
    /// All steps are done.
    Done,
    /// The step of this index failed, and nothing more is done.
    Failed(usize),
}

impl Script {
    /// Starts with the first operation; there is at least one.
    pub(crate) fn start(ops: Vec<DiskOp>, disk: &mut Disk<'_>) -> Self {
        let op = disk.submit(
            ops.first()
                .expect("a script has at least one operation")
                .clone(),
        );
        Self { ops, at: 0, op }
    }

    /// Takes a completion; none when it is not this script's. Removing what is not there counts as
    /// done.
    pub(crate) fn on_disk(
        &mut self,
        op: OpId,
        ended: &Ended,
        disk: &mut Disk<'_>,
    ) -> Option<Progress> {
        if op != self.op {
            return None;
        }
        let at = self.at;
        let gone = matches!(
            (&self.ops[at], ended),
            (DiskOp::Remove(_), Err(DiskError::NotFound))
        );
        if ended.is_err() && !gone {
            return Some(Progress::Failed(at));
        }
        self.at += 1;
        let Some(next) = self.ops.get(self.at) else {
            return Some(Progress::Done);
        };
        self.op = disk.submit(next.clone());
        Some(Progress::Step(at))
    }
}
