//! What a Synod run looks like to a person or a machine: record types and renderers. Knows no
//! simulator.
//!
//! [`record`] and [`line`] are what is kept of a run, [`tally`] adds runs up into a [`summary`] and
//! [`coverage`] what they came by together, and [`text`], [`markdown`], [`junit`] and [`github`] show
//! it. [`triage`] makes issues of its failures, with what [`precedes`] them, and [`page`] is what a
//! person opens to see why a run failed; [`known`] failures count apart. [`hunt`] and [`figure`] are the
//! tables of planted bugs and of speed, [`certificate`] what an [`ablation`] says of the harness, and
//! [`difference`] sets two subjects or builds beside each other, and [`track`] one commit beside the last.
//! [`escape`] is for whoever writes XML or HTML.

pub mod ablation;
pub mod certificate;
mod counts;
pub mod coverage;
pub mod difference;
pub mod escape;
pub mod figure;
pub mod fingerprint;
pub mod github;
pub mod hunt;
pub mod interval;
pub mod junit;
pub mod known;
pub mod line;
pub mod markdown;
pub mod page;
pub mod precedes;
pub mod record;
pub mod schema;
pub mod summary;
pub mod table;
pub mod tally;
pub mod text;
pub mod track;
pub mod triage;
pub mod waits;
