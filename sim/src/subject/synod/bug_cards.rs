//! The engine's planted bugs, as the command lists them.

use synod_engine::bugs::Bug;
pub use synod_engine::bugs::Card;

/// All of them, in the order of their components.
#[must_use]
pub fn all() -> Vec<Card> {
    Bug::ALL.iter().map(|bug| bug.card()).collect()
}
