//! The engine's planted bugs, as the command lists them.

use synod_engine::bugs::Bug;

use crate::subject::process::Card;

/// All of them, in the order of their components.
#[must_use]
pub fn all() -> Vec<Card> {
    let shown = |bug: &Bug| {
        let card = bug.card();
        Card {
            name: card.name,
            component: card.component,
            class: card.class,
            difficulty: card.difficulty,
            behaviour: card.behaviour,
            source: card.source,
        }
    };
    Bug::ALL.iter().map(shown).collect()
}
