//! The simulator's own record of what it did to disks: the only source of excuses. What a subject
//! says of its disk is checked against it and never believed.
//!
//! Losing what no sync covered is no damage and excuses nothing, and neither does a failed sync, of
//! which the subject was told. Damage is what hit synced data behind the subject's back.

use crate::ids::Node;
use crate::time::Instant;
use crate::world::disk::{Damage, FlawId, Hit};

/// What a quorum that is left alone owes to whoever asks it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Owed {
    /// Nothing: a copy in it was damaged in a way that no redundancy reveals.
    Nothing,
    /// It may be silent, and must not lie: a copy in it is damaged or lost, and can be seen to be.
    Truth,
    /// Every answer, and the right one.
    Answers,
}

/// One place that was damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// Where and how.
    pub hit: Hit,
    /// When.
    pub time: Instant,
    /// It is no longer on the media: written over, or its file is durably removed.
    pub mended: bool,
}

impl Damaged {
    /// Whether the node's copy may lack something that was synced.
    ///
    /// What a checksum can tell is no danger once it is mended: until then the subject had to
    /// notice. A zeroed sector cannot be told from a torn tail, nor one that holds what it held
    /// before, so the subject may in good faith have gone on without what it should hold.
    const fn costs_the_copy(&self) -> bool {
        !self.mended || self.misleads()
    }

    /// Whether the subject may have gone on in good faith without what it should hold.
    const fn misleads(&self) -> bool {
        matches!(self.hit.damage, Damage::Zeroed | Damage::Unwritten)
    }
}

/// What was done to one node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Record {
    damaged: Vec<Damaged>,
    /// Disk operations of the present boot that failed though nothing was wrong with the request.
    failures: u32,
    /// Its whole disk is gone.
    lost: Option<Instant>,
}

/// What was done to all nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    nodes: Vec<Record>,
}

impl Ledger {
    /// Nothing was done to these replicas.
    #[must_use]
    pub fn new(replicas: u8) -> Self {
        Self {
            nodes: vec![Record::default(); usize::from(replicas)],
        }
    }

    /// The node started: what failed in earlier boots explains nothing in this one.
    pub fn booted(&mut self, node: Node) {
        self.record(node).failures = 0;
    }

    /// A disk operation of the node was made to fail.
    pub fn failed(&mut self, node: Node) {
        self.record(node).failures += 1;
    }

    /// A synced sector of the node was damaged.
    pub fn damaged(&mut self, node: Node, hit: Hit, time: Instant) {
        self.record(node).damaged.push(Damaged {
            hit,
            time,
            mended: false,
        });
    }

    /// The node's whole disk was lost.
    pub fn lost(&mut self, node: Node, time: Instant) {
        self.record(node).lost = Some(time);
    }

    /// Tells which of the node's flaws are still on its media, in order
    /// ([`Disk::flaws`](crate::world::disk::Disk::flaws)). Worth asking only when
    /// [`Ledger::has_damage`] says so.
    pub fn reconcile(&mut self, node: Node, flaws: &[FlawId]) {
        for damaged in &mut self.record(node).damaged {
            damaged.mended = flaws.binary_search(&damaged.hit.flaw).is_err();
        }
    }

    /// Whether the node has damage that is not known to be mended.
    #[must_use]
    pub fn has_damage(&self, node: Node) -> bool {
        self.of(node)
            .is_some_and(|record| record.damaged.iter().any(|damaged| !damaged.mended))
    }

    /// All damage that was ever done to the node, in order of time.
    #[must_use]
    pub fn damage(&self, node: Node) -> &[Damaged] {
        self.of(node).map_or(&[], |record| &record.damaged)
    }

    /// Whether the node may halt by its own will: its disk is damaged or lost, or has failed it in
    /// this boot.
    #[must_use]
    pub fn excuses_halt(&self, node: Node) -> bool {
        self.copy_lost(node) || self.of(node).is_some_and(|record| record.failures > 0)
    }

