//! The redundancy budget: which replicas may ever lose what they made durable. A replica that finds
//! its log damaged halts for good, so of `n` replicas at most (n - 1) / 2 may be victims of damage
//! or of a lost disk, whatever the seed, and the core that is healed holds none of them: a majority
//! is left that can make progress.
//!
//! Everything else that a nemesis does is over when the core is healed and costs no budget.

use crate::ids::Node;
use crate::plan::dice::{Dice, Place};
use crate::scenario::fault::DamageBudget;
use crate::scenario::form::Core;
use crate::scenario::model::Scenario;
use crate::scenario::select::Select;

/// What may be damaged, and what is healed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Replicas whose disks may be damaged or lost, in order.
    pub victims: Vec<Node>,
    /// Replicas that are healed, in order: a majority, and no victim.
    pub core: Vec<Node>,
}

impl Budget {
    /// Draws both. Without a budget everybody is a victim. Otherwise the victims do not depend on
    /// the core that is asked for, as long as it is a majority.
    #[must_use]
    pub fn draw(scenario: &Scenario, replicas: u8, allowed: DamageBudget, dice: &mut Dice) -> Self {
        let nodes: Vec<Node> = (0..replicas).map(Node).collect();
        let (fixed, size) = match scenario.heal.core.as_ref().map(toml::Spanned::get_ref) {
            None | Some(Core::Majority) => (Vec::new(), nodes.len() / 2 + 1),
            Some(Core::All) => (Vec::new(), nodes.len()),
            Some(Core::Count(count)) => (Vec::new(), usize::from(*count)),
            Some(Core::Nodes(names)) => (names.clone(), names.len()),
        };
        if allowed == DamageBudget::None {
            let core = if fixed.is_empty() {
                dice.at(Place::Core, 0).some(&nodes, size)
            } else {
                fixed
            };
            return Self {
                victims: nodes,
                core,
            };
        }
        let named = named_victims(scenario);
        let damaged = scenario.faults().any(|fault| fault.damages());
        let spare = if damaged {
            nodes
                .len()
                .saturating_sub(size)
                .min(nodes.len().saturating_sub(1) / 2)
        } else {
            0
        };
        let others: Vec<Node> = nodes
            .iter()
            .copied()
            .filter(|node| !fixed.contains(node) && !named.contains(node))
            .collect();
        let mut victims: Vec<Node> = named
            .into_iter()
            .filter(|node| nodes.contains(node) && !fixed.contains(node))
            .take(spare)
            .collect();
        victims.extend(
            dice.at(Place::Victims, 0)
                .some(&others, spare - victims.len()),
        );
        victims.sort_unstable();
        let sound: Vec<Node> = nodes
            .iter()
            .copied()
            .filter(|node| !victims.contains(node))
            .collect();
        let core = if fixed.is_empty() {
            dice.at(Place::Core, 0).some(&sound, size)
        } else {
            fixed
        };
        Self { victims, core }
    }
}

/// The replicas that bit rot names.
fn named_victims(scenario: &Scenario) -> Vec<Node> {
    let mut named = Vec::new();
    for fault in scenario.faults().filter(|fault| fault.damages()) {
        fault.each_select(&mut |select| {
            if let Select::Nodes(nodes) = select {
                named.extend(nodes.iter().copied());
            }
        });
    }
    named.sort_unstable();
    named.dedup();
    named
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::glossary::names;
    use crate::scenario::load::parse;

    fn scenario(replicas: &str, core: &str, rot: &str) -> Scenario {
        let text = format!(
            "format = 1\ntitle = \"t\"\nwhy = \"w\"\n[cluster]\nreplicas = \
             {replicas}\n[workload]\n[heal]\nat = \"30s\"\ncore = {core}\n[nemesis]\nevery = \
             \"1s\"\n[[nemesis.fault]]\n{rot}\n"
        );
        parse("t", &text, &[], &names()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn without_rot_nobody_is_a_victim() {
        let budget = Budget::draw(
            &scenario("5", "\"majority\"", "kill = 1"),
            5,
            DamageBudget::Survivable,
            &mut Dice::new(1),
        );
        assert!(budget.victims.is_empty());
        assert_eq!(budget.core.len(), 3);
    }

    #[test]
    fn without_a_budget_everybody_is_a_victim() {
        let text = scenario("3", "\"majority\"", "bit-rot = 1");
        let budget = Budget::draw(&text, 3, DamageBudget::None, &mut Dice::new(1));
        assert_eq!((budget.victims.len(), budget.core.len()), (3, 2));
    }

    #[test]
    fn a_named_victim_is_never_in_the_core() {
        let scenario = scenario("3", "\"majority\"", "bit-rot = \"r2\"");
        for seed in 0..50 {
            let budget = Budget::draw(&scenario, 3, DamageBudget::Survivable, &mut Dice::new(seed));
            assert_eq!(
                (budget.victims, budget.core),
                (vec![Node(1)], vec![Node(0), Node(2)])
            );
        }
    }

    #[test]
    fn a_larger_core_leaves_fewer_victims() {
        let budget = Budget::draw(
            &scenario("5", "4", "bit-rot = 1"),
            5,
            DamageBudget::Survivable,
            &mut Dice::new(3),
        );
        assert_eq!((budget.victims.len(), budget.core.len()), (1, 4));
    }

    proptest! {
        #[test]
        fn a_majority_is_sound_and_healed(
            replicas in 3..=9u8,
            seed: u64,
            count in "(1|2|\"1\\.\\.all\")",
        ) {
            let scenario = scenario(
                &replicas.to_string(),
                "\"majority\"",
                &format!("bit-rot = {count}"),
            );
            let budget = Budget::draw(&scenario, replicas, DamageBudget::Survivable, &mut Dice::new(seed));
            prop_assert!(budget.victims.len() <= usize::from(replicas - 1) / 2);
            prop_assert!(budget.core.len() > usize::from(replicas) / 2);
            let sound = |node: &Node| !budget.victims.contains(node) && node.0 < replicas;
            prop_assert!(budget.core.iter().all(sound));
        }
    }
}
