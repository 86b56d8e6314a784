//! The disk's promises, one test each. Where something is left open, all outcomes are enumerated:
//! the set must be exact.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::choices::loose::Loose;
use crate::choices::{FaultAt, Seeded};
use crate::ids::FaultNumber;

mod damage;
mod death;
mod names;
mod requests;
mod sync;

/// Answers with a script, and with zeros after it; remembers the ranges that were asked for.
#[derive(Clone, Default)]
struct Script {
    answers: Vec<u64>,
    ranges: Vec<u64>,
}

impl Choices for Script {
    fn draw(&mut self, _: Label, range: u64) -> u64 {
        self.ranges.push(range);
        let answer = self
            .answers
            .get(self.ranges.len() - 1)
            .copied()
            .unwrap_or(0);
        assert!(
            answer < range,
            "the script answers {answer} where {range} things are open"
        );
        answer
    }

    fn fork(&self) -> Box<dyn Choices> {
        Box::new(self.clone())
    }

    fn branch(&self, _: u64) -> Box<dyn Choices> {
        Box::new(self.clone())
    }
}

/// Runs `run` under every sequence of answers.
fn every(mut run: impl FnMut(&mut Script)) {
    let mut script = Script::default();
    loop {
        script.ranges.clear();
        run(&mut script);
        let mut answers = std::mem::take(&mut script.answers);
        answers.resize(script.ranges.len(), 0);
        while let Some(last) = answers.pop() {
            if last + 1 < script.ranges[answers.len()] {
                answers.push(last + 1);
                break;
            }
        }
        if answers.is_empty() {
            return;
        }
        script.answers = answers;
    }
}

fn subsets(things: &[Loose]) -> impl Iterator<Item = Vec<Loose>> {
    (0..1_u32 << things.len()).map(|set| {
        let all = things.iter().enumerate();
        let kept = all.filter(|(at, _)| set >> at & 1 == 1);
        kept.map(|(_, thing)| *thing).collect()
    })
}

type Image = BTreeMap<String, String>;

/// An image with each sector as one character (`.` for zeros), and `+n` for n bytes beyond whole
/// sectors.
fn image(bytes: BTreeMap<FileName, Vec<u8>>) -> Image {
    let text = |content: Vec<u8>| {
        let letter = |sector: &[u8]| {
            let first = sector[0];
            assert!(
                sector.iter().all(|byte| *byte == first || *byte == 0),
                "a torn sector"
            );
            if first == 0 { '.' } else { char::from(first) }
        };
        let mut text: String = content.chunks(SECTOR).map(letter).collect();
        if !content.len().is_multiple_of(SECTOR) {
            text += &format!("+{}", content.len() % SECTOR);
        }
        text
    };
    bytes
        .into_iter()
        .map(|(name, content)| (name.to_string(), text(content)))
        .collect()
}

fn files(files: &[(&str, &str)]) -> Image {
    files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

fn name(name: &str) -> FileName {
    FileName::new(name).expect("a name")
}

fn sectors(text: &str) -> Arc<[u8]> {
    text.bytes()
        .flat_map(|byte| [if byte == b'.' { 0 } else { byte }; SECTOR])
        .collect()
}

fn write(file: &str, sector: u64, text: &str) -> DiskOp {
    DiskOp::Write {
        file: name(file),
        offset: sector * SECTOR_BYTES,
        data: sectors(text),
    }
}

fn truncate(file: &str, length: u64) -> DiskOp {
    DiskOp::Truncate {
        file: name(file),
        length,
    }
}

fn rename(from: &str, to: &str) -> DiskOp {
    DiskOp::Rename {
        from: name(from),
        to: name(to),
    }
}

fn read(file: &str, offset: u64, length: u32) -> DiskOp {
    DiskOp::Read {
        file: name(file),
        offset,
        length,
    }
}

fn sync(file: &str) -> DiskOp {
    DiskOp::Sync(name(file))
}

const ROOM: u64 = 1 << 20;
const NOBODY: FaultAt = FaultAt::nobody(0);
const IO: Fate = Fate::Fail(DiskError::Io);

fn disk(files: &[(&str, &str)]) -> Disk {
    let files: Vec<_> = files
        .iter()
        .map(|(file, text)| (name(file), sectors(text).to_vec()))
        .collect();
    Disk::formatted(&files, ROOM)
}

impl Disk {
    fn end(&mut self, ticket: Ticket, fate: Fate) -> Completion {
        let completion = self.complete(ticket, fate, &mut Script::default(), NOBODY);
        assert_eq!(
            self.used(),
            self.usage(),
            "what is taken is counted as it changes"
        );
        completion
    }

    fn run(&mut self, op: DiskOp) -> Result<DiskOk, DiskError> {
        let ticket = self.submit(op);
        self.end(ticket, Fate::Ok).result
    }

    fn all(&mut self, ops: impl IntoIterator<Item = DiskOp>) {
        for op in ops {
            assert_eq!(self.run(op.clone()), Ok(DiskOk::Done), "{op:?}");
        }
    }

    fn seen(&self) -> Image {
        image(self.visible_image())
    }

    /// What a power loss that keeps nothing leaves.
    fn kept(&self) -> Image {
        let mut disk = self.clone();
        disk.lose_power(Keep::Nothing, &mut Script::default(), NOBODY);
        assert_eq!(disk.seen(), image(self.durable_image()));
        disk.seen()
    }

    /// Everything that a power loss may leave.
    fn outcomes(&self) -> BTreeSet<Image> {
        let mut outcomes = BTreeSet::new();
        every(|script| {
            let mut disk = self.clone();
            disk.lose_power(Keep::Any, script, NOBODY);
            assert_eq!(
                disk.seen(),
                image(disk.durable_image()),
                "what is seen after a power loss is what the media holds"
            );
            outcomes.insert(disk.seen());
        });
        let lose_power = |disk: &mut Self, kept: &[Loose], script: &mut Script| {
            disk.lose_power(Kept::Those(kept), script, NOBODY);
        };
        assert_eq!(self.named(&self.loose(), lose_power), outcomes, "by names");
        outcomes
    }

    /// All that is left where each subset of these things is named to survive a death.
    fn named(
        &self,
        things: &[Loose],
        dies: impl Fn(&mut Self, &[Loose], &mut Script),
    ) -> BTreeSet<Image> {
        let mut outcomes = BTreeSet::new();
        for kept in subsets(things) {
            every(|script| {
                let mut disk = self.clone();
                dies(&mut disk, &kept, script);
                outcomes.insert(disk.seen());
            });
        }
        outcomes
    }

    /// Everything that may be seen after a kill.
    fn kills(&self) -> BTreeSet<Image> {
        let mut outcomes = BTreeSet::new();
        every(|script| {
            let mut disk = self.clone();
            disk.kill(script, NOBODY);
            assert_eq!(disk.used(), disk.usage());
            outcomes.insert(disk.seen());
        });
        let kill = |disk: &mut Self, kept: &[Loose], script: &mut Script| {
            disk.kill_keeping(Kept::Those(kept), script, NOBODY);
        };
        assert_eq!(self.named(&self.landing(), kill), outcomes, "by names");
        outcomes
    }

    fn contents(outcomes: BTreeSet<Image>, file: &str) -> Vec<String> {
        let mut contents: Vec<_> = outcomes
            .into_iter()
            .map(|mut image| image.remove(file).unwrap_or_else(|| "none".into()))
            .collect();
        contents.sort();
        contents.dedup();
        contents
    }
}
