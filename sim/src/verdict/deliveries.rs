//! How often each kind of message between replicas reached a leader, a candidate and a follower, and
//! in which phase of the run. What never arrived where it would matter was never tried.

use std::collections::BTreeMap;

use synod_reports::record::{Cells, Deliveries};

use crate::ids::Endpoint;
use crate::subject::process::Reader;
use crate::trace::event::Event;
use crate::verdict::Phase;
use crate::verdict::standings::Standings;

/// Counts.
#[derive(Clone)]
pub(super) struct Counter {
    reader: Option<&'static dyn Reader>,
    phase: Phase,
    /// By phase and kind.
    counts: [Vec<Deliveries>; Phase::ALL.len()],
}

impl Counter {
    pub fn new(reader: Option<&'static dyn Reader>) -> Self {
        let kinds = reader.map_or(0, |reader| reader.kinds().len());
        Self {
            reader,
            phase: Phase::Chaos,
            counts: std::array::from_fn(|_| vec![Deliveries::default(); kinds]),
        }
    }

    /// What comes from now on comes in this phase.
    pub const fn enter(&mut self, phase: Phase) {
        self.phase = phase;
    }

    #[inline]
    pub fn on(&mut self, event: &Event<'_>, standings: &Standings) {
        if let Event::Delivered {
            from: Endpoint::Node(_),
            to: Endpoint::Node(to),
            bytes,
        } = event
            && let Some(kind) = self.reader.and_then(|reader| reader.known_kind(bytes))
        {
            *standings
                .role(*to)
                .of(&mut self.counts[self.phase as usize][kind]) += 1;
        }
    }

    /// By kind.
    pub fn by_kind(&self) -> BTreeMap<String, Deliveries> {
        let mut sums = BTreeMap::<String, Deliveries>::new();
        for counts in &self.counts {
            for (kind, counts) in self.named(counts) {
                sums.entry(kind).or_default().add(counts);
            }
        }
        sums
    }

    /// By phase and kind, the initials of the roles that got one.
    pub fn cells(&self) -> Cells {
        let phases = Phase::ALL.iter().zip(&self.counts);
        let cells = phases.map(|(phase, counts)| {
            let kinds = self.named(counts);
            let kinds = kinds.map(|(kind, counts)| (kind, counts.initials()));
            (
                phase.name().to_owned(),
                kinds.filter(|(_, roles)| !roles.is_empty()).collect(),
            )
        });
        cells.collect()
    }

    fn named<'a>(
        &self,
        counts: &'a [Deliveries],
    ) -> impl Iterator<Item = (String, &'a Deliveries)> + use<'a> {
        let kinds = self.reader.map(|reader| reader.kinds());
        let names = kinds.into_iter().flatten();
        names.map(|name| (*name).to_owned()).zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Node;
    use crate::subject::process::Subject as _;
    use crate::subject::synod::Synod;
    use crate::trace::event::Fact;

    const ONE: Node = Node(0);

    #[test]
    fn each_kind_is_counted_by_the_role_of_its_receiver() {
        let (mut counter, mut standings) = (Counter::new(Synod.reader()), Standings::new(3));
        let delivered = |counter: &mut Counter, standings: &Standings, kind: u8, times: u64| {
            let mut bytes = [0; 24];
            bytes[23] = kind;
            for _ in 0..times {
                let event = Event::Delivered {
                    from: Endpoint::Node(Node(1)),
                    to: Endpoint::Node(ONE),
                    bytes: &bytes,
                };
                counter.on(&event, standings);
            }
        };
        let told = [
            (Fact::Promised((1, 0)), 2),
            (Fact::Led((1, 0)), 4),
            (Fact::SteppedDown((1, 0)), 8),
            (Fact::Campaigned((2, 0)), 16),
            (Fact::Promised((2, 1)), 32),
            (Fact::Led((3, 0)), 0),
        ];
        delivered(&mut counter, &standings, 3, 1);
        let campaigned = &Fact::Campaigned((1, 0));
        standings.on(&Event::Fact {
            node: ONE,
            fact: campaigned,
        });
        for (fact, times) in &told {
            standings.on(&Event::Fact { node: ONE, fact });
            delivered(&mut counter, &standings, 3, *times);
        }
        standings.on(&Event::Boot { node: ONE, boot: 2 });
        counter.enter(Phase::Closing);
        delivered(&mut counter, &standings, 3, 64);
        delivered(&mut counter, &standings, 0, 1);
        delivered(&mut counter, &standings, 200, 1);
        let counts = counter.by_kind();
        assert_eq!(
            counts["prepare"],
            Deliveries {
                leader: 4,
                candidate: 18,
                follower: 105
            }
        );
        assert_eq!(counts.len(), 12, "all kinds are there");
        assert_eq!(counts["resign"], Deliveries::default());
        let cells = counter.cells();
        let prepares = |phase: &str| cells[phase].get("prepare").cloned();
        assert_eq!(prepares("chaos").as_deref(), Some("lcf"));
        assert_eq!(prepares("recovery"), None);
        assert_eq!(prepares("closing").as_deref(), Some("f"));
    }
}
