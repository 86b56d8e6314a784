//! The tables of the verbs that are aimed at messages. All of them say in the same four keys which
//! messages they mean: `from`, `to`, `kind` and `nth`.

use serde::Deserialize;

use crate::scenario::fault::Until;
use crate::scenario::fault_form::{all, certain, form, some_delay};
use crate::scenario::kinds::Kinds;
use crate::scenario::select::Select;
use crate::scenario::units::{Count, Rate, Time};
use crate::scenario::value::{Choice, Ranged};

/// Which messages a verb means, as it stands in a file.
#[derive(Clone, Copy, Debug)]
pub struct AimForm<'a> {
    /// Senders.
    pub from: &'a Select,
    /// Receivers.
    pub to: &'a Select,
    /// Of which kinds.
    pub kind: &'a Kinds,
    /// Which of them, from 1; none: every one.
    pub nth: Option<&'a Ranged<Count>>,
}

macro_rules! aimed {
    ($(#[$doc:meta])* $name:ident { $($fields:tt)* }) => {
        form!(
            $(#[$doc])*
            $name {
                /// Senders.
                #[serde(default = "all")]
                from: Select,
                /// Receivers.
                #[serde(default = "all")]
                to: Select,
                /// Only messages of these kinds, as the subject describes them.
                #[serde(default)]
                kind: Kinds,
                /// Which of them, from 1; every one by default.
                nth: Option<Ranged<Count>>,
                $($fields)*
            }
        );

        impl $name {
            /// Which messages it means.
            #[must_use]
            pub const fn aim(&self) -> AimForm<'_> {
                AimForm {
                    from: &self.from,
                    to: &self.to,
                    kind: &self.kind,
                    nth: self.nth.as_ref(),
                }
            }
        }
    };
}

aimed!(
    /// `lose` and `corrupt`.
    AimedRateForm {
        /// How many of the messages; all by default.
        #[serde(default = "certain")]
        rate: Ranged<Rate>,
    }
);
aimed!(
    /// `duplicate`.
    DuplicateForm {
        /// How many of the messages; all by default.
        #[serde(default = "certain")]
        rate: Ranged<Rate>,
        /// The latest that a copy comes.
        #[serde(default = "some_delay")]
        later: Ranged<Time>,
    }
);
aimed!(
    /// `delay`.
    DelayForm {
        /// So much is added.
        by: Ranged<Time>,
    }
);
aimed!(
    /// `hold-back`.
    HoldBackForm {
        /// Until what happens.
        #[serde(default)]
        until: Choice<Until>,
    }
);
