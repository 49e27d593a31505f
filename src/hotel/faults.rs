//! Faults on demand: a freeze, failing replies, a bounded capacity, closed connections.
//!
//! This file only decides; the frontend carries the decisions out.

use crate::units::{BadQuantity, Nanos, Rate, parse_duration};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fmt;
use std::str::FromStr;

/// A freeze of the whole server: nothing is accepted, read or answered. Written `1s@5s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// How long the freeze lasts; above zero.
    pub length: Nanos,
    /// When the freeze begins, since the arrival of the first request.
    pub after: Nanos,
}

impl fmt::Display for Stall {
    /// The spelling that [`FromStr`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.length, self.after)
    }
}

impl FromStr for Stall {
    type Err = BadQuantity;

    /// # Errors
    /// [`BadQuantity`] for another spelling and for a length of zero.
    fn from_str(typed: &str) -> Result<Stall, BadQuantity> {
        let read = || {
            let (length, after) = typed.trim().split_once('@')?;
            let length = parse_duration(length).ok()?;
            let after = parse_duration(after).ok()?;
            (!length.is_zero()).then_some(Stall { length, after })
        };
        read().ok_or_else(|| BadQuantity {
            typed: typed.to_owned(),
            quantity: "stall",
            cure: "write LENGTH@AFTER, such as 1s@5s to freeze for 1 s, 5 s after the first request",
        })
    }
}

/// Reads a share of requests, 0 ..= 1: `0.1%` or `0.001`.
///
/// # Errors
/// [`BadQuantity`] for anything else, and for shares outside 0 ..= 1.
pub fn parse_share(typed: &str) -> Result<f64, BadQuantity> {
    let text = typed.trim();
    let (digits, whole) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    let is_plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    digits
        .parse()
        .ok()
        .map(|amount: f64| amount / whole)
        .filter(|share| is_plain && (0.0..=1.0).contains(share))
        .ok_or_else(|| BadQuantity {
            typed: typed.to_owned(),
            quantity: "share",
            cure: "write a share from 0% to 100%, such as 0.1% or 0.001",
        })
}

/// Decides which requests fail. The same seed makes the same requests fail.
pub(super) struct Failures {
    share: f64,
    rng: Xoshiro256PlusPlus,
}

impl Failures {
    /// Failures of this share of requests, clamped to 0 ..= 1; NaN is 0.
    pub(super) fn new(share: f64, seed: u64) -> Failures {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        // The service times draw from the same seed: far away from there, so that slow requests
        // and failing ones have nothing to do with each other.
        rng.long_jump();
        Failures {
            share: share.clamp(0.0, 1.0),
            rng,
        }
    }

    /// Whether the next request fails.
    pub(super) fn strike(&mut self) -> bool {
        self.share > 0.0 && self.rng.random_bool(self.share)
    }
}

/// A single server with a queue: each request occupies it for the same time, one after the other.
///
/// Beyond its capacity the queue, and with it the latency, grows without bound.
pub(super) struct Bottleneck {
    occupancy: Nanos,
    free_at: Nanos,
}

impl Bottleneck {
    /// An idle server that handles `capacity` requests per second.
    pub(super) fn new(capacity: Rate) -> Bottleneck {
        Bottleneck {
            occupancy: Nanos::from_secs_f64(1.0 / capacity.as_f64()),
            free_at: Nanos::ZERO,
        }
    }

    /// When the server is done with a request that arrives now. Arrivals never go back in time.
    pub(super) fn pass(&mut self, arrival: Nanos) -> Nanos {
        self.free_at = self.free_at.max(arrival) + self.occupancy;
        self.free_at
    }
}

/// Counts the replies on one connection and decides which of them closes it.
pub(super) struct Closing {
    every: Option<u64>,
    replies: u64,
}

impl Closing {
    /// Closes the connection with every `every`-th reply; `None` and zero never do.
    pub(super) fn new(every: Option<u64>) -> Closing {
        Closing { every, replies: 0 }
    }