    /// Whether the node's copy does not count towards what the cluster must remember. A halt for
    /// good, because of the disk, is excused by nothing less.
    #[must_use]
    pub fn copy_lost(&self, node: Node) -> bool {
        self.of(node).is_some_and(|record| {
            record.lost.is_some() || record.damaged.iter().any(Damaged::costs_the_copy)
        })
    }

    /// What this quorum owes when it is left alone.
    #[must_use]
    pub fn owed(&self, quorum: &[Node]) -> Owed {
        let owes = |node: &Node| {
            if self.damage(*node).iter().any(Damaged::misleads) {
                Owed::Nothing
            } else if self.copy_lost(*node) {
                Owed::Truth
            } else {
                Owed::Answers
            }
        };
        quorum.iter().map(owes).min().unwrap_or(Owed::Answers)
    }

    fn of(&self, node: Node) -> Option<&Record> {
        self.nodes.get(usize::from(node.0))
    }

    fn record(&mut self, node: Node) -> &mut Record {
        &mut self.nodes[usize::from(node.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synod_port::files::FileName;

    const ONE: Node = Node(0);
    const TWO: Node = Node(1);
    const THREE: Node = Node(2);

    fn hit(flaw: u32, damage: Damage) -> Hit {
        Hit {
            flaw: FlawId(flaw),
            file: FileName::new("log-00000001").expect("a name"),
            sector: 3,
            damage,
        }
    }

    #[test]
    fn nothing_done_excuses_nothing() {
        let ledger = Ledger::new(3);
        assert!(!ledger.excuses_halt(ONE) && !ledger.copy_lost(ONE) && !ledger.has_damage(ONE));
        assert_eq!(ledger.owed(&[ONE, TWO, THREE]), Owed::Answers);
    }

    #[test]
    fn a_failing_disk_excuses_a_halt_of_that_boot_but_costs_no_copy() {
        let mut ledger = Ledger::new(3);
        ledger.failed(TWO);
        assert!(ledger.excuses_halt(TWO) && !ledger.excuses_halt(ONE));
        assert_eq!(ledger.owed(&[ONE, TWO]), Owed::Answers);
        ledger.booted(TWO);
        assert!(!ledger.excuses_halt(TWO));
    }

    #[test]
    fn damage_costs_the_copy_until_it_is_mended() {
        let mut ledger = Ledger::new(3);
        ledger.damaged(ONE, hit(4, Damage::Bit), Instant(7));
        ledger.booted(ONE);
        assert!(ledger.excuses_halt(ONE) && ledger.copy_lost(ONE) && ledger.has_damage(ONE));
        assert_eq!(ledger.owed(&[ONE, TWO]), Owed::Truth);
        assert_eq!(ledger.owed(&[TWO, THREE]), Owed::Answers);
        ledger.reconcile(ONE, &[FlawId(2), FlawId(4)]);
        assert!(ledger.copy_lost(ONE));
        ledger.reconcile(ONE, &[FlawId(2)]);
        assert!(!ledger.copy_lost(ONE) && !ledger.excuses_halt(ONE) && !ledger.has_damage(ONE));
        assert_eq!(ledger.damage(ONE).len(), 1);
    }

    #[test]
    fn a_zeroed_or_unwritten_sector_costs_the_copy_for_good() {
        for damage in [Damage::Zeroed, Damage::Unwritten] {
            let mut ledger = Ledger::new(3);
            ledger.damaged(THREE, hit(0, damage), Instant(7));
            ledger.reconcile(THREE, &[]);
            assert!(ledger.copy_lost(THREE) && !ledger.has_damage(THREE));
            assert_eq!(ledger.owed(&[THREE, TWO]), Owed::Nothing);
        }
    }

    #[test]
    fn a_lost_disk_costs_the_copy() {
        let mut ledger = Ledger::new(3);
        ledger.lost(TWO, Instant(1));
        assert!(
            ledger.copy_lost(TWO)
                && ledger.excuses_halt(TWO)
                && ledger.owed(&[TWO, ONE]) == Owed::Truth
        );
    }
}
