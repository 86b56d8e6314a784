//! Why a run fails, by running worlds near to it.
//!
//! [`causes`] takes out one fault, step or single decision at a time, [`bake_in`] lets the run go
//! other ways from each moment on, and so finds when its failure became certain. [`neighbour`] holds it
//! against the run that passes and stays with it the longest. [`provenance`] picks from its tale what
//! led to a slot of the log, and [`blame`] says who is likely to be at fault.
//!
//! What is found is a function of the plan and the budget of events, however many threads there are.
//! Nothing of this is a proof: shares are of a stated number of futures.

pub mod bake_in;
pub mod blame;
pub mod causes;
pub mod neighbour;
pub mod provenance;
