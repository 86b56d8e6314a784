//! Steps run in the order in which they are written, holds and times included.

use super::*;
use crate::glossary::names;
use crate::plan::draw::draw;
use crate::scenario::load::parse;
use crate::trace::tale::{Depth, text_of};

const AT_AND_HOLD: &str = r#"
format = 1
title = "t"
why = "w"
[[step]]
expect = { leader = "any", within = "1s" }
[[step]]
at = "2s"
hold = "1s"
pause = "r3"
[[step]]
invoke = { client = "c1", op = "put", key = "x", value = "1", expect = "ok" }
[[step]]
at = "4s"
invoke = { client = "c1", op = "put", key = "x", value = "2", expect = "ok" }
[end]
time = "10s"
"#;

#[test]
fn a_step_with_a_time_and_a_hold_keeps_its_place() {
    let scenario = parse("x", AT_AND_HOLD, &[], &names()).unwrap_or_else(|error| panic!("{error}"));
    let outcome = run(&RunSpec {
        record: Recording::Story,
        ..RunSpec::new(draw(&scenario, 1))
    });
    assert_eq!(
        outcome.record.verdict,
        Verdict::Pass,
        "{:?}",
        outcome.record
    );
    let tale = text_of(&outcome.tale, Depth::Story);
    let at = |what: &str| {
        tale.find(what)
            .unwrap_or_else(|| panic!("`{what}` is missing in:\n{tale}"))
    };
    let order = ["r3 is paused", "put x 1", "r3 goes on", "put x 2"].map(at);
    assert!(order.is_sorted(), "{order:?} in:\n{tale}");
}
