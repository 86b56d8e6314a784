//! A search that begins at a frontier, and gives the one at its end.

use crate::check::linearizability::frontier::{Frontier, Point};
use crate::check::linearizability::machine::Machine;
use crate::check::linearizability::mask::Mask;
use crate::check::linearizability::partition::OPEN;
use crate::check::linearizability::search::{Configuration, Search};

impl<K: Machine, M: Mask> Search<'_, K, M> {
    /// Begins with these configurations. The open operations have been called.
    pub(super) fn start(&mut self, from: &Frontier) {
        for point in &from.points {
            let places = |operations: &[u32]| {
                let mut mask = M::empty(self.places);
                for operation in operations {
                    let spot = self
                        .window
                        .iter()
                        .position(|open| open == operation)
                        .expect("open operations are called first");
                    mask.add(spot);
                }
                mask
            };
            let (done, undone) = (places(&point.done), places(&point.undone));
            let used = point
                .used
                .iter()
                .fold(0, |set, operation| self.used.with(set, *operation));
            self.configurations.push(Configuration {
                state: point.state,
                used,
                done,
                undone,
                path: 0,
            });
        }
    }

    /// The configurations at the end.
    pub(super) fn frontier(mut self) -> Frontier {
        self.forget();
        let operations = |mask: &M| -> Vec<u32> {
            let open = self
                .window
                .iter()
                .enumerate()
                .filter(|(spot, open)| **open != OPEN && mask.has(*spot));
            open.map(|(_, operation)| *operation).collect()
        };
        let point = |configuration: &Configuration<M>| Point {
            state: configuration.state,
            used: self.used.get(configuration.used).to_vec(),
            done: operations(&configuration.done),
            undone: operations(&configuration.undone),
        };
        let open = self.window.iter().filter(|open| **open != OPEN).count()
            + self.unknown_blind.len()
            + self.unknown_dependent.len();
        let points = self.configurations.iter().map(point).collect();
        Frontier {
            open,
            points,
            unknown: [self.unknown_blind, self.unknown_dependent].concat(),
        }
    }
}
