//! Rate profiles turn an arrival's position, in mean gaps from the start, into its due time.

use super::Gaps;
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};

/// How the rate changes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The same rate from beginning to end.
    Constant(Rate),
    /// `from` until `start`, then a straight line that reaches `to` after `length`, then `to`.
    Ramp {
        /// Rate before the ramp (the warm-up).
        from: Rate,
        /// Rate after the ramp (the guard).
        to: Rate,
        /// When the ramp begins, from the start of the schedule.
        start: Nanos,
        /// How long the ramp takes; not zero.
        length: Nanos,
    },
}

impl Profile {
    /// The due time of the arrival at `position`, which has [`Gaps::POINT`] fractional bits.
    ///
    /// A constant rate is computed in integers (128 bits hold positions up to 2^40 arrivals). A
    /// ramp inverts its cumulative rate N(t) = a t + (b - a) t^2 / 2T; the form 2N / (a + sqrt(a^2 +
    /// 2kN)) with k = (b - a) / T does not cancel when the slope is small.
    #[inline]
    pub fn due(&self, position: u128) -> Nanos {
        match *self {
            Profile::Constant(rate) => {
                let scaled = position * 1_000_000_000_000_000 / u128::from(rate.micro());
                Nanos((scaled >> Gaps::POINT) as u64)
            }
            Profile::Ramp {
                from,
                to,
                start,
                length,
            } => ramp_due(
                position as f64 / (1u64 << Gaps::POINT) as f64,
                from.as_f64(),
                to.as_f64(),
                start.as_secs_f64(),
                length.as_secs_f64(),
            ),
        }
    }
}

fn ramp_due(position: f64, from: f64, to: f64, start: f64, length: f64) -> Nanos {
    let before = from * start;
    let within = (from + to) / 2.0 * length;
    let seconds = if position <= before {
        position / from
    } else if position <= before + within {
        let count = position - before;
        let slope = (to - from) / length;
        let root = (from * from + 2.0 * slope * count).max(0.0).sqrt();
        start + 2.0 * count / (from + root)
    } else {
        start + length + (position - before - within) / to
    };
    Nanos::from_secs_f64(seconds)
}
