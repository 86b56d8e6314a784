//! Our engine as a subject.

pub mod reader;
