//! The engines under test, behind one port.

pub mod abd;
pub mod bug_card;
pub mod catalog;
pub mod contract;
pub mod kit;
pub mod ping;
pub mod primary_copy;
pub mod process;
pub mod synod;
