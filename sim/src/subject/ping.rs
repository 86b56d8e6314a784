//! Hosts that do nothing but ping each other: the workload under which the kernel itself is
//! measured. It is in no catalog.

use std::sync::Arc;

use synod_port::files::{Bytes, FileName};

use crate::history::operation::Call;
use crate::ids::Node;
use crate::subject::process::{
    Answer, Dialect, Input, Now, Output, Process, Session, Setup, Subject,
};
use crate::trace::event::Fact;

/// The subject: every host keeps one ping under way to every other one, and pings again when all
/// has been silent for a heartbeat.
#[derive(Clone, Copy, Debug)]
pub struct Ping;

#[derive(Clone)]
struct Host {
    node: Node,
    replicas: u8,
    patience: u64,
    deadline: u64,
    count: u64,
}

impl Host {
    fn send(&mut self, kind: u8, to: Node, out: &mut Vec<Output>) {
        self.count += 1;
        let mut bytes = [kind; 32];
        bytes[8..16].copy_from_slice(&self.count.to_le_bytes());
        out.push(Output::Send {
            to,
            bytes: Arc::from(&bytes[..]),
        });
    }
}

impl Process for Host {
    fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Boot { .. } | Input::Deadline => {
                let me = self.node.0;
                for node in (0..self.replicas).filter(|node| *node != me) {
                    self.send(1, Node(node), out);
                }
            }
            Input::Message { from, bytes } => match bytes.first() {
                Some(1) => self.send(2, from, out),
                _ => self.send(1, from, out),
            },
            Input::Request { .. }
            | Input::Disk { .. }
            | Input::Connected { .. }
            | Input::Disconnected { .. } => {}
        }
        self.deadline = now.mono + self.patience;
    }

    fn deadline(&self) -> Option<u64> {
        Some(self.deadline)
    }

    fn fork(&self) -> Option<Box<dyn Process>> {
        Some(Box::new(self.clone()))
    }

    fn facts(&mut self, _: &mut Vec<Fact>) {}
}

impl Subject for Ping {
    fn name(&self) -> &'static str {
        "ping"
    }

    fn format(&self, _: &Setup, _: Node) -> Vec<(FileName, Vec<u8>)> {
        Vec::new()
    }

    fn make(&self, setup: &Setup, node: Node) -> Box<dyn Process> {
        Box::new(Host {
            node,
            replicas: setup.replicas,
            patience: setup.knobs.heartbeat.0,
            deadline: 0,
            count: 0,
        })
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Silent
    }

    fn reads_wall_clock(&self) -> bool {
        false
    }

    fn leads(&self, _: Node, _: &[u8]) -> Option<(u64, u8)> {
        None
    }
}

/// Nobody asks anything.
pub(crate) struct Silent;

impl Dialect for Silent {
    fn register(&self, _: u64) -> Option<Bytes> {
        None
    }

    fn request(&self, _: Session, _: u64, _: u64, _: &Call) -> Bytes {
        Arc::from(&b""[..])
    }

    fn reply(&self, _: &[u8]) -> Option<Answer> {
        None
    }
}
