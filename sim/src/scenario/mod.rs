//! From TOML to a scenario.
//!
//! `load` reads a file in stages: `layers` fetches what it extends, `spelling` holds its keys against the list of `words`, serde
//! reads the forms (`form`, `verbs`, `fault_form`, `asking`, made of `value`s, `select`ions and
//! `units`), and `check` makes a [`Scenario`](model::Scenario) of them or a `problem` for each
//! thing that does not fit. `library` and `mix` say which scenarios there are and which one a seed
//! runs.

pub mod aim_form;
mod asked;
pub mod asking;
pub mod check;
mod deaths;
pub mod embedded;
pub mod fault;
pub mod fault_form;
pub mod form;
mod idle;
pub mod kinds;
pub mod layers;
pub mod library;
pub mod load;
pub mod mix;
pub mod model;
pub mod names;
pub mod overrides;
pub mod problem;
mod prune;
pub mod schema;
pub mod select;
pub mod spelling;
pub mod steps;
pub mod units;
pub mod value;
pub mod verbs;
pub mod vocabulary;
pub mod words;
mod workload;
