//! The nemesis written out: a fault every now and then from the start to the heal, each with its
//! time, its length and its victims. A hold ends at the heal at the latest.
//!
//! The times come from one stream, and each fault from a stream of its own place: a change of one
//! fault's kind does not move the others. A fault is numbered by its place, above those of the script.

use crate::ids::FaultNumber;
use crate::plan::Timed;
use crate::plan::dice::{Dice, Place};
use crate::plan::faults::Targets;
use crate::scenario::model::{Nemesis, NemesisFault};
use crate::time::{Instant, Span};

/// Draws the faults up to the heal, numbered from `above`. What the budget does not allow is left
/// out; its time passes.
#[must_use]
pub fn draw(
    nemesis: &Nemesis,
    targets: &Targets<'_>,
    heal: Instant,
    above: FaultNumber,
    dice: &mut Dice,
) -> Vec<Timed> {
    let faults = some(nemesis, dice);
    let total: u64 = faults.iter().map(|fault| u64::from(fault.weight)).sum();
    let mut timeline = Vec::new();
    let mut at = Instant(0);
    for number in 0..usize::from(FaultNumber::NEMESIS_MAX) {
        at += dice.at(Place::Every, 0).span(&nemesis.every).max(Span(1));
        if at >= heal || total == 0 {
            break;
        }
        let mut die = dice.at(Place::NemesisFault, number);
        let mut ticket =
            u64::try_from(die.between(0, i64::try_from(total - 1).unwrap_or(i64::MAX)))
                .unwrap_or(0);
        let drawn = faults.iter().find(|fault| {
            let hit = ticket < u64::from(fault.weight);
            ticket = ticket.saturating_sub(u64::from(fault.weight));
            hit
        });
        let Some(drawn) = drawn else { continue };
        let hold = die.span(&drawn.hold).min(heal - at);
        if let Some(fault) = targets.draw(&drawn.fault, &mut die) {
            let place = u16::try_from(number).expect("it is below the most");
            timeline.push(Timed {
                number: FaultNumber(above.0 + 1 + place),
                at,
                hold: if drawn.fault.is_instant() {
                    Span(0)
                } else {
                    hold
                },
                fault,
            });
        }
    }
    timeline
}

/// The faults that this seed has: all of them, but a swarm leaves each out with even odds. One is
/// left in any case.
fn some<'a>(nemesis: &'a Nemesis, dice: &mut Dice) -> Vec<&'a NemesisFault> {
    let mut left = Vec::new();
    for (place, fault) in nemesis.faults.iter().enumerate() {
        if fault.weight > 0 && !dice.leaves_out(Place::Swarm, place, 2) {
            left.push(fault);
        }
    }
    if left.is_empty() {
        left.extend(&nemesis.faults);
    }
    left
}
