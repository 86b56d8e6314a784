//! How one state differs from another, locally: by one replica, and by a pair.
//!
//! A feature says what a replica strives for, how its ballot stands to the others', whether it lags,
//! what waits for it, and what it learned meanwhile; all coarsely, so that there are some thousands
//! and each is met often. What belongs to a feature but the messages is its class.

use std::cmp::Ordering;

use synod_engine::ids::NodeId;

use crate::cluster::{Cluster, Seen};
use crate::sort::{CATCH_UP, matter, sort};

/// A feature of a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    /// What it is but for the messages under way.
    pub class: u32,
    /// All that it is, below [`FEATURES`].
    pub index: u32,
}

/// How many features there is room for; those that collide are one.
pub const FEATURES: usize = 1 << 16;

/// What a replica strives for.
fn phase(seen: &Seen) -> u32 {
    match (seen.leads, seen.campaigns) {
        (Some(_), _) => 2,
        (None, Some(_)) => 1,
        (None, None) if seen.canvasses => 3,
        (None, None) => 0,
    }
}

const fn order(order: Ordering) -> u32 {
    match order {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
    }
}

/// A word of fields, each of so many bits, lowest first.
fn word(fields: &[(u32, u32)]) -> u32 {
    let mut word = 0;
    let mut at = 0;
    for (field, bits) in fields {
        debug_assert!(field >> bits == 0, "{field} has more than {bits} bits");
        word |= field << at;
        at += bits;
    }
    word
}

fn feature(class: u32, waiting: u32) -> Feature {
    let mut hash = u64::from(class) << 32 | u64::from(waiting);
    hash = (hash ^ hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ hash >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    Feature {
        class,
        index: u32::try_from(hash >> 48).unwrap_or(0),
    }
}

/// The features of a state that have to do with this replica.
pub fn features(cluster: &Cluster, node: NodeId, into: &mut Vec<Feature>) {
    let me = &cluster.seen[usize::from(node.0)];
    let farthest = cluster.seen.iter().map(|seen| seen.applied).max();
    let leader = cluster.seen.iter().filter_map(|seen| seen.leads).max();
    let mut asks = 0;
    let mut waiting = [0_u32; 32];
    for flight in &cluster.flights {
        if flight.to != node && flight.from != node || !cluster.is_useful(flight) {
            continue;
        }
        if flight.to == node {
            if let Some(matter) = matter(&flight.message) {
                waiting[usize::from(flight.from.0)] |= 1 << matter as u32;
            }
        } else if sort(&flight.message) == CATCH_UP {
            asks = 1;
        }
    }
    let reach = match me.campaigns {
        Some(_) => cluster.within_reach(node).count_ones().min(3),
        None => 0,
    };
    let mine = [
        (phase(me), 2),
        (u32::from(me.learned), 2),
        (u32::from(me.overtaken), 1),
        (asks, 1),
    ];
    let class = word(&[
        mine[0],
        mine[1],
        mine[2],
        mine[3],
        (order(Some(me.promised).cmp(&leader)), 2),
        (u32::from(Some(me.applied) < farthest), 1),
        (reach, 2),
        (me.promisers.count_ones().min(3), 2),
    ]);
    into.push(feature(
        class,
        waiting.iter().fold(0, |all, from| all | from),
    ));
    for (other, seen) in cluster.seen.iter().enumerate() {
        if other == usize::from(node.0) {
            continue;
        }
        let class = word(&[
            mine[0],
            mine[1],
            mine[2],
            mine[3],
            (order(me.promised.cmp(&seen.promised)), 2),
            (order(me.applied.cmp(&seen.applied)), 2),
            (phase(seen), 2),
            (me.promisers >> other & 1, 1),
            (1, 4),
        ]);
        into.push(feature(class, waiting[other]));
    }
}
