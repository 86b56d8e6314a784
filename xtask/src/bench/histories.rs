//! Recorded histories, checked in one thread, parsing apart. Each measurement is made in a child
//! process of its own, whose largest resident set is the memory that it took, the parsed history
//! included.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use synod_reports::figure::Figure;
use synod_sim::check::linearizability::budget::Budget;
use synod_sim::check::linearizability::check::{ByKey, Verdict, check};
use synod_sim::check::linearizability::generate::{Shape, generate};
use synod_sim::check::linearizability::partition::Renumber;
use synod_sim::check::linearizability::register::RegisterMachine;
use synod_sim::check::linearizability::search::{Ending, Remember, search};
use synod_sim::history::input::{Format, Model, read};
use synod_sim::history::recorded::History;
use synod_sim::sweep::bench::alone::seconds_of;
use synod_sim::sweep::cost::peak_rss_of_this;

/// Who is to decide a generated history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Decider {
    /// The whole chain, which ends with the log's order.
    Witness,
    /// The whole chain, which ends with zones.
    Zones,
    /// The whole chain, which ends with the search that goes breadth first.
    ChainToSearch,
    /// The whole chain, which ends with the search that goes depth first.
    ChainToDepth,
    /// The search, though zones could.
    SearchAlone,
}

/// A generated history.
struct Large {
    name: &'static str,
    shape: Shape,
    decider: Decider,
}

/// Half reads, half writes of unique values, as `Shape::new` has it.
const MILLION: Shape = Shape::new(1_000_000, 5);

/// The large histories, frozen. With few values, values are written again and again, and only the
/// search can decide.
const LARGE: [Large; 8] = [
    Large {
        name: "1 M operations, 5 clients, witnesses",
        shape: Shape {
            places: true,
            ..MILLION
        },
        decider: Decider::Witness,
    },
    Large {
        name: "1 M operations, 5 clients, zones",
        shape: MILLION,
        decider: Decider::Zones,
    },
    Large {
        name: "1 M operations, 5 clients, search",
        shape: MILLION,
        decider: Decider::SearchAlone,
    },
    Large {
        name: "1 M operations, 5 clients, few values",
        shape: Shape {
            values: Some(10),
            ..MILLION
        },
        decider: Decider::ChainToSearch,
    },
    Large {
        name: "30 k operations, 15 clients",
        shape: Shape {
            values: Some(10),
            ..Shape::new(30_000, 15)
        },
        decider: Decider::ChainToSearch,
    },
    Large {
        name: "30 k operations, 15 clients, unique",
        shape: Shape::new(30_000, 15),
        decider: Decider::SearchAlone,
    },
    Large {
        name: "10 k operations, 100 unknown writes",
        shape: Shape {
            values: Some(10),
            unknown: 100,
            ..Shape::new(10_000, 5)
        },
        decider: Decider::ChainToDepth,
    },
    Large {
        name: "10 k operations, 100 unknown writes, unique",
        shape: Shape {
            unknown: 100,
            ..Shape::new(10_000, 5)
        },
        decider: Decider::SearchAlone,
    },
];

/// Something to measure.
pub enum Subject {
    /// A generated history, by its place.
    Generated(usize),
    /// The files of a folder, together.
    Folder(&'static str, &'static str, PathBuf),
}

/// What a child tells.
#[derive(Serialize, Deserialize)]
struct Cost {
    seconds: f64,
    bytes: Option<u64>,
}

/// Everything there is to measure. Notes what is not there.
pub fn all(folder: &Path, notes: &mut Vec<String>) -> Vec<Subject> {
    let mut all: Vec<Subject> = (0..LARGE.len()).map(Subject::Generated).collect();
    if folder.join("verdicts.tsv").is_file() {
        all.push(Subject::Folder(
            "etcd logs",
            "jepsen-etcd",
            folder.to_owned(),
        ));
        all.push(Subject::Folder("key-value logs", "kv", folder.to_owned()));
    } else {
        notes.push(format!(
            "the recorded histories were not measured: {} has none (--histories, SYNOD_HISTORIES)",
            folder.display()
        ));
    }
    all
}

impl Subject {
    /// Its figure of time.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Generated(at) => LARGE[*at].name,
            Self::Folder(name, ..) => name,
        }
    }

    /// The names of its figures.
    pub fn figures(&self) -> [&str; 2] {
        [self.name(), "memory"]
    }

    /// Measures it so many times, each in a child of its own.
    ///
    /// # Errors
    /// When a child fails; it says why.
    pub fn measure(&self, times: u64) -> Result<Vec<Figure>, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut costs = Vec::new();
        for _ in 0..times {
            let mut command = Command::new(&program);
            command.args(["measure", self.name()]);
            if let Self::Folder(_, _, folder) = self {
                command.arg(folder);
            }
            let output = command
                .stderr(std::process::Stdio::inherit())
                .output()
                .map_err(|error| error.to_string())?;
            let cost: Cost = serde_json::from_slice(&output.stdout)
                .map_err(|_| format!("{} could not be measured: {}", self.name(), output.status))?;
            costs.push(cost);
        }
        let of = |value: &dyn Fn(&Cost) -> Option<f64>| {
            costs.iter().filter_map(value).collect::<Vec<_>>()
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let memory = of(&|cost| cost.bytes.map(|bytes| bytes as f64));
        let mut figures = vec![Figure::new(
            self.name(),
            "CPU milliseconds",
            &of(&|cost| Some(1e3 * cost.seconds)),
        )];
        if !memory.is_empty() {
            figures.push(Figure::new(
                &format!("{}: memory", self.name()),
                "bytes, largest resident set",
                &memory,
            ));
        }
        Ok(figures)
    }
}

