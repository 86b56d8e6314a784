//! The engines under test, behind one port.

pub mod process;
pub mod synod;
