//! How long clients waited, over many runs: quantiles of a histogram with three significant digits
//! (HdrHistogram, Tene).

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Quantiles, in microseconds of simulated time, each at most 0.1 % too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Waits {
    /// Answers.
    pub count: u64,
    /// Half of them came within this.
    pub p50: u64,
    /// 99 of a hundred.
    pub p99: u64,
    /// 999 of a thousand.
    pub p999: u64,
    /// All.
    pub max: u64,
}

/// Collects waits.
#[derive(Clone)]
pub struct Collected(Histogram<u64>);

impl Default for Collected {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Collected {
    /// Adds waits.
    pub fn add(&mut self, waits: &[u64]) {
        waits.iter().for_each(|wait| self.0 += *wait);
    }

    /// Adds others.
    pub fn join(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// What they add up to.
    #[must_use]
    pub fn waits(&self) -> Waits {
        Waits {
            count: self.0.len(),
            p50: self.0.value_at_quantile(0.5),
            p99: self.0.value_at_quantile(0.99),
            p999: self.0.value_at_quantile(0.999),
            max: self.0.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_all_that_was_collected() {
        let [mut one, mut two] = [Collected::default(), Collected::default()];
        assert_eq!(one.waits(), Waits::default());
        one.add(&(1..=500).collect::<Vec<_>>());
        two.add(&(501..=1000).collect::<Vec<_>>());
        one.join(&two);
        let expected = Waits {
            count: 1000,
            p50: 500,
            p99: 990,
            p999: 999,
            max: 1000,
        };
        assert_eq!(one.waits(), expected);
        one.add(&[60_000_000]);
        assert!((60_000_000..=60_060_000).contains(&one.waits().max));
    }
}
