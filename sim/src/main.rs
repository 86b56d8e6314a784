//! Synod.
fn main() {}
