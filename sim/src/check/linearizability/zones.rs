//! Zones: histories in which every value is written once are decided in n log n (Gibbons and
//! Korach, "Testing shared memories", 1997).
//!
//! If a value is written once, all operations that saw it stand together in any order: a *block*,
//! with its writer first. A successful compare-and-set belongs to the block of the value that it
//! found and goes on with its own; so does an append, whose place in the chain is told by any value
//! that contains it. Within a block the order is given, readers of one version apart. Block A must
//! stand before block B if something of A returned before something of B was called, that is, if
//! A's earliest return lies before B's latest call; and a history is linearizable exactly if no two
//! blocks must each stand before the other. Unknown operations that nobody saw did not take effect;
//! those that somebody saw did.
//!
//! What this cannot do it leaves alone ([`Zones::Inapplicable`]): values that are written twice,
//! values that can be read as two different chains of appends, deletes beside appends, and a failed
//! compare-and-set that only says what it did not find, where it finds no place after the fact.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::check::linearizability::chains::Chains;
use crate::check::linearizability::contradiction::Contradiction;
use crate::check::linearizability::partition::{OPEN, Partition};
use crate::history::recorded::What;
use crate::history::values::{ABSENT, Val};

/// What zones say about a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Zones {
    /// This order explains it.
    Order(Vec<u32>),
    /// Nothing does.
    Contradiction(Contradiction),
    /// They say nothing.
    Inapplicable,
}

/// No version, or no operation.
pub(super) const NONE: u32 = u32::MAX;

/// What a value was at one time: made by one operation, seen by others. The first version is the
/// one at the start.
#[derive(Clone, Copy)]
pub(super) struct Version {
    /// The operation that made it; none for the first.
    pub(super) maker: u32,
    /// The version before it in its block, if it is not the first there.
    pub(super) parent: u32,
    /// The version after it in its block.
    pub(super) child: u32,
    /// Whether it was there for certain.
    pub(super) effective: bool,
    /// The first of those that saw it.
    readers: u32,
}

/// Decides a partition, if it can.
#[must_use]
pub fn zones(partition: &Partition<'_>) -> Zones {
    match Builder::new(partition).map(Builder::decide) {
        Some(Ok(zones)) => zones,
        Some(Err(contradiction)) => Zones::Contradiction(contradiction),
        None => Zones::Inapplicable,
    }
}

struct Builder<'p, 'a> {
    partition: &'p Partition<'a>,
    versions: Vec<Version>,
    /// By value that was written as a whole: its version.
    whole: Vec<u32>,
    chains: Option<Chains<'a>>,
    next_reader: Vec<u32>,
    waiting: Vec<u32>,
    differs: Vec<(u32, Val)>,
}

/// A block's zone: the earliest return and the latest call, each with its operation. Places count
/// from 1; the version at the start has 0.
struct Block {
    root: u32,
    finish: (u32, u32),
    start: (u32, u32),
}

impl Block {
    fn is_forward(&self) -> bool {
        self.finish.0 < self.start.0
    }
}

impl<'p, 'a> Builder<'p, 'a> {
    /// Finds who made what; none if something was made twice.
    fn new(partition: &'p Partition<'a>) -> Option<Self> {
        let steps = &partition.steps;
        let mut whole = vec![NONE; partition.vals.len()];
        let first = Version {
            maker: NONE,
            parent: NONE,
            child: NONE,
            effective: true,
            readers: NONE,
        };
        let mut versions = vec![first];
        whole[partition.initial.0 as usize] = 0;
        let mut chains = partition.appends.then(|| Chains::new(partition));
        for (operation, step) in (0u32..).zip(steps) {
            let number = u32::try_from(versions.len()).ok()?;
            match step.what {
                What::Write(value) | What::Cas { new: value, .. } => {
                    let made = &mut whole[value.0 as usize];
                    if *made != NONE {
                        return None;
                    }
                    *made = number;
                    if let Some(chains) = &mut chains {
                        chains.add_base(partition.bytes(value), number, value)?;
                    }
                }
                What::Append(tail) => chains.as_mut()?.add_tail(partition.bytes(tail), number)?,
                What::Differs(_) if chains.is_some() => return None,
                What::Read(_) | What::Differs(_) => continue,
            }
            versions.push(Version {
                maker: operation,
                effective: false,
                ..first
            });
        }
        let next_reader = vec![NONE; steps.len()];
        Some(Self {
            partition,
            versions,
            whole,
            chains,
            next_reader,
            waiting: Vec::new(),
            differs: Vec::new(),
        })
    }

