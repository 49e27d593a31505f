//! How far a node's clock is ahead of the generator's, estimated from the kubelet's answers.
//!
//! A kubelet writes its answer between the moments `sent` and `received` of the generator's clock. The
//! answer has a `Date` header in whole seconds, so the node's clock showed a time in [date, date + 1 s) at
//! that moment. A sample in the answer was taken before the answer was received. Each answer thus narrows
//! the interval in which the offset lies. Answers at different fractions of a second narrow it to some tens
//! of milliseconds.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// The interval in which the offset (the node's clock minus the generator's) lies, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClockOffset {
    pub least_ns: i64,
    pub most_ns: i64,
    /// The number of times at which an answer contradicted those before it, because a clock was set.
    pub steps: u64,
}

/// The contradiction between answers, in nanoseconds, up to which it is drift and not a clock that was set.
/// Clocks of computers drift apart by about 20 us in a second at worst, which adds up over a run of minutes.
const MOST_DRIFT: i64 = 5_000_000;

impl ClockOffset {
    /// The interval that follows from one answer. All moments are nanoseconds since 1970: `sent` and
    /// `received` by the generator's clock, and `date`, a whole second, by the node's.
    pub fn of_date(sent: Nanos, received: Nanos, date: Nanos) -> ClockOffset {
        ClockOffset {
            least_ns: difference(date, received),
            most_ns: difference(date + Nanos::SECOND, sent),
            steps: 0,
        }
    }

    /// Narrows the interval by that of another answer. An answer that contradicts the interval by more
    /// than drift explains replaces it.
    pub fn narrow(&mut self, other: ClockOffset) {
        let least = self.least_ns.max(other.least_ns);
        let most = self.most_ns.min(other.most_ns);
        if least <= most {
            (self.least_ns, self.most_ns) = (least, most);
        } else if least - most <= MOST_DRIFT {
            (self.least_ns, self.most_ns) = (most, least);
        } else {
            *self = ClockOffset {
                steps: self.steps + 1,
                ..other
            };
        }
    }

    /// Narrows the interval by a sample that was taken at `stamp` by the node's clock and received at
    /// `received` by the generator's.
    pub fn narrow_by_stamp(&mut self, stamp: Nanos, received: Nanos) {
        let least = difference(stamp, received);
        if least > self.least_ns && least <= self.most_ns {
            self.least_ns = least;
        }
    }

    /// The middle of the interval, in nanoseconds.
    pub fn estimate(&self) -> i64 {
        self.least_ns / 2 + self.most_ns / 2
    }

    /// Half of the length of the interval, in nanoseconds: the largest error of the estimate.
    pub fn uncertainty(&self) -> i64 {
        self.most_ns.saturating_sub(self.least_ns) / 2
    }

    /// Converts a moment of the node's clock to one of the generator's clock.
    pub fn to_generator(&self, stamp: Nanos) -> Nanos {
        Nanos(
            stamp
                .0
                .saturating_add_signed(self.estimate().saturating_neg()),
        )
    }
}

fn difference(one: Nanos, other: Nanos) -> i64 {
    (i128::from(one.0) - i128::from(other.0)).clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
