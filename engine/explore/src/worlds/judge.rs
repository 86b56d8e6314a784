//! Judges what a step did, in the state that it led to.
//!
//! All that is judged here stays true once it is: votes that are durable stay, and so do durable
//! promises. So a state is judged once, by what the last step did; whatever was wrong before was
//! wrong in a state before. An answer that is told at once is no deed of who gives it: who hears it
//! is judged.

use synod_engine::ids::{Ballot, NodeId};
use synod_engine::message::Message;

use super::bounds::Judges;
use super::tables::{Deeds, Kept, Tables};
use crate::ledger::{Ledger, digest};

/// Judges what a replica did last. `cells` are the numbers of all cells, by node.
///
/// # Errors
/// What broke.
pub(super) fn judge(tables: &Tables, cells: &[u32], node: usize, deeds: u32) -> Result<(), String> {
    let plan = &tables.plan;
    if deeds == 0 || plan.judges == Judges::Nobody {
        return Ok(());
    }
    let deeds = &tables.deeds[deeds as usize];
    let kept = |at: usize| &tables.cells[cells[at] as usize];
    let me = kept(node).cell.node();
    for (slot, value) in &deeds.taken {
        let other = (0..cells.len()).find(|at| {
            let differs = |(at, other): &(u64, u64)| at == slot && other != value;
            kept(*at).cell.taken.iter().any(differs)
        });
        if other.is_some() {
            return Err(format!(
                "agreement: {me} takes another value for chosen in slot {slot}"
            ));
        }
    }
    if let Some((below, floor)) = deeds.reads.iter().find(|(below, floor)| below < floor) {
        return Err(format!(
            "reads: {me} answers a read below {below}, and {floor} slots were answered for before"
        ));
    }
    if plan.judges < Judges::Ledger {
        return Ok(());
    }
    ledger(tables, cells, me, deeds)
}

fn ledger(tables: &Tables, cells: &[u32], me: NodeId, deeds: &Deeds) -> Result<(), String> {
    let kept = |at: usize| -> &Kept { &tables.cells[cells[at] as usize] };
    let mut durable = Ledger::new(tables.plan.bounds.nodes);
    for at in 0..cells.len() {
        kept(at).cell.casts().for_each(|cast| durable.vote(cast));
    }
    for (slot, value) in &deeds.taken {
        durable.take(me, *slot, *value)?;
    }
    for said in &deeds.said {
        let message = &*tables.messages[*said as usize].message;
        durable.says(me, message)?;
        if let Message::Accept {
            ballot,
            slot,
            value,
            ..
        } = message
        {
            // A vote may become durable yet, and count.
            let mut all = durable.clone();
            for at in 0..cells.len() {
                let cell = &kept(at).cell;
                cell.pending_casts().for_each(|cast| all.vote(cast));
            }
            let promised = |node: NodeId| kept(usize::from(node.0)).cell.durable_promise();
            propose_once(tables, kept(usize::from(me.0)), *ballot, slot.0, &value.0)?;
            all.propose(*ballot, slot.0, digest(&value.0), promised)?;
        }
    }
    Ok(())
}

/// Whether a replica never said otherwise of this ballot and slot.
fn propose_once(
    tables: &Tables,
    kept: &Kept,
    at: Ballot,
    of: u64,
    proposed: &[u8],
) -> Result<(), String> {
    let differs = |said: &&u32| match &*tables.messages[**said as usize].message {
        Message::Accept {
            ballot,
            slot,
            value,
            ..
        } => (*ballot, slot.0) == (at, of) && *value.0 != *proposed,
        _ => false,
    };
    match kept.cell.said.iter().find(differs) {
        Some(_) => Err(format!("safety: {at} proposes two values in slot {of}")),
        None => Ok(()),
    }
}