    fn decide(mut self) -> Result<Zones, Contradiction> {
        let Some(()) = self.see_all()? else {
            return Ok(Zones::Inapplicable);
        };
        let mut blocks = self.blocks()?;
        blocks
            .sort_unstable_by_key(|block| (block.finish.0.min(block.start.0), block.is_forward()));
        contradiction(&blocks)?;
        let mut order = Vec::with_capacity(self.partition.steps.len());
        // By place in the order: the version behind it.
        let mut states = vec![0];
        for block in &blocks {
            let mut version = block.root;
            while version != NONE {
                let Version { maker, child, .. } = self.versions[version as usize];
                order.extend((maker != NONE).then_some(maker));
                order.extend(self.readers(version));
                if !self.differs.is_empty() {
                    states.resize(order.len() + 1, version);
                }
                version = child;
            }
        }
        if self.differs.is_empty() {
            Ok(Zones::Order(order))
        } else {
            self.place_differs(&order, &states)
        }
    }

    /// Joins every observation with the version that it saw; none if it cannot be told which.
    fn see_all(&mut self) -> Result<Option<()>, Contradiction> {
        // Backwards, so that the readers of a version are in the order of their calls.
        for operation in (0..self.partition.steps.len()).rev() {
            let step = self.partition.steps[operation];
            let number = u32::try_from(operation).expect("operations have 32-bit numbers");
            match step.what {
                What::Read(value) => {
                    let Some(version) = self.find(value, number)? else {
                        return Ok(None);
                    };
                    let version = &mut self.versions[version as usize];
                    self.next_reader[operation] = std::mem::replace(&mut version.readers, number);
                }
                What::Differs(value) => self.differs.push((number, value)),
                What::Write(value) if step.ret != OPEN => {
                    self.effect(self.whole[value.0 as usize]);
                }
                What::Cas { new, .. } if step.ret != OPEN => {
                    self.effect(self.whole[new.0 as usize]);
                }
                _ => {}
            }
            if !self.work_off()? {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    /// The version that a value is; none if it could be several.
    fn find(&mut self, value: Val, seer: u32) -> Result<Option<u32>, Contradiction> {
        let Some(chains) = &mut self.chains else {
            let version = self.whole[value.0 as usize];
            if version == NONE {
                return Err(Contradiction::Unwritten { operation: seer });
            }
            self.effect(version);
            return Ok(Some(version));
        };
        let Some(path) = chains.parse(self.partition, value) else {
            return Ok(None);
        };
        let Some(&last) = path.last() else {
            return Err(Contradiction::Unwritten { operation: seer });
        };
        let path = path.to_vec();
        for pair in path.windows(2) {
            self.link(pair[0], pair[1])?;
        }
        for version in path {
            self.effect(version);
        }
        Ok(Some(last))
    }

    fn effect(&mut self, version: u32) {
        let version_mut = &mut self.versions[version as usize];
        if !version_mut.effective {
            version_mut.effective = true;
            self.waiting.push(version);
        }
    }

    /// Versions that were there need what they were made of. False if that cannot be told.
    fn work_off(&mut self) -> Result<bool, Contradiction> {
        while let Some(version) = self.waiting.pop() {
            let maker = self.versions[version as usize].maker;
            if let What::Cas { expected, .. } = self.partition.steps[maker as usize].what {
                let Some(parent) = self.find(expected, maker)? else {
                    return Ok(false);
                };
                self.link(parent, version)?;
            }
        }
        Ok(true)
    }

    fn link(&mut self, parent: u32, child: u32) -> Result<(), Contradiction> {
        let maker = |version: u32| self.versions[version as usize].maker;
        let (before, after) = (
            self.versions[child as usize].parent,
            self.versions[parent as usize].child,
        );
        if after != NONE && after != child {
            return Err(Contradiction::Forked {
                one: maker(after),
                other: maker(child),
            });
        }
        if before != NONE && before != parent {
            let one = if maker(before) == NONE {
                maker(child)
            } else {
                maker(before)
            };
            let other = if maker(parent) == NONE {
                maker(child)
            } else {
                maker(parent)
            };
            return Err(Contradiction::Forked { one, other });
        }
        self.versions[child as usize].parent = parent;
        self.versions[parent as usize].child = child;
        Ok(())
    }

    fn readers(&self, version: u32) -> impl Iterator<Item = u32> {
        let mut next = self.versions[version as usize].readers;
        std::iter::from_fn(move || {
            let reader = next;
            (reader != NONE).then(|| {
                next = self.next_reader[reader as usize];
                reader
            })
        })
    }

    /// Every block with its zone, each right in itself.
    fn blocks(&self) -> Result<Vec<Block>, Contradiction> {
        let mut blocks = Vec::new();
        let (mut there, mut met) = (0, 0);
        for (number, version) in (0u32..).zip(&self.versions) {
            let known =
                version.maker != NONE && self.partition.steps[version.maker as usize].ret != OPEN;
            // A known append that nobody saw was overwritten, or comes last: it stands alone.
            let alone = known && !version.effective;
            there += usize::from(version.effective || alone);
            if version.parent == NONE && (version.effective && !self.is_cas(version) || alone) {
                met += self.block(number, &mut blocks)?;
            }
        }
        if there == met {
            return Ok(blocks);
        }
        // What is left was made of each other, in a ring.
        let mut reached = vec![false; self.versions.len()];
        for block in &blocks {
            let mut version = block.root;
            while version != NONE {
                reached[version as usize] = true;
                version = self.versions[version as usize].child;
            }
        }
        let ring = self
            .versions
            .iter()
            .zip(reached)
            .find(|(version, reached)| version.effective && !reached && self.is_cas(version))
            .map_or(0, |(version, _)| version.maker);
        Err(Contradiction::Unwritten { operation: ring })
    }

    fn is_cas(&self, version: &Version) -> bool {
        version.maker != NONE
            && matches!(
                self.partition.steps[version.maker as usize].what,
                What::Cas { .. }
            )
    }

    fn block(&self, root: u32, blocks: &mut Vec<Block>) -> Result<usize, Contradiction> {
        let mut block = Block {
            root,
            finish: (if root == 0 { 0 } else { OPEN }, NONE),
            start: (0, NONE),
        };
        let (mut version, mut met) = (root, 0);
        // The latest call of all earlier versions, and of this one.
        let mut before = (0, NONE);
        while version != NONE {
            met += 1;
            let Version { maker, child, .. } = self.versions[version as usize];
            let mut latest = before;
            for (operation, is_maker) in std::iter::once((maker, true))
                .chain(self.readers(version).map(|reader| (reader, false)))
            {
                if operation == NONE {
                    continue;
                }
                let step = self.partition.steps[operation as usize];
                let (call, ret) = (step.call + 1, step.ret.saturating_add(1));
                if ret < before.0 {
                    return Err(Contradiction::Backwards {
                        first: before.1,
                        second: operation,
                    });
                }
                block.finish = block.finish.min((ret, operation));
                latest = latest.max((call, operation));
                if is_maker {
                    before = latest;
                }
            }
            before = latest;
            version = child;
        }
        block.start = before;
        blocks.push(block);
        Ok(met)
    }

    /// Finds each operation that saw only what was not there a place in the order.
    fn place_differs(&self, order: &[u32], states: &[u32]) -> Result<Zones, Contradiction> {
        let steps = &self.partition.steps;
        let mut latest_call = Vec::with_capacity(order.len() + 1);
        latest_call.push(0);
        for (at, operation) in order.iter().enumerate() {
            latest_call.push(latest_call[at].max(steps[*operation as usize].call + 1));
        }
        let mut earliest_return = vec![OPEN; order.len() + 1];
        let mut change = vec![order.len() + 1; order.len() + 1];
        for at in (0..order.len()).rev() {
            earliest_return[at] = earliest_return[at + 1].min(steps[order[at] as usize].ret);
            change[at] = if states[at] == states[at + 1] {
                change[at + 1]
            } else {
                at + 1
            };
        }
        let mut inserted: Vec<(usize, u32)> = Vec::with_capacity(self.differs.len());
        // Those that returned before the next one's call stand before it too.
        let (mut returning, mut behind) = (BinaryHeap::<Reverse<(u32, usize)>>::new(), 0);
        for &(operation, value) in self.differs.iter().rev() {
            let step = steps[operation as usize];
            let not = self.whole[value.0 as usize];
            while let Some(&Reverse((ret, place))) = returning.peek()
                && ret < step.call
            {
                behind = place.max(behind);
                returning.pop();
            }
            let mut at = earliest_return
                .partition_point(|ret| *ret < step.call)
                .max(behind);
            if states[at] == not {
                at = change[at];
            }
            if at > order.len() || latest_call[at] > step.ret {
                self.forced(operation, not)?;
                return Ok(Zones::Inapplicable);
            }
            inserted.push((at, operation));
            returning.push(Reverse((step.ret, at)));
        }
        inserted.sort_by_key(|(at, _)| *at);
        let mut whole = Vec::with_capacity(steps.len());
        let mut inserted = inserted.into_iter().peekable();
        for at in 0..=order.len() {
            while let Some((_, operation)) = inserted.next_if(|(place, _)| *place == at) {
                whole.push(operation);
            }
            whole.extend(order.get(at));
        }
        Ok(Zones::Order(whole))
    }

    /// Whether a version must have been there while an operation found another.
    fn forced(&self, operation: u32, version: u32) -> Result<(), Contradiction> {
        let step = self.partition.steps[operation as usize];
        let Version { maker, .. } = self.versions[version as usize];
        let of = |operation: u32| self.partition.steps[operation as usize];
        let made = if maker == NONE {
            0
        } else {
            of(maker).ret.saturating_add(1)
        };
        let finish = self
            .readers(version)
            .map(|reader| of(reader).ret + 1)
            .min()
            .map_or(made, |ret| ret.min(made));
        match self.readers(version).max_by_key(|reader| of(*reader).call) {
            Some(witness) if finish < step.call + 1 && step.ret < of(witness).call => {
                Err(Contradiction::Differs { operation, witness })
            }
            _ => Ok(()),
        }
    }
}

/// Looks for two blocks of which each must stand before the other. The blocks are in the order of
/// their zones.
fn contradiction(blocks: &[Block]) -> Result<(), Contradiction> {
    let torn = |one: &Block, other: &Block| {
        let known = |operation: u32| (operation != NONE).then_some(operation);
        let (to, other_to) = (one.start.1, other.start.1);
        Err(Contradiction::Torn {
            from: known(one.finish.1),
            to,
            other_from: known(other.finish.1),
            other_to,
        })
    };
    let mut widest: Option<&Block> = None;
    let mut forward: Vec<&Block> = Vec::new();
    for block in blocks.iter().filter(|block| block.is_forward()) {
        if let Some(widest) = widest
            && block.finish.0 < widest.start.0
        {
            return torn(widest, block);
        }
        if widest.is_none_or(|widest| widest.start.0 < block.start.0) {
            widest = Some(block);
        }
        forward.push(block);
    }
    for block in blocks.iter().filter(|block| !block.is_forward()) {
        let before = forward.partition_point(|zone| zone.finish.0 < block.start.0);
        if let Some(zone) = before.checked_sub(1).map(|at| forward[at])
            && block.finish.0 < zone.start.0
        {
            return torn(zone, block);
        }
    }
    Ok(())
}

const _: () = assert!(
    ABSENT.0 == 0,
    "the first number within a partition is the absent value"
);
