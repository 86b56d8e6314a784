//! What each replica's disk goes through, as windows that a death can fall into: an operation under
//! way, and the time between one that is done and the next, for each class of files.
//!
//! A class is a file's name without its number, so files are of the classes that a subject names
//! them by. What is done to a name is of the file's class, and of the directory's, as its syncs are.
//! What only reads is in no window. Whoever does not walk a run boundary by boundary watches nothing.

use std::collections::BTreeMap;
use std::fmt;

use synod_port::files::{DiskOp, FileName, OpId};

use crate::ids::Node;
use crate::subject::process::{Output, Reader};

/// Files whose names differ in their number alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// All names.
    Directory,
    /// Files of this name.
    Files(FileName),
}

impl Class {
    fn of(name: FileName) -> Self {
        let stem = name
            .as_str()
            .trim_end_matches(|digit: char| digit.is_ascii_digit());
        let stem = stem.trim_end_matches(['-', '.', '_']);
        Self::Files(FileName::new(stem).unwrap_or(name))
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::Files(name) => name.fmt(f),
        }
    }
}

/// A part of a replica's time, as one class of its files sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Window {
    /// Of which files.
    pub class: Class,
    /// From when this was asked for.
    pub from: Option<&'static str>,
    /// Until this was asked for, with the one before done; none: until that is done.
    pub to: Option<&'static str>,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.class, self.from.unwrap_or("boot"))?;
        match self.to {
            Some(to) => write!(f, " -> {to}"),
            None => f.write_str(" under way"),
        }
    }
}

/// What a replica asked for in a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Asked {
    /// A message of this kind to a replica.
    Send(Node, &'static str),
    /// A reply to a client.
    Reply(u16),
    /// An operation that changes what is on its disk.
    Change,
    /// One that only reads.
    Read,
    /// That something is known: nothing is done.
    Nothing,
}

/// A step of a replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stepped {
    /// Who.
    pub node: Node,
    /// What it asked for.
    pub asked: Vec<Asked>,
}

/// Where one class of files of one replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    from: Option<&'static str>,
    /// It is under way.
    op: Option<OpId>,
}

/// What was seen of all replicas.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    places: BTreeMap<(Node, Class), Place>,
    /// How often there was such a window.
    pub seen: BTreeMap<Window, u64>,
    /// Windows that have ended since they were last asked for, and whose they are.
    pub ended: Vec<(Node, Window)>,
    /// How often an operation that changes something was asked for, or ended.
    pub changes: u64,
    /// The last step.
    pub stepped: Option<Stepped>,
}

impl Watch {
    pub(super) fn stepped(
        &mut self,
        node: Node,
        outputs: &[Output],
        reader: Option<&'static dyn Reader>,
    ) {
        let asked = |output: &Output| match output {
            Output::Send { to, bytes } => {
                let kind = reader.and_then(|reader| reader.kind_of(bytes));
                Asked::Send(*to, kind.unwrap_or("message"))
            }
            Output::Reply { to, .. } => Asked::Reply(to.0),
            Output::Disk { what, .. } if change(what).is_some() => Asked::Change,
            Output::Disk { .. } => Asked::Read,
            Output::Ready | Output::Halt { .. } => Asked::Nothing,
        };
        let asked = outputs.iter().map(asked).collect();
        self.stepped = Some(Stepped { node, asked });
    }

    pub(super) fn submitted(&mut self, node: Node, op: OpId, what: &DiskOp) {
        let Some((name, classes)) = change(what) else {
            return;
        };
        self.changes += 1;
        for class in classes.into_iter().flatten() {
            let next = Place {
                from: Some(name),
                op: Some(op),
            };
            let place = self.places.insert((node, class), next);
            let place = place.unwrap_or(Place {
                from: None,
                op: None,
            });
            let window = |to| Window {
                class,
                from: place.from,
                to,
            };
            if place.op.is_none() && place.from.is_some() {
                self.end(node, window(Some(name)));
            }
        }
    }

    pub(super) fn completed(&mut self, node: Node, op: OpId) {
        let mut ended = Vec::new();
        for ((whose, class), place) in &mut self.places {
            if *whose == node && place.op == Some(op) {
                place.op = None;
                ended.push(Window {
                    class: *class,
                    from: place.from,
                    to: None,
                });
            }
        }
        self.changes += u64::from(!ended.is_empty());
        ended.into_iter().for_each(|window| self.end(node, window));
    }

    pub(super) fn booted(&mut self, node: Node) {
        self.places.retain(|(whose, _), _| *whose != node);
    }

    fn end(&mut self, node: Node, window: Window) {
        *self.seen.entry(window).or_default() += 1;
        self.ended.push((node, window));
    }

    /// The windows in which a replica is now; of one that is to end with the next operation, that
    /// one is not known.
    pub fn open(&self, node: Node) -> impl Iterator<Item = Window> {
        let mine = self
            .places
            .iter()
            .filter(move |((whose, _), _)| *whose == node);
        mine.map(|((_, class), place)| Window {
            class: *class,
            from: place.from,
            to: place.op.is_none().then_some("?"),
        })
    }
}

/// The name of what changes something on a disk, and the classes that it is of.
fn change(what: &DiskOp) -> Option<(&'static str, [Option<Class>; 2])> {
    let of = |file: &FileName| [Some(Class::of(*file)), None];
    let named = |file: &FileName| [Some(Class::of(*file)), Some(Class::Directory)];
    Some(match what {
        DiskOp::List | DiskOp::Length(_) | DiskOp::Read { .. } => return None,
        DiskOp::Write { file, .. } => ("write", of(file)),
        DiskOp::Truncate { file, .. } => ("truncate", of(file)),
        DiskOp::Sync(file) => ("sync", of(file)),
        DiskOp::Create(file) => ("create", named(file)),
        DiskOp::Rename { to, .. } => ("rename", named(to)),
        DiskOp::Remove(file) => ("remove", named(file)),
        DiskOp::SyncDir => ("sync", [Some(Class::Directory), None]),
    })
}
