//! How often each kind of message between replicas reached a leader, a candidate and a follower. What
//! never arrived where it would matter was never tried.

use std::collections::BTreeMap;

use synod_reports::record::Deliveries;

use crate::ids::Endpoint;
use crate::subject::process::Reader;
use crate::trace::event::{Event, Fact};

/// What a node does, by its own facts.
#[derive(Clone, Copy, Default)]
enum Role {
    Leader,
    Candidate,
    #[default]
    Follower,
}

/// Counts.
#[derive(Clone)]
pub(super) struct Counter {
    reader: Option<&'static dyn Reader>,
    /// By node.
    roles: Vec<Role>,
    /// By kind.
    counts: Vec<Deliveries>,
    /// There are facts: without them nothing is known of roles.
    told: bool,
}

impl Counter {
    pub fn new(replicas: u8, reader: Option<&'static dyn Reader>) -> Self {
        let kinds = reader.map_or(0, |reader| reader.kinds().len());
        Self {
            reader,
            roles: vec![Role::default(); usize::from(replicas)],
            counts: vec![Deliveries::default(); kinds],
            told: false,
        }
    }

    #[inline]
    pub fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Delivered {
                from: Endpoint::Node(_),
                to: Endpoint::Node(to),
                bytes,
            } => {
                let Some(kind) = self.reader.and_then(|reader| reader.kind(bytes)) else {
                    return;
                };
                let counts = &mut self.counts[kind];
                match self.roles[usize::from(to.0)] {
                    Role::Leader => counts.leader += 1,
                    Role::Candidate => counts.candidate += 1,
                    Role::Follower => counts.follower += 1,
                }
            }
            Event::Boot { node, .. } => self.roles[usize::from(node.0)] = Role::Follower,
            Event::Fact { node, fact } => {
                self.told = true;
                let role = &mut self.roles[usize::from(node.0)];
                match fact {
                    Fact::Campaigned(_) => *role = Role::Candidate,
                    Fact::Led(_) => *role = Role::Leader,
                    Fact::SteppedDown(_) => *role = Role::Follower,
                    Fact::Promised((_, other)) if *other != node.0 => *role = Role::Follower,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// By kind; nothing, where nothing is known of kinds or of roles.
    pub fn by_kind(&self) -> BTreeMap<String, Deliveries> {
        let kinds = self
            .reader
            .filter(|_| self.told)
            .map(|reader| reader.kinds());
        let names = kinds.into_iter().flatten();
        names
            .zip(&self.counts)
            .map(|(name, counts)| ((*name).to_owned(), *counts))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Node;
    use crate::subject::process::Subject as _;
    use crate::subject::synod::Synod;

    const ONE: Node = Node(0);

    fn delivered(counter: &mut Counter, kind: u8, times: u64) {
        let mut bytes = [0; 24];
        bytes[23] = kind;
        for _ in 0..times {
            counter.on(&Event::Delivered {
                from: Endpoint::Node(Node(1)),
                to: Endpoint::Node(ONE),
                bytes: &bytes,
            });
        }
    }

    #[test]
    fn each_kind_is_counted_by_the_role_of_its_receiver() {
        let mut counter = Counter::new(3, Synod.reader());
        let fact = |counter: &mut Counter, fact: &Fact| {
            counter.on(&Event::Fact { node: ONE, fact });
        };
        delivered(&mut counter, 3, 1);
        assert!(counter.by_kind().is_empty(), "nothing tells of roles");
        fact(&mut counter, &Fact::Campaigned((1, 0)));
        fact(&mut counter, &Fact::Promised((1, 0)));
        delivered(&mut counter, 3, 2);
        fact(&mut counter, &Fact::Led((1, 0)));
        delivered(&mut counter, 3, 4);
        fact(&mut counter, &Fact::SteppedDown((1, 0)));
        delivered(&mut counter, 3, 8);
        fact(&mut counter, &Fact::Campaigned((2, 0)));
        fact(&mut counter, &Fact::Promised((2, 1)));
        delivered(&mut counter, 3, 16);
        fact(&mut counter, &Fact::Led((3, 0)));
        counter.on(&Event::Boot { node: ONE, boot: 2 });
        delivered(&mut counter, 3, 32);
        delivered(&mut counter, 0, 1);
        delivered(&mut counter, 200, 1);
        let counts = counter.by_kind();
        assert_eq!(
            counts["prepare"],
            Deliveries {
                leader: 4,
                candidate: 2,
                follower: 57
            }
        );
        assert_eq!(counts.len(), 12, "all kinds are there");
        assert_eq!(counts["resign"], Deliveries::default());
    }
}