    /// Whether the connection ends with the next reply.
    pub(super) fn next_is_last(&mut self) -> bool {
        self.replies += 1;
        self.every
            .is_some_and(|every| self.replies.is_multiple_of(every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_shown_as_it_was_typed() {
        for typed in ["1s@5s", "250ms@0s", "1500us@90s"] {
            assert_eq!(typed.parse::<Stall>().expect(typed).to_string(), typed);
        }
        let stall = Stall {
            length: Nanos::SECOND,
            after: Nanos::from_secs(5),
        };
        assert_eq!("1@5".parse(), Ok(stall));
    }

    #[test]
    fn a_wrong_stall_says_how_to_write_it() {
        for typed in ["", "1s", "@", "1s@", "@5s", "0@5s", "1s@5s@6s", "1s at 5s"] {
            let error = typed.parse::<Stall>().expect_err(typed).to_string();
            assert!(error.contains("1s@5s"), "{error}");
        }
    }

    #[test]
    fn a_share_may_be_a_percentage_or_a_fraction() {
        for (typed, share) in [
            ("0.1%", 0.001),
            ("0.001", 0.001),
            ("0", 0.0),
            ("1", 1.0),
            ("100%", 1.0),
            (" 5% ", 0.05),
        ] {
            assert_eq!(parse_share(typed), Ok(share), "{typed}");
        }
    }

    #[test]
    fn a_wrong_share_says_how_to_write_it() {
        for typed in ["", "%", "2", "101%", "-1%", "abc", "NaN", "1e-3", "0.1 %%"] {
            let error = parse_share(typed).expect_err(typed).to_string();
            assert!(error.contains("0.1%"), "{error}");
        }
    }

    fn strikes(share: f64, seed: u64) -> Vec<bool> {
        let mut failures = Failures::new(share, seed);
        (0..20_000).map(|_| failures.strike()).collect()
    }

    #[test]
    fn the_share_that_was_asked_for_fails_and_the_seed_says_which() {
        let failed = strikes(0.1, 1).iter().filter(|failed| **failed).count();
        assert!((1_700..2_300).contains(&failed), "{failed}");
        assert_eq!(strikes(0.1, 1), strikes(0.1, 1));
        assert_ne!(strikes(0.1, 1), strikes(0.1, 2));
    }

    #[test]
    fn none_or_all_fail_when_that_was_asked_for() {
        for none in [0.0, -1.0, f64::NAN] {
            assert!(!strikes(none, 1).contains(&true), "{none}");
        }
        for all in [1.0, 7.0] {
            assert!(!strikes(all, 1).contains(&false), "{all}");
        }
    }

    fn bottleneck() -> Bottleneck {
        Bottleneck::new(Rate::per_second(400.0).unwrap())
    }

    #[test]
    fn an_idle_bottleneck_takes_one_turn() {
        let mut bottleneck = bottleneck();
        let turn = Nanos::from_micros(2_500);
        assert_eq!(bottleneck.pass(Nanos::SECOND), Nanos::SECOND + turn);
        let later = Nanos::from_secs(2);
        assert_eq!(bottleneck.pass(later), later + turn);
    }

    #[test]
    fn beyond_its_capacity_the_wait_grows_without_bound() {
        let mut bottleneck = bottleneck();
        // Twice the capacity for ten seconds: the last one waits for some ten seconds.
        let mut done = Nanos::ZERO;
        for request in 0..8_000 {
            done = bottleneck.pass(Nanos::from_micros(request * 1_250));
        }
        assert_eq!(done, Nanos::from_secs(20));
    }

    #[test]
    fn each_third_reply_closes_the_connection() {
        let mut closing = Closing::new(Some(3));
        let ends: Vec<bool> = (0..6).map(|_| closing.next_is_last()).collect();
        assert_eq!(ends, [false, false, true, false, false, true]);
        for never in [None, Some(0)] {
            let mut closing = Closing::new(never);
            assert!(!(0..9).any(|_| closing.next_is_last()));
        }
    }
}
