//! The boundaries of a step at which a replica is struck, and what of its disk survives then.

use std::collections::BTreeMap;

use crate::choices::loose::Loose;
use crate::ids::Node;
use crate::world::watch::{Asked, Stepped};

/// Of so many things at most every subset is tried.
pub const ALL_SUBSETS_UP_TO: usize = 4;

/// What was struck before, so that a boundary is not struck twice: what a replica said, and how much
/// had changed on all disks.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    said: BTreeMap<(Node, Asked), u64>,
}

impl Before {
    /// After how many of the things that were asked for a death differs from one before: where a
    /// change of a disk has ended just now, or was asked for, or something was said for the first
    /// time since the last change on any disk. The others are told in how many they are.
    pub fn boundaries(&mut self, stepped: &Stepped, ended: bool, changes: u64) -> (Vec<u32>, u64) {
        let mut differ = Vec::new();
        if ended {
            differ.push(0);
        }
        for (asked, after) in stepped.asked.iter().zip(1..) {
            let is_new = match asked {
                Asked::Change => true,
                Asked::Read | Asked::Nothing => false,
                Asked::Send(..) | Asked::Reply(_) => {
                    self.said.insert((stepped.node, *asked), changes) != Some(changes)
                }
            };
            differ.extend(is_new.then_some(after));
        }
        let all = 1 + stepped.asked.len() as u64;
        let same = all - differ.len() as u64;
        (differ, same)
    }
}

/// Which of these things survive: every subset of few, and of many nothing, everything, each alone
/// and each one missing. Says whether that is a sample.
pub(super) fn subsets(things: &[Loose]) -> (Vec<Vec<Loose>>, bool) {
    let of = |keeps: &dyn Fn(usize) -> bool| -> Vec<Loose> {
        let all = things.iter().enumerate();
        all.filter(|(at, _)| keeps(*at))
            .map(|(_, thing)| *thing)
            .collect()
    };
    if things.len() <= ALL_SUBSETS_UP_TO {
        let all = 0..1_u32 << things.len();
        return (all.map(|set| of(&|at| set >> at & 1 == 1)).collect(), false);
    }
    let mut sample = vec![of(&|_| false), of(&|_| true)];
    for one in 0..things.len() {
        sample.push(of(&|at| at == one));
        sample.push(of(&|at| at != one));
    }
    (sample, true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use synod_port::files::FileName;

    use super::*;
    use crate::choices::loose::Part;

    fn things(count: u32) -> Vec<Loose> {
        let thing = |sector| Loose {
            file: FileName::new("log-1").expect("a name"),
            part: Part::Sector(sector),
        };
        (0..count).map(thing).collect()
    }

    #[test]
    fn of_few_things_every_subset_and_of_many_the_extremes() {
        for (count, sets) in [(0, 1), (1, 2), (4, 16), (5, 12), (30, 62)] {
            let things = things(count);
            let (found, sampled) = subsets(&things);
            assert_eq!(found.len(), sets, "{count}");
            assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), sets, "{count}");
            assert_eq!(sampled, count > 4);
            let sizes: BTreeSet<usize> = found.iter().map(Vec::len).collect();
            let count = things.len();
            for size in [0, 1, count.saturating_sub(1), count] {
                assert!(size > count || sizes.contains(&size), "{size} of {count}");
            }
        }
    }

    #[test]
    fn what_is_said_again_is_no_boundary_until_a_disk_changes() {
        let node = Node(1);
        let beat = Asked::Send(Node(0), "heartbeat");
        let stepped = Stepped {
            node,
            asked: vec![beat, Asked::Read, Asked::Change, beat],
        };
        let mut before = Before::default();
        assert_eq!(before.boundaries(&stepped, true, 7), (vec![0, 1, 3], 2));
        assert_eq!(before.boundaries(&stepped, false, 7), (vec![3], 4));
        assert_eq!(before.boundaries(&stepped, false, 8), (vec![1, 3], 3));
    }
}
