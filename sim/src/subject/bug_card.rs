//! The bugs that can be planted in a subject, as the command line shows them.

use synod_reports::hunt::BugCard;

use crate::subject::synod::bug_cards;

/// The bugs of a subject; none when bugs cannot be planted in it.
#[must_use]
pub fn bugs(subject: &str) -> Vec<BugCard> {
    if subject != "synod" {
        return Vec::new();
    }
    bug_cards::all()
        .into_iter()
        .map(|card| BugCard {
            name: card.name.to_owned(),
            component: card.component.to_owned(),
            class: card.class.to_owned(),
            difficulty: card.difficulty.to_owned(),
            behaviour: card.behaviour.to_owned(),
            source: card.source.to_owned(),
        })
        .collect()
}
