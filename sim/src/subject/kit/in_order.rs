//! Makes a synchronous engine fit the port: what it asks for is done in order, and each disk operation
//! is over before what comes after it leaves. So a message that is pushed after a sync is sent when
//! that sync has succeeded.

use std::collections::VecDeque;

use synod_port::files::{DiskError, DiskOk, DiskOp, OpId};

use crate::subject::process::Output;

/// The outputs that wait.
#[derive(Clone, Debug, Default)]
pub struct InOrder {
    queue: VecDeque<Output>,
    operations: u64,
    busy: bool,
}

impl InOrder {
    /// Wants this done after all else.
    pub fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    /// Wants the disk to do this after all else.
    pub fn disk(&mut self, what: DiskOp) {
        self.operations += 1;
        let op = OpId(self.operations);
        self.push(Output::Disk { op, what });
    }

    /// The disk operation that all else waits for is over. When it failed the process halts, which is
    /// the one thing that is always right: a sync that failed once may succeed the next time with
    /// nothing on the media ("fsyncgate", PostgreSQL 2018). The host starts the process again.
    pub fn ended(&mut self, result: Result<DiskOk, DiskError>) -> Option<DiskOk> {
        self.busy = false;
        match result {
            Ok(result) => Some(result),
            Err(error) => {
                self.queue.clear();
                let reason = format!("the disk failed: {error:?}");
                let damaged = false;
                self.push(Output::Halt { reason, damaged });
                None
            }
        }
    }

    /// How many outputs wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Lets out what may leave: to be called at the end of each step.
    pub fn pump(&mut self, out: &mut Vec<Output>) {
        while !self.busy {
            let Some(output) = self.queue.pop_front() else {
                return;
            };
            self.busy = matches!(output, Output::Disk { .. });
            out.push(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use synod_port::files::FileName;

    use super::*;

    #[test]
    fn what_follows_a_sync_waits_for_it_and_never_leaves_when_it_fails() {
        let sync = || DiskOp::Sync(FileName::new("data").expect("a short name"));
        let (mut order, mut out) = (InOrder::default(), Vec::new());
        order.push(Output::Ready);
        order.disk(sync());
        order.push(Output::Ready);
        order.disk(sync());
        order.push(Output::Ready);
        order.pump(&mut out);
        assert_eq!((out.len(), order.waiting()), (2, 3));
        assert_eq!(order.ended(Ok(DiskOk::Done)), Some(DiskOk::Done));
        order.pump(&mut out);
        assert_eq!((out.len(), order.waiting()), (4, 1));
        assert_eq!(order.ended(Err(DiskError::Io)), None);
        order.pump(&mut out);
        assert!(matches!(out[4..], [Output::Halt { .. }]), "{out:?}");
    }
}
