//! Runs of an engine in which nobody leads, each of which failed once.

use super::*;
use crate::glossary::names;
use crate::plan::draw::draw;
use crate::scenario::library::Library;
use crate::subject::abd::Abd;

fn passes(name: &str, seed: u64) {
    let library = Library::open(None, &names()).unwrap_or_else(|error| panic!("{error}"));
    let scenario = library.get(name).unwrap_or_else(|error| panic!("{error}"));
    let record = run_judged(&RunSpec::new(draw(&scenario, seed)), &Abd, ()).record;
    assert_eq!(record.verdict, Verdict::Pass, "{:?}", record.message);
}

/// 21 attempts, each at a replica that was drawn anew, never met the one that reaches a quorum.
#[test]
fn what_a_script_expects_is_asked_of_all_in_turn() {
    passes("liveness/constrained", 65);
}

/// Two puts of a session that is gone, tried again in turn, were sent elsewhere for ever.
#[test]
fn all_puts_of_a_lost_session_are_remembered() {
    passes("liveness/many-elections", 8);
}
