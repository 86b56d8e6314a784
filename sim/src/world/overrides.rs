//! Single decisions that go as they are told: which of them has come. And, where somebody wants to know,
//! what the weather decided, told in the same words.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::choices::overrides::{
    MessageName, Operation, OperationName, Override, Passage, Treatment,
};
use crate::ids::{Endpoint, Node};
use crate::subject::process::Description;

/// Those of a plan, and how often what each names has come by.
#[derive(Clone)]
pub(super) struct Overrides {
    list: Arc<[Override]>,
    seen: Vec<u32>,
    /// What was decided, if it is kept.
    kept: Option<Box<Kept>>,
}

/// What was decided so far, and how often each name, of which `nth` is 0 here, has come by.
#[derive(Clone, Default)]
struct Kept {
    decisions: Vec<Override>,
    messages: BTreeMap<String, u32>,
    operations: BTreeMap<(Node, &'static str), u32>,
}

impl Overrides {
    pub fn new(list: &[Override]) -> Self {
        Self {
            list: list.into(),
            seen: vec![0; list.len()],
            kept: None,
        }
    }

    /// Keeps what is decided from now on.
    pub fn keep(&mut self) {
        self.kept = Some(Box::default());
    }

    /// Whether what is decided is kept.
    #[inline]
    pub const fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// What was decided.
    pub fn take_kept(&mut self) -> Vec<Override> {
        self.kept
            .take()
            .map_or_else(Vec::new, |kept| kept.decisions)
    }

    /// A message was sent, and the weather dealt with it so.
    pub fn keep_passage(
        &mut self,
        (from, to): (Endpoint, Endpoint),
        said: Option<&Description>,
        passage: Passage,
    ) {
        let Some(kept) = &mut self.kept else { return };
        let name = MessageName {
            from,
            to,
            kind: said.map(|said| said.kind.to_owned()),
            slot: said.and_then(|said| said.slot),
            nth: 0,
        };
        let nth = kept.messages.entry(format!("{name:?}")).or_default();
        *nth += 1;
        let name = MessageName { nth: *nth, ..name };
        kept.decisions.push(Override::Message(name, passage));
    }

    /// An operation was submitted, and is treated so.
    #[inline]
    pub fn keep_treatment(&mut self, node: Node, operation: Operation, treatment: Treatment) {
        let Some(kept) = &mut self.kept else { return };
        let nth = kept.operations.entry((node, operation.name())).or_default();
        *nth += 1;
        let name = OperationName {
            node,
            operation,
            nth: *nth,
        };
        kept.decisions.push(Override::Disk(name, treatment));
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A message is sent: what becomes of it, if it was named.
    pub fn of_message(
        &mut self,
        from: Endpoint,
        to: Endpoint,
        describe: impl FnOnce() -> Option<Description>,
    ) -> Option<Passage> {
        let mut describe = Some(describe);
        let mut described = None;
        let mut found: Option<Passage> = None;
        for (one, seen) in self.list.iter().zip(&mut self.seen) {
            let Override::Message(name, passage) = one else {
                continue;
            };
            if (name.from, name.to) != (from, to) {
                continue;
            }
            if let Some(describe) = describe.take() {
                described = describe();
            }
            let said = described.as_ref();
            let fits = name
                .kind
                .as_ref()
                .is_none_or(|kind| said.is_some_and(|said| said.kind == kind))
                && name
                    .slot
                    .is_none_or(|slot| said.is_some_and(|said| said.slot == Some(slot)));
            if is_the_one(fits, seen, name.nth) {
                found = Some(found.unwrap_or_default().and(*passage));
            }
        }
        found
    }

    /// An operation is submitted: how the disk treats it, if it was named.
    pub fn of_operation(&mut self, node: Node, operation: Operation) -> Option<Treatment> {
        let mut found: Option<Treatment> = None;
        for (one, seen) in self.list.iter().zip(&mut self.seen) {
            let Override::Disk(name, treatment) = one else {
                continue;
            };
            let fits = (name.node, name.operation) == (node, operation);
            if is_the_one(fits, seen, name.nth) {
                found = Some(found.unwrap_or_default().and(*treatment));
            }
        }
        found
    }

    /// Those that have not come.
    pub fn unmatched(&self) -> impl Iterator<Item = &Override> {
        let both = self.list.iter().zip(&self.seen);
        both.filter_map(|(one, seen)| (*seen < nth(one)).then_some(one))
    }
}

fn is_the_one(fits: bool, seen: &mut u32, nth: u32) -> bool {
    *seen = seen.saturating_add(fits.into());
    fits && *seen == nth
}

const fn nth(one: &Override) -> u32 {
    match one {
        Override::Message(name, _) => name.nth,
        Override::Disk(name, _) => name.nth,
    }
}
