//! What is left of a plan, labelled by trying: a fault or a setting is *needed* when the file without
//! it does not fail so, and an amount is *free* as far as others in its place do.
//!
//! A fault that turns out not to be needed is taken out, and all is tried anew.

use crate::shrink::amounts::{Amount, Kind};
use crate::shrink::brief::Brief;
use crate::shrink::search::Search;

/// A label of what the run does not fail without.
pub const NEEDED: &str = "  # needed";
/// A label of what was not tried because the budget was spent.
const UNTRIED: &str = "  # not tried: the budget was spent";

impl Search<'_> {
    /// The file of the best plan, each line of which says whether it is needed.
    pub fn labelled(&mut self) -> Brief {
        self.roomier();
        let mut brief = self.case.scribe.brief(&self.best);
        while let Some(smaller) = self.one_less(&brief) {
            brief = smaller;
        }
        let mut labelled = brief.clone();
        for block in brief.blocks() {
            let label = self.needs(&brief.without_block(&block));
            labelled.lists[block.start].push_str(label);
        }
        let amounts = Amount::all(&brief);
        for (line, (place, _)) in brief.settings.iter().enumerate() {
            if !amounts
                .iter()
                .any(|amount| !amount.listed && amount.line == line)
            {
                let label = self.needs(&brief.without(|other| other == place));
                labelled.settings[line].1.push_str(label);
            }
        }
        let mut last = None;
        for amount in &amounts {
            let at = (amount.listed, amount.line);
            let begins = if last == Some(at) { "; " } else { "  # " };
            last = Some(at);
            let label = self.range(&brief, amount);
            let line = if amount.listed {
                &mut labelled.lists[amount.line]
            } else {
                &mut labelled.settings[amount.line].1
            };
            // Several in a line go by their keys.
            let several = amounts
                .iter()
                .filter(|other| (other.listed, other.line) == at)
                .count()
                > 1;
            let name = if several {
                format!("{} ", amount.key)
            } else {
                String::new()
            };
            line.push_str(&format!("{begins}{name}{label}"));
        }
        labelled
    }

    /// The file without one of its faults, steps or single decisions, if that still fails so.
    fn one_less(&mut self, brief: &Brief) -> Option<Brief> {
        let blocks = brief.blocks().into_iter();
        let candidates: Vec<_> = blocks
            .map(|block| brief.without_block(&block).into())
            .collect();
        self.take(&candidates)?;
        Some(self.case.scribe.brief(&self.best))
    }

    fn needs(&mut self, without: &Brief) -> &'static str {
        match self.tried(without) {
            Some(false) => NEEDED,
            Some(true) => "  # free: without it, it fails as well",
            None => UNTRIED,
        }
    }

    /// Amounts go to the middle of what fails around them, where a small change of the engine, or of
    /// another amount, does not make the run pass.
    fn roomier(&mut self) {
        let mut place = 0;
        loop {
            let brief = self.case.scribe.brief(&self.best);
            let amounts = Amount::all(&brief);
            let Some(amount) = amounts.get(place) else {
                return;
            };
            place += 1;
            if amount.kind == Kind::Count || self.case.is_over() {
                continue;
            }
            let Some((ends, _)) = self.ends(&brief, amount) else {
                continue;
            };
            let Some(middle) = amount.middle(ends) else {
                continue;
            };
            let moved = amount.set(&brief, middle);
            if let Some((plan, record)) = self.case.anew(&moved.into())
                && self.case.meets(&plan, &record)
            {
                (self.best, self.record) = (plan, record);
                (self.told)(&self.best, &self.case);
            }
        }
    }

    /// Whether this file fails so; none when the budget is spent. One that cannot be read does not.
    fn tried(&mut self, brief: &Brief) -> Option<bool> {
        if self.case.is_over() {
            return None;
        }
        let tried = self.case.anew(&brief.clone().into());
        Some(tried.is_some_and(|(plan, record)| self.case.meets(&plan, &record)))
    }

    /// How far an amount can go either way, in a few steps, as long as the run fails so.
    fn range(&mut self, brief: &Brief, amount: &Amount) -> String {
        let Some((ends, beyond)) = self.ends(brief, amount) else {
            return UNTRIED.trim_start_matches("  # ").to_owned();
        };
        let [low, high] = ends.map(|end| amount.shown(end));
        if ends == [amount.value; 2] && !beyond.is_empty() {
            format!("needed: not {}", beyond.join(", nor "))
        } else {
            format!("free: {low} to {high} fail")
        }
    }

    /// The least and the most that fail, and what is beyond them; none when the budget is spent.
    fn ends(&mut self, brief: &Brief, amount: &Amount) -> Option<([i64; 2], Vec<String>)> {
        let mut ends = [amount.value; 2];
        let mut beyond = Vec::new();
        for (end, values) in ends.iter_mut().zip([amount.less(), amount.more()]) {
            for value in values {
                let moved = amount.set(brief, value);
                // Beyond what the format allows there is nothing to try.
                if self.case.scribe.read(&moved.text()).is_none() {
                    break;
                }
                if !self.tried(&moved)? {
                    beyond.push(amount.shown(value));
                    break;
                }
                *end = value;
            }
        }
        Some((ends, beyond))
    }
}
