//! The schedule as an iterator of due times.

use super::{ArrivalProcess, Gaps, Profile, Stripe};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// One request's place in the schedule. The due time stays with the request and is never measured again
/// after a wait, because that would bring back coordinated omission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// Index in the whole schedule, from 0.
    pub seq: u64,
    /// When the request is due, since the start of the load.
    pub due: Nanos,
}

/// Everything that determines the due times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Distribution of the gaps.
    pub process: ArrivalProcess,
    /// Rate over time.
    pub profile: Profile,
    /// Seed of the gaps. `ArrivalProcess::Fixed` does not use it.
    pub seed: u64,
}

impl Schedule {
    /// The arrivals of all workers together.
    pub fn arrivals(&self) -> Arrivals {
        self.stripe(Stripe::whole())
    }

    /// The arrivals of one worker.
    pub fn stripe(&self, stripe: Stripe) -> Arrivals {
        Arrivals {
            gaps: Gaps::new(self.process, self.seed),
            profile: self.profile,
            stripe,
            last: Nanos::ZERO,
        }
    }
}

/// An endless, monotone iterator of arrivals.
#[derive(Debug, Clone)]
pub struct Arrivals {
    gaps: Gaps,
    profile: Profile,
    stripe: Stripe,
    last: Nanos,
}

impl Iterator for Arrivals {
    type Item = Arrival;

    #[inline]
    fn next(&mut self) -> Option<Arrival> {
        loop {
            let (seq, position) = self.gaps.advance();
            if self.stripe.owns(seq) {
                // A ramp is computed in floats, whose rounding could step back by a nanosecond.
                self.last = self.profile.due(position).max(self.last);
                return Some(Arrival {
                    seq,
                    due: self.last,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rate;
    use proptest::prelude::*;

    fn schedule(process: ArrivalProcess, micro: u64) -> Schedule {
        Schedule {
            process,
            profile: Profile::Constant(Rate::from_micro(micro).expect("a rate")),
            seed: 42,
        }
    }

    fn any_process() -> impl Strategy<Value = ArrivalProcess> {
        prop_oneof![
            Just(ArrivalProcess::Fixed),
            Just(ArrivalProcess::Exp),
            Just(ArrivalProcess::Norm),
            Just(ArrivalProcess::Uniform),
            Just(ArrivalProcess::Zipf),
        ]
    }

    #[test]
    fn an_even_schedule_holds_its_rate_to_the_request() {
        for rate in [1u64, 3, 7, 800, 33_333, 100_000, 1_000_000] {
            let due_in_ten_seconds = schedule(ArrivalProcess::Fixed, rate * 1_000_000)
                .arrivals()
                .take_while(|arrival| arrival.due < Nanos::from_secs(10))
                .count() as u64;
            assert_eq!(due_in_ten_seconds, rate * 10, "{rate}/s");
        }
    }

    #[test]
    fn an_odd_rate_does_not_drift_in_a_hundred_days() {
        let profile = Profile::Constant(Rate::from_micro(33_333_333).expect("a rate"));
        let seq = 33_333_333u128 * 9;
        assert_eq!(profile.due(seq << Gaps::POINT), Nanos::from_secs(9_000_000));
    }

    #[test]
    fn fractional_rates_work() {
        let dues: Vec<_> = schedule(ArrivalProcess::Fixed, 500_000)
            .arrivals()
            .take(3)
            .map(|arrival| arrival.due)
            .collect();
        assert_eq!(
            dues,
            [Nanos::ZERO, Nanos::from_secs(2), Nanos::from_secs(4)]
        );
    }

    #[test]
    fn the_union_of_one_two_three_and_seven_workers_is_the_schedule() {
        for process in [ArrivalProcess::Fixed, ArrivalProcess::Exp] {
            let schedule = schedule(process, 1_000_000_000);
            let whole: Vec<_> = schedule.arrivals().take(5_000).collect();
            for workers in [1, 2, 3, 7] {
                let end = whole[whole.len() - 1].seq;
                let mut union: Vec<_> = (0..workers)
                    .flat_map(|worker| {
                        schedule
                            .stripe(Stripe::new(100, workers, worker))
                            .take_while(|arrival| arrival.seq <= end)
                    })
                    .collect();
                union.sort();
                assert_eq!(union, whole, "{process:?} with {workers} workers");
            }
        }
    }

    #[test]
    fn a_ramp_offers_the_mean_of_its_ends_and_keeps_them_outside() {
        let rate = |per_second| Rate::per_second(per_second).expect("a rate");
        let profile = Profile::Ramp {
            from: rate(100.0),
            to: rate(300.0),
            start: Nanos::from_secs(5),
            length: Nanos::from_secs(10),
        };
        let schedule = Schedule {
            process: ArrivalProcess::Fixed,
            profile,
            seed: 0,
        };
        let count = |from, to| {
            schedule
                .arrivals()
                .take_while(|arrival| arrival.due < Nanos::from_secs(to))
                .filter(|arrival| arrival.due >= Nanos::from_secs(from))
                .count() as i64
        };
        assert!((count(0, 5) - 500).abs() <= 1);
        assert!((count(5, 15) - 2000).abs() <= 1);
        assert!((count(15, 20) - 1500).abs() <= 1);
    }

    proptest! {
        #[test]
        fn due_times_never_go_back(process in any_process(), micro in 1_000u64..1_000_000_000_000, seed: u64) {
            let schedule = Schedule { seed, ..schedule(process, micro) };
            let dues: Vec<_> = schedule.arrivals().take(200).collect();
            prop_assert!(dues.is_sorted());
        }

        #[test]
        fn striping_loses_and_repeats_nothing(
            process in any_process(), connections in 1usize..50, workers in 1usize..9, seed: u64,
        ) {
            let schedule = Schedule { seed, ..schedule(process, 1_000_000_000) };
            let workers = workers.min(connections);
            let mut union: Vec<_> = (0..workers)
                .flat_map(|worker| {
                    let stripe = Stripe::new(connections, workers, worker);
                    schedule.stripe(stripe).take_while(|arrival| arrival.seq < 300)
                })
                .collect();
            union.sort();
            prop_assert_eq!(union, schedule.arrivals().take(300).collect::<Vec<_>>());
        }

        #[test]
        fn slots_are_shared_out_evenly_and_completely(total in 0usize..1000, workers in 1usize..20) {
            let shares: Vec<_> = (0..workers)
                .map(|worker| Stripe::new(workers, workers, worker).share_of(total))
                .collect();
            prop_assert_eq!(shares.iter().sum::<usize>(), total);
            let (least, most) = (shares.iter().min(), shares.iter().max());
            prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1));
        }
    }
}
