//! What an adapter of an engine names: `use synod_sim::prelude::*`.

pub use synod_port::files::{Bytes, DiskError, DiskOk, DiskOp, FileName, OpId};

pub use crate::history::operation::{Action, Call, Return, Text};
pub use crate::ids::{Client, Node};
pub use crate::subject::contract::Links;
pub use crate::subject::kit::answered::{Answered, Before};
pub use crate::subject::kit::cell::{Cell, Told};
pub use crate::subject::kit::dialect::{self, Plain, Request};
pub use crate::subject::kit::frame;
pub use crate::subject::kit::in_order::InOrder;
pub use crate::subject::kit::key_value::KeyValue;
pub use crate::subject::process::{
    Answer, Card, Claim, Description, Dialect, Input, MediaReader, Now, Output, Process, Reader,
    Refusal, Session, Setup, Subject,
};
pub use crate::trace::event::Fact;
