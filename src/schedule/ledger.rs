//! Counts how many arrivals were due, from the schedule alone.
//!
//! The ledger does not depend on the workers that serve the arrivals, so their reports can be checked
//! against it.

use super::{Arrival, Arrivals, Schedule, Stripe};
use crate::units::Nanos;
use std::iter::Peekable;

/// Counts due arrivals as time passes. Arrivals of a stopped worker do not count any more.
#[derive(Debug, Clone)]
pub struct Ledger {
    arrivals: Peekable<Arrivals>,
    stripe: Stripe,
    stopped: Vec<Nanos>,
}

impl Ledger {
    /// A ledger of the whole schedule, divided among `workers` with `connections` slots in all.
    pub fn new(schedule: &Schedule, connections: usize, workers: usize) -> Ledger {
        Ledger {
            arrivals: schedule.arrivals().peekable(),
            stripe: Stripe::new(connections, workers, 0),
            stopped: vec![Nanos::MAX; workers],
        }
    }

    /// Stops counting arrivals of `worker` that are due at `at` or later.
    pub fn stop(&mut self, worker: usize, at: Nanos) {
        if let Some(stopped) = self.stopped.get_mut(worker) {
            *stopped = at.min(*stopped);
        }
    }

    /// How many arrivals were due since the last call and before `until`.
    pub fn due_before(&mut self, until: Nanos) -> u64 {
        let mut count = 0;
        while let Some(Arrival { seq, due }) = self.arrivals.next_if(|next| next.due < until) {
            let worker = self.stripe.worker_of(seq) as usize;
            count += u64::from(
                self.stopped
                    .get(worker)
                    .is_none_or(|stopped| due < *stopped),
            );
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{ArrivalProcess, Profile};
    use crate::units::Rate;

    #[test]
    fn a_stopped_worker_owes_nothing_afterwards() {
        let schedule = Schedule {
            process: ArrivalProcess::Fixed,
            profile: Profile::Constant(Rate::per_second(1000.0).expect("a rate")),
            seed: 0,
        };
        let mut ledger = Ledger::new(&schedule, 10, 2);
        assert_eq!(ledger.due_before(Nanos::from_secs(1)), 1000);
        ledger.stop(1, Nanos::from_secs(1));
        assert_eq!(ledger.due_before(Nanos::from_secs(2)), 500);
    }
}
