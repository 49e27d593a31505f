//! Requests per second, held as a whole number of millionths so that schedules can be computed in integers.

use super::BadQuantity;
use serde::{Deserialize, Serialize};

/// A rate in requests per second, exact to one millionth of a request per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(from = "f64", into = "f64")
)]
pub struct Rate {
    micro: u64,
}

impl Rate {
    /// The largest rate, ten million requests per second.
    pub const MAX: Rate = Rate {
        micro: 10_000_000_000_000,
    };

    /// A rate from millionths of a request per second; `None` for zero and above [`Rate::MAX`].
    pub fn from_micro(micro: u64) -> Option<Rate> {
        (micro > 0 && micro <= Rate::MAX.micro).then_some(Rate { micro })
    }

    /// A rate from requests per second, rounded to a millionth; `None` outside (0, ten million].
    pub fn per_second(rate: f64) -> Option<Rate> {
        if rate.is_finite() {
            Rate::from_micro((rate * 1e6).round() as u64)
        } else {
            None
        }
    }

    /// The rate that is nearest to so many requests per second, which may be 0: a closed loop that
    /// finished nothing has a place among other steps, too.
    pub fn nearest(rate: f64) -> Rate {
        let micro = (rate * 1e6).round().clamp(1.0, Rate::MAX.micro as f64);
        Rate {
            micro: micro as u64,
        }
    }

    /// The rate in millionths of a request per second.
    pub const fn micro(self) -> u64 {
        self.micro
    }

    /// The rate in requests per second.
    pub fn as_f64(self) -> f64 {
        self.micro as f64 / 1e6
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        let rate = f64::deserialize(deserializer)?;
        Rate::per_second(rate).ok_or_else(|| serde::de::Error::custom("rate out of range"))
    }
}

/// Reads `800`, `0.5`, `1k`, `2.5M`, `400/s`.
///
/// # Errors
/// [`BadQuantity`] for anything else, for zero, and for more than ten million per second.
pub fn parse_rate(typed: &str) -> Result<Rate, BadQuantity> {
    let bad = || BadQuantity {
        typed: typed.to_owned(),
        quantity: "rate",
        cure: "write requests per second above 0 and up to 10M, such as 800, 0.5, 20k or 1M",
    };
    let text = typed.trim();
    let text = text.strip_suffix("/s").unwrap_or(text);
    let (digits, scale) = match text.char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 1e3),
        Some((end, 'M')) => (&text[..end], 1e6),
        _ => (text, 1.0),
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let amount: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(bad)?;
    Rate::per_second(amount * scale).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_may_be_fractions_and_carry_a_scale() {
        for (typed, micro) in [
            ("800", 800_000_000),
            ("0.5", 500_000),
            ("1k", 1_000_000_000),
            ("1M", 1_000_000_000_000),
            ("33.333333", 33_333_333),
            ("400/s", 400_000_000),
        ] {
            assert_eq!(parse_rate(typed).map(Rate::micro), Ok(micro), "{typed}");
        }
    }

    #[test]
    fn whatever_was_finished_has_a_nearest_rate() {
        for (rate, micro) in [
            (0.0, 1),
            (-5.0, 1),
            (1.5, 1_500_000),
            (1e30, Rate::MAX.micro()),
        ] {
            assert_eq!(Rate::nearest(rate).micro(), micro, "{rate}");
        }
    }

    #[test]
    fn a_wrong_rate_says_how_to_write_it() {
        for typed in ["", "0", "-5", "abc", "1e3", "11M", "k", "1.2.3", "inf", "é"] {
            let error = parse_rate(typed).expect_err(typed).to_string();
            assert!(error.contains("requests per second"), "{error}");
        }
    }
}
