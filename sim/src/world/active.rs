//! A fault that holds, with whom and what it turned out to mean.

use crate::ids::{FaultNumber, Node};
use crate::scenario::fault::Fault;

use super::due::Port;

/// A fault that holds.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub number: FaultNumber,
    pub fault: Fault,
    pub nodes: Vec<Node>,
    pub from: Vec<Port>,
    pub to: Vec<Port>,
    pub cuts: Vec<(Port, Port)>,
}
