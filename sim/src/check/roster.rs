//! Makes one struct of a list of checkers, so that a new one is one line there: whoever judges
//! hears what it wants to hear, in the order of the list.

use crate::check::signal::Finding;

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The checker's name.
    pub check: &'static str,
    /// What it says: names of replicas, slots and ballots, no times.
    pub message: String,
}

/// A finding under the name of its checker.
#[inline]
pub(crate) fn named(check: &'static str, finding: Finding) -> Result<(), Violation> {
    finding.map_err(|message| Violation { check, message })
}

/// Who judges is a bit each, in the order of the names; the ghost is the first.
pub(crate) const GHOST: u32 = 1;

macro_rules! checkers {
    ($($field:ident: $checker:ty,)+) => {
        /// One of each; those that do not judge hear nothing.
        #[derive(Clone)]
        struct Checkers {
            $($field: $checker,)+
        }

        impl Checkers {
            const NAMES: &'static [&'static str] = &[ghost::NAME, $(<$checker>::NAME,)+];

            fn new(replicas: u8) -> Self {
                Self { $($field: <$checker>::new(replicas),)+ }
            }

            /// A copy for a judge who knows nothing but what clients saw.
            fn as_clients_saw(&self, replicas: u8) -> Self {
                Self {
                    $($field: if <$checker>::CLIENT_VISIBLE {
                        self.$field.clone()
                    } else {
                        <$checker>::new(replicas)
                    },)+
                }
            }

            /// The bits of those that judge from clients alone.
            fn client_visible() -> u32 {
                let mut bit = GHOST;
                let mut bits = 0;
                $(
                    bit <<= 1;
                    bits |= if <$checker>::CLIENT_VISIBLE { bit } else { 0 };
                )+
                bits
            }

            /// What these hear, and whether they ask the ghost.
            fn needs(hearing: u32) -> (Hears, bool) {
                let mut bit = GHOST;
                let mut needs = (Hears::default(), hearing & GHOST != 0);
                $(
                    bit <<= 1;
                    if hearing & bit != 0 {
                        needs = (needs.0.and(<$checker>::HEARS), needs.1 || <$checker>::ASKS_GHOST);
                    }
                )+
                needs
            }

            /// Tells those that hear; what one finds that does not judge is dropped.
            #[inline]
            fn hear(
                &mut self,
                (hearing, judging): (u32, u32),
                kind: Hears,
                ghost: &Ghost,
                signal: &Signal<'_>,
            ) -> Result<(), Violation> {
                let mut bit = GHOST;
                $(
                    bit <<= 1;
                    if <$checker>::HEARS.any(kind)
                        && hearing & bit != 0
                        && let Err(message) = self.$field.hear(ghost, signal)
                        && judging & bit != 0
                    {
                        return Err(Violation { check: <$checker>::NAME, message });
                    }
                )+
                Ok(())
            }

            fn close(
                &mut self,
                judging: u32,
                ghost: &Ghost,
                ready_core: &[Node],
            ) -> Result<(), Violation> {
                let mut bit = GHOST;
                $(
                    bit <<= 1;
                    if judging & bit != 0 {
                        named(<$checker>::NAME, self.$field.close(ghost, ready_core))?;
                    }
                )+
                Ok(())
            }

            fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((<$checker>::NAME, self.$field.checked()),)+].into_iter()
            }

            fn bytes(&self) -> u64 {
                size_of::<Self>() as u64 $(+ self.$field.bytes())+
            }
        }
    };
}

pub(crate) use checkers;
