//! A way through a small world, to be read, and to be taken again.

use std::fmt;

use synod_engine::ids::NodeId;

use super::bounds::Plan;
use super::cell::{Input, Used};
use super::judge::judge;
use super::tables::{Said, Step, Tables};

/// What a replica did on a way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// The replica.
    pub node: NodeId,
    /// What came in.
    pub input: Input,
    /// The message that came, if one did.
    pub heard: Option<Said>,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node;
        if let Some(Said { from, message, .. }) = &self.heard {
            let late = match self.input {
                Input::HearLate(_) => ", out of patience,",
                _ => "",
            };
            return write!(f, "{node}{late} hears from {from} {message:?}");
        }
        match self.input {
            Input::Patience => write!(f, "{node}'s patience ends"),
            Input::Campaign => write!(f, "{node}'s patience ends, and it campaigns"),
            Input::Ask => write!(f, "{node} is asked for something new"),
            Input::Read(below) => write!(f, "{node} is asked for a read of all below {below}"),
            Input::Beat => write!(f, "{node} sends a heartbeat"),
            Input::Promised => write!(f, "{node}'s promise is durable"),
            Input::LoggedOne => write!(f, "a record of {node} is durable"),
            Input::Logged => write!(f, "{node}'s log is durable"),
            Input::Restart => write!(f, "{node} dies and comes back"),
            Input::Hear(_) | Input::HearLate(_) | Input::Forget(_) => write!(f, "{:?}", self.input),
        }
    }
}

/// Takes a way again, in a world of its own in which nothing is forgotten. What broke, if anything
/// did; each message that comes must have been said.
///
/// # Errors
/// The move that is not possible, counted from 0.
pub fn replay(plan: &Plan, way: &[Move]) -> Result<Option<String>, usize> {
    let mut tables = Tables::new(*plan);
    let nodes = (0..plan.bounds.nodes).map(NodeId);
    let mut cells: Vec<u32> = nodes.map(|node| tables.first(node)).collect();
    for (at, step) in way.iter().enumerate() {
        let used = cells.iter().map(|cell| tables.cells[*cell as usize].used);
        let used = used.fold(Used::default(), Used::plus);
        let settles = plan.settles(used.restarts);
        let node = usize::from(step.node.0);
        let input = match (&step.heard, step.input) {
            (Some(said), input) => {
                let number = tables.message_number(said.clone());
                if !tables.was_said(&cells, number, settles) {
                    return Err(at);
                }
                match input {
                    Input::HearLate(_) => Input::HearLate(number),
                    _ => Input::Hear(number),
                }
            }
            (None, input) => input,
        };
        match tables.step(cells[node], input, settles) {
            Step::Broken(told) => return Ok(Some(tables.broken[told as usize].clone())),
            Step::Idle | Step::Answers(_) => return Err(at),
            Step::Next(next, deeds) => {
                cells[node] = next;
                if let Err(what) = judge(&tables, &cells, node, deeds) {
                    return Ok(Some(what));
                }
            }
        }
    }
    Ok(None)
}
