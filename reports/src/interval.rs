//! Exact confidence bounds for a rate that was seen as so many hits in so many runs (Clopper and
//! Pearson, 1934).
//!
//! The bounds come from the regularised incomplete beta function, inverted by bisection. Accurate
//! to about ten digits for up to 10^8 runs.

/// The two-sided 95 % interval of the rate behind `hits` in `runs`. Without runs nothing is known:
/// 0 to 1.
#[must_use]
pub fn ci95(hits: u64, runs: u64) -> (f64, f64) {
    (lower(hits, runs, 0.025), upper(hits, runs, 0.025))
}

/// The one-sided upper 95 % bound of the rate; for no hits it is 1 - 0.05^(1/runs).
#[must_use]
pub fn upper95(hits: u64, runs: u64) -> f64 {
    upper(hits, runs, 0.05)
}

/// The number of runs after which a thing of this rate was seen with probability one half: ln 2 /
/// -ln(1 - rate). None when it was never seen.
#[must_use]
pub fn median_runs(hits: u64, runs: u64) -> Option<f64> {
    match hits {
        0 => None,
        all if all >= runs => Some(1.0),
        some => Some((std::f64::consts::LN_2 / -(-(float(some) / float(runs))).ln_1p()).max(1.0)),
    }
}

fn lower(hits: u64, runs: u64, tail: f64) -> f64 {
    if hits == 0 || runs == 0 {
        0.0
    } else {
        beta_quantile(float(hits), float(runs.saturating_sub(hits)) + 1.0, tail)
    }
}

fn upper(hits: u64, runs: u64, tail: f64) -> f64 {
    match hits {
        all if all >= runs => 1.0,
        0 => -(tail.ln() / float(runs)).exp_m1(),
        some => beta_quantile(float(some) + 1.0, float(runs - some), 1.0 - tail),
    }
}

/// Counts stay far below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "a count of runs is far below 2^53"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

/// The x at which the regularised incomplete beta function reaches `p`.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if beta(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function, by its continued fraction on the side where that
/// converges fast.
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(a, b, x) / a
    } else {
        1.0 - front * continued_fraction(b, a, 1.0 - x) / b
    }
}

/// Lentz's evaluation of the continued fraction of the incomplete beta function.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    let apart = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / apart(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    let mut m = 0.0;
    for _ in 0..10_000 {
        m += 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / apart(1.0 + even * d);
        c = apart(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / apart(1.0 + odd * d);
        c = apart(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    fraction
}

/// The logarithm of the gamma function for positive arguments: Stirling's series after shifting the
/// argument above 10.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0
        - inverse
            * (1.0 / 360.0
                - inverse * (1.0 / 1260.0 - inverse * (1.0 / 1680.0 - inverse / 1188.0))))
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, known: f64) {
        assert!((found - known).abs() < 1e-6, "{found} is not {known}");
    }

    #[test]
    fn intervals_agree_with_published_values() {
        // R: binom.test(x, n)$conf.int
        for (hits, runs, low, high) in [
            (1, 10, 0.002_528_579, 0.445_016_117),
            (5, 10, 0.187_086_028, 0.812_913_972),
            (20, 400, 0.030_809_7, 0.076_163_4),
            (10, 10, 0.691_502_892, 1.0),
        ] {
            let (found_low, found_high) = ci95(hits, runs);
            assert!(
                (found_low - low).abs() < 2e-5 && (found_high - high).abs() < 2e-5,
                "{hits}/{runs}: {found_low} {found_high}"
            );
        }
    }

    #[test]
    fn no_failures_leave_the_rule_of_three() {
        close(upper95(0, 2000), 1.0 - 0.05_f64.powf(1.0 / 2000.0));
        close(upper95(0, 1), 0.95);
        close(upper95(0, 0), 1.0);
    }

    #[test]
    fn a_bound_is_where_the_binomial_tail_says() {
        // P(X <= 2 | n = 50, p) summed by hand is 5 % at the upper bound.
        let p = upper95(2, 50);
        let q: f64 = 1.0 - p;
        close(
            q.powi(50) + 50.0 * p * q.powi(49) + 1225.0 * p * p * q.powi(48),
            0.05,
        );
    }

    #[test]
    fn the_median_is_null_where_undetected_and_at_least_one() {
        assert_eq!(median_runs(0, 100), None);
        assert_eq!(median_runs(100, 100), Some(1.0));
        close(median_runs(1, 100).expect("seen once"), 68.967_563);
        assert_eq!(median_runs(90, 100), Some(1.0));
    }
}
