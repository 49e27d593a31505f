//! How long a request takes when nothing is in its way: the distribution and its spelling.

use crate::units::{BadQuantity, Nanos, parse_duration};
use rand::SeedableRng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fmt;
use std::str::FromStr;

/// The 0.99 quantile of the standard normal distribution: how many sigmas lie between median and
/// p99 of a log-normal one, on the scale of logarithms.
const Z99: f64 = 2.326_347_874_040_841;

/// The distribution of the time from a request's arrival to its reply.
///
/// Written `constant:2ms`, `exp:2ms` (the mean) or `lognormal:2ms,20ms` (the median and the 99th
/// percentile). `constant:0` answers at once, without any timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceTime {
    /// Always the same; zero means no wait at all.
    Constant(Nanos),
    /// Exponential: memoryless, its standard deviation is its mean.
    Exponential {
        /// The mean, above zero.
        mean: Nanos,
    },
    /// Log-normal: mostly near the median, with the long tail of real services.
    LogNormal {
        /// Half of the requests take longer; above zero.
        median: Nanos,
        /// One in a hundred takes longer; not below the median.
        p99: Nanos,
    },
}

impl Default for ServiceTime {
    /// `lognormal:2ms,12ms`: an unloaded frontend with its services on the same node.
    fn default() -> ServiceTime {
        ServiceTime::LogNormal {
            median: Nanos::from_millis(2),
            p99: Nanos::from_millis(12),
        }
    }
}

impl fmt::Display for ServiceTime {
    /// The spelling that [`FromStr`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceTime::Constant(length) => write!(f, "constant:{length}"),
            ServiceTime::Exponential { mean } => write!(f, "exp:{mean}"),
            ServiceTime::LogNormal { median, p99 } => write!(f, "lognormal:{median},{p99}"),
        }
    }
}

impl FromStr for ServiceTime {
    type Err = BadQuantity;

    /// # Errors
    /// [`BadQuantity`] for another spelling, for a mean or median of zero, and for a p99 below
    /// the median.
    fn from_str(typed: &str) -> Result<ServiceTime, BadQuantity> {
        read(typed).ok_or_else(|| BadQuantity {
            typed: typed.to_owned(),
            quantity: "service time",
            cure: "write constant:2ms (constant:0 for none), exp:2ms (the mean, above 0) or \
                   lognormal:2ms,20ms (median above 0, and p99 not below it)",
        })
    }
}

fn read(typed: &str) -> Option<ServiceTime> {
    let (kind, lengths) = typed.trim().split_once(':')?;
    match kind {
        "constant" => Some(ServiceTime::Constant(parse_duration(lengths).ok()?)),
        "exp" => {
            let mean = parse_duration(lengths).ok()?;
            (!mean.is_zero()).then_some(ServiceTime::Exponential { mean })
        }
        "lognormal" => {
            let (median, p99) = lengths.split_once(',')?;
            let (median, p99) = (parse_duration(median).ok()?, parse_duration(p99).ok()?);
            (!median.is_zero() && p99 >= median).then_some(ServiceTime::LogNormal { median, p99 })
        }
        _ => None,
    }
}

/// An endless sequence of service times; the same seed gives the same sequence.
pub(super) struct ServiceTimes {
    distribution: ServiceTime,
    rng: Xoshiro256PlusPlus,
}

impl ServiceTimes {
    pub(super) fn new(distribution: ServiceTime, seed: u64) -> ServiceTimes {
        ServiceTimes {
            distribution,
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// The service time of the next request.
    pub(super) fn draw(&mut self) -> Nanos {
        match self.distribution {
            ServiceTime::Constant(length) => length,
            ServiceTime::Exponential { mean } => {
                let draw: f64 = Exp1.sample(&mut self.rng);
                Nanos::from_secs_f64(mean.as_secs_f64() * draw)
            }
            ServiceTime::LogNormal { median, p99 } => {
                let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / Z99;
                let draw: f64 = StandardNormal.sample(&mut self.rng);
                Nanos::from_secs_f64(median.as_secs_f64() * (sigma * draw).exp())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(typed: &str, seed: u64) -> Vec<f64> {
        let mut times = ServiceTimes::new(typed.parse().unwrap(), seed);
        (0..20_000).map(|_| times.draw().as_secs_f64()).collect()
    }

    fn quantile(mut draws: Vec<f64>, share: f64) -> f64 {
        draws.sort_by(f64::total_cmp);
        draws[(draws.len() as f64 * share) as usize]
    }

    fn near(measured: f64, expected: f64, margin: f64) {
        let off = (measured / expected - 1.0).abs();
        assert!(off < margin, "{measured} is not near {expected}");
    }

    #[test]
    fn every_spelling_is_shown_as_it_was_typed() {
        for typed in [
            "constant:0s",
            "constant:2ms",
            "exp:1500us",
            "lognormal:2ms,20ms",
            "lognormal:2ms,2ms",
        ] {
            let service_time: ServiceTime = typed.parse().expect(typed);
            assert_eq!(service_time.to_string(), typed);
        }
        assert_eq!("constant:0".parse(), Ok(ServiceTime::Constant(Nanos::ZERO)));
        assert_eq!(ServiceTime::default().to_string(), "lognormal:2ms,12ms");
    }

    #[test]
    fn a_wrong_service_time_says_how_to_write_it() {
        for typed in [
            "",
            "2ms",
            "constant",
            "constant:",
            "constant:x",
            "exp:0",
            "exp:-1ms",
            "lognormal:2ms",
            "lognormal:0,1ms",
            "lognormal:20ms,2ms",
            "pareto:2ms",
        ] {
            let error = typed.parse::<ServiceTime>().expect_err(typed).to_string();
            assert!(error.contains("lognormal:2ms,20ms"), "{error}");
        }
    }

    #[test]
    fn constant_times_never_vary() {
        assert!(draws("constant:2ms", 1).iter().all(|draw| *draw == 0.002));
    }

    #[test]
    fn exponential_times_have_the_mean_that_was_asked_for() {
        let draws = draws("exp:2ms", 1);
        near(draws.iter().sum::<f64>() / draws.len() as f64, 0.002, 0.05);
        near(quantile(draws, 0.5), 0.002 * 2f64.ln(), 0.05);
    }

    #[test]
    fn log_normal_times_have_the_median_and_the_p99_that_were_asked_for() {
        let draws = draws("lognormal:2ms,20ms", 1);
        let sigma = 10f64.ln() / Z99;
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        near(mean, 0.002 * (sigma * sigma / 2.0).exp(), 0.1);
        near(quantile(draws.clone(), 0.5), 0.002, 0.05);
        near(quantile(draws, 0.99), 0.020, 0.15);
    }

    #[test]
    fn a_seed_repeats_its_times_and_another_seed_has_others() {
        assert_eq!(draws("exp:2ms", 5), draws("exp:2ms", 5));
        assert_ne!(draws("exp:2ms", 5), draws("exp:2ms", 6));
    }
}
