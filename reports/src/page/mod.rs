//! One page about one run, or about one history: what a person opens to see why it failed.
//!
//! [`model`] is what the page knows, [`narrow`] keeps that within bounds, [`html`] makes one file of
//! it that needs no network, and [`perfetto`] writes the same for a viewer of traces.

pub mod html;
pub mod model;
pub mod narrow;
pub mod perfetto;
