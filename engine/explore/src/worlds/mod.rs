//! Small worlds, exhaustively: every state that a few typed replicas can get into, within bounds.
//!
//! The replicas are the shipping code. A state is judged when it is first visited, as in
//! [`search`](crate::search), and the search is breadth first, so what breaks is told by a shortest
//! way. It says how many states there are, and that it ended or where it was cut.
//!
//! **What can happen**, at any time and in any order: a message comes; a replica's patience ends, and
//! it campaigns or gives up; a client asks a leader for something new, or for a read; a leader sends a
//! heartbeat; a promise, the next record or all records become durable; a replica dies and comes back
//! with what is durable. [`Bounds`](bounds::Bounds) says how often, but for messages: what was said
//! once can come at any time from then on, any number of times, or never. So loss, copies, delay,
//! reordering, partitions of every kind and messages to a former life have no bound, and what is sent
//! again needs no message of its own.
//!
//! **What a state is**: of each replica a [cell](cell), which is its state with its disk and what it
//! ever said and took for chosen. There are thousands of cells where there are millions of states, so
//! the engine runs once for each cell and input; all other steps are looked up. A cell is known by 128
//! bits of its hash, which the roles derive: a new field is in it. Two different cells with equal
//! prints would be one; among a million of them that has a chance of one in 10^26. A state is the
//! numbers of its cells, and is compared as such.
//!
//! **What is abstracted.** Time: what may end has ended, or has not, at each step anew, whatever was
//! before; safety may not rest on it. Canvasses are never refused for a leader that was heard of
//! lately. Accepts and prepares are not sent again; what they would say anew a heartbeat says. A
//! request for what is chosen goes to another peer when patience ends. Of what is not durable a death
//! leaves nothing: what it left could as well have become durable before, and be said late. Bytes,
//! files, clocks and batches are not here; `synod` has them.
//!
//! **What is not told apart**, and why that loses nothing, is said of each of the
//! [`Reductions`](bounds::Reductions). They are right for code that is right: one may hide a planted
//! bug, which is then found without it. A test holds what can be taken for chosen with all of them
//! against what can without.
//!
//! - [`bounds`]: how small a world is, the documented ones, the judges, the reductions.
//! - `cell`, `tables`: one replica with its past; all of them, and their steps.
//! - `judge`: what is held against each new state.
//! - `breadth`: the search.
//! - [`way`]: a way to what broke, to be read and to be taken again.

pub mod bounds;
mod breadth;
mod cell;
mod index;
mod judge;
mod tables;
mod visited;
pub mod way;

use std::collections::BTreeSet;

pub use breadth::{Broken, Counts, End, Taken};
pub use cell::Input;
pub use tables::Said;

use bounds::Plan;
use breadth::Breadth;

/// Visits every state of a small world, or as many as it may: `goes_on` is asked now and then.
pub fn search(plan: Plan, goes_on: &mut dyn FnMut(&Counts) -> bool) -> (End, Counts) {
    if plan.bounds.nodes == 3 {
        Breadth::<3>::new(plan).run(goes_on)
    } else {
        Breadth::<5>::new(plan).run(goes_on)
    }
}

/// What replicas can take for chosen, all at one time, in a world of three.
#[must_use]
pub fn taken(plan: Plan) -> BTreeSet<Taken> {
    let mut search = Breadth::<3>::new(plan);
    search.run(&mut |_| true);
    search.taken()
}
