//! The feed: what a worker still has to send, as a cursor on its part of the schedule.
//!
//! The backlog is not a queue: an arrival that is due and has not been taken is simply still ahead
//! of the cursor, so twenty seconds of overload cost no memory.

use crate::schedule::{Arrival, Arrivals, Schedule, Stripe};
use crate::units::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

/// Arrivals of one worker, in the order in which they are due.
#[derive(Debug)]
pub struct Feed {
    arrivals: Option<Peekable<Arrivals>>,
    postponed: BinaryHeap<Reverse<(Nanos, u64)>>,
    end: Nanos,
}

impl Feed {
    /// The worker's arrivals that are due before `end`; in a closed loop (no schedule) an arrival
    /// is due whenever one is asked for.
    pub fn new(schedule: Option<&Schedule>, stripe: Stripe, end: Nanos) -> Feed {
        Feed {
            arrivals: schedule.map(|schedule| schedule.stripe(stripe).peekable()),
            postponed: BinaryHeap::new(),
            end,
        }
    }

    /// When the next arrival is due; `None` when there will be none, and in a closed loop.
    #[inline]
    pub fn next_due(&mut self) -> Option<Nanos> {
        let scheduled = self.peek_scheduled();
        let postponed = self.postponed.peek().map(|Reverse((due, _))| *due);
        scheduled.into_iter().chain(postponed).min()
    }

    #[inline]
    fn peek_scheduled(&mut self) -> Option<Nanos> {
        let arrivals = self.arrivals.as_mut()?;
        arrivals
            .peek()
            .map(|next| next.due)
            .filter(|due| *due < self.end)
    }

    /// Takes an arrival that is due by `now`, and says whether it comes fresh from the schedule
    /// (and could still be postponed).
    #[inline]
    pub fn take(&mut self, now: Nanos) -> Option<(Arrival, bool)> {
        if self.arrivals.is_none() {
            let arrival = Arrival { seq: 0, due: now };
            return (now < self.end).then_some((arrival, true));
        }
        let is_due = |due: &Nanos| *due <= now;
        let scheduled = self.peek_scheduled().filter(is_due);
        let postponed = self
            .postponed
            .peek()
            .map(|Reverse((due, _))| *due)
            .filter(is_due);
        match (scheduled, postponed) {
            (None, None) => None,
            (Some(due), other) if other.is_none_or(|other| due <= other) => {
                let arrival = self.arrivals.as_mut().and_then(Iterator::next)?;
                Some((arrival, true))
            }
            _ => {
                let Reverse((due, seq)) = self.postponed.pop()?;
                Some((Arrival { seq, due }, false))
            }
        }
    }

    /// Puts an arrival back, to be due at another time: on the script's own word (`delay`).
    /// One that would be due after the end is not scheduled.
    pub fn postpone(&mut self, arrival: Arrival, due: Nanos) {
        if due < self.end {
            self.postponed.push(Reverse((due, arrival.seq)));
        }
    }

    /// Passes over `count` arrivals, which a batch of requests has used up.
    pub fn skip(&mut self, count: u64) {
        for _ in 0..count {
            if self.peek_scheduled().is_none() {
                return;
            }
            self.arrivals.as_mut().and_then(Iterator::next);
        }
    }

    /// Nothing is due from `at` on.
    pub fn end_at(&mut self, at: Nanos) {
        self.end = self.end.min(at);
        self.postponed.retain(|Reverse((due, _))| *due < at);
    }

    /// When the load ends for this worker.
    pub fn end(&self) -> Nanos {
        self.end
    }

    /// The due times of what was never taken.
    pub fn remaining(mut self) -> impl Iterator<Item = Nanos> {
        std::iter::from_fn(move || {
            let due = self.next_due().filter(|due| *due < self.end)?;
            self.take(due).map(|(arrival, _)| arrival.due)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{ArrivalProcess, Profile};
    use crate::units::Rate;

    fn feed() -> Feed {
        let schedule = Schedule {
            process: ArrivalProcess::Fixed,
            profile: Profile::Constant(Rate::per_second(1000.0).expect("a rate")),
            seed: 0,
        };
        Feed::new(Some(&schedule), Stripe::whole(), Nanos::from_millis(10))
    }

    fn dues(feed: &mut Feed, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| feed.take(Nanos::from_millis(now)))
            .map(|(arrival, _)| arrival.due.0 / 1_000_000)
            .collect()
    }

    #[test]
    fn what_is_due_comes_with_its_own_due_time_however_late() {
        let mut feed = feed();
        assert_eq!(dues(&mut feed, 3), [0, 1, 2, 3]);
        assert_eq!(feed.next_due(), Some(Nanos::from_millis(4)));
        assert_eq!(dues(&mut feed, 500), [4, 5, 6, 7, 8, 9]);
        assert_eq!(feed.next_due(), None);
    }

    #[test]
    fn postponed_arrivals_come_back_in_order_of_their_new_due_times() {
        let mut feed = feed();
        let (first, _) = feed.take(Nanos::ZERO).expect("due");
        feed.postpone(first, Nanos::from_micros(2_500));
        assert_eq!(dues(&mut feed, 2), [1, 2]);
        assert_eq!(
            feed.take(Nanos::from_millis(3))
                .map(|(arrival, fresh)| (arrival.seq, fresh)),
            Some((0, false))
        );
        assert_eq!(dues(&mut feed, 4), [3, 4]);
    }

    #[test]
    fn a_batch_uses_up_arrivals_and_the_rest_is_remembered() {
        let mut feed = feed();
        feed.take(Nanos::ZERO);
        feed.skip(4);
        assert_eq!(feed.next_due(), Some(Nanos::from_millis(5)));
        feed.end_at(Nanos::from_millis(8));
        let left: Vec<_> = feed.remaining().map(|due| due.0 / 1_000_000).collect();
        assert_eq!(left, [5, 6, 7]);
    }
}
