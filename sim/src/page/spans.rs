//! What lasts in a run: who leads, who is down, which fault holds.

use std::collections::BTreeMap;

use synod_reports::page::model::{At, Span, SpanSort};

use crate::ids::Node;
use crate::trace::event::{BallotPair, Fact};
use crate::trace::shown::Shown;
use crate::trace::spacetime::{Row, What};

/// The spans of a run, in the order in which they began. What has no end lasts to the end of the run.
#[must_use]
pub fn spans<'a>(rows: impl Iterator<Item = &'a Row>, end: At) -> Vec<Span> {
    let mut spans = Spans::default();
    rows.for_each(|row| spans.on(row));
    for (at, _) in spans.open {
        spans.all[at].to = end;
    }
    spans.all
}

#[derive(Default)]
struct Spans {
    all: Vec<Span>,
    /// Those without an end: which, and whom it concerns.
    open: Vec<(usize, Vec<u16>)>,
    /// At which ballot each replica campaigned last.
    campaigns: BTreeMap<Node, BallotPair>,
}

impl Spans {
    fn on(&mut self, row: &Row) {
        let at = At {
            number: row.stamp.number,
            time: row.stamp.time.0,
        };
        let lane = |node: &Node| vec![u16::from(node.0)];
        match &row.what {
            What::Leads(node, ballot) => {
                // Whoever led before may go on for a while and believe it still does; whoever only
                // campaigned, and below this, has lost.
                let lost = |(other, own): (&Node, &BallotPair)| (own < ballot).then_some(*other);
                let lost: Vec<Node> = self.campaigns.iter().filter_map(lost).collect();
                for other in lost {
                    self.give_up(at, other);
                }
                self.end(at, &lane(node), &[SpanSort::Leads, SpanSort::Campaigns]);
                let name = Shown(*ballot).to_string();
                self.begin(SpanSort::Leads, name, at, lane(node));
            }
            What::Fact(node, Fact::Promised(ballot))
                if self.campaigns.get(node).is_some_and(|own| own < ballot) =>
            {
                self.give_up(at, *node);
            }
            What::Campaigns(node, ballot) => {
                self.campaigns.insert(*node, *ballot);
                self.end(at, &lane(node), &[SpanSort::Leads, SpanSort::Campaigns]);
                let name = Shown(*ballot).to_string();
                self.begin(SpanSort::Campaigns, name, at, lane(node));
            }
            What::Fact(node, Fact::SteppedDown(_)) => {
                self.end(at, &lane(node), &[SpanSort::Leads, SpanSort::Campaigns]);
            }
            What::Boot(node, _) => self.end(at, &lane(node), &[SpanSort::Down]),
            What::Killed(node) => self.down("killed", at, lane(node)),
            What::PowerLost(node) => self.down("power lost", at, lane(node)),
            What::Halted(node, _) => self.down("halted", at, lane(node)),
            What::Paused(node) => self.begin(SpanSort::Paused, String::new(), at, lane(node)),
            What::Resumed(node) => self.end(at, &lane(node), &[SpanSort::Paused]),
            What::FaultBegins(detail) => self.fault(detail, at),
            What::FaultHappens(detail) => {
                self.fault(detail, at);
                self.open.pop();
            }
            What::FaultEnds(detail) => self.end_fault(at, &fault(detail)),
            _ => {}
        }
    }

    /// A campaign is over.
    fn give_up(&mut self, at: At, node: Node) {
        self.campaigns.remove(&node);
        self.end(at, &[u16::from(node.0)], &[SpanSort::Campaigns]);
    }

    fn begin(&mut self, sort: SpanSort, name: String, from: At, lanes: Vec<u16>) {
        self.open.push((self.all.len(), lanes.clone()));
        self.all.push(Span {
            sort,
            name,
            from,
            to: from,
            lanes,
        });
    }

    fn down(&mut self, name: &str, at: At, lanes: Vec<u16>) {
        let all = [
            SpanSort::Leads,
            SpanSort::Campaigns,
            SpanSort::Paused,
            SpanSort::Down,
        ];
        self.end(at, &lanes, &all);
        self.begin(SpanSort::Down, name.to_owned(), at, lanes);
    }

    fn end(&mut self, at: At, lanes: &[u16], sorts: &[SpanSort]) {
        let all = &mut self.all;
        self.open.retain(|(span, of)| {
            let ends = of == lanes && sorts.contains(&all[*span].sort);
            if ends {
                all[*span].to = at;
            }
            !ends
        });
    }

    fn fault(&mut self, detail: &str, at: At) {
        let (kind, lanes) = fault(detail);
        self.begin(SpanSort::Fault, kind, at, lanes);
    }

    /// Of two faults that are alike the one that began first ends first: which one it was is not
    /// told.
    fn end_fault(&mut self, at: At, (kind, lanes): &(String, Vec<u16>)) {
        let is_it = |span: &Span| {
            span.sort == SpanSort::Fault && span.name == *kind && span.lanes == *lanes
        };
        let found = self
            .open
            .iter()
            .position(|(span, _)| is_it(&self.all[*span]));
        if let Some(place) = found {
            let (span, _) = self.open.remove(place);
            self.all[span].to = at;
        }
    }
}

/// A fault's kind, and whom it concerns.
fn fault(detail: &str) -> (String, Vec<u16>) {
    let mut words = detail.split_whitespace();
    let kind = words.next().unwrap_or_default().to_owned();
    let number = |word: &str| word.strip_prefix('r')?.parse::<u16>().ok();
    let lanes = words.filter_map(number).filter_map(|it| it.checked_sub(1));
    (kind, lanes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use crate::trace::event::Stamp;

    #[test]
    fn what_begins_ends_or_lasts_to_the_end() {
        let node = Node(1);
        let whats = [
            What::Campaigns(Node(2), (2, 2)),
            What::Campaigns(node, (3, 1)),
            What::Leads(node, (3, 1)),
            What::FaultBegins("partition r1 r3".into()),
            What::Killed(node),
            What::FaultEnds("partition r1 r3".into()),
            What::Boot(node, 2),
            What::Paused(node),
            What::FaultHappens("bit-rot r2".into()),
        ];
        let rows: Vec<Row> = (0..)
            .zip(whats)
            .map(|(number, what)| Row {
                stamp: Stamp {
                    time: Instant(number),
                    number,
                },
                what,
            })
            .collect();
        let end = At {
            number: 99,
            time: 99,
        };
        let told: Vec<_> = spans(rows.iter(), end)
            .into_iter()
            .map(|it| (it.sort, it.name, it.from.number, it.to.number, it.lanes))
            .collect();
        let one = |sort, name: &str, from, to, lanes: &[u16]| {
            (sort, name.to_owned(), from, to, lanes.to_vec())
        };
        assert_eq!(
            told,
            [
                one(SpanSort::Campaigns, "2.r3", 0, 2, &[2]),
                one(SpanSort::Campaigns, "3.r2", 1, 2, &[1]),
                one(SpanSort::Leads, "3.r2", 2, 4, &[1]),
                one(SpanSort::Fault, "partition", 3, 5, &[0, 2]),
                one(SpanSort::Down, "killed", 4, 6, &[1]),
                one(SpanSort::Paused, "", 7, 99, &[1]),
                one(SpanSort::Fault, "bit-rot", 8, 8, &[1]),
            ]
        );
    }
}
