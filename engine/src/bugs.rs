//! The planted bugs: mutants that measure the harness. Each is one guard, asked through [`Probe::flip`](crate::probe::Probe::flip).

macro_rules! bugs {
    ($($variant:ident = $name:literal, $component:literal, $class:literal, $difficulty:literal, $behaviour:literal, $source:literal;)+) => {
        /// A bug that can be planted at run time.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Bug {
            $(#[doc = $behaviour] $variant,)+
        }

        impl Bug {
            /// All of them, in the order of the components.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What is known about the bug.
            #[must_use]
            pub const fn card(self) -> Card {
                match self {
                    $(Self::$variant => Card {
                        name: $name, component: $component, class: $class, difficulty: $difficulty, behaviour: $behaviour, source: $source,
                    },)+
                }
            }
        }
    };
}

/// The description of a planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// Its name on the command line.
    pub name: &'static str,
    /// The part of the protocol that it sits in.
    pub component: &'static str,
    /// What it leads to: `safety-agreement`, `safety-linearizability`, `durability-loss`, `liveness` or `panic`.
    pub class: &'static str,
    /// How hard it is to find.
    pub difficulty: &'static str,
    /// What it does.
    pub behaviour: &'static str,
    /// Where such a bug was seen.
    pub source: &'static str,
}

impl Bug {
    /// The bug of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| bug.card().name == name)
    }
}

bugs! {
    AcceptBelowPromise = "accept-below-promise", "acceptor", "safety-agreement", "easy",
        "An accept of a deposed ballot is voted for and acknowledged.", "canonical Paxos mutant";
}
