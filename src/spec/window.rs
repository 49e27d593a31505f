//! The phases of a run: warm-up, measured window, guard.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Where the measured window lies, in nanoseconds since the load began. The load is on from 0 to
/// `stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Window {
    /// End of the warm-up.
    pub start: Nanos,
    /// End of the measured window, start of the guard.
    pub end: Nanos,
    /// End of the guard and of the load.
    pub stop: Nanos,
}

/// The phase of a run that a moment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The load is on, the measured window has not begun.
    Warmup,
    /// The measured window.
    Window,
    /// The load is still on, the measured window is over.
    Guard,
}

impl Phase {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Warmup => "warmup",
            Phase::Window => "window",
            Phase::Guard => "guard",
        }
    }
}

impl Window {
    /// Whether `at` lies in the measured window.
    #[inline]
    pub fn contains(&self, at: Nanos) -> bool {
        self.start <= at && at < self.end
    }

    /// The length of the measured window.
    pub fn length(&self) -> Nanos {
        self.end - self.start
    }

    /// The phase of a moment.
    pub fn phase(&self, at: Nanos) -> Phase {
        if at < self.start {
            Phase::Warmup
        } else if at < self.end {
            Phase::Window
        } else {
            Phase::Guard
        }
    }

    /// The end of the one-second interval that `at` lies in. Intervals are counted from the start
    /// of the window, so that none lies across one of its ends; the last one before an end of the
    /// window or the stop may be shorter.
    pub fn interval_end(&self, at: Nanos) -> Nanos {
        let second = Nanos::SECOND.0;
        let offset = self.start.0 % second;
        let next = if at.0 < offset {
            offset
        } else {
            (at.0 - offset) / second * second + offset + second
        };
        let limit = [self.start, self.end, self.stop]
            .into_iter()
            .filter(|limit| *limit > at)
            .min();
        limit.map_or(Nanos(next), |limit| limit.min(Nanos(next)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_seconds_that_keep_to_the_windows_ends() {
        let window = Window {
            start: Nanos::from_millis(1_500),
            end: Nanos::from_millis(4_200),
            stop: Nanos::from_millis(5_000),
        };
        let mut ends = vec![];
        let mut at = Nanos::ZERO;
        while at < window.stop {
            at = window.interval_end(at);
            ends.push(at.0 / 1_000_000);
        }
        assert_eq!(ends, [500, 1_500, 2_500, 3_500, 4_200, 4_500, 5_000]);
    }
}
