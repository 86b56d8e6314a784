//! `[[override]]`: single decisions that go as they are told, as they stand in a file.

use serde::Deserialize;
use toml::Spanned;

use crate::choices::overrides::{
    MessageName, Operation, OperationName, Override, Passage, Treatment,
};
use crate::ids::{Endpoint, Node};
use crate::scenario::fault_form::form;
use crate::scenario::problem::Problem;
use crate::scenario::select::{client, node};
use crate::scenario::units::{Time, Wrong};
use crate::scenario::value::{Ranged, Word};
use crate::time::Span;

form!(
    /// `[[override]]`.
    OverrideForm {
        /// Of a message.
        message: Option<Spanned<MessageForm>>,
        /// Of a disk operation.
        disk: Option<Spanned<OperationForm>>,
        /// Neither lost nor copied nor damaged by weather and faults.
        intact: Option<Spanned<bool>>,
        /// Whether the message is lost.
        lost: Option<Spanned<bool>>,
        /// How long it is under way.
        delay: Option<Spanned<Ranged<Time>>>,
        /// So much later a copy comes.
        copy_after: Option<Spanned<Ranged<Time>>>,
        /// In which way it is damaged.
        damage: Option<Spanned<u32>>,
        /// How long the operation takes.
        takes: Option<Spanned<Ranged<Time>>>,
        /// Whether it fails.
        fails: Option<Spanned<bool>>,
    }
);

form!(
    /// Which message.
    MessageForm {
        /// The sender.
        from: Party,
        /// The addressee.
        to: Party,
        /// Its kind.
        kind: Option<String>,
        /// The first slot that it is about.
        slot: Option<u64>,
        /// Which of those that fit, from 1.
        nth: Option<u32>,
    }
);

form!(
    /// Which operation of a disk.
    OperationForm {
        /// Whose disk.
        replica: Party,
        /// `read`, `write`, `sync` or `sync-names`.
        op: OperationWord,
        /// Which of them, from 1.
        nth: Option<u32>,
    }
);

/// A replica or a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Party(Endpoint);

impl TryFrom<String> for Party {
    type Error = Wrong;

    fn try_from(text: String) -> Result<Self, Wrong> {
        node(&text)
            .map(Endpoint::Node)
            .or_else(|| client(&text).map(Endpoint::Client))
            .map(Self)
            .ok_or_else(|| {
                let help = "write one name: \"r2\" for a replica, \"c1\" for a client";
                Wrong::new(format!("`{text}` is nobody"), "unknown", help)
            })
    }
}

/// The name of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct OperationWord(Operation);

impl TryFrom<String> for OperationWord {
    type Error = Wrong;

    fn try_from(text: String) -> Result<Self, Wrong> {
        Operation::named(&text).map(Self)
    }
}

impl Word for Operation {
    const WHAT: &'static str = "a disk operation";
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Read.name(), Self::Read),
        (Self::Write.name(), Self::Write),
        (Self::Sync.name(), Self::Sync),
        (Self::SyncNames.name(), Self::SyncNames),
    ];
}

