//! The bugs that can be planted in a subject, as the command line shows them.

use synod_reports::hunt::BugCard;

use crate::subject::catalog;
use crate::subject::process::Card;

/// The bugs of a subject; none when bugs cannot be planted in it.
#[must_use]
pub fn bugs(subject: &str) -> Vec<BugCard> {
    let shown = |card: Card| BugCard {
        name: card.name.to_owned(),
        component: card.component.to_owned(),
        class: card.class.to_owned(),
        difficulty: card.difficulty.to_owned(),
        behaviour: card.behaviour.to_owned(),
        source: card.source.to_owned(),
    };
    let cards = catalog::find(subject).map(|subject| subject.bugs());
    cards.unwrap_or_default().into_iter().map(shown).collect()
}

/// What to say about a bug that is not there: the names that are like it.
#[must_use]
pub fn unknown(subject: &str, name: &str) -> String {
    let cards = bugs(subject);
    if cards.is_empty() {
        return format!("no bugs can be planted in `{subject}`");
    }
    let mut near: Vec<(f64, &str)> = cards
        .iter()
        .map(|card| (strsim::jaro_winkler(name, &card.name), card.name.as_str()))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|one, two| two.0.total_cmp(&one.0));
    match near.first() {
        Some((_, likely)) => format!(
            "no bug is called `{name}`; did you mean `{likely}`? (all of them: synod bugs list)"
        ),
        None => format!("no bug is called `{name}`; see `synod bugs list`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_met_with_a_near_one() {
        assert!(
            unknown("synod", "accept-bellow-promise")
                .contains("did you mean `accept-below-promise`")
        );
        assert!(unknown("synod", "zzz").contains("bugs list"));
        assert_eq!(unknown("other", "x"), "no bugs can be planted in `other`");
    }
}