/// One measurement, in this process, told as a line of JSON.
///
/// # Errors
/// When there is no such history, or it is not decided rightly, or not by whom it should.
pub fn measure_here(name: &str, folder: Option<&Path>) -> Result<(), String> {
    let known = all(folder.unwrap_or(Path::new("")), &mut Vec::new());
    let subject = known
        .iter()
        .find(|subject| subject.name() == name)
        .ok_or_else(|| format!("there is no history `{name}`"))?;
    let seconds = match subject {
        Subject::Generated(at) => generated(&LARGE[*at])?,
        Subject::Folder(_, part, folder) => recorded(folder, part)?,
    };
    println!(
        "{}",
        serde_json::to_string(&Cost {
            seconds,
            bytes: peak_rss_of_this()
        })
        .expect("plain data")
    );
    Ok(())
}

fn generated(large: &Large) -> Result<f64, String> {
    let history = generate(large.shape);
    let (methods, seconds) = seconds_of(|| match large.decider {
        Decider::SearchAlone => searched(&history).then_some([0, 0, 1, 0, 0]),
        _ => {
            let report = check(&history, Budget::default());
            (report.verdict == Verdict::Linearizable).then_some(report.methods)
        }
    });
    let expected = match large.decider {
        Decider::Witness => [1, 0, 0, 0, 0],
        Decider::Zones => [0, 1, 0, 0, 0],
        Decider::ChainToSearch | Decider::SearchAlone => [0, 0, 1, 0, 0],
        Decider::ChainToDepth => [0, 0, 0, 1, 0],
    };
    match methods {
        Some(methods) if methods == expected => Ok(seconds),
        Some(methods) => Err(format!(
            "{}: decided by {methods:?} and not by {expected:?}",
            large.name
        )),
        None => Err(format!(
            "{}: it is linearizable, and that was not found",
            large.name
        )),
    }
}

/// Whether the search alone finds an order of the one key.
fn searched(history: &History) -> bool {
    let partition = ByKey::new(history).partition(history, 0, &mut Renumber::default());
    let mut machine = RegisterMachine::new(&partition);
    let ending = search(
        &mut machine,
        &partition.steps,
        &partition.events,
        Remember::Verdict,
        Budget::default(),
    );
    matches!(ending, Ending::Linearizable { .. })
}

/// All files of one part of the collection, read first, then checked one after another.
fn recorded(folder: &Path, part: &str) -> Result<f64, String> {
    let verdicts = std::fs::read_to_string(folder.join("verdicts.tsv"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut histories = Vec::new();
    for line in verdicts.lines().filter(|line| line.starts_with(part)) {
        let [file, model, linearizable] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("{line} is no verdict"));
        };
        let model = if model == "register" {
            Model::Register
        } else {
            Model::KeyValue
        };
        let bytes = std::fs::read(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
        let history =
            read(&bytes[..], Format::Auto, model).map_err(|error| format!("{file}: {error}"))?;
        histories.push((file, history, linearizable == "true"));
    }
    let (wrong, seconds) = seconds_of(|| {
        let right = |history: &History, linearizable: bool| {
            (check(history, Budget::default()).verdict == Verdict::Linearizable) == linearizable
        };
        histories
            .iter()
            .filter(|(_, history, linearizable)| !right(history, *linearizable))
            .map(|(file, ..)| *file)
            .collect::<Vec<_>>()
    });
    if wrong.is_empty() {
        Ok(seconds)
    } else {
        Err(format!("wrong verdicts: {}", wrong.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::goals;

    #[test]
    fn every_decider_decides_what_is_meant_for_it() {
        for large in &LARGE {
            // Those of a million operations take too long for a test.
            let small = Large {
                shape: Shape {
                    operations: large.shape.operations.min(30_000),
                    ..large.shape
                },
                ..*large
            };
            generated(&small).expect("it is linearizable, and rightly decided");
        }
    }

    #[test]
    fn what_has_a_goal_is_measured() {
        for name in [
            "1 M operations, 5 clients, witnesses",
            "1 M operations, 5 clients, few values",
            "30 k operations, 15 clients",
        ] {
            assert!(
                goals::of(name).is_some() && LARGE.iter().any(|large| large.name == name),
                "{name}"
            );
        }
    }

    #[test]
    fn a_collection_that_is_not_there_is_noted() {
        let mut notes = Vec::new();
        assert_eq!(
            all(Path::new("does/not/exist"), &mut notes).len(),
            LARGE.len()
        );
        assert!(notes.len() == 1 && notes[0].contains("does/not/exist"));
    }
}