/// The override, in a cluster of so many replicas at most.
///
/// # Errors
/// What does not fit together.
pub fn checked(form: &Spanned<OverrideForm>, largest: u8) -> Result<Override, Problem> {
    let place = form.span();
    let form = form.get_ref();
    match (&form.message, &form.disk) {
        (Some(message), None) => {
            if let Some(strange) = first([place_of(&form.takes), place_of(&form.fails)]) {
                return Err(Problem::at(
                    strange,
                    "a disk's key for a message",
                    "not of messages",
                    "messages have `lost`, `delay`, `copy-after`, `damage` and `intact`",
                ));
            }
            let strange = first([
                place_of(&form.delay),
                place_of(&form.copy_after),
                place_of(&form.damage),
            ]);
            if let Some(strange) = strange.filter(|_| value(&form.lost) == Some(true)) {
                return Err(Problem::at(
                    strange,
                    "what is lost never arrives",
                    "no effect",
                    "leave this out, or `lost`",
                ));
            }
            says(
                form.passage()?,
                &place,
                "`lost`, `delay`, `copy-after`, `damage` or `intact`",
            )?;
            let place = message.span();
            let message = message.get_ref();
            for Party(end) in [message.from, message.to] {
                exists(end, largest, &place)?;
            }
            let name = MessageName {
                from: message.from.0,
                to: message.to.0,
                kind: message.kind.clone(),
                slot: message.slot,
                nth: counted(message.nth, &place)?,
            };
            Ok(Override::Message(name, form.passage()?))
        }
        (None, Some(disk)) => {
            let strange = first([
                place_of(&form.intact),
                place_of(&form.lost),
                place_of(&form.delay),
                place_of(&form.copy_after),
                place_of(&form.damage),
            ]);
            if let Some(strange) = strange {
                return Err(Problem::at(
                    strange,
                    "a message's key for a disk",
                    "not of disks",
                    "disk operations have `takes` and `fails`",
                ));
            }
            says(form.treatment()?, &place, "`takes` or `fails`")?;
            let place = disk.span();
            let disk = disk.get_ref();
            exists(disk.replica.0, largest, &place)?;
            let Endpoint::Node(node) = disk.replica.0 else {
                return Err(Problem::at(
                    place,
                    "the disk of a client",
                    "there is none",
                    "write the name of a replica, such as \"r2\"",
                ));
            };
            let name = OperationName {
                node,
                operation: disk.op.0,
                nth: counted(disk.nth, &place)?,
            };
            Ok(Override::Disk(name, form.treatment()?))
        }
        _ => Err(Problem::at(
            place,
            "an override of one thing",
            "needs either `message` or `disk`",
            "write message = { from = \"r1\", to = \"r2\", kind = \"accept\", nth = 2 }, or \
             disk = { replica = \"r1\", op = \"sync\", nth = 2 }",
        )),
    }
}

impl OverrideForm {
    fn passage(&self) -> Result<Passage, Problem> {
        Ok(Passage {
            intact: value(&self.intact).unwrap_or_default(),
            lost: value(&self.lost),
            delay: span(&self.delay)?,
            copy_after: span(&self.copy_after)?,
            damage: value(&self.damage),
        })
    }

    fn treatment(&self) -> Result<Treatment, Problem> {
        Ok(Treatment {
            takes: span(&self.takes)?,
            fails: value(&self.fails),
        })
    }
}

fn value<T: Copy>(of: &Option<Spanned<T>>) -> Option<T> {
    of.as_ref().map(|value| *value.get_ref())
}

type Place = std::ops::Range<usize>;

fn place_of<T>(of: &Option<Spanned<T>>) -> Option<Place> {
    of.as_ref().map(Spanned::span)
}

fn first<const N: usize>(places: [Option<Place>; N]) -> Option<Place> {
    places.into_iter().flatten().next()
}

fn span(of: &Option<Spanned<Ranged<Time>>>) -> Result<Option<Span>, Problem> {
    let Some(time) = of else { return Ok(None) };
    let (low, high) = (time.get_ref().min(), time.get_ref().max());
    match u64::try_from(low) {
        Ok(time) if low == high => Ok(Some(Span(time))),
        _ => Err(Problem::at(
            time.span(),
            "a time that is drawn",
            "one time",
            "an override draws nothing: write one time, such as \"150ms\"",
        )),
    }
}

fn says<T: PartialEq + Default>(told: T, place: &Place, keys: &str) -> Result<(), Problem> {
    if told != T::default() {
        return Ok(());
    }
    Err(Problem::at(
        place.clone(),
        "an override that changes nothing",
        "says nothing",
        format!("say how it goes: {keys}"),
    ))
}

fn counted(nth: Option<u32>, place: &Place) -> Result<u32, Problem> {
    match nth.unwrap_or(1) {
        0 => Err(Problem::at(
            place.clone(),
            "occurrence 0",
            "`nth` counts from 1",
            "write nth = 1 for the first",
        )),
        nth => Ok(nth),
    }
}

fn exists(end: Endpoint, largest: u8, place: &Place) -> Result<(), Problem> {
    match end {
        Endpoint::Node(Node(node)) if node >= largest => Err(Problem::at(
            place.clone(),
            format!("there is no replica `{end}`"),
            "unknown replica",
            format!("the cluster has r1 to r{largest}"),
        )),
        _ => Ok(()),
    }
}
