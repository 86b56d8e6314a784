//! Contracts: assertions that carry the name of the lemma they stand for.
//!
//! They are evaluated only when the probe asks for them. What depends on a peer's honesty or on a
//! disk's health is never a contract: that is a refusal, and always on.

/// Panics with the lemma's name and the given facts unless the condition holds; evaluates nothing
/// when the probe asks for no contracts.
///
/// `contract!(probe, VotePrecedesMaxBal, vote.ballot <= promised, "voted at {} having promised {}",
/// vote.ballot, promised)`
#[macro_export]
macro_rules! contract {
    ($probe:expr, $lemma:ident, $holds:expr, $($fact:tt)+) => {
        if $probe.contracts() && !$holds {
            panic!("contract {}: {}", stringify!($lemma), format_args!($($fact)+));
        }
    };
}
