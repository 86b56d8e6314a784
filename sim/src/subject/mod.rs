//! The engines under test, behind one port.

pub mod bug_card;
pub mod process;
pub mod synod;
