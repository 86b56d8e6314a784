//! What a replica comes back with after a restart: the fruit of reading its files.

use crate::ids::{Ballot, Incarnation};
use crate::record::Record;

/// Everything that the files of this node say, in the order in which it was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// This boot's number, already durable.
    pub incarnation: Incarnation,
    /// The highest promise that was ever given, already durable in two new copies.
    pub promised: Ballot,
    /// The records of the log, oldest first, all of them durable.
    pub records: Vec<Record>,
    /// A torn tail was cut.
    pub torn: bool,
}
