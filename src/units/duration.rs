//! Points in time and lengths of time, in whole nanoseconds.

use super::BadQuantity;
use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// Nanoseconds: a length of time, or a point on a run's clock counted from its origin.
///
/// Range 0 ..= 2^64-1 (584 years). Subtraction stops at zero: an age or a lag is never negative.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// A length of zero, and the origin of a clock.
    pub const ZERO: Nanos = Nanos(0);
    /// A point in time that is never reached.
    pub const MAX: Nanos = Nanos(u64::MAX);
    /// One second.
    pub const SECOND: Nanos = Nanos(1_000_000_000);

    /// Whole microseconds as nanoseconds.
    pub const fn from_micros(micros: u64) -> Nanos {
        Nanos(micros * 1_000)
    }

    /// Whole milliseconds as nanoseconds.
    pub const fn from_millis(millis: u64) -> Nanos {
        Nanos(millis * 1_000_000)
    }

    /// Whole seconds as nanoseconds.
    pub const fn from_secs(secs: u64) -> Nanos {
        Nanos(secs * 1_000_000_000)
    }

    /// Seconds as nanoseconds, rounded; negative values and NaN become zero.
    pub fn from_secs_f64(secs: f64) -> Nanos {
        Nanos((secs * 1e9).round() as u64)
    }

    /// The length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The length as the standard library's type.
    pub const fn to_duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Whether the length is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Nanos) {
        *self = *self + other;
    }
}

impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Nanos {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl std::fmt::Display for Nanos {
    /// The shortest exact spelling that [`parse_duration`] reads back: `90s`, `1500ms`, `2us`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (amount, unit) = match self.0 {
            n if n % 1_000_000_000 == 0 => (n / 1_000_000_000, "s"),
            n if n % 1_000_000 == 0 => (n / 1_000_000, "ms"),
            n if n % 1_000 == 0 => (n / 1_000, "us"),
            n => (n, "ns"),
        };
        write!(f, "{amount}{unit}")
    }
}

const CURE: &str = "write 60s, 1m30s, 2h, 1500ms or 0.5s (a bare number is seconds)";

/// Reads `60s`, `2m`, `2h`, `90`, `1m30s`, `1500ms`, `0.5s`, `250us`, `10ns`; a bare number is seconds.
///
/// # Errors
/// [`BadQuantity`] for anything else, and for lengths beyond ten years.
pub fn parse_duration(typed: &str) -> Result<Nanos, BadQuantity> {
    let bad = || BadQuantity {
        typed: typed.to_owned(),
        quantity: "duration",
        cure: CURE,
    };
    let mut rest = typed.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let amount: f64 = rest[..digits].parse().map_err(|_| bad())?;
        let letters = rest[digits..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .map_or(rest.len(), |end| digits + end);
        let is_bare = digits == rest.len() && rest.len() == typed.trim().len();
        let unit = match &rest[digits..letters] {
            "ns" => 1.0,
            "us" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            "" if is_bare => 1e9,
            _ => return Err(bad()),
        };
        total += amount * unit;
        rest = &rest[letters..];
    }
    const TEN_YEARS: f64 = 10.0 * 365.25 * 86_400.0 * 1e9;
    if !(0.0..=TEN_YEARS).contains(&total) {
        return Err(bad());
    }
    Ok(Nanos(total.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_may_write_durations_in_every_way_wrk2_and_more() {
        for (typed, expected) in [
            ("60s", Nanos::from_secs(60)),
            ("2m", Nanos::from_secs(120)),
            ("2h", Nanos::from_secs(7200)),
            ("90", Nanos::from_secs(90)),
            ("1m30s", Nanos::from_secs(90)),
            ("1500ms", Nanos::from_millis(1500)),
            ("0.5s", Nanos::from_millis(500)),
            ("250us", Nanos::from_micros(250)),
            ("10ns", Nanos(10)),
        ] {
            assert_eq!(parse_duration(typed), Ok(expected), "{typed}");
        }
    }

    #[test]
    fn a_wrong_duration_says_how_to_write_it() {
        for typed in [
            "", "s", "-1s", "5x", "1m30", "abc", "1..5s", "NaNs", "1e99h",
        ] {
            let error = parse_duration(typed).expect_err(typed).to_string();
            assert!(error.contains("60s"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(nanos in 0u64..100_000_000_000_000) {
            prop_assert_eq!(parse_duration(&Nanos(nanos).to_string()), Ok(Nanos(nanos)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(typed in ".{0,12}") {
            let _ = parse_duration(&typed);
        }
    }
}
