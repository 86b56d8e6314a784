//! A replica as a process: its boot, its disk, and raft once the disk is read.

use synod_sim::prelude::*;

use crate::running::Running;
use crate::store::Store;
use crate::subject::voters;

pub struct Replica {
    setup: Setup,
    node: Node,
    entropy: [u8; 32],
    cell: Cell,
    raft: Option<Running>,
    is_ready: bool,
}

impl Replica {
    pub fn new(setup: &Setup, node: Node) -> Self {
        Self {
            setup: setup.clone(),
            node,
            entropy: [0; 32],
            cell: Cell::default(),
            raft: None,
            is_ready: false,
        }
    }

    fn on_disk(&mut self, now: u64, result: Result<DiskOk, DiskError>, out: &mut Vec<Output>) {
        match (self.cell.on_disk(result), &mut self.raft) {
            (Told::Read(bytes), _) => {
                let store = Store::read(voters(&self.setup), &bytes).expect("it is intact");
                let raft = Running::new(now, &self.setup, self.node, self.entropy, store);
                self.raft = Some(raft);
            }
            (Told::Saved, Some(raft)) => {
                if !std::mem::replace(&mut self.is_ready, true) {
                    out.push(Output::Ready);
                }
                raft.on_saved(now, out);
            }
            (Told::Halt(halt), _) => out.push(halt),
            (Told::Nothing | Told::Saved, _) => {}
        }
    }
}

impl Process for Replica {
    fn step(&mut self, Now { mono: now, .. }: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match (input, &mut self.raft) {
            (Input::Boot { entropy }, _) => {
                self.entropy = entropy;
                self.cell.boot();
            }
            (Input::Disk { result, .. }, _) => self.on_disk(now, result, out),
            (Input::Message { bytes, .. }, Some(raft)) if self.is_ready => raft.on_message(bytes),
            (Input::Request { from, bytes }, Some(raft)) if self.is_ready => {
                if let Some(answer) =
                    dialect::request(bytes).and_then(|it| raft.on_request(from, it))
                {
                    out.push(dialect::reply(from, &answer));
                }
            }
            (Input::Deadline, Some(raft)) => raft.on_deadline(now),
            _ => {}
        }
        if let Some(raft) = self.raft.as_mut().filter(|_| self.is_ready) {
            raft.drive(now, &mut self.cell, out);
        }
        self.cell.pump(out);
    }

    fn deadline(&self) -> Option<u64> {
        let raft = self.raft.as_ref().filter(|_| self.is_ready)?;
        Some(raft.next_tick)
    }

    /// Raft cannot be copied.
    fn fork(&self) -> Option<Box<dyn Process>> {
        None
    }

    fn bug(&self) -> (u64, u64) {
        let triggered = self.raft.as_ref().map_or(0, |raft| raft.triggered);
        (triggered, triggered)
    }
}
