//! A step of a replica that is to be cut short. See `strikes` for what strikes it there.

use synod_port::files::OpId;

/// A step that is to be cut short.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Whose.
    pub node: usize,
    /// What is asked for in it and done: so many.
    pub after: usize,
    /// Nobody dies: what would be asked for next fails.
    pub fails: bool,
    /// The operation that fails.
    pub op: Option<OpId>,
    /// The step came, and went so far.
    pub came: bool,
}
