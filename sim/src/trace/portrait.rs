//! What a replica is when a run ends, in a line: by what was done to it and what it says of itself.

use std::fmt::{self, Display, Formatter};

use crate::ids::Node;
use crate::trace::event::{BallotPair, Event, Fact};
use crate::trace::shown::Shown;

/// A replica.
#[derive(Clone, Default, Debug)]
struct Portrait {
    life: Option<&'static str>,
    boot: u64,
    role: Option<(&'static str, BallotPair)>,
    promised: Option<BallotPair>,
    /// The newest vote.
    voted: Option<(u64, BallotPair)>,
    /// The newest slot that it knows to be chosen.
    chosen: Option<u64>,
    applied: Option<u64>,
}

/// What there is to say of a replica.
pub const ASPECTS: [&str; 7] = [
    "life",
    "boot",
    "role",
    "promised",
    "newest vote",
    "chosen",
    "applied",
];

/// All replicas.
#[derive(Clone, Default, Debug)]
pub struct Portraits(Vec<Portrait>);

impl Portraits {
    /// Something happened. Gives the replica that it may have changed.
    pub fn on(&mut self, event: &Event<'_>) -> Option<Node> {
        let (node, life) = match event {
            Event::Boot { node, .. } => (node, "recovers"),
            Event::Ready(node) | Event::Resumed(node) => (node, "up"),
            Event::Killed(node) | Event::PowerLost(node) => (node, "down"),
            Event::Halted { node, .. } => (node, "halted"),
            Event::Paused(node) => (node, "paused"),
            Event::Fact { node, fact } => {
                self.of(*node).says(fact);
                return Some(*node);
            }
            _ => return None,
        };
        let portrait = self.of(*node);
        if let Event::Boot { boot, .. } = event {
            *portrait = Portrait {
                boot: *boot,
                ..Portrait::default()
            };
        }
        portrait.life = Some(life);
        Some(*node)
    }

    fn of(&mut self, node: Node) -> &mut Portrait {
        let at = usize::from(node.0);
        if self.0.len() <= at {
            self.0.resize_with(at + 1, Portrait::default);
        }
        &mut self.0[at]
    }

    /// What a replica is, in the order of [`ASPECTS`]; empty where nothing is known.
    #[must_use]
    pub fn aspects(&self, node: Node) -> [String; 7] {
        let it = self.0.get(usize::from(node.0)).cloned();
        let it = it.unwrap_or_default();
        let slot = |slot: Option<u64>| slot.map_or_else(String::new, |slot| slot.to_string());
        let role = it
            .role
            .map(|(does, ballot)| format!("{does} at {}", Shown(ballot)));
        let promised = it.promised.map(|ballot| Shown(ballot).to_string());
        let vote = it
            .voted
            .map(|(slot, at)| format!("slot {slot} at {}", Shown(at)));
        [
            it.life.unwrap_or("down").to_owned(),
            it.boot.to_string(),
            role.unwrap_or_else(|| "follows".to_owned()),
            promised.unwrap_or_default(),
            vote.unwrap_or_default(),
            slot(it.chosen),
            slot(it.applied),
        ]
    }

    /// A line for each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let nodes = (0..).map(Node);
        let lines = nodes.zip(&self.0);
        lines.map(|(node, it)| format!("{node} {it}")).collect()
    }
}

impl Portrait {
    fn says(&mut self, fact: &Fact) {
        match *fact {
            Fact::Recovered {
                promised,
                chosen_below,
                ..
            } => {
                self.promised = Some(promised);
                self.chosen = chosen_below.checked_sub(1);
            }
            Fact::Promised(ballot) => {
                self.promised = Some(ballot);
                // Whoever promises to follow a higher one has given up its own.
                if matches!(self.role, Some(("campaigns", own)) if own < ballot) {
                    self.role = None;
                }
            }
            Fact::Voted { slot, ballot, .. } => {
                self.voted = self.voted.max(Some((slot, ballot)));
            }
            Fact::Campaigned(ballot) => self.role = Some(("campaigns", ballot)),
            Fact::Led(ballot) => self.role = Some(("leads", ballot)),
            Fact::SteppedDown(_) => self.role = None,
            Fact::Chosen { slot, .. } => self.chosen = self.chosen.max(Some(slot)),
            Fact::Applied { slot, .. } => self.applied = self.applied.max(Some(slot)),
            Fact::Executed { .. } => {}
        }
    }
}

impl Display for Portrait {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, boot {}", self.life.unwrap_or("down"), self.boot)?;
        if let Some((does, ballot)) = self.role {
            write!(f, ", {does} at {}", Shown(ballot))?;
        }
        if let Some(promised) = self.promised {
            write!(f, ", promised {}", Shown(promised))?;
        }
        if let Some((slot, ballot)) = self.voted {
            write!(f, ", newest vote slot {slot} at {}", Shown(ballot))?;
        }
        if let Some(slot) = self.chosen {
            write!(f, ", knows slot {slot} to be chosen")?;
        }
        if let Some(slot) = self.applied {
            write!(f, ", applied slot {slot}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_a_replica_is_now() {
        let mut portraits = Portraits::default();
        let node = Node(1);
        let voted = |slot| Fact::Voted {
            slot,
            ballot: (2, 1),
            value: 0,
        };
        let (led, three, four) = (Fact::Led((2, 1)), voted(3), voted(4));
        for event in [
            Event::Boot { node, boot: 1 },
            Event::Ready(node),
            Event::Fact { node, fact: &led },
            Event::Fact { node, fact: &four },
            Event::Fact { node, fact: &three },
        ] {
            portraits.on(&event);
        }
        let told = [
            "r1 down, boot 0",
            "r2 up, boot 1, leads at 2.r2, newest vote slot 4 at 2.r2",
        ];
        assert_eq!(portraits.lines(), told);
        let aspects = ["up", "1", "leads at 2.r2", "", "slot 4 at 2.r2", "", ""];
        assert_eq!(portraits.aspects(node), aspects);
        let (campaigned, promised) = (Fact::Campaigned((3, 1)), Fact::Promised((3, 2)));
        for fact in [&campaigned, &promised] {
            portraits.on(&Event::Fact { node, fact });
        }
        assert_eq!(portraits.aspects(node)[2], "follows");
        portraits.on(&Event::Fact { node, fact: &led });
        portraits.on(&Event::Killed(node));
        assert!(portraits.lines()[1].starts_with("r2 down, boot 1, leads"));
        portraits.on(&Event::Boot { node, boot: 2 });
        assert_eq!(portraits.lines()[1], "r2 recovers, boot 2");
    }
}
