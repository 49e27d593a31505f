//! How far a node's clock is ahead of ours, from what its answers must mean.
//!
//! An answer that was asked for at `sent` and had come at `received` was made in between. It carries
//! a `Date` in whole seconds, so the node's clock then stood in [date, date + 1 s). A sample in it
//! cannot have been taken after it was sent. Each answer narrows the interval in which the offset
//! lies; answers at different fractions of a second narrow it to some tens of milliseconds.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Where the offset (node's clock minus ours) must lie, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClockOffset {
    /// At least.
    pub least_ns: i64,
    /// At most.
    pub most_ns: i64,
    /// How often an answer contradicted those before: a clock was set.
    pub steps: u64,
}

/// Clocks of computers drift apart by some 20 us in a second at worst; over a run of minutes this
/// much disagreement is drift, not a clock that was set.
const DRIFT: i64 = 5_000_000;

impl ClockOffset {
    /// What one answer says. All in nanoseconds since 1970; `date` is a whole second.
    pub fn of_date(sent: Nanos, received: Nanos, date: Nanos) -> ClockOffset {
        ClockOffset {
            least_ns: difference(date, received),
            most_ns: difference(date + Nanos::SECOND, sent),
            steps: 0,
        }
    }

    /// Brings in another answer.
    pub fn narrow(&mut self, other: ClockOffset) {
        let least = self.least_ns.max(other.least_ns);
        let most = self.most_ns.min(other.most_ns);
        if least <= most {
            (self.least_ns, self.most_ns) = (least, most);
        } else if least - most <= DRIFT {
            (self.least_ns, self.most_ns) = (most, least);
        } else {
            *self = ClockOffset {
                steps: self.steps + 1,
                ..other
            };
        }
    }

    /// Brings in a sample whose stamp says that it was taken at `stamp` by the node's clock and
    /// that was here at `received`.
    pub fn narrow_by_stamp(&mut self, stamp: Nanos, received: Nanos) {
        let least = difference(stamp, received);
        if least > self.least_ns && least <= self.most_ns {
            self.least_ns = least;
        }
    }

    /// The middle of what is possible.
    pub fn estimate(&self) -> i64 {
        self.least_ns / 2 + self.most_ns / 2
    }

    /// Half of the width of what is possible.
    pub fn uncertainty(&self) -> i64 {
        self.most_ns.saturating_sub(self.least_ns) / 2
    }

    /// A moment of the node's clock on ours.
    pub fn to_ours(&self, stamp: Nanos) -> Nanos {
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
