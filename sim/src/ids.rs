//! Who takes part, by number: replicas, clients, and the faults of a plan.

/// A replica, numbered from 0. Shown as `r1`, `r2`, ...
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Node(pub u8);

/// A client, numbered from 0. Shown as `c1`, `c2`, ...
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Client(pub u16);

/// Who is at an end of a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Endpoint {
    /// A replica.
    Node(Node),
    /// A client.
    Client(Client),
}

/// A fault of a plan. The number is written down with the fault and stays its own whatever is taken
/// out beside it; every decision that belongs to the fault hangs on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FaultNumber(pub u16);

impl FaultNumber {
    /// No fault: what happens by a replica's own halt, by the script or at the heal.
    pub const NONE: Self = Self(0);
    /// The highest that a plan has.
    pub const MAX: Self = Self(60_000);
    /// The highest that a step beside a nemesis has, whose faults are numbered above.
    pub const MAX_OF_STEPS: Self = Self(30_000);
    /// So many faults a nemesis has at most: they are numbered above the steps, rounded up.
    pub const NEMESIS_MAX: u16 = 29_000;
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}", self.0 + 1)
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{}", self.0 + 1)
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Client(client) => client.fmt(f),
        }
    }
}
