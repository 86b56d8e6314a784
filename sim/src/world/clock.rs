//! A node's clocks: one oscillator that runs a little fast or slow, a monotonic clock that counts
//! it from boot, and a wall clock that may also jump.
//!
//! Integers only, exact both ways: `true_time(mono)` is the first true instant at which the
//! monotonic clock shows at least `mono`.

use crate::plan;
use crate::subject::process::Now;
use crate::time::Instant;

const MILLION: u64 = 1_000_000;

/// The wall clock's reading at true time 0 without an offset: 2024-01-01T00:00:00Z.
pub const EPOCH: u64 = 1_704_067_200_000_000_000;

/// The clocks of one node.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Ticks in a million nanoseconds of true time.
    rate: u64,
    /// The rate holds from here on.
    anchor: Instant,
    /// The oscillator's count at the anchor.
    ticks: u64,
    /// The oscillator's count at boot.
    booted: u64,
    /// The wall clock, beyond epoch plus oscillator.
    offset: i64,
}

impl Clock {
    /// The clocks that the plan gives a node, at true time 0.
    #[must_use]
    pub fn new(plan: plan::Clock) -> Self {
        Self {
            rate: rate(plan.drift),
            anchor: Instant(0),
            ticks: 0,
            booted: 0,
            offset: plan.offset,
        }
    }

    fn ticks(&self, at: Instant) -> u64 {
        let elapsed = (at - self.anchor).0;
        if self.rate == MILLION {
            return self.ticks.saturating_add(elapsed);
        }
        let (whole, rest) = (elapsed / MILLION, elapsed % MILLION);
        self.ticks
            .saturating_add(whole.saturating_mul(self.rate))
            .saturating_add(rest * self.rate / MILLION)
    }

    /// What the node reads at this instant.
    #[must_use]
    pub fn now(&self, at: Instant) -> Now {
        let ticks = self.ticks(at);
        Now {
            mono: ticks.saturating_sub(self.booted),
            wall: EPOCH
                .saturating_add(ticks)
                .saturating_add_signed(self.offset),
        }
    }

    /// The first instant from the anchor on at which the monotonic clock shows at least `mono`.
    #[must_use]
    pub fn true_time(&self, mono: u64) -> Instant {
        let missing = mono.saturating_add(self.booted).saturating_sub(self.ticks);
        let elapsed = if self.rate == MILLION {
            missing
        } else {
            let (whole, rest) = (missing / self.rate, missing % self.rate);
            whole
                .saturating_mul(MILLION)
                .saturating_add((rest * MILLION).div_ceil(self.rate))
        };
        Instant(self.anchor.0.saturating_add(elapsed))
    }

    /// The monotonic clock starts again from 0.
    pub fn boot(&mut self, at: Instant) {
        self.booted = self.ticks(at);
    }

    /// The rate changes; nothing jumps.
    pub fn drift(&mut self, at: Instant, ppm: i32) {
        self.ticks = self.ticks(at);
        self.anchor = at;
        self.rate = rate(ppm);
    }

    /// The wall clock jumps.
    pub const fn jump(&mut self, by: i64) {
        self.offset = self.offset.saturating_add(by);
    }
}

/// No oscillator is wrong by more than half.
fn rate(ppm: i32) -> u64 {
    MILLION.saturating_add_signed(i64::from(ppm.clamp(-500_000, 500_000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn true_time_is_the_first_instant_that_shows_it(
            drift in -500_000i32..=500_000, later in -500_000i32..=500_000,
            turn in 0u64..1 << 40, boot in 0u64..1 << 41, mono in 0u64..1 << 42,
        ) {
            let mut clock = Clock::new(plan::Clock { drift, offset: 5 });
            clock.drift(Instant(turn), later);
            let boot = Instant(turn + boot);
            clock.boot(boot);
            prop_assert_eq!(clock.now(boot).mono, 0);
            let at = clock.true_time(mono);
            prop_assert!(clock.now(at).mono >= mono);
            prop_assert!(at.0 <= turn || clock.now(Instant(at.0 - 1)).mono < mono || at <= boot);
        }
    }

    #[test]
    fn the_wall_clock_jumps_and_the_monotonic_one_does_not() {
        let mut clock = Clock::new(plan::Clock {
            drift: 100,
            offset: -7,
        });
        let before = clock.now(Instant(MILLION));
        assert_eq!(
            before,
            Now {
                mono: MILLION + 100,
                wall: EPOCH + MILLION + 93
            }
        );
        clock.jump(-1000);
        assert_eq!(
            clock.now(Instant(MILLION)),
            Now {
                wall: before.wall - 1000,
                ..before
            }
        );
    }
}
