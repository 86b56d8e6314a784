//! Single decisions that do not follow the seed. Each hangs on what a person would name, and not on
//! a number of events or draws: so it means the same after an edit of the plan or of the engine.

use std::fmt;

use crate::ids::{Endpoint, Node};
use crate::time::Span;

/// One decision that goes as it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Override {
    /// What the network does with a message.
    Message(MessageName, Passage),
    /// How a disk treats an operation.
    Disk(OperationName, Treatment),
}

impl Override {
    /// Whether both name the same thing, in the same words.
    #[must_use]
    pub fn names_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Message(one, _), Self::Message(other, _)) => one == other,
            (Self::Disk(one, _), Self::Disk(other, _)) => one == other,
            (Self::Message(..), Self::Disk(..)) | (Self::Disk(..), Self::Message(..)) => false,
        }
    }
}

/// A message, as a person would name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageName {
    /// Who sends it.
    pub from: Endpoint,
    /// To whom.
    pub to: Endpoint,
    /// Its kind, `accept` and the like; none: any.
    pub kind: Option<String>,
    /// The first slot that it is about; none: any.
    pub slot: Option<u64>,
    /// Which of all that are sent and fit, from 1.
    pub nth: u32,
}

/// What the network does with a message. What is not said goes as the seed has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passage {
    /// The weather and faults neither lose nor copy nor damage it.
    pub intact: bool,
    /// Whether it is lost.
    pub lost: Option<bool>,
    /// How long it is under way. Cut and clogged links hold.
    pub delay: Option<Span>,
    /// So much later a copy of it comes.
    pub copy_after: Option<Span>,
    /// It is damaged, in the way of this number.
    pub damage: Option<u32>,
}

impl Passage {
    /// This, and where it says something, the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            intact: self.intact || other.intact,
            lost: other.lost.or(self.lost),
            delay: other.delay.or(self.delay),
            copy_after: other.copy_after.or(self.copy_after),
            damage: other.damage.or(self.damage),
        }
    }
}

/// A kind of disk operation that can be told how to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// A read, or the question for a length.
    Read,
    /// A write, or a truncation.
    Write,
    /// A sync of a file.
    Sync,
    /// A sync of the directory.
    SyncNames,
}

/// An operation of a disk, as a person would name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OperationName {
    /// Whose disk.
    pub node: Node,
    /// What it does.
    pub operation: Operation,
    /// Which of all that are submitted, from 1.
    pub nth: u32,
}

/// How a disk treats an operation. What is not said goes as the seed has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Treatment {
    /// How long it takes. A stalled disk holds it longer.
    pub takes: Option<Span>,
    /// Whether it fails.
    pub fails: Option<bool>,
}

impl Treatment {
    /// This, and where it says something, the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            takes: other.takes.or(self.takes),
            fails: other.fails.or(self.fails),
        }
    }
}

impl Operation {
    /// Its name in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::SyncNames => "sync-names",
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message, _) => {
                let MessageName {
                    from,
                    to,
                    kind,
                    slot,
                    nth,
                } = message;
                write!(
                    f,
                    "the {} {}",
                    Nth(*nth),
                    kind.as_deref().unwrap_or("message")
                )?;
                if let Some(slot) = slot {
                    write!(f, " of slot {slot}")?;
                }
                write!(f, " from {from} to {to}")
            }
            Self::Disk(name, _) => {
                let OperationName {
                    node,
                    operation,
                    nth,
                } = name;
                write!(f, "the {} {} of {node}", Nth(*nth), operation.name())
            }
        }
    }
}

/// `1st`, `2nd`, `3rd`, ...
struct Nth(u32);

impl fmt::Display for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match (self.0 % 10, self.0 % 100 / 10) {
            (1, tens) if tens != 1 => "st",
            (2, tens) if tens != 1 => "nd",
            (3, tens) if tens != 1 => "rd",
            _ => "th",
        };
        write!(f, "{}{end}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Client;

    #[test]
    fn overrides_are_named_as_a_person_would() {
        let message = |kind: Option<&str>, slot, nth| {
            let name = MessageName {
                from: Endpoint::Node(Node(0)),
                to: Endpoint::Client(Client(1)),
                kind: kind.map(str::to_owned),
                slot,
                nth,
            };
            Override::Message(name, Passage::default()).to_string()
        };
        assert_eq!(
            message(Some("accept"), Some(7), 2),
            "the 2nd accept of slot 7 from r1 to c2"
        );
        for (nth, shown) in [
            (1, "1st"),
            (3, "3rd"),
            (11, "11th"),
            (112, "112th"),
            (23, "23rd"),
        ] {
            assert_eq!(
                message(None, None, nth),
                format!("the {shown} message from r1 to c2")
            );
        }
        let name = OperationName {
            node: Node(2),
            operation: Operation::SyncNames,
            nth: 4,
        };
        assert_eq!(
            Override::Disk(name, Treatment::default()).to_string(),
            "the 4th sync-names of r3"
        );
    }
}
